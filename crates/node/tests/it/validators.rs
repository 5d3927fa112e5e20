//! Whole nodes on loopback: a validator is added, one removed, one given another key, by votes and while deposits flow.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use zhulian_gateway::{Backend as _, TransactionState};
use zhulian_modules::{
    governance::{Action, Address, CastBallot, OpenMotion, Seat},
    identity::OrganisationName,
};
use zhulian_node::{Node, NodeBackend};
use zhulian_primitives::{Network, TransactionId};
use zhulian_verify::{ReceiptFile, Refusal, verify_receipt};

use crate::{
    city::{City, code},
    network::{LONG, proven, running, submit},
};

const EPOCH_BLOCKS: u64 = 30;

/// A transaction is valid for the next blocks only.
fn until(backend: &NodeBackend) -> u64 {
    backend.status().height.unwrap_or(0) + 900
}

/// One organisation moves, others vote for it; the change is in force when this returns.
async fn carried(city: &City, backend: &NodeBackend, motion: u32, action: Action, voters: &[usize]) {
    let before = backend.status().sets.len();
    let open = city.governs(voters[0], &OpenMotion { action }, u64::from(motion) * 10, until(backend));
    let id = submit(backend, &[open]).await[0];
    proven(city, backend, id).await;
    for organisation in voters {
        let ballot = CastBallot { motion, approve: true };
        let id =
            submit(backend, &[city.governs(*organisation, &ballot, u64::from(motion) * 10 + 1, until(backend))]).await[0];
        proven(city, backend, id).await;
    }
    let in_force = async {
        loop {
            let status = backend.status();
            if status.sets.len() > before && status.epoch >= status.sets[before].epoch {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, in_force).await.expect("the next epoch begins");
}

async fn caught_up(node: &Node, tip: u64) -> Arc<NodeBackend> {
    let backend = running(node).await;
    let there = async {
        while backend.status().height < Some(tip) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, there).await.expect("the node catches up");
    backend
}

/// Waits until a node votes with this key, or not at all.
async fn votes_as(backend: &NodeBackend, key: Option<[u8; 32]>) {
    let so = async {
        while backend.status().public_key != key {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, so).await.expect("its place in the epoch");
}

fn address(city: &City, n: usize) -> Address {
    Address::parse(&city.address(n)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_come_go_and_change_keys_while_deposits_flow() {
    let city = Arc::new(City::founded(EPOCH_BLOCKS, 5));
    let identity = city.genesis.network();
    let mut nodes: Vec<Option<Node>> = (0..4).map(|n| Some(city.start(n, false))).collect();
    let third = running(nodes[2].as_ref().unwrap()).await;

    // Deposits go on the whole time, through a node that stays.
    let stop = Arc::new(AtomicBool::new(false));
    let sent: Arc<Mutex<Vec<TransactionId>>> = Arc::default();
    let client = tokio::spawn({
        let (stop, sent, backend, city) = (stop.clone(), sent.clone(), third.clone(), city.clone());
        async move {
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let ids = submit(&backend, &[city.deposit(3, n, until(&backend))]).await;
                sent.lock().unwrap().extend(ids);
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        }
    });
    let early = submit(&third, &[city.deposit(0, 1 << 40, until(&third))]).await[0];
    let early = proven(&city, &third, early).await;
    assert!(early.epochs.is_empty());

    // The fifth organisation comes. It cannot be connected before the motion is carried; it knows only the validators of genesis.
    let seat = Seat {
        name: OrganisationName::parse("图书馆").unwrap(),
        organisation: code(4),
        public_key: city.validator(4),
        address: Some(address(&city, 4)),
    };
    let mut reminding = city.config(4, true);
    // Within the 90 days in which it is said.
    reminding.gateway.as_mut().unwrap().key_days = 30;
    nodes.push(Some(Node::start(&reminding, &city.genesis, &city.validators[4]).unwrap()));
    carried(&city, &third, 0, Action::AddValidator(seat), &[0, 1, 2]).await;
    let fifth = caught_up(nodes[4].as_ref().unwrap(), third.status().height.unwrap()).await;
    let reminded = async {
        while fifth.status().keys_due.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, reminded).await.expect("a validator that was added reminds of its organisation's keys");
    let second = submit(&third, &[city.deposit(0, 2 << 40, until(&third))]).await[0];
    let second = proven(&city, &third, second).await;
    assert_eq!(second.epochs.len(), 1);
    assert_eq!(verify_receipt(&identity, &second.encode()).unwrap().validators, 5);

    // The first goes. Its own organisation has no vote in that, and its node follows on.
    carried(&city, &third, 1, Action::RemoveValidator(code(0), city.validator(0)), &[1, 2, 3]).await;
    let first = caught_up(nodes[0].as_ref().unwrap(), third.status().height.unwrap() + 3).await;
    votes_as(&first, None).await;
    votes_as(&third, Some(city.validator(2))).await;

    // The second gets another key, on another machine, beside the old one until the epoch ends.
    nodes.push(Some(city.start(5, false)));
    let rekey = Action::RekeyValidator(city.validator(1), city.validator(5), Some(address(&city, 5)));
    carried(&city, &third, 2, rekey, &[0, 1, 2]).await;
    nodes[1].take().unwrap().stop().unwrap();
    let sixth = caught_up(nodes[5].as_ref().unwrap(), third.status().height.unwrap()).await;
    votes_as(&sixth, Some(city.validator(5))).await;
    tokio::time::sleep(Duration::from_secs(1)).await;

    // One of the four that are left may fail, so the new ones vote.
    nodes[3].take().unwrap().stop().unwrap();
    let last = submit(&third, &[city.deposit(0, 3 << 40, until(&third))]).await[0];
    let last = proven(&city, &third, last).await;
    assert_eq!(last.epochs.len(), 3);
    stop.store(true, Ordering::Relaxed);
    client.await.unwrap();

    // Nothing that was accepted is lost, and each node proves the same, offline, from the identity of genesis.
    let sent = sent.lock().unwrap().clone();
    assert!(sent.len() > 50, "{}", sent.len());
    let begun = Instant::now();
    for (n, id) in sent.iter().enumerate() {
        let backend = [&third, &fifth, &first, &sixth][n % 4];
        let state = third.wait(*id, LONG).await.unwrap();
        let TransactionState::Finalised(outcome) = state else { panic!("{state:?}") };
        while backend.status().height < Some(outcome.position.height) && begun.elapsed() < LONG {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        proven(&city, backend, *id).await;
    }
    for receipt in [&early, &second, &last] {
        verify_receipt(&identity, &receipt.encode()).unwrap();
    }
    // Without its handovers, or from a later identity, receipts prove what they can.
    let bare = ReceiptFile { epochs: Vec::new(), ..last.clone() };
    assert!(verify_receipt(&identity, &bare.encode()).is_err());
    let later: &Network = &third.status().sets[3];
    assert_eq!(verify_receipt(later, &bare.encode()).unwrap().validators, 4);
    verify_receipt(later, &last.encode()).unwrap();
    assert_eq!(verify_receipt(later, &early.encode()), Err(Refusal::UnknownEpoch));

    // No stop: the chain's own times show the longest pause.
    let tip = third.status().height.unwrap();
    let (mut longest, mut before) = (0, None);
    for height in 1..=tip {
        let time = third.block(height).await.unwrap().unwrap().header.time;
        longest = longest.max(before.map_or(0, |before| time - before));
        before = Some(time);
    }
    println!("{tip} blocks, {} deposits, longest pause {longest} ms", sent.len());
    // Six nodes share a busy machine here; how short the pause is otherwise, the engine's simulated test says.
    assert!(longest < 30_000, "{longest} ms without a block");
    drop((first, third, fifth, sixth));
    for node in nodes.into_iter().flatten() {
        node.stop().unwrap();
    }
}
