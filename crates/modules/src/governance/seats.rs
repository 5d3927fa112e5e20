//! Who decides blocks: the seats of validators, how they change, and how power is spread over legal entities.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use zhulian_crypto::PublicKey;
use zhulian_primitives::{Protocol, VALIDATORS_MAX, Validator, quorum};

use super::{errors::Error, types::Action};
use crate::identity::{OrganisationName, Uscc};

/// Since this protocol every organisation's share is looked at (G8), and not only the greatest.
const EVERY_SHARE: Protocol = 3;

/// Where a validator is reached: `address:port` or `hostname:port`. Nodes use it where their configuration says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Address(String);

impl Address {
    /// Characters at most.
    pub const LEN_MAX: usize = 255;

    /// The address that a text names.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let address = Self(text.into());
        address.check().map(|()| address)
    }

    fn check(&self) -> Result<(), Error> {
        let good = |(host, port): (&str, &str)| {
            let plain = |host: &str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
            let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let host = bare.map_or_else(
                || plain(host),
                |ip| !ip.is_empty() && ip.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.'),
            ) && !host.is_empty();
            host && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
        };
        match self.0.len() <= Self::LEN_MAX && self.0.rsplit_once(':').is_some_and(good) {
            true => Ok(()),
            false => Err(Error::MalformedValidator),
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A validator's seat.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Seat {
    /// The validator's name, as people know it.
    #[n(0)]
    pub name: OrganisationName,
    /// The organisation that runs it.
    #[n(1)]
    pub organisation: Uscc,
    /// Its Ed25519 key, for votes and for the transport.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub public_key: [u8; 32],
    /// Where it is reached; `None` for those of genesis, whom every configuration names.
    #[n(3)]
    pub address: Option<Address>,
}

impl Seat {
    /// The validator as identities and handovers name it.
    pub fn validator(&self) -> Validator {
        Validator {
            name: self.name.as_str().into(),
            organisation: self.organisation.as_str().into(),
            public_key: self.public_key,
        }
    }

    /// What needs no state: the key is one and the address too.
    pub(super) fn check(&self) -> Result<(), Error> {
        is_key(&self.public_key)?;
        self.address.as_ref().map_or(Ok(()), Address::check)
    }
}

/// Whether a key can be a validator's.
fn is_key(key: &[u8; 32]) -> Result<(), Error> {
    PublicKey::parse(key).map(|_| ()).map_err(|_| Error::MalformedValidator)
}

/// The validators that the state names last: those in force, or those that come with the next epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Seats {
    /// How often they were changed since genesis.
    #[n(0)]
    pub number: u32,
    /// Their first epoch.
    #[n(1)]
    pub epoch: u64,
    /// They, sorted by key.
    #[n(2)]
    pub seats: Vec<Seat>,
    /// Those before, in force while that epoch has not begun.
    #[n(3)]
    pub before: Vec<Seat>,
}

impl Seats {
    /// Those in force in an epoch that has begun.
    pub fn in_force(&self, epoch: u64) -> &[Seat] {
        if epoch >= self.epoch { &self.seats } else { &self.before }
    }

    /// Whether a change waits for the next epoch.
    pub fn is_pending(&self, epoch: u64) -> bool {
        epoch < self.epoch
    }
}

/// What a change of validators leads to, by the rules of a protocol. One seat changes at a time, so that most validators
/// stay.
///
/// # Errors
/// The first rule that it breaks.
pub fn change(seats: &[Seat], action: &Action, protocol: Protocol) -> Result<Vec<Seat>, Error> {
    let mut after = seats.to_vec();
    let place = |seats: &[Seat], key: &[u8; 32]| seats.iter().position(|seat| seat.public_key == *key);
    match action {
        Action::AddValidator(seat) => {
            if place(seats, &seat.public_key).is_some() {
                return Err(Error::ValidatorExists);
            }
            after.push(seat.clone());
        }
        Action::RemoveValidator(organisation, key) => {
            let found = place(seats, key).filter(|place| seats[*place].organisation == *organisation);
            after.remove(found.ok_or(Error::ValidatorNotFound)?);
        }
        Action::RekeyValidator(old, new, address) => {
            let found = place(seats, old).ok_or(Error::ValidatorNotFound)?;
            if place(seats, new).is_some() {
                return Err(Error::ValidatorExists);
            }
            after[found].public_key = *new;
            if address.is_some() {
                after[found].address.clone_from(address);
            }
        }
        _ => {}
    }
    if !(1..=VALIDATORS_MAX).contains(&after.len()) {
        return Err(Error::ValidatorCount);
    }
    after.sort_by_key(|seat| seat.public_key);
    // G8: whoever runs a third can stop the network, alone. A network that begins so may still grow out of it.
    let (had, has) = (Power::of(seats), Power::of(&after));
    let too_much = if protocol >= EVERY_SHARE { someone_grew(&had, &has) } else { the_greatest_grew(&had, &has) };
    if too_much { Err(Error::TooMuchPower) } else { Ok(after) }
}

