//! From bytes to the pool, and from one node's pool to another's.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use zhulian_crypto::PublicKey;
use zhulian_execution::Refusal as _;
use zhulian_node::{
    Verifier,
    mempool::{Intake, Limits, Mempool, Outside, Owner, Verdict},
};
use zhulian_primitives::TransactionError as E;

use crate::toy::{self, CHAIN, Note, call, id, key, note};

#[derive(Default)]
struct World {
    sent: Mutex<Vec<Bytes>>,
    woken: Mutex<usize>,
    tip: Mutex<Option<u64>>,
    protocol: Mutex<u16>,
    ended: Mutex<Vec<PublicKey>>,
}

impl Outside for World {
    fn gossip(&self, message: Bytes) -> bool {
        self.sent.lock().unwrap().push(message);
        true
    }

    fn wake(&self) {
        *self.woken.lock().unwrap() += 1;
    }

    fn tip(&self) -> Option<u64> {
        *self.tip.lock().unwrap()
    }

    fn protocol(&self) -> BoxFuture<'_, u16> {
        std::future::ready(*self.protocol.lock().unwrap()).boxed()
    }

    fn organisations<'a>(&'a self, keys: &'a [PublicKey]) -> BoxFuture<'a, Vec<Option<Arc<str>>>> {
        let ended = self.ended.lock().unwrap();
        let nobody = |key: &PublicKey| key == &crate::toy::key(9).public_key() || ended.contains(key);
        let name = |key: &PublicKey| (!nobody(key)).then(|| Arc::from(key.to_string()));
        let names: Vec<_> = keys.iter().map(name).collect();
        std::future::ready(names).boxed()
    }
}

struct Node {
    mempool: Arc<Mempool>,
    intake: Intake,
    world: Arc<World>,
}

fn node() -> Node {
    let mempool = Arc::new(Mempool::new(Limits { count_max: 1_000, bytes_max: 1 << 20 }));
    let world = Arc::new(World::default());
    let verifier = Arc::new(Verifier::new(CHAIN, 10_000));
    let (intake, _) = Intake::start(mempool.clone(), verifier, toy::executor(), world.clone());
    Node { mempool, intake, world }
}

impl Node {
    fn submit(&self, transactions: &[Vec<u8>]) -> Vec<Verdict> {
        let transactions = transactions.iter().cloned().map(Bytes::from).collect();
        futures::executor::block_on(self.intake.submit(transactions)).unwrap()
    }

    fn wait_for(&self, count: usize) {
        let began = Instant::now();
        while self.mempool.lock().count() != count {
            assert!(began.elapsed() < Duration::from_secs(20), "the pool has {}", self.mempool.lock().count());
            std::thread::yield_now();
        }
    }
}

#[test]
fn each_bad_transaction_has_its_code_and_hides_no_good_one() {
    let node = node();
    let good = note(&key(1), 1, 100);
    let mut forged = note(&key(1), 2, 100);
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let stray = call(&key(1), [8; 32], &Note { text: "x".into() }, 3, 100);
    let empty = call(&key(1), CHAIN, &Note { text: String::new() }, 4, 100);
    let mut trailing = note(&key(1), 5, 100);
    trailing.push(0);
    let expired = note(&key(1), 6, 0);
    let early = note(&key(1), 7, 5_000);
    let large = vec![0; 70_000];
    let all = [
        good.clone(),
        forged.clone(),
        stray.clone(),
        empty.clone(),
        trailing,
        expired.clone(),
        early.clone(),
        large,
        good.clone(),
    ];
    let refused = |bytes: &Vec<u8>, error: E| Verdict::Refused(Some(id(bytes)), error.code());
    assert_eq!(
        node.submit(&all),
        [
            Verdict::Taken(id(&good)),
            refused(&forged, E::BadSignature),
            refused(&stray, E::WrongChain),
            refused(&empty, E::MalformedArguments),
            Verdict::Refused(None, E::NotDeterministic.code()),
            refused(&expired, E::Expired),
            refused(&early, E::ValidTooLong),
            Verdict::Refused(None, E::TooLarge.code()),
            Verdict::Taken(id(&good)),
        ]
    );
    node.wait_for(1);
    assert_eq!(*node.world.woken.lock().unwrap(), 1);
    // Submitting again is no error, and no second transaction.
    assert_eq!(node.submit(std::slice::from_ref(&good)), [Verdict::Taken(id(&good))]);
    assert_eq!(node.mempool.lock().count(), 1);
    assert_eq!(node.world.sent.lock().unwrap().len(), 1, "passed on once, when it was new");
}

