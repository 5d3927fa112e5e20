//! Who and what there is in the tests.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use zhulian_crypto::{Algorithm, PublicKey, SigningKey, sha256};
use zhulian_execution::{Actor, Allowed, Call, CallEntry, Class, Context, Directory, Event, EventEntry, Executor, Halt, Module, Role, Roles, Text};
use zhulian_gateway::{EvidencePlace, EvidenceRow, HistoryRow};
use zhulian_ledger::{Key, Value};
use zhulian_primitives::TransactionError;
use zhulian_verify::FileRecord;

use crate::memory::{Index, Reader, Row};

const T: Text = Text { en: "", zh: "" };
pub const COURT: &str = "11330100002490007F";

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

pub fn clerk() -> SigningKey {
    SigningKey::from_secret(Algorithm::EdDsa, &sha256(b"clerk")).unwrap()
}

fn organisation(key: &PublicKey) -> Option<String> {
    (*key == clerk().public_key()).then(|| COURT.to_owned())
}

pub fn executor() -> Executor {
    let actor = |_: &mut Context<'_>, key: &PublicKey| match organisation(key) {
        Some(organisation) => Ok(Actor {
            key: *key,
            member: "clerk-01".into(),
            organisation,
            class: Class::Judicial,
            roles: Roles::of(&[Role::Officer]),
        }),
        None => Err(Halt::from(TransactionError::UnknownKey)),
    };
    Executor::new(&[&MODULE], Directory { reads: |_| Vec::new(), actor })
}

pub fn genesis() -> BTreeMap<Key, Value> {
    BTreeMap::new()
}

pub fn reader() -> Reader {
    Reader { organisation: |_, key| organisation(key), index }
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
