//! A case while a call works on it: read, moved on, written.

use std::collections::BTreeMap;

use zhulian_crypto::sha256;
use zhulian_execution::{Context, Halt, Read};
use zhulian_ledger::Key;
use zhulian_primitives::Timestamp;
use zhulian_procedure::{
    Fault, Instance, Process, Report, Status, Variables, Work,
    instance::{Trace, What},
};

use super::{
    clock,
    errors::Error,
    events::{Alerted, CaseClosed, Progressed},
    host::{CaseHost, STEP_GAS},
    rules::{self, Hand},
    state,
    types::{Case, CaseId, Line, Outcome, Task},
};
use crate::identity::{Me, MemberId, Uscc};

/// State keys that every call of a case reads.
pub(super) fn reads(case: &CaseId) -> Vec<Key> {
    vec![state::CASE.key(case), state::INSTANCE.key(case)]
}

/// Block time as procedures count it.
pub(super) fn now(ctx: &Context<'_>) -> i64 {
    i64::try_from(ctx.block_time()).unwrap_or(i64::MAX)
}

pub(super) struct Desk {
    pub(super) id: CaseId,
    pub(super) case: Case,
    pub(super) instance: Instance,
    pub(super) host: CaseHost,
    pub(super) me: Me,
}

impl Desk {
    /// Reads a case that is not closed (B7).
    pub(super) fn read(ctx: &mut Context<'_>, id: CaseId) -> Result<Self, Halt> {
        ctx.want(&reads(&id))?;
        let case = state::CASE.get(ctx, &id)?.ok_or(Error::CaseNotFound)?;
        if case.closed.is_some() {
            return Err(Error::CaseIsClosed.into());
        }
        let instance = state::INSTANCE.get(ctx, &id)?.expect("a case has an instance");
        let host = CaseHost::load(ctx, &case.pack, case.version, &case.process, Some(&instance))?;
        Ok(Self { id, case, instance, host, me: Me::of(ctx) })
    }

    /// Reads a case and lets happen what was due (B5).
    pub(super) fn open(ctx: &mut Context<'_>, id: CaseId) -> Result<Self, Halt> {
        let mut desk = Self::read(ctx, id)?;
        desk.advance(ctx)?;
        if desk.case.closed.is_some() {
            return Err(Error::CaseIsClosed.into());
        }
        Ok(desk)
    }

    /// Fires what is due, and gives alerts; whether anything was.
    pub(super) fn advance(&mut self, ctx: &mut Context<'_>) -> Result<bool, Halt> {
        let alerts = self.alert(ctx);
        let due = self.instance.next_due().is_some_and(|at| at <= now(ctx));
        if due {
            let step = self.instance.tick(&self.host, now(ctx), STEP_GAS);
            self.step(ctx, step)?;
        }
        Ok(alerts || due)
    }

    fn alert(&mut self, ctx: &mut Context<'_>) -> bool {
        let alerts = clock::alerts(&mut self.case.clock, ctx.block_time());
        for alert in &alerts {
            ctx.emit(&Alerted { case: self.id, alert: *alert, supervisor: self.host.settings.supervisor });
        }
        !alerts.is_empty()
    }

    /// Takes a step of the procedure over: what happened goes on record, and an end closes the case.
    pub(super) fn step(&mut self, ctx: &mut Context<'_>, step: Result<(Instance, Report), Fault>) -> Result<(), Halt> {
        let (instance, report) = step.map_err(Error::from)?;
        let subject = sha256(self.id.to_string().as_bytes());
        self.host.record_decisions(ctx, &self.me, subject);
        self.instance = instance;
        let (instance, host) = (&self.instance, &self.host);
        self.case.tasks.retain(|number, _| instance.work_at(host, *number).is_some());
        let lines = report.trace.iter().map(|trace| self.line(trace)).collect();
        ctx.emit(&Progressed {
            case: self.id,
            organisation: self.me.organisation,
            member: self.me.member.clone(),
            lines,
            sent: report.sent,
        });
        match self.instance.status() {
            Status::Running => Ok(()),
            Status::Completed => {
                let named =
                    self.instance.variables().get("outcome").and_then(|value| value.as_text()).and_then(Outcome::parse);
                self.close(ctx, named.unwrap_or(Outcome::Done))
            }
            Status::Failed(_) => self.close(ctx, Outcome::Failed),
        }
    }

