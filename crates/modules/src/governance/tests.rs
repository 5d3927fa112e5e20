//! Scenarios and properties of the governance module.

use std::collections::BTreeMap;

use proptest::prelude::*;
use zhulian_primitives::PROTOCOLS;

use super::*;
use crate::{
    identity,
    tests::{City, check, check_in, code, validator_key},
};

fn standing(city: &City, number: u32) -> MotionStatus {
    queries::motion(&city.source(), number, city.chain.height).expect("a motion").standing
}

#[test]
fn three_of_four_admit_an_organisation_and_the_deciding_ballot_executes_it() {
    let city = check(
        "
        court.rep    open_motion admit hospital -> ok motion_opened
        hospital.sys add_member clerk-01        -> transaction.unknown_key
        court.rep    cast_ballot 0 yes          -> ok ballot_cast
        bureau.rep   cast_ballot 0 yes          -> ok ballot_cast
        hospital.sys add_member clerk-01        -> transaction.unknown_key
        bank.rep     cast_ballot 0 yes          -> ok
        hospital.sys add_member clerk-01        -> ok
        notary.rep   cast_ballot 0 yes          -> governance.motion_decided
        court.rep    open_motion admit hospital -> identity.organisation_exists
    ",
    );
    assert_eq!(standing(&city, 0), MotionStatus::Executed);
    let hospital = identity::organisation(&city.source(), &code("hospital")).expect("admitted");
    assert_eq!((hospital.admitted, hospital.members), (6, 6));
}

#[test]
fn the_deciding_ballot_s_events_tell_who_came_in() {
    let mut city = check(
        "
        court.rep  open_motion admit insurer -> ok
        court.rep  cast_ballot 0 yes         -> ok
        bureau.rep cast_ballot 0 yes         -> ok
    ",
    );
    let events = city.run("notary.rep cast_ballot 0 yes").events;
    assert_eq!(events[..2], ["ballot_cast", "organisation_admitted"]);
    assert_eq!(events.iter().filter(|name| *name == "key_registered").count(), 5);
    assert_eq!(events.last().map(String::as_str), Some("motion_closed"));
}

#[test]
fn one_organisation_has_one_vote_cast_by_a_representative() {
    check(
        "
        court.off  open_motion set vote_blocks 30   -> transaction.not_allowed
        firm.rep   open_motion set vote_blocks 30   -> governance.no_vote
        court.rep  open_motion set vote_blocks 30   -> ok
        court.rep  cast_ballot 1 yes                -> governance.motion_not_found
        firm.rep   cast_ballot 0 yes                -> governance.no_vote
        court.off  cast_ballot 0 yes                -> transaction.not_allowed
        court.rep  cast_ballot 0 yes                -> ok
        court.rep  cast_ballot 0 yes                -> governance.already_voted
        court.rep  cast_ballot 0 no                 -> governance.already_voted
        court.sys  add_member rep-02                -> ok
        court.sec  register_key rep-02 K1           -> ok
        court.sec  assign_roles rep-02 representative -> ok
        K1         cast_ballot 0 yes                -> governance.already_voted
    ",
    );
}

#[test]
fn a_parameter_is_changed_within_its_bounds_and_is_in_force_at_once() {
    let city = check(
        "
        court.rep  open_motion set vote_blocks 9            -> governance.parameter_out_of_bounds
        court.rep  open_motion set batch_entries_max 1000001 -> governance.parameter_out_of_bounds
        court.off  deposit_batch B1 count=1001              -> evidence.too_many_entries
        court.rep  open_motion set batch_entries_max 2000   -> ok
        court.rep  cast_ballot 0 yes                        -> ok
        bank.rep   cast_ballot 0 yes                        -> ok
        notary.rep cast_ballot 0 yes                        -> ok ballot_cast parameter_changed motion_closed
        court.off  deposit_batch B1 count=1001              -> ok
    ",
    );
    assert_eq!(queries::parameters(&city.source()).batch_entries_max, 2000);
}

#[test]
fn a_motion_that_cannot_be_carried_any_more_is_rejected() {
    let city = check(
        "
        court.rep  open_motion set vote_blocks 30   -> ok
        bank.rep   cast_ballot 0 no                 -> ok ballot_cast
        notary.rep cast_ballot 0 no                 -> ok ballot_cast motion_closed
        court.rep  cast_ballot 0 yes                -> governance.motion_decided
        court.rep  withdraw_motion 0                -> governance.motion_decided
    ",
    );
    assert_eq!(standing(&city, 0), MotionStatus::Rejected);
    assert_eq!(queries::parameters(&city.source()).vote_blocks, 20);
}

