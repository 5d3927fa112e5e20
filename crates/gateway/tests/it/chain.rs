//! Network, blocks, validators, state, health, metrics.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

use zhulian_api::{Hex32, Query, Wait, view};
use zhulian_gateway::Phase;
use zhulian_primitives::{Certificate, Header};
use zhulian_verify::parse_network;

use crate::world::World;

const SOON: Wait = Wait::Finalised(Duration::from_secs(10));

#[tokio::test]
async fn the_identity_is_the_file_that_verifiers_read() {
    let world = World::start().await;
    let network = world.client.network().await.unwrap();
    let text = serde_json::to_string(&network.identity).unwrap();
    assert_eq!(parse_network(&text).unwrap(), world.network);
    assert_eq!(network.genesis_time_ms, crate::memory::GENESIS_TIME);
}

#[tokio::test]
async fn status_and_validators_name_everyone() {
    let world = World::start().await;
    world.client.submit(&[world.deposit(b"x")], SOON).await.unwrap();
    let diagnosis = world.client.diagnosis().await.unwrap();
    assert!(diagnosis.findings.iter().all(|finding| !finding.remedy_en.is_empty() && !finding.remedy_zh.is_empty()));
    let status = world.client.status().await.unwrap();
    assert_eq!((status.phase, status.height, status.peers.len()), (view::Phase::Running, world.memory.height(), 3));
    assert_eq!(status.leader.as_deref(), Some(world.network.validators[1].name.as_str()));
    let validators = world.client.validators().await.unwrap();
    assert_eq!((validators.items.len(), validators.quorum), (4, 3));
    assert_eq!(validators.items.iter().filter(|validator| validator.this_node).count(), 1);
}

#[tokio::test]
async fn blocks_are_listed_and_each_proves_itself() {
    let world = World::start().await;
    for n in 0..9u8 {
        world.client.submit(&[world.deposit(&[n])], SOON).await.unwrap();
    }
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let part = world.client.blocks(Query::new().with("limit", Some(4)).with("cursor", cursor)).await.unwrap();
        seen.extend(part.items.iter().map(|row| row.height));
        cursor = part.next;
        if cursor.is_none() {
            break;
        }
    }
    let height = world.memory.height();
    assert_eq!(seen, (1..=height).rev().collect::<Vec<_>>());
    for height in 1..=height {
        let block = world.client.block(height).await.unwrap();
        let header = Header::decode(&block.header_bytes.0).unwrap();
        assert_eq!((header.height, header.digest()), (height, block.digest.0));
        let certificate = Certificate::decode(&block.certificate.bytes.0).unwrap();
        certificate.verify(&world.network).unwrap();
        let last = block.later_headers.last().map_or(header, |bytes| Header::decode(&bytes.0).unwrap());
        assert_eq!(last.digest(), certificate.block);
        assert_eq!(block.certificate.height, last.height);
    }
    assert_eq!(world.client.block(0).await.unwrap_err().code(), Some("query.block_not_found"));
    assert_eq!(world.client.block(height + 100).await.unwrap_err().code(), Some("query.block_not_found"));
}

#[tokio::test]
async fn a_state_value_or_its_absence_comes_with_a_header() {
    let world = World::start().await;
    world.client.submit(&[world.deposit(b"x")], SOON).await.unwrap();
    let present = world.client.state(Hex32(world.state_key())).await.unwrap();
    assert!(present.exists && present.value.is_some());
    let header = Header::decode(&present.header_bytes.0).unwrap();
    assert_eq!((header.height, header.state_root), (present.height, present.state_root.0));
    let absent = world.client.state(Hex32([1; 32])).await.unwrap();
    assert!(!absent.exists && absent.value.is_none());
}

#[tokio::test]
async fn health_tells_ready_from_live_and_everything_else_says_why_it_waits() {
    let world = World::start().await;
    world.client.ready().await.unwrap();
    world.memory.set_phase(Phase::Syncing);
    world.client.live().await.unwrap();
    world.client.status().await.unwrap();
    let error = world.client.ready().await.unwrap_err();
    assert_eq!(error.code(), Some("node.not_ready"));
    let error = world.client.submit(&[world.deposit(b"x")], Wait::No).await.unwrap_err();
    let zhulian_api::ClientError::Problem { problem, retry_after } = error else { panic!() };
    assert_eq!((problem.code.as_str(), problem.status), ("node.not_ready", 503));
    assert!(retry_after.is_some());
}

#[tokio::test]
async fn metrics_are_what_prometheus_wants() {
    let world = World::start().await;
    world.client.submit(&[world.deposit(b"x")], SOON).await.unwrap();
    let _ = world.client.block(10_000).await;
    let text = world.client.metrics().await.unwrap();
    assert!(text.contains("zhulian_height 1"), "{text}");
    assert!(
        text.contains(r#"zhulian_http_requests_total{method="GET",route="/v1/blocks/{height}",status="404"} 1"#),
        "{text}"
    );
    assert!(text.contains("zhulian_http_submitted_transactions_total 1"), "{text}");
    assert!(!text.contains("10000"), "addresses are not labels");

    // The real linter, where there is one.
    let Ok(mut linter) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        eprintln!("promtool is not installed; the lint is left out");
        return;
    };
    linter.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = linter.wait_with_output().unwrap();
    let said = [&output.stdout[..], &output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    assert!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
}
