//! Who and what there is in the tests.

use minicbor::{Decode, Encode};
use zhulian_crypto::{Algorithm, PublicKey, SigningKey, sha256};
use zhulian_execution::{Allowed, Call, CallEntry, Class, Context, Event, EventEntry, Executor, Halt, Module, Role, Roles, Text};
use zhulian_gateway::{EvidencePlace, EvidenceRow, HistoryRow};
use zhulian_ledger::{Key, Value};
use zhulian_modules::{
    governance::{self, Genesis, GenesisValidator, Parameters},
    identity::{self, FirstMember, Founding, Kind, MemberId, MemberKey, OrganisationName, Uscc},
};
use zhulian_verify::FileRecord;

use crate::memory::{self, Index, Reader, Row};

const T: Text = Text { en: "", zh: "" };
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Details {
    #[n(0)]
    pub n: u64,
}
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Deposit {
    #[n(0)]
    pub file: FileRecord,
    #[n(1)]
    pub details: Details,
}
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct DepositBatch {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub root: [u8; 32],
    #[n(1)]
    pub count: u64,
    #[n(2)]
    pub details: Details,
}
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Deposited {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub digest: [u8; 32],
    #[n(1)]
    pub batch: bool,
}
impl Event for Deposited {
    const MODULE: &'static str = "evidence";
    const NAME: &'static str = "deposited";
    const ABOUT: Text = T;
    const CDDL: &'static str = "";
}
impl Call for Deposit {
    const NAME: &'static str = "deposit";
    const ALLOWED: Allowed = Allowed::Member;
    const ABOUT: Text = T;
    const CDDL: &'static str = "";
    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        ctx.emit(&Deposited { digest: self.file.sha256, batch: false });
        Ok(())
    }
}
impl Call for DepositBatch {
    const NAME: &'static str = "deposit_batch";
    const ALLOWED: Allowed = Allowed::Member;
    const ABOUT: Text = T;
    const CDDL: &'static str = "";
    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        ctx.emit(&Deposited { digest: self.root, batch: true });
        Ok(())
    }
}

static MODULE: Module = Module {
    name: "evidence",
    about: T,
    cddl: "",
    calls: &[CallEntry::of::<Deposit>(), CallEntry::of::<DepositBatch>()],
    refusals: &[],
    events: &[EventEntry::of::<Deposited>()],
    state: &[],
};

/// Codes of the four organisations: data bureau, court, bank, notary office.
pub fn codes() -> [Uscc; 4] {
    ["11330100002489559", "11330100002490007", "91330100143022100", "12330100470110061"].map(|first| Uscc::complete(first).unwrap())
}

pub fn court() -> String {
    codes()[1].to_string()
}

fn key(seed: &str) -> SigningKey {
    SigningKey::from_secret(Algorithm::EdDsa, &sha256(seed.as_bytes())).unwrap()
}

/// The court's officer.
pub fn clerk() -> SigningKey {
    key("1 clerk-01")
}

/// The representative of the n-th organisation.
pub fn representative(n: usize) -> SigningKey {
    key(&format!("{n} representative"))
}

/// Keys of the validators, in the order of the organisations.
fn validators() -> Vec<SigningKey> {
    (0..4).map(|n| key(&format!("{n} validator"))).collect()
}

/// The genesis document, and the validators' keys in the order of the network.
pub fn genesis() -> (Genesis, Vec<SigningKey>) {
    let names = ["市大数据局", "市中级人民法院", "市商业银行", "市公证处"];
    let classes = [Class::Government, Class::Judicial, Class::Financial, Class::Social];
    let founding = |n: usize| {
        let member = |id: &str, role| FirstMember {
            member: MemberId::parse(id).unwrap(),
            kind: Kind::Person,
            roles: Roles::of(&[role]),
            keys: vec![MemberKey(key(&format!("{n} {id}")).public_key())],
        };
        Founding {
            organisation: codes()[n],
            class: classes[n],
            zh: OrganisationName::parse(names[n]).unwrap(),
            en: None,
            votes: true,
            members: vec![
                member("system-admin", Role::SystemAdmin),
                member("security-admin", Role::SecurityAdmin),
                member("audit-admin", Role::AuditAdmin),
                member("representative", Role::Representative),
                member("clerk-01", Role::Officer),
            ],
        }
    };
    let mut keys = validators();
    let run_by = |n: usize| GenesisValidator {
        name: OrganisationName::parse(names[n]).unwrap(),
        organisation: codes()[n],
        public_key: keys[n].public_key().as_bytes().try_into().unwrap(),
    };
    let validators = (0..4).map(run_by).collect();
    let organisations = (0..4).map(founding).collect();
    let genesis =
        Genesis::new("珠联·测试城", memory::GENESIS_TIME, validators, organisations, Parameters::default()).unwrap();
    keys.sort_by_key(SigningKey::public_key);
    (genesis, keys)
}

pub fn executor() -> Executor {
    Executor::new(&[&identity::MODULE, &governance::MODULE, &MODULE], identity::DIRECTORY)
}

pub fn reader() -> Reader {
    let organisation = |source: &dyn Fn(&Key) -> Option<Value>, key: &PublicKey| {
        identity::key(&source, &MemberKey(*key)).map(|record| record.organisation.to_string())
    };
    Reader { organisation, index }
}

fn index(index: &mut Index, row: &Row, events: &[zhulian_primitives::Event]) {
    for record in events {
        let Some(event) = Deposited::of(record) else { continue };
        let organisation = row.organisation.clone().unwrap();
        let place = match event.batch {
            false => EvidencePlace::File { sha256: event.digest, sequence: 0 },
            true => EvidencePlace::Batch { root: event.digest, sequence: 0, entry: None },
        };
        let id = row.id.0[..16].try_into().unwrap();
        index.evidence.push(EvidenceRow {
            transaction: row.id,
            position: row.position,
            time: row.time,
            organisation: organisation.clone(),
            place,
        });
        index.history.entry(id).or_default().push(HistoryRow {
            transaction: row.id,
            position: row.position,
            time: row.time,
            organisation,
            event: record.clone(),
        });
    }
}

/// The record of a file with this content.
pub fn file(content: &[u8]) -> FileRecord {
    let mut hasher = zhulian_verify::FileHasher::default();
    hasher.update(content);
    hasher.finish().record
}

/// The arguments of a deposit.
pub fn deposit(content: &[u8]) -> Vec<u8> {
    zhulian_primitives::codec::to_bytes(&Deposit { file: file(content), details: Details { n: 1 } })
}

/// The arguments of a batch deposit.
pub fn deposit_batch(entries: &[Vec<u8>]) -> Vec<u8> {
    let batch = DepositBatch { root: zhulian_ledger::merkle::root(entries), count: entries.len() as u64, details: Details { n: 1 } };
    zhulian_primitives::codec::to_bytes(&batch)
}
