use std::collections::BTreeMap;

use bytes::BytesMut;
use commonware_macros::select;
use commonware_runtime::{
    Blob as _, BlobVersion, Clock as _, Error, ReadOptions, Runner as _, Spawner as _, Storage as _, Supervisor as _,
    WriteOptions,
    deterministic::{self, Context},
    tokio,
};
use rand::{Rng as _, RngExt as _};

use super::{
    Logged,
    file::File,
    log::{ALIGNMENT, HEAD, Operation, seal},
};

const LOG: &str = "log";
/// Small, so that segments turn often.
const SEGMENT: u64 = 3 * 4_096;

async fn open(context: &Context) -> Logged<Context> {
    Logged::open(context.child("store"), None, LOG, SEGMENT).await.expect("opens")
}

async fn contents(store: &impl commonware_runtime::Storage, partition: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut all = BTreeMap::new();
    let names = match store.scan(partition).await {
        Ok(names) => names,
        Err(Error::PartitionMissing(_)) => return all,
        Err(error) => panic!("{error}"),
    };
    for name in names {
        let (blob, size) = store.open(partition, &name).await.expect("opens");
        let read = blob.read_at(0, size as usize, ReadOptions::default()).await.expect("reads");
        all.insert(name, read.coalesce().as_ref().to_vec());
    }
    all
}

/// Runs `before`, crashes without warning, and runs `after` on what is left.
fn crash<F, G, A, B, T: Send + 'static>(seed: u64, before: F, after: G)
where
    F: FnOnce(Context) -> A + Send + 'static,
    A: Future<Output = T> + Send,
    G: FnOnce(Context, T) -> B + Send + 'static,
    B: Future<Output = ()> + Send,
{
    let (kept, checkpoint) = deterministic::Runner::seeded(seed).start_and_recover(before);
    deterministic::Runner::from(checkpoint).start(|context| after(context, kept));
}

#[test]
fn synced_bytes_survive_a_crash_and_files_follow_in_turns() {
    for seed in 0..40 {
        crash(
            seed,
            move |mut context| async move {
                let store = open(&context).await;
                let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
                for _ in 0..context.random_range(1..120) {
                    let name = vec![context.random_range(0..6u8)];
                    match context.random_range(0..10) {
                        0 if model.contains_key(&name) => {
                            store.remove("p", Some(&name)).await.expect("removes");
                            model.remove(&name);
                        }
                        1 => {
                            let (blob, _) = store.open("p", &name).await.expect("opens");
                            let len = context.random_range(0..9_000);
                            blob.resize(len).await.expect("resizes");
                            model.entry(name).or_default().resize(len as usize, 0);
                        }
                        _ => {
                            let (blob, size) = store.open("p", &name).await.expect("opens");
                            let plain = model.entry(name).or_default();
                            assert_eq!(size, plain.len() as u64);
                            let offset = context.random_range(0..=size + 100);
                            let mut bytes = vec![0; context.random_range(1..6_000)];
                            context.fill_bytes(&mut bytes);
                            let end = offset as usize + bytes.len();
                            plain.resize(plain.len().max(end), 0);
                            plain[offset as usize..end].copy_from_slice(&bytes);
                            blob.write_at(offset, bytes, WriteOptions::default()).await.expect("writes");
                        }
                    }
                }
                // One sync covers all that came before it.
                let (blob, size) = store.open("p", b"last").await.expect("opens");
                blob.write_at(size, vec![1], WriteOptions::SYNC).await.expect("writes");
                model.insert(b"last".to_vec(), vec![1]);
                drop(blob);
                assert_eq!(contents(&store, "p").await, model, "seed {seed}");
                // Lost, or not; but nothing that was synced.
                let (blob, _) = store.open("q", b"unsynced").await.expect("opens");
                blob.write_at(0, vec![9; 10_000], WriteOptions::default()).await.expect("writes");
                model
            },
            |context, model| async move {
                let store = open(&context).await;
                assert_eq!(contents(&store, "p").await, model);
            },
        );
    }
}

#[test]
fn a_stopped_store_needs_no_log() {
    deterministic::Runner::timed(std::time::Duration::from_secs(60)).start(|context| async move {
        let store = open(&context).await;
        let (blob, _) = store.open("p", b"a").await.expect("opens");
        blob.write_at(0, vec![7; 100], WriteOptions::default()).await.expect("writes");
        drop(blob);
        let (empty, _) = store.open("p", b"empty").await.expect("opens");
        empty.sync().await.expect("syncs");
        drop(empty);
        let stopped = context.child("stop").stop(0, None);
        select! {
            result = stopped => result.expect("stops"),
            _ = context.sleep(std::time::Duration::from_secs(10)) => panic!("does not stop"),
        }
        assert_eq!(
            contents(&context, "p").await,
            BTreeMap::from([(b"a".to_vec(), vec![7; 100]), (b"empty".to_vec(), Vec::new())])
        );
    });
}

