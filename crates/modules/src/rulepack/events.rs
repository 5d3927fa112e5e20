//! Events of the rulepack module.

use minicbor::{Decode, Encode};
use zhulian_crypto::Digest;
use zhulian_execution::{Event, Text};
use zhulian_primitives::Timestamp;

use super::types::{Fact, Hit, PackId, PartId};
use crate::identity::{MemberId, Uscc};

/// A part of a file was staged.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PartStaged {
    /// Its SHA-256.
    #[n(0)]
    pub part: PartId,
    /// Its bytes.
    #[n(1)]
    pub size: u64,
    /// The organisation.
    #[n(2)]
    pub organisation: Uscc,
    /// The member.
    #[n(3)]
    pub member: MemberId,
}

impl Event for PartStaged {
    const MODULE: &'static str = "rulepack";
    const NAME: &'static str = "part_staged";
    const ABOUT: Text = Text { en: "A part of a file of a pack was staged.", zh: "规则包文件的一部分已上传。" };
    const CDDL: &'static str = "{ 0: digest, 1: uint, 2: uscc, 3: member }   ; part, size, organisation, member";
}

/// A version was drafted: it compiles, and may be voted on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Drafted {
    /// The pack.
    #[n(0)]
    pub pack: PackId,
    /// The version.
    #[n(1)]
    pub version: u32,
    /// SHA-256 of its manifest.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub digest: Digest,
    /// The organisation.
    #[n(3)]
    pub organisation: Uscc,
    /// The member.
    #[n(4)]
    pub member: MemberId,
}

impl Event for Drafted {
    const MODULE: &'static str = "rulepack";
    const NAME: &'static str = "drafted";
    const ABOUT: Text = Text {
        en: "A version was drafted: its rules are accepted, and it may be voted on.",
        zh: "新版本草案已提交：规则通过检查，可付表决。",
    };
    const CDDL: &'static str =
        "{ 0: pack_id, 1: uint, 2: digest, 3: uscc, 4: member }   ; pack, version, digest, organisation, member";
}

/// A version was enacted; it takes effect at its time.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Enacted {
    /// The pack.
    #[n(0)]
    pub pack: PackId,
    /// The version.
    #[n(1)]
    pub version: u32,
    /// SHA-256 of its manifest.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub digest: Digest,
    /// From when on it is in force.
    #[n(3)]
    pub from: Timestamp,
    /// Until when, if that is known.
    #[n(4)]
    pub to: Option<Timestamp>,
}

impl Event for Enacted {
    const MODULE: &'static str = "rulepack";
    const NAME: &'static str = "enacted";
    const ABOUT: Text = Text {
        en: "A version was voted in; it takes effect at the time it names.",
        zh: "新版本已表决通过，按其载明的时间生效。",
    };
    const CDDL: &'static str =
        "{ 0: pack_id, 1: uint, 2: digest, 3: timestamp, ? 4: timestamp }   ; pack, version, digest, from, to";
}

/// A version was annulled before it took effect.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Annulled {
    /// The pack.
    #[n(0)]
    pub pack: PackId,
    /// The version.
    #[n(1)]
    pub version: u32,
}

impl Event for Annulled {
    const MODULE: &'static str = "rulepack";
    const NAME: &'static str = "annulled";
    const ABOUT: Text =
        Text { en: "A version was annulled before it took effect.", zh: "尚未生效的版本已被撤销。" };
    const CDDL: &'static str = "{ 0: pack_id, 1: uint }   ; pack, version";
}

/// A decision was made by a version: everything that a re-run needs beside the pack itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Decided {
    /// The pack.
    #[n(0)]
    pub pack: PackId,
    /// The version that decided.
    #[n(1)]
    pub version: u32,
    /// SHA-256 of its manifest.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub digest: Digest,
    /// The decision.
    #[n(3)]
    pub decision: String,
    /// The disclosed facts, by name.
    #[n(4)]
    pub facts: Vec<Fact>,
    /// The outcome as canonical FEEL.
    #[n(5)]
    pub outcome: String,
    /// Gas it took.
    #[n(6)]
    pub gas: u64,
    /// The rules that matched, in the order they did.
    #[n(7)]
    pub hits: Vec<Hit>,
    /// The organisation that asked.
    #[n(8)]
    pub organisation: Uscc,
    /// The member that asked.
    #[n(9)]
    pub member: MemberId,
    /// The version in force at the time of the block, which may be a later one (P7).
    #[n(10)]
    pub in_force: Option<u32>,
    /// Salted commitment to the case it is about.
    #[cbor(n(11), with = "crate::codec::optional_digest", has_nil)]
    pub subject: Option<Digest>,
}

impl Event for Decided {
    const MODULE: &'static str = "rulepack";
    const NAME: &'static str = "decided";
    const ABOUT: Text = Text {
        en: "A decision was made by a version of a pack on the facts it names.",
        zh: "依规则包某一版本及所列事实作出决定。",
    };
    const CDDL: &'static str = "{ 0: pack_id, 1: uint, 2: digest, 3: tstr, 4: [* rule_fact], 5: tstr, 6: uint, 7: [* rule_hit], 8: uscc, 9: member, ? 10: uint, ? 11: digest }   ; pack, version, digest, decision, facts, outcome, gas, hits, organisation, member, in_force, subject";
}
