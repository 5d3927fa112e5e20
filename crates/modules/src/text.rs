//! Bounded text, for the few fields that are free.

use crate::privacy;

/// Whether `text` has 1 to `max` bytes of printable characters without space at the ends.
pub(crate) fn is_plain(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && text.trim() == text && !text.chars().any(is_hidden)
}

/// Whether a plain text seems to hold personal data.
pub(crate) fn is_personal(text: &str) -> bool {
    privacy::find(text).is_some()
}

/// Digits from which on a number can be a citizen's or a bank card's, which have check digits.
const CHECKED_DIGITS_MIN: usize = 16;

/// Whether a number, as it is written, seems to be personal data. Only the numbers with check digits are looked for: an amount in fen
/// has as many digits as a mobile number.
pub(crate) fn is_personal_number(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.len() >= CHECKED_DIGITS_MIN && digits.bytes().all(|b| b.is_ascii_digit()) && is_personal(digits)
}

/// Characters that are not seen or that turn the direction of others: what is displayed must be what is there.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}
