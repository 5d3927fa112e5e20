//! Reading and writing ISO 8601 as XML Schema and FEEL restrict it.

use super::{Date, DateTime, DaysDuration, MonthsDuration, Time, Zone};
use std::fmt;

/// Reads `count` digits at the front.
fn digits(text: &str, count: usize) -> Option<(i64, &str)> {
    let head = text.get(..count).filter(|head| head.bytes().all(|b| b.is_ascii_digit()))?;
    Some((head.parse().ok()?, &text[count..]))
}

impl Date {
    /// Reads `2026-11-22`. Years have four digits, or five to nine without a leading zero; `-` before year 0.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, body) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let length = body.find('-').filter(|n| (4..=9).contains(n))?;
        if length > 4 && body.starts_with('0') {
            return None;
        }
        let (year, rest) = digits(body, length)?;
        let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
        let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
        rest.is_empty().then_some(())?;
        Self::new(if negative { -year } else { year }, month, day)
    }
}

impl Zone {
    fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix('@') {
            return Self::named(name);
        }
        match text {
            "" => return Some(Self::Local),
            "Z" | "z" => return Some(Self::Offset(0)),
            _ => {}
        }
        let (sign, body) = match text.as_bytes()[0] {
            b'+' => (1, &text[1..]),
            b'-' => (-1, &text[1..]),
            _ => return None,
        };
        let (hours, rest) = digits(body, 2)?;
        let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
        let seconds = match rest {
            "" => 0,
            _ => digits(rest.strip_prefix(':')?, 2).filter(|(_, rest)| rest.is_empty())?.0,
        };
        (minutes < 60 && seconds < 60).then_some(())?;
        Self::from_offset(sign * (hours * 3600 + minutes * 60 + seconds))
    }
}

impl Time {
    /// Reads `09:30:00`, with a fraction and a zone where wanted.
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, rest) = digits(text, 2)?;
        let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
        let (second, mut rest) = digits(rest.strip_prefix(':')?, 2)?;
        let mut nanos = 0u32;
        if let Some(fraction) = rest.strip_prefix('.') {
            let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if length == 0 {
                return None;
            }
            // Digits beyond nanoseconds are cut off.
            for i in 0..9 {
                nanos = nanos * 10 + fraction.as_bytes()[..length].get(i).map_or(0, |b| u32::from(b - b'0'));
            }
            rest = &fraction[length..];
        }
        Self::new(hour, minute, second, nanos, Zone::parse(rest)?)
    }
}

impl DateTime {
    /// Reads `2026-11-22T09:30:00+08:00`, or a date alone, which is its midnight.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('T') {
            // Midnight may be written as the end of the day before (XML Schema 2 §3.2.7).
            Some((date, time)) if time.starts_with("24:00:00") => {
                let time = Time::parse(&time.replacen("24", "00", 1)).filter(|t| t.nanos == 0)?;
                Some(Self { date: Date::from_days(Date::parse(date)?.days() + 1)?, time })
            }
            Some((date, time)) => Some(Self { date: Date::parse(date)?, time: Time::parse(time)? }),
            None => Some(Date::parse(text)?.at_midnight(Zone::Local)),
        }
    }
}

/// Splits a duration into sign, and numbers with their letters before and after `T`.
struct Fields<'a> {
    rest: &'a str,
    any: bool,
}

impl<'a> Fields<'a> {
    /// The number before `letter`, when it comes next. The fraction is only allowed for seconds.
    fn take(&mut self, letter: char) -> Option<Option<(&'a str, &'a str)>> {
        let Some(length) = self.rest.find(|c: char| !c.is_ascii_digit() && c != '.') else { return Some(None) };
        if length == 0 || !self.rest[length..].starts_with(letter) {
            return Some(None);
        }
        let number = &self.rest[..length];
        self.rest = &self.rest[length + 1..];
        self.any = true;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let fraction_allowed = letter == 'S' && !whole.is_empty() && !fraction.contains('.');
        (!number.contains('.') || fraction_allowed).then_some(Some((whole, fraction)))
    }

    fn whole(&mut self, letter: char) -> Option<i64> {
        match self.take(letter)? {
            Some((whole, _)) => whole.parse().ok().filter(|n: &i64| *n <= 1_000_000_000_000_000),
            None => Some(0),
        }
    }
}

impl MonthsDuration {
    /// Reads `P1Y2M`.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, body) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let mut fields = Fields { rest: body.strip_prefix('P')?, any: false };
        let (years, months) = (fields.whole('Y')?, fields.whole('M')?);
        (fields.any && fields.rest.is_empty()).then_some(())?;
        let total = years.checked_mul(12)?.checked_add(months)?;
        Self::new(if negative { -total } else { total })
    }
}

impl DaysDuration {
    /// Reads `P1DT2H3M4.5S`.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, body) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let mut fields = Fields { rest: body.strip_prefix('P')?, any: false };
        let mut seconds = i128::from(fields.whole('D')?) * 86_400;
        let mut nanos = 0i128;
        if let Some(rest) = fields.rest.strip_prefix('T') {
            (fields.rest, fields.any) = (rest, false);
            seconds += i128::from(fields.whole('H')?) * 3600;
            seconds += i128::from(fields.whole('M')?) * 60;
            if let Some((whole, fraction)) = fields.take('S')? {
                seconds += i128::from(whole.parse::<i64>().ok()?);
                for i in 0..9 {
                    nanos = nanos * 10 + fraction.as_bytes().get(i).map_or(0, |b| i128::from(b - b'0'));
                }
            }
        }
        (fields.any && fields.rest.is_empty()).then_some(())?;
        let total = seconds * 1_000_000_000 + nanos;
        Self::from_nanos(if negative { -total } else { total })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.year < 0 { "-" } else { "" };
        write!(f, "{sign}{:04}-{:02}-{:02}", self.year.unsigned_abs(), self.month, self.day)
    }
}

fn write_fraction(f: &mut fmt::Formatter<'_>, nanos: u64) -> fmt::Result {
    if nanos == 0 {
        return Ok(());
    }
    write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour(), self.minute(), self.second())?;
        write_fraction(f, u64::from(self.nanos))?;
        match self.zone {
            Zone::Local => Ok(()),
            Zone::Offset(0) => f.write_str("Z"),
            Zone::Offset(offset) => {
                let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
                write!(f, "{sign}{:02}:{:02}", size / 3600, size / 60 % 60)?;
                if size % 60 != 0 { write!(f, ":{:02}", size % 60) } else { Ok(()) }
            }
            named => write!(f, "@{}", named.name().unwrap_or_default()),
        }
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.date, self.time)
    }
}

impl fmt::Display for DaysDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (negative, [days, hours, minutes, seconds, nanos]) = self.parts();
        f.write_str(if negative { "-P" } else { "P" })?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if hours + minutes + seconds + nanos > 0 || days == 0 {
            f.write_str("T")?;
        }
        for (amount, letter) in [(hours, 'H'), (minutes, 'M')] {
            if amount > 0 {
                write!(f, "{amount}{letter}")?;
            }
        }
        if seconds + nanos > 0 || self.nanos() == 0 {
            write!(f, "{seconds}")?;
            write_fraction(f, nanos)?;
            f.write_str("S")?;
        }
        Ok(())
    }
}

impl fmt::Display for MonthsDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, sign) = (self.months.unsigned_abs(), if self.months < 0 { "-" } else { "" });
        match (size / 12, size % 12) {
            (0, months) => write!(f, "{sign}P{months}M"),
            (years, 0) => write!(f, "{sign}P{years}Y"),
            (years, months) => write!(f, "{sign}P{years}Y{months}M"),
        }
    }
}
