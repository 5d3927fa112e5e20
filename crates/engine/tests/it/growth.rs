//! A node's own disk under a constant load: with a retention it does not grow with history.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path, sync::Arc, time::Duration};

use commonware_utils::{NZU64, NZUsize};
use futures::executor::block_on;
use zhulian_engine::{
    Cold, Engine, Storage,
    cold::{Directory, check},
};

use crate::{
    toy::{Node, Toy, key, put},
    world::{config, network, secrets},
};

/// Records that live at a time; each is replaced by another.
const LIVE: u64 = 100;
const PER_BLOCK: u64 = 4;
const RETENTION: u64 = 64;

/// Bytes that the files under a directory take on disk.
fn disk(directory: &Path) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(directory).unwrap().flatten() {
        // A file may go while it is looked at.
        let Ok(metadata) = entry.metadata() else { continue };
        bytes += if metadata.is_dir() { disk(&entry.path()) } else { metadata.blocks() * 512 };
    }
    bytes
}

struct Life {
    engine: Engine,
    node: Arc<Node>,
    next: u64,
}

impl Life {
    fn start(directory: &Path, cold: Option<&Path>) -> Self {
        let mut config = config(&secrets(1), 0);
        config.directory = directory.into();
        config.listen = "127.0.0.1:0".parse().unwrap();
        config.threads = 2;
        config.pace.block_interval = Duration::from_millis(1);
        config.storage = Storage {
            page_cache_bytes: 1 << 20,
            retained_blocks: 16,
            prune_every_blocks: NZUsize!(16),
            log_bytes: 32 << 10,
            section_blocks: NZU64!(16),
            state_file_operations: NZU64!(256),
        };
        config.cold = cold.map(|path| Cold { segment_blocks: 32, ..Cold::new(path.into(), RETENTION) });
        let node = Arc::new(Node::default());
        let (engine, _) = Engine::start(config, Arc::new(Toy::default()), node.clone(), node.clone()).unwrap();
        Self { engine, node, next: 0 }
    }

    /// 400 bytes that do not compress.
    fn value(&self) -> Vec<u8> {
        (0..13).flat_map(|part| key(self.next * 16 + part)).take(400).collect()
    }

    /// The same load until a height: as many records come as go.
    fn to(&mut self, height: u64) {
        let handle = self.engine.handle();
        while handle.tip().is_none_or(|tip| tip.header.height < height) {
            for _ in 0..PER_BLOCK {
                self.node.submit(put(key(self.next), &self.value()));
                if let Some(old) = self.next.checked_sub(LIVE) {
                    self.node.submit(put(key(old), b"delete"));
                }
                self.next += 1;
            }
            handle.wake();
            while self.node.waiting() > 0 {
                assert!(!self.engine.is_finished());
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

#[test]
fn the_disk_of_a_node_with_a_retention_does_not_grow() {
    let place = tempfile::tempdir().unwrap();
    let (kept, bounded, cold) = (place.path().join("kept"), place.path().join("bounded"), place.path().join("cold"));
    let mut grown = Vec::new();
    for (directory, cold) in [(&kept, None), (&bounded, Some(&*cold))] {
        let mut life = Life::start(directory, cold);
        let mut peaks = Vec::new();
        for round in 0..4u64 {
            let mut peak = 0;
            for step in 1..=5 {
                life.to(round * 75 + step * 15);
                peak = peak.max(disk(directory));
            }
            peaks.push(peak);
        }
        eprintln!("{}: {peaks:?}", directory.display());
        grown.push((peaks[1] as i64, peaks[3] as i64 - peaks[1] as i64));
        let handle = life.engine.handle();
        let first = block_on(handle.block(1)).unwrap();
        assert_eq!(first.header.height, 1);
        life.engine.stop().unwrap();
    }
    let [(_, kept), (base, bounded)] = grown[..] else { unreachable!() };
    assert!(bounded * 4 < kept, "150 blocks take {bounded} bytes with a retention, {kept} without");
    assert!(bounded * 4 < base, "{bounded} more than {base} bytes");
    let mut blocks = 0;
    check(&mut Directory::open(&cold).unwrap(), &network(&secrets(1)), |_, checked| {
        let checked = checked.unwrap();
        blocks += checked.last - checked.first + 1;
    });
    assert!(blocks > 300 - RETENTION - 100, "{blocks} blocks are archived");
}
