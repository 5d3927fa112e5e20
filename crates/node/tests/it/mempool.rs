//! The pool's bounds, fairness and ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::{collection::vec, prelude::*};
use zhulian_node::mempool::{Admission, Candidate, End, Limits, Owner, Pool, Standing};
use zhulian_primitives::{TransactionId, VALIDITY_BLOCKS_MAX};

const LIMITS: Limits = Limits { count_max: 100, bytes_max: 10_000 };

fn id(n: u64) -> TransactionId {
    TransactionId(zhulian_crypto::sha256(&n.to_be_bytes()))
}

fn owner(n: u8) -> Owner {
    Owner::Organisation(Arc::from(format!("organisation {n}")))
}

fn candidate(n: u64, whose: Owner, bytes: usize, valid_until: u64) -> Candidate {
    let mut content = vec![0; bytes.max(8)];
    content[..8].copy_from_slice(&n.to_be_bytes());
    Candidate { id: id(n), bytes: content.into(), owner: whose, valid_until, prepared: None }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes[..8].try_into().unwrap())
}

/// Fills a lane until the pool says no, and tells how many were taken.
fn flood(pool: &mut Pool, whose: &Owner, from: u64) -> u64 {
    (from..).take_while(|n| pool.admit(candidate(*n, whose.clone(), 50, 1_000)) == Admission::New).count() as u64
}

#[test]
fn a_flooding_organisation_leaves_room_and_turns_to_others() {
    let mut pool = Pool::new(LIMITS);
    let flooded = flood(&mut pool, &owner(1), 0);
    assert!((40..=60).contains(&flooded), "{flooded}");
    for n in 0..10 {
        assert_eq!(pool.admit(candidate(1_000 + n, owner(2), 50, 1_000)), Admission::New);
    }
    let proposal = pool.propose(1, std::iter::empty(), 10_000, 20);
    assert_eq!(proposal.len(), 20);
    let others = proposal.iter().filter(|bytes| number(bytes) >= 1_000).count();
    assert!(others >= 8, "the flooder's queue kept others out: {others}");
}

#[test]
fn however_many_flood_the_next_organisation_finds_room() {
    let mut pool = Pool::new(LIMITS);
    for flooder in 1..=5 {
        assert!(flood(&mut pool, &owner(flooder), u64::from(flooder) * 1_000) > 0);
        assert_eq!(pool.admit(candidate(u64::from(flooder), owner(100 + flooder), 50, 1_000)), Admission::New);
    }
}

#[test]
fn keys_of_nobody_share_one_small_queue() {
    let mut pool = Pool::new(LIMITS);
    let taken = flood(&mut pool, &Owner::Nobody, 0);
    assert!(taken <= 13, "{taken}");
    assert_eq!(pool.admit(candidate(5_000, Owner::Nobody, 50, 1_000)), Admission::ShareFull);
    assert_eq!(pool.admit(candidate(5_001, owner(1), 50, 1_000)), Admission::New);
}

#[test]
fn the_same_transaction_is_known_while_it_waits_and_after() {
    let mut pool = Pool::new(LIMITS);
    assert_eq!(pool.admit(candidate(1, owner(1), 50, 100)), Admission::New);
    assert_eq!(pool.admit(candidate(1, owner(1), 50, 100)), Admission::Known);
    assert_eq!(pool.count(), 1);
    pool.finalised(1, [id(1)].into_iter());
    assert_eq!(pool.count(), 0);
    assert_eq!(pool.admit(candidate(1, owner(1), 50, 100)), Admission::Known);
    assert_eq!(pool.standing(&id(1)), Standing::Ended(End::Finalised { height: 1, index: 0 }));
}

#[test]
fn a_double_in_a_later_block_does_not_change_the_end() {
    let mut pool = Pool::new(LIMITS);
    pool.finalised(1, [id(9), id(1)].into_iter());
    pool.finalised(2, [id(1)].into_iter());
    assert_eq!(pool.standing(&id(1)), Standing::Ended(End::Finalised { height: 1, index: 1 }));
}

