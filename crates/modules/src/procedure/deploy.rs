//! What a pack's BPMN files must be before the pack can be voted on: sound, with an office for every task, a period in working
//! days, and nothing called that is not there.

use std::{collections::BTreeMap, sync::Arc};

use zhulian_procedure::{Definitions, Language, Process, check, model::Kind};
use zhulian_rules::Model;

use super::rules::{Settings, holders};
use crate::rulepack::PackError;

/// Most procedures of one pack: each is explored when it is drafted.
const PROCEDURES_MAX: usize = 8;

/// Checks a BPMN file and takes its procedures. What they call is named with the pack: `pack/procedure`, `pack/decision`.
pub(crate) fn compile(
    file: &str,
    text: &str,
    pack: &str,
    procedures: &mut BTreeMap<String, Arc<Process>>,
) -> Result<(), PackError> {
    let refused = |refusals| PackError::Procedure(file.to_owned(), refusals);
    let other = |detail: String| PackError::OtherProcedure(file.to_owned(), detail);
    for mut process in Definitions::parse(text).map_err(refused)?.processes {
        if procedures.len() >= PROCEDURES_MAX {
            return Err(other("more than 8 procedures".into()));
        }
        check(&process).map_err(refused)?;
        let settings = Settings::of(&process).map_err(&other)?;
        for node in &process.nodes {
            let Kind::Person(assignment) = &node.kind else { continue };
            for expression in [&assignment.groups, &assignment.assignee].into_iter().flatten() {
                let groups: Vec<String> = expression.text.split(',').map(|group| group.trim().to_owned()).collect();
                if expression.language == Language::Literal && holders(&groups, &settings).is_none() {
                    return Err(other(format!("{}: {}: no such office", node.id, expression.text)));
                }
            }
        }
        for node in &mut process.nodes {
            match &mut node.kind {
                Kind::Call { procedure: Some(name) } | Kind::Decision { decision: name, .. } if !name.contains('/') => {
                    *name = format!("{pack}/{name}");
                }
                _ => {}
            }
        }
        let id = process.id.clone();
        if procedures.insert(id.clone(), Arc::new(process)).is_some() {
            return Err(other(format!("{id}: twice")));
        }
    }
    Ok(())
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

/// What follows the pack's own name.
fn own<'n>(pack: &str, name: &'n str) -> Option<&'n str> {
    name.split_once('/').filter(|(of, _)| *of == pack).map(|(_, name)| name)
}