#[test]
fn what_others_made_of_a_signature_is_refused_when_the_next_block_would_refuse_it() {
    let node = node();
    let signed = |n| {
        let own = note(&toy::es256(1), n, 100);
        let other = toy::mirrored(&own);
        (own, other)
    };
    for protocol in [1, 2] {
        *node.world.protocol.lock().unwrap() = protocol;
        let (own, other) = signed(u64::from(protocol));
        let taken = [Verdict::Taken(id(&other)), Verdict::Taken(id(&own))];
        assert_eq!(node.submit(&[other, own]), taken, "protocol {protocol}");
    }
    *node.world.protocol.lock().unwrap() = 3;
    let (own, other) = signed(3);
    let mut forged = other.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let form = |bytes: &Vec<u8>| Verdict::Refused(Some(id(bytes)), E::SignatureForm.code());
    let expected = [form(&other), Verdict::Taken(id(&own)), form(&forged), Verdict::Taken(id(&own))];
    assert_eq!(node.submit(&[other.clone(), own.clone(), forged, own.clone()]), expected);
    assert_eq!(node.mempool.lock().count(), 5);
    // What waits from before is not looked at again: the block will say it.
    assert_eq!(node.mempool.lock().propose(1, std::iter::empty(), 1 << 20, 10).len(), 5);
}

#[test]
fn after_a_start_nothing_is_too_early_because_the_pool_has_not_caught_up() {
    let node = node();
    let far = note(&key(1), 1, 2_000);
    assert_eq!(node.submit(std::slice::from_ref(&far)), [Verdict::Refused(Some(id(&far)), E::ValidTooLong.code())]);
    *node.world.tip.lock().unwrap() = Some(1_000);
    assert_eq!(node.submit(std::slice::from_ref(&far)), [Verdict::Taken(id(&far))]);
}

#[test]
fn a_key_that_has_ended_is_a_stranger_s_some_blocks_later() {
    let node = node();
    let owners = || node.mempool.lock().counts().map(|(owner, count)| (owner.clone(), count)).collect::<Vec<_>>();
    let own = Owner::Organisation(key(1).public_key().to_string().into());
    node.submit(&[note(&key(1), 1, 100)]);
    node.world.ended.lock().unwrap().push(key(1).public_key());
    node.submit(&[note(&key(1), 2, 100)]);
    assert_eq!(owners(), [(own.clone(), 2)]);
    *node.world.tip.lock().unwrap() = Some(64);
    node.submit(&[note(&key(1), 3, 100)]);
    let mut owners = owners();
    owners.sort();
    assert_eq!(owners, [(own, 2), (Owner::Nobody, 1)]);
}

#[test]
fn clients_transactions_are_passed_on_and_peers_are_not() {
    let (first, second) = (node(), node());
    let transactions: Vec<_> = (0..300).map(|n| note(&key(1), n, 100)).collect();
    first.submit(&transactions);
    let sent = first.world.sent.lock().unwrap().clone();
    assert!(!sent.is_empty());
    for message in sent {
        second.intake.message(message);
    }
    second.wait_for(300);
    assert!(second.world.sent.lock().unwrap().is_empty());
    // Rubbish from a peer is dropped, and the intake goes on.
    for rubbish in [&[1, 2, 3][..], &[0xff; 100], &[0, 0, 0, 5, 1, 2, 3, 4, 5]] {
        second.intake.message(Bytes::copy_from_slice(rubbish));
    }
    second.submit(&[note(&key(2), 1_000, 100)]);
    assert_eq!(second.mempool.lock().count(), 301);
}

#[test]
fn a_full_mempool_is_said_to_be_full() {
    let node = node();
    let many: Vec<_> = (0..1_000).map(|n| note(&key(1), n, 100)).collect();
    let verdicts = node.submit(&many);
    let taken = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Taken(_))).count();
    assert!((400..=600).contains(&taken), "{taken}");
    assert!(verdicts[taken..].iter().all(|verdict| matches!(verdict, Verdict::ShareFull(_))));
    // Another department is not held up, a key of nobody has a little room.
    assert!(matches!(node.submit(&[note(&key(2), 1, 100)])[..], [Verdict::Taken(_)]));
    let nobody: Vec<_> = (0..300).map(|n| note(&key(9), n, 100)).collect();
    let taken = node.submit(&nobody).iter().filter(|verdict| matches!(verdict, Verdict::Taken(_))).count();
    assert!((1..=125).contains(&taken), "{taken}");
}
