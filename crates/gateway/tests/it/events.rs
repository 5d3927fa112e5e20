//! Server-sent events.

use std::time::Duration;

use futures::StreamExt;
use zhulian_api::{EventStream, ServerEvent, Wait};
use zhulian_gateway::Phase;

use crate::world::{World, id_of};

const SOON: Wait = Wait::Finalised(Duration::from_secs(10));

async fn next(stream: &mut EventStream) -> ServerEvent {
    tokio::time::timeout(Duration::from_secs(10), stream.next())
        .await
        .expect("an event in time")
        .expect("not the end")
        .unwrap()
}

#[tokio::test]
async fn events_come_in_order_as_blocks_are_finalised() {
    let world = World::start().await;
    let mut stream = world.client.events(None, &[]).await.unwrap();
    let transaction = world.deposit(b"x");
    world.client.submit(&[&transaction], SOON).await.unwrap();
    let height = world.memory.height();
    let first = next(&mut stream).await;
    assert_eq!((first.event.as_str(), first.id), ("evidence", format!("{height}:0")));
    let data: serde_json::Value = serde_json::from_str(&first.data).unwrap();
    assert_eq!(data["transaction"], id_of(&transaction).to_string());
    let second = next(&mut stream).await;
    assert_eq!((second.event.as_str(), second.id), ("block", format!("{height}:1")));
}

#[tokio::test]
async fn a_stream_goes_on_after_the_last_event_seen_without_gaps_or_doubles() {
    let world = World::start().await;
    let submit = async |from: u8| {
        for n in from..from + 5 {
            let items = [world.deposit(&[n, 0]), world.deposit(&[n, 1])];
            world.client.submit(&items, SOON).await.unwrap();
        }
    };
    submit(0).await;
    let mut all = world.client.events(Some("0:0"), &[]).await.unwrap();
    submit(10).await;
    let mut ids = Vec::new();
    while ids.len() < 30 {
        ids.push(next(&mut all).await.id);
    }
    let tip = world.memory.height();
    let expected: Vec<String> = (1..=tip).flat_map(|height| (0..3).map(move |index| format!("{height}:{index}"))).collect();
    assert_eq!(ids, expected);
    // Broken off anywhere, it goes on with exactly the rest.
    for at in [0, 1, 2, 14, 28] {
        let mut rest = world.client.events(Some(&ids[at]), &[]).await.unwrap();
        for expected in &ids[at + 1..] {
            assert_eq!(next(&mut rest).await.id, *expected);
        }
    }
}

#[tokio::test]
async fn only_the_asked_kinds_are_sent() {
    let world = World::start().await;
    world.client.submit(&[world.deposit(b"x")], SOON).await.unwrap();
    world.client.submit(&[world.deposit(b"y")], SOON).await.unwrap();
    let mut blocks = world.client.events(Some("0:0"), &["block"]).await.unwrap();
    assert_eq!(next(&mut blocks).await.id, "1:1");
    assert_eq!(next(&mut blocks).await.id, "2:1");
    let mut evidence = world.client.events(Some("0:0"), &["evidence"]).await.unwrap();
    assert_eq!(next(&mut evidence).await.id, "1:0");
    assert_eq!(next(&mut evidence).await.id, "2:0");
}

#[tokio::test]
async fn nobody_is_told_to_begin_anew_by_a_node_that_does_not_know_how_far_the_network_is() {
    let world = World::start().await;
    let code = async || {
        let Err(error) = world.client.events(Some("5000:0"), &[]).await else { panic!("a place that is not there") };
        (error.code().map(str::to_owned), error.retry())
    };
    let not_ready = (Some("node.not_ready".to_owned()), true);
    // Before the state is open there is no height at all.
    world.memory.set_phase(Phase::Starting);
    assert_eq!(code().await, not_ready);
    // One that runs, but is behind the others.
    world.memory.set_phase(Phase::Running);
    world.client.submit(&[world.deposit(b"x")], SOON).await.unwrap();
    world.memory.set_peers_height(Some(6_000));
    assert_eq!(code().await, not_ready);
    world.memory.set_peers_height(None);
    assert_eq!(code().await, (Some("query.block_not_found".to_owned()), true));
    world.memory.set_phase(Phase::Syncing);
    assert_eq!(code().await, not_ready);
}

#[tokio::test]
async fn a_stop_ends_the_streams() {
    let world = World::start().await;
    let mut stream = world.client.events(None, &[]).await.unwrap();
    world.stop();
    assert!(tokio::time::timeout(Duration::from_secs(5), stream.next()).await.unwrap().is_none());
}