/// G8 as it was until protocol 2: once one organisation has a third, nobody looks at the second.
fn the_greatest_grew(had: &Power, has: &Power) -> bool {
    has.greatest() * 3 >= has.total && has.greatest() * had.total > had.greatest() * has.total
}

/// G8 since protocol 3: whether an organisation has a third or more, and a greater share than before, by a seat of its own or because
/// another lost one. The first seat of an organisation is none too many: of four seats it is a quarter at most, and a network of
/// fewer, of which each is a third or more, could not grow without.
fn someone_grew(had: &Power, has: &Power) -> bool {
    has.held.iter().any(|(code, count)| {
        let before = had.of_organisation(code);
        count * 3 >= has.total && before > 0 && count * had.total > before * has.total
    })
}

/// Whether an action changes the validators.
pub(super) fn is_change(action: &Action) -> bool {
    matches!(action, Action::AddValidator(_) | Action::RemoveValidator(..) | Action::RekeyValidator(..))
}

/// What an action about validators can be checked for without the state.
pub(super) fn check(action: &Action) -> Result<(), Error> {
    match action {
        Action::AddValidator(seat) if seat.address.is_none() => Err(Error::MalformedValidator),
        Action::AddValidator(seat) => seat.check(),
        Action::RekeyValidator(_, new, address) => {
            is_key(new)?;
            address.as_ref().map_or(Ok(()), Address::check)
        }
        _ => Ok(()),
    }
}

/// How the power over blocks is spread over legal entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Power {
    /// Validators that each organisation runs, the most powerful first, then by code.
    pub held: Vec<(Uscc, usize)>,
    /// All validators.
    pub total: usize,
}

/// How dangerous the greatest share is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concentration {
    /// Every organisation runs less than a quarter.
    Spread,
    /// One runs a quarter or more: to be watched.
    Alarm,
    /// One runs a third or more and can stop the network alone. No vote leads there (G8).
    Excessive,
}

impl Concentration {
    /// Its name in the API and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spread => "spread",
            Self::Alarm => "alarm",
            Self::Excessive => "excessive",
        }
    }
}

impl Power {
    /// The power of these seats.
    pub fn of(seats: &[Seat]) -> Self {
        Self::counted(seats.iter().map(|seat| seat.organisation))
    }

    /// The power of validators that these organisations run, one for each.
    pub fn counted(organisations: impl Iterator<Item = Uscc>) -> Self {
        let mut by_code: BTreeMap<Uscc, usize> = BTreeMap::new();
        for code in organisations {
            *by_code.entry(code).or_default() += 1;
        }
        let total = by_code.values().sum();
        let mut held: Vec<(Uscc, usize)> = by_code.into_iter().collect();
        held.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
        Self { held, total }
    }

    /// Validators of an organisation.
    fn of_organisation(&self, code: &Uscc) -> usize {
        self.held.iter().find(|(found, _)| found == code).map_or(0, |(_, count)| *count)
    }

    /// Validators of the most powerful organisation.
    pub fn greatest(&self) -> usize {
        self.held.first().map_or(0, |(_, count)| *count)
    }

    /// How dangerous the greatest share is.
    pub fn concentration(&self) -> Concentration {
        match self.greatest() {
            held if held * 3 >= self.total => Concentration::Excessive,
            held if held * 4 >= self.total => Concentration::Alarm,
            _ => Concentration::Spread,
        }
    }

    /// The Nakamoto coefficient: how many organisations, the most powerful first, can stop the network together.
    pub fn nakamoto(&self) -> usize {
        let needed = self.total + 1 - quorum(self.total);
        let mut sum = 0;
        let few = self.held.iter().take_while(|(_, count)| {
            let short = sum < needed;
            sum += count;
            short
        });
        few.count()
    }
}
