//! A stopped node's record is found whole, and every falsification of it is found.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use zhulian_gateway::{Backend as _, Phase};
use zhulian_node::{
    Node,
    audit::{Kind, Subject, What, audit, copy_record, inject},
    index::{BlockRows, Holders, Store, genesis_keys, rows},
};
use zhulian_primitives::{Block, Network};

use crate::city::City;

const LONG: Duration = Duration::from_secs(60);
/// The fewest that an epoch may have, so that a second one begins soon.
const EPOCH_BLOCKS: u64 = 10;

/// Runs a city until some blocks hold deposits and there are so many, and stops it; with the blocks that the first node had by then.
async fn lived(city: City, least: u64) -> (City, Vec<Arc<Block>>) {
    let nodes: Vec<Node> = (0..4).map(|n| city.start(n, n == 0)).collect();
    let first = nodes[0].backend();
    let ready = async {
        while first.status().phase != Phase::Running || first.status().height.is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, ready).await.expect("the node runs in time");
    for round in 0..6_u64 {
        let signed = (0..10).map(|n| Bytes::from(city.deposit(n as usize % 3, round * 10 + n, 500)));
        let taken = first.submit(signed.collect()).await.unwrap();
        let last = match taken.last() {
            Some(zhulian_gateway::Submission::Taken(id)) => *id,
            other => panic!("{other:?}"),
        };
        first.wait(last, LONG).await.unwrap();
    }
    let indexed = async {
        while first.status().transactions < 60 || first.status().height < Some(least) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, indexed).await.expect("the index catches up");
    let mut blocks = Vec::new();
    for height in 1..=first.status().height.unwrap() {
        blocks.push(first.block(height).await.unwrap().unwrap());
    }
    drop(first);
    for node in nodes {
        // The engine's library may panic when it is stopped in the middle of a vote. What is on the disk must be whole all the same.
        if let Err(error) = node.stop() {
            eprintln!("{error}");
        }
    }
    (city, blocks)
}

fn copied(city: &City, node: usize, to: &Path) {
    copy_record(&city.path(node), to).unwrap();
}

