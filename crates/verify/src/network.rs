//! The network identity file: the one thing a verifier must have got from a source it trusts.

use std::{marker::PhantomData, num::NonZeroU64};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use zhulian_primitives::{Network, NetworkError, Validator};

/// What the `format` field says.
pub const NETWORK_FORMAT: &str = "zhulian-network/1";
/// Bytes of the largest identity file that is read.
const BYTES_MAX: usize = 1 << 20;

/// Why a text is no network identity.
#[derive(Debug, thiserror::Error)]
pub enum NetworkFileError {
    /// Beyond 1 MiB.
    #[error("the network identity is larger than 1 MiB")]
    TooLarge,
    /// Not JSON of the expected shape: a field is missing, unknown or doubled, or of the wrong type.
    #[error("not a network identity: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Another format or version.
    #[error("the format is not {NETWORK_FORMAT:?}")]
    Format,
    /// Not 64 lower-case hexadecimal digits.
    #[error("{0} is not 64 lower-case hexadecimal digits")]
    Hex(&'static str),
    /// The validators are no good.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    name: String,
    chain: String,
    /// Absent for the validators of genesis.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "stated")]
    epoch: Option<NonZeroU64>,
    #[serde(deserialize_with = "objects")]
    validators: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    organisation: String,
    public_key: String,
}

/// A field that may be absent, but not `null`.
fn stated<'de, D: Deserializer<'de>>(from: D) -> Result<Option<NonZeroU64>, D::Error> {
    NonZeroU64::deserialize(from).map(Some)
}

/// What is written as an object. Derived code takes a list of the fields' values, too, and this format has one form only.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

fn objects<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Entry>, D::Error> {
    let entries = Vec::<Object<Entry>>::deserialize(from)?;
    Ok(entries.into_iter().map(|Object(entry)| entry).collect())
}

/// Reads a network identity strictly and checks it.
pub fn parse_network(text: &str) -> Result<Network, NetworkFileError> {
    if text.len() > BYTES_MAX {
        return Err(NetworkFileError::TooLarge);
    }
    let Object(file) = serde_json::from_str::<Object<File>>(text)?;
    if file.format != NETWORK_FORMAT {
        return Err(NetworkFileError::Format);
    }
    let validator = |entry: Entry| {
        let public_key = digits(&entry.public_key).ok_or(NetworkFileError::Hex("public_key"))?;
        Ok(Validator { name: entry.name, organisation: entry.organisation, public_key })
    };
    let network = Network {
        name: file.name,
        epoch: file.epoch.map_or(0, NonZeroU64::get),
        chain: digits(&file.chain).ok_or(NetworkFileError::Hex("chain"))?,
        validators: file.validators.into_iter().map(validator).collect::<Result<_, NetworkFileError>>()?,
    };
    network.check()?;
    Ok(network)
}

/// The identity as a file's text, ending with a line feed.
pub fn print_network(network: &Network) -> String {
    let validator = |v: &Validator| Entry {
        name: v.name.clone(),
        organisation: v.organisation.clone(),
        public_key: hex::encode(v.public_key),
    };
    let file = File {
        format: NETWORK_FORMAT.into(),
        name: network.name.clone(),
        chain: hex::encode(network.chain),
        epoch: NonZeroU64::new(network.epoch),
        validators: network.validators.iter().map(validator).collect(),
    };
    let mut text = serde_json::to_string_pretty(&file).expect("strings serialise");
    text.push('\n');
    text
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let lower = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if lower { hex::decode(text).ok()?.try_into().ok() } else { None }
}
