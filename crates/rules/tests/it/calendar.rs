//! Working days over a small calendar; the real one is checked against a foreign package elsewhere.

use proptest::prelude::*;
use zhulian_rules::calendar::Calendar;
use zhulian_rules::temporal::Date;

/// National day 2025: off from 1 to 8 October, 28 September and 11 October worked.
const OCTOBER: &str = "calendar 1
covers 2025-09-01 2025-10-31
work 2025-09-28 国庆节、中秋节
off 2025-10-01 国庆节、中秋节
off 2025-10-02 国庆节、中秋节
off 2025-10-03 国庆节、中秋节
off 2025-10-04 国庆节、中秋节
off 2025-10-05 国庆节、中秋节
off 2025-10-06 国庆节、中秋节
off 2025-10-07 国庆节、中秋节
off 2025-10-08 国庆节、中秋节
work 2025-10-11 国庆节、中秋节
";

fn day(text: &str) -> Date {
    Date::parse(text).expect("a date")
}

fn calendar() -> Calendar {
    Calendar::parse(OCTOBER).expect("a calendar")
}

#[test]
fn a_holiday_is_no_working_day_and_a_worked_sunday_is_one() {
    let works = |text: &str| calendar().is_working_day(day(text)).expect("covered");
    assert!(works("2025-09-28") && works("2025-10-11") && works("2025-09-30"));
    assert!(!works("2025-10-01") && !works("2025-10-08") && !works("2025-09-27") && !works("2025-10-12"));
    assert_eq!(calendar().entry(day("2025-10-08")).map(|entry| &*entry.name), Some("国庆节、中秋节"));
}

#[test]
fn the_first_day_of_a_period_does_not_count_and_holidays_do_not() {
    let end = |from: &str, count| calendar().add_working_days(day(from), count).expect("covered").to_string();
    assert_eq!(end("2025-09-26", 1), "2025-09-28");
    assert_eq!(end("2025-09-30", 1), "2025-10-09");
    assert_eq!(end("2025-09-30", 3), "2025-10-11");
    assert_eq!(end("2025-09-30", 0), "2025-09-30");
    assert_eq!(end("2025-10-03", 0), "2025-10-09");
    let between = |a: &str, b: &str| calendar().working_days_between(day(a), day(b)).expect("covered");
    assert_eq!((between("2025-09-30", "2025-10-11"), between("2025-10-11", "2025-09-30")), (3, -3));
    assert_eq!(between("2025-10-02", "2025-10-05"), 0);
}

#[test]
fn nothing_is_assumed_outside_the_bounds() {
    let outside = calendar().add_working_days(day("2025-10-30"), 2).expect_err("not covered");
    assert_eq!(outside.to_string(), "the calendar covers 2025-09-01 to 2025-10-31 only");
    assert_eq!(calendar().add_working_days(day("2025-10-30"), 1).map(|d| d.to_string()), Ok("2025-10-31".into()));
    assert!(calendar().is_working_day(day("2025-08-31")).is_err());
    assert!(calendar().working_days_between(day("2025-10-30"), day("2025-11-03")).is_err());
    assert!(calendar().add_working_days(day("2025-08-31"), 1).is_err());
}

#[test]
fn a_calendar_that_is_not_in_form_is_refused_by_its_line() {
    let line = |text: &str| Calendar::parse(text).expect_err("refused").line;
    assert_eq!(line("calendar 2"), 1);
    assert_eq!(line("calendar 1\ncovers 2025-01-01"), 2);
    assert_eq!(line("calendar 1\ncovers 2025-12-31 2025-01-01"), 2);
    let bounds = "calendar 1\ncovers 2025-01-01 2025-12-31\n";
    for wrong in [
        "holiday 2025-01-01 元旦",
        "off 2025-02-30 元旦",
        "off 2026-01-01 元旦",
        "off 2025-01-01",
        "work 2025-01-02 a Thursday",
        "off 2025-01-01 a\noff 2025-01-01 a",
    ] {
        assert_eq!(line(&format!("{bounds}{wrong}")), 2 + wrong.lines().count(), "{wrong}");
    }
}

