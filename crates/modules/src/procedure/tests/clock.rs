//! B4: periods and timers, and the calendar they are counted by.

use proptest::prelude::*;
use zhulian_execution::Event;

use super::{super::*, the_case, waiting_in};
use crate::tests::{City, check_in, enacted};

/// The first moment after a day of January 2026, in China.
fn end_of(day: i64) -> i64 {
    1_767_196_800_000 + day * 86_400_000
}

/// Whether a day of 2026, counted from 1 January, is worked by the calendar of the tests.
fn works(day: i64) -> bool {
    // The 1st is a Thursday and a holiday.
    day > 1 && !matches!((day + 2) % 7, 5 | 6)
}

/// The n-th working day after a day; the day itself for n = 0.
fn nth(day: i64, n: usize) -> i64 {
    if n == 0 { day } else { (day + 1..).filter(|day| works(*day)).nth(n - 1).expect("a day") }
}

/// When a timer fires, by ticks of every day; `None` if it does not within 60 days.
fn fires(city: &mut City, timer: &str) -> Option<u64> {
    for _ in 0..60 {
        let outcome = city.run("firm.aud tick 0");
        let steps: Vec<Progressed> = outcome.receipt.events.iter().filter_map(Progressed::of).collect();
        if steps.iter().any(|step| step.lines.iter().any(|line| line.element == timer)) {
            return Some(city.chain.time);
        }
        city.days(1);
    }
    None
}

#[test]
fn timers_of_working_days_stand_still_with_the_clock() {
    let mut city = enacted("timed");
    check_in(&mut city, "bureau.off open timed -> ok\nbureau.off pause 0 correction -> ok");
    // The notice of seven days goes on: it is a period in its own right.
    city.days(7);
    check_in(&mut city, "firm.aud tick 0 -> ok progressed");
    city.days(23);
    check_in(&mut city, "firm.aud tick 0 -> procedure.nothing_due\nbureau.off resume 0 -> ok clock_resumed");
    let clock = the_case(&city).clock;
    let due = instance(&city.source(), &city.case("0")).and_then(|instance| instance.next_due());
    assert_eq!(due, i64::try_from(clock.limit_due).ok());
    // 1 January to the 31st: 21 working days stood still; ten and 21 after the 1st end on 13 February.
    assert_eq!(due, Some(end_of(31 + 13)));
    assert!(fires(&mut city, "first_late").is_some_and(|at| at >= clock.limit_due));
}

/// Votes in the pack's second version, whose calendar holds 2027, too.
fn next_year(city: &mut City) {
    let from = (city.chain.time - 1_767_225_600_000) / 1_000 + 30;
    check_in(
        city,
        &format!(
            "
            court.rep stage_part timed 1 version=2                -> ok
            court.rep draft timed version=2 from={from} notice=0  -> ok
            court.rep open_motion enact 1                         -> ok
            court.rep cast_ballot 1 yes                           -> ok
            bank.rep cast_ballot 1 yes                            -> ok
            notary.rep cast_ballot 1 yes                          -> ok ballot_cast enacted motion_closed
        "
        ),
    );
    city.chain.time += 60_000;
}

fn names(city: &mut City, line: &str) -> String {
    city.run(line).events.join(" ")
}

#[test]
fn a_period_beyond_the_calendar_is_open_until_that_year_is_voted_in() {
    let mut city = enacted("timed");
    // 22 December: seven working days of the ten are left in the year.
    city.days(355);
    check_in(&mut city, "bureau.off open timed -> ok case_opened progressed");
    let clock = the_case(&city).clock;
    assert_eq!((clock.limit_due as i64, clock.limit_left, clock.is_open()), (end_of(365), 3, true));
    let timers = |city: &City| timers(&city.source(), &city.case("0"));
    assert!(timers(&city).iter().all(|(timer, _)| timer == "notice_over"), "{:?}", timers(&city));
    // In the new year nothing is late that nobody can reckon; what needs no calendar goes on.
    city.days(20);
    assert_eq!(names(&mut city, "firm.aud tick 0"), "progressed");
    check_in(&mut city, "firm.aud tick 0 -> procedure.nothing_due");
    assert!(!the_case(&city).is_late(city.chain.time, zhulian_primitives::PROTOCOL_NEWEST));
    // Cases are opened and worked on; only a clock that stood still cannot be set again.
    check_in(
        &mut city,
        "
        bureau.off open timed             -> ok case_opened progressed
        bureau.off complete 1 first       -> ok progressed
        bureau.off pause 1 correction     -> ok
        bureau.off resume 1               -> procedure.calendar_lacks_year
    ",
    );
    next_year(&mut city);
    // As if the calendar had been there all along: New Year's Day is off, so the tenth working day was 6 January.
    assert_eq!(names(&mut city, "firm.aud tick 0"), "clock_settled alerted alerted progressed");
    let first = the_case(&city);
    assert_eq!((first.clock.limit_due as i64, first.clock.is_open()), (end_of(365 + 6), false));
    assert!(first.is_late(city.chain.time, zhulian_primitives::PROTOCOL_NEWEST));
    check_in(
        &mut city,
        "
        firm.aud tick 0                   -> procedure.nothing_due
        bureau.off resume 1               -> ok clock_settled clock_resumed
    ",
    );
    // Opened on 11 January, a Monday, and not held up by a pause within that day: ten working days later it is the 25th.
    let second = case(&city.source(), &city.case("1")).expect("the case");
    assert_eq!((second.clock.limit_due as i64, second.clock.is_open()), (end_of(365 + 25), false));
}