/// What the audit must say of a falsification, among other things.
fn must(kind: Kind) -> Option<What> {
    Some(match kind {
        Kind::BlockGone => What::BlockMissing,
        Kind::ReceiptsSwapped => What::Block,
        Kind::ReceiptForged => What::Receipt,
        Kind::TransactionForged => What::Transaction,
        // Its certificate is of another block, whatever was made to fit.
        Kind::TransactionGone | Kind::HeaderForged | Kind::HistoryRewritten => What::Certificate,
        Kind::CertificateBit | Kind::CertificateSwapped => What::Certificate,
        Kind::CertificateGone => What::Uncertified,
        Kind::StateValue => What::StateEntry,
        Kind::StateEntryGone | Kind::StateEntryAdded => What::State,
        Kind::IndexValue | Kind::IndexRowGone => What::IndexRow,
        Kind::Bit | Kind::Cut | Kind::FileGone => return None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_record_is_whole_and_every_falsification_is_found() {
    let (city, blocks) = lived(City::new(), 1).await;
    let network = city.genesis.network();
    let subject = Subject { genesis: &city.genesis, network: &network, archive: None, range: (None, None) };
    let scratch = tempfile::tempdir().unwrap();

    for node in [0, 2] {
        let copy = scratch.path().join(format!("whole-{node}"));
        copied(&city, node, &copy);
        let mut last = 0;
        let found = audit(&copy, subject, |height, _| last = height);
        assert_eq!(found.faults.kept, []);
        assert_eq!((found.chain.transactions, found.chain.deposits, found.chain.pieces), (60, 60, 60));
        assert_eq!((found.executed, found.chain.blocks), (last, last));
        assert_eq!(found.range, found.chain);
        assert!(found.certificates > 0 && found.state.is_some());
        assert_eq!(found.index.is_some(), node == 0);

        // Half the time, half the record; together the whole.
        let middle = found.chain.first.unwrap().time.midpoint(found.chain.last.unwrap().time);
        let half = |range| {
            let copy = scratch.path().join("half");
            copied(&city, node, &copy);
            let half = audit(&copy, Subject { range, ..subject }, |_, _| {}).range;
            std::fs::remove_dir_all(copy).unwrap();
            half
        };
        let (before, after) = (half((None, Some(middle))), half((Some(middle), None)));
        assert_eq!(before.blocks + after.blocks, found.chain.blocks);
        assert_eq!(before.deposits + after.deposits, 60);
        assert_eq!((before.first, after.last), (found.chain.first, found.chain.last));
        assert_eq!(before.last.unwrap().height + 1, after.first.unwrap().height);
    }

    // An index that was built rightly, but not from the first block on, or not to the last one: the former hides what was before.
    let keys = genesis_keys(&city.genesis.events());
    let mut holders: Holders = keys.iter().cloned().collect();
    let all: Vec<BlockRows> = blocks.iter().map(|block| rows(block, &mut holders)).collect();
    for part in [&all[1..], &all[..3], &[]] {
        let copy = scratch.path().join("part");
        copied(&city, 0, &copy);
        let index = copy.join("index");
        Store::remove(&index).unwrap();
        let mut store = Store::open(&index, &city.genesis.chain_id()).unwrap();
        store.genesis(&keys).unwrap();
        store.write(part).unwrap();
        drop(store);
        let found = audit(&copy, subject, |_, _| {});
        let (first, last) = (part.first().map(|it| it.height), part.last().map_or(0, |it| it.height));
        let told: Vec<_> = found.faults.kept.iter().map(|fault| (fault.what, fault.height)).collect();
        match first {
            Some(2) => assert_eq!(told, [(What::Index, Some(2))]),
            _ => assert_eq!(found.faults.kept, []),
        }
        assert_eq!(found.index.unwrap().1, last);
        assert_eq!(found.index_lacks, found.chain.last.unwrap().height - last);
        std::fs::remove_dir_all(copy).unwrap();
    }

    // Whoever trusts another network is told.
    let other = Network { chain: [1; 32], ..network.clone() };
    let copy = scratch.path().join("other");
    copied(&city, 0, &copy);
    let found = audit(&copy, Subject { network: &other, ..subject }, |_, _| {});
    assert_eq!(found.faults.kept[0].what, What::Identity);

    let record = scratch.path().join("record");
    copied(&city, 0, &record);
    let count = Kind::ALL.len() as u64 * 2;
    let (mut kinds, mut missed, mut idle, mut total) = (BTreeSet::new(), Vec::new(), Vec::new(), 0);
    let check = |copy: &Path| Ok(audit(copy, subject, |_, _| {}));
    inject(&record, scratch.path(), subject, (count, 7), check, |injection| {
        total += 1;
        kinds.insert(injection.kind);
        let what = injection.findings.as_ref().map(|found| found.faults.kept.first().cloned());
        eprintln!("{:?} {}: {what:?}", injection.kind, injection.place);
        if let Some(wanted) = must(injection.kind) {
            let found = injection.findings.as_ref().unwrap();
            let told = found.faults.kept.iter().any(|fault| fault.what == wanted);
            assert!(told, "{:?} {}: {:?}", injection.kind, injection.place, found.faults.kept);
        }
        if injection.without_effect {
            // Only blind changes of files may fall on bytes that nobody reads.
            assert!(matches!(injection.kind, Kind::Bit | Kind::Cut | Kind::FileGone));
            idle.push(injection.place.clone());
        } else if !injection.is_found() {
            missed.push((injection.kind, injection.place.clone()));
        }
    })
    .unwrap();
    assert_eq!((total, kinds.len()), (count, Kind::ALL.len()));
    assert_eq!(missed, []);
    eprintln!("without effect: {idle:?}");
    assert!(idle.len() <= 4, "{idle:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_identity_is_one_of_the_same_chain_and_its_validators_are_compared() {
    let (city, _) = lived(City::founded(EPOCH_BLOCKS, 4), EPOCH_BLOCKS + 2).await;
    let scratch = tempfile::tempdir().unwrap();
    let found = |network: &Network| {
        let copy = scratch.path().join("copy");
        copied(&city, 0, &copy);
        let found = audit(&copy, Subject { genesis: &city.genesis, network, archive: None, range: (None, None) }, |_, _| {});
        std::fs::remove_dir_all(copy).unwrap();
        found
    };
    let founding = city.genesis.network();
    let later = Network { epoch: 1, ..founding.clone() };
    let whole = found(&later);
    assert_eq!(whole.faults.kept, []);
    assert!(whole.chain.last.unwrap().height >= EPOCH_BLOCKS, "the epoch begins within the record");

    // An identity of an epoch to which the record does not come proves nothing of it.
    let faults = found(&Network { epoch: 1_000, ..founding.clone() }).faults.kept;
    assert_eq!(faults.iter().map(|it| (it.height, it.what)).collect::<Vec<_>>(), [(None, What::Identity)]);
    assert!(faults[0].expected.contains("epoch 1000"), "{}", faults[0].expected);

    // Others than those of then are told, with what tells them apart.
    for (epoch, height) in [(0, None), (1, Some(EPOCH_BLOCKS - 1))] {
        let mut other = Network { epoch, ..founding.clone() };
        other.validators.pop();
        let faults = found(&other).faults.kept;
        assert_eq!(faults.iter().map(|it| (it.height, it.what)).collect::<Vec<_>>(), [(height, What::Identity)]);
        assert!(
            faults[0].expected.contains(&format!("validators of epoch {epoch}")) && faults[0].expected != faults[0].found
        );
    }
}
