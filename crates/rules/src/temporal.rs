//! Dates, times and durations (DMN 1.5 §10.3.2.3.4 to 10.3.2.3.8) without the machine's clock, zone or zone tables.
//!
//! Known zones are fixed offsets, `Etc/UTC`, and `Asia/Shanghai`, which is UTC+08:00 throughout: the statutory clock
//! of mainland China. The summer times of 1986 to 1991 are not modelled; every other name is refused, because its
//! meaning would depend on the zone tables of the node.

mod duration;
mod text;

pub use duration::{DaysDuration, MonthsDuration};
use std::cmp::Ordering;

/// Largest absolute year.
pub const YEAR_MAX: i32 = 999_999_999;
const DAY_SECONDS: i64 = 86_400;
const NANOS: i128 = 1_000_000_000;

/// A calendar day in the proleptic Gregorian calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

/// The relation of a clock time to UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Zone {
    /// A local time of an unnamed place.
    Local,
    /// Seconds east of UTC.
    Offset(i32),
    /// `Etc/UTC`.
    Utc,
    /// `Asia/Shanghai`.
    Shanghai,
}

/// A time of day.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Time {
    seconds: u32,
    nanos: u32,
    zone: Zone,
}

/// A day with a time of day.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DateTime {
    /// The calendar day at the place of the zone.
    pub date: Date,
    /// The time of day at the place of the zone.
    pub time: Time,
}

impl Date {
    /// A date, when it exists.
    pub fn new(year: i64, month: i64, day: i64) -> Option<Self> {
        let year = i32::try_from(year).ok().filter(|y| y.abs() <= YEAR_MAX)?;
        let month = u8::try_from(month).ok().filter(|m| (1..=12).contains(m))?;
        let day = u8::try_from(day).ok().filter(|d| (1..=days_in_month(year, month)).contains(d))?;
        Some(Self { year, month, day })
    }

    /// The year, negative before year 0.
    pub fn year(&self) -> i32 {
        self.year
    }

    /// The month, 1 to 12.
    pub fn month(&self) -> u32 {
        u32::from(self.month)
    }

    /// The day of the month, 1 to 31.
    pub fn day(&self) -> u32 {
        u32::from(self.day)
    }

    /// Days since 1970-01-01 (the algorithm of Howard Hinnant's `days_from_civil`).
    pub fn days(&self) -> i64 {
        let y = i64::from(self.year) - i64::from(self.month <= 2);
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// The date so many days after 1970-01-01; `None` outside the years.
    pub fn from_days(days: i64) -> Option<Self> {
        let z = days.checked_add(719_468)?;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        Self::new(year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }

    /// 1 for Monday to 7 for Sunday.
    pub fn weekday(&self) -> u32 {
        (self.days() + 3).rem_euclid(7) as u32 + 1
    }

    /// 1 to 366.
    pub fn day_of_year(&self) -> u32 {
        let first = Self { month: 1, day: 1, ..*self };
        (self.days() - first.days()) as u32 + 1
    }

    /// The ISO 8601 week, 1 to 53.
    pub fn week_of_year(&self) -> u32 {
        // The week belongs to the year of its Thursday.
        let thursday = self.days() - i64::from(self.weekday()) + 4;
        Self::from_days(thursday).map_or(1, |day| (day.day_of_year() - 1) / 7 + 1)
    }

    /// The date so many months later, on the last day of the month where the day does not exist.
    pub fn add_months(&self, months: i64) -> Option<Self> {
        let total = (i64::from(self.year) * 12 + i64::from(self.month) - 1).checked_add(months)?;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        let last = days_in_month(i32::try_from(year).ok()?, month as u8);
        Self::new(year, month, i64::from(self.day.min(last)))
    }

    /// Midnight of the day.
    pub fn at_midnight(self, zone: Zone) -> DateTime {
        DateTime { date: self, time: Time { seconds: 0, nanos: 0, zone } }
    }
}

fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl Zone {
    /// Seconds east of UTC; `None` for a local time.
    pub fn offset(&self) -> Option<i32> {
        match self {
            Self::Local => None,
            Self::Offset(seconds) => Some(*seconds),
            Self::Utc => Some(0),
            Self::Shanghai => Some(8 * 3600),
        }
    }

    /// The zone of the name, if its meaning is fixed.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "Etc/UTC" | "UTC" => Some(Self::Utc),
            "Asia/Shanghai" => Some(Self::Shanghai),
            _ => None,
        }
    }

