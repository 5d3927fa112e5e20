//! Whole nodes on loopback: a protocol begins by vote, nodes whose program does not know it stand still, and newer programs go on.

use std::time::{Duration, Instant};

use zhulian_gateway::{Backend as _, TransactionState};
use zhulian_modules::governance::{Action, CastBallot, OpenMotion, Upgrade};
use zhulian_node::{
    Config, Node, NodeBackend,
    audit::{Subject, audit, copy_record},
};

use crate::{
    city::{City, code},
    network::{LONG, proven, running, submit},
};

/// Waits until something is so.
async fn until(what: &str, so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, wait).await.unwrap_or_else(|_| panic!("waited in vain until {what}"));
}

fn height(backend: &NodeBackend) -> u64 {
    backend.status().height.unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_know_a_protocol_the_network_stands_still_and_goes_on_with_newer_programs() {
    let city = City::founded(20, 4).of_protocol_1();
    let start = |n: usize, protocol_max: Option<u16>| {
        let config = Config { protocol_max, ..city.config(n, n == 0) };
        Node::start(&config, &city.genesis, &city.validators[n]).unwrap()
    };
    // Two of four programs know protocol 1 only.
    let mut nodes: Vec<Node> = (0..4).map(|n| start(n, (n >= 2).then_some(1))).collect();
    let (first, third) = (running(&nodes[0]).await, running(&nodes[2]).await);
    // By the rules of protocol 1 nobody asks who the custodian is.
    let nobody = Some(code(4));
    let before = submit(&first, &[city.entrusted(0, 1, 500, nobody)]).await[0];
    proven(&city, &first, before).await;

    let begins = height(&first) + 60;
    let action = Action::ScheduleProtocol(Upgrade { protocol: 2, height: begins });
    let motion = submit(&first, &[city.governs(0, &OpenMotion { action }, 0, 500)]).await[0];
    proven(&city, &first, motion).await;
    for organisation in 0..3 {
        let ballot = city.governs(organisation, &CastBallot { motion: 0, approve: true }, 1, 500);
        let ballot = submit(&first, &[ballot]).await[0];
        proven(&city, &first, ballot).await;
    }
    // Who does not know it says so at once; who knows it, only that it comes.
    until("the third warns", || third.status().protocol().unknown().is_some()).await;
    let (said, _) = third.status().protocol().unknown().unwrap();
    assert_eq!(said, format!("this binary executes protocols 1 to 1; height {begins} begins protocol 2"));
    until("the first knows", || first.status().protocol().next.is_some_and(|next| next.height == begins)).await;
    assert_eq!(first.status().protocol().unknown(), None);
    let metrics = third.metrics().await.unwrap();
    for line in ["zhulian_protocol_next 2", &format!("zhulian_protocol_next_height {begins}")] {
        assert!(metrics.lines().any(|it| it == line), "no line {line:?} in\n{metrics}");
    }

    // Deposits bring the chain to its last block by protocol 1, and no further.
    for n in 100.. {
        if height(&first) >= begins - 1 {
            break;
        }
        submit(&first, &[city.deposit(1, n, begins + 500)]).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until("the third stands still", || third.status().protocol().is_blocked()).await;
    let (waiting, refused) = (city.deposit(1, 10_000, begins + 500), city.entrusted(1, 10_001, begins + 500, nobody));
    let ids = submit(&first, &[waiting, refused]).await;
    until("the third says why", || third.status().stall.is_some()).await;
    let stall = third.status().stall.unwrap();
    assert_eq!(stall, "this binary executes protocols 1 to 1, and the next block follows protocol 2");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((height(&first), height(&third)), (begins - 1, begins - 1));
    assert!(!nodes.iter().any(Node::has_failed));

    // It hears a stop, and the same program again stands where it stood.
    drop(third);
    let asked = Instant::now();
    nodes.remove(2).stop().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(8), "the engine waited for what never ends: {:?}", asked.elapsed());
    nodes.insert(2, start(2, Some(1)));
    let third = nodes[2].backend();
    until("the third is back and stands", || third.status().stall.is_some_and(|stall| stall.contains("protocol 2"))).await;
    assert_eq!(height(&third), begins - 1);

    // A newer one goes on, and with it the network: three are a quorum.
    drop(third);
    let asked = Instant::now();
    nodes.remove(2).stop().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(8), "the engine waited for what never ends: {:?}", asked.elapsed());
    nodes.insert(2, start(2, None));
    proven(&city, &first, ids[0]).await;
    let TransactionState::Finalised(outcome) = first.wait(ids[1], LONG).await.unwrap() else { panic!("not finalised") };
    assert_eq!(outcome.receipt.refusal.map(|code| (code.module, code.number)), Some(("evidence".into(), 21)));
    assert!(outcome.position.height >= begins);
    let third = running(&nodes[2]).await;
    until("the third caught up", || height(&third) >= outcome.position.height).await;
    assert_eq!(first.status().protocol().in_force, 2);
    let last = nodes[3].backend();
    assert_eq!(height(&last), begins - 1);

    // What was finalised before is proven as ever, and the whole record gives itself again.
    proven(&city, &first, before).await;
    drop((first, third, last));
    for node in nodes {
        if let Err(error) = node.stop() {
            eprintln!("{error}");
        }
    }
    let network = city.genesis.network();
    let subject = Subject { genesis: &city.genesis, network: &network, archive: None, range: (None, None) };
    for n in [0, 3] {
        let scratch = tempfile::tempdir().unwrap();
        let copy = scratch.path().join("copy");
        copy_record(&city.path(n), &copy).unwrap();
        let found = audit(&copy, subject, |_, _| {});
        assert_eq!(found.faults.kept, [], "node {n}");
        assert_eq!(found.executed, found.chain.blocks);
    }
}
