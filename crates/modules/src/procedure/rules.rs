//! Decisions of the procedure module: facts in, an answer or a refusal out. Refusals are tried in order; the first is the answer.

use std::collections::BTreeMap;

use zhulian_execution::{Role, Roles};
use zhulian_procedure::{Process, Variables};
use zhulian_rules::Value;

use super::{
    errors::Error,
    types::{Case, PauseReason, Task},
};
use crate::{
    identity::{MemberId, Uscc},
    rulepack::PackId,
    text,
};

/// Bytes of the longest text among a case's values.
const TEXT_MAX: usize = 200;
/// Most working days of a period.
const DAYS_MAX: u16 = 1_000;

/// What a procedure says of its cases beyond BPMN, in properties of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// `limit:promised`: working days promised, 0 for none.
    pub(super) promised: u16,
    /// `limit:statutory`: working days that the law gives, 0 for none.
    pub(super) limit: u16,
    /// `calendar`: the pack of working days; the own pack's where there is none.
    pub(super) calendar: Option<PackId>,
    /// `pauses`: reasons for which the clock may stand still; correction, announcement and appraisal where nothing is said.
    pub(super) pauses: Vec<PauseReason>,
    /// `office:NAME`: organisations by the names that candidate groups use.
    pub(super) offices: BTreeMap<String, Uscc>,
    /// `supervisor`: who confirms overrides and takes over what is late.
    pub(super) supervisor: Option<Uscc>,
}

impl Settings {
    /// Reads the properties of a process; the error says which is wrong.
    pub(super) fn of(process: &Process) -> Result<Self, String> {
        let get = |key: &str| process.properties.get(key).map(|value| value.trim());
        let wrong = |key: &str| format!("{}: {key}: {}", process.id, get(key).unwrap_or_default());
        let days = |key: &str| match get(key) {
            None => Ok(0),
            Some(text) => text.parse::<u16>().ok().filter(|days| (1..=DAYS_MAX).contains(days)).ok_or_else(|| wrong(key)),
        };
        let calendar = get("calendar").map(|text| PackId::parse(text).map_err(|_| wrong("calendar"))).transpose()?;
        let pauses = match get("pauses") {
            None => vec![PauseReason::Correction, PauseReason::Announcement, PauseReason::Appraisal],
            Some(text) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                words.map(|word| PauseReason::parse(word).ok_or_else(|| wrong("pauses"))).collect::<Result<_, _>>()?
            }
        };
        let mut offices = BTreeMap::new();
        for (key, value) in &process.properties {
            if let Some(name) = key.strip_prefix("office:") {
                offices.insert(name.to_owned(), Uscc::parse(value.trim()).map_err(|_| wrong(key))?);
            }
        }
        let supervisor = match get("supervisor") {
            None => None,
            Some(text) => Some(office(text, &offices).ok_or_else(|| wrong("supervisor"))?),
        };
        let (promised, limit) = (days("limit:promised")?, days("limit:statutory")?);
        if limit > 0 && promised > limit {
            return Err(wrong("limit:promised"));
        }
        Ok(Self { promised, limit, calendar, pauses, offices, supervisor })
    }
}

fn office(name: &str, offices: &BTreeMap<String, Uscc>) -> Option<Uscc> {
    offices.get(name).copied().or_else(|| Uscc::parse(name).ok())
}

/// The organisations and roles that candidate groups name: `office`, or `office:role`; `None` when one is not known.
pub(super) fn holders(groups: &[String], settings: &Settings) -> Option<Vec<(Uscc, Role)>> {
    let holder = |group: &String| {
        let (name, role) = group.split_once(':').unwrap_or((group, Role::Officer.name()));
        Some((office(name.trim(), &settings.offices)?, Role::parse(role.trim())?))
    };
    groups.iter().map(holder).collect()
}

/// Who acts.
pub(super) struct Hand<'a> {
    pub(super) organisation: Uscc,
    pub(super) member: &'a MemberId,
    pub(super) roles: Roles,
}

