//! The executor under the modules: replays, expiry, keys, roles, malformed arguments, restarts and forks.

use std::{collections::BTreeMap, sync::Arc};

use minicbor::Encoder;
use proptest::prelude::*;
use zhulian_crypto::{SigningKey, sha256};
use zhulian_execution::{Executor, Refusal as _};
use zhulian_ledger::{BlockContext, Key, Loaded, Outcome, Pause, Value};
use zhulian_primitives::{Call, ChainId, Height, Receipt, Transaction, VALIDITY_BLOCKS_MAX, codec, sign};

use super::city::{City, genesis, mirrored, pair, roles_bits};
use crate::{
    executor,
    identity::{AddMember, Kind},
    refusal_text,
};

const CHAIN: ChainId = [7; 32];

fn slug(receipt: &Receipt) -> String {
    receipt.refusal.as_ref().map_or("ok".into(), |code| refusal_text(code).expect("a text").slug)
}

fn signed(signer: &SigningKey, module: &str, call: &str, args: &[u8], nonce: u64, valid_until: Height) -> Vec<u8> {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&nonce.to_be_bytes());
    sign(&Call { chain: CHAIN, module, call, args, nonce: bytes, valid_until }, signer)
}

fn add_member(name: &str) -> Vec<u8> {
    codec::to_bytes(&AddMember { member: name.parse().expect("an id"), kind: Kind::Person })
}

/// The outcome of one transaction in a block of its own at the city's next height.
fn alone(city: &mut City, transaction: &[u8]) -> String {
    // What does not parse is refused at the door and is in no block.
    if let Err(error) = zhulian_primitives::Transaction::decode(transaction) {
        return refusal_text(&error.code()).expect("a text").slug;
    }
    slug(&city.chain.block(&[transaction.to_vec()])[0])
}

#[test]
fn a_transaction_is_executed_once() {
    let mut city = City::default();
    let sys = pair("court.sys");
    let once = signed(&sys, "identity", "add_member", &add_member("clerk-01"), 1, 500);
    let receipts = city.chain.block(&[once.clone(), once.clone()]);
    assert_eq!(receipts.iter().map(slug).collect::<Vec<_>>(), ["ok", "transaction.replayed"]);
    assert_eq!(alone(&mut city, &once), "transaction.replayed");
    city.chain.height = 499;
    assert_eq!(alone(&mut city, &once), "transaction.replayed", "in its last block");
    assert_eq!(alone(&mut city, &once), "transaction.expired", "one later");
}

#[test]
fn the_nonce_is_the_key_s_and_a_refused_transaction_uses_it_up() {
    let mut city = City::default();
    let (sys, other) = (pair("court.sys"), pair("bureau.sys"));
    let refused = signed(&sys, "identity", "suspend_member", &codec::to_bytes(&(0u8,)), 1, 500);
    assert_eq!(alone(&mut city, &refused), "transaction.malformed_arguments");
    let same_nonce = signed(&sys, "identity", "add_member", &add_member("clerk-01"), 1, 500);
    assert_eq!(alone(&mut city, &same_nonce), "transaction.replayed");
    let other_key = signed(&other, "identity", "add_member", &add_member("clerk-01"), 1, 500);
    assert_eq!(alone(&mut city, &other_key), "ok");
}

/// Two calls of one key by ES256, of a city of this protocol: the first, as others can make it, and the second.
fn seen_by_others(protocol: u16) -> (City, Vec<u8>, Vec<u8>, Vec<u8>) {
    let city = City::founded(&genesis().with_protocol(protocol).expect("a protocol"), executor());
    let sys = pair("bank.sys");
    let first = signed(&sys, "identity", "add_member", &add_member("clerk-01"), 1, 500);
    let second = signed(&sys, "identity", "add_member", &add_member("clerk-02"), 2, 500);
    let other = mirrored(&first);
    let parsed = Transaction::decode(&other).expect("as well formed");
    assert_eq!(parsed.verify(&CHAIN), Ok(()), "and as valid");
    assert_ne!(parsed.id, Transaction::decode(&first).expect("our own").id);
    (city, first, other, second)
}

