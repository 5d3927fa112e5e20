//! The city that is simulated: its genesis document, keys, and what its departments sign.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zhulian_crypto::{Algorithm, SigningKey, sha256, sm3};
use zhulian_execution::{Call as _, Class, Role, Roles};
use zhulian_ledger::merkle;
use zhulian_modules::{
    Genesis,
    evidence::{Deposit, Details, File, LegalBasis, SourceType, Subject, Withdraw, WithdrawReason},
    governance::{Action, Address, CastBallot, GenesisValidator, OpenMotion, Parameters, Seat},
    identity::{FirstMember, Founding, Kind, MemberId, MemberKey, OrganisationName, Uscc},
};
use zhulian_primitives::{Call, ChainId, Height, codec, sign};

/// Validators at genesis, and departments that run one each.
pub const VALIDATORS: usize = 4;

/// Nodes at most: those, and one that is voted in.
pub const NODES: usize = VALIDATORS + 1;

/// The node that is voted in.
pub const NEWCOMER: usize = VALIDATORS;

/// When every simulation begins, in milliseconds.
pub const BEGIN: u64 = 1_780_272_000_000;

/// The same for the runtime.
pub fn begin() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(BEGIN)
}

/// The code of the n-th department.
pub fn code(n: usize) -> Uscc {
    Uscc::complete(&format!("11330100MB0F0{n:04}")).expect("a code")
}

fn key(kind: u8, n: usize) -> SigningKey {
    SigningKey::from_secret(Algorithm::EdDsa, &[kind * 16 + n as u8 + 1; 32]).expect("any 32 bytes are a secret")
}

/// The city.
pub struct City {
    /// Its genesis document.
    pub genesis: Genesis,
    /// Its identity.
    pub chain: ChainId,
    /// Secrets of the nodes: of the first validators in the order of their public keys, then the newcomer's.
    pub secrets: Vec<[u8; 32]>,
    officers: Vec<SigningKey>,
    representatives: Vec<SigningKey>,
    stranger: SigningKey,
}

impl City {
    /// The one city that all simulations are about, or the one in which validators change: it has a department more, and a key for the
    /// validator which that is to run.
    pub fn new(changes: bool) -> Self {
        let departments = VALIDATORS + usize::from(changes);
        let mut validators: Vec<SigningKey> = (0..VALIDATORS).map(|n| key(9, n)).collect();
        validators.sort_by_key(|key| key.public_key().as_bytes().to_vec());
        let names = ["大数据局", "公安局", "税务局", "档案馆", "民政局"];
        let name = |n: usize| OrganisationName::parse(names[n]).expect("a name");
        let member = |n: usize, kind: u8, id: &str, role| FirstMember {
            member: MemberId::parse(id).expect("a member"),
            kind: Kind::Person,
            roles: Roles::of(&[role]),
            keys: vec![MemberKey(key(kind, n).public_key())],
        };
        let founding = |n: usize| Founding {
            organisation: code(n),
            class: Class::Government,
            zh: name(n),
            en: None,
            votes: true,
            members: vec![
                member(n, 1, "system-admin", Role::SystemAdmin),
                member(n, 2, "security-admin", Role::SecurityAdmin),
                member(n, 3, "audit-admin", Role::AuditAdmin),
                member(n, 4, "representative", Role::Representative),
                member(n, 5, "officer", Role::Officer),
            ],
        };
        let validator = |(n, key): (usize, &SigningKey)| GenesisValidator {
            name: name(n),
            organisation: code(n),
            public_key: key.public_key().as_bytes().try_into().expect("32 bytes"),
        };
        let newcomer = || *key(9, NEWCOMER).secret();
        let genesis = Genesis::new(
            "simulated city",
            BEGIN,
            validators.iter().enumerate().map(validator).collect(),
            (0..departments).map(founding).collect(),
            Parameters::default(),
        )
        // Short, so that faults meet the ends of epochs.
        .and_then(|genesis| genesis.with_epoch_blocks(16))
        .expect("a city");
        Self {
            chain: genesis.chain_id(),
            genesis,
            secrets: validators.iter().map(|key| *key.secret()).chain(changes.then(newcomer)).collect(),
            officers: (0..VALIDATORS).map(|n| key(5, n)).collect(),
            representatives: (0..departments).map(|n| key(4, n)).collect(),
            stranger: key(14, 0),
        }
    }