#[test]
fn a_motion_is_withdrawn_by_its_opener_or_expires() {
    let mut city = check(
        "
        court.rep  open_motion set vote_blocks 30   -> ok
        bank.rep   withdraw_motion 0                -> governance.not_opener
        bank.rep   withdraw_motion 7                -> governance.motion_not_found
        court.rep  withdraw_motion 0                -> ok motion_closed
        bank.rep   cast_ballot 0 yes                -> governance.motion_decided
        court.rep  open_motion set vote_blocks 30   -> ok
        wait 19
        bank.rep   cast_ballot 1 yes                -> ok
        notary.rep cast_ballot 1 yes                -> governance.motion_expired
        court.rep  withdraw_motion 1                -> governance.motion_expired
    ",
    );
    assert_eq!((standing(&city, 0), standing(&city, 1)), (MotionStatus::Withdrawn, MotionStatus::Expired));
    check_in(&mut city, "court.rep open_motion set vote_blocks 30 -> ok");
    let all = queries::motions(&city.source(), None, 10, city.chain.height);
    assert_eq!(all.iter().map(|view| view.number).collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(queries::motions(&city.source(), Some(2), 1, city.chain.height), all[1..2]);
}

#[test]
fn a_suspended_organisation_acts_and_votes_no_more() {
    let mut city = check(
        "
        court.rep  open_motion set vote_blocks 30  -> ok
        bank.rep   cast_ballot 0 yes               -> ok
        court.rep  open_motion reinstate bank      -> identity.organisation_standing
        court.rep  open_motion suspend hospital    -> identity.organisation_not_found
        court.rep  open_motion suspend bank        -> ok
        bank.rep   cast_ballot 1 no                -> governance.own_case
        court.rep  cast_ballot 1 yes               -> ok
        bureau.rep cast_ballot 1 yes               -> ok
        notary.rep cast_ballot 1 yes               -> ok ballot_cast organisation_suspended motion_closed
        bank.off   deposit F1                      -> transaction.key_not_active
        bank.rep   cast_ballot 0 yes               -> transaction.key_not_active
        court.rep  open_motion suspend bank        -> identity.organisation_standing
    ",
    );
    // G3: the bank's ballot counts no more; of the three that are left, all three are more than two thirds.
    check_in(
        &mut city,
        "
        court.rep  cast_ballot 0 yes               -> ok ballot_cast
        bureau.rep cast_ballot 0 yes               -> ok ballot_cast
        notary.rep cast_ballot 0 yes               -> ok ballot_cast parameter_changed motion_closed
        court.rep  open_motion reinstate bank      -> ok
        court.rep  cast_ballot 2 yes               -> ok
        bureau.rep cast_ballot 2 yes               -> ok
        notary.rep cast_ballot 2 yes               -> ok ballot_cast organisation_reinstated motion_closed
        bank.off   deposit F1                      -> ok
    ",
    );
}

#[test]
fn what_has_become_impossible_fails_without_a_trace() {
    let city = check(
        "
        court.rep  open_motion admit hospital  -> ok
        court.rep  open_motion admit hospital  -> ok
        court.rep  cast_ballot 0 yes           -> ok
        bureau.rep cast_ballot 0 yes           -> ok
        court.rep  cast_ballot 1 yes           -> ok
        bureau.rep cast_ballot 1 yes           -> ok
        bank.rep   cast_ballot 0 yes           -> ok
        bank.rep   cast_ballot 1 yes           -> ok ballot_cast motion_closed
    ",
    );
    let failed = queries::motion(&city.source(), 1, city.chain.height).expect("a motion").motion;
    let code = failed.failure.expect("a reason");
    assert_eq!((failed.status, code.module.as_str(), code.number), (MotionStatus::Failed, "identity", 26));
}

#[test]
fn an_organisation_that_lost_its_administrators_is_recovered() {
    check(
        "
        court.rep  open_motion recover bank sec    -> ok
        court.rep  open_motion recover bank sec-02 -> ok
        bank.rep   cast_ballot 1 yes               -> governance.own_case
        court.rep  cast_ballot 1 yes               -> ok
        bureau.rep cast_ballot 1 yes               -> ok
        notary.rep cast_ballot 1 yes               -> ok
        bank.sec-02 revoke_key bank.sec compromised -> ok
        bank.sec   revoke_key bank.off             -> transaction.key_not_active
        court.rep  cast_ballot 0 yes               -> ok
        bureau.rep cast_ballot 0 yes               -> ok
        notary.rep cast_ballot 0 yes               -> ok ballot_cast motion_closed
    ",
    );
}

#[test]
fn two_thirds_are_not_enough() {
    use rules::{Decision, decide};
    assert_eq!(decide(2, 0, 3), Decision::Open);
    assert_eq!(decide(3, 0, 3), Decision::Carried);
    assert_eq!(decide(2, 1, 3), Decision::Rejected);
    assert_eq!(decide(3, 1, 4), Decision::Carried);
    assert_eq!(decide(1, 0, 1), Decision::Carried);
    assert_eq!(decide(0, 1, 1), Decision::Rejected);
    for electorate in 1..40u32 {
        for approve in 0..=electorate {
            for reject in 0..=electorate - approve {
                let (carried, decision) =
                    (u64::from(approve) * 3 > u64::from(electorate) * 2, decide(approve, reject, electorate));
                assert_eq!(decision == Decision::Carried, carried);
                // Rejected exactly when not even all the others could carry it.
                let hopeless = (electorate - reject) * 3 <= electorate * 2;
                assert_eq!(decision == Decision::Rejected, !carried && hopeless);
            }
        }
    }
}

/// Random lines of governance, most of them wrong.
fn any_line() -> impl Strategy<Value = String> {
    let who = prop::sample::select(vec!["court", "bureau", "bank", "notary", "firm", "hospital"]);
    let action = prop::sample::select(vec![
        "set vote_blocks 15",
        "set vote_blocks 5",
        "suspend bank",
        "suspend firm",
        "suspend notary",
        "reinstate bank",
        "reinstate notary",
        "admit hospital",
    ]);
    (0..10u8, who, action, 0..5u32, prop::bool::weighted(0.75)).prop_map(|(what, who, action, motion, yes)| match what {
        0 | 1 => format!("{who}.rep open_motion {action}"),
        2 => format!("{who}.rep withdraw_motion {motion}"),
        _ => format!("{who}.rep cast_ballot {motion} {}", if yes { "yes" } else { "no" }),
    })
}

/// A plain model of motions: organisations by name, and who voted how.
#[derive(Default)]
struct Model {
    /// Votes, and whether active.
    organisations: BTreeMap<&'static str, (bool, bool)>,
    motions: Vec<ModelMotion>,
}

struct ModelMotion {
    opener: String,
    action: Vec<String>,
    closes: u64,
    votes: BTreeMap<String, bool>,
    status: MotionStatus,
}

impl Model {
    fn new() -> Self {
        let organisations = [("court", true), ("bureau", true), ("bank", true), ("notary", true), ("firm", false)];
        Self { organisations: organisations.map(|(name, votes)| (name, (votes, true))).into(), motions: Vec::new() }
    }

    fn active(&self, name: &str) -> Option<bool> {
        self.organisations.get(name).map(|(_, active)| *active)
    }

    fn is_voter(&self, name: &str) -> bool {
        self.organisations.get(name) == Some(&(true, true))
    }

    fn apply(&mut self, line: &str, height: u64, vote_blocks: u64) -> &'static str {
        let words: Vec<&str> = line.split(' ').collect();
        let name = words[0].split('.').next().expect("a name");
        match self.active(name) {
            None => return "transaction.unknown_key",
            Some(false) => return "transaction.key_not_active",
            Some(true) => {}
        }
        match words[1] {
            "open_motion" => self.open(name, &words[2..], height + vote_blocks),
            "cast_ballot" => self.vote(name, words[2].parse().expect("a number"), words[3] == "yes", height),
            _ => self.withdraw(name, words[2].parse().expect("a number"), height),
        }
    }

    fn open(&mut self, name: &str, action: &[&str], closes: u64) -> &'static str {
        if action == ["set", "vote_blocks", "5"] {
            return "governance.parameter_out_of_bounds";
        }
        if !self.is_voter(name) {
            return "governance.no_vote";
        }
        match (action[0], self.active(action[1])) {
            ("admit", Some(_)) => return "identity.organisation_exists",
            ("suspend", Some(false)) | ("reinstate", Some(true)) => return "identity.organisation_standing",
            ("suspend" | "reinstate", None) => return "identity.organisation_not_found",
            _ => {}
        }
        let action = action.iter().map(|word| (*word).to_string()).collect();
        let opener = name.to_string();
        self.motions.push(ModelMotion { opener, action, closes, votes: BTreeMap::new(), status: MotionStatus::Open });
        "ok"
    }

    fn open_motion(&mut self, number: usize, height: u64) -> Result<&mut ModelMotion, &'static str> {
        let motion = self.motions.get_mut(number).ok_or("governance.motion_not_found")?;
        if motion.status != MotionStatus::Open {
            return Err("governance.motion_decided");
        }
        if height > motion.closes { Err("governance.motion_expired") } else { Ok(motion) }
    }

    fn withdraw(&mut self, name: &str, number: usize, height: u64) -> &'static str {
        let motion = match self.open_motion(number, height) {
            Ok(motion) => motion,
            Err(slug) => return slug,
        };
        if motion.opener != name {
            return "governance.not_opener";
        }
        motion.status = MotionStatus::Withdrawn;
        "ok"
    }

    fn vote(&mut self, name: &str, number: usize, yes: bool, height: u64) -> &'static str {
        let voter = self.is_voter(name);
        let motion = match self.open_motion(number, height) {
            Ok(motion) => motion,
            Err(slug) => return slug,
        };
        if !voter {
            return "governance.no_vote";
        }
        let concerned = if motion.action[0] == "set" { String::new() } else { motion.action[1].clone() };
        if concerned == name {
            return "governance.own_case";
        }
        if motion.votes.contains_key(name) {
            return "governance.already_voted";
        }
        motion.votes.insert(name.to_string(), yes);
        let (votes, action) = (motion.votes.clone(), motion.action.clone());
        let electorate = self.organisations.keys().filter(|o| self.is_voter(o) && **o != concerned).count();
        let count = |wanted: bool| votes.iter().filter(|(o, vote)| **vote == wanted && self.is_voter(o)).count();
        let (approve, reject) = (count(true), count(false));
        let status = if 3 * approve > 2 * electorate {
            self.execute(&action)
        } else if 3 * (electorate - reject) <= 2 * electorate {
            MotionStatus::Rejected
        } else {
            MotionStatus::Open
        };
        self.motions[number].status = status;
        "ok"
    }

    fn execute(&mut self, action: &[String]) -> MotionStatus {
        let done = match (action[0].as_str(), self.active(&action[1])) {
            ("set", _) => true,
            ("admit", None) => self.organisations.insert("hospital", (true, true)).is_none(),
            ("suspend", Some(true)) => self.set(&action[1], false),
            ("reinstate", Some(false)) => self.set(&action[1], true),
            _ => false,
        };
        if done { MotionStatus::Executed } else { MotionStatus::Failed }
    }

    fn set(&mut self, name: &str, active: bool) -> bool {
        self.organisations.iter_mut().filter(|(o, _)| **o == name).for_each(|(_, it)| it.1 = active);
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// G2 to G5: after any calls, motions and organisations stand as in a plain model.
    #[test]
    fn agrees_with_the_model(lines in prop::collection::vec(any_line(), 1..70)) {
        let (mut city, mut model) = (City::default(), Model::new());
        for line in &lines {
            let blocks = queries::parameters(&city.source()).vote_blocks;
            let expected = model.apply(line, city.chain.height + 1, blocks);
            prop_assert_eq!(city.run(line).slug, expected, "{}", line);
        }
        for (number, motion) in (0..).zip(&model.motions) {
            let found = queries::motion(&city.source(), number, 0).expect("a motion").motion;
            prop_assert_eq!(found.status, motion.status);
            prop_assert_eq!(found.ballots.len(), motion.votes.len());
        }
        for (name, (votes, active)) in &model.organisations {
            let found = identity::organisation(&city.source(), &code(name)).expect("an organisation");
            prop_assert_eq!((found.votes, found.is_active()), (*votes, *active), "{}", name);
        }
    }
}

