//! Four departments, each with a validator, on the loopback network.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use zhulian_crypto::{Algorithm, SigningKey, sha256, sm3};
use zhulian_execution::{Call as _, Class, Role, Roles};
use zhulian_modules::{
    Genesis,
    evidence::{Deposit, DepositBatch, Details, File, LegalBasis, SourceType},
    governance::{EPOCH_BLOCKS, GenesisValidator, Parameters},
    identity::{FirstMember, Founding, Kind, MemberId, MemberKey, OrganisationName, Uscc},
    rulepack::{Decide, Fact, PackId},
};
use zhulian_node::{
    Config, Node,
    config::{Gateway, Log, MempoolLimits, Pace, StateSync},
};
use zhulian_primitives::{Call, codec, sign};

/// A city in a directory of its own.
pub struct City {
    pub directory: tempfile::TempDir,
    pub genesis: Genesis,
    pub validators: Vec<SigningKey>,
    addresses: Vec<SocketAddr>,
}

fn secret(kind: u8, n: usize) -> SigningKey {
    SigningKey::from_secret(Algorithm::EdDsa, &[kind.wrapping_mul(31).wrapping_add(n as u8 + 1); 32]).unwrap()
}

/// The officer of the n-th organisation.
pub fn officer(n: usize) -> SigningKey {
    secret(5, n)
}

pub fn code(n: usize) -> Uscc {
    Uscc::complete(&format!("11330100MB0F0{n:04}")).unwrap()
}

/// Addresses that nobody listens on at this moment.
fn addresses(count: usize) -> Vec<SocketAddr> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap()).collect()
}

impl City {
    pub fn new() -> Self {
        Self::founded(EPOCH_BLOCKS, 4)
    }

    /// A city with epochs of so many blocks and so many organisations, of which the first four vote and validate. There are keys and
    /// addresses for two more nodes.
    pub fn founded(epoch_blocks: u64, organisations: usize) -> Self {
        let validators: Vec<_> = (0..6).map(|n| secret(9, n)).collect();
        let member = |n: usize, kind: u8, id: &str, role| FirstMember {
            member: MemberId::parse(id).unwrap(),
            kind: Kind::Person,
            roles: Roles::of(&[role]),
            keys: vec![MemberKey(secret(kind, n).public_key())],
        };
        let founding = |n: usize| Founding {
            organisation: code(n),
            class: Class::Government,
            zh: OrganisationName::parse(["市大数据局", "市公安局", "市税务局", "市档案馆", "市图书馆"][n]).unwrap(),
            en: None,
            votes: n < 4,
            members: vec![
                member(n, 1, "system-admin", Role::SystemAdmin),
                member(n, 2, "security-admin", Role::SecurityAdmin),
                member(n, 3, "audit-admin", Role::AuditAdmin),
                member(n, 4, "representative", Role::Representative),
                member(n, 5, "officer", Role::Officer),
            ],
        };
        let validator = |(n, key): (usize, &SigningKey)| GenesisValidator {
            name: OrganisationName::parse(["大数据局", "公安局", "税务局", "档案馆"][n]).unwrap(),
            organisation: code(n),
            public_key: key.public_key().as_bytes().try_into().unwrap(),
        };
        let genesis = Genesis::new(
            "测试城",
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64,
            validators.iter().enumerate().take(4).map(validator).collect(),
            (0..organisations).map(founding).collect(),
            Parameters::default(),
        )
        .and_then(|genesis| genesis.with_epoch_blocks(epoch_blocks))
        .unwrap();
        let directory = tempfile::tempdir().unwrap();
        Self { directory, genesis, validators, addresses: addresses(6) }
    }

    /// The same city before its first vote on a protocol.
    pub fn of_protocol_1(self) -> Self {
        Self { genesis: self.genesis.with_protocol(1).unwrap(), ..self }
    }

    pub fn path(&self, n: usize) -> PathBuf {
        self.directory.path().join(format!("node{n}"))
    }

