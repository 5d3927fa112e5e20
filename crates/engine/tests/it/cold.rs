//! Old blocks in the cold archive: written, proven, dropped, and still served.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use commonware_runtime::{Clock as _, Runner as _, deterministic};
use zhulian_engine::{
    Cold, Config, Error, StateSync,
    cold::{Directory, check},
};

use crate::{
    toy::{key, put},
    world::{GOOD, World, network},
};

const RETENTION: u64 = 8;
const SEGMENT: u64 = 4;

fn archived(to: &Path) -> impl FnOnce(&mut Config) {
    let cold = Cold { segment_blocks: SEGMENT, ..Cold::new(to.into(), RETENTION) };
    move |config| config.cold = Some(cold)
}

/// Transactions for at least so many blocks.
async fn fill(world: &World, keys: std::ops::Range<u64>) {
    for n in keys {
        world.submit(&put(key(n), b"value"));
        if n % 2 == 0 {
            world.drained().await;
        }
    }
    world.drained().await;
}

async fn height(world: &World, index: usize) -> u64 {
    world.nodes[&index].handle.tip().map_or(0, |tip| tip.header.height)
}

async fn archived_to(world: &World, index: usize) -> u64 {
    world.nodes[&index].handle.status().await.unwrap().archive.map_or(0, |archive| archive.archived)
}

/// Waits until a node has archived all that its retention lets it, and gives up to where.
async fn settled(world: &World, index: usize) -> u64 {
    for _ in 0..400 {
        let (to, tip) = (archived_to(world, index).await, height(world, index).await);
        if to + RETENTION + 2 * SEGMENT + 2 >= tip {
            return to;
        }
        world.context.sleep(Duration::from_millis(50)).await;
    }
    let status = world.nodes[&index].handle.status().await.unwrap();
    panic!("node {index} does not archive: {:?} at {:?}", status.archive, status.height);
}

/// Blocks of one node, of every age, with a proof that holds, as another has them.
async fn serves_all(world: &World, index: usize, like: usize) {
    let network = network(&world.secrets);
    for at in (1..=height(world, index).await.min(height(world, like).await)).step_by(3) {
        let handle = &world.nodes[&index].handle;
        let block = handle.block(at).await.unwrap_or_else(|error| panic!("block {at}: {error}"));
        assert_eq!(block, world.nodes[&like].handle.block(at).await.unwrap());
        let finality = handle.certificate_for(at).await.unwrap();
        assert_eq!(finality.headers[0], block.header);
        let near = world.nodes[&like].handle.certificate_for(at).await.unwrap().headers.len();
        assert!(finality.headers.len() <= near + SEGMENT as usize, "{} headers to a certificate", finality.headers.len());
        assert!(finality.certificate.finalises(finality.headers.last().unwrap()));
        finality.certificate.verify(&network).unwrap();
    }
}

/// The archive is whole by itself, from the first block to `to`.
fn is_whole(world: &World, directory: &Path, to: u64) {
    let mut directory = Directory::open(directory).unwrap();
    let (mut next, mut segments) = (1, 0);
    check(&mut directory, &network(&world.secrets), |span, checked| {
        let checked = checked.unwrap_or_else(|fault| panic!("{span:?}: {fault}"));
        assert_eq!((checked.first, checked.last), (span.first, span.last));
        assert_eq!(checked.first, next);
        (next, segments) = (checked.last + 1, segments + 1);
    });
    assert!(next > to && segments > 1, "{segments} segments to {next}");
}