fn now(city: &City) -> Seats {
    queries::seats(&city.source()).expect("written by genesis")
}

#[test]
fn validators_come_go_and_change_keys_with_the_epochs() {
    let mut city = check(
        "
        court.rep  open_motion add_validator firm V5 -> ok
        court.rep  cast_ballot 0 yes                 -> ok
        bureau.rep cast_ballot 0 yes                 -> ok
        bank.rep   cast_ballot 0 yes                 -> ok ballot_cast validators_changed motion_closed
    ",
    );
    let seats = now(&city);
    assert_eq!((seats.number, seats.epoch, seats.seats.len(), seats.before.len()), (1, 1, 5, 4));
    assert!(seats.is_pending(0) && !seats.is_pending(1));
    assert_eq!((seats.in_force(0).len(), seats.in_force(1).len()), (4, 5));
    assert!(seats.seats.is_sorted_by_key(|seat| seat.public_key));

    // G7: while one waits, no other is carried out; afterwards it is.
    check_in(
        &mut city,
        "
        court.rep  open_motion rekey_validator bank V6 -> ok
        court.rep  cast_ballot 1 yes                   -> ok
        bureau.rep cast_ballot 1 yes                   -> ok
        notary.rep cast_ballot 1 yes                   -> ok ballot_cast motion_closed
    ",
    );
    let failed = queries::motion(&city.source(), 1, 0).expect("a motion").motion;
    let pending = Some(Failure { module: "governance".into(), number: 13 });
    assert_eq!((failed.status, failed.failure), (MotionStatus::Failed, pending));
    assert_eq!(now(&city), seats);
    check_in(
        &mut city,
        "
        wait 50
        court.rep  open_motion rekey_validator bank V6 -> ok
        court.rep  cast_ballot 2 yes                   -> ok
        bureau.rep cast_ballot 2 yes                   -> ok
        notary.rep cast_ballot 2 yes                   -> ok ballot_cast validators_changed motion_closed
        wait 50
        court.rep  open_motion remove_validator firm V5 -> ok
        court.rep  cast_ballot 3 yes                   -> ok
        bureau.rep cast_ballot 3 yes                   -> ok
        notary.rep cast_ballot 3 yes                   -> ok ballot_cast validators_changed motion_closed
    ",
    );
    let seats = now(&city);
    assert_eq!((seats.number, seats.epoch, seats.seats.len()), (3, 3, 4));
    let keys: Vec<[u8; 32]> = seats.seats.iter().map(|seat| seat.public_key).collect();
    assert!(keys.contains(&validator_key("V6")) && !keys.contains(&validator_key("bank")));
}

