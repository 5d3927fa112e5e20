//! A case while a call works on it: read, moved on, written.

use zhulian_execution::{Context, Halt, Read};
use zhulian_ledger::Key;
use zhulian_primitives::{Raw, Timestamp};
use zhulian_procedure::{
    Fault, Instance, Process, Report, Status, Variables, Work,
    instance::{Trace, What},
};

use super::{
    CASES_MENDED, clock,
    errors::Error,
    events::{Alerted, CallMade, CaseClosed, ClockSettled, Progressed},
    host::{CaseHost, STEP_GAS},
    rights::{self, CaseCall, Inputs},
    rules::{self, Hand},
    state,
    types::{Case, CaseId, Clock, Line, Outcome, Task, Waiting},
    views::duties,
};
use crate::{
    identity::{Me, MemberId, Uscc},
    refusal_text,
};

/// State keys that every call of a case reads.
pub(super) fn reads(case: &CaseId) -> Vec<Key> {
    vec![state::CASE.key(case), state::INSTANCE.key(case)]
}

/// Block time as procedures count it.
pub(super) fn now(ctx: &Context<'_>) -> i64 {
    millis(ctx.block_time())
}

/// A time as procedures count it.
pub(super) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

pub(super) struct Desk {
    pub(super) id: CaseId,
    pub(super) case: Case,
    pub(super) instance: Instance,
    pub(super) host: CaseHost,
    pub(super) me: Me,
    /// Whether this transaction made something that is numbered by it.
    pub(super) numbered: bool,
    /// Whether an end that was open is known by now.
    pub(super) settled: bool,
}

/// Gas of a call of another module.
const CALL_GAS: u64 = 20_000;

impl Desk {
    /// Reads a case that is not closed (B7).
    pub(super) fn read(ctx: &mut Context<'_>, id: CaseId) -> Result<Self, Halt> {
        let case = state::CASE.get(ctx, &id)?.ok_or(Error::CaseNotFound)?;
        if case.closed.is_some() {
            return Err(Error::CaseIsClosed.into());
        }
        // Before protocol 3 it could be written unreadable. The case stands still then; the node does not.
        let instance = state::INSTANCE.try_get(ctx, &id)?.expect("a case has an instance");
        let instance = instance.map_err(|_| Error::Unreadable)?;
        let mut host = CaseHost::load(ctx, &case.pack, case.version, &case.process, Some(&instance))?;
        host.paused = clock::paused_since(&case.clock);
        let mut desk = Self { id, case, instance, host, me: Me::of(ctx), numbered: false, settled: false };
        desk.settle(ctx);
        Ok(desk)
    }

    /// Reckons what ended beyond the calendar, as soon as there is one that goes further (B4).
    fn settle(&mut self, ctx: &mut Context<'_>) {
        let timers = self.instance.settle(&self.host);
        let clock = self.case.clock.is_open() && clock::settle(&mut self.case.clock, self.host.days());
        self.settled = timers || clock;
        if clock {
            let Clock { promised_due, limit_due, .. } = self.case.clock;
            ctx.emit(&ClockSettled { case: self.id, promised_due, limit_due, open: self.case.clock.is_open() });
        }
    }

    /// Reads a case and lets happen what was due (B5).
    pub(super) fn open(ctx: &mut Context<'_>, id: CaseId) -> Result<Self, Halt> {
        let mut desk = Self::read(ctx, id)?;
        desk.advance(ctx)?;
        if desk.case.closed.is_some() {
            return Err(Error::CaseIsClosed.into());
        }
        // B5: nobody acts before what is due has happened.
        if desk.host.mended && desk.instance.is_due(&desk.host, now(ctx)) {
            return Err(Error::StillDue.into());
        }
        Ok(desk)
    }

    /// Reads a case to which a material comes. Nothing due is fired first: it may be what needs the material.
    pub(super) fn receive(ctx: &mut Context<'_>, id: CaseId) -> Result<Self, Halt> {
        if ctx.protocol() >= CASES_MENDED { Self::read(ctx, id) } else { Self::open(ctx, id) }
    }

    /// Fires what is due, makes the calls that waited, and gives alerts; whether there was anything.
    pub(super) fn advance(&mut self, ctx: &mut Context<'_>) -> Result<bool, Halt> {
        let alerts = self.alert(ctx);
        let due = self.instance.is_due(&self.host, now(ctx));
        if due {
            let step = self.instance.tick(&self.host, now(ctx), STEP_GAS);
            self.step(ctx, step)?;
        } else if self.next_call().is_some() {
            self.step(ctx, Ok((self.instance.clone(), Report::default())))?;
            return Ok(true);
        }
        Ok(alerts || due || self.settled)
    }