#[test]
fn old_blocks_move_to_the_archive_and_are_served_as_before() {
    let place = tempfile::tempdir().unwrap();
    let cold = place.path().join("cold");
    deterministic::Runner::seeded(11).start(|context| async move {
        let mut world = World::new(&context, 4, GOOD).await;
        world.start(0, "node0", archived(&cold)).await;
        for index in 1..4 {
            world.start(index, &format!("node{index}"), |_| ()).await;
        }
        fill(&world, 0..50).await;
        let to = settled(&world, 0).await;
        assert!(to >= 2 * SEGMENT, "archived to {to} of {}", height(&world, 0).await);
        is_whole(&world, &cold, to);
        serves_all(&world, 0, 1).await;

        // After a restart, too; the archive goes on where it ended.
        world.kill(0).await;
        world.start(0, "node0", archived(&cold)).await;
        world.reach(height(&world, 1).await).await;
        serves_all(&world, 0, 1).await;
        fill(&world, 50..66).await;
        let later = settled(&world, 0).await;
        assert!(later > to);
        is_whole(&world, &cold, later);
        serves_all(&world, 0, 1).await;

        // Not mounted: the node goes on, says which blocks it lacks, drops nothing more, and writes nothing into the empty place.
        world.kill(0).await;
        let away = place.path().join("away");
        std::fs::rename(&cold, &away).unwrap();
        std::fs::create_dir(&cold).unwrap();
        world.start(0, "node0", archived(&cold)).await;
        world.reach(height(&world, 1).await).await;
        let handle = world.nodes[&0].handle.clone();
        let later = archived_to(&world, 0).await;
        assert_eq!(handle.block(1).await, Err(Error::Archived(1)));
        assert_eq!(handle.certificate_for(1).await, Err(Error::Archived(1)));
        assert!(handle.block(later + 1).await.is_ok());
        fill(&world, 66..86).await;
        assert_eq!(archived_to(&world, 0).await, later);
        let problem = handle.status().await.unwrap().archive.unwrap().problem;
        assert!(problem.unwrap().contains("mount the archive"));
        assert_eq!(Directory::open(&cold).unwrap().spans(), []);

        // Mounted again: as if nothing had been.
        std::fs::remove_dir_all(&cold).unwrap();
        std::fs::rename(&away, &cold).unwrap();
        serves_all(&world, 0, 1).await;
        let last = settled(&world, 0).await;
        assert!(last > later);
        is_whole(&world, &cold, last);
        assert_eq!(handle.status().await.unwrap().archive.unwrap().problem, None);
        world.agree();

        // A byte that turned on the disk: what it is part of is not served, with a word that says why, and all else is.
        let spans = Directory::open(&cold).unwrap().spans().to_vec();
        let path = cold.join(spans[0].file_name());
        let whole = std::fs::read(&path).unwrap();
        let mut turned = whole.clone();
        turned[100] ^= 1;
        std::fs::write(&path, turned).unwrap();
        assert!(handle.block(spans[1].first).await.is_ok());
        assert!(matches!(handle.block(1).await, Err(Error::Corrupt(_))));
        assert!(matches!(handle.certificate_for(1).await, Err(Error::Corrupt(_))));
        assert_eq!(handle.status().await.unwrap().damage, ["block 1"]);
        std::fs::write(&path, whole).unwrap();
        serves_all(&world, 0, 1).await;
    });
}

#[test]
fn a_node_that_kept_everything_begins_to_archive_and_loses_nothing() {
    let place = tempfile::tempdir().unwrap();
    let cold = place.path().join("cold");
    deterministic::Runner::seeded(12).start(|context| async move {
        let mut world = World::running(&context, 4, GOOD).await;
        fill(&world, 0..20).await;
        let before = height(&world, 0).await;
        world.kill(0).await;
        world.start(0, "node0", archived(&cold)).await;
        fill(&world, 20..74).await;
        let to = settled(&world, 0).await;
        assert!(to > before, "all from before is archived: {to} of {before}");
        is_whole(&world, &cold, to);
        serves_all(&world, 0, 1).await;
        // It can be configured away; what was archived stays where it is.
        world.kill(0).await;
        world.start(0, "node0", |_| ()).await;
        fill(&world, 74..80).await;
        let to = archived_to(&world, 0).await;
        assert_eq!(world.nodes[&0].handle.block(1).await, Err(Error::Archived(1)));
        assert!(world.nodes[&0].handle.block(to + 1).await.is_ok());
        world.kill(0).await;
        world.start(0, "node0", archived(&cold)).await;
        fill(&world, 80..86).await;
        serves_all(&world, 0, 1).await;
    });
}

