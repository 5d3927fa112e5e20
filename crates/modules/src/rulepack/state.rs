//! State keys of the rulepack module. No other file spells them.

use minicbor::{Decode, Encode};
use zhulian_crypto::Digest;
use zhulian_execution::StateEntry;
use zhulian_ledger::Map;

use super::types::{Manifest, PackId, PartId, Version};

/// The bytes of a part.
#[derive(Encode, Decode)]
pub(super) struct Part(#[cbor(n(0), with = "minicbor::bytes")] pub(super) Vec<u8>);

/// `rulepack/part/{sha256}`: a part of a file; never deleted (P1).
pub(super) const PART: Map<PartId, Part> = Map::new("rulepack/part");
/// `rulepack/manifest/{sha256}`: a version that was drafted, and so accepted by the rules engine; never deleted (P1, P2).
pub(super) const MANIFEST: Map<Digest, Manifest> = Map::new("rulepack/manifest");
/// `rulepack/version/{pack}/{version}`: a version that was enacted (P3, P5).
pub(super) const VERSION: Map<(PackId, u32), Version> = Map::new("rulepack/version");
/// `rulepack/latest/{pack}`: number of the latest version.
pub(super) const LATEST: Map<PackId, u32> = Map::new("rulepack/latest");
/// `rulepack/packs`: how many packs there are.
pub(super) const PACKS: Map<(), u32> = Map::new("rulepack/packs");
/// `rulepack/pack/{n}`: the n-th pack.
pub(super) const PACK: Map<u32, PackId> = Map::new("rulepack/pack");

/// For `docs/state.md`.
pub(super) const CATALOGUE: &[StateEntry] = &[
    StateEntry { map: PART.name, key: "SHA-256 of the part: 32 bytes", value: "[bytes]", writers: "rulepack.stage_part" },
    StateEntry {
        map: MANIFEST.name,
        key: "SHA-256 of the manifest: 32 bytes",
        value: "the manifest, see calls.cddl",
        writers: "rulepack.draft",
    },
    StateEntry {
        map: VERSION.name,
        key: "pack: 4 bytes length, then text; version: 4 bytes big-endian",
        value: "{0: SHA-256 of the manifest, 1: in force from, ?2: until, 3: notice for the next, 4: version a case keeps, 5: time and 6: height of enactment, ?7: height of annulment}",
        writers: "governance.cast_ballot (enact, annul)",
    },
    StateEntry {
        map: LATEST.name,
        key: "pack: 4 bytes length, then text",
        value: "number of the latest version",
        writers: "governance.cast_ballot (enact)",
    },
    StateEntry { map: PACKS.name, key: "", value: "number of packs", writers: "governance.cast_ballot (enact)" },
    StateEntry {
        map: PACK.name,
        key: "n: 4 bytes big-endian",
        value: "the n-th pack, from 0",
        writers: "governance.cast_ballot (enact)",
    },
];