/// Whether the task is the actor's duty (B2). `late` says that the statutory period is over.
pub(super) fn is_duty(hand: &Hand<'_>, groups: &[String], task: &Task, settings: &Settings, late: bool) -> bool {
    // What is late the supervisor may take over.
    if late && settings.supervisor == Some(hand.organisation) && hand.roles.has(Role::Officer) {
        return true;
    }
    if let Some(transferred) = task.transferred {
        return transferred == hand.organisation && hand.roles.has(Role::Officer);
    }
    let holders = holders(groups, settings).unwrap_or_default();
    holders.iter().any(|(organisation, role)| *organisation == hand.organisation && hand.roles.has(*role))
}

/// Whether the actor may work on the task now.
pub(super) fn may_work(
    hand: &Hand<'_>,
    groups: &[String],
    task: &Task,
    settings: &Settings,
    late: bool,
) -> Result<(), Error> {
    if !is_duty(hand, groups, task, settings, late) {
        return Err(Error::NotDutyHolder);
    }
    match &task.claimed {
        Some((organisation, member)) if *organisation != hand.organisation || member != hand.member => {
            Err(Error::AlreadyClaimed)
        }
        _ => Ok(()),
    }
}

/// Whether the actor gave the task its name.
pub(super) fn is_claimer(hand: &Hand<'_>, task: &Task) -> Result<(), Error> {
    match &task.claimed {
        Some((organisation, member)) if *organisation == hand.organisation && member == hand.member => Ok(()),
        _ => Err(Error::NotClaimer),
    }
}

/// Whether an organisation takes part in a case.
pub(super) fn is_party(organisation: Uscc, case: &Case, settings: &Settings) -> Result<(), Error> {
    let part = case.organisation == organisation
        || case.parties.contains(&organisation)
        || settings.supervisor == Some(organisation)
        || settings.offices.values().any(|office| *office == organisation);
    if part { Ok(()) } else { Err(Error::NotParty) }
}

/// Whether an override may be confirmed by the actor (B3).
pub(super) fn may_confirm(hand: &Hand<'_>, case: &Case, settings: &Settings) -> Result<(), Error> {
    let Some(pending) = &case.pending else { return Err(Error::NoOverride) };
    is_party(hand.organisation, case, settings)?;
    if pending.organisation == hand.organisation && pending.member == *hand.member {
        return Err(Error::SameSigner);
    }
    if settings.supervisor.is_some_and(|supervisor| supervisor != hand.organisation) {
        return Err(Error::NotSupervisor);
    }
    Ok(())
}

/// Whether values are declared, of their types, and without personal data (B6).
pub(super) fn values(values: &Variables, processes: &[&Process]) -> Result<(), Error> {
    for (name, value) in values.iter() {
        let declared = processes.iter().flat_map(|process| process.variables()).find(|(known, _)| *known == name);
        let (_, ty) = declared.ok_or(Error::UnknownVariable)?;
        if !is_of(value, ty) {
            return Err(Error::WrongValue);
        }
        if ty != "commitment" {
            texts(value)?;
        }
    }
    Ok(())
}

fn is_of(value: &Value, ty: &str) -> bool {
    match (ty, value) {
        // A null is said, where nothing is known.
        (_, Value::Null) | ("any", _) => true,
        ("commitment", Value::String(text)) => {
            text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        }
        (ty, value) => value.kind() == ty,
    }
}

/// Looks into every text of a value.
fn texts(value: &Value) -> Result<(), Error> {
    match value {
        Value::String(text) => text_of(text),
        Value::List(list) => list.items().iter().try_for_each(texts),
        Value::Context(context) => context.entries().iter().try_for_each(|(name, value)| {
            text_of(name)?;
            texts(value)
        }),
        _ => Ok(()),
    }
}

fn text_of(text: &str) -> Result<(), Error> {
    if !text.is_empty() && !text::is_plain(text, TEXT_MAX) {
        return Err(Error::WrongValue);
    }
    if text::is_personal(text) { Err(Error::PersonalData) } else { Ok(()) }
}