#[test]
fn whenever_all_nodes_crash_every_block_is_somewhere() {
    let place = tempfile::tempdir().unwrap();
    let colds: Vec<_> = (0..4).map(|n| place.path().join(n.to_string())).collect();
    let mut checkpoint = None;
    let mut known: BTreeMap<u64, [u8; 32]> = BTreeMap::new();
    let mut archived = 0;
    let mut stages = BTreeSet::new();
    for round in 0..10u64 {
        let colds = colds.clone();
        let runner = checkpoint.map_or_else(|| deterministic::Runner::seeded(13), deterministic::Runner::from);
        let before = std::mem::take(&mut known);
        let ((seen, to, at), next) = runner.start_and_recover(move |context| async move {
            let mut world = World::new(&context, 4, GOOD).await;
            for (index, cold) in colds.iter().enumerate() {
                // The steps of the archiver are so far apart that the crash comes between any two of them.
                let cold =
                    Cold { segment_blocks: SEGMENT, pause: Duration::from_millis(40), ..Cold::new(cold.clone(), RETENTION) };
                world.start(index, &format!("node{index}"), |config| config.cold = Some(cold)).await;
            }
            if let Some(last) = before.keys().next_back() {
                world.reach(*last).await;
            }
            for index in 0..4 {
                // In turns: every one of some block, and all of them in four rounds.
                for (at, digest) in before.iter().filter(|(at, _)| (*at + round + index as u64).is_multiple_of(4)) {
                    let block = world.nodes[&index].handle.block(*at).await;
                    let block = block.unwrap_or_else(|error| panic!("round {round}, node {index}, block {at}: {error}"));
                    assert_eq!(block.header.digest(), *digest);
                }
            }
            fill(&world, round * 100..round * 100 + 8).await;
            // The crash comes a little after the first node got to where it is wanted.
            let wanted = ["written", "in place", "let go"][round as usize % 3];
            for _ in 0..500 {
                if stage(&colds[0], archived_to(&world, 0).await) == wanted {
                    break;
                }
                context.sleep(Duration::from_millis(10)).await;
            }
            context.sleep(Duration::from_millis(7 * (round % 4))).await;
            let mut all = before;
            let last = height(&world, 0).await;
            for at in all.len() as u64 + 1..=last {
                all.insert(at, world.nodes[&0].handle.block(at).await.unwrap().header.digest());
            }
            let mut stages = Vec::new();
            for (index, cold) in colds.iter().enumerate() {
                stages.push(stage(cold, archived_to(&world, index).await));
            }
            (all, archived_to(&world, 0).await, stages)
        });
        assert!(to >= archived);
        stages.extend(at);
        (known, archived, checkpoint) = (seen, to, Some(next));
    }
    assert!(archived > 3 * SEGMENT, "archived to {archived}");
    assert!(stages.is_superset(&["written", "in place"].into()), "crashes came only while segments were {stages:?}");
}

/// How far the newest segment is, of a node that has let go of what is up to `archived`. All segments follow each other.
fn stage(directory: &Path, archived: u64) -> &'static str {
    let spans = Directory::open(directory).unwrap().spans().to_vec();
    assert!(spans.first().is_none_or(|span| span.first == 1));
    assert!(spans.windows(2).all(|pair| pair[0].last + 1 == pair[1].first), "{spans:?}");
    let is_part = |name: &std::ffi::OsStr| Path::new(name).extension().is_some_and(|it| it == "part");
    match spans.last() {
        Some(span) if span.last > archived => "in place",
        _ if std::fs::read_dir(directory).unwrap().any(|entry| is_part(&entry.unwrap().file_name())) => "written",
        _ => "let go",
    }
}

