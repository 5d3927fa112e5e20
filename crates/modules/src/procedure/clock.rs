//! Clocks in statutory working days (B4).
//!
//! A year's days off are announced in the November before, so a period may end in a year that no calendar holds yet. Nothing is
//! assumed about such a year: the clock keeps how many working days are still to be counted in it, and is late in nothing. With the
//! first call of the case after that year's calendar is in force, the end is what it would have been had the calendar been there.

use zhulian_primitives::Timestamp;
use zhulian_rules::{
    calendar::{Calendar, Outside},
    temporal::Date,
};

use super::{
    errors::Error,
    rules::Settings,
    types::{Alert, Clock, PauseReason, PauseRecord},
};
use crate::rulepack::day_of;

const DAY_MS: u64 = 86_400_000;
/// Ms between UTC and the statutory clock of mainland China.
const CHINA_MS: u64 = 8 * 3_600_000;
/// With so many working days left, today included, a period is nearly over.
const NEAR_DAYS: i64 = 3;
/// Pauses of one case.
const PAUSES_MAX: usize = 200;

/// Where a period ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The first moment after it; with days left, the first moment after the last day that was counted.
    pub(super) due: Timestamp,
    /// Working days to count after that, in a year whose calendar is not known yet.
    pub(super) left: u32,
}

/// The working days in force, at a moment.
#[derive(Clone, Copy)]
pub(super) struct Days<'a> {
    pub(super) calendar: Option<&'a Calendar>,
    pub(super) now: Timestamp,
}

fn day(time: Timestamp) -> Result<Date, Error> {
    day_of(time).ok_or(Error::NoCalendar)
}

impl Days<'_> {
    /// Where a period of so many working days ends; the day on which it begins does not count (民法典 art. 201).
    pub(super) fn after(&self, from: Timestamp, days: u32) -> Result<End, Error> {
        let (calendar, from) = (self.calendar.ok_or(Error::NoCalendar)?, day(from)?);
        let (last, left) = calendar.reach(from, days).map_err(|outside| self.lacks(from, outside))?;
        let days = u64::try_from(last.days() + 1).map_err(|_| Error::NoCalendar)?;
        let due = (days * DAY_MS).checked_sub(CHINA_MS).ok_or(Error::NoCalendar)?;
        Ok(End { due, left })
    }

    /// An end so many working days later.
    fn later(&self, end: End, days: u32) -> Result<End, Error> {
        let days = end.left.checked_add(days).ok_or(Error::NoCalendar)?;
        // The last day of the period is the one before the due moment.
        if days == 0 { Ok(end) } else { self.after(end.due.saturating_sub(1), days) }
    }

    /// How many working days come after one moment's day, up to and with another's.
    pub(super) fn between(&self, from: Timestamp, to: Timestamp) -> Result<u32, Error> {
        let (calendar, from, to) = (self.calendar.ok_or(Error::NoCalendar)?, day(from)?, day(to)?);
        let days = calendar.working_days_between(from, to).map_err(|outside| self.lacks(from, outside))?;
        u32::try_from(days).map_err(|_| Error::NoCalendar)
    }

    /// Which year the calendar lacks: nothing is assumed about a year whose days off nobody has voted in.
    fn lacks(&self, from: Date, outside: Outside) -> Error {
        let year = if from < outside.first {
            from.year()
        } else {
            Date::from_days(outside.last.days() + 1).unwrap_or(outside.last).year()
        };
        match day_of(self.now).map(|now| year - now.year()) {
            Some(..=0) => Error::CalendarLacksYear,
            Some(1) => Error::CalendarLacksNextYear,
            Some(_) => Error::CalendarLacksLaterYear,
            None => Error::NoCalendar,
        }
    }

    /// Whether a period that ends before `due` is nearly over, or over.
    fn is_near(&self, due: Timestamp) -> bool {
        let left = || {
            let (yesterday, last) = (day_of(self.now.checked_sub(DAY_MS)?)?, day_of(due.checked_sub(1)?)?);
            self.calendar?.working_days_between(yesterday, last).ok()
        };
        self.now >= due || left().is_some_and(|left| left <= NEAR_DAYS)
    }
}

/// The clock of a case that is opened now.
pub(super) fn start(settings: &Settings, days: Days<'_>) -> Result<Clock, Error> {
    let none = End { due: 0, left: 0 };
    let reckon = |length: u16| if length == 0 { Ok(none) } else { days.after(days.now, u32::from(length)) };
    let (promised, limit) = (reckon(settings.promised)?, reckon(settings.limit)?);
    Ok(Clock {
        started: days.now,
        promised: settings.promised,
        limit: settings.limit,
        promised_due: promised.due,
        limit_due: limit.due,
        pauses: Vec::new(),
        alerts: Vec::new(),
        promised_left: promised.left,
        limit_left: limit.left,
    })
}

