use std::fmt;

use crate::DocumentError;

/// Beijing time is eight hours ahead of UTC all year.
const BEIJING_OFFSET_MS: u64 = 8 * 3_600_000;
const DAY_MS: u64 = 86_400_000;

/// A moment on the Beijing calendar (UTC+8), to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeijingTime {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

impl BeijingTime {
    /// From milliseconds since 1970 UTC; fractions of a second are cut off.
    pub fn from_ms(ms: u64) -> Result<Self, DocumentError> {
        let local = ms.checked_add(BEIJING_OFFSET_MS).ok_or(DocumentError::TimeOutOfRange(ms))?;
        let (year, month, day) = civil(local / DAY_MS);
        let year = u16::try_from(year).ok().filter(|year| *year <= 9999).ok_or(DocumentError::TimeOutOfRange(ms))?;
        let second_of_day = local % DAY_MS / 1000;
        Ok(Self {
            year,
            month,
            day,
            hour: (second_of_day / 3600) as u8,
            minute: (second_of_day / 60 % 60) as u8,
            second: (second_of_day % 60) as u8,
        })
    }

    /// `2026年11月22日 15:04:05`.
    pub fn chinese(&self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year}年{month}月{day}日 {hour:02}:{minute:02}:{second:02}")
    }
}

/// `2026-11-22 15:04:05 UTC+8`.
impl fmt::Display for BeijingTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC+8")
    }
}

/// Year, month and day of a count of days since 1970-01-01 in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year, within eras of 400 years.
fn civil(days: u64) -> (u64, u8, u8) {
    const ERA_DAYS: u64 = 146_097;
    let days = days + 719_468; // 0000-03-01 to 1970-01-01
    let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u8;
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(ms: u64) -> String {
        BeijingTime::from_ms(ms).unwrap().to_string()
    }

    #[test]
    fn the_calendar_agrees_with_known_moments() {
        assert_eq!(shown(0), "1970-01-01 08:00:00 UTC+8");
        assert_eq!(shown(951_753_600_000), "2000-02-29 00:00:00 UTC+8");
        assert_eq!(shown(951_839_999_999), "2000-02-29 23:59:59 UTC+8");
        assert_eq!(shown(951_840_000_000), "2000-03-01 00:00:00 UTC+8");
        assert_eq!(shown(1_700_000_000_000), "2023-11-15 06:13:20 UTC+8");
        assert_eq!(shown(253_402_271_999_000), "9999-12-31 23:59:59 UTC+8");
        assert_eq!(BeijingTime::from_ms(1_700_000_000_000).unwrap().chinese(), "2023年11月15日 06:13:20");
    }

    #[test]
    fn the_calendar_steps_day_by_day() {
        let mut expected = (1970, 1, 1);
        for day in 0..200_000 {
            assert_eq!(civil(day), expected);
            let (year, month, of_month) = expected;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
            expected = match (of_month < length, month < 12) {
                (true, _) => (year, month, of_month + 1),
                (false, true) => (year, month + 1, 1),
                (false, false) => (year + 1, 1, 1),
            };
        }
    }

    #[test]
    fn a_time_past_the_year_9999_is_refused() {
        for ms in [253_402_272_000_000, u64::MAX - 1, u64::MAX] {
            assert!(matches!(BeijingTime::from_ms(ms), Err(DocumentError::TimeOutOfRange(_))));
        }
    }
}
