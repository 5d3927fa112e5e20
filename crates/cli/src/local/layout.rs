//! The files of a network that is founded here: genesis, identity, keys, and a configuration for each node.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use zeroize::Zeroizing;
use zhulian_crypto::{Algorithm, PublicKey, SigningKey};
use zhulian_execution::{Role, Roles};
use zhulian_modules::{
    governance::{EPOCH_BLOCKS, Genesis, GenesisValidator, Parameters},
    identity::{FirstMember, Founding, Kind, MemberId, MemberKey, OrganisationName, Uscc},
};
use zhulian_node::config::{Config, Gateway};
use zhulian_primitives::PROTOCOL_NEWEST;

use super::plan::{OrganisationPlan, Plan, parse_class};
use crate::{
    failure::{Exit, Failure, Result},
    home::KEY_ENDING,
    keyfile::{Cost, KeyFile},
    private_file,
    text::Text,
};

/// The secrets of a new network.
pub struct Secrets {
    /// Keys of validators, in the order of the plan's validators.
    pub validators: Vec<SigningKey>,
    /// Keys of members that had none, named `handle.member`.
    pub members: Vec<(String, SigningKey)>,
}

/// A network that is founded: what is public, and what is not.
pub struct Layout {
    /// The genesis document.
    pub genesis: Genesis,
    /// The plan it came from.
    pub plan: Plan,
    /// Its secrets.
    pub secrets: Secrets,
}

/// Where a node's files are.
#[derive(Clone, Debug)]
pub struct NodeFiles {
    /// Its directory.
    pub dir: PathBuf,
    /// Its configuration.
    pub config: PathBuf,
    /// Its validator's key.
    pub key: PathBuf,
}

impl NodeFiles {
    /// The files of a node in a directory.
    pub fn of(dir: PathBuf) -> Self {
        Self { config: dir.join("node.json"), key: dir.join(format!("validator.{KEY_ENDING}")), dir }
    }
}

impl Layout {
    /// Founds a network: makes the keys that the plan lacks, and the genesis document.
    ///
    /// # Errors
    /// When the plan makes no valid genesis.
    pub fn found(plan: Plan, time_ms: u64) -> Result<Self> {
        plan.check()?;
        let mut secrets = Secrets { validators: Vec::new(), members: Vec::new() };
        let (mut validators, mut foundings) = (Vec::new(), Vec::new());
        for organisation in &plan.organisations {
            let founding = founding(organisation, &mut secrets.members)?;
            if organisation.validator {
                let key = SigningKey::generate(Algorithm::EdDsa);
                let PublicKey::EdDsa(public_key) = key.public_key() else { return Err(unfounded("Ed25519")) };
                secrets.validators.push(key);
                validators.push(GenesisValidator {
                    name: founding.zh.clone(),
                    organisation: founding.organisation,
                    public_key,
                });
            }
            foundings.push(founding);
        }
        let genesis = Genesis::new(&plan.name, time_ms, validators, foundings, Parameters::default())
            .and_then(|genesis| genesis.with_epoch_blocks(plan.epoch_blocks.unwrap_or(EPOCH_BLOCKS)))
            .and_then(|genesis| genesis.with_protocol(plan.protocol.unwrap_or(PROTOCOL_NEWEST)))
            .map_err(|error| unfounded(&error.to_string()))?;
        Ok(Self { genesis, plan, secrets })
    }

    /// Writes `genesis.cbor` and `network.json`, which are public.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_public(&self, dir: &Path) -> Result<()> {
        private_file::write_public(&dir.join("genesis.cbor"), &self.genesis.encode())?;
        let identity = zhulian_verify::print_network(&self.genesis.network());
        private_file::write_public(&dir.join("network.json"), identity.as_bytes())
    }

    /// Writes the members' keys, of all organisations or of one, under one passphrase.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_members(&self, dir: &Path, only: Option<&str>, passphrase: &str) -> Result<()> {
        private_file::create_dir(dir)?;
        let wanted = |name: &str| only.is_none_or(|handle| name.split('.').next() == Some(handle));
        let keys: Vec<_> = self.secrets.members.iter().filter(|(name, _)| wanted(name)).collect();
        keys.par_iter()
            .try_for_each(|(name, key)| write_private_key(&dir.join(format!("{name}.{KEY_ENDING}")), name, key, passphrase))
    }
}

