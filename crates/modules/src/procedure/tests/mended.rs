//! What protocol 3 changes for cases: nothing is written that cannot be read, and no case stands still for ever. Each rule before and
//! after.

use super::{super::*, the_case, waiting_in};
use crate::{
    identity::Uscc,
    tests::{City, check_in, enacted_by},
};

fn slug(city: &mut City, line: &str) -> String {
    city.run(line).slug
}

#[test]
fn an_instance_that_cannot_be_read_is_not_written() {
    // Before, it was written; a node does not end over it, and the case stands still.
    for pack in ["doubled", "endless", "looped"] {
        let mut before = enacted_by(2, pack);
        check_in(
            &mut before,
            &format!(
                "
            bureau.off open {pack}                            -> ok
            bureau.off complete 0 first                       -> ok
            firm.aud   tick 0                                 -> procedure.unreadable
            bureau.off propose_override 0 close refused       -> procedure.unreadable
        "
            ),
        );
        assert!(instance(&before.source(), &before.case("0")).is_none());
        assert!(case(&before.source(), &before.case("0")).is_some());
    }
    // What no draft can tell is refused when it happens; the case goes on otherwise.
    let mut city = enacted_by(3, "endless");
    check_in(
        &mut city,
        "
        bureau.off open endless                               -> ok
        bureau.off complete 0 first                           -> procedure.unreadable
        firm.aud   tick 0                                     -> procedure.nothing_due
        bureau.off propose_override 0 close refused           -> ok
        court.off  confirm_override 0 yes                     -> ok override_confirmed case_closed
    ",
    );
}

#[test]
fn results_that_no_case_can_keep_are_not_drafted() {
    for (pack, parts) in [("doubled", 3), ("looped", 2)] {
        for (protocol, outcome) in [(2, "ok"), (3, "rulepack.not_accepted")] {
            let mut city = City::of_protocol(protocol);
            (0..parts).for_each(|part| check_in(&mut city, &format!("court.rep stage_part {pack} {part} -> ok")));
            check_in(&mut city, &format!("court.rep draft {pack} from=20 notice=0 -> {outcome}"));
        }
    }
}

#[test]
fn what_was_late_stays_late_while_the_clock_stands_still() {
    for (protocol, late) in [(2, false), (3, true)] {
        let mut city = enacted_by(protocol, "gated");
        check_in(&mut city, "bureau.off open gated -> ok\nbureau.off submit_material 0 deed -> ok");
        city.days(20);
        check_in(&mut city, "bureau.off pause 0 correction -> ok");
        assert_eq!(the_case(&city).is_late(city.chain.time, protocol), late);
        let duty = if late { "ok" } else { "procedure.not_duty_holder" };
        assert_eq!(slug(&mut city, "court.off claim 0 urged"), duty);
        check_in(
            &mut city,
            "
            bureau.off propose_override 0 close refused       -> ok
            court.off  confirm_override 0 yes                 -> ok override_confirmed case_closed
        ",
        );
        // The view says what the event and the totals say, whatever the protocol is by then.
        let closed = the_case(&city);
        assert_eq!((totals(&city.source()).late, closed.late), (u64::from(late), late.then_some(true)));
        assert_eq!(closed.is_late(city.chain.time, 3), late);
    }
    // A pause before the end of the period is none of it.
    let mut city = enacted_by(3, "gated");
    check_in(&mut city, "bureau.off open gated -> ok\nbureau.off pause 0 correction -> ok");
    city.days(20);
    assert!(!the_case(&city).is_late(city.chain.time, 3));
}

#[test]
fn a_called_pack_that_is_not_in_force_is_a_fault_of_the_call_only() {
    for (protocol, before_the_call) in [(2, "procedure.procedure_not_found"), (3, "ok")] {
        let mut city = enacted_by(protocol, "caller");
        let enact = |city: &mut City, to: &str| {
            check_in(city, "court.rep stage_part called 0 -> ok\ncourt.rep stage_part called 1 -> ok");
            let from = (city.chain.time - 1_767_225_600_000) / 1_000 + 8;
            check_in(
                city,
                &format!(
                    "
                court.rep draft called from={from} {to} notice=0 -> ok
                court.rep open_motion enact 1                 -> ok
                court.rep cast_ballot 1 yes                   -> ok
                bank.rep cast_ballot 1 yes                    -> ok
                notary.rep cast_ballot 1 yes                  -> ok ballot_cast enacted motion_closed
                wait 5
            "
                ),
            );
        };
        enact(&mut city, "to=86400");
        check_in(&mut city, "bureau.off open caller -> ok\nbureau.off open caller -> ok\nbureau.off complete 1 first -> ok");
        assert_eq!(waiting_in(&city, "1"), "first");
        city.days(2);
        for line in ["bureau.off claim 0 first", "bureau.off claim 1 first", "bureau.off propose_override 0 extend 5"] {
            assert_eq!(slug(&mut city, line), before_the_call, "{protocol}: {line}");
        }
        check_in(&mut city, "bureau.off complete 0 first -> procedure.procedure_not_found");
        assert_eq!(slug(&mut city, "court.off confirm_override 0 yes"), before_the_call);
    }
}

