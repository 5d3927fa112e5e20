//! Points in time: milliseconds since 1970-01-01T00:00:00Z, as blocks have them. Times without a zone are China's.

use crate::instance::Fault;
use zhulian_rules::Value;
use zhulian_rules::temporal::{Date, DateTime, DaysDuration, MonthsDuration, Time, Zone};

const DAY_MS: i64 = 86_400_000;
/// Latest point in time: the year 9999.
const LATEST: i64 = 253_402_300_799_999;

/// The point in time of a date and time.
pub(crate) fn instant(at: &DateTime) -> Option<i64> {
    let at = if at.time.zone().offset().is_none() { at.in_zone(Zone::Shanghai)? } else { *at };
    i64::try_from(at.utc_nanos()?.div_euclid(1_000_000)).ok().filter(|ms| (0..=LATEST).contains(ms))
}

/// The date and time in China of a point in time.
pub fn local(ms: i64) -> Option<DateTime> {
    let date = Date::from_days(ms.div_euclid(DAY_MS))?;
    let rest = ms.rem_euclid(DAY_MS);
    let nanos = u32::try_from(rest % 1000 * 1_000_000).ok()?;
    let time = Time::new(rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, nanos, Zone::Utc)?;
    DateTime { date, time }.in_zone(Zone::Shanghai)
}

/// A length of time as a timer names it.
pub(crate) enum Length {
    Days(DaysDuration),
    Months(MonthsDuration),
}

/// The length that a value names.
pub(crate) fn length(value: &Value) -> Option<Length> {
    match value {
        Value::Days(days) => Some(Length::Days(*days)),
        Value::Months(months) => Some(Length::Months(*months)),
        Value::String(text) => read_length(text),
        _ => None,
    }
}

/// The length that a text names: `P5D`, `PT2H`, `P1M`, `P2W`.
pub(crate) fn read_length(text: &str) -> Option<Length> {
    let weeks = text.strip_prefix('P').and_then(|rest| rest.strip_suffix('W')).and_then(|n| n.parse::<u16>().ok());
    if let Some(weeks) = weeks {
        return DaysDuration::from_seconds(i64::from(weeks) * 7 * 86_400).map(Length::Days);
    }
    DaysDuration::parse(text).map(Length::Days).or_else(|| MonthsDuration::parse(text).map(Length::Months))
}

/// The point in time that a value names.
pub(crate) fn point(value: &Value) -> Option<i64> {
    match value {
        Value::DateTime(at) => instant(at),
        Value::Date(date) => instant(&date.at_midnight(Zone::Shanghai)),
        Value::String(text) => DateTime::parse(text)
            .and_then(|at| instant(&at))
            .or_else(|| Date::parse(text).and_then(|date| instant(&date.at_midnight(Zone::Shanghai)))),
        _ => None,
    }
}

impl Length {
    /// The point in time so much after another. Lengths below zero are none.
    pub(crate) fn after(&self, ms: i64) -> Result<i64, Fault> {
        let after = match self {
            Self::Days(days) => i64::try_from(days.nanos().div_euclid(1_000_000)).ok().and_then(|gap| ms.checked_add(gap)),
            Self::Months(months) => local(ms).and_then(|at| at.add_months(months.months)).and_then(|at| instant(&at)),
        };
        after.filter(|after| (ms..=LATEST).contains(after)).ok_or(Fault::Timer)
    }

    /// Whole days, for lengths that count working days.
    pub(crate) fn whole_days(&self) -> Option<u32> {
        let Self::Days(days) = self else { return None };
        let (negative, [whole, hours, minutes, seconds, nanos]) = days.parts();
        (!negative && hours + minutes + seconds + nanos == 0).then(|| u32::try_from(whole).ok())?
    }
}