#[test]
fn a_change_of_validators_that_cannot_be_is_refused_when_it_is_moved() {
    check(
        "
        court.off  open_motion add_validator firm V5        -> transaction.not_allowed
        firm.rep   open_motion add_validator firm V5        -> governance.no_vote
        court.rep  open_motion add_validator firm none      -> governance.malformed_validator
        court.rep  open_motion add_validator firm court     -> governance.validator_exists
        court.rep  open_motion add_validator hospital V5    -> identity.organisation_not_found
        court.rep  open_motion rekey_validator V5 V6        -> governance.validator_not_found
        court.rep  open_motion rekey_validator court bank   -> governance.validator_exists
        court.rep  open_motion remove_validator bank court  -> governance.validator_not_found
        court.rep  open_motion rekey_validator court V6     -> ok
    ",
    );
}

#[test]
fn no_vote_gives_a_third_of_the_validators_to_one() {
    check(
        "
        court.rep  open_motion remove_validator bank bank -> governance.too_much_power
        court.rep  open_motion add_validator court V5     -> governance.too_much_power
        court.rep  open_motion add_validator firm V5      -> ok
    ",
    );
}

#[test]
fn a_motion_that_gives_a_second_one_a_third_fails_when_it_is_decided_by_the_newer_rule() {
    let genesis = crate::tests::with_a_second_seat_of_the_court(2);
    let mut city = City::founded(&genesis, crate::executor());
    check_in(
        &mut city,
        "
        court.rep  open_motion schedule_protocol 3 60     -> ok
        court.rep  cast_ballot 0 yes                      -> ok
        bureau.rep cast_ballot 0 yes                      -> ok
        notary.rep cast_ballot 0 yes                      -> ok ballot_cast protocol_scheduled motion_closed
        wait 48
        court.rep  open_motion add_validator bank V5      -> ok
        court.rep  cast_ballot 1 yes                      -> ok
        bureau.rep cast_ballot 1 yes                      -> ok
        wait 4
        notary.rep cast_ballot 1 yes                      -> ok ballot_cast motion_closed
        court.rep  open_motion add_validator bank V5      -> governance.too_much_power
    ",
    );
    let failed = queries::motion(&city.source(), 1, 0).expect("a motion").motion;
    let too_much = Some(Failure { module: "governance".into(), number: 14 });
    assert_eq!((failed.status, failed.failure), (MotionStatus::Failed, too_much));
    assert_eq!(now(&city).seats.len(), 5);
}

