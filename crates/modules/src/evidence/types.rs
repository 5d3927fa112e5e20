//! Types of the evidence module.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode, encode::Write};
use zhulian_crypto::Digest;
use zhulian_execution::invalid;
use zhulian_primitives::{CodecError, EvidenceId, Height, Timestamp, codec};

use super::errors::Error;
use crate::{codec::optional_digest, identity::Uscc, text};

/// CDDL of what calls, events and state share.
pub(super) const CDDL: &str = r#"
evidence_id = bstr .size 16         ; first 16 bytes of the depositing transaction's id
file = { 0: digest, 1: digest, 2: 0..1125899906842624, 3: digest }   ; SHA-256, SM3, bytes, root over its 1 MiB chunks
; The root is that of RFC 9162 section 2.1 with a leaf SHA-256(0x00 || chunk) for each chunk of 1,048,576 bytes, the last one shorter;
; of an empty file, SHA-256 of nothing.
entry = { 0: digest, 1: digest, 2: uint, 3: digest, ? 4: digest }    ; a batch's leaf: a file, and a salted commitment to its name
; A batch's root is that of RFC 9162 with a leaf SHA-256(0x00 || bytes of entry) for each entry.
details = {
  0: source_type,
  1: tstr .size (1..200),           ; legal basis
  ? 2: uscc,                        ; custodian, if it is not the depositor
  ? 3: tstr .size (1..64),          ; case hint
  ? 4: generation,
  ? 5: [1*16 evidence_id],          ; prior evidence, ascending
  ? 6: timestamp,                   ; kept until
  ? 7: digest,                      ; salted commitment to the name
  ? 8: digest,                      ; root over the log of the process that made it
  ? 9: [1*16 uint .size 2],         ; codes of the depositor's own published list of notes, ascending
  ? 10: digest,                     ; SHA-256 of an RFC 3161 time-stamp token
}
source_type = &(web: 0, screen: 1, file: 2, api: 3, sensor: 4, contract: 5, payment: 6, other: 7)
generation = { 0: digest, ? 1: [1*16 [generation_field, digest]] }   ; SHA-256 of the document of facts; salted commitments, ascending
generation_field = &(device: 0, system: 1, cleanliness: 2, address: 3, dns: 4, url: 5, tls_chain: 6, operator: 7, place: 8)
; A salted commitment is SHA-256("zhulian/commitment/1" || salt: 32 random bytes || UTF-8 text); the depositor keeps the salt.
subject = [0, digest, uint]         ; the n-th deposit of a file, by its SHA-256
        / [1, digest, uint]         ; the n-th deposit of a batch, by its root
        / [2, digest, uint, uint]   ; one entry of it
case_number = tstr .size (1..64)
custody_kind = &(collected: 0, sealed: 1, opened: 2, transferred: 3, received: 4, inspected: 5, returned: 6)
withdraw_reason = &(mistake: 0, superseded: 1, consent_withdrawn: 2, retention_over: 3, other: 4)
"#;

/// Entries of the largest batch there can be.
pub const BATCH_ENTRIES_MAX: u64 = 1_000_000;
/// Bytes of the largest file.
const SIZE_MAX: u64 = 1 << 50;

const EMPTY_SHA256: Digest = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4,
    0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];
const EMPTY_SM3: Digest = [
    0x1a, 0xb2, 0x1d, 0x83, 0x55, 0xcf, 0xa1, 0x7f, 0x8e, 0x61, 0x19, 0x48, 0x31, 0xe8, 0x1a, 0x8f, 0x22, 0xbe, 0xc8, 0xc7,
    0x28, 0xfe, 0xfb, 0x74, 0x7e, 0xd0, 0x35, 0xeb, 0x50, 0x82, 0xaa, 0x2b,
];

/// What a deposit says of a file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct File {
    /// SHA-256 of the whole file.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub sha256: Digest,
    /// SM3 of the whole file.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sm3: Digest,
    /// Bytes.
    #[n(2)]
    pub size: u64,
    /// RFC 9162 root over its chunks of 1 MiB.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub chunks_root: Digest,
}

impl File {
    /// Whether its facts do not contradict each other: the digests of nothing belong to no bytes, and to nothing else.
    pub fn check(&self) -> Result<(), Error> {
        let empty = [self.sha256 == EMPTY_SHA256, self.sm3 == EMPTY_SM3, self.chunks_root == EMPTY_SHA256];
        if self.size <= SIZE_MAX && empty == [self.size == 0; 3] { Ok(()) } else { Err(Error::InconsistentFile) }
    }
}