    /// Departments that vote.
    pub fn departments(&self) -> usize {
        self.representatives.len()
    }

    /// The newcomer is to become a validator.
    pub fn addition(&self) -> Action {
        Action::AddValidator(Seat {
            name: OrganisationName::parse("民政局").expect("a name"),
            organisation: code(NEWCOMER),
            public_key: key(9, NEWCOMER).public_key().as_bytes().try_into().expect("32 bytes"),
            address: Some(Address::parse("127.0.0.1:1").expect("an address")),
        })
    }

    /// A validator of genesis is to be one no longer.
    pub fn removal(&self, index: usize) -> Action {
        Action::RemoveValidator(code(index), self.genesis.network().validators[index].public_key)
    }

    /// A representative opens a motion.
    pub fn motion(&self, department: usize, action: &Action, nonce: u64, valid_until: Height) -> Vec<u8> {
        let args = codec::to_bytes(&OpenMotion { action: action.clone() });
        self.governance(department, OpenMotion::NAME, &args, nonce, valid_until)
    }

    /// A representative votes for a motion.
    pub fn ballot(&self, department: usize, motion: u32, nonce: u64, valid_until: Height) -> Vec<u8> {
        let args = codec::to_bytes(&CastBallot { motion, approve: true });
        self.governance(department, CastBallot::NAME, &args, nonce, valid_until)
    }

    fn governance(&self, department: usize, call: &str, args: &[u8], nonce: u64, valid_until: Height) -> Vec<u8> {
        let call = Call { module: "governance", call, ..self.deposit_call(args, nonce, valid_until, self.chain) };
        sign(&call, &self.representatives[department])
    }

    /// An officer's signed call.
    fn call(&self, department: usize, call: &Call<'_>) -> Vec<u8> {
        sign(call, &self.officers[department])
    }

    /// A deposit of the file with this number.
    pub fn deposit(&self, department: usize, file: u64, nonce: u64, valid_until: Height) -> Vec<u8> {
        self.call(department, &self.deposit_call(&arguments(file), nonce, valid_until, self.chain))
    }

    /// The same for another network.
    pub fn stray(&self, department: usize, file: u64, nonce: u64, valid_until: Height) -> Vec<u8> {
        self.call(department, &self.deposit_call(&arguments(file), nonce, valid_until, [8; 32]))
    }

    /// The same by a key that nobody has registered.
    pub fn strange(&self, file: u64, nonce: u64, valid_until: Height) -> Vec<u8> {
        sign(&self.deposit_call(&arguments(file), nonce, valid_until, self.chain), &self.stranger)
    }

    /// Withdraws the first deposit of a file, whoever made it, if anybody did.
    pub fn withdraw(&self, department: usize, file: u64, nonce: u64, valid_until: Height) -> Vec<u8> {
        let subject = Subject::File(sha256(&content(file)), 0);
        let args = codec::to_bytes(&Withdraw { subject, reason: WithdrawReason::Other });
        let call = Call { call: Withdraw::NAME, ..self.deposit_call(&args, nonce, valid_until, self.chain) };
        self.call(department, &call)
    }

    fn deposit_call<'a>(&self, args: &'a [u8], nonce: u64, valid_until: Height, chain: ChainId) -> Call<'a> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&nonce.to_be_bytes());
        Call { chain, module: "evidence", call: Deposit::NAME, args, nonce: bytes, valid_until }
    }
}

fn content(file: u64) -> Vec<u8> {
    format!("file {file}").into_bytes()
}

fn arguments(file: u64) -> Vec<u8> {
    let content = content(file);
    let chunks_root = merkle::root(&[&content[..]]);
    let file = File { sha256: sha256(&content), sm3: sm3(&content), size: content.len() as u64, chunks_root };
    let basis = LegalBasis::parse("电子签名法 第七条").expect("a legal basis");
    codec::to_bytes(&Deposit { file, details: Details::new(SourceType::File, basis) })
}
