//! Decisions of the procedure module: facts in, an answer or a refusal out. Refusals are tried in order; the first is the answer.

use std::collections::{BTreeMap, BTreeSet};

use zhulian_execution::{Role, Roles};
use zhulian_procedure::{
    Process, Variables,
    model::{Kind, Node},
};
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
/// Organisations that tasks of one case may be transferred to.
pub(super) const PARTIES_MAX: usize = 32;
/// Most working days of a period.
const DAYS_MAX: u16 = 1_000;

/// What a procedure says of its cases beyond BPMN, in properties of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
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
    /// `right:MODULE.CALL` = offices: in whose names its cases may make which calls (B8).
    pub(super) rights: BTreeSet<(String, Uscc)>,
    /// `material:NAME` of the process: what a case must have before it can end well.
    pub(super) needed: Vec<String>,
    /// The same of its events: what a case must have to pass them, by the event's identifier.
    pub(super) gates: BTreeMap<String, Vec<String>>,
    /// Other packs whose procedures it calls.
    pub(super) calls: Vec<String>,
}

impl Settings {
    /// Reads the properties of a process; the error says which is wrong.
    pub(crate) fn of(process: &Process) -> Result<Self, String> {
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
        let office = |name: &str| offices.get(name).copied().or_else(|| Uscc::parse(name).ok());
        let supervisor = match get("supervisor") {
            None => None,
            Some(text) => Some(office(text).ok_or_else(|| wrong("supervisor"))?),
        };
        let mut rights = BTreeSet::new();
        for (key, value) in &process.properties {
            let Some(call) = key.strip_prefix("right:") else { continue };
            for name in value.split(',').map(str::trim) {
                rights.insert((call.to_owned(), office(name).ok_or_else(|| wrong(key))?));
            }
        }
        let named = |materials: &mut dyn Iterator<Item = (&str, &str)>| materials.map(|(name, _)| name.to_owned()).collect();
        let needed: Vec<String> =
            process.properties.keys().filter_map(|key| Some(key.strip_prefix("material:")?.to_owned())).collect();
        let events = process.nodes.iter().filter(|node| !node.is_activity());
        let gates = events.map(|node| (node.id.clone(), named(&mut node.materials())));
        let gates = gates.filter(|(_, materials): &(String, Vec<String>)| !materials.is_empty()).collect();
        let mut calls: Vec<String> = process.nodes.iter().filter_map(called_pack).collect();
        calls.sort();
        calls.dedup();
        let (promised, limit) = (days("limit:promised")?, days("limit:statutory")?);
        if limit > 0 && promised > limit {
            return Err(wrong("limit:promised"));
        }
        Ok(Self { promised, limit, calendar, pauses, offices, supervisor, rights, needed, gates, calls })
    }

    /// The organisation of a name: one of the procedure's offices, or a code.
    pub(super) fn office(&self, name: &str) -> Option<Uscc> {
        self.offices.get(name).copied().or_else(|| Uscc::parse(name).ok())
    }

    /// The organisation in whose name a task makes a call, if the procedure gives that right (B8).
    pub(super) fn right(&self, call: &str, office: &str) -> Result<Uscc, Error> {
        let organisation = self.office(office.trim()).ok_or(Error::RightNotGiven)?;
        if self.rights.contains(&(call.to_owned(), organisation)) { Ok(organisation) } else { Err(Error::RightNotGiven) }
    }
}

fn called_pack(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Call { procedure: Some(name) } => name.split_once('/').map(|(pack, _)| pack.to_owned()),
        _ => None,
    }
}

/// The organisations and roles that candidate groups name: `office`, or `office:role`; `None` when one is not known.
pub(super) fn holders(groups: &[String], settings: &Settings) -> Option<Vec<(Uscc, Role)>> {
    let holder = |group: &String| {
        let (name, role) = group.split_once(':').unwrap_or((group, Role::Officer.name()));
        Some((settings.office(name.trim())?, Role::parse(role.trim())?))
    };
    groups.iter().map(holder).collect()
}

/// Who acts.
pub(super) struct Hand<'a> {
    pub(super) organisation: Uscc,
    pub(super) member: &'a MemberId,
    pub(super) roles: Roles,
}

