//! Limits of the gateway itself.

use std::time::Duration;

use futures::StreamExt as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use zhulian_api::{ClientError, Wait};
use zhulian_gateway::Config;

use crate::{
    evidence::{deposited, entries},
    world::World,
};

#[tokio::test]
async fn too_many_requests_at_once_are_told_to_come_back() {
    let world = World::with(Config { requests_max: 2, ..Config::default() }, false).await;
    let waiting: Vec<_> = (0..2u8)
        .map(|n| {
            let (client, transaction) = (world.client.clone(), world.deposit(&[n]));
            tokio::spawn(async move { client.submit(&[transaction], Wait::Finalised(Duration::from_secs(20))).await })
        })
        .collect();
    // Both are in once the mempool has them.
    while !world.client.metrics().await.unwrap().contains("submitted_transactions_total 2") {
        tokio::task::yield_now().await;
    }
    let error = world.client.status().await.unwrap_err();
    let ClientError::Problem { problem, retry_after } = error else { panic!() };
    assert_eq!((problem.code.as_str(), problem.status), ("request.too_busy", 503));
    assert!(retry_after.is_some());
    world.client.live().await.unwrap();
    world.memory.produce();
    for task in waiting {
        task.await.unwrap().unwrap();
    }
    world.client.status().await.unwrap();
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let config = Config { request_timeout: Duration::from_millis(300), ..Config::default() };
    let world = World::with(config, true).await;
    let body = reqwest::Body::wrap_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request =
        world.http.post(format!("{}/v1/evidence/check", world.base)).header("content-type", "application/json").body(body);
    let answer = tokio::time::timeout(Duration::from_secs(10), request.send()).await.unwrap().unwrap();
    assert_eq!(answer.status(), 408);
    assert!(answer.text().await.unwrap().contains("request.body_too_slow"));
}

#[tokio::test]
async fn streams_have_a_limit_of_their_own() {
    let world = World::with(Config { streams_max: 1, ..Config::default() }, true).await;
    let held = world.client.events(None, &[]).await.unwrap();
    let Err(error) = world.client.events(None, &[]).await else { panic!("a second stream") };
    assert_eq!(error.code(), Some("request.too_busy"));
    drop(held);
    // The server notices a closed stream when it next writes; a block makes it write.
    tokio::time::timeout(Duration::from_secs(10), async {
        while world.client.events(None, &[]).await.is_err() {
            world.memory.produce();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the place is free again");
}

async fn connected(world: &World) -> TcpStream {
    TcpStream::connect(world.base.trim_start_matches("http://")).await.unwrap()
}

/// Whether the other side closes the connection within ten seconds.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let closed = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut [0; 16])).await;
    matches!(closed, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let config = Config { keep_alive: Duration::from_millis(300), ..Config::default() };
    let world = World::with(config, true).await;
    assert!(is_closed(&mut connected(&world).await).await);
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_given_its_time_once() {
    let config = Config { head_timeout: Duration::from_millis(500), ..Config::default() };
    let world = World::with(config, true).await;
    let mut slow = connected(&world).await;
    let begun = std::time::Instant::now();
    // Fifteen seconds in all, if nobody minds.
    for byte in b"GET /v1/status HTTP/1.1\r\nhost: ".iter().chain(&[b'a'; 120]) {
        if slow.write_all(&[*byte]).await.is_err() {
            break;
        }
        match tokio::time::timeout(Duration::from_millis(100), slow.read(&mut [0; 16])).await {
            Ok(_) => break,
            Err(_) => continue,
        }
    }
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(450) && took < Duration::from_secs(8), "closed after {took:?}");
}

#[tokio::test]
async fn a_connection_that_is_kept_may_ask_again() {
    let config = Config { head_timeout: Duration::from_millis(300), ..Config::default() };
    let world = World::with(config, true).await;
    let mut stream = connected(&world).await;
    for _ in 0..3 {
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 4_096];
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut answer)).await.unwrap().unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..read]));
        // Longer than a head may take; nothing is asked meanwhile.
        tokio::time::sleep(Duration::from_millis(450)).await;
    }
}

