//! Expressions of a process: FEEL, evaluated with gas over the variables in sight.

use crate::instance::Fault;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use zhulian_rules::types::Type;
use zhulian_rules::{Model, Name, Profile, Value, gas::Gas};

/// Longest expression, in bytes.
pub const TEXT_MAX: usize = 8 * 1024;

/// Compiled expressions by text and names in sight. Compiling is a pure function of these and is paid for whether or not it is
/// found here, so that a node that finds it and one that compiles decide alike.
static COMPILED: Mutex<BTreeMap<String, Arc<Model>>> = Mutex::new(BTreeMap::new());
/// Expressions kept compiled.
const COMPILED_MAX: usize = 512;

/// Compiles an expression over values of any type.
fn compiled(text: &str, names: &[&str]) -> Result<Arc<Model>, Fault> {
    // With their lengths, so that no two sets of names have one key.
    let mut key = String::with_capacity(text.len() + names.len() * 16);
    for part in std::iter::once(&text).chain(names) {
        let _ = write!(key, "{}:{part}", part.len());
    }
    if let Some(model) = COMPILED.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(model.clone());
    }
    let typed: Vec<(&str, Type)> = names.iter().map(|name| (*name, Type::Any)).collect();
    let model = Arc::new(Model::expression(text, &typed, Profile::Standard).map_err(|_| Fault::Expression)?);
    let mut all = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= COMPILED_MAX {
        all.clear();
    }
    all.insert(key, model.clone());
    Ok(model)
}

/// How an expression is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// FEEL: a leading `=`, or declared.
    Feel,
    /// A text that stands for itself.
    Literal,
    /// A condition in another language. It can be drawn and simulated, not deployed.
    Foreign,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// The text, without a leading `=`.
    pub text: String,
    /// Its language.
    pub language: Language,
}

impl Expression {
    /// A value: FEEL after `=`, a literal text otherwise.
    pub fn value(text: &str) -> Self {
        let text = text.trim();
        match text.strip_prefix('=') {
            Some(feel) => Self { text: feel.trim().into(), language: Language::Feel },
            None => Self { text: text.into(), language: Language::Literal },
        }
    }

    /// A condition: FEEL after `=` or in a file that declares FEEL, foreign otherwise.
    pub fn condition(text: &str, declared_feel: bool) -> Self {
        let value = Self::value(text);
        let language = if declared_feel || value.language == Language::Feel { Language::Feel } else { Language::Foreign };
        Self { language, ..value }
    }

    /// Evaluates it over variables.
    ///
    /// # Errors
    /// Out of gas; a name or operation that gives no value; a foreign language.
    pub fn evaluate(&self, variables: &[(Name, Value)], gas: &mut Gas) -> Result<Value, Fault> {
        match self.language {
            Language::Literal => Ok(Value::text(&self.text)),
            Language::Foreign => Err(Fault::Foreign),
            Language::Feel => {
                // Compiling reads every byte and every name once.
                gas.charge_items(self.text.len() + variables.len())?;
                let names: Vec<&str> = variables.iter().map(|(name, _)| &**name).collect();
                let model = compiled(&self.text, &names)?;
                let facts: Vec<Value> = variables.iter().map(|(_, value)| value.clone()).collect();
                let outcome = model.decide_in_order(0, &facts, gas.left())?;
                gas.charge(outcome.gas)?;
                // D4: a null that stands for an error does not decide.
                if outcome.value.is_null() && !outcome.faults.is_empty() {
                    return Err(Fault::Expression);
                }
                Ok(outcome.value)
            }
        }
    }
}