#[test]
fn an_organisation_does_not_vote_on_the_removal_of_its_own_validator() {
    let mut city = check(
        "
        court.rep  open_motion add_validator firm V5 -> ok
        court.rep  cast_ballot 0 yes                 -> ok
        bureau.rep cast_ballot 0 yes                 -> ok
        bank.rep   cast_ballot 0 yes                 -> ok
        wait 50
        court.rep  open_motion remove_validator bank bank -> ok
        bank.rep   cast_ballot 1 no                  -> governance.own_case
        court.rep  cast_ballot 1 yes                 -> ok
        bureau.rep cast_ballot 1 yes                 -> ok ballot_cast
        notary.rep cast_ballot 1 yes                 -> ok ballot_cast validators_changed motion_closed
    ",
    );
    assert_eq!(now(&city).seats.len(), 4);
    city.run("court.off deposit F1");
}

#[test]
fn power_is_counted_by_legal_entity() {
    let power = |counts: &[usize]| {
        let names = ["court", "bureau", "bank", "notary", "firm", "hospital", "insurer"];
        let held = counts.iter().zip(names).flat_map(|(count, name)| std::iter::repeat_n(code(name), *count));
        let power = Power::counted(held);
        (power.concentration(), power.nakamoto())
    };
    assert_eq!(power(&[1]), (Concentration::Excessive, 1));
    assert_eq!(power(&[1, 1, 1]), (Concentration::Excessive, 1));
    assert_eq!(power(&[1, 1, 1, 1]), (Concentration::Alarm, 2));
    assert_eq!(power(&[1, 1, 1, 1, 1]), (Concentration::Spread, 2));
    assert_eq!(power(&[2, 1, 1, 1]), (Concentration::Excessive, 1));
    assert_eq!(power(&[2, 1, 1, 1, 1, 1]), (Concentration::Alarm, 2));
    assert_eq!(power(&[2, 2, 1, 1, 1, 1, 1]), (Concentration::Spread, 2));
    assert_eq!(power(&[1, 1, 1, 1, 1, 1, 1]), (Concentration::Spread, 3));
}

fn seat(name: &str, key: &str) -> Seat {
    Seat {
        name: identity::OrganisationName::parse(name).expect("a name"),
        organisation: code(name),
        public_key: validator_key(key),
        address: Some(Address::parse("[::1]:1").expect("an address")),
    }
}

