//! Clocks in statutory working days (B4).

use zhulian_primitives::Timestamp;
use zhulian_rules::{calendar::Calendar, temporal::Date};

use super::{
    errors::Error,
    rules::Settings,
    types::{Alert, Clock, PauseReason, PauseRecord},
};
use crate::rulepack::day_of;

const DAY_MS: u64 = 86_400_000;
/// Ms between UTC and the statutory clock of mainland China.
const CHINA_MS: u64 = 8 * 3_600_000;
/// How long before the end of a period its alert is given: three days.
const NEAR_MS: u64 = 3 * DAY_MS;

/// The first moment after a day in China.
fn end_of(day: Date) -> Result<Timestamp, Error> {
    let days = u64::try_from(day.days() + 1).map_err(|_| Error::NoCalendar)?;
    (days * DAY_MS).checked_sub(CHINA_MS).ok_or(Error::NoCalendar)
}

/// The first moment after so many working days; the day on which they begin does not count (民法典 art. 201).
pub(super) fn due(calendar: Option<&Calendar>, from: Timestamp, days: u32) -> Result<Timestamp, Error> {
    let (calendar, from) = (calendar.ok_or(Error::NoCalendar)?, day_of(from).ok_or(Error::NoCalendar)?);
    end_of(calendar.add_working_days(from, days).map_err(|_| Error::NoCalendar)?)
}

/// A due moment so many working days later.
fn later(calendar: Option<&Calendar>, due: Timestamp, days: u32) -> Result<Timestamp, Error> {
    // The last day of the period is the one before the due moment.
    if days == 0 { Ok(due) } else { self::due(calendar, due.saturating_sub(1), days) }
}

/// The clock of a case that is opened now.
pub(super) fn start(settings: &Settings, calendar: Option<&Calendar>, now: Timestamp) -> Result<Clock, Error> {
    let reckon = |days: u16| if days == 0 { Ok(0) } else { due(calendar, now, u32::from(days)) };
    Ok(Clock {
        started: now,
        promised: settings.promised,
        limit: settings.limit,
        promised_due: reckon(settings.promised)?,
        limit_due: reckon(settings.limit)?,
        pauses: Vec::new(),
        alerts: Vec::new(),
    })
}

/// Whether the clock stands still.
pub(super) fn is_paused(clock: &Clock) -> bool {
    clock.pauses.last().is_some_and(|pause| pause.to.is_none())
}

/// Stops the clock.
pub(super) fn pause(clock: &mut Clock, settings: &Settings, reason: PauseReason, now: Timestamp) -> Result<(), Error> {
    if is_paused(clock) {
        return Err(Error::AlreadyPaused);
    }
    if !settings.pauses.contains(&reason) {
        return Err(Error::PauseNotListed);
    }
    clock.pauses.push(PauseRecord { reason, from: now, to: None });
    Ok(())
}

/// Lets the clock run again: the periods are longer by the working days it stood still.
pub(super) fn resume(clock: &mut Clock, calendar: Option<&Calendar>, now: Timestamp) -> Result<(), Error> {
    if !is_paused(clock) {
        return Err(Error::NotPaused);
    }
    let Some(pause) = clock.pauses.last_mut() else { return Err(Error::NotPaused) };
    pause.to = Some(now);
    if clock.promised == 0 && clock.limit == 0 {
        return Ok(());
    }
    let (from, to) = (day_of(pause.from).ok_or(Error::NoCalendar)?, day_of(now).ok_or(Error::NoCalendar)?);
    let stood = calendar.ok_or(Error::NoCalendar)?.working_days_between(from, to).map_err(|_| Error::NoCalendar)?;
    lengthen(clock, calendar, u32::try_from(stood).map_err(|_| Error::NoCalendar)?)
}

/// Makes both periods longer.
pub(super) fn lengthen(clock: &mut Clock, calendar: Option<&Calendar>, days: u32) -> Result<(), Error> {
    if clock.promised > 0 {
        clock.promised_due = later(calendar, clock.promised_due, days)?;
    }
    if clock.limit > 0 {
        clock.limit_due = later(calendar, clock.limit_due, days)?;
    }
    // An alert that was given too early may be given again.
    clock.alerts.clear();
    Ok(())
}

/// Whether the statutory period is over. While the clock stands still nothing becomes late.
pub(super) fn is_late(clock: &Clock, now: Timestamp) -> bool {
    clock.limit > 0 && !is_paused(clock) && now >= clock.limit_due
}

/// The alerts that are due and not yet given, and marks them as given.
pub(super) fn alerts(clock: &mut Clock, now: Timestamp) -> Vec<Alert> {
    if is_paused(clock) {
        return Vec::new();
    }
    let (promised, limit) = (clock.promised > 0, clock.limit > 0);
    let due = [
        (Alert::PromiseNear, promised && now + NEAR_MS >= clock.promised_due),
        (Alert::PromiseOver, promised && now >= clock.promised_due),
        (Alert::LimitNear, limit && now + NEAR_MS >= clock.limit_due),
        (Alert::LimitOver, limit && now >= clock.limit_due),
    ];
    let new: Vec<Alert> =
        due.into_iter().filter(|(alert, due)| *due && !clock.alerts.contains(alert)).map(|(alert, _)| alert).collect();
    clock.alerts.extend(&new);
    clock.alerts.sort_unstable();
    new
}
