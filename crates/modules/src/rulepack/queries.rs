//! Reads for the gateway, for auditors, and for whoever decides again offline.

use std::sync::Arc;

use zhulian_crypto::Digest;
use zhulian_ledger::Key;
use zhulian_primitives::Timestamp;
use zhulian_rules::{calendar::Calendar, temporal::Date};

use super::{
    cache,
    pack::Pack,
    state,
    types::{Item, ItemKind, Manifest, PackId, Version},
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
    if let Some(pack) = cache::at_hand(digest) {
        return Some(pack);
    }
    let files: Vec<Option<Vec<u8>>> = manifest.items.iter().map(|item| file(source, item)).collect();
    cache::draft(&manifest, &files.into_iter().collect::<Option<Vec<_>>>()?)
}

/// How far a pack's calendar of working days goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarEnd {
    /// The pack.
    pub pack: PackId,
    /// The version that goes furthest, of the one in force and those that will be.
    pub version: u32,
    /// The last day that it holds.
    pub last: Date,
}

/// How far the calendars of working days go, of every pack that has one in force at a time.
pub fn calendar_ends(source: &impl Source, at: Timestamp) -> Vec<CalendarEnd> {
    let end = |pack: PackId| {
        let in_force = version_in_force(source, &pack, at)?;
        let holds = |view: &VersionView| view.version.annulled.is_none() && view.number >= in_force.number;
        let ends = versions(source, &pack).into_iter().filter(holds).filter_map(|view| {
            let manifest = manifest(source, &view.version.digest)?;
            let item = manifest.items.iter().find(|item| item.kind == ItemKind::Calendar)?;
            let text = String::from_utf8(file(source, item)?).ok()?;
            Some((Calendar::parse(&text).ok()?.bounds().1, view.number))
        });
        let (last, version) = ends.max()?;
        Some(CalendarEnd { pack, version, last })
    };
    packs(source).into_iter().filter_map(end).collect()
}

/// State key of a version's record, for a proof.
pub fn version_state_key(pack: &PackId, number: u32) -> Key {
    state::VERSION.key(&(pack.clone(), number))
}

/// State key of a manifest, for a proof.
pub fn manifest_state_key(digest: &Digest) -> Key {
    state::MANIFEST.key(digest)
}
