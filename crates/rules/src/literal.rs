//! Values as texts and back: every value has one canonical text, and only that text is read.

use crate::gas::Gas;
use crate::model::{Model, Profile};
use crate::value::{Name, Value};

/// Longest text that is read as a value, in bytes.
const TEXT_MAX: usize = 16 * 1024;
/// Gas for one value.
const VALUE_GAS: u64 = 100_000;

impl Value {
    /// Reads the canonical text of a value, as [`Value::to_canonical`] writes it: `12.5`, `"text"`, `@"2026-01-31"`,
    /// `[1, 2]`, `{"a": 1}`. Any other way to write the same value is refused, so that equal facts are equal bytes.
    pub fn from_canonical(text: &str) -> Option<Self> {
        let value = Self::from_feel(text)?;
        (value.to_canonical(&mut Gas::new(VALUE_GAS)).ok()? == text).then_some(value)
    }

    /// The value of a FEEL expression that needs no names, for example one a person typed.
    pub fn from_feel(text: &str) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let model = Model::expression(text, &[], Profile::Strict).ok()?;
        let outcome = model.decide_in_order(0, &[], VALUE_GAS).ok()?;
        outcome.faults.is_empty().then_some(outcome.value)
    }
}

/// Reads lines of `name = value`, as a pack of rates has them. Empty lines and lines that begin with `#` say nothing.
///
/// # Errors
/// The number of the first line, from 1, that is neither.
pub fn assignments(text: &str) -> Result<Vec<(Name, Value)>, usize> {
    let mut out: Vec<(Name, Value)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or(at + 1)?;
        let (name, value) = (Name::from(name.trim()), Value::from_feel(value.trim()).ok_or(at + 1)?);
        if name.is_empty() || value.is_null() || out.iter().any(|(earlier, _)| *earlier == name) {
            return Err(at + 1);
        }
        out.push((name, value));
    }
    Ok(out)
}