    fn line(&self, trace: &Trace) -> Line {
        let own = self.instance.procedures().first() == Some(&trace.procedure);
        let element = if own { trace.element.clone() } else { format!("{}#{}", trace.procedure, trace.element) };
        let number = if trace.what == What::Failed { 0 } else { trace.number };
        Line { what: trace.what, element, number }
    }

    /// Closes the case (B7).
    pub(super) fn close(&mut self, ctx: &mut Context<'_>, outcome: Outcome) -> Result<(), Halt> {
        let late = clock::is_late(&self.case.clock, ctx.block_time());
        let mut totals = state::TOTALS.get(ctx, &())?.unwrap_or_default();
        totals.closed += 1;
        totals.late += u64::from(late);
        state::TOTALS.put(ctx, &(), &totals);
        self.case.closed = Some((outcome, ctx.block_time()));
        self.case.tasks.clear();
        self.case.pending = None;
        ctx.emit(&CaseClosed { case: self.id, outcome, late, overrides: self.case.overrides });
        Ok(())
    }

    /// A task that waits, and what is known of it.
    pub(super) fn task(&self, number: u32) -> Result<(Work, Task), Error> {
        let work = self.instance.work_at(&self.host, number).ok_or(Error::TaskNotFound)?;
        Ok((work, self.case.tasks.get(&number).cloned().unwrap_or_default()))
    }

    /// Keeps what is known of a task.
    pub(super) fn put_task(&mut self, number: u32, task: Task) {
        if task == Task::default() {
            self.case.tasks.remove(&number);
        } else {
            self.case.tasks.insert(number, task);
        }
    }

    /// Who acts.
    pub(super) fn hand<'a>(&'a self, ctx: &Context<'_>) -> Hand<'a> {
        Hand { organisation: self.me.organisation, member: &self.me.member, roles: ctx.actor().roles }
    }

    /// A task that the actor may work on.
    pub(super) fn duty(&self, ctx: &Context<'_>, number: u32) -> Result<(Work, Task), Error> {
        let (work, task) = self.task(number)?;
        let late = self.late(ctx.block_time());
        rules::may_work(&self.hand(ctx), &work.groups, &task, &self.host.settings, late)?;
        Ok((work, task))
    }

    pub(super) fn late(&self, now: Timestamp) -> bool {
        clock::is_late(&self.case.clock, now)
    }

    /// Whose member acts, and who it is.
    pub(super) fn by(&self) -> (Uscc, MemberId) {
        (self.me.organisation, self.me.member.clone())
    }

    /// Whether values may be stated: declared by the case's procedure, or by that of the work they are results of.
    pub(super) fn stated(&self, values: &Variables, work: Option<&Work>) -> Result<(), Error> {
        let keys = self.instance.procedures().first().into_iter().chain(work.map(|work| &work.procedure));
        let processes: Vec<&Process> = keys.filter_map(|key| self.host.of(key)).map(|process| &**process).collect();
        rules::values(values, &processes)
    }

    /// Whether the materials that properties `material:NAME` ask for are there.
    pub(super) fn has_materials(&self, properties: &BTreeMap<String, String>) -> Result<(), Error> {
        let mut needed = properties.keys().filter_map(|key| key.strip_prefix("material:"));
        let there = |name: &str| self.case.materials.iter().any(|material| material.name == name);
        if needed.all(there) { Ok(()) } else { Err(Error::MaterialMissing) }
    }

    /// Whether the actor's organisation takes part.
    pub(super) fn party(&self) -> Result<(), Error> {
        rules::is_party(self.me.organisation, &self.case, &self.host.settings)
    }

    /// Writes the case back.
    pub(super) fn write(&self, ctx: &mut Context<'_>) {
        state::CASE.put(ctx, &self.id, &self.case);
        state::INSTANCE.put(ctx, &self.id, &self.instance);
    }
}
