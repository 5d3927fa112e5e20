//! A pack compiled: what a node decides with, and what anyone can decide with again offline.

use std::{collections::BTreeMap, sync::Arc};

use zhulian_crypto::{Digest, sha256};
use zhulian_primitives::Timestamp;
use zhulian_procedure::{
    Process, Refusal as ProcedureRefusal,
    check::{SOURCES, names},
};
use zhulian_rules::{
    Halt as RuleHalt, Model, Name, Outcome, Profile, Refusal, Undecided, Value,
    calendar::{Calendar, CalendarError},
    explain::Explanation,
    gas::Gas,
    literal::assignments,
    temporal::Date,
};

use super::types::{Item, ItemKind, Manifest};
use crate::procedure::{self, Settings};

/// Gas of one decision.
pub const DECISION_GAS: u64 = 100_000;
/// Ms between UTC and the statutory clock of mainland China.
const CHINA_MS: i128 = 8 * 3_600_000;
/// Most documents of a list.
const DOCUMENTS_MAX: usize = 200;

/// A required document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its code, for example `id-card`.
    pub code: String,
    /// Where it comes from, for example `licence` or `applicant`; what has no source cannot be required.
    pub source: String,
    /// Its name in Chinese.
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// Its legal basis, where it is not the pack's.
    pub statute: Option<String>,
}

/// Why a pack is not accepted, in detail. On the ledger it is one refusal; offline it says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// A file is not the one the manifest names.
    #[error("{0} is not the file that the manifest names")]
    OtherFile(String),
    /// A file is not text in UTF-8.
    #[error("{0} is not text in UTF-8")]
    NotText(String),
    /// The decisions are refused.
    #[error("the decisions are refused: {}", .0.iter().map(Refusal::en).collect::<Vec<_>>().join("; "))]
    Decisions(Vec<Refusal>),
    /// The calendar is out of form.
    #[error("{0}: {1}")]
    Calendar(String, CalendarError),
    /// A line of the rates is out of form.
    #[error("{0}: line {1} is not `name = value`, or names something twice")]
    Rates(String, usize),
    /// A rate is no input of the decisions, or not of its type.
    #[error("the rate {0} is no input of the decisions, or not of its type")]
    OtherRate(String),
    /// A line of the documents is out of form.
    #[error(
        "{0}: line {1} is not `code | source | 中文名 | English name | 依据`, names something twice, or has no known source"
    )]
    Documents(String, usize),
    /// A procedure is refused.
    #[error("{}: {}", .0, .1.iter().map(ProcedureRefusal::en).collect::<Vec<_>>().join("; "))]
    Procedure(String, Vec<ProcedureRefusal>),
    /// A procedure calls a decision or procedure that the pack does not have, or names an office or period that is none.
    #[error("{0}: {1}")]
    OtherProcedure(String, String),
}

/// A compiled pack.
#[derive(Debug)]
pub struct Pack {
    /// What it is.
    pub manifest: Manifest,
    /// SHA-256 of the manifest.
    pub digest: Digest,
    model: Model,
    rates: Vec<(Name, Value)>,
    calendar: Option<Calendar>,
    documents: Vec<Document>,
    procedures: BTreeMap<String, Arc<Process>>,
    settings: BTreeMap<String, Arc<Settings>>,
}

impl Pack {
    /// Compiles a pack from its manifest and its files in the manifest's order.
    ///
    /// # Errors
    /// What is not accepted (P2).
    pub fn compile(manifest: Manifest, files: &[Vec<u8>]) -> Result<Self, PackError> {
        let mut texts = Vec::new();
        for (i, item) in manifest.items.iter().enumerate() {
            let bytes = files.get(i).filter(|bytes| sha256(bytes) == item.sha256);
            let bytes = bytes.ok_or_else(|| PackError::OtherFile(item.name.clone()))?;
            texts.push((item, std::str::from_utf8(bytes).map_err(|_| PackError::NotText(item.name.clone()))?));
        }
        let of = |kind| texts.iter().filter(move |(item, _)| item.kind == kind).map(|(item, text)| (*item, *text));
        let sources: Vec<&str> = of(ItemKind::Decisions).map(|(_, text)| text).collect();
        let model = match sources.is_empty() {
            true => Model::default(),
            false => Model::compile(&sources, Profile::Strict).map_err(PackError::Decisions)?,
        };
        let mut rates = Vec::new();
        if let Some((item, text)) = of(ItemKind::Rates).next() {
            rates = assignments(text).map_err(|line| PackError::Rates(item.name.clone(), line))?;
        }
        for (name, value) in &rates {
            if model.accepts(name, value) != Some(true) {
                return Err(PackError::OtherRate(name.to_string()));
            }
        }
        let calendar = match of(ItemKind::Calendar).next() {
            Some((item, text)) => {
                Some(Calendar::parse(text).map_err(|error| PackError::Calendar(item.name.clone(), error))?)
            }
            None => None,
        };
        let documents = match of(ItemKind::Documents).next() {
            Some((item, text)) => documents(text).map_err(|line| PackError::Documents(item.name.clone(), line))?,
            None => Vec::new(),
        };
        let (mut procedures, mut settings) = (BTreeMap::new(), BTreeMap::new());
        for (item, text) in of(ItemKind::Procedure) {
            procedure::compile(&item.name, text, manifest.pack.as_str(), &mut procedures, &mut settings)?;
        }
        procedure::link(manifest.pack.as_str(), &procedures, &model)?;
        procedure::papers(&procedures, &documents)?;
        let digest = manifest.digest();
        Ok(Self { manifest, digest, model, rates, calendar, documents, procedures, settings })
    }