/// Whether the task is the actor's duty (B2). `settings` are those of the task's procedure; `late_to` is the supervisor, once the
/// statutory period is over.
pub(super) fn is_duty(hand: &Hand<'_>, groups: &[String], task: &Task, settings: &Settings, late_to: Option<Uscc>) -> bool {
    // What is late the supervisor may take over.
    if late_to == Some(hand.organisation) && hand.roles.has(Role::Officer) {
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
    late_to: Option<Uscc>,
    mended: bool,
) -> Result<(), Error> {
    if !is_duty(hand, groups, task, settings, late_to) {
        return Err(Error::NotDutyHolder);
    }
    if mended && takes_over(hand, task, late_to) {
        return Ok(());
    }
    match &task.claimed {
        Some((organisation, member)) if *organisation != hand.organisation || member != hand.member => {
            Err(Error::AlreadyClaimed)
        }
        _ => Ok(()),
    }
}

/// Whether the actor, as the supervisor of what is late, may act though a member of another organisation claimed the task.
pub(super) fn takes_over(hand: &Hand<'_>, task: &Task, late_to: Option<Uscc>) -> bool {
    let elsewhere = task.claimed.as_ref().is_some_and(|(organisation, _)| *organisation != hand.organisation);
    elsewhere && late_to == Some(hand.organisation) && hand.roles.has(Role::Officer)
}

/// Whether the actor gave the task its name.
pub(super) fn is_claimer(hand: &Hand<'_>, task: &Task) -> Result<(), Error> {
    match &task.claimed {
        Some((organisation, member)) if *organisation == hand.organisation && member == hand.member => Ok(()),
        _ => Err(Error::NotClaimer),
    }
}

/// Whether an organisation takes part in a case: it leads it, was given a task of it, or is an office of one of its procedures.
pub(super) fn is_party<'s>(
    organisation: Uscc,
    case: &Case,
    mut procedures: impl Iterator<Item = &'s Settings>,
) -> Result<(), Error> {
    let office = |settings: &Settings| {
        settings.supervisor == Some(organisation) || settings.offices.values().any(|office| *office == organisation)
    };
    let part = case.organisation == organisation || case.parties.contains(&organisation) || procedures.any(office);
    if part { Ok(()) } else { Err(Error::NotParty) }
}

/// Whether a task may go to an organisation beside those that were given tasks of the case.
pub(super) fn has_room(parties: &[Uscc], to: Uscc, mended: bool) -> bool {
    parties.len() < PARTIES_MAX || mended && parties.contains(&to)
}

/// Whether an override may be confirmed by the actor, who takes part in the case (B3).
pub(super) fn may_confirm(hand: &Hand<'_>, case: &Case, settings: &Settings) -> Result<(), Error> {
    let Some(pending) = &case.pending else { return Err(Error::NoOverride) };
    if pending.organisation == hand.organisation && pending.member == *hand.member {
        return Err(Error::SameSigner);
    }
    if settings.supervisor.is_some_and(|supervisor| supervisor != hand.organisation) {
        return Err(Error::NotSupervisor);
    }
    Ok(())
}

/// Whether values are declared, of their types, and without personal data (B6).
pub(super) fn values(values: &Variables, processes: &[&Process], mended: bool) -> Result<(), Error> {
    for (name, value) in values.iter() {
        let declared = processes.iter().flat_map(|process| process.variables()).find(|(known, _)| *known == name);
        let (_, ty) = declared.ok_or(Error::UnknownVariable)?;
        if !is_of(value, ty) {
            return Err(Error::WrongValue);
        }
        if ty != "commitment" {
            texts(value, mended)?;
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

/// Looks into every text of a value, and every number that is long enough for a citizen's or a bank card's.
fn texts(value: &Value, mended: bool) -> Result<(), Error> {
    match value {
        Value::String(text) => text_of(text),
        Value::Number(number) if mended && text::is_personal_number(&number.to_string()) => Err(Error::PersonalData),
        Value::List(list) => list.items().iter().try_for_each(|item| texts(item, mended)),
        Value::Context(context) => context.entries().iter().try_for_each(|(name, value)| {
            text_of(name)?;
            texts(value, mended)
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