#[tokio::test]
async fn connections_that_ask_nothing_shut_nobody_out() {
    let world = World::with(Config { connections_max: 4, ..Config::default() }, true).await;
    let mut idle = Vec::new();
    for _ in 0..12 {
        let mut stream = connected(&world).await;
        stream.write_all(b"GET /v1/sta").await.unwrap();
        idle.push(stream);
    }
    let answer = tokio::time::timeout(Duration::from_secs(10), world.client.live()).await;
    answer.expect("served in time").unwrap();
    assert!(is_closed(&mut idle[0]).await, "the one that waited longest is gone");
}

#[tokio::test]
async fn a_request_under_way_keeps_its_place() {
    let world = World::with(Config { connections_max: 1, ..Config::default() }, false).await;
    let (client, transaction) = (world.client.clone(), world.deposit(b"a"));
    let at_work = tokio::spawn(async move { client.submit(&[transaction], Wait::Finalised(Duration::from_secs(20))).await });
    while world.memory.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    let other = zhulian_api::Client::new(&world.base).unwrap();
    let waiting = tokio::spawn(async move { other.live().await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished(), "there is no place while the only one is at work");
    world.memory.produce();
    at_work.await.unwrap().unwrap();
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("served once there is a place").unwrap().unwrap();
}

#[tokio::test]
async fn connections_whose_bodies_do_not_come_shut_nobody_out() {
    let world = World::with(Config { connections_max: 4, ..Config::default() }, true).await;
    let mut held = Vec::new();
    for _ in 0..12 {
        let mut stream = connected(&world).await;
        let head =
            "POST /v1/transactions HTTP/1.1\r\nhost: a\r\ncontent-type: application/cose\r\ncontent-length: 100\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        held.push(stream);
    }
    let answer = tokio::time::timeout(Duration::from_secs(10), world.client.live()).await;
    answer.expect("served in time").unwrap();
    // Nor is anybody whose body comes.
    deposited(&world, &world.deposit(b"a")).await;
}

/// An upload of which nothing comes but its head.
async fn upload_without_body(world: &World, batch: &str) -> TcpStream {
    let mut stream = connected(world).await;
    let head = format!(
        "POST /v1/evidence/batches/{batch}/entries HTTP/1.1\r\nhost: a\r\ncontent-type: application/cbor-seq\r\ncontent-length: 1000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn an_upload_waits_a_little_for_another_and_is_told_so() {
    let world = World::with(Config { upload_wait: Duration::from_millis(100), ..Config::default() }, true).await;
    let entries = entries(3);
    let batch = deposited(&world, &world.deposit_batch(&entries)).await;
    let _held = upload_without_body(&world, &batch).await;
    // The first ones may come before the one that keeps the others waiting.
    let busy = async {
        loop {
            let answer = world.client.upload_entries(&batch, entries.concat().into()).await;
            if let Err(ClientError::Problem { problem, retry_after }) = answer {
                return (problem, retry_after);
            }
        }
    };
    let (problem, retry_after) = tokio::time::timeout(Duration::from_secs(10), busy).await.expect("told in time");
    assert_eq!((problem.code.as_str(), problem.status, problem.retry), ("request.too_busy", 503, true));
    assert!(retry_after.is_some());
}

#[tokio::test]
async fn the_time_of_an_upload_begins_with_its_turn() {
    let config =
        Config { upload_timeout: Duration::from_millis(1_500), upload_wait: Duration::from_secs(20), ..Config::default() };
    let world = World::with(config, true).await;
    let entries = entries(3);
    let batch = deposited(&world, &world.deposit_batch(&entries)).await;
    let _held = upload_without_body(&world, &batch).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The rest comes when the time would be up, had it begun when it was asked.
    let [first, rest] = [entries[0].clone(), entries[1..].concat()];
    let rest = async {
        tokio::time::sleep(Duration::from_millis(1_700)).await;
        Ok::<_, std::io::Error>(rest)
    };
    let body = futures::stream::iter([Ok(first)]).chain(futures::stream::once(rest));
    let address = format!("{}/v1/evidence/batches/{batch}/entries", world.base);
    let request = world.http.post(address).header("content-type", "application/cbor-seq");
    let answer = request.body(reqwest::Body::wrap_stream(body)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}
