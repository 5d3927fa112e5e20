//! The genesis document: everything a network starts from (G1).

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use zhulian_crypto::sha256;
use zhulian_execution::{Read, Role};
use zhulian_ledger::{Key, Value};
use zhulian_primitives::{
    ChainId, CodecError, Event, Network, NetworkError, PROTOCOL_FIRST, PROTOCOL_NEWEST, Protocol, Timestamp, Validator,
    codec,
};

use super::{
    protocol::ProtocolPlan,
    seats::{Seat, Seats},
    state,
    types::{NetworkRecord, Parameters},
};
use crate::{
    identity::{self, Founding, OrganisationName, Totals, Uscc},
    text,
};

/// Version of the document's format.
const VERSION: u16 = 1;
const NAME_LEN_MAX: usize = 64;

/// The genesis document. Its bytes are deterministic CBOR; their SHA-256 names the network.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Genesis {
    #[n(0)]
    version: u16,
    /// The network's name.
    #[n(1)]
    pub name: String,
    /// Time of the genesis block.
    #[n(2)]
    pub time: Timestamp,
    /// Its validators, sorted by key.
    #[n(3)]
    pub validators: Vec<GenesisValidator>,
    /// Its first organisations, with members, roles and keys.
    #[n(4)]
    pub organisations: Vec<Founding>,
    /// Its parameters.
    #[n(5)]
    pub parameters: Parameters,
    /// Blocks of an epoch: with each, the validators may change. Fixed for the life of the network.
    #[n(6)]
    pub epoch_blocks: u64,
    /// The protocol that block 1 follows; `None` is the first, as in documents from before there was a choice.
    #[n(7)]
    protocol: Option<Protocol>,
}

/// Blocks of an epoch where nothing else is said: some hours of an idle network, some minutes of a busy one.
pub const EPOCH_BLOCKS: u64 = 4_096;

/// A validator of the genesis document.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct GenesisValidator {
    /// Its name, as people know it.
    #[n(0)]
    pub name: OrganisationName,
    /// The organisation that runs it.
    #[n(1)]
    pub organisation: Uscc,
    /// Its Ed25519 key for votes.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub public_key: [u8; 32],
}

/// Why a genesis document is no good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// Not the one encoding of a document.
    #[error("reading the genesis document: {0}")]
    Encoding(#[from] CodecError),
    /// Of another version.
    #[error("the genesis document has version {0}; this build knows version 1")]
    Version(u16),
    /// The name is empty, too long, or has hidden characters.
    #[error("a network's name has 1 to 64 bytes of visible characters")]
    Name,
    /// The validators are not in order.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A validator of nobody.
    #[error("validator {0} is run by an organisation that the document does not found")]
    ForeignValidator(Uscc),
    /// An organisation twice.
    #[error("organisation {0} is founded twice")]
    DoubledOrganisation(Uscc),
    /// An organisation that may not come in; the slug says why.
    #[error("organisation {0} cannot be founded: {1}")]
    Founding(Uscc, String),
    /// A key of two organisations.
    #[error("a key of organisation {0} is also another's")]
    DoubledKey(Uscc),
    /// A parameter is out of bounds.
    #[error("a parameter is outside of its bounds")]
    Parameters,
    /// Nobody could ever carry a motion.
    #[error("no organisation has both a vote and a representative")]
    NoVoters,
    /// An epoch has too few or too many blocks.
    #[error("an epoch has 10 to 10,000,000 blocks")]
    Epoch,
    /// A protocol that this build does not know.
    #[error("the network begins with protocol {0}; this build founds and runs networks of protocols {first} to {newest}", first = PROTOCOL_FIRST, newest = PROTOCOL_NEWEST)]
    Protocol(Protocol),
    /// More voters than a motion has room for.
    #[error("at most 256 organisations vote")]
    TooManyVoters,
}

impl Genesis {
    /// A checked document of a network that begins with the newest protocol. Validators may come in any order.
    pub fn new(
        name: &str,
        time: Timestamp,
        mut validators: Vec<GenesisValidator>,
        organisations: Vec<Founding>,
        parameters: Parameters,
    ) -> Result<Self, GenesisError> {
        validators.sort_by_key(|validator| validator.public_key);
        Self {
            version: VERSION,
            name: name.into(),
            time,
            validators,
            organisations,
            parameters,
            epoch_blocks: EPOCH_BLOCKS,
            protocol: None,
        }
        .with_protocol(PROTOCOL_NEWEST)
    }

    /// The document with another length of epochs.
    ///
    /// # Errors
    /// When no epoch can have it.
    pub fn with_epoch_blocks(mut self, epoch_blocks: u64) -> Result<Self, GenesisError> {
        self.epoch_blocks = epoch_blocks;
        self.check()?;
        Ok(self)
    }

