//! A flipped byte anywhere in a node's store is noticed and never served.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures::executor::block_on;
use zhulian_engine::{Engine, Error, Handle, Phase, verify_state_proof};
use zhulian_primitives::Block;

use crate::{
    toy::{Node, Toy, key, put},
    world::{config, secrets},
};

const KEYS: u64 = 60;

fn start(directory: &Path) -> Option<(Engine, Arc<Node>)> {
    let mut config = config(&secrets(1), 0);
    config.directory = directory.to_path_buf();
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.threads = 2;
    config.pace.heartbeat = Duration::from_millis(100);
    let node = Arc::new(Node::default());
    let (engine, _) = Engine::start(config, Arc::new(Toy::default()), node.clone(), node.clone()).ok()?;
    Some((engine, node))
}

/// Waits until the node runs; false when it stopped instead.
fn runs(engine: &Engine) -> bool {
    for _ in 0..400 {
        if engine.is_finished() {
            return false;
        }
        match block_on(engine.handle().status()) {
            Ok(status) if status.phase == Phase::Running => return true,
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    false
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        if entry.path().is_dir() {
            all.extend(files(&entry.path()));
        } else if entry.metadata().unwrap().len() > 0 {
            all.push(entry.path());
        }
    }
    all.sort();
    all
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What the node answers must be right or an error. Returns how many errors there were.
fn nothing_wrong(handle: &Handle, blocks: &BTreeMap<u64, Arc<Block>>, file: &str) -> usize {
    let mut errors = 0;
    for (height, block) in blocks {
        match block_on(handle.block(*height)) {
            Ok(served) => assert_eq!(&served, block, "block {height} with {file} damaged"),
            Err(_) => errors += 1,
        }
        match block_on(handle.certificate_for(*height)) {
            Ok(finality) => assert_eq!(finality.headers[0], block.header, "header {height} with {file} damaged"),
            Err(_) => errors += 1,
        }
    }
    for n in 0..KEYS {
        let value = format!("value {n}").into_bytes();
        match block_on(handle.get(vec![key(n)])) {
            Ok((_, values)) => assert_eq!(values, [Some(value.clone())], "key {n} with {file} damaged"),
            Err(_) => errors += 1,
        }
        match block_on(handle.prove(key(n))) {
            Ok(proved) => {
                assert_eq!(proved.value, Some(value), "key {n} with {file} damaged");
                assert!(verify_state_proof(&proved.header.state_root, &key(n), proved.value.as_deref(), &proved.proof));
            }
            Err(_) => errors += 1,
        }
    }
    errors
}

#[test]
fn a_flipped_byte_in_any_file_is_noticed_and_never_served() {
    let home = tempfile::tempdir().unwrap();
    let intact = home.path().join("intact");
    let (engine, node) = start(&intact).unwrap();
    assert!(runs(&engine));
    let handle = engine.handle();
    for n in 0..KEYS {
        node.submit(put(key(n), format!("value {n}").as_bytes()));
        handle.wake();
        std::thread::sleep(Duration::from_millis(3));
    }
    while node.waiting() > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let height = handle.tip().unwrap().header.height;
    block_on(handle.reached(height + 3)).unwrap();
    let blocks: BTreeMap<u64, Arc<Block>> = (1..=height).map(|at| (at, block_on(handle.block(at)).unwrap())).collect();
    assert_eq!(nothing_wrong(&handle, &blocks, "nothing"), 0);
    engine.stop().unwrap();

    // How many keys are held while the state is opened depends on the names of the first, and the second is read ahead.
    for file in ["zhulian-state-log_data/0000000000000000", "zhulian-state-nodes-blobs/0000000000000000"] {
        assert!(files(&intact).iter().any(|path| path.ends_with(file)));
    }

    let mut noticed = BTreeMap::new();
    for (turn, file) in files(&intact).into_iter().enumerate() {
        let name = file.strip_prefix(&intact).unwrap().to_string_lossy().into_owned();
        let len = fs::metadata(&file).unwrap().len() as usize;
        // What is served is tried in more places than what only this node reads.
        let served = ["blocks-", "state-log_data", "state-nodes-blobs"].iter().any(|part| name.contains(part));
        let places = if served { vec![len / 11, len / 5, len / 2] } else { vec![len * (1 + turn % 3) / 7] };
        for at in places {
            let damaged = home.path().join("damaged");
            copy(&intact, &damaged);
            let path = damaged.join(&name);
            let mut bytes = fs::read(&path).unwrap();
            bytes[at] ^= 0x10;
            fs::write(&path, bytes).unwrap();

            let outcome = match start(&damaged) {
                None => "stopped".to_string(),
                Some((engine, _)) if !runs(&engine) => {
                    drop(engine);
                    "stopped".to_string()
                }
                Some((engine, _)) => {
                    let handle = engine.handle();
                    let errors = nothing_wrong(&handle, &blocks, &name);
                    let damage = block_on(handle.status()).map(|status| status.damage).unwrap_or_default();
                    let _ = engine.stop();
                    format!("{errors} errors, {} damaged records", damage.len())
                }
            };
            noticed.insert((name.clone(), at), outcome);
            fs::remove_dir_all(&damaged).unwrap();
        }
    }
    for ((file, at), outcome) in &noticed {
        println!("{file} byte {at}: {outcome}");
    }
    // A byte may lie where a file holds nothing yet; but some flip in each file that holds what is served was noticed.
    for part in ["blocks-value", "state-log_data", "state-nodes-blobs"] {
        let mut outcomes = noticed.iter().filter(|((file, _), _)| file.contains(part)).map(|(_, outcome)| outcome);
        assert!(outcomes.any(|outcome| outcome != "0 errors, 0 damaged records"), "{part}: {noticed:?}");
    }
}

#[test]
fn a_block_that_rots_while_the_node_runs_is_never_served_and_the_node_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let (engine, node) = start(home.path()).unwrap();
    assert!(runs(&engine));
    let handle = engine.handle();
    for n in 0..150 {
        node.submit(put(key(n), &[n as u8; 200]));
        handle.wake();
        std::thread::sleep(Duration::from_millis(8));
    }
    // The last blocks are in memory; this goes well past them.
    block_on(handle.reached(120)).unwrap();
    let intact = block_on(handle.block(10)).unwrap();
    let intact_blocks: Vec<_> = (1..50).map(|height| block_on(handle.block(height)).unwrap()).collect();
    let transaction = &intact.transactions.first().expect("every block of this run has one")[32..52];
    let file = files(home.path()).into_iter().find(|file| file.to_string_lossy().contains("blocks-value")).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    // Uncompressed or not, some byte of the file's first tenth belongs to a block below 64.
    let at = bytes.windows(4).position(|window| window == &transaction[..4]).unwrap_or(bytes.len() / 20);
    bytes[at] ^= 1;
    use std::os::unix::fs::FileExt as _;
    fs::OpenOptions::new().write(true).open(&file).unwrap().write_all_at(&bytes[at..=at], at as u64).unwrap();

    // Whatever the disk gives, a damaged block is never served: either memory still holds the true one, or it is refused by name.
    for (height, intact) in (1..50).zip(&intact_blocks) {
        match block_on(handle.block(height)) {
            Ok(block) => assert_eq!(&block, intact, "block {height}"),
            Err(Error::Corrupt(_)) => {
                let damage = block_on(handle.status()).unwrap().damage;
                assert!(damage.contains(&format!("block {height}")), "{damage:?}");
                assert!(matches!(block_on(handle.certificate_for(height)), Err(Error::Corrupt(_))));
            }
            Err(error) => panic!("block {height}: {error}"),
        }
    }

    let height = handle.tip().unwrap().header.height;
    node.submit(put(key(1_000), b"after"));
    handle.wake();
    block_on(handle.reached(height + 2)).unwrap();
    engine.stop().unwrap();
}