    fn alert(&mut self, ctx: &mut Context<'_>) -> bool {
        let alerts = clock::alerts(&mut self.case.clock, self.host.days());
        for alert in &alerts {
            ctx.emit(&Alerted { case: self.id, alert: *alert, supervisor: self.host.settings.supervisor });
        }
        !alerts.is_empty()
    }

    /// Takes a step of the procedure over: what happened goes on record, and an end closes the case.
    pub(super) fn step(&mut self, ctx: &mut Context<'_>, step: Result<(Instance, Report), Fault>) -> Result<(), Halt> {
        let mut report = self.take(ctx, step)?;
        self.make_calls(ctx, &mut report)?;
        let (instance, host) = (&self.instance, &self.host);
        self.case.tasks.retain(|number, _| instance.glance(host, *number, |_| ()).is_some());
        for trace in report.trace.iter().filter(|trace| trace.what == What::Entered && trace.number == 0) {
            let gate = self.host.settings_of(&trace.procedure).and_then(|settings| settings.gates.get(&trace.element));
            self.has_materials(gate.into_iter().flatten().map(String::as_str))?;
        }
        let lines = report.trace.iter().map(|trace| self.line(trace)).collect();
        let came = report.trace.iter().filter(|trace| trace.what == What::Entered && trace.number > 0);
        let waiting = came.filter_map(|trace| self.waiting(trace.number)).collect();
        let (organisation, member) = self.by();
        ctx.emit(&Progressed { case: self.id, organisation, member, lines, sent: report.sent, waiting });
        match self.instance.status() {
            Status::Running => Ok(()),
            Status::Completed => {
                let named =
                    self.instance.variables().get("outcome").and_then(|value| value.as_text()).and_then(Outcome::parse);
                let outcome = named.unwrap_or(Outcome::Done);
                if matches!(outcome, Outcome::Granted | Outcome::Done) {
                    self.has_materials(self.host.settings.needed.iter().map(String::as_str))?;
                }
                self.close(ctx, outcome)
            }
            Status::Failed(_) => self.close(ctx, Outcome::Failed),
        }
    }

    /// Takes the next instance over, and puts its decisions on record.
    fn take(&mut self, ctx: &mut Context<'_>, step: Result<(Instance, Report), Fault>) -> Result<Report, Halt> {
        let (instance, report) = step.map_err(|fault| self.host.refusal(fault))?;
        self.instance = instance;
        self.host.record_decisions(ctx, &self.me, self.id);
        Ok(report)
    }

    /// The next task that is a call of another module.
    fn next_call(&self) -> Option<(Work, &'static CaseCall)> {
        if !self.host.has_rights() {
            return None;
        }
        self.instance.numbers().find_map(|number| {
            let call = self.instance.glance(&self.host, number, |work| CaseCall::find(work.job?))??;
            Some((self.instance.work_at(&self.host, number)?, call))
        })
    }

    /// A task that came, if it waits for somebody. What the case itself does is nobody's work.
    fn waiting(&self, task: u32) -> Option<Waiting> {
        self.instance.glance(&self.host, task, |work| {
            let own = work.job.is_some_and(|job| CaseCall::find(job).is_some());
            let settings = self.host.settings_of(work.procedure).filter(|_| !own)?;
            Some(Waiting { task, duties: duties(work.groups, &Task::default(), settings, None) })
        })?
    }

    /// Makes the calls of other modules that the case has come to (B8), each followed by what it leads to. One that is refused goes
    /// the way that the procedure has for its code; where there is none, the whole step is refused.
    fn make_calls(&mut self, ctx: &mut Context<'_>, report: &mut Report) -> Result<(), Halt> {
        while *self.instance.status() == Status::Running {
            let Some((work, call)) = self.next_call() else { return Ok(()) };
            // Two of a kind cannot have one number: the second waits for the next call of the case.
            if call.numbered && self.numbered {
                return Ok(());
            }
            // What the gas does not reach for waits, too.
            if self.host.mended && report.gas > STEP_GAS / 2 {
                return Ok(());
            }
            self.has_materials(work.properties.keys().filter_map(|key| key.strip_prefix("material:")))?;
            let settings = self.host.settings_of(&work.procedure).ok_or(Error::ProcedureNotFound)?;
            let office = work.properties.get("organisation").ok_or(Error::RightNotGiven)?;
            let organisation = settings.right(&call.name(), office)?;
            let args = call.args(&Inputs { values: &work.variables, settings });
            let outcome = match &args {
                Ok(args) => call.make(ctx, organisation, args),
                Err(unfit) => Err((*unfit).into()),
            };
            let left = STEP_GAS.checked_sub(report.gas + CALL_GAS).ok_or(Error::TooCostly)?;
            let (step, refusal) = match outcome {
                Ok(outcome) => {
                    self.numbered |= call.numbered;
                    let results = rights::results(work.result_variable.as_deref(), &outcome);
                    (self.instance.complete(&self.host, work.number, &results, now(ctx), left), None)
                }
                Err(Halt::Refused(code)) => {
                    let slug = refusal_text(&code).map(|text| text.slug).unwrap_or_default();
                    if !self.instance.catches(&self.host, work.number, &slug) {
                        return Err(Halt::Refused(code));
                    }
                    let step = self.instance.fail(&self.host, work.number, &slug, &Variables::default(), now(ctx), left);
                    (step, Some((code.module, code.number)))
                }
                Err(Halt::Missing) => return Err(Halt::Missing),
            };
            ctx.emit(&CallMade {
                case: self.id,
                task: work.number,
                element: self.element(&work.procedure, &work.element),
                organisation,
                module: call.module.name.into(),
                call: call.call.name.into(),
                args: args.ok().map(Raw),
                refusal,
            });
            let after = self.take(ctx, step)?;
            report.gas += CALL_GAS + after.gas;
            report.trace.extend(after.trace);
            report.sent.extend(after.sent);
        }
        Ok(())
    }

