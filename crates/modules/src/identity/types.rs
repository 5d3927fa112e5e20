//! Types of the identity module. Each keeps its own invariant: parsed at the door, then trusted.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode, encode::Write};
use zhulian_crypto::PublicKey;
use zhulian_execution::{Class, Role, Roles, invalid};
use zhulian_ledger::KeyPart;
use zhulian_primitives::Height;

use super::errors::Error;
use crate::text;

/// CDDL of what calls and events of several modules share.
pub(super) const CDDL: &str = r#"
uscc = tstr .size 18                ; unified social credit code, GB 32100-2015
member = tstr .size (2..32)         ; [a-z][a-z0-9-._]*, at most 6 digits in a row
public_key = bstr .size 32 / bstr .size 33   ; EdDSA / ES256 compressed point
digest = bstr .size 32
height = uint
timestamp = uint                    ; milliseconds since 1970-01-01T00:00:00Z
class = &(government: 0, judicial: 1, financial: 2, social: 3, enterprise: 4)
kind = &(person: 0, system: 1)
roles = uint                        ; sum of 1 system_admin, 2 security_admin, 4 audit_admin, 8 representative, 16 officer, 32 judge
key_end = &(rotated: 0, lost: 1, compromised: 2, departed: 3)
name = tstr .size (1..120)
founding = { 0: uscc, 1: class, 2: name, ? 3: name, 4: bool, 5: [+ first_member] }   ; zh, en, has a vote
first_member = { 0: member, 1: kind, 2: roles, 3: [+ public_key] }
; What a new key signs to prove that it is held: deterministic CBOR, by EdDSA or ES256.
key_statement = ["zhulian/key/1", chain: digest, uscc, member, public_key]
"#;

/// A unified social credit code, 统一社会信用代码 (GB 32100-2015), for example `91110000600037341L`.
///
/// Invariant (I1): 18 characters without I, O, S, V, Z, and the last one checks the others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uscc([u8; 18]);

impl Uscc {
    /// Characters of a code.
    pub const LEN: usize = 18;
    const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

