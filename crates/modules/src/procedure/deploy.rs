//! What a pack's BPMN files must be before the pack can be voted on: sound, with an office for every task, periods in working days,
//! rights for what its cases do in other modules and no others, the materials of the pack's list and no others, and nothing called
//! that is not there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use zhulian_execution::RefusalEntry;
use zhulian_procedure::{
    Definitions, Language, Process, check,
    model::{Kind, Trigger},
};
use zhulian_rules::Model;

use super::{
    errors::Error,
    rights::CaseCall,
    rules::{Settings, holders},
};
use crate::rulepack::{Document, PackError};

/// Most procedures of one pack: each is explored when it is drafted.
const PROCEDURES_MAX: usize = 8;

/// Checks a BPMN file and takes its procedures. What they call is named with the pack: `pack/procedure`, `pack/decision`.
pub(crate) fn compile(
    file: &str,
    text: &str,
    pack: &str,
    procedures: &mut BTreeMap<String, Arc<Process>>,
    settings: &mut BTreeMap<String, Arc<Settings>>,
) -> Result<(), PackError> {
    let refused = |refusals| PackError::Procedure(file.to_owned(), refusals);
    let other = |detail: String| PackError::OtherProcedure(file.to_owned(), detail);
    for mut process in Definitions::parse(text).map_err(refused)?.processes {
        if procedures.len() >= PROCEDURES_MAX {
            return Err(other("more than 8 procedures".into()));
        }
        check(&process).map_err(refused)?;
        for node in &mut process.nodes {
            match &mut node.kind {
                Kind::Call { procedure: Some(name) } | Kind::Decision { decision: name, .. } if !name.contains('/') => {
                    *name = format!("{pack}/{name}");
                }
                _ => {}
            }
        }
        let mut own = Settings::of(&process).map_err(&other)?;
        own.calls.retain(|called| called != pack);
        duties(&process, &own).map_err(&other)?;
        calls(&process, &own).map_err(&other)?;
        let id = process.id.clone();
        settings.insert(id.clone(), Arc::new(own));
        if procedures.insert(id.clone(), Arc::new(process)).is_some() {
            return Err(other(format!("{id}: twice")));
        }
    }
    Ok(())
}

/// Whether every task of persons and systems has an office that is known.
fn duties(process: &Process, settings: &Settings) -> Result<(), String> {
    let known = |text: &str| {
        let groups: Vec<String> = text.split(',').map(|group| group.trim().to_owned()).collect();
        holders(&groups, settings).is_some()
    };
    for node in &process.nodes {
        match &node.kind {
            Kind::Person(assignment) => {
                for expression in [&assignment.groups, &assignment.assignee].into_iter().flatten() {
                    if expression.language == Language::Literal && !known(&expression.text) {
                        return Err(format!("{}: {}: no such office", node.id, expression.text));
                    }
                }
            }
            Kind::Service { .. } => {
                let office = node.properties.get("organisation").or_else(|| node.headers.get("organisation"));
                if !office.is_some_and(|office| known(office)) {
                    let office = office.map_or("", String::as_str);
                    return Err(format!("{}: organisation: {office}: no such office", node.id));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether calls of other modules are those that cases may make, with their inputs, and by rights that are given; and whether no
/// right is given that no task needs (B8).
fn calls(process: &Process, settings: &Settings) -> Result<(), String> {
    let mut used = BTreeSet::new();
    for (id, node) in process.numbered() {
        let Kind::Service { job } = &node.kind else { continue };
        let Some(call) = CaseCall::find(job) else {
            if CaseCall::is_named(job) {
                return Err(format!("{}: {job}: a case may not make this call", node.id));
            }
            continue;
        };
        let given = |name: &str| node.inputs.iter().any(|mapping| mapping.target == name);
        if let Some(missing) = call.required.iter().find(|name| !given(name)) {
            return Err(format!("{}: {job}: the input {missing} is missing", node.id));
        }
        if let Some(extra) = node.inputs.iter().find(|mapping| !call.takes(&mapping.target)) {
            return Err(format!("{}: {job}: takes no input {}", node.id, extra.target));
        }
        let office = node.properties.get("organisation").map_or("", String::as_str);
        let organisation = settings
            .right(job, office)
            .map_err(|_| format!("{}: the process does not give the right:{job} to {office}", node.id))?;
        used.insert((job.clone(), organisation));
        // An error that can never come is a way that was meant for another one.
        for event in process.nodes.iter().filter(|event| matches!(event.kind, Kind::Boundary { host, .. } if host == id)) {
            let Kind::Boundary { trigger: Trigger::Error(Some(code)), .. } = &event.kind else { continue };
            if !is_refusal(call, code) {
                return Err(format!("{}: {code} is no refusal of {job}", event.id));
            }
        }
    }
    match settings.rights.iter().find(|right| !used.contains(*right)) {
        Some((call, organisation)) => Err(format!("right:{call} of {organisation} is used by no task")),
        None => Ok(()),
    }
}

/// Whether a code is one that a call may be refused with: its module's, or one of what surrounds it.
fn is_refusal(call: &CaseCall, code: &str) -> bool {
    let of = |entries: &[RefusalEntry], module: &str| entries.iter().any(|entry| entry.slug(module) == code);
    of(call.module.refusals, call.module.name) || of(Error::ALL, "procedure")
}

/// Checks that what the procedures of a pack call in it is there.
pub(crate) fn link(pack: &str, procedures: &BTreeMap<String, Arc<Process>>, model: &Model) -> Result<(), PackError> {
    for (id, process) in procedures {
        for node in &process.nodes {
            let (name, there) = match &node.kind {
                Kind::Call { procedure: Some(name) } => {
                    (name, own(pack, name).is_none_or(|name| procedures.contains_key(name)))
                }
                Kind::Decision { decision, .. } => {
                    (decision, own(pack, decision).is_some_and(|name| model.decision_index(name).is_some()))
                }
                _ => continue,
            };
            if !there {
                return Err(PackError::OtherProcedure(id.clone(), format!("{}: {name} is not there", node.id)));
            }
        }
    }
    Ok(())
}

/// Checks that the materials which procedures ask for are those of the pack's list, from the same source: nothing is asked for that
/// the list with its legal basis does not have. A pack without a list has only what is drawn.
pub(crate) fn papers(procedures: &BTreeMap<String, Arc<Process>>, documents: &[Document]) -> Result<(), PackError> {
    for (id, process) in procedures.iter().filter(|_| !documents.is_empty()) {
        for (name, source) in process.materials() {
            let other = |detail: String| Err(PackError::OtherProcedure(id.clone(), detail));
            match documents.iter().find(|document| document.code == name) {
                None => return other(format!("material:{name} is not in the pack's list of documents")),
                Some(listed) if listed.source != source => {
                    return other(format!(
                        "material:{name} comes from {source} here and from {} in the list",
                        listed.source
                    ));
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

/// What follows the pack's own name.
fn own<'n>(pack: &str, name: &'n str) -> Option<&'n str> {
    name.split_once('/').filter(|(of, _)| *of == pack).map(|(_, name)| name)
}