/// An entry of a batch: its bytes are the leaf of the batch's tree.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Entry {
    /// SHA-256 of the whole file.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub sha256: Digest,
    /// SM3 of the whole file.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sm3: Digest,
    /// Bytes.
    #[n(2)]
    pub size: u64,
    /// RFC 9162 root over its chunks of 1 MiB.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub chunks_root: Digest,
    /// Salted commitment to its name.
    #[cbor(n(4), with = "optional_digest", has_nil)]
    pub name_commitment: Option<Digest>,
}

impl Entry {
    /// The entry's bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::to_bytes(self)
    }

    /// Parses the bytes of an entry.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::from_bytes(bytes)
    }

    /// The file it is about.
    pub fn file(&self) -> File {
        File { sha256: self.sha256, sm3: self.sm3, size: self.size, chunks_root: self.chunks_root }
    }
}

impl From<File> for Entry {
    fn from(file: File) -> Self {
        let File { sha256, sm3, size, chunks_root } = file;
        Self { sha256, sm3, size, chunks_root, name_commitment: None }
    }
}

/// Declares a short free text (E8).
macro_rules! short_text {
    ($(#[$about:meta])+ $type:ident, $max:literal) => {
        $(#[$about])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(String);

        impl $type {
            /// Bytes of the longest.
            pub const LEN_MAX: usize = $max;

            /// Parses a text.
            pub fn parse(text: &str) -> Result<Self, Error> {
                if !text::is_plain(text, Self::LEN_MAX) {
                    return Err(Error::MalformedText);
                }
                if text::is_personal(text) {
                    return Err(Error::PersonalData);
                }
                Ok(Self(text.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                Self::parse(text)
            }
        }

        impl<C> Encode<C> for $type {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $type {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                Self::parse(d.str()?).map_err(invalid)
            }
        }
    };
}
short_text! {
    /// Why the deposit is lawful: a statute's article, a contract's or a consent's number.
    ///
    /// Invariant (E8): 1 to 200 bytes of visible characters without a personal number.
    LegalBasis, 200
}
short_text! {
    /// A hint at the case it may serve.
    ///
    /// Invariant (E8): 1 to 64 bytes of visible characters without a personal number.
    CaseHint, 64
}
short_text! {
    /// A court's case number, 案号, for example `(2026)浙0192民初1234号`.
    ///
    /// Invariant (E8): 1 to 64 bytes of visible characters without a personal number.
    CaseNumber, 64
}

/// Declares an enumeration with the names of its variants.
macro_rules! named {
    ($(#[$about:meta])+ $type:ident { $($(#[$doc:meta])+ $variant:ident = $n:literal, $name:literal;)+ }) => {
        $(#[$about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
        #[cbor(index_only)]
        pub enum $type {
            $($(#[$doc])+ #[n($n)] $variant,)+
        }

        impl $type {
            /// Every variant, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in the API and the CLI.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The variant of this name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|variant| variant.name() == name)
            }
        }
    };
}
pub(super) use named;

named! {
    /// What happened to evidence in custody.
    CustodyKind {
        /// It was taken in, 收集.
        Collected = 0, "collected";
        /// It was sealed, 封存.
        Sealed = 1, "sealed";
        /// It was opened, 启封.
        Opened = 2, "opened";
        /// It was handed to another organisation, 移交.
        Transferred = 3, "transferred";
        /// What was handed over has arrived, 接收.
        Received = 4, "received";
        /// It was looked at, 查验.
        Inspected = 5, "inspected";
        /// It was given back to the depositor, 归还.
        Returned = 6, "returned";
    }
}
named! {
    /// Why a deposit is withdrawn from use.
    WithdrawReason {
        /// It was deposited by mistake, or its details are wrong.
        Mistake = 0, "mistake";
        /// Another deposit takes its place.
        Superseded = 1, "superseded";
        /// The subject withdrew consent.
        ConsentWithdrawn = 2, "consent_withdrawn";
        /// The time for which it was to be kept is over.
        RetentionOver = 3, "retention_over";
        /// Another reason, on the depositor's files.
        Other = 4, "other";
    }
}

/// What a call is about: a deposit, or one entry of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(flat)]
pub enum Subject {
    /// The n-th deposit of a file.
    #[n(0)]
    File(
        /// SHA-256 of the file.
        #[cbor(n(0), with = "minicbor::bytes")]
        Digest,
        /// Which deposit of it, from 0.
        #[n(1)]
        u32,
    ),
    /// The n-th deposit of a batch.
    #[n(1)]
    Batch(
        /// Root of the batch.
        #[cbor(n(0), with = "minicbor::bytes")]
        Digest,
        /// Which deposit of it, from 0.
        #[n(1)]
        u32,
    ),
    /// One entry of the n-th deposit of a batch.
    #[n(2)]
    Entry(
        /// Root of the batch.
        #[cbor(n(0), with = "minicbor::bytes")]
        Digest,
        /// Which deposit of it, from 0.
        #[n(1)]
        u32,
        /// The entry, from 0.
        #[n(2)]
        u32,
    ),
}

/// A withdrawal from use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Withdrawal {
    /// Height.
    #[n(0)]
    pub height: Height,
    /// Why.
    #[n(1)]
    pub reason: WithdrawReason,
}

/// A court's freeze.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FreezeRecord {
    /// The court.
    #[n(0)]
    pub court: Uscc,
    /// Its case.
    #[n(1)]
    pub case: CaseNumber,
    /// Height.
    #[n(2)]
    pub height: Height,
}

/// How evidence stands. Nothing of it is written as long as nothing happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Standing {
    /// Who holds it, if not the depositor.
    #[n(0)]
    pub custodian: Option<Uscc>,
    /// Its withdrawal from use.
    #[n(1)]
    pub withdrawn: Option<Withdrawal>,
    /// Courts' freezes in force.
    #[cbor(n(2), skip_if = "Vec::is_empty")]
    pub freezes: Vec<FreezeRecord>,
    /// Custody events so far.
    #[cbor(n(3), skip_if = "is_zero")]
    pub custody: u32,
    /// Digest over the custody events (E9): `SHA-256(previous digest ‖ event data)`, before the first 32 zero bytes.
    #[cbor(n(4), with = "optional_digest", has_nil)]
    pub custody_head: Option<Digest>,
    /// Whether it is sealed.
    #[cbor(n(5), skip_if = "is_false")]
    pub sealed: bool,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the codec hands over a reference")]
fn is_false(b: &bool) -> bool {
    !*b
}

impl Standing {
    /// Whether a court holds it frozen.
    pub fn is_frozen(&self) -> bool {
        !self.freezes.is_empty()
    }

    /// In one word.
    pub fn status(&self) -> Status {
        match (self.is_frozen(), self.withdrawn) {
            (true, _) => Status::Frozen,
            (false, Some(_)) => Status::Withdrawn,
            (false, None) => Status::InUse,
        }
    }
}

/// How evidence stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// In use, 有效.
    InUse,
    /// Frozen by a court, 已冻结. It may have been withdrawn before.
    Frozen,
    /// Withdrawn from use, 已停止使用.
    Withdrawn,
}

impl Status {
    /// Its name in the API and the CLI.
    pub fn name(self) -> &'static str {
        match self {
            Self::InUse => "in_use",
            Self::Frozen => "frozen",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A deposit as the state holds it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Record {
    /// Its number, 存证编号.
    #[n(0)]
    pub id: EvidenceId,
    /// The depositor.
    #[n(1)]
    pub organisation: Uscc,
    /// Height of the deposit (E3).
    #[n(2)]
    pub height: Height,
    /// Time of the deposit's block (E3).
    #[n(3)]
    pub time: Timestamp,
    /// How it stands.
    #[n(4)]
    pub standing: Standing,
    /// Deposits of the same content so far, counted in the first one's record; 0 in the others.
    #[n(5)]
    pub deposits: u32,
    /// Entries, of a batch.
    #[n(6)]
    pub entries: Option<u64>,
    /// Entries that a court holds frozen (E6).
    #[cbor(n(7), skip_if = "is_zero")]
    pub frozen_entries: u32,
}

impl Record {
    /// A record of what is deposited now.
    pub(super) fn new(id: EvidenceId, organisation: Uscc, height: Height, time: Timestamp) -> Self {
        let standing = Standing::default();
        Self { id, organisation, height, time, standing, deposits: 1, entries: None, frozen_entries: 0 }
    }
}