#[test]
fn a_network_that_begins_concentrated_may_grow_out_of_it() {
    for protocol in PROTOCOLS {
        let mut seats = vec![seat("court", "court")];
        for name in ["bank", "bureau", "notary", "firm"] {
            let add = Action::AddValidator(seat(name, name));
            seats = change(&seats, &add, protocol).expect("less concentrated than before");
        }
        let remove = |name: &str| Action::RemoveValidator(code(name), validator_key(name));
        seats = change(&seats, &remove("firm"), protocol).expect("four are left");
        assert_eq!(change(&seats, &remove("bank"), protocol), Err(Error::TooMuchPower));
        let last = Action::RemoveValidator(seats[0].organisation, seats[0].public_key);
        assert_eq!(change(&seats[..1], &last, protocol), Err(Error::ValidatorCount));
    }
}

#[test]
fn four_of_which_one_organisation_has_two_grow_out_of_it() {
    let mut seats = vec![seat("court", "court"), seat("court", "V5"), seat("bank", "bank"), seat("bureau", "bureau")];
    // Without the second one of the court, the others would have a third each.
    let second = Action::RemoveValidator(code("court"), validator_key("V5"));
    assert_eq!(change(&seats, &second, 3), Err(Error::TooMuchPower));
    seats = change(&seats, &Action::AddValidator(seat("notary", "notary")), 3).expect("a fifth");
    seats = change(&seats, &second, 3).expect("four organisations are left");
    assert_eq!(Power::of(&seats).concentration(), Concentration::Alarm);
}

#[test]
fn a_second_organisation_came_to_a_third_until_protocol_2() {
    // The court has two of five from the start; the bank comes to two of six.
    let mut seats = vec![seat("court", "court"), seat("court", "V5")];
    seats.extend(["bank", "bureau", "notary"].map(|name| seat(name, name)));
    let second = Action::AddValidator(seat("bank", "V6"));
    for protocol in [1, 2] {
        let power = Power::of(&change(&seats, &second, protocol).expect("the greatest share is not greater"));
        let most = &power.held[..2];
        assert!(most.contains(&(code("bank"), 2)) && most.contains(&(code("court"), 2)) && power.total == 6);
    }
    assert_eq!(change(&seats, &second, 3), Err(Error::TooMuchPower));
    // What one organisation loses lifts no other to a third, either: the bank from two of seven to two of six.
    seats.extend([seat("court", "V7"), seat("bank", "V6")]);
    let fewer = Action::RemoveValidator(code("notary"), validator_key("notary"));
    assert_eq!(change(&seats, &fewer, 2), Err(Error::TooMuchPower));
    let fewer = Action::RemoveValidator(code("court"), validator_key("V7"));
    assert!(change(&seats, &fewer, 2).is_ok());
    assert_eq!(change(&seats, &fewer, 3), Err(Error::TooMuchPower));
}

/// Seats by the place of their organisation, each with a key of its own; and changes of them.
fn any_changes() -> impl Strategy<Value = (Vec<usize>, Vec<(u8, usize, usize)>)> {
    (prop::collection::vec(0..5usize, 1..13), prop::collection::vec((0..4u8, any::<usize>(), 0..7usize), 1..20))
}

proptest! {
    /// G8, and how its two forms relate: since protocol 3, after any change that is accepted, nobody has a third or more who had less
    /// before, and nobody who had so much has a greater share, but for an organisation's first seat among fewer than four. What is
    /// accepted so, protocols 1 and 2 accept, too, with the same outcome. And one more organisation can always come in.
    #[test]
    fn no_change_brings_an_organisation_to_a_third((first, changes) in any_changes()) {
        let names = ["court", "bureau", "bank", "notary", "firm", "hospital", "insurer"];
        let mut seats: Vec<Seat> =
            first.iter().enumerate().map(|(n, name)| seat(names[*name], &format!("first {n}"))).collect();
        for (n, (what, place, name)) in changes.into_iter().enumerate() {
            let (old, key) = (seats[place % seats.len()].clone(), format!("later {n}"));
            let action = match what {
                0 | 1 => Action::AddValidator(seat(names[name], &key)),
                2 => Action::RemoveValidator(old.organisation, old.public_key),
                _ => Action::RekeyValidator(old.public_key, validator_key(&key), None),
            };
            let (had, after) = (Power::of(&seats), change(&seats, &action, 3));
            let second = change(&seats, &action, 2);
            prop_assert_eq!(&second, &change(&seats, &action, 1));
            let count = |power: &Power, code| power.held.iter().find(|it| it.0 == code).map_or(0, |it| it.1);
            if let Ok(after) = after {
                prop_assert_eq!(second.as_ref(), Ok(&after));
                let has = Power::of(&after);
                for (code, held) in &has.held {
                    let before = count(&had, *code);
                    let first = before == 0 && *held == 1 && has.total < 4;
                    let grew = held * had.total > before * has.total;
                    prop_assert!(held * 3 < has.total || !grew || first, "{:?} {:?}", had, has);
                }
                seats = after;
            } else if let Ok(after) = second {
                // Refused by the newer rule alone: somebody else than the greatest came to a third, or grew beyond it.
                let has = Power::of(&after);
                let grew = |(code, held): &(identity::Uscc, usize)| {
                    held * 3 >= has.total && held * had.total > count(&had, *code) * has.total
                };
                prop_assert!(has.held.iter().any(grew));
                seats = after;
            }
            let newcomer = names.iter().find(|name| !seats.iter().any(|seat| seat.organisation == code(name)));
            if let Some(newcomer) = newcomer {
                prop_assert!(change(&seats, &Action::AddValidator(seat(newcomer, "a newcomer")), 3).is_ok());
            }
        }
    }
}

