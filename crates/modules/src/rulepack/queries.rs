//! Reads for the gateway, for auditors, and for whoever decides again offline.

use std::sync::Arc;

use zhulian_crypto::Digest;
use zhulian_ledger::Key;
use zhulian_primitives::Timestamp;

use super::{
    enact::{cached, keep},
    pack::Pack,
    state,
    types::{Item, Manifest, PackId, Version},
};
use crate::source::{Source, load};

/// A version with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionView {
    /// Its number.
    pub number: u32,
    /// Its record.
    pub version: Version,
}

/// Every pack, in the order in which their first versions were enacted.
pub fn packs(source: &impl Source) -> Vec<PackId> {
    let count = load(source, &state::PACKS, &()).unwrap_or(0);
    (0..count).filter_map(|n| load(source, &state::PACK, &n)).collect()
}

/// A version of a pack.
pub fn version(source: &impl Source, pack: &PackId, number: u32) -> Option<VersionView> {
    Some(VersionView { number, version: load(source, &state::VERSION, &(pack.clone(), number))? })
}

/// Every version of a pack, newest first.
pub fn versions(source: &impl Source, pack: &PackId) -> Vec<VersionView> {
    let latest = load(source, &state::LATEST, pack).unwrap_or(0);
    (1..=latest).rev().filter_map(|number| version(source, pack, number)).collect()
}

/// The version in force at a time.
pub fn version_in_force(source: &impl Source, pack: &PackId, at: Timestamp) -> Option<VersionView> {
    let effective = |view: &VersionView| view.version.annulled.is_none() && view.version.from <= at;
    versions(source, pack).into_iter().find(effective).filter(|view| view.version.covers(at))
}

/// What a version is, by its digest.
pub fn manifest(source: &impl Source, digest: &Digest) -> Option<Manifest> {
    load(source, &state::MANIFEST, digest)
}

/// The bytes of a file of a pack.
pub fn file(source: &impl Source, item: &Item) -> Option<Vec<u8>> {
    // All are asked for before one is missed.
    let parts: Vec<Option<Vec<u8>>> =
        item.parts.iter().map(|part| load(source, &state::PART, part).map(|part| part.0)).collect();
    parts.into_iter().collect::<Option<Vec<_>>>().map(|parts| parts.concat())
}

/// A version or draft, compiled, by the digest of its manifest.
pub fn pack(source: &impl Source, digest: &Digest) -> Option<Arc<Pack>> {
    let manifest = manifest(source, digest)?;
    if let Some(pack) = cached(digest) {
        return Some(pack);
    }
    let files: Vec<Option<Vec<u8>>> = manifest.items.iter().map(|item| file(source, item)).collect();
    let pack = Arc::new(Pack::compile(manifest, &files.into_iter().collect::<Option<Vec<_>>>()?).ok()?);
    keep(&pack);
    Some(pack)
}

/// State key of a version's record, for a proof.
pub fn version_state_key(pack: &PackId, number: u32) -> Key {
    state::VERSION.key(&(pack.clone(), number))
}

/// State key of a manifest, for a proof.
pub fn manifest_state_key(digest: &Digest) -> Key {
    state::MANIFEST.key(digest)
}
