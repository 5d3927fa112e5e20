//! Finds personal plaintext in free text, so that it never reaches the ledger (Personal Information Protection Law; an
//! immutable ledger could not erase it again).
//!
//! It finds what has a form: citizen numbers by their checksum, mobile numbers, bank cards by the Luhn digit. It cannot find
//! a name; fields that could hold one are salted commitments.

use crate::identity::Uscc;

/// What kind of personal data a text seems to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// A citizen number, 公民身份号码 (GB 11643-1999), or one of 15 digits.
    CitizenNumber,
    /// A mobile number.
    Mobile,
    /// A bank card number.
    BankCard,
}

/// Longest run of letters and digits that is still looked into: longer ones are digests and keys.
const WORD_LEN_MAX: usize = 31;

/// Digits that the shortest of these numbers has.
const DIGITS_MIN: usize = 11;

/// The first piece of personal data in `text`.
pub(crate) fn find(text: &str) -> Option<Finding> {
    if text.chars().filter(|c| narrow(*c).is_ascii_digit()).count() < DIGITS_MIN {
        return None;
    }
    let text: Vec<char> = text.chars().map(narrow).collect();
    text.split(|c| !c.is_ascii_alphanumeric() && !is_separator(*c)).find_map(|piece| {
        // As written, word by word, and with the separators that people put between groups of digits left out.
        let words = piece.split(|c| is_separator(*c)).filter(|word| word.len() <= WORD_LEN_MAX);
        words.clone().find_map(in_word).or_else(|| {
            let joined: Vec<char> = words.flatten().copied().collect();
            if joined.len() <= WORD_LEN_MAX { in_word(&joined) } else { None }
        })
    })
}

/// Full-width digits and letters are read as the plain ones.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '_')
}

/// Looks at every run of digits in a word, with the `X` that may end a citizen number.
fn in_word(word: &[char]) -> Option<Finding> {
    // Seventeen digits and a letter may pass for a bank card by chance, though they are an organisation's code.
    let is_code = || Uscc::parse(&word.iter().collect::<String>()).is_ok();
    let mut start = 0;
    while start < word.len() {
        if !word[start].is_ascii_digit() {
            start += 1;
            continue;
        }
        let mut end = start;
        while end < word.len() && word[end].is_ascii_digit() {
            end += 1;
        }
        let digits: Vec<u32> = word[start..end].iter().filter_map(|c| c.to_digit(10)).collect();
        let ends_in_x = word.get(end).is_some_and(|c| c.eq_ignore_ascii_case(&'X'));
        match in_digits(&digits, ends_in_x) {
            Some(Finding::BankCard) if is_code() => {}
            Some(finding) => return Some(finding),
            None => {}
        }
        start = end;
    }
    None
}

fn in_digits(digits: &[u32], ends_in_x: bool) -> Option<Finding> {
    match digits {
        [.., _] if ends_in_x && digits.len() == 17 && citizen(digits, 10) => Some(Finding::CitizenNumber),
        [body @ .., check] if digits.len() == 18 && citizen(body, *check) => Some(Finding::CitizenNumber),
        // The old number has the year in two digits, and no checksum.
        _ if digits.len() == 15
            && is_date(1900 + number(&digits[6..8]), number(&digits[8..10]), number(&digits[10..12])) =>
        {
            Some(Finding::CitizenNumber)
        }
        [1, 3..=9, ..] if digits.len() == 11 => Some(Finding::Mobile),
        [8, 6, 1, 3..=9, ..] if digits.len() == 13 => Some(Finding::Mobile),
        _ if (16..=19).contains(&digits.len()) && luhn(digits) => Some(Finding::BankCard),
        _ => None,
    }
}

fn number(digits: &[u32]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + digit)
}

fn is_date(year: u32, month: u32, day: u32) -> bool {
    (1880..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// GB 11643-1999: a birth date in the middle, and a check by ISO 7064 MOD 11-2.
fn citizen(body: &[u32], check: u32) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [u32; 11] = [1, 0, 10, 9, 8, 7, 6, 5, 4, 3, 2];
    let sum: u32 = body.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    CHECKS[(sum % 11) as usize] == check && is_date(number(&body[6..10]), number(&body[10..12]), number(&body[12..14]))
}

/// ISO/IEC 7812-1, Annex B.
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}
