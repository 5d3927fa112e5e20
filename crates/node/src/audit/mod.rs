//! The audit of a stopped node: every block executed again from the genesis document, and everything that is stored compared with that.
//!
//! It believes the pinned network identity and the genesis document, which it must name, and nothing that the node says. It works on a
//! copy, since opening a store repairs it, and a repair is what an auditor must not do unseen.
//!
//! What it cannot see: that the newest blocks were cut off together with their certificates, state and index. A chain's end is
//! therefore told, to be compared with another node's or with a receipt's height.

mod copy;
mod fault;
mod index;
mod inject;
mod walk;

use std::path::Path;

use serde::{Deserialize, Serialize};
use zhulian_engine::{Limits, audit as stores};
use zhulian_modules::Genesis;
use zhulian_primitives::{Height, Network, Timestamp};

pub use copy::{Parts, copy_record};
pub use fault::{Fault, Faults, KEPT_MAX, What};
pub use inject::{Injection, Kind, inject};

/// What is examined, and against what.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The network's genesis document.
    pub genesis: &'a Genesis,
    /// The identity that the auditor trusts.
    pub network: &'a Network,
    /// The node's archive of old blocks, if it has one; it is only read.
    pub archive: Option<&'a Path>,
    /// The range of block times that is counted: at or after, before.
    pub range: (Option<Timestamp>, Option<Timestamp>),
}

/// A block's place and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its height.
    pub height: Height,
    /// Its time.
    pub time: Timestamp,
    /// Digest of its header.
    #[serde(with = "digest")]
    pub digest: [u8; 32],
}

/// What blocks hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Blocks.
    pub blocks: u64,
    /// Transactions.
    pub transactions: u64,
    /// Deposits, a batch counted once.
    pub deposits: u64,
    /// Pieces of evidence, entries of batches counted one by one.
    pub pieces: u64,
    /// The first block.
    pub first: Option<Mark>,
    /// The last one.
    pub last: Option<Mark>,
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// What is wrong; empty when all is whole.
    pub faults: Faults,
    /// The whole chain.
    pub chain: Counts,
    /// The asked range of it.
    pub range: Counts,
    /// Blocks that were executed again and gave what they state.
    pub executed: u64,
    /// Certificates that verify.
    pub certificates: u64,
    /// Entries of the node's state that were compared and proven, and the height of that state.
    pub state: Option<(u64, Height)>,
    /// Rows of the index that were compared, and the height of the index.
    pub index: Option<(u64, Height)>,
    /// Blocks at the end of the chain that the index had yet to take in when the node was stopped. What it has of the others was compared.
    #[serde(default)]
    pub index_lacks: u64,
    /// Uploaded batches whose entries give the deposited root.
    pub batches: u64,
}

/// Audits a copy of a node's record, made by [`copy_record`]; the copy is written to. `progress` is told height and last height.
pub fn audit(copy: &Path, subject: Subject<'_>, progress: impl FnMut(Height, Height) + Send) -> Findings {
    let Subject { genesis, network, .. } = subject;
    let mut findings = Findings::default();
    // The chain's identity is the hash of the genesis document, whatever epoch the pinned validators are of.
    if genesis.chain_id() != network.chain {
        let (pinned, given) = (hex::encode(network.chain), hex::encode(genesis.chain_id()));
        findings.faults.add(None, What::Identity, format!("chain {pinned}"), format!("genesis document of chain {given}"));
        return findings;
    }
    if network.epoch == 0 && network.validators != genesis.network().validators {
        let digest = |network: &Network| hex::encode(network.validators_digest());
        let (pinned, given) = (digest(network), digest(&genesis.network()));
        let expected = format!("the pinned validators of epoch 0, digest {pinned}");
        findings.faults.add(None, What::Identity, expected, format!("those of the genesis document, digest {given}"));
        return findings;
    }
    let lost = copy::lost_halves(copy).unwrap_or_else(|error| vec![error.to_string()]);
    let walked = stores::open(setup(copy, subject), |stores| walk::walk(copy, stores, subject, progress));
    match walked {
        Ok(walked) => {
            findings = walked;
            let ends_in = findings.chain.last.as_ref().map_or(0, |last| (last.height + 1) / genesis.epoch_blocks);
            if network.epoch > ends_in {
                let expected = format!("a record that comes to epoch {}, whose validators are pinned", network.epoch);
                findings.faults.add(None, What::Identity, expected, format!("one that ends before epoch {}", ends_in + 1));
            }
        }
        Err(error) => findings.faults.add(None, What::Archive, "an archive of blocks and certificates", error),
    }
    for file in lost {
        findings.faults.add(None, What::File, file, "no such file");
    }
    findings
}

/// Whether a node uses this directory at the moment.
pub fn is_running(directory: &Path) -> bool {
    stores::in_use(&Parts::of(directory).chain)
}

fn setup(copy: &Path, Subject { genesis, archive, .. }: Subject<'_>) -> stores::Setup {
    stores::Setup {
        directory: Parts::of(copy).chain,
        network: genesis.network(),
        genesis_time: genesis.time,
        genesis_state: genesis.state(),
        limits: Limits::default(),
        cold: archive.map(Path::to_path_buf),
    }
}

/// Digests as hexadecimal text.
mod digest {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(digest: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(digest))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let mut digest = [0; 32];
        hex::decode_to_slice(String::deserialize(from)?, &mut digest).map_err(D::Error::custom)?;
        Ok(digest)
    }
}
