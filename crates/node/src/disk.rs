//! How long the disk lasts: what the node uses, what is free, and in how many days it is full if it goes on so.

use std::{
    collections::VecDeque,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use zhulian_gateway::{Disk, NodeStatus};

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(60);
/// Seconds between samples that are kept.
const APART_S: u64 = 15 * 60;
/// Seconds that the forecast looks back.
const WINDOW_S: u64 = 7 * 86_400;
/// Seconds of observation below which there is no forecast: files are cut off and grow again in between.
const SPAN_MIN_S: u64 = 3_600;
/// A forecast of more days means nothing.
const DAYS_MAX: u64 = 3_650;

/// What was seen at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sample {
    at_s: u64,
    used: u64,
    free: u64,
}

/// Samples of the last days, the oldest first.
#[derive(Debug, Default)]
struct Growth(VecDeque<Sample>);

impl Growth {
    /// Reads what an earlier process kept. A broken line is passed over: the forecast comes again with time.
    fn parse(text: &str) -> Self {
        let sample = |line: &str| {
            let mut words = line.split(' ').map(|word| word.parse::<u64>().ok());
            Some(Sample { at_s: words.next()??, used: words.next()??, free: words.next()?? })
        };
        Self(text.lines().filter_map(sample).collect())
    }

    fn print(&self) -> String {
        self.0.iter().map(|it| format!("{} {} {}\n", it.at_s, it.used, it.free)).collect()
    }

    /// Takes in a sample and says whether it is one to keep.
    fn add(&mut self, now: Sample) -> bool {
        // A clock that was set back leaves samples from the future.
        self.0.retain(|it| it.at_s <= now.at_s && it.at_s + WINDOW_S >= now.at_s);
        let keep = self.0.back().is_none_or(|last| now.at_s - last.at_s >= APART_S);
        if keep {
            self.0.push_back(now);
        }
        keep
    }

    /// Whole days until the disk is full, by what the node added or what the disk lost since the oldest sample, whichever is more;
    /// `None` while that is not known, or is no growth.
    fn full_in_days(&self, now: Sample) -> Option<u64> {
        let first = self.0.front()?;
        let span_s = now.at_s.checked_sub(first.at_s).filter(|span| *span >= SPAN_MIN_S)?;
        let grown = now.used.saturating_sub(first.used).max(first.free.saturating_sub(now.free));
        let days = u128::from(now.free) * u128::from(span_s) / u128::from(grown).checked_mul(86_400).filter(|it| *it > 0)?;
        u64::try_from(days).ok().filter(|days| *days <= DAYS_MAX)
    }
}

/// Looks at the disk of `directory` every minute, for the status.
pub(crate) async fn watch(directory: PathBuf, status: Arc<RwLock<NodeStatus>>) {
    let file = directory.join("disk-samples");
    let mut growth = Growth::parse(&std::fs::read_to_string(&file).unwrap_or_default());
    let mut every = tokio::time::interval(EVERY);
    loop {
        every.tick().await;
        let looked_at = directory.clone();
        let Ok(Some(now)) = tokio::task::spawn_blocking(move || look(&looked_at)).await else { continue };
        if growth.add(now) {
            // Without it the forecast begins anew at the next start, no more.
            let _ = std::fs::write(&file, growth.print());
        }
        let disk = Disk { used_bytes: now.used, free_bytes: now.free, full_in_days: growth.full_in_days(now) };
        status.write().unwrap_or_else(|poisoned| poisoned.into_inner()).disk = Some(disk);
    }
}

fn look(directory: &Path) -> Option<Sample> {
    let at_s = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(Sample { at_s, used: allocated(directory), free: free_bytes(directory)? })
}

/// Bytes that may still be written to the disk of a directory; `None` when that cannot be told.
pub fn free_bytes(directory: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(directory).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes on disk of all files below a directory. Files come and go meanwhile.
fn allocated(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => allocated(&entry.path()),
        Ok(data) => data.blocks() * 512,
        Err(_) => 0,
    });
    bytes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    /// A day's samples every minute, of a disk of `free` GiB at first of which the node takes `own` GiB a day and others `other`.
    fn day(growth: &mut Growth, free: u64, own: u64, other: u64) -> Sample {
        let mut last = None;
        for minute in 0..=24 * 60 {
            let part = |daily: u64| daily * GIB * minute / (24 * 60);
            let now = Sample {
                at_s: 1_000_000 + minute * 60,
                used: 5 * GIB + part(own),
                free: free * GIB - part(own) - part(other),
            };
            growth.add(now);
            last = Some(now);
        }
        last.unwrap()
    }

    #[test]
    fn a_steady_growth_is_told_in_days() {
        let mut growth = Growth::default();
        let now = day(&mut growth, 42, 1, 0);
        assert_eq!(growth.full_in_days(now), Some(41));
        assert!(growth.0.len() <= 97, "samples are kept {} minutes apart", APART_S / 60);
        // What others write counts as well.
        let mut growth = Growth::default();
        let now = day(&mut growth, 42, 1, 1);
        assert_eq!(growth.full_in_days(now), Some(20));
    }

    #[test]
    fn nothing_is_told_that_is_not_known() {
        let mut growth = Growth::default();
        let at = |minute: u64, used: u64| Sample { at_s: minute * 60, used, free: 10 * GIB };
        assert_eq!(growth.full_in_days(at(0, 1)), None);
        growth.add(at(0, GIB));
        growth.add(at(30, 2 * GIB));
        assert_eq!(growth.full_in_days(at(30, 2 * GIB)), None, "half an hour is too short");
        assert!(growth.full_in_days(at(60, 2 * GIB)).is_some());
        assert_eq!(growth.full_in_days(at(60, GIB)), None, "it does not grow");
        assert_eq!(growth.full_in_days(at(60, GIB + 1)), None, "in centuries");
    }

    #[test]
    fn samples_outlive_a_restart_and_a_clock_that_is_set_back() {
        let mut growth = Growth::default();
        let now = day(&mut growth, 42, 1, 0);
        let again = Growth::parse(&(growth.print() + "rubbish\n1 2\n"));
        assert_eq!(again.full_in_days(now), Some(41));
        let mut again = Growth::parse(&growth.print());
        again.add(Sample { at_s: 999_999, ..now });
        assert_eq!(again.0.len(), 1, "samples from the future are dropped");
        let mut again = growth;
        again.add(Sample { at_s: now.at_s + WINDOW_S + 1, ..now });
        assert_eq!(again.0.len(), 1, "old ones, too");
    }
}
