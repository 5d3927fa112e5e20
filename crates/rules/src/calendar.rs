//! Statutory working days, from a list of the days that differ from the plain week.
//!
//! The State Council publishes each year's days off and the weekend days worked in exchange (《国务院办公厅关于…部分节假日安排的
//! 通知》, under 《全国年节及纪念日放假办法》). A calendar is such a list over whole, named bounds; beyond them nothing is assumed.
//!
//! ```text
//! calendar 1
//! covers 2004-01-01 2026-12-31
//! off 2004-01-01 元旦
//! work 2004-01-17 春节
//! ```

use crate::temporal::Date;
use std::collections::BTreeMap;
use std::fmt;

/// Most days a calendar lists.
const ENTRIES_MAX: usize = 20_000;
/// Longest name of a day, in bytes.
const NAME_MAX: usize = 120;

/// A day that differs from the plain week, or that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whether it is worked.
    pub working: bool,
    /// Its name as the notice has it.
    pub name: Box<str>,
}

/// A calendar of working days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    first: i64,
    last: i64,
    entries: BTreeMap<i64, Entry>,
    /// For each day that is covered, how many working days there are up to and with it: a period of any length is one search.
    worked: Box<[u32]>,
}

/// Why a text is not a calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct CalendarError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: &'static str,
}

/// A day the calendar does not cover. Nothing is assumed about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The first day that is covered.
    pub first: Date,
    /// The last day that is covered.
    pub last: Date,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the calendar covers {} to {} only", self.first, self.last)
    }
}

impl std::error::Error for Outside {}

impl Calendar {
    /// Reads a calendar.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let fail = |line, reason| Err(CalendarError { line, reason });
        if lines.next().map(|(_, line)| line) != Some("calendar 1") {
            return fail(1, "the first line is `calendar 1`");
        }
        let Some((at, line)) = lines.next() else { return fail(1, "the bounds are missing: `covers FIRST LAST`") };
        let bounds: Vec<&str> = line.split_whitespace().collect();
        let ["covers", first, last] = bounds[..] else { return fail(at, "the bounds are missing: `covers FIRST LAST`") };
        let (Some(first), Some(last)) = (Date::parse(first), Date::parse(last)) else { return fail(at, "not a date") };
        let (first, last) = (first.days(), last.days());
        if first > last || last - first > 400 * 366 {
            return fail(at, "the first day comes before the last one, at most 400 years");
        }
        let mut entries = BTreeMap::new();
        for (at, line) in lines {
            let mut words = line.splitn(3, char::is_whitespace);
            let working = match words.next() {
                Some("off") => false,
                Some("work") => true,
                _ => return fail(at, "a day is `off DATE NAME` or `work DATE NAME`"),
            };
            let Some(day) = words.next().and_then(Date::parse) else { return fail(at, "not a date") };
            let name = words.next().unwrap_or_default().trim();
            if !(first..=last).contains(&day.days()) {
                return fail(at, "the day is outside the bounds");
            }
            if name.is_empty() || name.len() > NAME_MAX {
                return fail(at, "a day has a name of at most 120 bytes");
            }
            if working && day.weekday() < 6 {
                return fail(at, "only a Saturday or Sunday is worked in exchange");
            }
            let previous = entries.keys().next_back().copied();
            if previous.is_some_and(|previous| previous >= day.days()) {
                return fail(at, "the days are in order, none of them twice");
            }
            if entries.len() >= ENTRIES_MAX {
                return fail(at, "more than 20,000 days");
            }
            entries.insert(day.days(), Entry { working, name: name.into() });
        }
        let worked = (first..=last).scan(0, |sum, day| {
            *sum += u32::from(entries.get(&day).map_or(!is_weekend(day), |entry: &Entry| entry.working));
            Some(*sum)
        });
        let worked = worked.collect();
        Ok(Self { first, last, entries, worked })
    }

    /// The first and the last day that are covered.
    pub fn bounds(&self) -> (Date, Date) {
        let day = |days| Date::from_days(days).unwrap_or_else(|| unreachable!("a day that was parsed"));
        (day(self.first), day(self.last))
    }

    fn outside(&self) -> Outside {
        let (first, last) = self.bounds();
        Outside { first, last }
    }

    fn works(&self, day: i64) -> Result<bool, Outside> {
        if !(self.first..=self.last).contains(&day) {
            return Err(self.outside());
        }
        Ok(self.worked_before(day) < self.worked_before(day + 1))
    }

    /// How many working days come before a day from the first one to the one after the last.
    fn worked_before(&self, day: i64) -> u32 {
        usize::try_from(day - self.first).ok().and_then(|at| at.checked_sub(1)).map_or(0, |at| self.worked[at])
    }

    /// The first day up to and with which there are so many working days, at least one; the one after the last if there are fewer.
    fn day_of(&self, count: u32) -> i64 {
        self.first + self.worked.partition_point(|worked| *worked < count) as i64
    }

    /// What the calendar says of a day beside the plain week.
    pub fn entry(&self, day: Date) -> Option<&Entry> {
        self.entries.get(&day.days())
    }

    /// Whether a day is a working day.
    ///
    /// # Errors
    /// When the day is not covered.
    pub fn is_working_day(&self, day: Date) -> Result<bool, Outside> {
        self.works(day.days())
    }

    /// The day on which a period of so many working days ends. The day it begins on does not count (Civil Code art. 201).
    /// A period of 0 days ends on its first day, or on the next working day (art. 203).
    ///
    /// # Errors
    /// When the end is not covered.
    pub fn add_working_days(&self, from: Date, count: u32) -> Result<Date, Outside> {
        match self.reach(from, count)? {
            (end, 0) => Ok(end),
            _ => Err(self.outside()),
        }
    }

    /// As [`add_working_days`](Self::add_working_days), as far as days are known: the last day that was looked at, and how many
    /// working days come after it. None are left where the period ends within the calendar.
    ///
    /// # Errors
    /// When the period begins before the calendar, or has 0 days and its end is not covered.
    pub fn reach(&self, from: Date, count: u32) -> Result<(Date, u32), Outside> {
        let (mut day, mut left) = (from.days(), count);
        if day < self.first {
            return Err(self.outside());
        }
        if left > 0 && day < self.last {
            let (behind, all) = (self.worked_before(day + 1), self.worked_before(self.last + 1));
            (day, left) = match left.checked_sub(all - behind) {
                None | Some(0) => (self.day_of(behind + left), 0),
                Some(left) => (self.last, left),
            };
        }
        if left == 0 && !self.works(day)? {
            day = self.day_of(self.worked_before(day) + 1);
            self.works(day)?;
        }
        Ok((Date::from_days(day).ok_or_else(|| self.outside())?, left))
    }

    /// How many working days come after `from`, up to and with `to`; negative when `to` is the earlier one.
    ///
    /// # Errors
    /// When a day is not covered.
    pub fn working_days_between(&self, from: Date, to: Date) -> Result<i64, Outside> {
        let (low, high) = (from.days().min(to.days()), from.days().max(to.days()));
        self.works(low)?;
        self.works(high)?;
        let count = i64::from(self.worked_before(high + 1) - self.worked_before(low + 1));
        Ok(if from.days() <= to.days() { count } else { -count })
    }
}

/// 1970-01-01 was a Thursday; days 2 and 3 after it, modulo 7, are Saturdays and Sundays.
fn is_weekend(day: i64) -> bool {
    matches!(day.rem_euclid(7), 2 | 3)
}