    /// Whether cases could keep what the pack gives them: no result has two members of one name, no variable a name that is too long.
    /// Apart from [`Pack::compile`], so that packs which were drafted before protocol 3 go on compiling.
    ///
    /// # Errors
    /// What a draft is refused for since then (P2).
    pub fn keepable(&self) -> Result<(), PackError> {
        let doubled = self.model.doubled();
        if !doubled.is_empty() {
            return Err(PackError::Decisions(doubled.to_vec()));
        }
        self.procedures
            .values()
            .try_for_each(|process| names(process).map_err(|refusals| PackError::Procedure(process.id.clone(), refusals)))
    }

    /// A pack of one decision file that nobody voted on, for simulations.
    ///
    /// # Errors
    /// What is not accepted.
    pub fn of_model(manifest: Manifest, model: &str) -> Result<Self, PackError> {
        let items = vec![Item::of(ItemKind::Decisions, "model.dmn", model.as_bytes())];
        Self::compile(Manifest { items, ..manifest }, &[model.as_bytes().to_vec()])
    }

    /// The decisions.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What the pack itself fixes.
    pub fn rates(&self) -> &[(Name, Value)] {
        &self.rates
    }

    /// What the pack itself fixes, in canonical FEEL.
    pub fn rate_texts(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.to_canonical(&mut Gas::new(DECISION_GAS)).unwrap_or_default();
        self.rates.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    /// The working days.
    pub fn calendar(&self) -> Option<&Calendar> {
        self.calendar.as_ref()
    }

    /// The procedures by identifier; what they call is named with the pack, `pack/procedure`.
    pub fn procedures(&self) -> &BTreeMap<String, Arc<Process>> {
        &self.procedures
    }

    /// What the procedures say beyond BPMN, by identifier.
    pub(crate) fn settings(&self) -> &BTreeMap<String, Arc<Settings>> {
        &self.settings
    }

    /// The required documents.
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Whether the pack itself fixes this input.
    pub fn fixes(&self, name: &str) -> bool {
        self.rates.iter().any(|(rate, _)| &**rate == name)
    }

    /// The facts with those rates that the decision needs. What the pack fixes is not taken from the facts.
    fn with_rates(&self, decision: &str, facts: &[(Name, Value)]) -> Vec<(Name, Value)> {
        let needed = |name: &str| self.model.required(decision).any(|(needed, _)| needed == name);
        let rates = self.rates.iter().filter(|(name, _)| needed(name));
        facts.iter().chain(rates).cloned().collect()
    }

    /// Decides (P6).
    ///
    /// # Errors
    /// Why nothing is decided.
    pub fn decide(&self, decision: &str, facts: &[(Name, Value)]) -> Result<Outcome, Undecided> {
        self.model.decide_surely(decision, &self.with_rates(decision, facts), DECISION_GAS)
    }

    /// Decides and explains. An explanation has gas of its own; the gas of the outcome is not the one of [`Pack::decide`].
    ///
    /// # Errors
    /// Out of gas, or no such decision.
    pub fn explain(&self, decision: &str, facts: &[(Name, Value)]) -> Result<(Outcome, Explanation), RuleHalt> {
        self.model.explain(decision, &self.with_rates(decision, facts), 100 * DECISION_GAS)
    }
}

/// Reads lines of `code | source | 中文名 | English name`, with ` | 依据` where a document's legal basis is not the pack's statute.
/// A source is one that materials of procedures may have, such as `applicant` or `exchange:tax`.
///
/// # Errors
/// The number of the first line, from 1, that is out of form.
pub fn documents(text: &str) -> Result<Vec<Document>, usize> {
    let mut out: Vec<Document> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ([code, source, zh, en, statute @ ..], true) = (&cells[..], cells.len() <= 5) else { return Err(at + 1) };
        let plain = cells.iter().all(|cell| crate::text::is_plain(cell, 200));
        let sourced = SOURCES.contains(&source.split(':').next().unwrap_or_default());
        if !plain || !sourced || out.len() >= DOCUMENTS_MAX || out.iter().any(|earlier| earlier.code == *code) {
            return Err(at + 1);
        }
        let [code, source, zh, en] = [code, source, zh, en].map(|cell| (*cell).to_owned());
        out.push(Document { code, source, zh, en, statute: statute.first().map(|basis| (*basis).to_owned()) });
    }
    Ok(out)
}

/// The calendar day in mainland China at a time.
pub fn day_of(time: Timestamp) -> Option<Date> {
    let days = (i128::from(time) + CHINA_MS).div_euclid(86_400_000);
    Date::from_days(i64::try_from(days).ok()?)
}
