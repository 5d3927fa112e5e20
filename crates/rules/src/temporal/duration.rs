//! The two durations of FEEL, which cannot be compared with one another: a month has no fixed number of days.

use crate::number::{Decimal, Rounding};

/// Days, hours, minutes and seconds: an exact number of nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DaysDuration {
    seconds: i64,
    nanos: u32,
}

/// Years and months: a whole number of months.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MonthsDuration {
    /// The number of months.
    pub months: i64,
}

/// Largest number of seconds or months: about 10^10 years, so that sums never overflow.
const LIMIT: i64 = 400_000_000_000_000_000;

impl DaysDuration {
    /// A duration of nanoseconds; `None` beyond 10^10 years.
    pub fn from_nanos(nanos: i128) -> Option<Self> {
        let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok().filter(|s| s.abs() <= LIMIT)?;
        Some(Self { seconds, nanos: nanos.rem_euclid(1_000_000_000) as u32 })
    }

    /// A duration of seconds; `None` beyond 10^10 years.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        Self::from_nanos(i128::from(seconds) * 1_000_000_000)
    }

    /// The length in nanoseconds.
    pub fn nanos(&self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos)
    }

    /// Length without sign as days, hours, minutes, seconds, nanoseconds; and whether it is negative.
    pub fn parts(&self) -> (bool, [u64; 5]) {
        let size = self.nanos().unsigned_abs();
        let (seconds, nanos) = ((size / 1_000_000_000) as u64, (size % 1_000_000_000) as u64);
        (self.nanos() < 0, [seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60, nanos])
    }

    /// The length as a number of seconds.
    pub fn to_decimal(&self) -> Option<Decimal> {
        Decimal::new(self.nanos(), -9)
    }

    /// The duration of a number of seconds, cut off to nanoseconds.
    pub fn from_decimal(seconds: Decimal) -> Option<Self> {
        let nanos = seconds.mul(Decimal::new(1, 9)?)?.round(0, Rounding::Down)?;
        if nanos.exponent() != 0 {
            return None;
        }
        let size = i128::try_from(nanos.coefficient()).ok()?;
        Self::from_nanos(if nanos.is_negative() { -size } else { size })
    }

    /// The sum.
    pub fn add(&self, other: &Self) -> Option<Self> {
        Self::from_nanos(self.nanos() + other.nanos())
    }

    /// The duration with the opposite sign.
    pub fn neg(&self) -> Self {
        Self::from_nanos(-self.nanos()).unwrap_or(*self)
    }
}

impl MonthsDuration {
    /// A duration of months; `None` beyond 10^10 years.
    pub fn new(months: i64) -> Option<Self> {
        (months.unsigned_abs() <= LIMIT as u64).then_some(Self { months })
    }

    /// The duration of a number of months, cut off.
    pub fn from_decimal(months: Decimal) -> Option<Self> {
        Self::new(months.truncate_to_i64()?)
    }

    /// Whole months from one day to another, towards zero (`years and months duration`).
    pub fn between(from: &super::DateTime, to: &super::DateTime) -> Option<Self> {
        // The time of day does not count (TCK 1121, case 034).
        if from.date > to.date {
            return Self::between(to, from).map(|d| Self { months: -d.months });
        }
        let index = |t: &super::DateTime| i64::from(t.date.year) * 12 + i64::from(t.date.month);
        let mut months = index(to) - index(from);
        if to.date.day < from.date.day {
            months -= 1;
        }
        Self::new(months.max(0))
    }
}