#[test]
fn what_others_made_of_a_signature_is_refused_and_does_not_use_up_the_nonce() {
    let slugs = |city: &mut City, block: &[&Vec<u8>]| -> Vec<String> {
        let block: Vec<Vec<u8>> = block.iter().map(|it| it.to_vec()).collect();
        city.chain.block(&block).iter().map(slug).collect()
    };
    let (form, replayed) = ("transaction.signature_form", "transaction.replayed");
    // In the same block, before it.
    let (mut city, own, other, next) = seen_by_others(3);
    assert_eq!(slugs(&mut city, &[&other, &other, &own, &other, &next]), [form, form, "ok", replayed, "ok"]);
    // In the same block, after it; and later.
    let (mut city, own, other, next) = seen_by_others(3);
    assert_eq!(slugs(&mut city, &[&own, &other, &next]), ["ok", replayed, "ok"]);
    assert_eq!(slugs(&mut city, &[&other, &own]), [replayed, replayed]);
    // In blocks before it, alone and with others.
    let (mut city, own, other, next) = seen_by_others(3);
    let before = city.chain.state().clone();
    assert_eq!(slugs(&mut city, &[&other]), [form]);
    assert_eq!(*city.chain.state(), before, "it leaves nothing behind");
    assert_eq!(slugs(&mut city, &[&other, &next]), [form, "ok"]);
    assert_eq!(slugs(&mut city, &[&own]), ["ok"]);
    // Too early: the signer's own is not used up by that, either.
    let (mut city, ..) = seen_by_others(3);
    let early = signed(&pair("bank.sys"), "identity", "add_member", &add_member("clerk-01"), 1, 1_030);
    assert_eq!(slugs(&mut city, &[&mirrored(&early)]), ["transaction.valid_too_long"]);
    city.wait(10);
    assert_eq!(slugs(&mut city, &[&early]), ["ok"]);
    // By the rules of protocols 1 and 2 the first one counts, whoever made it.
    for protocol in [1, 2] {
        let (mut city, own, other, next) = seen_by_others(protocol);
        assert_eq!(slugs(&mut city, &[&other, &own, &next]), ["ok", replayed, "ok"]);
        let (mut city, own, other, _) = seen_by_others(protocol);
        assert_eq!(slugs(&mut city, &[&own, &other]), ["ok", replayed]);
    }
}

/// What was executed before protocol 3 began stands: in a block again it is a double, and not a transaction that was refused.
#[test]
fn what_was_executed_in_the_other_form_is_a_double_later() {
    let (_, _, other, _) = seen_by_others(2);
    let mut city = City::founded(&genesis().with_protocol(2).expect("a protocol"), executor());
    super::check_in(
        &mut city,
        "
        court.rep  open_motion schedule_protocol 3 60 -> ok
        court.rep  cast_ballot 0 yes                  -> ok
        bureau.rep cast_ballot 0 yes                  -> ok
        notary.rep cast_ballot 0 yes                  -> ok
        wait 54
    ",
    );
    assert_eq!(alone(&mut city, &other), "ok");
    assert_eq!(city.chain.height, 59);
    assert_eq!(alone(&mut city, &other), "transaction.replayed");
}

#[test]
fn validity_has_two_ends() {
    let mut city = City::default();
    let sys = pair("court.sys");
    let args = add_member("clerk-01");
    let too_long = signed(&sys, "identity", "add_member", &args, 1, city.chain.height + 1 + VALIDITY_BLOCKS_MAX + 1);
    assert_eq!(alone(&mut city, &too_long), "transaction.valid_too_long");
    let past = signed(&sys, "identity", "add_member", &args, 2, city.chain.height);
    assert_eq!(alone(&mut city, &past), "transaction.expired");
    let longest = signed(&sys, "identity", "add_member", &args, 3, city.chain.height + 1 + VALIDITY_BLOCKS_MAX);
    assert_eq!(alone(&mut city, &longest), "ok");
}