    /// An element's identifier, with its procedure when that is not the case's own.
    fn element(&self, procedure: &str, element: &str) -> String {
        let own = self.instance.procedures().first().is_some_and(|first| first == procedure);
        if own { element.to_owned() } else { format!("{procedure}#{element}") }
    }

    fn line(&self, trace: &Trace) -> Line {
        let element = self.element(&trace.procedure, &trace.element);
        let number = if trace.what == What::Failed { 0 } else { trace.number };
        Line { what: trace.what, element, number }
    }

    /// Closes the case (B7).
    pub(super) fn close(&mut self, ctx: &mut Context<'_>, outcome: Outcome) -> Result<(), Halt> {
        let late = clock::is_late(&self.case.clock, ctx.block_time(), self.host.mended);
        let mut totals = state::TOTALS.get(ctx, &())?.unwrap_or_default();
        totals.closed += 1;
        totals.late += u64::from(late);
        state::TOTALS.put(ctx, &(), &totals);
        self.case.closed = Some((outcome, ctx.block_time()));
        self.case.late = self.host.mended.then_some(late);
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
        // What the case itself does is nobody's work.
        let own = work.job.as_deref().is_some_and(|job| CaseCall::find(job).is_some());
        let settings = self.host.settings_of(&work.procedure).filter(|_| !own).ok_or(Error::NotDutyHolder)?;
        rules::may_work(&self.hand(ctx), &work.groups, &task, settings, self.late_to(ctx), self.host.mended)?;
        Ok((work, task))
    }

    /// The supervisor, once the statutory period is over.
    fn late_to(&self, ctx: &Context<'_>) -> Option<Uscc> {
        let late = clock::is_late(&self.case.clock, ctx.block_time(), self.host.mended);
        self.host.settings.supervisor.filter(|_| late)
    }

    /// Whether the actor takes a late task over from another organisation that claimed it.
    pub(super) fn takes_over(&self, ctx: &Context<'_>, task: &Task) -> bool {
        self.host.mended && rules::takes_over(&self.hand(ctx), task, self.late_to(ctx))
    }

    /// Whose member acts, and who it is.
    pub(super) fn by(&self) -> (Uscc, MemberId) {
        (self.me.organisation, self.me.member.clone())
    }

    /// Whether values may be stated: declared by the case's procedure, or by that of the work they are results of.
    pub(super) fn stated(&self, values: &Variables, work: Option<&Work>) -> Result<(), Error> {
        let keys = self.instance.procedures().first().into_iter().chain(work.map(|work| &work.procedure));
        let processes: Vec<&Process> = keys.filter_map(|key| self.host.of(key)).map(|process| &**process).collect();
        rules::values(values, &processes, self.host.mended)
    }

    /// Whether materials are there.
    pub(super) fn has_materials<'n>(&self, mut needed: impl Iterator<Item = &'n str>) -> Result<(), Error> {
        let there = |name: &str| self.case.materials.iter().any(|material| material.name == name);
        if needed.all(there) { Ok(()) } else { Err(Error::MaterialMissing) }
    }

    /// Whether the actor's organisation takes part.
    pub(super) fn party(&self) -> Result<(), Error> {
        let procedures = self.instance.procedures().iter().filter_map(|key| self.host.settings_of(key));
        rules::is_party(self.me.organisation, &self.case, procedures)
    }

    /// Writes the case back: only what can be read again, or nobody could go on with it.
    pub(super) fn write(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let entry = state::INSTANCE.entry(&self.id, &self.instance);
        if self.host.mended && state::INSTANCE.decode(&entry.1).is_none() {
            return Err(Error::Unreadable.into());
        }
        state::CASE.put(ctx, &self.id, &self.case);
        ctx.set(entry);
        Ok(())
    }
}
