//! Types of the rulepack module.

use std::fmt;

use minicbor::{
    Decode, Decoder, Encode, Encoder, decode::Error as DecodeError, encode::Error as EncodeError, encode::Write,
};
use zhulian_crypto::{Digest, sha256};
use zhulian_execution::invalid;
use zhulian_ledger::KeyPart;
use zhulian_primitives::{Height, Timestamp, codec};

use super::errors::Error;
use crate::text;

/// CDDL of what calls, events and state share.
pub(super) const CDDL: &str = r#"
pack_id = tstr .regexp "[a-z][a-z0-9-]{1,31}"
pack_item_kind = &(decisions: 0, calendar: 1, rates: 2, documents: 3, procedure: 4)
pack_keeps = &(opened: 0, latest: 1)
pack_item = { 0: pack_item_kind, 1: tstr .size (1..64), 2: digest, 3: [+ digest] }   ; kind, file name, SHA-256 of the file, of its parts
manifest = {
  0: pack_id,
  1: 1..4294967295,                 ; version
  2: tstr .size (1..200),           ; title in Chinese
  3: tstr .size (1..200),           ; title in English
  4: tstr .size (1..400),           ; statute
  5: timestamp,                     ; in force from
  ? 6: timestamp,                   ; in force until
  7: uint,                          ; notice that the next version must give, in ms
  8: pack_keeps,                    ; the version a case keeps
  9: [1*16 pack_item]
}
rule_fact = { 0: tstr .size (1..120), 1: tstr .size (1..1024), ? 2: digest }   ; name, value in canonical FEEL, salted commitment to what it was drawn from
rule_hit = [uint, uint]                        ; table, rule
"#;

/// Bytes of the largest part of a file: a transaction holds one.
pub const PART_BYTES_MAX: usize = 48 * 1024;
/// Parts of the largest file.
const PARTS_MAX: usize = 8;
/// Files of the largest pack.
const ITEMS_MAX: usize = 16;
/// Longest notice, in ms: ten years.
const NOTICE_MAX: u64 = 3_653 * 86_400_000;

/// The name of a pack for programs, for example `medical-assistance`.
///
/// Invariant: 2 to 32 characters of `a-z`, `0-9`, `-`, a letter first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackId(String);

impl PackId {
    /// Characters of the longest id.
    pub const LEN_MAX: usize = 32;

    /// Parses an id.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let good = (2..=Self::LEN_MAX).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(allowed)
            && !text::is_personal(text);
        if good { Ok(Self(text.into())) } else { Err(Error::MalformedPackId) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeyPart for PackId {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
}

impl<C> Encode<C> for PackId {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PackId {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        Self::parse(d.str()?).map_err(invalid)
    }
}

/// SHA-256 of a part of a file, by which the state finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartId(pub Digest);

impl KeyPart for PartId {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
}

impl<C> Encode<C> for PartId {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PartId {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        codec::fixed(d).map(Self)
    }
}

/// A file cut into the parts that are staged.
pub fn parts_of(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.chunks(PART_BYTES_MAX).collect()
}

/// What a file of a pack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum ItemKind {
    /// A DMN model; all models of a pack are one, the first naming it.
    #[n(0)]
    Decisions,
    /// Working days.
    #[n(1)]
    Calendar,
    /// Rates and thresholds: inputs of the decisions that nobody may state otherwise.
    #[n(2)]
    Rates,
    /// Required documents with the sources they come from.
    #[n(3)]
    Documents,
    /// A BPMN file: how cases are run.
    #[n(4)]
    Procedure,
}

impl ItemKind {
    /// Every kind, in order.
    pub const ALL: [Self; 5] = [Self::Decisions, Self::Calendar, Self::Rates, Self::Documents, Self::Procedure];

    /// Its name in the API and the CLI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Calendar => "calendar",
            Self::Rates => "rates",
            Self::Documents => "documents",
            Self::Procedure => "procedure",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Which version a case keeps (P7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Keeps {
    /// The one in force when it was opened.
    #[n(0)]
    Opened,
    /// Always the one in force now.
    #[n(1)]
    Latest,
}

impl Keeps {
    /// Its name in the API and the CLI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Latest => "latest",
        }
    }

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Opened, Self::Latest].into_iter().find(|keeps| keeps.name() == name)
    }
}

