//! Reads for the gateway and for auditors.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhulian_execution::Read;
use zhulian_ledger::Key;
use zhulian_procedure::{Fault, Host, Instance, Process, Work, instance::Decided};
use zhulian_rules::{Name, Value, gas::Gas};

use super::{
    state,
    types::{Case, CaseId, Task, Totals},
};
use crate::{
    rulepack::{self, PackId},
    source::{Source, load},
};

/// A task that waits in a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskView {
    /// What the procedure says of it.
    pub work: Work,
    /// What is known beyond that.
    pub task: Task,
}

/// A case.
pub fn case(source: &impl Source, id: &CaseId) -> Option<Case> {
    load(source, &state::CASE, id)
}

/// Where a case stands in its procedure; `None` also where it cannot be read, which protocols before 3 could write.
pub fn instance(source: &impl Source, id: &CaseId) -> Option<Instance> {
    state::INSTANCE.decode(&source.value(&state::INSTANCE.key(id))?)
}

/// Cases from the `from`-th that was opened.
pub fn cases(source: &impl Source, from: u64, limit: usize) -> Vec<(CaseId, Case)> {
    let opened = totals(source).opened;
    let ids = (from..opened).take(limit).filter_map(|n| load(source, &state::CASE_AT, &n));
    ids.filter_map(|id| case(source, &id).map(|case| (id, case))).collect()
}

/// Counts over all cases.
pub fn totals(source: &impl Source) -> Totals {
    load(source, &state::TOTALS, &()).unwrap_or_default()
}

/// The processes that an instance runs, for reading.
pub(super) struct Reader(pub(super) BTreeMap<String, Arc<Process>>);

impl Host for Reader {
    fn current(&self, _: &str) -> Option<(String, Arc<Process>)> {
        None
    }

    fn process(&self, key: &str) -> Option<Arc<Process>> {
        self.0.get(key).cloned()
    }

    fn decide(&self, _: &str, _: &[(Name, Value)], _: &mut Gas) -> Result<Decided, Fault> {
        Err(Fault::NoDecision)
    }
}

/// The process of a key, from the pack that the state holds.
pub(super) fn process(source: &impl Source, key: &str) -> Option<Arc<Process>> {
    let (pack, rest) = key.split_once('@')?;
    let (version, process) = rest.split_once('/')?;
    let view = rulepack::version(source, &PackId::parse(pack).ok()?, version.parse().ok()?)?;
    let pack = rulepack::pack(source, &view.version.digest)?;
    pack.procedures().get(process).cloned()
}

fn reader(source: &impl Source, instance: &Instance) -> Reader {
    let keys = instance.procedures().iter();
    Reader(keys.filter_map(|key| Some((key.clone(), process(source, key)?))).collect())
}

/// The tasks that wait in a case, by number.
pub fn tasks(source: &impl Source, id: &CaseId) -> Vec<TaskView> {
    let (Some(case), Some(instance)) = (case(source, id), instance(source, id)) else { return Vec::new() };
    if case.closed.is_some() {
        return Vec::new();
    }
    let view = |work: Work| TaskView { task: case.tasks.get(&work.number).cloned().unwrap_or_default(), work };
    instance.work(&reader(source, &instance)).into_iter().map(view).collect()
}

/// The timers of a case: the event's identifier, and when it fires if the clock runs, in ms since 1970; the earliest first.
pub fn timers(source: &impl Source, id: &CaseId) -> Vec<(String, i64)> {
    let Some(instance) = instance(source, id) else { return Vec::new() };
    instance.timers(&reader(source, &instance))
}

/// State key of a case, for a proof.
pub fn case_state_key(id: &CaseId) -> Key {
    state::CASE.key(id)
}