    /// Parses a code as it is printed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let code = <[u8; Self::LEN]>::try_from(text.as_bytes()).map_err(|_| Error::MalformedUscc)?;
        let mut values = [0; Self::LEN];
        for (value, byte) in values.iter_mut().zip(&code) {
            *value = Self::ALPHABET.iter().position(|letter| letter == byte).ok_or(Error::MalformedUscc)?;
        }
        let sum: usize = values.iter().zip(Self::WEIGHTS).map(|(value, weight)| value * weight).sum();
        if values[Self::LEN - 1] == (31 - sum % 31) % 31 { Ok(Self(code)) } else { Err(Error::MalformedUscc) }
    }

    /// The code of these first 17 characters, for test and demonstration data; `None` when one of them does not occur in codes.
    pub fn complete(first: &str) -> Option<Self> {
        Self::ALPHABET.iter().find_map(|check| Self::parse(&format!("{first}{}", char::from(*check))).ok())
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a code is ASCII")
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Uscc {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl KeyPart for Uscc {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
}

/// A member's pseudonym in its organisation, for example `clerk-01`.
///
/// Invariant (I7): 2 to 32 characters of `a-z`, `0-9`, `-`, `.`, `_`, a letter first, and at most 6 digits in a row, so that no
/// citizen, phone or card number fits in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(String);

impl MemberId {
    /// Characters of the longest id.
    pub const LEN_MAX: usize = 32;
    /// The id under which a case acts for an organisation by right of its procedure. No member can have it.
    pub const CASE: &'static str = "case";
    const DIGITS_MAX: usize = 6;

    /// Parses an id.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_');
        // Separators do not break a row: 138-1234-5678 is a phone number, too.
        let (mut row, mut longest) = (0, 0);
        for c in text.chars().filter(char::is_ascii_alphanumeric) {
            row = if c.is_ascii_digit() { row + 1 } else { 0 };
            longest = longest.max(row);
        }
        let well_formed = (2..=Self::LEN_MAX).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(allowed)
            && longest <= Self::DIGITS_MAX;
        if well_formed { Ok(Self(text.into())) } else { Err(Error::MalformedMember) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a member may have it.
    pub(super) fn is_free(&self) -> bool {
        self.0 != Self::CASE
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MemberId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl KeyPart for MemberId {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
}

/// A public name of an organisation.
///
/// Invariant: 1 to 120 bytes of visible characters, no space at the ends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrganisationName(String);

impl OrganisationName {
    /// Bytes of the longest name.
    pub const LEN_MAX: usize = 120;

    /// Parses a name.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let good = text::is_plain(text, Self::LEN_MAX) && !text::is_personal(text);
        if good { Ok(Self(text.into())) } else { Err(Error::MalformedName) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganisationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for OrganisationName {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// A public key that a member signs with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MemberKey(pub PublicKey);

impl KeyPart for MemberKey {
    fn write(&self, out: &mut Vec<u8>) {
        // 32 or 33 bytes; the key stands last, so that the length tells them apart.
        out.extend_from_slice(self.0.as_bytes());
    }
}

impl<C> Encode<C> for MemberKey {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(self.0.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for MemberKey {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        PublicKey::parse(d.bytes()?).map(Self).map_err(|_| invalid(Error::MalformedKey))
    }
}

macro_rules! text_codec {
    ($($type:ty),+) => {$(
        impl<C> Encode<C> for $type {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.str(self.as_str())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $type {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                Self::parse(d.str()?).map_err(invalid)
            }
        }
    )+};
}
text_codec!(Uscc, MemberId, OrganisationName);

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// A person, 人员.
    #[n(0)]
    Person,
    /// A system that acts on its own, 系统.
    #[n(1)]
    System,
}

impl Kind {
    /// Its name in the API and the CLI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::System => "system",
        }
    }
}

/// Why a key ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum KeyEnd {
    /// Its holder replaced it.
    #[n(0)]
    Rotated,
    /// It was lost.
    #[n(1)]
    Lost,
    /// Another may have it.
    #[n(2)]
    Compromised,
    /// Its holder left the post.
    #[n(3)]
    Departed,
}

impl KeyEnd {
    /// Every reason, in order.
    pub const ALL: [Self; 4] = [Self::Rotated, Self::Lost, Self::Compromised, Self::Departed];

    /// Its name in the API and the CLI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rotated => "rotated",
            Self::Lost => "lost",
            Self::Compromised => "compromised",
            Self::Departed => "departed",
        }
    }

    /// The reason of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// An organisation as the state holds it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Organisation {
    /// Its class.
    #[n(0)]
    pub class: Class,
    /// Its Chinese name.
    #[n(1)]
    pub zh: OrganisationName,
    /// Its English name.
    #[n(2)]
    pub en: Option<OrganisationName>,
    /// Whether it votes on motions.
    #[n(3)]
    pub votes: bool,
    /// Height at which it was admitted.
    #[n(4)]
    pub admitted: Height,
    /// Height since which it is suspended.
    #[n(5)]
    pub suspended: Option<Height>,
    /// Members it ever had.
    #[n(6)]
    pub members: u32,
    /// Acting administrators: system, security, audit (I6).
    #[n(7)]
    pub acting: [u32; 3],
}

impl Organisation {
    /// Whether its members may act.
    pub fn is_active(&self) -> bool {
        self.suspended.is_none()
    }
}

/// A member as the state holds it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Member {
    /// Person or system.
    #[n(0)]
    pub kind: Kind,
    /// Its roles.
    #[n(1)]
    pub roles: Roles,
    /// Every administration it ever held (I4).
    #[n(2)]
    pub powers_held: Roles,
    /// Height at which it was added.
    #[n(3)]
    pub added: Height,
    /// Height since which it is suspended.
    #[n(4)]
    pub suspended: Option<Height>,
    /// Keys it ever had.
    #[n(5)]
    pub keys: u32,
    /// Keys that have no end yet.
    #[n(6)]
    pub live_keys: u32,
    /// Roles that wait to be confirmed (I5).
    #[n(7)]
    pub proposed: Option<Roles>,
}

impl Member {
    /// Whether it may act, if its organisation may.
    pub fn is_active(&self) -> bool {
        self.suspended.is_none()
    }

    /// Whether it can act in this administration: not suspended, and with a key that has no end.
    pub fn acts_as(&self, role: Role) -> bool {
        self.is_active() && self.live_keys > 0 && self.roles.has(role)
    }
}

/// A key as the state holds it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Key {
    /// The organisation.
    #[n(0)]
    pub organisation: Uscc,
    /// The member that holds it.
    #[n(1)]
    pub member: MemberId,
    /// First height at which it counts.
    #[n(2)]
    pub from: Height,
    /// First height at which it counts no more.
    #[n(3)]
    pub until: Option<Height>,
    /// Why it ended.
    #[n(4)]
    pub end: Option<KeyEnd>,
}

impl Key {
    /// Whether it counts at `height` (I3).
    pub fn counts_at(&self, height: Height) -> bool {
        self.from <= height && self.until.is_none_or(|until| height < until)
    }
}

/// How many organisations there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Totals {
    /// Ever admitted.
    #[n(0)]
    pub organisations: u32,
    /// Those that may vote now: with a vote, and not suspended.
    #[n(1)]
    pub voters: u32,
}