#[test]
fn what_expires_ends_and_whoever_waits_is_told() {
    let mut pool = Pool::new(LIMITS);
    pool.finalised(10, std::iter::empty());
    assert_eq!(pool.admit(candidate(1, owner(1), 50, 10)), Admission::Expired);
    assert_eq!(pool.admit(candidate(2, owner(1), 50, 11 + VALIDITY_BLOCKS_MAX)), Admission::TooEarly);
    assert_eq!(pool.admit(candidate(3, owner(1), 50, 12)), Admission::New);
    assert_eq!(pool.admit(candidate(4, owner(1), 50, 13)), Admission::New);
    let (mut third, mut fourth) = (pool.wait(id(3)), pool.wait(id(4)));
    let mut elsewhere = pool.wait(id(99));
    pool.finalised(11, std::iter::empty());
    assert!(third.try_recv().is_err(), "block 12 could still have it");
    assert_eq!(pool.propose(13, std::iter::empty(), 10_000, 10).len(), 1, "only one is valid at 13");
    pool.finalised(12, [id(4), id(99)].into_iter());
    assert_eq!(elsewhere.try_recv(), Ok(End::Finalised { height: 12, index: 1 }), "it came by another node");
    assert_eq!(third.try_recv(), Ok(End::Expired));
    assert_eq!(fourth.try_recv(), Ok(End::Finalised { height: 12, index: 0 }));
    assert_eq!(pool.admit(candidate(3, owner(1), 50, 12)), Admission::Expired);
    assert_eq!(pool.wait(id(4)).try_recv(), Ok(End::Finalised { height: 12, index: 0 }));
}

#[test]
fn what_stands_in_an_ancestor_is_not_proposed_again_until_the_ancestor_loses() {
    let mut pool = Pool::new(LIMITS);
    for n in 0..4 {
        pool.admit(candidate(n, owner(1), 50, 100));
    }
    let first = pool.propose(1, std::iter::empty(), 10_000, 2);
    let ancestors: Vec<_> = first.iter().map(|bytes| id(number(bytes))).collect();
    pool.proposed(1, &ancestors);
    assert!(pool.waiting());
    let second = pool.propose(2, ancestors.iter().copied(), 10_000, 10);
    assert_eq!(second.iter().map(|bytes| number(bytes)).collect::<Vec<_>>(), [2, 3]);
    pool.proposed(2, &[id(2), id(3)]);
    assert!(!pool.waiting(), "all are in blocks");
    // Another block than the first is final at height 1.
    pool.finalised(1, std::iter::empty());
    assert!(pool.waiting());
    assert_eq!(pool.propose(3, [id(2), id(3)].into_iter(), 10_000, 10).len(), 2);
    pool.finalised(2, [id(2), id(3)].into_iter());
    pool.finalised(3, [id(0), id(1)].into_iter());
    assert!(!pool.waiting());
    assert_eq!((pool.count(), pool.bytes()), (0, 0));
}

#[test]
fn what_waits_in_vain_is_told_again_and_what_moves_is_not() {
    let mut pool = Pool::new(LIMITS);
    for n in 0..6 {
        pool.admit(candidate(n, owner(1), 100, 1_000));
    }
    for height in 1..8 {
        pool.finalised(height, std::iter::empty());
        assert!(pool.untold(10_000).is_empty(), "at {height}");
    }
    pool.proposed(9, &[id(0), id(1)]);
    pool.finalised(8, std::iter::empty());
    let told = |pool: &mut Pool, bytes_max| pool.untold(bytes_max).iter().map(|it| number(it)).collect::<Vec<_>>();
    // No more than so many bytes at once, and the rest the next time.
    assert_eq!(told(&mut pool, 250), [2, 3]);
    assert_eq!(told(&mut pool, 10_000), [4, 5]);
    assert_eq!(told(&mut pool, 10_000), [0; 0]);
    pool.finalised(9, [id(0), id(1)].into_iter());
    (10..=16).for_each(|height| pool.finalised(height, [id(height - 8)].into_iter().filter(|_| height < 13)));
    assert_eq!(told(&mut pool, 10_000), [5], "all others are final");
}