#[test]
fn unknown_modules_calls_keys_and_roles_are_refused() {
    let mut city = City::default();
    let args = add_member("clerk-01");
    let table = [
        ("court.sys", "weather", "add_member", "transaction.unknown_module"),
        ("court.sys", "identity", "add_cloud", "transaction.unknown_call"),
        ("nobody", "identity", "add_member", "transaction.unknown_key"),
        ("court.sec", "identity", "add_member", "transaction.not_allowed"),
        ("court.aud", "identity", "add_member", "transaction.not_allowed"),
        ("court.off", "identity", "add_member", "transaction.not_allowed"),
        ("court.sys", "identity", "add_member", "ok"),
    ];
    for (nonce, (who, module, call, expected)) in (0..).zip(table) {
        let transaction = signed(&pair(who), module, call, &args, nonce, 500);
        assert_eq!(alone(&mut city, &transaction), expected, "{who} {module}.{call}");
    }
}

#[test]
fn arguments_have_one_form_and_a_bad_field_has_its_own_code() {
    let mut city = City::default();
    let sys = pair("court.sys");
    let bytes = |build: fn(&mut Encoder<&mut Vec<u8>>)| {
        let mut out = Vec::new();
        build(&mut Encoder::new(&mut out));
        out
    };
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        (
            "an unknown key",
            bytes(|e| {
                _ = e
                    .map(3)
                    .unwrap()
                    .u8(0)
                    .unwrap()
                    .str("ab")
                    .unwrap()
                    .u8(1)
                    .unwrap()
                    .u8(0)
                    .unwrap()
                    .u8(9)
                    .unwrap()
                    .u8(0)
                    .unwrap();
            }),
            "transaction.malformed_arguments",
        ),
        (
            "a missing field",
            bytes(|e| _ = e.map(1).unwrap().u8(0).unwrap().str("ab").unwrap()),
            "transaction.malformed_arguments",
        ),
        (
            "wrong order",
            bytes(|e| _ = e.map(2).unwrap().u8(1).unwrap().u8(0).unwrap().u8(0).unwrap().str("ab").unwrap()),
            "transaction.malformed",
        ),
        (
            "an unknown kind",
            bytes(|e| _ = e.map(2).unwrap().u8(0).unwrap().str("ab").unwrap().u8(1).unwrap().u8(7).unwrap()),
            "transaction.malformed_arguments",
        ),
        ("a longer integer", vec![0xa2, 0x00, 0x62, b'a', b'b', 0x01, 0x18, 0x00], "transaction.malformed"),
        ("an indefinite map", vec![0xbf, 0x00, 0x62, b'a', b'b', 0x01, 0x00, 0xff], "transaction.malformed"),
        ("no map", vec![0x05], "transaction.malformed_arguments"),
        (
            "a phone number for an id",
            bytes(|e| _ = e.map(2).unwrap().u8(0).unwrap().str("a13812345678").unwrap().u8(1).unwrap().u8(0).unwrap()),
            "identity.malformed_member",
        ),
        (
            "a name for an id",
            bytes(|e| _ = e.map(2).unwrap().u8(0).unwrap().str("张三").unwrap().u8(1).unwrap().u8(0).unwrap()),
            "identity.malformed_member",
        ),
        (
            "the one form",
            bytes(|e| _ = e.map(2).unwrap().u8(0).unwrap().str("ab").unwrap().u8(1).unwrap().u8(0).unwrap()),
            "ok",
        ),
    ];
    for (nonce, (what, args, expected)) in (0..).zip(table) {
        let transaction = signed(&sys, "identity", "add_member", &args, nonce, 500);
        assert_eq!(alone(&mut city, &transaction), expected, "{what}");
    }
}

