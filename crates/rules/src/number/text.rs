//! Numbers as text. One number has one text.

use super::{Decimal, TEN, digits};
use std::fmt;
use std::str::FromStr;

/// A text that is not a FEEL number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

impl FromStr for Decimal {
    type Err = NotANumber;

    /// Reads `-12.50`, `.5`, `1.2e3`. More than 34 digits are rounded half-even.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let (negative, body) = match text.as_bytes() {
            [b'-', ..] => (true, &text[1..]),
            [b'+', ..] => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, power) = match body.find(['e', 'E']) {
            Some(at) => (&body[..at], parse_exponent(&body[at + 1..]).ok_or(NotANumber)?),
            None => (body, 0),
        };
        let (mut c, mut e, mut sticky, mut any, mut point) = (0u128, 0i64, false, false, false);
        for byte in mantissa.bytes() {
            match byte {
                b'0'..=b'9' => {
                    any = true;
                    let digit = u128::from(byte - b'0');
                    if c < TEN[36] {
                        c = c * 10 + digit;
                        e -= i64::from(point);
                    } else {
                        sticky |= digit != 0;
                        e += i64::from(!point);
                    }
                }
                b'.' if !point => point = true,
                _ => return Err(NotANumber),
            }
        }
        if !any || mantissa.ends_with('.') {
            return Err(NotANumber);
        }
        let exponent = e.checked_add(power).filter(|e| e.abs() < 100_000).ok_or(NotANumber)?;
        Self::build(negative, c, exponent as i32, sticky).ok_or(NotANumber)
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    if body.is_empty() || body.len() > 6 || !body.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl fmt::Display for Decimal {
    /// Plain notation where at most 40 characters are needed, otherwise `1.5E+40`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (c, e) = (self.coefficient(), self.exponent());
        let length = digits(c) as i32;
        if self.negative {
            f.write_str("-")?;
        }
        if e == 0 {
            return write!(f, "{c}");
        }
        let text = c.to_string();
        if e < 0 && -e < length {
            let (whole, fraction) = text.split_at((length + e) as usize);
            return write!(f, "{whole}.{fraction}");
        }
        if e < 0 && -e <= 40 {
            return write!(f, "0.{text:0>width$}", width = (-e) as usize);
        }
        let (first, rest) = text.split_at(1);
        let rest = rest.trim_end_matches('0');
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{first}{point}{rest}E{:+}", e + length - 1)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