#[test]
fn an_address_is_a_host_and_a_port() {
    for good in ["10.0.0.1:4600", "node-1.city.example:1", "[fe80::1]:65535"] {
        assert_eq!(Address::parse(good).map(|it| it.as_str().to_string()), Ok(good.into()));
    }
    for bad in ["", ":1", "a", "a:", "a:0", "a:65536", "a b:1", "a:+1", "[x]:1", "[]:1", "fe80::1:1", "县:1"] {
        assert!(Address::parse(bad).is_err(), "{bad}");
    }
}

/// A city of protocol 1 in which a motion for protocol 2 is carried at height 4.
fn voted(height: u64) -> City {
    let mut city = City::of_protocol_1();
    check_in(
        &mut city,
        &format!(
            "
        court.rep  open_motion schedule_protocol 2 {height} -> ok motion_opened
        court.rep  cast_ballot 0 yes                        -> ok
        bureau.rep cast_ballot 0 yes                        -> ok
        bank.rep   cast_ballot 0 yes                        -> ok ballot_cast protocol_scheduled motion_closed
    "
        ),
    );
    city
}

fn plan(city: &City) -> ProtocolPlan {
    queries::protocol_plan(&city.source())
}

#[test]
fn a_protocol_begins_exactly_at_the_height_that_was_voted() {
    let mut city = voted(54);
    let next = Some(Upgrade { protocol: 2, height: 54 });
    assert_eq!((plan(&city).at(53), plan(&city).at(54), plan(&city).after(53), plan(&city).after(54)), (1, 2, next, None));
    check_in(
        &mut city,
        "
        court.off deposit F1 custodian=insurer -> ok
        wait 47
        court.off deposit F2 custodian=insurer -> ok
        court.off deposit F3 custodian=insurer -> evidence.custodian_unknown
        court.off deposit F3 custodian=bank    -> ok
    ",
    );
    assert_eq!(city.chain.height, 55);
}

#[test]
fn a_network_begins_with_the_newest_protocol_unless_its_genesis_names_another() {
    let newest = City::default();
    assert_eq!(plan(&newest), ProtocolPlan::of(zhulian_primitives::PROTOCOL_NEWEST));
    let first = City::of_protocol_1();
    assert_eq!(plan(&first), ProtocolPlan::default());
    // Nothing is written for the first, so that networks from before there was a choice are what they were.
    assert_eq!(first.chain.get(&protocol_state_key()), None);
    assert_eq!(newest.chain.state().len(), first.chain.state().len() + 1);
}

#[test]
fn protocols_follow_one_another_with_an_epoch_s_notice() {
    let mut city = City::of_protocol_1();
    check_in(
        &mut city,
        "
        court.rep  open_motion schedule_protocol 1 90       -> governance.protocol_not_next
        court.rep  open_motion schedule_protocol 3 90       -> governance.protocol_not_next
        court.rep  open_motion schedule_protocol 0 90       -> governance.protocol_not_next
        court.rep  open_motion schedule_protocol 2 0        -> governance.protocol_height
        court.rep  open_motion schedule_protocol 2 54       -> governance.protocol_height
        court.rep  open_motion schedule_protocol 2 18446744073709551615 -> governance.protocol_height
        court.rep  open_motion schedule_protocol 2 10000008 -> governance.protocol_height
        court.rep  open_motion annul_protocol 2             -> governance.protocol_not_pending
        court.off  open_motion schedule_protocol 2 90       -> transaction.not_allowed
        firm.rep   open_motion schedule_protocol 2 90       -> governance.no_vote
    ",
    );
    // Early enough when it is opened and too late when it is decided: nothing is changed.
    check_in(
        &mut city,
        "
        court.rep  open_motion schedule_protocol 2 61       -> ok
        court.rep  cast_ballot 0 yes                        -> ok
        bureau.rep cast_ballot 0 yes                        -> ok
        bank.rep   cast_ballot 0 yes                        -> ok ballot_cast motion_closed
    ",
    );
    assert_eq!((standing(&city, 0), plan(&city)), (MotionStatus::Failed, ProtocolPlan::default()));
}

