//! Uploaded entries of batches: what a node without them, or with damaged ones, says.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use zhulian_crypto::{Digest, sha256};
use zhulian_execution::Refusal as _;
use zhulian_gateway::{Backend as _, BackendError, DAMAGED_ENTRIES, EvidenceFilter, Page, Submission, TransactionState};
use zhulian_ledger::merkle;
use zhulian_node::{Node, NodeBackend};
use zhulian_primitives::{TransactionError, TransactionId};
use zhulian_verify::{Entry, FileRecord};

use crate::{
    city::City,
    network::{LONG, proven, running, submit},
};

const COUNT: usize = 2_500;

fn entries() -> Vec<Vec<u8>> {
    let entry = |n: usize| {
        let file = FileRecord { sha256: digest(n), sm3: [1; 32], size: n as u64, chunks_root: [2; 32] };
        Entry { file, name_commitment: None }.encode()
    };
    (0..COUNT).map(entry).collect()
}

fn digest(n: usize) -> Digest {
    sha256(&n.to_be_bytes())
}

async fn found(backend: &NodeBackend, n: usize) -> Result<usize, BackendError> {
    let filter = EvidenceFilter { sha256: Some(digest(n)), ..EvidenceFilter::default() };
    Ok(backend.evidence(filter, Page { before: None, limit: 10 }).await?.len())
}

async fn lacks(backend: &NodeBackend, count: u64) {
    let so = async {
        while backend.batches_lacking().await != Ok(count) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, so).await.unwrap_or_else(|_| panic!("never lacks {count}"));
}

/// Flips a bit of the first byte of a value in a stopped node's file.
fn flip(directory: &Path, table: &str, column: &str, at: usize) {
    let sql = rusqlite::Connection::open(directory.join("entries.sqlite")).unwrap();
    let read = format!("select {column} from {table} where number = {at}");
    let mut value: Vec<u8> = sql.query_row(&read, [], |row| row.get(0)).unwrap();
    let last = value.len() - 1;
    value[last] ^= 1;
    assert_eq!(sql.execute(&format!("update {table} set {column} = ? where number = {at}"), [value]).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lacking_or_damaged_is_never_taken_for_not_deposited() {
    let city = City::new();
    let mut nodes: Vec<Option<Node>> = (0..4).map(|n| Some(city.start(n, n < 2))).collect();
    let first = running(nodes[0].as_ref().unwrap()).await;
    let second = running(nodes[1].as_ref().unwrap()).await;
    let (all, root) = (entries(), merkle::root(&entries()));
    let commitment = (root, COUNT as u64);
    let batch: TransactionId = submit(&first, &[city.deposit_batch(0, &all, 500)]).await[0];
    proven(&city, &first, batch).await;
    lacks(&first, 1).await;
    let until = first.status().height.unwrap() + 40;
    let early = city.deposit(1, 1, until);
    let early_id = submit(&first, std::slice::from_ref(&early)).await[0];
    proven(&city, &first, early_id).await;
    let upload = || all.iter().cloned().map(Bytes::from).collect::<Vec<_>>();
    first.put_batch_entries(batch, root, upload()).await.unwrap();
    lacks(&first, 0).await;
    // The node that was not given them knows that it cannot tell.
    lacks(&second, 1).await;
    assert_eq!((found(&first, 7).await, found(&second, 7).await), (Ok(1), Ok(0)));
    drop((first, second));

    // Whole entries are known again soon after a start; damaged ones are found, told, and lacking from then on.
    for damage in [None, Some(("entries", "bytes", 7)), Some(("nodes", "hash", 1)), Some(("digests", "prefix", 9))] {
        nodes[0].take().unwrap().stop().unwrap();
        match damage {
            Some(("digests", ..)) => {
                let sql = rusqlite::Connection::open(city.path(0).join("entries.sqlite")).unwrap();
                assert_eq!(sql.execute("update digests set prefix = prefix + 1 where number = 9", []).unwrap(), 1);
            }
            Some((table, column, at)) => flip(&city.path(0), table, column, at),
            None => {}
        }
        nodes[0] = Some(city.start(0, true));
        let node: Arc<NodeBackend> = running(nodes[0].as_ref().unwrap()).await;
        if damage.is_none() {
            lacks(&node, 0).await;
            assert!(node.status().damage.is_empty());
            assert_eq!(node.batch_entry(batch, 7, commitment).await.unwrap().unwrap().bytes, all[7]);
            continue;
        }
        let told = async {
            while node.status().damage.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LONG, told).await.expect("the damage is told");
        assert!(node.status().damage[0].starts_with(DAMAGED_ENTRIES), "{:?}", node.status().damage);
        lacks(&node, 1).await;
        assert_eq!(node.batch_entry(batch, 7, commitment).await, Ok(None), "{damage:?}");
        // The next upload repairs it.
        node.put_batch_entries(batch, root, upload()).await.unwrap();
        lacks(&node, 0).await;
        assert_eq!(found(&node, 7).await, Ok(1));
    }

    // What expired since, and was forgotten at a restart, is still known to the chain; what never was in a block is refused.
    let node = running(nodes[0].as_ref().unwrap()).await;
    let past = async {
        while node.status().height < Some(until) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, past).await.expect("the chain goes on");
    let height = node.status().height.unwrap();
    drop(node);
    nodes[0].take().unwrap().stop().unwrap();
    // The last 64 blocks below this are delivered again after a start, and the mempool remembers them then.
    std::fs::write(city.path(0).join("observed"), (height + 64).to_string()).unwrap();
    nodes[0] = Some(city.start(0, true));
    let node = running(nodes[0].as_ref().unwrap()).await;
    // The mempool knows the height once it has seen a block.
    let seen = async {
        while node.status().height <= Some(height + 2) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, seen).await.expect("the chain goes on");
    let again = submit(&node, std::slice::from_ref(&early)).await[0];
    let state = node.wait(again, LONG).await.unwrap();
    assert!(matches!(state, TransactionState::Finalised(_)), "{state:?}");
    let never = node.submit(vec![city.deposit(2, 2, until).into()]).await.unwrap().remove(0);
    assert!(
        matches!(never, Submission::Refused(Some(_), ref code) if *code == TransactionError::Expired.code()),
        "{never:?}"
    );
    drop(node);

    // A note of what was observed that is far ahead of the chain leaves nobody waiting.
    nodes[0].take().unwrap().stop().unwrap();
    std::fs::write(city.path(0).join("observed"), (height + 100_000).to_string()).unwrap();
    nodes[0] = Some(city.start(0, true));
    let node = running(nodes[0].as_ref().unwrap()).await;
    let late = submit(&node, &[city.deposit(3, 3, height + 900)]).await[0];
    let state = node.wait(late, LONG).await.unwrap();
    assert!(matches!(state, TransactionState::Finalised(_)), "{state:?}");
    drop(node);
    for node in nodes.into_iter().flatten() {
        node.stop().unwrap();
    }
}