    /// The name, for the zones that have one.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Utc => Some("Etc/UTC"),
            Self::Shanghai => Some("Asia/Shanghai"),
            _ => None,
        }
    }

    /// The zone of an offset within ±14 hours.
    pub fn from_offset(seconds: i64) -> Option<Self> {
        i32::try_from(seconds).ok().filter(|s| s.abs() <= 14 * 3600).map(Self::Offset)
    }
}

impl Time {
    /// A time of day, when it exists.
    pub fn new(hour: i64, minute: i64, second: i64, nanos: u32, zone: Zone) -> Option<Self> {
        let exists = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
        (exists && nanos < 1_000_000_000).then(|| Self { seconds: (hour * 3600 + minute * 60 + second) as u32, nanos, zone })
    }

    /// The hour, 0 to 23.
    pub fn hour(&self) -> u32 {
        self.seconds / 3600
    }

    /// The minute, 0 to 59.
    pub fn minute(&self) -> u32 {
        self.seconds / 60 % 60
    }

    /// The second, 0 to 59.
    pub fn second(&self) -> u32 {
        self.seconds % 60
    }

    /// Nanoseconds within the second.
    pub fn nanos(&self) -> u32 {
        self.nanos
    }

    /// The zone.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// The same clock time in another zone.
    pub fn with_zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    fn since_midnight(&self) -> i128 {
        i128::from(self.seconds) * NANOS + i128::from(self.nanos)
    }

    /// Nanoseconds since midnight UTC; `None` for a local time.
    fn utc_nanos(&self) -> Option<i128> {
        Some(self.since_midnight() - i128::from(self.zone.offset()?) * NANOS)
    }

    /// The time of day after a duration, wrapping at midnight.
    pub fn plus(&self, duration: DaysDuration) -> Self {
        let day = i128::from(DAY_SECONDS) * NANOS;
        let total = (self.since_midnight() + duration.nanos().rem_euclid(day)).rem_euclid(day);
        Self { seconds: (total / NANOS) as u32, nanos: (total % NANOS) as u32, zone: self.zone }
    }

    /// The duration from another time; `None` between a local and a zoned time.
    pub fn minus(&self, other: &Self) -> Option<DaysDuration> {
        let gap = match (self.utc_nanos(), other.utc_nanos()) {
            (Some(a), Some(b)) => a - b,
            (None, None) => self.since_midnight() - other.since_midnight(),
            _ => return None,
        };
        DaysDuration::from_nanos(gap)
    }

    /// Earlier or later; `None` between a local and a zoned time.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        self.minus(other).map(|gap| gap.nanos().cmp(&0))
    }
}

impl DateTime {
    fn local_nanos(&self) -> i128 {
        i128::from(self.date.days()) * i128::from(DAY_SECONDS) * NANOS + self.time.since_midnight()
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z; `None` for a local time.
    pub fn utc_nanos(&self) -> Option<i128> {
        Some(self.local_nanos() - i128::from(self.time.zone.offset()?) * NANOS)
    }

    fn from_local_nanos(nanos: i128, zone: Zone) -> Option<Self> {
        let day = i128::from(DAY_SECONDS) * NANOS;
        let date = Date::from_days(i64::try_from(nanos.div_euclid(day)).ok()?)?;
        let rest = nanos.rem_euclid(day);
        Some(Self { date, time: Time { seconds: (rest / NANOS) as u32, nanos: (rest % NANOS) as u32, zone } })
    }

    /// The instant in another zone; a local time keeps its clock.
    pub fn in_zone(&self, zone: Zone) -> Option<Self> {
        let (Some(utc), Some(offset)) = (self.utc_nanos(), zone.offset()) else {
            return Some(Self { date: self.date, time: self.time.with_zone(zone) });
        };
        Self::from_local_nanos(utc + i128::from(offset) * NANOS, zone)
    }

    /// The instant after a duration.
    pub fn plus(&self, duration: DaysDuration) -> Option<Self> {
        Self::from_local_nanos(self.local_nanos().checked_add(duration.nanos())?, self.time.zone)
    }

    /// The same time of day so many months later.
    pub fn add_months(&self, months: i64) -> Option<Self> {
        Some(Self { date: self.date.add_months(months)?, time: self.time })
    }

    /// The duration from another instant; `None` between a local and a zoned time.
    pub fn minus(&self, other: &Self) -> Option<DaysDuration> {
        let gap = match (self.utc_nanos(), other.utc_nanos()) {
            (Some(a), Some(b)) => a - b,
            (None, None) => self.local_nanos() - other.local_nanos(),
            _ => return None,
        };
        DaysDuration::from_nanos(gap)
    }

    /// Earlier or later; `None` between a local and a zoned time.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        self.minus(other).map(|gap| gap.nanos().cmp(&0))
    }
}