#[test]
fn a_removed_blob_is_readable_by_who_has_it_and_its_name_is_free() {
    deterministic::Runner::default().start(|context| async move {
        let store = open(&context).await;
        let (first, _) = store.open("p", b"a").await.expect("opens");
        first.write_at(0, vec![1; 10], WriteOptions::SYNC).await.expect("writes");
        assert!(matches!(store.open("p", b"a").await, Err(Error::BlobAlreadyOpen(..))));
        store.remove("p", Some(b"a")).await.expect("removes");
        assert!(matches!(store.remove("p", Some(b"a")).await, Err(Error::BlobMissing(..))));
        let (second, size) = store.open("p", b"a").await.expect("opens");
        assert_eq!(size, 0);
        second.write_at(0, vec![2; 5], WriteOptions::SYNC).await.expect("writes");
        assert_eq!(first.read_at(0, 10, ReadOptions::default()).await.expect("reads").coalesce().as_ref(), [1; 10]);
        assert!(matches!(second.read_at(0, 6, ReadOptions::default()).await, Err(Error::BlobInsufficientLength)));
        store.remove("p", None).await.expect("removes");
        assert!(matches!(store.scan("p").await, Err(Error::PartitionMissing(_))));
    });
}

#[test]
fn a_damaged_frame_in_the_middle_is_told() {
    crash(
        1,
        |context| async move {
            let store = open(&context).await;
            let (blob, _) = store.open("p", b"a").await.expect("opens");
            for at in 0..3 {
                blob.write_at(at * 10, vec![1; 10], WriteOptions::SYNC).await.expect("writes");
            }
        },
        |context, ()| async move {
            let mut found = 0;
            for name in [b"0", b"1"] {
                let (segment, size) = context.open(LOG, name).await.expect("opens");
                if size > 4_096 {
                    segment.write_at(4_096 + 40, vec![0xff], WriteOptions::SYNC).await.expect("writes");
                    found += 1;
                }
            }
            assert_eq!(found, 1);
            let error = Logged::open(context.child("store"), None, LOG, SEGMENT).await.err().expect("refuses");
            assert!(error.to_string().contains("damaged"), "{error}");
        },
    );
}

/// A start writes to the log before anything else does, and that write may be torn as any other.
#[test]
fn the_first_write_of_a_start_may_be_torn() {
    // A stop in the middle of a checkpoint: frames in both segments, none of which is known to be in the files.
    let ((), stopped) = deterministic::Runner::seeded(1).start_and_recover(|context| async move {
        for (segment, numbers) in [(b"0", 1..4u8), (b"1", 4..6)] {
            let (log, _) = context.open(LOG, segment).await.expect("opens");
            for (place, number) in numbers.enumerate() {
                let mut frame = BytesMut::zeroed(HEAD);
                Operation::Name { blob: 1, version: 0, partition: "p", name: b"a" }.encode(&mut frame);
                Operation::Write { blob: 1, offset: number.into(), bytes: &[number] }.encode(&mut frame);
                seal(7, number.into(), 0, &mut frame);
                log.write_at((place * ALIGNMENT) as u64, frame.freeze(), WriteOptions::SYNC).await.expect("writes");
            }
        }
    });
    let whole = BTreeMap::from([(b"a".to_vec(), vec![0, 1, 2, 3, 4, 5])]);
    let expected = whole.clone();
    let ((), started) = deterministic::Runner::from(stopped).start_and_recover(|context| async move {
        assert_eq!(contents(&open(&context).await, "p").await, expected);
    });
    deterministic::Runner::from(started).start(|context| async move {
        // Of its last write, over one of the frames that were read, neither the old bytes nor the new ones are left.
        let mut last = (0, b"0", 0);
        for segment in [b"0", b"1"] {
            let (log, size) = context.open(LOG, segment).await.expect("opens");
            let bytes = log.read_at(0, size as usize, ReadOptions::default()).await.expect("reads").coalesce();
            for at in (0..size as usize).step_by(ALIGNMENT) {
                let number = u64::from_be_bytes(bytes.as_ref()[at + 12..at + 20].try_into().expect("eight bytes"));
                last = last.max((number, segment, at as u64));
            }
        }
        let (number, segment, at) = last;
        assert_eq!((number, at), (7, 0));
        let (log, _) = context.open(LOG, segment).await.expect("opens");
        log.write_at(at, vec![0x55; ALIGNMENT], WriteOptions::SYNC).await.expect("writes");
        drop(log);
        assert_eq!(contents(&open(&context).await, "p").await, whole);
    });
}