    /// The document of a network that begins with another protocol, to be founded by offices of which some run an older build.
    ///
    /// # Errors
    /// When this build does not know it.
    pub fn with_protocol(mut self, protocol: Protocol) -> Result<Self, GenesisError> {
        self.protocol = Some(protocol).filter(|protocol| *protocol != PROTOCOL_FIRST);
        self.check()?;
        Ok(self)
    }

    /// The protocol that block 1 follows.
    pub fn protocol(&self) -> Protocol {
        self.protocol.unwrap_or(PROTOCOL_FIRST)
    }

    /// The document's bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::to_bytes(self)
    }

    /// Parses and checks a document.
    pub fn decode(bytes: &[u8]) -> Result<Self, GenesisError> {
        let genesis: Self = codec::from_bytes(bytes)?;
        genesis.check()?;
        Ok(genesis)
    }

    /// What names the network: SHA-256 of the document's bytes.
    pub fn chain_id(&self) -> ChainId {
        sha256(&self.encode())
    }

    /// The identity that verifiers pin.
    pub fn network(&self) -> Network {
        let validators = self.validators.iter().map(|validator| Validator {
            name: validator.name.as_str().into(),
            organisation: validator.organisation.as_str().into(),
            public_key: validator.public_key,
        });
        Network { name: self.name.clone(), chain: self.chain_id(), epoch: 0, validators: validators.collect() }
    }

    /// The state at genesis.
    pub fn state(&self) -> BTreeMap<Key, Value> {
        let network = NetworkRecord {
            name: self.name.clone(),
            time: self.time,
            validators: self.validators.clone(),
            epoch_blocks: self.epoch_blocks,
        };
        let seat = |validator: &GenesisValidator| Seat {
            name: validator.name.clone(),
            organisation: validator.organisation,
            public_key: validator.public_key,
            address: None,
        };
        let seats = Seats { number: 0, epoch: 0, seats: self.validators.iter().map(seat).collect(), before: Vec::new() };
        let voters = self.organisations.iter().filter(|founding| founding.votes).count() as u32;
        let totals = Totals { organisations: self.organisations.len() as u32, voters };
        let mut state = BTreeMap::from([
            state::NETWORK.entry(&(), &network),
            state::SEATS.entry(&(), &seats),
            state::PARAMETERS.entry(&(), &self.parameters),
            identity::TOTALS.entry(&(), &totals),
        ]);
        if let Some(protocol) = self.protocol {
            state.extend([state::PROTOCOL.entry(&(), &ProtocolPlan::of(protocol))]);
        }
        for (n, founding) in (0..).zip(&self.organisations) {
            state.extend(identity::admit_entries(founding, n, 0));
        }
        state
    }

    /// What the document makes happen at height 0, for an index that is built from events.
    pub fn events(&self) -> Vec<Event> {
        self.organisations.iter().flat_map(|founding| founding.events(0)).collect()
    }

    fn check(&self) -> Result<(), GenesisError> {
        if self.version != VERSION {
            return Err(GenesisError::Version(self.version));
        }
        if !text::is_plain(&self.name, NAME_LEN_MAX) || text::is_personal(&self.name) {
            return Err(GenesisError::Name);
        }
        self.network().check()?;
        let (mut codes, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for founding in &self.organisations {
            let code = founding.organisation;
            if !codes.insert(code) {
                return Err(GenesisError::DoubledOrganisation(code));
            }
            founding.check().map_err(|error| GenesisError::Founding(code, format!("{error:?}")))?;
            if !founding.keys().all(|key| keys.insert(*key)) {
                return Err(GenesisError::DoubledKey(code));
            }
        }
        if let Some(foreign) = self.validators.iter().find(|validator| !codes.contains(&validator.organisation)) {
            return Err(GenesisError::ForeignValidator(foreign.organisation));
        }
        self.parameters.check().map_err(|_| GenesisError::Parameters)?;
        if !(10..=10_000_000).contains(&self.epoch_blocks) {
            return Err(GenesisError::Epoch);
        }
        // The first is said by saying nothing, so that a document has one encoding.
        if let Some(protocol) = self.protocol.filter(|it| !(PROTOCOL_FIRST + 1..=PROTOCOL_NEWEST).contains(it)) {
            return Err(GenesisError::Protocol(protocol));
        }
        let voters: Vec<&Founding> = self.organisations.iter().filter(|founding| founding.votes).collect();
        if voters.len() > identity::VOTERS_MAX as usize {
            return Err(GenesisError::TooManyVoters);
        }
        let represented = |founding: &&Founding| founding.members.iter().any(|m| m.roles.has(Role::Representative));
        if voters.iter().any(represented) { Ok(()) } else { Err(GenesisError::NoVoters) }
    }
}
