//! Measures inserting into the authenticated state, ordered against unordered (docs/adr/0002-ordered-state.md).
//!
//! `cargo run --release -p zhulian-engine --example state -- ordered 1000000 2000 4 21`: the variant, keys in all, keys a batch, operations that
//! become inactive for each that is moved, and the binary logarithm of the keys held while it is opened.

use std::time::Instant;

use bytes::Bytes;
use commonware_codec::RangeCfg;
use commonware_cryptography::{Hasher as _, Sha256, sha256::Digest};
use commonware_parallel::Rayon;
use commonware_runtime::{Runner as _, Strategizer as _, Supervisor as _, buffer::paged::CacheRef, tokio};
use commonware_storage::{
    journal::contiguous::variable::Config as LogConfig,
    mmr::{self, full::Config as TreeConfig},
    qmdb::{
        current::{VariableConfig, ordered::variable::Db as Ordered, unordered::variable::Db as Unordered},
        floor::{Decision, Entry, Limits, Policy},
    },
    translator::EightCap,
};
use commonware_utils::{NZU16, NZU64, NZUsize};

struct Rising(usize);

impl<K, V> Policy<mmr::Family, K, V> for Rising {
    fn evicts(&self) -> bool {
        false
    }

    fn limits(&self, made_inactive: usize) -> Limits {
        Limits { entries: made_inactive / self.0 + 1, skips: u64::MAX }
    }

    fn decide<'a>(&mut self, entry: Entry<'a, mmr::Family, K, V>) -> Decision<'a, V> {
        entry.keep()
    }
}

fn config(strategy: Rayon, keys_held: usize) -> VariableConfig<EightCap, ((), RangeCfg<usize>), Rayon> {
    let page_cache = CacheRef::new(NZU16!(4_084), NZUsize!(16_384));
    VariableConfig {
        merkle_config: TreeConfig {
            journal_partition: "nodes".into(),
            metadata_partition: "pins".into(),
            items_per_blob: NZU64!(1 << 18),
            write_buffer: NZUsize!(1 << 20),
            replay_buffer: NZUsize!(1 << 20),
            strategy,
            page_cache: page_cache.clone(),
        },
        journal_config: LogConfig {
            partition: "log".into(),
            items_per_section: NZU64!(1 << 18),
            compression: None,
            codec_config: ((), RangeCfg::new(..=1 << 20)),
            page_cache,
            write_buffer: NZUsize!(1 << 20),
            replay_buffer: NZUsize!(1 << 20),
        },
        grafted_metadata_partition: "bitmap".into(),
        translator: EightCap,
        init_cache: Some(NZUsize!(keys_held)),
        init_buffer: NZUsize!(1 << 21),
        init_concurrency: (),
    }
}

fn memory_mb(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

macro_rules! measure {
    ($db:ident, $context:expr, $strategy:expr, $keys:expr, $batch:expr, $per_move:expr, $held:expr) => {{
        let context = $context;
        let mut db = $db::<mmr::Family, _, Digest, Bytes, Sha256, EightCap, 32, Rayon>::init(
            context.child("db"),
            config($strategy.clone(), $held),
            None,
        )
        .await
        .expect("opens");
        let (mut done, mut times) = (0u64, Vec::new());
        let value = Bytes::from(vec![5u8; 100]);
        let started = Instant::now();
        let mut last = Instant::now();
        while done < $keys {
            let begun = Instant::now();
            let mut batch = db.new_batch();
            for n in done..done + $batch {
                batch = batch.write(Sha256::hash(&[&n.to_be_bytes()]), Some(value.clone()));
            }
            let merkleized = batch.merkleize(&db, None, &mut Rising($per_move)).await.expect("hashes");
            db = db.apply_batch(merkleized).await.expect("applies");
            let (next, synced) = db.start_sync().await.expect("syncs");
            db = next;
            synced.await.expect("syncs");
            times.push(begun.elapsed());
            done += $batch;
            if done % 100_000 < $batch {
                println!("{done} keys, {:.1} us/key", last.elapsed().as_micros() as f64 / 100_000.0);
                last = Instant::now();
            }
        }
        let total = started.elapsed();
        times.sort();
        println!(
            "{} keys in {:.1} s = {:.1} us/key; batch of {} p50 {:?} p99 {:?}; {} operations in the log; resident {} MB, peak {} MB",
            done,
            total.as_secs_f64(),
            total.as_micros() as f64 / done as f64,
            $batch,
            times[times.len() / 2],
            times[times.len() * 99 / 100],
            *db.bounds().end,
            memory_mb("VmRSS"),
            memory_mb("VmHWM"),
        );
        let begun = Instant::now();
        let count = 10_000u64;
        for n in 0..count {
            db.get(&Sha256::hash(&[&(n * 97 % done).to_be_bytes()])).await.expect("reads");
        }
        println!("get {:.1} us", begun.elapsed().as_micros() as f64 / count as f64);
        let begun = Instant::now();
        let mut bytes = 0;
        for n in 0..1_000u64 {
            use commonware_codec::EncodeSize as _;
            bytes += db.key_value_proof(Sha256::hash(&[&(n * 97 % done).to_be_bytes()])).await.expect("proves").encode_size();
        }
        println!("proof of a value {:.1} us, {} bytes", begun.elapsed().as_micros() as f64 / 1_000.0, bytes / 1_000);
        drop(db);
        let begun = Instant::now();
        let db = $db::<mmr::Family, _, Digest, Bytes, Sha256, EightCap, 32, Rayon>::init(context.child("again"), config($strategy, $held), None)
            .await
            .expect("opens again");
        println!("opened again in {:.1} s, resident {} MB", begun.elapsed().as_secs_f64(), memory_mb("VmRSS"));
        let begun = Instant::now();
        let end = db.bounds().end;
        println!("{end} {:?}", begun.elapsed());
    }};
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let variant = arguments.next().unwrap_or_else(|| "ordered".into());
    let keys: u64 = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let batch: u64 = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let per_move: usize = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(4);
    let held: usize = 1 << arguments.next().and_then(|n| n.parse().ok()).unwrap_or(21u32);
    let directory = std::env::temp_dir().join(format!("zhulian-state-{}", std::process::id()));
    tokio::Runner::new(tokio::Config::new().with_storage_directory(directory.clone())).start(|context| async move {
        let strategy = context.strategy(NZUsize!(2));
        println!("{variant}, {keys} keys, {batch} a batch, one moved for {per_move}, {held} held");
        if variant == "ordered" {
            measure!(Ordered, context, strategy, keys, batch, per_move, held);
        } else {
            measure!(Unordered, context, strategy, keys, batch, per_move, held);
        }
    });
    let size = walk(&directory);
    println!("{} MB on disk", size >> 20);
    let _ = std::fs::remove_dir_all(directory);
}

fn walk(path: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.metadata().map_or(0, |m| if m.is_dir() { walk(&entry.path()) } else { m.len() })).sum()
}