#[derive(Clone, Debug)]
enum Step {
    Admit { n: u64, owner: u8, bytes: usize, validity: u64 },
    Block { propose: usize, keep: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..400u64, 0..6u8, 8..600usize, 1..8u64)
            .prop_map(|(n, owner, bytes, validity)| Step::Admit { n, owner, bytes, validity }),
        1 => (0..40usize, 0..40usize).prop_map(|(propose, keep)| Step::Block { propose, keep }),
    ]
}

proptest! {
    /// P1, P2 and P3 under any history: whatever is taken ends, once; the bounds hold; a newcomer finds room.
    #[test]
    fn whatever_is_taken_ends(steps in vec(step(), 0..400)) {
        let mut pool = Pool::new(LIMITS);
        let mut height = 0;
        let mut ends: BTreeMap<TransactionId, Option<End>> = BTreeMap::new();
        let mut waiting = BTreeMap::new();
        for step in steps {
            match step {
                Step::Admit { n, owner: whose, bytes, validity } => {
                    let whose = if whose == 0 { Owner::Nobody } else { owner(whose) };
                    let admission = pool.admit(candidate(n, whose, bytes, height + validity));
                    let before = ends.get(&id(n));
                    match before {
                        Some(None | Some(End::Finalised { .. })) => prop_assert_eq!(admission, Admission::Known),
                        Some(Some(End::Expired)) => prop_assert_eq!(admission, Admission::Expired),
                        None if admission == Admission::New => {
                            ends.insert(id(n), None);
                            waiting.insert(id(n), pool.wait(id(n)));
                        }
                        None => prop_assert!(matches!(admission, Admission::Full | Admission::ShareFull)),
                    }
                }
                Step::Block { propose, keep } => {
                    height += 1;
                    let proposal = pool.propose(height, std::iter::empty(), 4_000, propose);
                    prop_assert!(proposal.len() <= propose);
                    prop_assert!(proposal.iter().map(Vec::len).sum::<usize>() <= 4_000);
                    let ids: Vec<_> = proposal.iter().map(|bytes| id(number(bytes))).collect();
                    prop_assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "one twice");
                    prop_assert!(ids.iter().all(|id| ends.get(id) == Some(&None)), "what has ended was proposed");
                    pool.proposed(height, &ids);
                    let kept = &ids[..keep.min(ids.len())];
                    pool.finalised(height, kept.iter().copied());
                    for (index, id) in kept.iter().enumerate() {
                        ends.insert(*id, Some(End::Finalised { height, index: index as u32 }));
                    }
                    for (id, end) in &mut ends {
                        if end.is_none() && pool.standing(id) != Standing::Pending {
                            *end = Some(End::Expired);
                        }
                    }
                }
            }
            prop_assert!(pool.count() <= LIMITS.count_max && pool.bytes() <= LIMITS.bytes_max);
            let pending = ends.values().filter(|end| end.is_none()).count();
            prop_assert_eq!(pool.count(), pending);
            prop_assert_eq!(pool.waiting(), pending > 0);
        }
        // P2: somebody who has nothing waiting finds room.
        let newcomer = candidate(1 << 40, owner(99), 100, height + 1);
        let room = LIMITS.bytes_max - pool.bytes() >= 100 && pool.count() < LIMITS.count_max;
        prop_assert_eq!(pool.admit(newcomer) == Admission::New, room);
        // Time passes; nothing is left over.
        pool.finalised(height + 2_000, std::iter::empty());
        prop_assert_eq!((pool.count(), pool.bytes()), (0, 0));
        for (id, mut receiver) in waiting {
            let end = receiver.try_recv();
            prop_assert!(end.is_ok(), "somebody waits for ever");
            let told = ends[&id].unwrap_or(End::Expired);
            prop_assert_eq!(end.unwrap(), told);
        }
    }
}