#[test]
fn a_peer_that_was_away_gets_what_others_dropped_from_who_has_it() {
    let place = tempfile::tempdir().unwrap();
    let colds: Vec<_> = (0..4).map(|n| place.path().join(n.to_string())).collect();
    deterministic::Runner::seeded(14).start(|context| async move {
        let mut world = World::new(&context, 4, GOOD).await;
        // Nodes 0 and 1 drop old blocks, node 2 keeps them.
        for (index, cold) in colds.iter().enumerate().take(2) {
            world.start(index, &format!("node{index}"), archived(cold)).await;
        }
        for index in 2..4 {
            world.start(index, &format!("node{index}"), |_| ()).await;
        }
        fill(&world, 0..10).await;
        let left = height(&world, 3).await;
        world.kill(3).await;
        fill(&world, 10..64).await;
        for index in 0..2 {
            assert!(settled(&world, index).await > left + SEGMENT);
        }
        world.start(3, "node3", |_| ()).await;
        let now = height(&world, 0).await;
        world.reach(now).await;
        serves_all(&world, 3, 2).await;

        // Now nobody has the old blocks in its own store.
        let left = height(&world, 3).await;
        world.kill(3).await;
        world.kill(2).await;
        world.start(2, "node2", archived(&colds[2])).await;
        fill(&world, 64..118).await;
        for index in 0..3 {
            assert!(settled(&world, index).await > left + SEGMENT);
        }
        // A node with an empty directory takes the others' state, and the blocks before from their archives; it archives them, too.
        let policy = StateSync::WhenEmpty { wait: Duration::from_secs(3), views_min: 10 };
        let cold = Cold { segment_blocks: SEGMENT, ..Cold::new(colds[3].clone(), RETENTION) };
        world.start(3, "empty", |config| (config.state_sync, config.cold) = (policy, Some(cold))).await;
        let now = height(&world, 0).await;
        world.reach(now).await;
        let to = settled(&world, 3).await;
        is_whole(&world, &colds[3], to);
        serves_all(&world, 3, 0).await;
        // Once more from its directory: it asks nobody for what it has archived.
        world.kill(3).await;
        let cold = Cold { segment_blocks: SEGMENT, ..Cold::new(colds[3].clone(), RETENTION) };
        world.start(3, "empty", |config| (config.state_sync, config.cold) = (policy, Some(cold))).await;
        fill(&world, 118..124).await;
        serves_all(&world, 3, 0).await;
        world.agree();
    });
}

#[test]
fn a_node_that_is_further_behind_than_all_others_keep_must_be_wiped() {
    let place = tempfile::tempdir().unwrap();
    let colds: Vec<_> = (0..3).map(|n| place.path().join(n.to_string())).collect();
    deterministic::Runner::seeded(15).start(|context| async move {
        let mut world = World::new(&context, 4, GOOD).await;
        for (index, cold) in colds.iter().enumerate() {
            world.start(index, &format!("node{index}"), archived(cold)).await;
        }
        world.start(3, "node3", |_| ()).await;
        fill(&world, 0..10).await;
        world.kill(3).await;
        let left = height(&world, 0).await;
        fill(&world, 10..64).await;
        for index in 0..3 {
            assert!(settled(&world, index).await > left + SEGMENT);
        }
        world.start(3, "node3", |_| ()).await;
        context.sleep(Duration::from_secs(10)).await;
        let behind = height(&world, 3).await;
        assert!(behind < settled(&world, 0).await, "it reached {behind} without the blocks between");
        // The others go on meanwhile, and wiping helps.
        world.kill(3).await;
        let policy = StateSync::WhenEmpty { wait: Duration::from_secs(3), views_min: 10 };
        world.start(3, "empty", |config| config.state_sync = policy).await;
        let now = height(&world, 0).await;
        world.reach(now).await;
        world.agree();
    });
}