proptest! {
    /// The end of a period lies exactly as many working days after its start, on a working day.
    #[test]
    fn adding_and_counting_agree(start in 0i64..55, count in 1u32..15) {
        let from = Date::from_days(day("2025-09-01").days() + start).expect("a date");
        if let Ok(end) = calendar().add_working_days(from, count) {
            prop_assert!(calendar().is_working_day(end).expect("covered"));
            prop_assert_eq!(calendar().working_days_between(from, end), Ok(i64::from(count)));
        }
    }
}

/// The calendar that the city's packs carry.
const STATUTORY: &str = include_str!("../../../../scenarios/packs/working-days/working-days.calendar");

#[test]
fn the_statutory_calendar_agrees_with_a_foreign_package() {
    let calendar = Calendar::parse(STATUTORY).expect("a calendar");
    let mut checked = 0;
    for line in include_str!("../data/working-days.txt").lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["year", year, count] => {
                let works = |day: &i64| calendar.is_working_day(Date::from_days(*day).expect("a date")).expect("covered");
                let (first, last) = (day(&format!("{year}-01-01")).days(), day(&format!("{year}-12-31")).days());
                assert_eq!((first..=last).filter(works).count().to_string(), count, "{line}");
            }
            ["day", date, what] => assert_eq!(calendar.is_working_day(day(date)), Ok(what == "work"), "{line}"),
            ["add", from, count, end] => {
                let found = calendar.add_working_days(day(from), count.parse().expect("a number"));
                assert_eq!(found, Ok(day(end)), "{line}");
            }
            ["between", from, to, count] => {
                let found = calendar.working_days_between(day(from), day(to));
                assert_eq!(found, Ok(count.parse().expect("a number")), "{line}");
            }
            _ => panic!("{line}"),
        }
        checked += 1;
    }
    assert_eq!(checked, 117);
    let (first, last) = calendar.bounds();
    assert_eq!((first, last), (day("2004-01-01"), day("2026-12-31")));
    assert!(calendar.add_working_days(day("2026-12-31"), 1).is_err(), "2027 is not published yet");
}

proptest! {
    /// No text makes the reader panic, and what it accepts answers for every day.
    #[test]
    fn any_text_is_read_or_refused(text in "(calendar 1\ncovers 20[0-9]{2}-0[1-9]-[0-3][0-9] 20[0-9]{2}-1[0-2]-[0-3][0-9]\n)?((off|work) 20[0-9]{2}-[01][0-9]-[0-3][0-9] .{0,4}\n){0,4}.{0,20}") {
        if let Ok(calendar) = Calendar::parse(&text) {
            let (first, last) = calendar.bounds();
            prop_assert!(first <= last);
            prop_assert!(calendar.is_working_day(first).is_ok() && calendar.is_working_day(last).is_ok());
            prop_assert!(calendar.working_days_between(first, last).is_ok());
        }
    }
}

proptest! {
    /// Periods are found by a search; here they are counted day by day.
    #[test]
    fn a_period_is_what_counting_its_days_gives(
        entries in prop::collection::btree_map(0i64..120, any::<bool>(), 0..120),
        from in -2i64..123,
        count in 0u32..90,
    ) {
        let first = day("2025-01-01").days();
        let date = |at: i64| Date::from_days(first + at).expect("a date");
        let mut text = format!("calendar 1\ncovers {} {}\n", date(0), date(119));
        for (at, working) in entries {
            let working = working && date(at).weekday() >= 6;
            text += &format!("{} {} x\n", if working { "work" } else { "off" }, date(at));
        }
        let calendar = Calendar::parse(&text).expect("a calendar");
        let works = |at: i64| (0..120).contains(&at).then(|| calendar.is_working_day(date(at)).expect("covered"));
        let counted = || {
            let (mut at, mut left) = (Some(from).filter(|from| *from >= 0)?, count);
            while left > 0 && at < 119 {
                at += 1;
                left -= u32::from(works(at)?);
            }
            while left == 0 && !works(at)? {
                at += 1;
            }
            Some((date(at), left))
        };
        prop_assert_eq!(calendar.reach(date(from), count).ok(), counted());
        if (0..120).contains(&from) {
            let between = (from + 1..120).filter(|at| works(*at) == Some(true)).count() as i64;
            prop_assert_eq!(calendar.working_days_between(date(from), date(119)), Ok(between));
        }
    }
}
