//! Scenarios and properties of the procedure module.

mod clock;
mod mended;
mod rights;
pub(crate) mod scenarios;

use proptest::prelude::*;
use zhulian_execution::Event;

use super::*;
use crate::{
    rulepack,
    tests::{City, check, check_in, code, enacted},
};

/// A city in which the procedure `permit` is in force; the next block is number 14.
fn city() -> City {
    enacted("permit")
}

/// A city with a case that was accepted and is dear: the notary must review it.
fn reviewed() -> City {
    let mut city = city();
    check_in(
        &mut city,
        "
        bureau.off open permit x=12              -> ok
        bureau.off submit_material 0 deed        -> ok
        bureau.off complete 0 accept             -> ok
    ",
    );
    city
}

fn the_case(city: &City) -> Case {
    case(&city.source(), &city.case("0")).expect("the case")
}

fn waiting(city: &City) -> String {
    waiting_in(city, "0")
}

/// Elements of the tasks that wait in a case.
fn waiting_in(city: &City, case: &str) -> String {
    let names: Vec<String> = tasks(&city.source(), &city.case(case)).into_iter().map(|view| view.work.element).collect();
    names.join(" ")
}

#[test]
fn case_numbers_are_typed_from_paper() {
    let id = CaseId::new(2026, 1, 5, 42).expect("a number");
    assert_eq!(id.to_string(), "BJ20260105-000042");
    assert_eq!(CaseId::parse("BJ20260105-000042"), Ok(id));
    for bad in [
        "",
        "BJ20260105-42",
        "bj20260105-000042",
        "BJ20261305-000042",
        "BJ20260105-000000",
        "BJ２0260105-000042",
        "BJ+0260105-000042",
    ] {
        assert_eq!(CaseId::parse(bad), Err(Error::MalformedCaseId), "{bad}");
    }
}

#[test]
fn only_sound_procedures_are_drafted() {
    check(
        "
        court.rep stage_part unsound 0           -> ok
        court.rep draft unsound from=1           -> rulepack.not_accepted
        court.rep stage_part priceless 0         -> ok
        court.rep draft priceless from=1         -> rulepack.not_accepted
        court.rep stage_part officeless 0        -> ok
        court.rep stage_part officeless 1        -> ok
        court.rep draft officeless from=1        -> rulepack.not_accepted
    ",
    );
}

#[test]
fn a_case_runs_through_its_departments_to_its_outcome() {
    let mut city = city();
    check_in(
        &mut city,
        "
        bureau.off open permit x=12 income=5000          -> ok case_opened progressed
        bureau.off complete 0 accept                     -> procedure.material_missing
        bureau.off submit_material 0 deed                -> ok material_submitted
        bureau.off submit_material 0 deed                -> procedure.material_twice
        bureau.off submit_material 0 plan                -> ok material_submitted
        bureau.off submit_material 0 passport            -> procedure.material_unknown
        notary.off complete 0 accept                     -> procedure.not_duty_holder
        bureau.off complete 0 accept                     -> ok decided progressed
        bureau.off complete 0 review                     -> procedure.not_duty_holder
        notary.off complete 0 review note=fine           -> ok progressed
        bureau.off message 0 refund                      -> procedure.nobody_waits
        bank.off   message 0 payment                     -> procedure.not_party
        bureau.off message 0 payment paid=true           -> ok progressed
        bureau.off rate 0 5                              -> procedure.not_over
        bureau.off complete 0 issue outcome=granted      -> ok progressed case_closed
        bureau.off complete 0 issue                      -> procedure.case_is_closed
        notary.off rate 0 5                              -> procedure.not_party
        bureau.off rate 0 6                              -> procedure.malformed_rating
        bureau.off rate 0 4                              -> ok case_rated
        bureau.off rate 0 5                              -> procedure.already_rated
    ",
    );
    let case = the_case(&city);
    assert_eq!((case.closed.map(|(outcome, _)| outcome), case.rating, case.overrides), (Some(Outcome::Granted), Some(4), 0));
    assert_eq!(case.materials.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["deed", "plan"]);
    assert_eq!(totals(&city.source()), Totals { opened: 1, closed: 1, late: 0, overrides: 0 });
    assert_eq!(tasks(&city.source(), &city.case("0")), []);
}

