//! Compiled packs at hand. Compiling is a pure function of what the digest of a manifest names, so a node that finds a pack here and
//! one that compiles it decide alike; no gas is counted for it.
//!
//! What decides is kept apart from what is only drafted or read, so that nobody's drafts make a node compile the packs in force again.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use zhulian_crypto::Digest;

use super::{pack::Pack, types::Manifest};

/// Versions that decide.
static IN_USE: Mutex<Packs> = Mutex::new(Packs::new(64, 12 << 20));
/// Drafts, and what the gateway reads.
static OTHERS: Mutex<Packs> = Mutex::new(Packs::new(8, 6 << 20));
/// Drafts that are not accepted.
static REFUSED: Mutex<Refused> = Mutex::new(Refused::new(1_024));

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Packs with the bytes of their files and when they were used last; the one unused for longest gives way.
struct Packs {
    kept: BTreeMap<Digest, (u64, usize, Arc<Pack>)>,
    uses: u64,
    count_max: usize,
    bytes_max: usize,
}

impl Packs {
    const fn new(count_max: usize, bytes_max: usize) -> Self {
        Self { kept: BTreeMap::new(), uses: 0, count_max, bytes_max }
    }

    fn get(&mut self, digest: &Digest) -> Option<Arc<Pack>> {
        self.uses += 1;
        let (used, _, pack) = self.kept.get_mut(digest)?;
        *used = self.uses;
        Some(pack.clone())
    }

    /// Keeps a pack, and drops others until there is room; the newest is always kept.
    fn keep(&mut self, pack: Arc<Pack>, bytes: usize) {
        self.uses += 1;
        self.kept.insert(pack.digest, (self.uses, bytes, pack));
        while self.kept.len() > 1 && (self.kept.len() > self.count_max || self.bytes() > self.bytes_max) {
            let oldest = self.kept.iter().min_by_key(|(_, (used, ..))| *used).map(|(digest, _)| *digest);
            oldest.and_then(|digest| self.kept.remove(&digest));
        }
    }

    fn bytes(&self) -> usize {
        self.kept.values().map(|(_, bytes, _)| bytes).sum()
    }
}

/// Digests of manifests that do not compile, the newest so many. It is the digests that matter: the files fit them.
struct Refused {
    digests: BTreeSet<Digest>,
    order: VecDeque<Digest>,
    count_max: usize,
}

impl Refused {
    const fn new(count_max: usize) -> Self {
        Self { digests: BTreeSet::new(), order: VecDeque::new(), count_max }
    }

    fn insert(&mut self, digest: Digest) {
        if self.digests.insert(digest) {
            self.order.push_back(digest);
        }
        if self.order.len() > self.count_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.digests.remove(&oldest);
        }
    }
}

/// A pack, if this node has it at hand, for reading.
pub(super) fn at_hand(digest: &Digest) -> Option<Arc<Pack>> {
    let other = lock(&OTHERS).get(digest);
    other.or_else(|| lock(&IN_USE).kept.get(digest).map(|(.., pack)| pack.clone()))
}

/// Compiles what is drafted or only read; the files are those that the manifest names. `None` when it is not accepted.
pub(super) fn draft(manifest: &Manifest, files: &[Vec<u8>]) -> Option<Arc<Pack>> {
    let digest = manifest.digest();
    if let Some(pack) = at_hand(&digest) {
        return Some(pack);
    }
    if lock(&REFUSED).digests.contains(&digest) {
        return None;
    }
    match Pack::compile(manifest.clone(), files) {
        Ok(pack) => {
            let pack = Arc::new(pack);
            lock(&OTHERS).keep(pack.clone(), bytes(files));
            Some(pack)
        }
        Err(_) => {
            lock(&REFUSED).insert(digest);
            None
        }
    }
}

/// A version that decides, if this node has it at hand.
pub(super) fn in_use(digest: &Digest) -> Option<Arc<Pack>> {
    lock(&IN_USE).get(digest)
}

/// Compiles a version that decides, or takes it over from the drafts, and keeps it.
pub(super) fn used(manifest: &Manifest, files: &[Vec<u8>]) -> Option<Arc<Pack>> {
    let other = lock(&OTHERS).get(&manifest.digest());
    let pack = other.or_else(|| Pack::compile(manifest.clone(), files).ok().map(Arc::new))?;
    lock(&IN_USE).keep(pack.clone(), bytes(files));
    Some(pack)
}

fn bytes(files: &[Vec<u8>]) -> usize {
    files.iter().map(Vec::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{manifest, pack_files};

    fn pack(version: u32) -> Arc<Pack> {
        let (files, made) = parts(version);
        Arc::new(Pack::compile(made, &files).expect("compiles"))
    }

    fn parts(version: u32) -> (Vec<Vec<u8>>, Manifest) {
        let files = pack_files("fees", 1).into_iter().map(|(.., text)| text.into_bytes()).collect();
        let made = manifest("fees", &BTreeMap::new());
        (files, Manifest { version, ..made })
    }

    #[test]
    fn the_pack_unused_for_longest_gives_way() {
        let mut packs = Packs::new(3, 100);
        let all: Vec<Arc<Pack>> = (1..=5).map(pack).collect();
        for pack in &all[..3] {
            packs.keep(pack.clone(), 10);
        }
        assert!(packs.get(&all[0].digest).is_some());
        packs.keep(all[3].clone(), 10);
        let kept = |packs: &Packs| all.iter().map(|pack| packs.kept.contains_key(&pack.digest)).collect::<Vec<_>>();
        assert_eq!(kept(&packs), [true, false, true, true, false]);
        // A large one takes the room of others, and is kept itself.
        packs.keep(all[4].clone(), 90);
        assert_eq!(kept(&packs), [false, false, false, true, true]);
        packs.keep(all[0].clone(), 1_000);
        assert_eq!(kept(&packs), [true, false, false, false, false]);
    }

    #[test]
    fn drafts_do_not_displace_what_decides() {
        let (files, made) = parts(1_000);
        let deciding = used(&made, &files).expect("compiles");
        for version in 1_001..1_100 {
            let (files, made) = parts(version);
            assert!(draft(&made, &files).is_some());
        }
        assert!(in_use(&deciding.digest).is_some_and(|pack| Arc::ptr_eq(&pack, &deciding)));
        assert!(lock(&OTHERS).kept.len() <= 8);
    }

    #[test]
    fn a_refused_draft_is_compiled_once() {
        let (mut files, mut made) = parts(2_000);
        files[0] = b"<definitions/>".to_vec();
        made.items[0].sha256 = zhulian_crypto::sha256(&files[0]);
        assert!(draft(&made, &files).is_none());
        assert!(lock(&REFUSED).digests.contains(&made.digest()));
        assert!(draft(&made, &files).is_none());
        let mut refused = Refused::new(2);
        (0..5).for_each(|n| refused.insert([n; 32]));
        assert_eq!(refused.digests, BTreeSet::from([[3; 32], [4; 32]]));
    }
}