#[test]
fn a_motion_that_is_not_carried_leaves_the_protocol() {
    let mut city = City::of_protocol_1();
    check_in(
        &mut city,
        "
        court.rep  open_motion schedule_protocol 2 90 -> ok
        bureau.rep cast_ballot 0 yes                  -> ok
        court.rep  withdraw_motion 0                  -> ok
        court.rep  open_motion schedule_protocol 2 90 -> ok
        bureau.rep cast_ballot 1 no                   -> ok
        bank.rep   cast_ballot 1 no                   -> ok ballot_cast motion_closed
        court.rep  open_motion schedule_protocol 2 90 -> ok
        bureau.rep cast_ballot 2 yes                  -> ok
        wait 100
        bank.rep   cast_ballot 2 yes                  -> governance.motion_expired
        court.off  deposit F1 custodian=insurer       -> ok
    ",
    );
    assert_eq!(plan(&city), ProtocolPlan::default());
}

#[test]
fn what_has_not_begun_is_annulled_and_only_that() {
    let mut city = voted(90);
    check_in(
        &mut city,
        "
        court.rep  open_motion schedule_protocol 2 95 -> governance.protocol_pending
        court.rep  open_motion schedule_protocol 3 95 -> governance.protocol_pending
        court.rep  open_motion annul_protocol 3       -> governance.protocol_not_pending
        court.rep  open_motion annul_protocol 2       -> ok
        court.rep  cast_ballot 1 yes                  -> ok
        bureau.rep cast_ballot 1 yes                  -> ok
        bank.rep   cast_ballot 1 yes                  -> ok ballot_cast protocol_annulled motion_closed
        wait 90
        court.off  deposit F1 custodian=insurer       -> ok
    ",
    );
    assert_eq!(plan(&city), ProtocolPlan::default());
    // A motion that waits while the protocol begins comes too late.
    let mut city = voted(54);
    check_in(
        &mut city,
        "
        wait 45
        court.rep  open_motion annul_protocol 2       -> ok
        court.rep  cast_ballot 1 yes                  -> ok
        bureau.rep cast_ballot 1 yes                  -> ok
        wait 2
        bank.rep   cast_ballot 1 yes                  -> ok ballot_cast motion_closed
        court.rep  open_motion annul_protocol 2       -> governance.protocol_not_pending
        court.rep  open_motion schedule_protocol 2 190 -> governance.protocol_not_next
        court.rep  open_motion schedule_protocol 3 190 -> ok
    ",
    );
    assert_eq!((standing(&city, 1), plan(&city).at(city.chain.height)), (MotionStatus::Failed, 2));
}

#[test]
fn an_older_build_executes_all_that_it_knows_and_stops_where_it_knows_no_more() {
    let mut city = voted(60);
    city.wait(55);
    let at = |height| zhulian_ledger::BlockContext { chain: [7; 32], height, time: 1, parent: [0; 32], proposer: [0; 32] };
    let execute = |city: &City, newest, height| {
        crate::executor_until(newest).execute(&at(height), &[], |key| city.chain.get(key).cloned())
    };
    assert_eq!(city.chain.height, 59);
    assert_eq!(execute(&city, 1, 59).map(|outcome| outcome.protocol), Ok(1));
    assert_eq!(execute(&city, 1, 60), Err(zhulian_ledger::UnknownProtocol(2)));
    assert_eq!(execute(&city, 2, 60).map(|outcome| outcome.protocol), Ok(2));
}

/// Blocks of deposits, each with a custodian who is there or not.
fn any_blocks() -> impl Strategy<Value = Vec<Vec<&'static str>>> {
    let custodian = prop_oneof![Just("bank"), Just("notary"), Just("insurer"), Just("hospital")];
    prop::collection::vec(prop::collection::vec(custodian, 0..5), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// G9: whatever the blocks are, each follows the rules of its own height, on every build that knows them: a build that knows
    /// protocol 1 only has the same state as this one until the height, and this one goes on from it.
    #[test]
    fn every_block_follows_the_rules_of_its_height(blocks in any_blocks(), height in 54..70u64) {
        let genesis = crate::tests::genesis().with_protocol(1).expect("the first");
        let (mut old, mut new) = (City::founded(&genesis, crate::executor_until(1)), voted(height));
        for (_, transactions) in &new.chain.history.clone() {
            old.chain.block(transactions);
        }
        // Some of the blocks are before the height, some after it.
        new.wait(45);
        old.wait(45);
        let mut file = 0;
        for custodians in &blocks {
            let at = new.chain.height + 1;
            let transactions: Vec<Vec<u8>> = custodians
                .iter()
                .map(|custodian| {
                    file += 1;
                    let mut deposit = crate::tests::deposit_args(&format!("file {file}"));
                    deposit.details.custodian = Some(code(custodian));
                    new.chain.sign(&crate::tests::pair("court.off"), "evidence", "deposit", &deposit)
                })
                .collect();
            let receipts = new.chain.block(&transactions);
            for (receipt, custodian) in receipts.iter().zip(custodians) {
                let there = ["bank", "notary"].contains(custodian);
                prop_assert_eq!(receipt.refusal.is_none(), there || at < height, "{} at {}", custodian, at);
            }
            if at < height {
                prop_assert_eq!(old.chain.block(&transactions), receipts);
                prop_assert_eq!(old.chain.state(), new.chain.state());
            }
        }
    }
}