#[test]
fn a_cheap_case_needs_no_review_and_the_decision_names_its_rules() {
    let mut city = city();
    check_in(&mut city, "bureau.off open permit x=3 -> ok\nbureau.off submit_material 0 deed -> ok");
    let outcome = city.run("bureau.off complete 0 accept");
    let made = rulepack::Decided::of(&outcome.receipt.events[0]).expect("a decision");
    assert_eq!((made.decision.as_str(), made.outcome.as_str(), made.version), ("fee", "5", 1));
    assert_eq!(made.facts.iter().map(|fact| (fact.name.as_str(), fact.value.as_str())).collect::<Vec<_>>(), [("x", "3")]);
    assert_eq!(made.digest, city.drafts[0]);
    assert_eq!(made.subject, Some(zhulian_crypto::sha256(city.case("0").to_string().as_bytes())));
    let moved = Progressed::of(&outcome.receipt.events[1]).expect("a step");
    let elements: Vec<&str> = moved.lines.iter().map(|line| line.element.as_str()).collect();
    assert_eq!(elements, ["accept", "price", "price", "g", "pay"]);
    assert_eq!((waiting(&city).as_str(), moved.organisation), ("", code("bureau")));
}

#[test]
fn a_fact_that_the_rules_need_is_not_assumed() {
    let mut city = city();
    check_in(
        &mut city,
        "
        bureau.off open permit                   -> ok
        bureau.off submit_material 0 deed        -> ok
        bureau.off complete 0 accept             -> procedure.rules_decline
        bureau.off complete 0 accept x=1         -> ok decided progressed
    ",
    );
}

#[test]
fn values_are_declared_typed_and_impersonal() {
    let mut city = city();
    check_in(
        &mut city,
        "
        bureau.off open permit y=1                        -> procedure.unknown_variable
        bureau.off open permit x=many                     -> procedure.wrong_value
        bureau.off open permit x=1 note=13800138000       -> procedure.wrong_value
        bureau.off open permit x=1 note=tel:13800138000   -> procedure.personal_data
        bureau.off open permit x=1 note=tel-by-post       -> ok
        bureau.off open fees                              -> rulepack.pack_not_found
        bureau.off open permit other                      -> procedure.procedure_not_found
        bureau.rep open permit                            -> transaction.not_allowed
        bureau.off complete 0 accept z=1                  -> procedure.unknown_variable
        bureau.off claim BJ20260101-000009 accept         -> procedure.case_not_found
    ",
    );
}

#[test]
fn a_task_is_claimed_returned_and_transferred() {
    let mut city = reviewed();
    check_in(
        &mut city,
        "
        notary.sys add_member second               -> ok
        notary.sec register_key second K2          -> ok
        notary.sec assign_roles second officer     -> ok
        notary.off claim 0 urge                    -> procedure.task_not_found
        bureau.off claim 0 review                  -> procedure.not_duty_holder
        notary.off claim 0 review                  -> ok task_claimed
        notary.off claim 0 review                  -> procedure.already_claimed
        K2         complete 0 review               -> procedure.already_claimed
        K2         return_task 0 review            -> procedure.not_claimer
        notary.off return_task 0 review            -> ok task_returned
        notary.off return_task 0 review            -> procedure.not_claimer
        K2         claim 0 review                  -> ok task_claimed
        K2         transfer 0 review to=hospital   -> procedure.recipient_unknown
        K2         transfer 0 review to=bank       -> ok task_transferred
        K2         complete 0 review               -> procedure.not_duty_holder
        bank.off   claim 0 review                  -> ok task_claimed
        bank.off   complete 0 review               -> ok progressed
        bank.off   message 0 payment               -> ok progressed
    ",
    );
}

#[test]
fn an_error_that_the_procedure_knows_goes_its_own_way() {
    let mut city = reviewed();
    check_in(&mut city, "notary.off complete 0 review error=doubtful -> ok progressed");
    assert_eq!(waiting(&city), "urge");
    let mut other = reviewed();
    check_in(&mut other, "notary.off complete 0 review error=unknown -> ok progressed case_closed");
    assert_eq!(the_case(&other).closed.map(|(outcome, _)| outcome), Some(Outcome::Failed));
}

#[test]
fn clocks_count_working_days() {
    // Opened on Thursday, 1 January 2026, a holiday: 5 working days end with the 8th, 10 with the 15th.
    let city = reviewed();
    let clock = the_case(&city).clock;
    assert_eq!((clock.promised_due, clock.limit_due), (1_767_888_000_000, 1_768_492_800_000));
}