#[test]
fn the_mempool_s_check_refuses_what_execution_would() {
    let executor = executor();
    let check = |call: &str, args: &[u8]| {
        let bytes = signed(&pair("court.sec"), "identity", call, args, 1, 500);
        let transaction = zhulian_primitives::Transaction::decode(&bytes).expect("well formed");
        executor.prepare(&transaction).refusal().map_or(Ok(()), |code| Err(refusal_text(code).expect("a text").slug))
    };
    assert_eq!(check("add_member", &add_member("clerk-01")), Ok(()));
    assert_eq!(check("add_member", &[0xf6]), Err("transaction.malformed_arguments".into()));
    assert_eq!(check("assign_roles", &roles_bits("clerk-01", 64)), Err("identity.malformed_roles".into()));
}

/// One block on a state, as the engine runs it.
fn execute(executor: &Executor, state: &BTreeMap<Key, Value>, height: Height, transactions: &[Vec<u8>]) -> Outcome {
    let parent = sha256(&height.to_be_bytes());
    let block = BlockContext { chain: CHAIN, height, time: 1_767_225_600_000 + height, parent, proposer: [0; 32] };
    executor.execute(&block, transactions, |key| state.get(key).cloned()).expect("a known protocol")
}

fn apply(state: &BTreeMap<Key, Value>, outcome: &Outcome) -> BTreeMap<Key, Value> {
    let mut after = state.clone();
    for (key, value) in &outcome.writes {
        match value {
            Some(value) => after.insert(*key, value.clone()),
            None => after.remove(key),
        };
    }
    after
}

/// A block in a tree of blocks: which earlier block it stands on, how many empty heights lie between, and its nonces.
fn any_block() -> impl Strategy<Value = (usize, Height, Vec<u64>)> {
    let gap = prop_oneof![6 => Just(1u64), 2 => 2..40u64, 1 => 1000..1100u64];
    (0..4usize, gap, prop::collection::vec(0..12u64, 0..4))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// One executor that lives through forks and gaps, and a new one for every block, agree on every receipt and every write; and
    /// both agree with a plain list of what was used when.
    #[test]
    fn the_window_in_memory_is_the_window_in_the_state(blocks in prop::collection::vec(any_block(), 1..40)) {
        type Used = Vec<(u64, Height)>;
        let long_lived = executor();
        let signer = pair("court.off");
        let mut tree: Vec<(BTreeMap<Key, Value>, Height, Used)> = vec![(genesis().state(), 0, Vec::new())];
        for (back, gap, nonces) in blocks {
            // Mostly the newest block; now and then one a little back, which makes a fork.
            let (state, parent, mut used) = tree[tree.len() - 1 - back.min(tree.len() - 1)].clone();
            let height = parent + gap;
            let transactions: Vec<Vec<u8>> = nonces
                .iter()
                .map(|nonce| signed(&signer, "identity", "revoke_key", &[0xf6], *nonce, height + VALIDITY_BLOCKS_MAX))
                .collect();
            let outcome = execute(&long_lived, &state, height, &transactions);
            prop_assert_eq!(&outcome, &execute(&executor(), &state, height, &transactions), "restart at height {}", height);
            for (nonce, bytes) in nonces.iter().zip(&outcome.receipts) {
                let replayed = used.iter().any(|(n, at)| n == nonce && at + VALIDITY_BLOCKS_MAX >= height);
                let expected = if replayed { "transaction.replayed" } else { "transaction.malformed_arguments" };
                prop_assert_eq!(slug(&Receipt::decode(bytes).expect("a receipt")), expected);
                if !replayed {
                    used.push((*nonce, height));
                }
            }
            tree.push((apply(&state, &outcome), height, used));
        }
    }
}