/// A file of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Item {
    /// What it is.
    #[n(0)]
    pub kind: ItemKind,
    /// Its file name.
    #[n(1)]
    pub name: String,
    /// SHA-256 of the whole file.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sha256: Digest,
    /// Its parts, in order.
    #[n(3)]
    pub parts: Vec<PartId>,
}

impl Item {
    /// The item of a file.
    pub fn of(kind: ItemKind, name: &str, bytes: &[u8]) -> Self {
        let parts = parts_of(bytes).into_iter().map(|part| PartId(sha256(part))).collect();
        Self { kind, name: name.into(), sha256: sha256(bytes), parts }
    }
}

/// What a version of a pack is (P1).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Manifest {
    /// The pack.
    #[n(0)]
    pub pack: PackId,
    /// The version, from 1.
    #[n(1)]
    pub version: u32,
    /// Its title in Chinese.
    #[n(2)]
    pub zh: String,
    /// Its title in English.
    #[n(3)]
    pub en: String,
    /// The statute it carries out, with articles.
    #[n(4)]
    pub statute: String,
    /// From when on it is in force.
    #[n(5)]
    pub from: Timestamp,
    /// Until when, if that is known; not included.
    #[n(6)]
    pub to: Option<Timestamp>,
    /// Ms that must lie between a next version being carried and taking effect (P4).
    #[n(7)]
    pub notice_ms: u64,
    /// The version a case keeps (P7).
    #[n(8)]
    pub keeps: Keeps,
    /// Its files.
    #[n(9)]
    pub items: Vec<Item>,
}

impl Manifest {
    /// The digest that names the pack.
    pub fn digest(&self) -> Digest {
        sha256(&codec::to_bytes(self))
    }

    /// Checks what needs no state.
    pub fn check(&self) -> Result<(), Error> {
        let texts = [(&self.zh, 200), (&self.en, 200), (&self.statute, 400)];
        let names = self.items.iter().map(|item| (&item.name, 64));
        for (text, max) in texts.into_iter().chain(names) {
            if !text::is_plain(text, max) {
                return Err(Error::MalformedText);
            }
            if text::is_personal(text) {
                return Err(Error::PersonalData);
            }
        }
        let parts = |item: &Item| (1..=PARTS_MAX).contains(&item.parts.len());
        let once = |kind| self.items.iter().filter(|item| item.kind == kind).count() <= 1;
        let good = self.version > 0
            && self.to.is_none_or(|to| to > self.from)
            && self.notice_ms <= NOTICE_MAX
            && (1..=ITEMS_MAX).contains(&self.items.len())
            && self.items.iter().all(parts)
            && [ItemKind::Calendar, ItemKind::Rates, ItemKind::Documents].into_iter().all(once);
        if good { Ok(()) } else { Err(Error::MalformedManifest) }
    }
}

/// A version that was enacted, as the state holds it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Version {
    /// SHA-256 of its manifest.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub digest: Digest,
    /// From when on it is in force.
    #[n(1)]
    pub from: Timestamp,
    /// Until when, if that is known; not included.
    #[n(2)]
    pub to: Option<Timestamp>,
    /// Notice that the next version must give, in ms.
    #[n(3)]
    pub notice_ms: u64,
    /// The version a case keeps.
    #[n(4)]
    pub keeps: Keeps,
    /// Time of the block in which the motion was carried.
    #[n(5)]
    pub enacted: Timestamp,
    /// Height of that block.
    #[n(6)]
    pub height: Height,
    /// Height at which it was annulled.
    #[n(7)]
    pub annulled: Option<Height>,
}

impl Version {
    /// Whether its own term covers `at`; a later version may still go before.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.annulled.is_none() && self.from <= at && self.to.is_none_or(|to| at < to)
    }
}

/// A fact that a decision is made on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Fact {
    /// The input's name.
    #[n(0)]
    pub name: String,
    /// Its value as canonical FEEL: the least that must be disclosed.
    #[n(1)]
    pub value: String,
    /// Salted commitment to the record it was drawn from, if that is private (P8).
    #[cbor(n(2), with = "crate::codec::optional_digest", has_nil)]
    pub commitment: Option<Digest>,
}

/// A rule that matched, each counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Hit {
    /// The table in the pack.
    #[n(0)]
    pub table: u16,
    /// The rule in the table.
    #[n(1)]
    pub rule: u16,
}
