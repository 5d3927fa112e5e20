//! A case as people look at it: what waits in it, and whose duty that is. For the gateway and the index; nothing here decides.

use std::{collections::BTreeMap, sync::Arc};

use zhulian_execution::Role;
use zhulian_primitives::{Event as Record, Protocol, Timestamp};
use zhulian_procedure::{Instance, Process};
use zhulian_rules::gas::Gas;

use super::{
    CASES_MENDED, clock,
    queries::{Reader, TaskView, case, instance, process},
    rights::CaseCall,
    rules::{Settings, holders},
    types::{Case, CaseId, Duty, Task},
};
use crate::{identity::Uscc, source::Source};

/// A task that waits, and whose duty it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTask {
    /// The task.
    pub view: TaskView,
    /// Who may work on it now; empty for the work of a system that no organisation is named for.
    pub duties: Vec<Duty>,
}

/// A case with where it stands.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The case.
    pub case: Case,
    /// Where it stands in its procedure.
    pub instance: Instance,
    /// The process it runs by.
    pub process: Option<Arc<Process>>,
    /// The tasks that wait, by number.
    pub tasks: Vec<OpenTask>,
    /// Messages that it waits for.
    pub awaited: Vec<String>,
    /// Whether its statutory period is over, or was when it was closed.
    pub late: bool,
}

/// Gas for writing one value down; a stored value is small.
const SHOW_GAS: u64 = 1_000_000;

impl Detail {
    /// Its values by name, in canonical FEEL.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let variables = self.instance.variables().iter();
        let shown =
            variables.map(|(name, value)| Some((name.to_owned(), value.to_canonical(&mut Gas::new(SHOW_GAS)).ok()?)));
        shown.flatten().collect()
    }
}

impl Case {
    /// Whether its clock stands still.
    pub fn is_paused(&self) -> bool {
        self.closed.is_none() && clock::paused_since(&self.clock).is_some()
    }

    /// Whether its statutory period was over at `now` by the rules of the protocol in force, or when it was closed, by those of then.
    pub fn is_late(&self, now: Timestamp, protocol: Protocol) -> bool {
        match self.closed {
            None => clock::is_late(&self.clock, now, protocol >= CASES_MENDED),
            Some((_, at)) => self.late.unwrap_or_else(|| clock::is_late(&self.clock, at, false)),
        }
    }
}

impl CaseId {
    /// The case's place among all: day of opening, then number of that day. The number's digits, `20260105000042`.
    pub fn ordinal(self) -> u64 {
        self.to_string().bytes().filter(u8::is_ascii_digit).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
    }

    /// The case at that place.
    pub fn of_ordinal(ordinal: u64) -> Option<Self> {
        Self::parse(&format!("BJ{:08}-{:06}", ordinal / 1_000_000, ordinal % 1_000_000)).ok()
    }
}

/// The case that an event of this module is about: the first field of each.
pub fn case_of(record: &Record) -> Option<CaseId> {
    #[derive(minicbor::Decode)]
    #[cbor(map)]
    struct About {
        #[n(0)]
        case: CaseId,
    }
    let about = (record.module == super::MODULE.name).then(|| minicbor::decode::<About>(&record.data.0).ok());
    about.flatten().map(|about| about.case)
}

/// A case with where it stands at `now`, by the protocol in force; `None` also for one that cannot be read, which protocols before 3
/// could write.
pub fn detail(source: &impl Source, id: &CaseId, now: Timestamp, protocol: Protocol) -> Option<Detail> {
    let (case, instance) = (case(source, id)?, instance(source, id)?);
    let keys = instance.procedures().iter();
    let processes: BTreeMap<String, Arc<Process>> =
        keys.filter_map(|key| Some((key.clone(), process(source, key)?))).collect();
    let own = instance.procedures().first().and_then(|key| processes.get(key)).cloned();
    let settings: BTreeMap<String, Settings> =
        processes.iter().filter_map(|(key, process)| Some((key.clone(), Settings::of(process).ok()?))).collect();
    let late = case.is_late(now, protocol);
    // What is late the supervisor of the case may take over.
    let late_to = instance.procedures().first().and_then(|key| settings.get(key)).and_then(|settings| settings.supervisor);
    let late_to = late_to.filter(|_| late);
    let reader = Reader(processes);
    let (mut tasks, mut awaited) = (Vec::new(), Vec::new());
    if case.closed.is_none() {
        awaited = instance.awaited(&reader);
        for work in instance.work(&reader) {
            let task = case.tasks.get(&work.number).cloned().unwrap_or_default();
            // What the case itself does is nobody's work.
            let own = work.job.as_deref().is_some_and(|job| CaseCall::find(job).is_some());
            let duties = settings.get(&work.procedure).filter(|_| !own).map(|of| duties(&work.groups, &task, of, late_to));
            tasks.push(OpenTask { duties: duties.unwrap_or_default(), view: TaskView { work, task } });
        }
    }
    Some(Detail { case, instance, process: own, tasks, awaited, late })
}

/// Whose duty a task is, as [`super::rules::is_duty`] answers it for one member.
pub(super) fn duties(groups: &[String], task: &Task, settings: &Settings, late_to: Option<Uscc>) -> Vec<Duty> {
    let of = |organisation| Duty { organisation, role: Role::Officer };
    let mut all: Vec<Duty> = match task.transferred {
        Some(to) => vec![of(to)],
        None => {
            let holders = holders(groups, settings).unwrap_or_default();
            holders.into_iter().map(|(organisation, role)| Duty { organisation, role }).collect()
        }
    };
    all.extend(late_to.map(of));
    all.sort_unstable();
    all.dedup();
    all
}