#[test]
fn a_block_asks_for_its_state_in_few_rounds() {
    // Throughput rests on it: every round is a visit to the disk.
    let executor = executor();
    let state = genesis().state();
    let args = |n: u8| {
        let line = super::city::deposit_args(&format!("F{n}"));
        codec::to_bytes(&line)
    };
    let transactions: Vec<Vec<u8>> =
        (0..50).map(|n| signed(&pair("bureau.off"), "evidence", "deposit", &args(n), u64::from(n), 100)).collect();
    let block = BlockContext { chain: CHAIN, height: 1, time: 1, parent: [0; 32], proposer: [0; 32] };
    let prepared = transactions.iter().map(|bytes| Arc::new(executor.prepare(&Transaction::decode(bytes).unwrap())));
    let mut run = executor.start(block, prepared.collect());
    let (mut loaded, mut rounds) = (Loaded::default(), 0);
    let outcome = loop {
        match run.resume(&loaded) {
            Ok(outcome) => break outcome,
            Err(Pause::Unknown(unknown)) => panic!("{unknown:?}"),
            Err(Pause::Missing(keys)) => {
                rounds += 1;
                assert!(
                    !keys.is_empty() && keys.iter().all(|key| !loaded.contains_key(key)),
                    "asks only for what it has not"
                );
                loaded.extend(keys.into_iter().map(|key| (key, state.get(&key).cloned())));
            }
        }
    };
    assert!(outcome.receipts.iter().all(|bytes| slug(&Receipt::decode(bytes).expect("a receipt")) == "ok"));
    assert!(rounds <= 3, "{rounds} rounds");
    // One key a deposit, and two for the block's replay window.
    assert_eq!(outcome.writes.len(), 50 + 2);
    let largest = outcome.writes.values().flatten().map(Vec::len).filter(|len| *len < 500).max();
    assert!(largest < Some(64), "a deposit's record has {largest:?} bytes");
}

/// What may happen in a block of which each transaction changes what the next is allowed to do.
fn any_step() -> impl Strategy<Value = (&'static str, &'static str, Vec<u8>)> {
    let member = |name: &str| [&[0xa1, 0x00][..], &codec::to_bytes(&name)].concat();
    prop_oneof![
        4 => ("[ab]").prop_map(|name| ("court.off", "deposit", codec::to_bytes(&super::city::deposit_args(&name)))),
        2 => ("[ab]").prop_map(|name| ("bureau.off", "deposit", codec::to_bytes(&super::city::deposit_args(&name)))),
        1 => Just(("court.sys", "suspend_member", member("off"))),
        1 => Just(("court.sys", "reinstate_member", member("off"))),
        1 => Just(("court.sys", "suspend_member", member("sec"))),
        1 => Just(("court.sec", "assign_roles", roles_bits("off", 0))),
        1 => Just(("court.sec", "assign_roles", roles_bits("off", 1 << 4))),
        1 => Just(("court.off", "add_member", add_member("clerk-01"))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// A block is its transactions one after the other: what is remembered of actors within it changes nothing.
    #[test]
    fn a_block_is_its_transactions_in_order(steps in prop::collection::vec(any_step(), 1..14)) {
        let transactions: Vec<Vec<u8>> = (0..)
            .zip(&steps)
            .map(|(nonce, (who, call, args))| {
                let module = if *call == "deposit" { "evidence" } else { "identity" };
                signed(&pair(who), module, call, args, nonce, 500)
            })
            .collect();
        let mut state = genesis().state();
        let whole = execute(&executor(), &state, 1, &transactions);
        for (bytes, receipt) in transactions.iter().zip(&whole.receipts) {
            let alone = execute(&executor(), &state, 1, std::slice::from_ref(bytes));
            prop_assert_eq!(slug(&Receipt::decode(receipt).unwrap()), slug(&Receipt::decode(&alone.receipts[0]).unwrap()));
            prop_assert_eq!(receipt, &alone.receipts[0]);
            state = apply(&state, &alone);
        }
        // The replay window's entries are of blocks, not of transactions.
        let differing = apply(&genesis().state(), &whole).into_iter().filter(|(key, value)| state.get(key) != Some(value));
        prop_assert!(differing.count() <= 2);
    }
}
