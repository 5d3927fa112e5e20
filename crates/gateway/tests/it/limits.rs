//! Limits of the gateway itself.

use std::time::Duration;

use zhulian_api::{ClientError, Wait};
use zhulian_gateway::Config;

use crate::world::World;

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
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.unwrap().contains("request.timed_out"));
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

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    use tokio::io::AsyncReadExt as _;
    let config = Config { idle_timeout: Duration::from_millis(300), ..Config::default() };
    let world = World::with(config, true).await;
    let address = world.base.trim_start_matches("http://").to_owned();
    let mut silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(10), silent.read(&mut [0; 16])).await.expect("closed in time");
    assert!(matches!(closed, Ok(0) | Err(_)));
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let world = World::with(Config { connections_max: 1, ..Config::default() }, true).await;
    let address = world.base.trim_start_matches("http://").to_owned();
    let held = tokio::net::TcpStream::connect(address).await.unwrap();
    let client = world.client.clone();
    let waiting = tokio::spawn(async move { client.live().await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    drop(held);
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("served once there is a place").unwrap().unwrap();
}