#[test]
fn a_material_can_come_though_what_is_due_needs_it() {
    for (protocol, comes) in [(2, "procedure.material_missing"), (3, "ok")] {
        let mut city = enacted_by(protocol, "gated");
        check_in(&mut city, "bureau.off open gated -> ok");
        city.days(2);
        check_in(&mut city, "firm.aud tick 0 -> procedure.material_missing");
        assert_eq!(slug(&mut city, "bureau.off submit_material 0 deed"), comes);
        assert_eq!(slug(&mut city, "firm.aud tick 0"), comes);
    }
}

#[test]
fn many_timers_at_once_fire_over_several_calls() {
    let mut before = enacted_by(2, "crowded");
    check_in(&mut before, "bureau.off open crowded -> ok");
    before.days(20);
    check_in(&mut before, "firm.aud tick 0 -> procedure.too_costly\nbureau.off complete 0 first -> procedure.too_costly");

    let mut city = enacted_by(3, "crowded");
    check_in(&mut city, "bureau.off open crowded -> ok");
    city.days(20);
    // B5: nobody acts before what is due has happened.
    check_in(&mut city, "bureau.off complete 0 first -> procedure.still_due");
    let mut ticks = 0;
    while slug(&mut city, "firm.aud tick 0") == "ok" {
        ticks += 1;
    }
    assert!((2..400).contains(&ticks), "{ticks}");
    check_in(&mut city, "firm.aud tick 0 -> procedure.nothing_due\nbureau.off complete 0 first -> ok");
}

#[test]
fn the_clock_stands_still_two_hundred_times_at_most() {
    for (protocol, after) in [(2, "ok"), (3, "procedure.paused_too_often")] {
        let mut city = enacted_by(protocol, "gated");
        check_in(&mut city, "bureau.off open gated -> ok");
        for _ in 0..200 {
            check_in(&mut city, "bureau.off pause 0 correction -> ok\nbureau.off resume 0 -> ok");
        }
        assert_eq!(slug(&mut city, "bureau.off pause 0 correction"), after);
    }
}

#[test]
fn an_alert_is_given_again_only_if_an_end_moved() {
    for (protocol, again) in [(2, "ok"), (3, "procedure.nothing_due")] {
        let mut city = enacted_by(protocol, "gated");
        check_in(&mut city, "bureau.off open gated -> ok\nbureau.off submit_material 0 deed -> ok");
        city.days(13);
        check_in(&mut city, "firm.aud tick 0 -> ok alerted progressed\nfirm.aud tick 0 -> procedure.nothing_due");
        check_in(&mut city, "bureau.off pause 0 correction -> ok\nbureau.off resume 0 -> ok");
        assert_eq!(slug(&mut city, "firm.aud tick 0"), again, "{protocol}");
    }
}

#[test]
fn numbers_with_check_digits_are_personal_and_amounts_are_not() {
    // A citizen's number and a bank card's pass their checks; the others are amounts, or fail them.
    for (number, personal) in [
        ("110101199003070134", true),
        ("6222020000000000008", false),
        ("4111111111111111", true),
        ("4111111111111112", false),
        ("13800138000", false),
        ("199001011234567", false),
    ] {
        for protocol in [2, 3] {
            let mut city = enacted_by(protocol, "gated");
            let outcome = slug(&mut city, &format!("bureau.off open gated n={number}"));
            let expected = if personal && protocol == 3 { "procedure.personal_data" } else { "ok" };
            assert_eq!(outcome, expected, "{protocol}: {number}");
        }
    }
}

#[test]
fn the_supervisor_takes_over_what_somebody_claimed() {
    for (protocol, taken) in [(2, "procedure.already_claimed"), (3, "ok")] {
        let mut city = enacted_by(protocol, "gated");
        check_in(&mut city, "bureau.off open gated -> ok\nbureau.off submit_material 0 deed -> ok");
        city.days(2);
        check_in(
            &mut city,
            "
            firm.aud   tick 0                                 -> ok
            bureau.off claim 0 urged                          -> ok
            court.off  claim 0 urged                          -> procedure.not_duty_holder
        ",
        );
        city.days(20);
        assert_eq!(slug(&mut city, "court.off claim 0 urged"), taken);
        assert_eq!(slug(&mut city, "court.off complete 0 urged"), taken);
    }
}

#[test]
fn a_task_goes_back_to_an_organisation_that_takes_part_already() {
    use super::super::rules::{PARTIES_MAX, has_room};
    let code = |n: usize| Uscc::complete(&format!("91330100MA{n:07}")).expect("a code");
    let mut parties: Vec<Uscc> = (0..PARTIES_MAX).map(code).collect();
    assert!(!has_room(&parties, code(0), false) && has_room(&parties, code(0), true));
    assert!(!has_room(&parties, code(99), true));
    parties.pop();
    assert!(has_room(&parties, code(99), false) && has_room(&parties, code(99), true));
}
