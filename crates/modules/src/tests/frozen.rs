//! Chains of every release and protocol, executed again on the real state to the same receipts and roots (`crates/modules/frozen`).

use std::{collections::BTreeMap, path::PathBuf};

use minicbor::{Decode, Encode, bytes::ByteVec};
use zhulian_engine::{
    Limits,
    audit::{Setup, Stores, open},
};
use zhulian_execution::{Executor, Protocols};
use zhulian_ledger::{BlockContext, Key, Outcome, Value, merkle};
use zhulian_primitives::{Header, Receipt, Timestamp, Transaction, codec};

use super::city::{City, check_in, deposit_args, genesis, mirrored, pair, with_a_second_seat_of_the_court};
use crate::{Genesis, MODULES, executor, governance, identity};

type Made = fn() -> (Genesis, City);

/// The frozen chains, and how each was made.
const CHAINS: [(&str, Made); 3] =
    [("v0.1-protocol-1", protocol_1), ("v0.1-protocol-1-to-2", protocol_1_to_2), ("v0.1-protocol-2-to-3", protocol_2_to_3)];

/// A chain as its file holds it.
#[derive(Encode, Decode)]
struct Frozen {
    #[n(0)]
    genesis: ByteVec,
    #[n(1)]
    blocks: Vec<FrozenBlock>,
}

#[derive(Encode, Decode)]
struct FrozenBlock {
    #[n(0)]
    header: ByteVec,
    #[n(1)]
    transactions: Vec<ByteVec>,
    #[n(2)]
    receipts: Vec<ByteVec>,
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("frozen").join(format!("{name}.chain"))
}