/// Writes a key under a random passphrase, which needs no stretching: nobody guesses 128 bits.
///
/// # Errors
/// When it cannot be written.
pub fn write_private_key(path: &Path, name: &str, key: &SigningKey, passphrase: &str) -> Result<()> {
    let cost = Cost { memory_kib: 8 * 1024, iterations: 1, lanes: 1 };
    let file = KeyFile::seal(name, key, passphrase, cost).map_err(|error| crate::home::key_failure(path, error))?;
    private_file::replace(path, file.print().as_bytes())
}

/// Writes a validator's key and, beside it, the random passphrase that opens it, so that a node starts unattended.
///
/// # Errors
/// When they cannot be written.
pub fn write_node_key(path: &Path, key: &SigningKey) -> Result<()> {
    let passphrase = random_passphrase();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    write_private_key(path, &name, key, &passphrase)?;
    private_file::replace(&path.with_file_name(PASSPHRASE_FILE), passphrase.as_bytes())
}

/// The file beside a node's key that holds its passphrase.
pub const PASSPHRASE_FILE: &str = "passphrase";

/// A passphrase of 128 random bits.
///
/// # Panics
/// When the operating system has no randomness to give.
pub fn random_passphrase() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 16]);
    getrandom::fill(&mut bytes[..]).expect("the operating system gives randomness");
    Zeroizing::new(hex::encode(&bytes[..]))
}

/// A node's configuration. Paths are relative to the file.
pub fn node_config(
    listen: SocketAddr,
    gateway: SocketAddr,
    public_url: Option<String>,
    peers: BTreeMap<String, String>,
    genesis: &Path,
) -> Config {
    Config {
        directory: "data".into(),
        genesis: genesis.into(),
        key: format!("validator.{KEY_ENDING}").into(),
        listen,
        peers,
        gateway: Some(Gateway { listen: gateway, public_url, ..Default::default() }),
        any_source_address: false,
        threads: None,
        mempool: Default::default(),
        pace: Default::default(),
        state_sync: Default::default(),
        archive: None,
        page_cache_mib: 32,
        protocol_max: None,
        log: Default::default(),
    }
}

/// An organisation to be admitted, from its description; every member must have its key.
///
/// # Errors
/// When something in it is not valid, or a key is missing.
pub fn founding_of(plan: &OrganisationPlan) -> Result<Founding> {
    if let Some(member) = plan.members.iter().find(|member| member.public_key.is_none()) {
        return Err(unfounded(&format!("{}.{}: public_key is missing", plan.handle, member.member)));
    }
    let founding = founding(plan, &mut Vec::new())?;
    founding.check().map_err(|error| unfounded(&format!("{error:?}")))?;
    Ok(founding)
}

fn founding(plan: &OrganisationPlan, keys: &mut Vec<(String, SigningKey)>) -> Result<Founding> {
    let name = |text: &str| OrganisationName::parse(text).map_err(|error| unfounded(&format!("{error:?}")));
    let mut members = Vec::with_capacity(plan.members.len());
    for member in &plan.members {
        let key = match &member.public_key {
            Some(text) => text.parse().map_err(|error| unfounded(&format!("{}.{}: {error}", plan.handle, member.member)))?,
            None => {
                let key = SigningKey::generate(Algorithm::EdDsa);
                let public = key.public_key();
                keys.push((format!("{}.{}", plan.handle, member.member), key));
                public
            }
        };
        let roles: Vec<Role> = member.roles.iter().filter_map(|role| Role::parse(role)).collect();
        members.push(FirstMember {
            member: MemberId::parse(&member.member).map_err(|error| unfounded(&format!("{error:?}")))?,
            kind: Kind::Person,
            roles: Roles::of(&roles),
            keys: vec![MemberKey(key)],
        });
    }
    Ok(Founding {
        organisation: Uscc::parse(&plan.uscc).map_err(|error| unfounded(&format!("{error:?}")))?,
        class: parse_class(&plan.class).ok_or_else(|| unfounded(&plan.class))?,
        zh: name(&plan.zh)?,
        en: plan.en.as_deref().map(name).transpose()?,
        votes: plan.votes,
        members,
    })
}

fn unfounded(why: &str) -> Failure {
    Failure::new(Exit::Usage, "plan", Text::fixed("按此方案无法创建网络", "no network can be founded by this plan"))
        .why(why.to_string())
        .next(Text::fixed("修改方案后重试", "correct the plan and try again"))
}
