//! A node whose old blocks are in the archive: everything it proved before, it proves still; and the archive proves it without the node.

use std::{path::Path, time::Duration};

use zhulian_gateway::{Backend as _, BackendError};
use zhulian_node::{
    Node, NodeBackend,
    archive::{self, Directory},
    audit::{Findings, Subject, What, audit, copy_record},
    config, remove_index,
};
use zhulian_primitives::TransactionId;
use zhulian_verify::verify_receipt;

use crate::{
    city::City,
    network::{LONG, proven, running, submit},
};

const RETENTION: u64 = 256;

fn start(city: &City, n: usize, archive: Option<&Path>) -> Node {
    let mut config = city.config(n, n == 0);
    config.pace = config::Pace { block_interval_ms: 10, heartbeat_ms: 20 };
    config.archive = archive.map(|directory| config::Archive {
        directory: directory.into(),
        retention_blocks: RETENTION,
        segment_blocks: 16,
    });
    Node::start(&config, &city.genesis, &city.validators[n]).unwrap()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let held = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(2 * LONG, held).await.unwrap_or_else(|_| panic!("{what} comes too late"));
}

fn archived(backend: &NodeBackend) -> u64 {
    backend.status().archive.map_or(0, |archive| archive.archived)
}

fn examine(city: &City, archive: Option<&Path>) -> Findings {
    let (network, scratch) = (city.genesis.network(), tempfile::tempdir().unwrap());
    copy_record(&city.path(0), scratch.path()).unwrap();
    audit(scratch.path(), Subject { genesis: &city.genesis, network: &network, archive, range: (None, None) }, |_, _| {})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_archived_is_proven_audited_and_indexed_as_before() {
    let city = City::new();
    let cold = city.path(0).with_extension("archive");
    // At first the node keeps everything, as it did before there were archives.
    let mut nodes: Vec<Option<Node>> = (0..4).map(|n| Some(start(&city, n, None))).collect();
    let first = running(nodes[0].as_ref().unwrap()).await;
    let deposits: Vec<_> = (0..20).map(|n| city.deposit(n as usize % 3, n, 500)).collect();
    let ids: Vec<TransactionId> = submit(&first, &deposits).await;
    let mut files = Vec::new();
    for id in &ids {
        files.push(proven(&city, &first, *id).await);
    }
    let before = first.status().height.unwrap();
    drop(first);
    nodes[0].take().unwrap().stop().unwrap();

    // Then it archives, until all from before has gone from its own store.
    nodes[0] = Some(start(&city, 0, Some(&cold)));
    let first = running(nodes[0].as_ref().unwrap()).await;
    until("the archive", || archived(&first) > before).await;
    for (id, file) in ids.iter().zip(&files) {
        assert_eq!(proven(&city, &first, *id).await, *file);
    }
    drop(first);
    nodes[0].take().unwrap().stop().unwrap();
    assert!(!city.path(0).join("chain/zhulian-blocks-ordinal").exists(), "the store from before is gone");

    // The files prove themselves, and without a node: each receipt from the files alone, byte for byte the one that the node gave.
    let mut directory = Directory::open(&cold).unwrap();
    let mut proven_to = 0;
    archive::check(&mut directory, &city.genesis.network(), |_, checked| proven_to = checked.unwrap().last);
    assert!(proven_to > before);
    for (id, file) in ids.iter().zip(&files) {
        let made = archive::receipt(&mut directory, &id.0).unwrap().unwrap();
        assert_eq!(made, *file);
        assert_eq!(verify_receipt(&city.genesis.network(), &made.encode()).unwrap().transaction, *id);
        // By its evidence number, too.
        assert_eq!(archive::receipt(&mut directory, &id.0[..16]).unwrap().unwrap(), made);
    }

    // The audit goes over the whole chain, with the archive and not without.
    let found = examine(&city, Some(&cold));
    assert_eq!(found.faults.kept, []);
    assert_eq!((found.chain.transactions, found.executed), (20, found.chain.blocks));
    assert!(found.chain.blocks > before + RETENTION);
    let found = examine(&city, None);
    assert_eq!((found.faults.kept[0].what, found.faults.kept[0].height), (What::BlockMissing, Some(1)));

    // The index is built again from the archive and the node's own store.
    remove_index(&city.path(0)).unwrap();
    nodes[0] = Some(start(&city, 0, Some(&cold)));
    let first = running(nodes[0].as_ref().unwrap()).await;
    until("the index", || first.status().transactions == 20).await;
    assert_eq!(proven(&city, &first, ids[3]).await, files[3]);
    drop(first);
    nodes[0].take().unwrap().stop().unwrap();

    // Not mounted: a clear refusal, and a word in the status.
    std::fs::rename(&cold, cold.with_extension("away")).unwrap();
    nodes[0] = Some(start(&city, 0, Some(&cold)));
    let first = running(nodes[0].as_ref().unwrap()).await;
    let place = first.transaction(ids[0]).await;
    assert!(matches!(place, Err(BackendError::Archived(_))), "{place:?}");
    assert_eq!(first.finality(1).await.unwrap_err(), BackendError::Archived(1));
    until("the problem", || first.status().archive.is_some_and(|archive| archive.problem.is_some())).await;
    drop(first);
    nodes[0].take().unwrap().stop().unwrap();

    // An index that is built anew meanwhile waits for the archive, and has no hole then.
    remove_index(&city.path(0)).unwrap();
    nodes[0] = Some(start(&city, 0, Some(&cold)));
    let first = running(nodes[0].as_ref().unwrap()).await;
    until("a problem", || first.status().archive.is_some_and(|archive| archive.problem.is_some())).await;
    assert_eq!((first.status().transactions, first.status().indexed_height), (0, 0));
    std::fs::rename(cold.with_extension("away"), &cold).unwrap();
    until("the index, late", || first.status().transactions == 20).await;
}