/// A page that is in memory is copied from the file itself, which is where the library says; one that is not, or no longer, comes from the library.
#[test]
fn pages_in_memory_are_those_of_the_blob() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = tokio::Config::new().with_storage_directory(directory.path());
    let path = directory.path().to_path_buf();
    tokio::Runner::new(config).start(|context| async move {
        let name = [0xab, 1];
        let (blob, size, _) =
            context.open_versioned("p", &name, BlobVersion::new(0)..=BlobVersion::new(0)).await.expect("opens");
        let file = File::new(blob, size, Some(&path), "p", &name);
        let bytes: Vec<u8> = (0..40_000u32).map(|at| (at / 7) as u8).collect();
        file.write_at(0, bytes.clone(), WriteOptions::SYNC).await.expect("writes");
        for (offset, len) in [(0, 1), (0, 4_096), (4_084, 4_096), (39_999, 1), (12_345, 20_000)] {
            let mut copy = vec![0; len];
            assert!(file.copy(offset as u64, &mut copy), "just written, so in memory");
            assert_eq!(copy, bytes[offset..offset + len]);
        }
        assert!(!file.copy(39_999, &mut [0; 2]), "past the end");
        assert!(!file.copy(u64::MAX, &mut [0; 2]), "past any file");
        drop(file);

        // Behind the log, with files that turn often: whatever was written is read, in pieces and whole.
        let store = Logged::open(context.child("store"), Some(path), LOG, SEGMENT).await.expect("opens");
        let (blob, _) = store.open("q", b"a").await.expect("opens");
        let mut model = Vec::new();
        for round in 0..60_u8 {
            let part = vec![round; 700];
            blob.write_at(model.len() as u64, part.clone(), WriteOptions::SYNC).await.expect("writes");
            model.extend(part);
            let offset = usize::from(round) * 350;
            for (offset, len) in [(0, model.len()), (offset, 350), (model.len() - 1, 1)] {
                let read = blob.read_at(offset as u64, len, ReadOptions::DONT_CACHE).await.expect("reads").coalesce();
                assert_eq!(read.as_ref(), &model[offset..offset + len]);
            }
        }
        drop(blob);
        assert_eq!(contents(&store, "q").await[&b"a"[..]], model);
    });
}

/// Who goes up through a file with gaps finds what comes next in memory; who reads here and there causes no other reads.
#[test]
fn reads_that_go_up_through_a_file_are_read_ahead() {
    const STEP: u64 = 16 << 10;
    const MIB: u64 = 1 << 20;
    let directory = tempfile::tempdir().expect("a directory");
    let config = tokio::Config::new().with_storage_directory(directory.path());
    let path = directory.path().to_path_buf();
    tokio::Runner::new(config).start(|context| async move {
        let versions = BlobVersion::new(0)..=BlobVersion::new(0);
        let (blob, _, _) = context.open_versioned("p", b"a", versions.clone()).await.expect("opens");
        blob.write_at(0, vec![7; 8 << 20], WriteOptions::SYNC).await.expect("writes");
        drop(blob);
        let on_disk = std::fs::File::open(path.join("p").join(hex::encode(b"a"))).expect("opens");
        rustix::fs::fadvise(&on_disk, 0, None, rustix::fs::Advice::DontNeed).expect("forgets");

        let (blob, size, _) = context.open_versioned("p", b"a", versions).await.expect("opens");
        let file = File::new(blob, size, Some(&path), "p", b"a");
        let in_memory = |offset: u64| file.copy(offset, &mut [0; 4_096]);
        if in_memory(7 * MIB) {
            // A file system in memory forgets nothing.
            return;
        }
        for offset in [2 * MIB, 5 * MIB, 4 * MIB, 6 * MIB, 6 * MIB, 3 * MIB] {
            assert!(!in_memory(offset) && !in_memory(offset + MIB / 2), "nothing is read ahead of {offset}");
        }
        assert!(!in_memory(MIB) && !in_memory(MIB + STEP), "nobody asked for these before");
        let mut tries = 0;
        for offset in (MIB + 2 * STEP..2 * MIB).step_by(STEP as usize) {
            while !in_memory(offset) {
                tries += 1;
                assert!(tries < 1_000, "{offset} was not read ahead");
                context.sleep(std::time::Duration::from_millis(5)).await;
            }
        }
    });
}