#[test]
fn timers_and_alerts_fire_by_block_time_when_anybody_calls() {
    let mut city = reviewed();
    check_in(&mut city, "firm.aud tick 0 -> procedure.nothing_due");
    // The 5th: the two working days of the review end with it.
    city.days(4);
    check_in(&mut city, "firm.aud tick 0 -> procedure.nothing_due");
    city.days(1);
    check_in(&mut city, "firm.aud tick 0 -> ok alerted progressed\nfirm.aud tick 0 -> procedure.nothing_due");
    assert_eq!(waiting(&city), "urge");
    // The promise is over on the 9th; a call of the case says so, too, and the limit is near.
    city.days(7);
    check_in(&mut city, "bureau.off claim 0 urge -> ok alerted alerted task_claimed");
    assert_eq!(the_case(&city).clock.alerts, [Alert::PromiseNear, Alert::PromiseOver, Alert::LimitNear]);
}

#[test]
fn what_is_late_the_supervisor_takes_over() {
    let mut city = reviewed();
    check_in(&mut city, "court.off complete 0 review -> procedure.not_duty_holder");
    city.days(16);
    check_in(
        &mut city,
        "
        court.off  complete 0 review        -> procedure.task_not_found
        firm.aud   tick 0                   -> ok alerted alerted alerted alerted progressed
        court.off  complete 0 urge          -> ok progressed
        bureau.off message 0 payment        -> ok
        bureau.off complete 0 issue         -> ok progressed case_closed
    ",
    );
    assert_eq!(totals(&city.source()).late, 1);
    assert_eq!(the_case(&city).closed.map(|(outcome, _)| outcome), Some(Outcome::Done));
}

#[test]
fn the_clock_stands_still_only_for_listed_reasons() {
    let mut city = reviewed();
    check_in(
        &mut city,
        "
        bureau.off resume 0                 -> procedure.not_paused
        bureau.off pause 0 tender           -> procedure.pause_not_listed
        bank.off   pause 0 correction       -> procedure.not_party
        notary.off pause 0 correction       -> ok clock_paused
        bureau.off pause 0 appraisal        -> procedure.already_paused
        notary.off complete 0 review        -> ok
    ",
    );
    // From the 1st to the 13th eight working days pass: 2, 5 to 9, 12, 13.
    city.days(12);
    check_in(&mut city, "firm.aud tick 0 -> procedure.nothing_due\nbureau.off resume 0 -> ok clock_resumed");
    let clock = the_case(&city).clock;
    // 8 January and eight working days: the 20th. 15 January and eight: the 27th.
    assert_eq!((clock.promised_due, clock.limit_due), (1_768_924_800_000, 1_769_529_600_000));
    assert_eq!(clock.pauses.len(), 1);
}

#[test]
fn an_override_has_two_signers_a_reason_and_is_counted() {
    let mut city = reviewed();
    check_in(
        &mut city,
        "
        bank.off   propose_override 0 close refused            -> procedure.not_party
        bureau.off confirm_override 0 yes                      -> procedure.no_override
        bureau.off propose_override 0 complete urge            -> procedure.task_not_found
        bureau.off propose_override 0 extend 61                -> procedure.extension_too_long
        bureau.off propose_override 0 complete review y=1      -> procedure.unknown_variable
        bureau.off propose_override 0 complete review note=ok  -> ok override_proposed
        bureau.off propose_override 0 close refused            -> procedure.override_pending
        bureau.off confirm_override 0 yes                      -> procedure.same_signer
        bureau.rep confirm_override 0 yes                      -> procedure.not_supervisor
        court.off  confirm_override 0 no                       -> ok override_confirmed
        court.off  confirm_override 0 yes                      -> procedure.no_override
        court.off  propose_override 0 complete review          -> ok override_proposed
        court.off  confirm_override 0 yes                      -> procedure.same_signer
        court.judge confirm_override 0 yes                     -> ok override_confirmed progressed
        bureau.off propose_override 0 extend 5 reason=disaster -> ok
        court.off  confirm_override 0 yes                      -> ok override_confirmed
        bureau.off propose_override 0 close refused            -> ok
        court.off  confirm_override 0 yes                      -> ok override_confirmed case_closed
        bureau.off propose_override 0 extend 5                 -> procedure.case_is_closed
    ",
    );
    let case = the_case(&city);
    assert_eq!((case.overrides, case.closed.map(|(outcome, _)| outcome)), (3, Some(Outcome::Refused)));
    // 15 January and five working days: the 22nd.
    assert_eq!(case.clock.limit_due, 1_769_097_600_000);
    assert_eq!(totals(&city.source()), Totals { opened: 1, closed: 1, late: 0, overrides: 3 });
}