#[test]
fn a_pause_over_the_end_of_the_calendar_ends_like_any_other() {
    let (mut city, mut known) = (enacted("timed"), enacted("timed"));
    next_year(&mut known);
    for city in [&mut city, &mut known] {
        city.days(345);
        check_in(city, "bureau.off open timed -> ok\nbureau.off pause 0 correction -> ok");
        city.days(30);
    }
    next_year(&mut city);
    for city in [&mut city, &mut known] {
        check_in(city, "bureau.off resume 0 -> ok");
    }
    let [met, expected] =
        [&city, &known].map(|city| (the_case(city).clock.limit_due, timers(&city.source(), &city.case("0"))));
    assert_eq!(met.0, expected.0);
    assert_eq!(met.1.iter().find(|it| it.0 == "first_late"), expected.1.iter().find(|it| it.0 == "first_late"));
}

#[derive(Clone, Copy, Debug)]
enum Doing {
    Days(u64),
    Pause,
    Resume,
    First,
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![(1..6u64).prop_map(Doing::Days), Just(Doing::Pause), Just(Doing::Resume), Just(Doing::First)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// B4: however often the clock stands still, a timer of as many working days as the period ends with it, and both end when that
    /// many working days on which the clock ran have passed.
    #[test]
    fn timers_and_the_clock_agree(doings in prop::collection::vec(doing(), 0..14)) {
        let mut city = enacted("timed");
        check_in(&mut city, "bureau.off open timed -> ok");
        // Days are counted from 1 January; a period is known by its last day.
        let (mut today, mut paused) = (1i64, None);
        let (mut limit, mut second) = (nth(1, 10), None);
        for doing in doings {
            match doing {
                Doing::Days(days) => {
                    city.days(days);
                    today += days as i64;
                }
                Doing::Pause => {
                    let expected = if paused.is_some() { "procedure.already_paused" } else { "ok" };
                    prop_assert_eq!(&*city.run("bureau.off pause 0 correction").slug, expected);
                    paused = paused.or(Some(today));
                }
                Doing::Resume => {
                    let expected = if paused.is_some() { "ok" } else { "procedure.not_paused" };
                    prop_assert_eq!(&*city.run("bureau.off resume 0").slug, expected);
                    if let Some(from) = paused.take() {
                        let stood = (from + 1..=today).filter(|day| works(*day)).count();
                        // What was over before stays over.
                        for last in [Some(&mut limit), second.as_mut()].into_iter().flatten().filter(|last| **last >= from) {
                            *last = nth(*last, stood);
                        }
                    }
                }
                Doing::First => {
                    let waits = waiting_in(&city, "0").contains("first");
                    let expected = if waits { "ok" } else { "procedure.task_not_found" };
                    prop_assert_eq!(&*city.run("bureau.off complete 0 first").slug, expected);
                    if waits {
                        // While the clock stands still, its time is the moment at which that began.
                        second = Some(nth(paused.unwrap_or(today), 3));
                    }
                }
            }
        }
        prop_assert_eq!(the_case(&city).clock.limit_due, end_of(limit) as u64);
        // A timer is there until it fires, and that is when its period is over; only somebody's call makes it fire.
        let timers = timers(&city.source(), &city.case("0"));
        let at = |timer: &str| timers.iter().find(|(name, _)| name == timer).map(|(_, at)| *at);
        prop_assert!(at("first_late").is_none_or(|at| at == end_of(limit)), "{:?}", timers);
        prop_assert!(at("first_late").is_some() || limit < today);
        if let Some(second) = second {
            prop_assert!(at("second_late").is_none_or(|at| at == end_of(second)), "{:?}", timers);
            prop_assert!(at("second_late").is_some() || second < today);
        }
    }
}