impl Clock {
    /// Whether the end of a period lies in a year whose calendar was not in force when it was reckoned last.
    pub fn is_open(&self) -> bool {
        self.promised_left > 0 || self.limit_left > 0
    }

    /// Its two ends.
    fn ends(&mut self) -> [(&mut Timestamp, &mut u32); 2] {
        [(&mut self.promised_due, &mut self.promised_left), (&mut self.limit_due, &mut self.limit_left)]
    }
}

/// Reckons the ends again that lay beyond the calendar; whether one of them changed. What cannot be reckoned stays as it is.
pub(super) fn settle(clock: &mut Clock, days: Days<'_>) -> bool {
    let before = [clock.promised_left, clock.limit_left];
    for (due, left) in clock.ends() {
        if *left > 0
            && let Ok(end) = days.later(End { due: *due, left: *left }, 0)
        {
            (*due, *left) = (end.due, end.left);
        }
    }
    before != [clock.promised_left, clock.limit_left]
}

/// Since when the clock stands still, if it does.
pub(super) fn paused_since(clock: &Clock) -> Option<Timestamp> {
    clock.pauses.last().filter(|pause| pause.to.is_none()).map(|pause| pause.from)
}

/// Stops the clock.
pub(super) fn pause(
    clock: &mut Clock,
    settings: &Settings,
    reason: PauseReason,
    now: Timestamp,
    mended: bool,
) -> Result<(), Error> {
    if paused_since(clock).is_some() {
        return Err(Error::AlreadyPaused);
    }
    if !settings.pauses.contains(&reason) {
        return Err(Error::PauseNotListed);
    }
    if mended && clock.pauses.len() >= PAUSES_MAX {
        return Err(Error::PausedTooOften);
    }
    clock.pauses.push(PauseRecord { reason, from: now, to: None });
    Ok(())
}

/// Lets the clock run again: the periods are longer by the working days it stood still. Gives since when it did.
pub(super) fn resume(clock: &mut Clock, days: Days<'_>, mended: bool) -> Result<Timestamp, Error> {
    let since = paused_since(clock).ok_or(Error::NotPaused)?;
    let Some(pause) = clock.pauses.last_mut() else { return Err(Error::NotPaused) };
    pause.to = Some(days.now);
    // What was over before stays over.
    if clock.is_open() || clock.promised_due > since || clock.limit_due > since {
        lengthen(clock, days, days.between(since, days.now)?, since, mended)?;
    }
    Ok(since)
}

/// Makes the periods longer that end after `after`.
pub(super) fn lengthen(clock: &mut Clock, days: Days<'_>, by: u32, after: Timestamp, mended: bool) -> Result<(), Error> {
    let before = (clock.promised_due, clock.promised_left, clock.limit_due, clock.limit_left);
    for (due, left) in clock.ends() {
        // 0 is no period.
        if *due > after || *left > 0 {
            let end = days.later(End { due: *due, left: *left }, by)?;
            (*due, *left) = (end.due, end.left);
        }
    }
    // An alert that was given too early may be given again. Where no end moved, it was not too early.
    if !mended || before != (clock.promised_due, clock.promised_left, clock.limit_due, clock.limit_left) {
        clock.alerts.clear();
    }
    Ok(())
}

/// Whether the statutory period is over. While the clock stands still nothing becomes late; what was late stays so, but for cases
/// before the rules were mended.
pub(super) fn is_late(clock: &Clock, now: Timestamp, mended: bool) -> bool {
    let ran_until = match paused_since(clock) {
        None => now,
        Some(since) if mended => since,
        Some(_) => return false,
    };
    clock.limit > 0 && clock.limit_left == 0 && ran_until >= clock.limit_due
}

/// The alerts that are due and not yet given, and marks them as given.
pub(super) fn alerts(clock: &mut Clock, days: Days<'_>) -> Vec<Alert> {
    if paused_since(clock).is_some() {
        return Vec::new();
    }
    let (promised, limit) = (clock.promised > 0 && clock.promised_left == 0, clock.limit > 0 && clock.limit_left == 0);
    let due = [
        (Alert::PromiseNear, promised && days.is_near(clock.promised_due)),
        (Alert::PromiseOver, promised && days.now >= clock.promised_due),
        (Alert::LimitNear, limit && days.is_near(clock.limit_due)),
        (Alert::LimitOver, limit && days.now >= clock.limit_due),
    ];
    let new: Vec<Alert> =
        due.into_iter().filter(|(alert, due)| *due && !clock.alerts.contains(alert)).map(|(alert, _)| alert).collect();
    clock.alerts.extend(&new);
    clock.alerts.sort_unstable();
    new
}