#[test]
fn an_override_reassigns_a_task() {
    let mut city = reviewed();
    check_in(
        &mut city,
        "
        bureau.off propose_override 0 reassign review to=bank -> ok
        court.off  confirm_override 0 yes                     -> ok override_confirmed task_transferred
        notary.off complete 0 review                          -> procedure.not_duty_holder
        bank.off   complete 0 review                          -> ok
    ",
    );
}

#[test]
fn a_case_keeps_its_version() {
    let mut city = city();
    check_in(
        &mut city,
        "
        bureau.off open permit x=3                           -> ok
        court.rep  stage_part permit 2 version=2             -> ok
        court.rep  draft permit version=2 from=30 notice=0   -> ok
        court.rep  open_motion enact 1                       -> ok
        court.rep  cast_ballot 1 yes                         -> ok
        bank.rep   cast_ballot 1 yes                         -> ok
        notary.rep cast_ballot 1 yes                         -> ok
        wait 12
        bureau.off open permit x=3                           -> ok
        bureau.off submit_material 0 deed                    -> ok
        bureau.off submit_material 1 deed                    -> ok
        bureau.off complete 0 accept                         -> ok
        bureau.off complete 1 accept                         -> ok
    ",
    );
    // By the rate of version 2 the fee is 10: dear.
    assert_eq!(waiting(&city), "");
    let second: Vec<String> = tasks(&city.source(), &city.case("1")).into_iter().map(|view| view.work.element).collect();
    assert_eq!(second, ["review"]);
    assert_eq!((the_case(&city).version, cases(&city.source(), 0, 9).len()), (1, 2));
}

/// What the law says of a case, without a procedure engine: which of its steps may be taken by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Model {
    at: &'static str,
    deed: bool,
    paused: bool,
    closed: bool,
}

impl Model {
    /// What a line does, and its outcome.
    fn apply(&mut self, who: &str, what: &str) -> &'static str {
        if self.closed {
            return "procedure.case_is_closed";
        }
        let party = matches!(who, "bureau" | "notary" | "court");
        match what {
            "submit_material 0 deed" if !party => "procedure.not_party",
            "submit_material 0 deed" if self.deed => "procedure.material_twice",
            "submit_material 0 deed" => {
                self.deed = true;
                "ok"
            }
            "pause 0 correction" if !party => "procedure.not_party",
            "pause 0 correction" if self.paused => "procedure.already_paused",
            "pause 0 correction" => {
                self.paused = true;
                "ok"
            }
            "resume 0" if !party => "procedure.not_party",
            "resume 0" if !self.paused => "procedure.not_paused",
            "resume 0" => {
                self.paused = false;
                "ok"
            }
            "message 0 payment" if !party => "procedure.not_party",
            "message 0 payment" if self.at != "pay" => "procedure.nobody_waits",
            "message 0 payment" => {
                self.at = "issue";
                "ok"
            }
            step => {
                let element = step.strip_prefix("complete 0 ").expect("a task");
                if element != self.at {
                    return "procedure.task_not_found";
                }
                let duty = if element == "review" { "notary" } else { "bureau" };
                if who != duty {
                    return "procedure.not_duty_holder";
                }
                if element == "accept" && !self.deed {
                    return "procedure.material_missing";
                }
                self.at = match element {
                    "accept" => "review",
                    "review" => "pay",
                    _ => "end",
                };
                self.closed = self.at == "end";
                "ok"
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// B2, B3, B4, B7: whoever does whatever, the case does what the plain model does.
    #[test]
    fn agrees_with_the_model(lines in prop::collection::vec((0..4usize, 0..8usize), 0..40)) {
        let mut city = city();
        check_in(&mut city, "bureau.off open permit x=12 -> ok");
        let mut model = Model { at: "accept", deed: false, paused: false, closed: false };
        let whats = [
            "submit_material 0 deed", "pause 0 correction", "resume 0", "message 0 payment", "complete 0 accept", "complete 0 review",
            "complete 0 issue", "complete 0 accept",
        ];
        for (who, what) in lines {
            let (who, what) = (["bureau", "notary", "court", "bank"][who], whats[what]);
            let outcome = city.run(&format!("{who}.off {what}"));
            prop_assert_eq!(&*outcome.slug, model.apply(who, what), "{} {}", who, what);
        }
        let case = the_case(&city);
        prop_assert_eq!((case.closed.is_some(), case.materials.len()), (model.closed, usize::from(model.deed)));
    }
}
