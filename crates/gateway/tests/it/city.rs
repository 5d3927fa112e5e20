//! Who and what there is in the tests.

use zhulian_crypto::{Algorithm, PublicKey, SigningKey, sha256};
use zhulian_execution::{Class, Event as _, Executor, Role, Roles};
use zhulian_gateway::{EvidencePlace, EvidenceRow, HistoryRow};
use zhulian_ledger::{Key, Value};
use zhulian_modules::{
    evidence::{
        BatchDeposited, CustodyRecorded, Deposit, DepositBatch, Deposited, Details, File, Frozen, LegalBasis,
        PriorityConflict, SourceType, Unfrozen, Withdrawn,
    },
    governance::{Genesis, GenesisValidator, Parameters},
    identity::{self, FirstMember, Founding, Kind, MemberId, MemberKey, OrganisationName, Uscc},
};
use zhulian_primitives::codec;
use zhulian_verify::FileRecord;

use crate::memory::{self, Index, Reader, Row};

/// Codes of the four organisations: data bureau, court, bank, notary office.
pub fn codes() -> [Uscc; 4] {
    ["11330100002489559", "11330100002490007", "91330100143022100", "12330100470110061"]
        .map(|first| Uscc::complete(first).unwrap())
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

/// The officer of the n-th organisation.
pub fn officer(n: usize) -> SigningKey {
    key(&format!("{n} clerk-01"))
}

/// The court's judge.
pub fn judge() -> SigningKey {
    key("1 judge-01")
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
        let judges = (n == 1).then(|| member("judge-01", Role::Judge));
        let members = [
            member("system-admin", Role::SystemAdmin),
            member("security-admin", Role::SecurityAdmin),
            member("audit-admin", Role::AuditAdmin),
            member("representative", Role::Representative),
            member("clerk-01", Role::Officer),
        ];
        Founding {
            organisation: codes()[n],
            class: classes[n],
            zh: OrganisationName::parse(names[n]).unwrap(),
            en: None,
            votes: true,
            members: members.into_iter().chain(judges).collect(),
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
    zhulian_modules::executor()
}

pub fn reader() -> Reader {
    let organisation = |source: &dyn Fn(&Key) -> Option<Value>, key: &PublicKey| {
        identity::key(&source, &MemberKey(*key)).map(|record| record.organisation.to_string())
    };
    Reader { organisation, index }
}

fn index(index: &mut Index, row: &Row, events: &[zhulian_primitives::Event]) {
    for (number, record) in (0..).zip(events) {
        let deposit = |place| EvidenceRow {
            transaction: row.id,
            position: row.position,
            time: row.time,
            organisation: row.organisation.clone().unwrap(),
            place,
        };
        let id = if let Some(event) = Deposited::of(record) {
            index.evidence.push(deposit(EvidencePlace::File { sha256: event.sha256, sequence: event.seq }));
            event.id
        } else if let Some(event) = BatchDeposited::of(record) {
            index.evidence.push(deposit(EvidencePlace::Batch { root: event.root, sequence: event.seq, entry: None }));
            event.id
        } else if let Some(event) = PriorityConflict::of(record) {
            event.id
        } else if let Some(event) = Frozen::of(record) {
            event.evidence().id
        } else if let Some(event) = Unfrozen::of(record) {
            event.evidence().id
        } else if let Some(event) = Withdrawn::of(record) {
            event.evidence().id
        } else if let Some(event) = CustodyRecorded::of(record) {
            event.evidence().id
        } else {
            continue;
        };
        index.history.entry(id.0).or_default().push(HistoryRow {
            transaction: row.id,
            position: row.position,
            time: row.time,
            organisation: row.organisation.clone().unwrap(),
            number,
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

fn details() -> Details {
    Details::new(SourceType::Contract, LegalBasis::parse("民法典第四百六十九条").unwrap())
}

/// The arguments of a deposit.
pub fn deposit(content: &[u8]) -> Vec<u8> {
    deposit_of(file(content))
}

/// The arguments of a deposit that says this of a file, true or not.
pub fn deposit_of(file: FileRecord) -> Vec<u8> {
    let FileRecord { sha256, sm3, size, chunks_root } = file;
    codec::to_bytes(&Deposit { file: File { sha256, sm3, size, chunks_root }, details: details() })
}

/// The arguments of a batch deposit.
pub fn deposit_batch(entries: &[Vec<u8>]) -> Vec<u8> {
    let root = zhulian_ledger::merkle::root(entries);
    codec::to_bytes(&DepositBatch { root, count: entries.len() as u64, details: details() })
}