fn read(name: &str) -> Frozen {
    let bytes = std::fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(bytes.len() < 200_000, "{name} has {} bytes", bytes.len());
    codec::from_bytes(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A state that begins with a genesis document: its values, and what commits to them.
struct Ledger<'a> {
    executor: Executor,
    values: BTreeMap<Key, Value>,
    stores: &'a mut Stores,
    parent: Header,
}

impl Ledger<'_> {
    /// Hands a ledger at genesis to `work`.
    fn begin<R: Send>(genesis: &Genesis, executor: Executor, work: impl FnOnce(Ledger<'_>) -> R + Send) -> R {
        let scratch = tempfile::tempdir().expect("a directory");
        let setup = Setup {
            directory: scratch.path().into(),
            network: genesis.network(),
            genesis_time: genesis.time,
            genesis_state: genesis.state(),
            limits: Limits::default(),
            cold: None,
        };
        let values = genesis.state();
        open(setup, |stores| {
            let parent = stores.genesis().expect("a genesis block").header.clone();
            work(Ledger { executor, values, stores, parent })
        })
        .expect("an empty store")
    }

    /// Executes a block whose header has its place and time, and gives the header as it must be.
    fn execute(&mut self, header: Header, transactions: &[Vec<u8>]) -> Result<(Header, Outcome), String> {
        let height = header.height;
        let context = BlockContext::from(&header);
        let mut outcome = self
            .executor
            .execute(&context, transactions, |key| self.values.get(key).cloned())
            .map_err(|unknown| format!("height {height}: {unknown:?}"))?;
        let writes = std::mem::take(&mut outcome.writes);
        for (key, value) in &writes {
            match value {
                Some(value) => self.values.insert(*key, value.clone()),
                None => self.values.remove(key),
            };
        }
        let roots = self.stores.repeat(height, writes)?;
        let header = Header {
            version: outcome.protocol,
            parent: self.parent.digest(),
            transaction_count: transactions.len() as u64,
            transactions_root: merkle::root(transactions),
            receipts_root: merkle::root(&outcome.receipts),
            state_root: roots.state,
            sync_root: roots.sync,
            sync_start: roots.start,
            sync_end: roots.end,
            ..header
        };
        self.parent = header.clone();
        Ok((header, outcome))
    }
}

/// Executes a frozen chain again. The error names the first block that is not what it was, and how.
fn replay(frozen: &Frozen, executor: Executor) -> Result<Header, String> {
    let genesis = Genesis::decode(&frozen.genesis).map_err(|error| error.to_string())?;
    Ledger::begin(&genesis, executor, |mut ledger| {
        let mut other_protocol = None;
        for block in &frozen.blocks {
            let stated = Header::decode(&block.header).map_err(|error| error.to_string())?;
            let height = stated.height;
            let bytes = |all: &[ByteVec]| all.iter().map(|it| it.to_vec()).collect::<Vec<_>>();
            let (transactions, receipts) = (bytes(&block.transactions), bytes(&block.receipts));
            for transaction in &transactions {
                let transaction = Transaction::decode(transaction).map_err(|error| format!("height {height}: {error}"))?;
                transaction.verify(&genesis.chain_id()).map_err(|error| format!("height {height}: {error}"))?;
            }
            let (header, outcome) = ledger.execute(stated.clone(), &transactions)?;
            // What a block did comes first: the number alone would not tell that a rule is lost.
            let same = |at: &usize| receipts.get(*at) == outcome.receipts.get(*at);
            if let Some(at) = (0..receipts.len().max(outcome.receipts.len())).find(|at| !same(at)) {
                return Err(format!("height {height}: another receipt of transaction {at}"));
            }
            if header.version != stated.version {
                other_protocol
                    .get_or_insert(format!("height {height}: protocol {} and not {}", header.version, stated.version));
            }
            let header = Header { version: stated.version, ..header };
            if header != stated {
                return Err(format!("height {height}: {header:?} and not {stated:?}"));
            }
            ledger.parent = header;
        }
        other_protocol.map_or(Ok(ledger.parent), Err)
    })
}

/// Puts what a city lived through into blocks with whole headers.
fn freeze(genesis: &Genesis, history: &[(Timestamp, Vec<Vec<u8>>)]) -> Frozen {
    let (validators, digest) = (&genesis.validators, genesis.network().validators_digest());
    let blocks = Ledger::begin(genesis, executor(), |mut ledger| {
        let freeze = |(height, (time, transactions)): (u64, &(Timestamp, Vec<Vec<u8>>))| {
            let epoch = height / genesis.epoch_blocks;
            let view = height % genesis.epoch_blocks + 1;
            let header = Header {
                chain: genesis.chain_id(),
                height,
                time: *time,
                epoch,
                view,
                parent_view: if ledger.parent.epoch == epoch { ledger.parent.view } else { 0 },
                proposer: validators[height as usize % validators.len()].public_key,
                validators: digest,
                ..ledger.parent.clone()
            };
            let (header, outcome) = ledger.execute(header, transactions).expect("a known protocol");
            let bytes = |all: &[Vec<u8>]| all.iter().cloned().map(ByteVec::from).collect();
            FrozenBlock {
                header: header.encode().into(),
                transactions: bytes(transactions),
                receipts: bytes(&outcome.receipts),
            }
        };
        (1..).zip(history).map(freeze).collect()
    });
    Frozen { genesis: genesis.encode().into(), blocks }
}

/// A city of protocol 1 whose transactions are of a network of its own.
fn founded() -> (Genesis, City) {
    founded_by(genesis().with_protocol(1).expect("the first"))
}

fn founded_by(genesis: Genesis) -> (Genesis, City) {
    let mut city = City::founded(&genesis, executor());
    city.chain.chain = genesis.chain_id();
    (genesis, city)
}

fn protocol_1() -> (Genesis, City) {
    let (genesis, mut city) = founded();
    live(&mut city, 0, "ok");
    (genesis, city)
}

fn protocol_1_to_2() -> (Genesis, City) {
    let (genesis, mut city) = founded();
    check_in(
        &mut city,
        "
        court.rep  open_motion schedule_protocol 2 60 -> ok
        court.rep  cast_ballot 0 yes                  -> ok
        bureau.rep cast_ballot 0 yes                  -> ok
        bank.rep   cast_ballot 0 yes                  -> ok
        court.rep  open_motion annul_protocol 2       -> ok
        court.rep  cast_ballot 1 yes                  -> ok
        bureau.rep cast_ballot 1 yes                  -> ok
        bank.rep   cast_ballot 1 yes                  -> ok
        court.rep  open_motion schedule_protocol 2 70 -> ok
        court.rep  cast_ballot 2 yes                  -> ok
        bureau.rep cast_ballot 2 yes                  -> ok
        bank.rep   cast_ballot 2 yes                  -> ok
        wait 56
        bureau.off deposit before custodian=insurer   -> ok
        bureau.off deposit after custodian=insurer    -> evidence.custodian_unknown
    ",
    );
    assert_eq!(city.chain.height, 70);
    live(&mut city, 3, "evidence.custodian_unknown");
    (genesis, city)
}

/// The court has two of five validators from the start; the bank signs by ES256.
fn protocol_2_to_3() -> (Genesis, City) {
    let (genesis, mut city) = founded_by(with_a_second_seat_of_the_court(2));
    let mirror = |city: &mut City, name: &str| {
        let own = city.chain.sign(&pair("bank.off"), "evidence", "deposit", &deposit_args(name));
        [mirrored(&own), own]
    };
    let refusals = |city: &mut City, transactions: &[Vec<u8>]| -> Vec<u16> {
        let receipts = city.chain.block(transactions);
        receipts.iter().map(|receipt| receipt.refusal.as_ref().map_or(0, |code| code.number)).collect()
    };
    check_in(
        &mut city,
        "
        court.rep  open_motion schedule_protocol 3 70 -> ok
        court.rep  cast_ballot 0 yes                  -> ok
        bureau.rep cast_ballot 0 yes                  -> ok
        notary.rep cast_ballot 0 yes                  -> ok
        court.rep  open_motion add_validator bank V5  -> ok
        court.rep  withdraw_motion 1                  -> ok
        wait 62
    ",
    );
    let before = mirror(&mut city, "before");
    assert_eq!(refusals(&mut city, &before), [0, 10]);
    assert_eq!(city.chain.height, 69);
    // In both orders; what was executed in the other form before stays a double.
    let (after, later) = (mirror(&mut city, "after"), mirror(&mut city, "later"));
    let [other, own] = &later;
    let block = [&after[..], &[own.clone(), other.clone(), before[0].clone()]].concat();
    assert_eq!(refusals(&mut city, &block), [18, 0, 0, 10, 10]);
    check_in(
        &mut city,
        "
        court.rep  open_motion add_validator bank V5 -> governance.too_much_power
        court.rep  open_motion add_validator firm V5 -> ok
    ",
    );
    live(&mut city, 3, "evidence.custodian_unknown");
    (genesis, city)
}

/// Every call of every module, in a city that has had so many motions; what a deposit with an unknown custodian comes to.
fn live(city: &mut City, motion: u32, unknown_custodian: &str) {
    let from = city.chain.height + 75;
    let votes = |motion: u32, who: &[&str]| -> String {
        who.iter().map(|who| format!("{who}.rep cast_ballot {motion} yes -> ok\n")).collect()
    };
    let admitted = votes(motion + 1, &["court", "bureau", "bank"]);
    let enacted = votes(motion + 2, &["court", "bureau", "bank", "notary"]);
    let suspended = votes(motion + 3, &["court", "bureau", "notary"]);
    check_in(
        city,
        &format!(
            "
        court.sys   add_member clerk-01                 -> ok
        court.sec   register_key clerk-01 K1            -> ok
        court.sec   assign_roles clerk-01 officer       -> ok
        K1          deposit F0                          -> ok
        K1          rotate_key K2 of=court.clerk-01     -> ok
        court.sec   revoke_key K2 lost                  -> ok
        court.sys   suspend_member clerk-01             -> ok
        court.sys   reinstate_member clerk-01           -> ok
        court.sys   add_member boss                     -> ok
        court.sec   assign_roles boss system_admin      -> ok
        court.sys   confirm_roles boss system_admin     -> ok
        court.off   deposit F1 hint=case-1 retention=later -> ok
        bank.off    deposit F1                          -> ok deposited priority_conflict
        court.off   deposit F1                          -> evidence.already_deposited
        bureau.off  deposit F2 custodian=notary         -> ok
        bureau.off  deposit F3 custodian=insurer        -> {unknown_custodian}
        bureau.off  deposit F4 retention=past           -> evidence.retention_past
        bureau.off  deposit_batch B1 count=10           -> ok
        notary.off  record_custody F2 sealed            -> ok
        notary.off  record_custody F2 transferred to=bank -> ok
        court.judge freeze B1#0/3 case-1                -> ok
        bureau.off  withdraw B1#0                       -> evidence.is_frozen
        court.judge unfreeze B1#0/3 case-1              -> ok
        bureau.off  withdraw B1#0                       -> ok
        court.rep   open_motion set vote_blocks 30      -> ok
        court.rep   withdraw_motion {motion}            -> ok
        court.rep   open_motion admit hospital          -> ok
        {admitted}
        hospital.off deposit F1                         -> ok
        court.rep   stage_part permit 0                 -> ok
        court.rep   stage_part permit 1                 -> ok
        court.rep   stage_part permit 2                 -> ok
        court.rep   stage_part permit 3                 -> ok
        court.rep   stage_part permit 4                 -> ok
        court.rep   draft permit from={from} notice=0   -> ok
        court.rep   open_motion enact 0                 -> ok
        {enacted}
        wait 40
        bank.off    decide permit Fee x=12              -> ok decided
        bureau.off  open permit x=12 income=5000        -> ok case_opened progressed
        bureau.off  submit_material 0 deed              -> ok
        bureau.off  complete 0 accept                   -> ok decided progressed
        notary.off  claim 0 review                      -> ok
        notary.off  return_task 0 review                -> ok
        notary.off  transfer 0 review to=bank           -> ok
        bank.off    complete 0 review                   -> ok
        bureau.off  pause 0 correction                  -> ok
        bureau.off  resume 0                            -> ok
        bureau.off  propose_override 0 extend 5 reason=disaster -> ok
        court.off   confirm_override 0 yes              -> ok
        bureau.off  message 0 payment paid=true         -> ok
        bureau.off  complete 0 issue outcome=granted    -> ok progressed case_closed
        bureau.off  rate 0 4                            -> ok
        court.rep   open_motion suspend bank            -> ok
        {suspended}
        bank.off    deposit F9                          -> transaction.key_not_active
        bureau.off  open permit x=12                    -> ok
        bureau.off  submit_material 1 deed              -> ok
        bureau.off  complete 1 accept                   -> ok
    "
        ),
    );
    // Five days in steps that a block's time may take.
    for _ in 0..24 * 5 {
        city.chain.time += 3_599_000;
        city.wait(1);
    }
    check_in(city, "firm.aud tick 1 -> ok alerted progressed");
}

#[test]
fn every_frozen_chain_gives_the_same_roots_again() {
    for (name, make) in CHAINS {
        if std::env::var_os("UPDATE_FROZEN").is_some() && !path(name).exists() {
            let (genesis, city) = make();
            let frozen = freeze(&genesis, &city.chain.history);
            std::fs::write(path(name), codec::to_bytes(&frozen)).expect("a file");
        }
        let frozen = read(name);
        let tip = replay(&frozen, executor()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(tip.height, frozen.blocks.len() as u64);
    }
}

#[test]
fn a_rule_that_is_changed_for_old_blocks_breaks_the_replay() {
    let always = |protocol: fn(Option<&[u8]>, u64) -> u16| {
        Executor::new(MODULES, identity::DIRECTORY, Protocols { at: protocol, ..governance::protocols(3) })
    };
    let (old, crossing, third) = (read(CHAINS[0].0), read(CHAINS[1].0), read(CHAINS[2].0));
    // The stricter rule, applied to what was decided before it was in force.
    for chain in [&old, &crossing] {
        let late = replay(chain, always(|_, _| 2)).expect_err("the rule is not that of the time");
        assert!(late.ends_with("another receipt of transaction 0"), "{late}");
    }
    // The older rule, applied to what was decided after that.
    let lost = replay(&crossing, always(|_, _| 1)).expect_err("the rule is not that of the time");
    assert_eq!(lost, "height 70: another receipt of transaction 0");
    let lost = replay(&third, always(|_, _| 2)).expect_err("the rules are not those of the time");
    assert_eq!(lost, "height 70: another receipt of transaction 0");
    // Protocol 3 too early: first for the motion at height 5, then for the signature at 69.
    let late = replay(&third, always(|_, _| 3)).expect_err("the rules are not those of the time");
    assert_eq!(late, "height 5: another receipt of transaction 0");
    let late = replay(&third, always(|_, height| if height < 69 { 2 } else { 3 })).expect_err("a block too early");
    assert_eq!(late, "height 69: another receipt of transaction 0");
    // The rule for validators alone, lost after it was in force.
    let lost = replay(&third, always(|_, height| if height < 70 || height == 71 { 2 } else { 3 })).expect_err("a lost rule");
    assert_eq!(lost, "height 71: another receipt of transaction 0");
    // And what is no change of rules at all: a block that was left out.
    let mut shorter = read(CHAINS[0].0);
    shorter.blocks.remove(40);
    assert!(replay(&shorter, executor()).is_err());
}

/// What no frozen chain does is not kept by them.
#[test]
fn every_call_succeeds_in_every_frozen_chain() {
    for (name, _) in CHAINS {
        let frozen = read(name);
        let mut made = std::collections::BTreeSet::new();
        for block in &frozen.blocks {
            for (transaction, receipt) in block.transactions.iter().zip(&block.receipts) {
                let transaction = Transaction::decode(transaction).expect("a transaction");
                if Receipt::decode(receipt).expect("a receipt").refusal.is_none() {
                    made.insert(format!("{}.{}", transaction.call.module, transaction.call.call));
                }
            }
        }
        let all = MODULES.iter().flat_map(|module| module.calls.iter().map(|call| format!("{}.{}", module.name, call.name)));
        let missing: Vec<String> = all.filter(|call| !made.contains(call)).collect();
        assert_eq!(missing, Vec::<String>::new(), "{name}");
    }
}