    pub fn config(&self, n: usize, indexed: bool) -> Config {
        let key = |n: usize| self.validators[n].public_key().to_string();
        Config {
            directory: self.path(n),
            genesis: "genesis.cbor".into(),
            key: "key.json".into(),
            listen: self.addresses[n],
            peers: (0..4).map(|n| (key(n), self.addresses[n].to_string())).collect::<BTreeMap<_, _>>(),
            gateway: indexed.then(|| Gateway { listen: "127.0.0.1:0".parse().unwrap(), ..Default::default() }),
            any_source_address: false,
            threads: Some(2),
            mempool: MempoolLimits::default(),
            pace: Pace { block_interval_ms: 25, heartbeat_ms: 500 },
            state_sync: StateSync::Never,
            archive: None,
            page_cache_mib: 8,
            protocol_max: None,
            log: Log::default(),
        }
    }

    pub fn start(&self, n: usize, indexed: bool) -> Node {
        Node::start(&self.config(n, indexed), &self.genesis, &self.validators[n]).unwrap()
    }

    /// The key of the n-th node.
    pub fn validator(&self, n: usize) -> [u8; 32] {
        self.validators[n].public_key().as_bytes().try_into().unwrap()
    }

    /// Where others reach the n-th node.
    pub fn address(&self, n: usize) -> String {
        self.addresses[n].to_string()
    }

    /// A call of governance, signed by the representative of an organisation.
    pub fn governs<C: zhulian_execution::Call>(&self, organisation: usize, call: &C, n: u64, valid_until: u64) -> Vec<u8> {
        let mut nonce = [200 + organisation as u8; 16];
        nonce[..8].copy_from_slice(&n.to_be_bytes());
        let (chain, args) = (self.genesis.chain_id(), codec::to_bytes(call));
        let call = Call { chain, module: "governance", call: C::NAME, args: &args, nonce, valid_until };
        sign(&call, &secret(4, organisation))
    }

    /// A decision on facts, by a key: of an officer, or of nobody.
    pub fn decision(&self, key: &SigningKey, n: u8, values: &[String]) -> Vec<u8> {
        let fact =
            |(at, value): (usize, &String)| Fact { name: format!("f{at:02}"), value: value.clone(), commitment: None };
        let facts = values.iter().enumerate().map(fact).collect();
        let pack = PackId::parse("fees").unwrap();
        let args = codec::to_bytes(&Decide { pack, version: None, decision: "fee".into(), facts, subject: None });
        let (chain, nonce) = (self.genesis.chain_id(), [n; 16]);
        let call = Call { chain, module: "rulepack", call: Decide::NAME, args: &args, nonce, valid_until: 500 };
        sign(&call, key)
    }

    /// A signed deposit of a small file that is another for each number.
    pub fn deposit(&self, organisation: usize, n: u64, valid_until: u64) -> Vec<u8> {
        self.entrusted(organisation, n, valid_until, None)
    }

    /// A signed deposit of a batch with these entries.
    pub fn deposit_batch(&self, organisation: usize, entries: &[Vec<u8>], valid_until: u64) -> Vec<u8> {
        let root = zhulian_ledger::merkle::root(entries);
        let details = Details::new(SourceType::File, LegalBasis::parse("电子签名法 第七条").unwrap());
        let args = codec::to_bytes(&DepositBatch { root, count: entries.len() as u64, details });
        let (chain, nonce) = (self.genesis.chain_id(), [100 + organisation as u8; 16]);
        let call = Call { chain, module: "evidence", call: DepositBatch::NAME, args: &args, nonce, valid_until };
        sign(&call, &officer(organisation))
    }

    /// The same of a thing that a custodian has.
    pub fn entrusted(&self, organisation: usize, n: u64, valid_until: u64, custodian: Option<Uscc>) -> Vec<u8> {
        let content = format!("file {n}");
        let chunks_root = zhulian_ledger::merkle::root(&[content.as_bytes()]);
        let file = File {
            sha256: sha256(content.as_bytes()),
            sm3: sm3(content.as_bytes()),
            size: content.len() as u64,
            chunks_root,
        };
        let basis = LegalBasis::parse("电子签名法 第七条").unwrap();
        let details = Details { custodian, ..Details::new(SourceType::File, basis) };
        let args = codec::to_bytes(&Deposit { file, details });
        let mut nonce = [organisation as u8; 16];
        nonce[..8].copy_from_slice(&n.to_be_bytes());
        let chain = self.genesis.chain_id();
        sign(
            &Call { chain, module: "evidence", call: Deposit::NAME, args: &args, nonce, valid_until },
            &officer(organisation),
        )
    }
}

/// Everything below a directory, in bytes.
pub fn size(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().map_or(0, |m| m.len()) })
        .sum()
}
