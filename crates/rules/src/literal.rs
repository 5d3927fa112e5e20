//! Values as texts and back: every value has one canonical text, and only that text is read.

use crate::gas::Gas;
use crate::model::{Model, Profile};
use crate::value::{Name, Value};
use std::collections::BTreeSet;

/// Longest text that is read as a value, in bytes.
const TEXT_MAX: usize = 16 * 1024;
/// Gas for one value.
const VALUE_GAS: u64 = 100_000;
/// Gas for all lines of a file. What is written out costs less than one for each of its bytes.
const FILE_GAS: u64 = 1_000_000;
/// Deepest nesting of brackets in a canonical text.
const NESTING_MAX: u32 = 48;

impl Value {
    /// Reads the canonical text of a value, as [`Value::to_canonical`] writes it: `12.5`, `"text"`, `@"2026-01-31"`,
    /// `[1, 2]`, `{"a": 1}`. Any other way to write the same value is refused, so that equal facts are equal bytes.
    ///
    /// Whoever can send bytes can have this read, so nothing is evaluated that is not written out.
    pub fn from_canonical(text: &str) -> Option<Self> {
        if text.len() > TEXT_MAX || !is_written_out(text) {
            return None;
        }
        let value = Self::from_feel(text)?;
        (value.to_canonical(&mut Gas::new(VALUE_GAS)).ok()? == text).then_some(value)
    }

    /// The value of a FEEL expression that needs no names, for example one a person typed.
    pub fn from_feel(text: &str) -> Option<Self> {
        let mut gas = VALUE_GAS;
        evaluate(text, &mut gas)
    }
}

/// Evaluates an expression that needs no names, and takes what it costs, at most [`VALUE_GAS`], from what is left.
fn evaluate(text: &str, left: &mut u64) -> Option<Value> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let model = Model::expression(text, &[], Profile::Strict).ok()?;
    let outcome = model.decide_in_order(0, &[], VALUE_GAS.min(*left)).ok()?;
    *left -= outcome.gas;
    outcome.faults.is_empty().then_some(outcome.value)
}

/// Whether a text has the form of what [`Value::to_canonical`] writes: constants, and lists, contexts and ranges of them.
fn is_written_out(text: &str) -> bool {
    after_value(text, 0) == Some("")
}

/// What follows the value that a text begins with.
fn after_value(text: &str, nesting: u32) -> Option<&str> {
    if nesting > NESTING_MAX {
        return None;
    }
    match text.as_bytes().first()? {
        b'{' => after_items(&text[1..], '}', |rest| after_value(after_text(rest)?.strip_prefix(": ")?, nesting + 1)),
        b'[' => match after_range(text) {
            Some(rest) => Some(rest),
            None => after_items(&text[1..], ']', |rest| after_value(rest, nesting + 1)),
        },
        b'(' => after_range(text),
        _ => after_constant(text),
    }
}

/// What follows items and their closing bracket.
fn after_items<'a>(text: &'a str, close: char, item: impl Fn(&'a str) -> Option<&'a str>) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix(close) {
        return Some(rest);
    }
    let mut rest = item(text)?;
    while let Some(more) = rest.strip_prefix(", ") {
        rest = item(more)?;
    }
    rest.strip_prefix(close)
}

/// What follows a range. Its ends can be compared, so they are constants.
fn after_range(text: &str) -> Option<&str> {
    let rest = after_constant(text.strip_prefix(['[', '('])?)?;
    after_constant(rest.strip_prefix("..")?)?.strip_prefix([']', ')'])
}

fn after_constant(text: &str) -> Option<&str> {
    match text.as_bytes().first()? {
        b'"' => after_text(text),
        b'@' => after_text(&text[1..]),
        b'-' | b'0'..=b'9' => after_number(text.strip_prefix('-').unwrap_or(text)),
        _ => ["null", "true", "false"].into_iter().find_map(|word| text.strip_prefix(word)),
    }
}

/// What follows a quoted text.
fn after_text(text: &str) -> Option<&str> {
    let body = text.strip_prefix('"')?;
    let mut escaped = false;
    let at = body.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some(&body[at + 1..])
}

/// What follows `12`, `12.5` or `1.5E+50`.
fn after_number(text: &str) -> Option<&str> {
    fn digits(text: &str) -> Option<&str> {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < text.len()).then_some(rest)
    }
    let whole = digits(text)?;
    let all = whole.strip_prefix('.').and_then(digits).unwrap_or(whole);
    match all.strip_prefix('E') {
        Some(power) => digits(power.strip_prefix(['+', '-'])?),
        None => Some(all),
    }
}

/// Reads lines of `name = value`, as a pack of rates has them. Empty lines and lines that begin with `#` say nothing.
///
/// # Errors
/// The number of the first line, from 1, that is neither.
pub fn assignments(text: &str) -> Result<Vec<(Name, Value)>, usize> {
    let (mut out, mut names, mut gas) = (Vec::new(), BTreeSet::new(), FILE_GAS);
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or(at + 1)?;
        let (name, value) = (Name::from(name.trim()), evaluate(value.trim(), &mut gas).ok_or(at + 1)?);
        if name.is_empty() || value.is_null() || !names.insert(name.clone()) {
            return Err(at + 1);
        }
        out.push((name, value));
    }
    Ok(out)
}
