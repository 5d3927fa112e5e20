//! Calls of the procedure module: check, read, decide, write, emit.

use minicbor::{Decode, Encode};
use zhulian_crypto::Digest;
use zhulian_execution::{Allowed, Call, Context, Halt, Read, Role, Text};
use zhulian_ledger::Key;
use zhulian_procedure::{Instance, Variables};

use super::{
    clock,
    desk::{Desk, now, reads},
    errors::Error,
    events::{
        CaseOpened, CaseRated, ClockPaused, ClockResumed, MaterialSubmitted, TaskClaimed, TaskReturned, TaskTransferred,
    },
    host::{CaseHost, STEP_GAS},
    rules, state,
    types::{Case, CaseId, Channel, Material, NAME_MAX, PauseReason, Task},
};
use crate::{
    identity::{self, Me, Uscc},
    rulepack::{self, PackId, day_of},
    text,
};

/// Members that work on cases: officers, and judges where a procedure says so.
const HANDS: Allowed = Allowed::AnyOf(&[Role::Officer, Role::Judge]);
/// Materials of one case.
const MATERIALS_MAX: usize = 200;
/// Organisations that tasks of one case may be transferred to.
const PARTIES_MAX: usize = 32;

fn name(text: &str) -> Result<(), Halt> {
    if !text::is_plain(text, NAME_MAX) {
        return Err(Error::MalformedText.into());
    }
    if text::is_personal(text) { Err(Error::PersonalData.into()) } else { Ok(()) }
}

/// Opens a case.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Open {
    /// The pack.
    #[n(0)]
    pub pack: PackId,
    /// The process in the pack.
    #[n(1)]
    pub process: String,
    /// Salted commitment to the applicant.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub applicant: Digest,
    /// How the application came in.
    #[n(3)]
    pub channel: Channel,
    /// The facts that the procedure needs, private ones as commitments.
    #[n(4)]
    pub variables: Variables,
    /// The message by which it starts, when it does not start by itself.
    #[n(5)]
    pub message: Option<String>,
}

impl Call for Open {
    const NAME: &'static str = "open";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text {
        en: "Opens a case of a procedure in force, for an applicant known by a commitment; it gets its number and its clock starts.",
        zh: "依现行流程立案(申请人以承诺表示),分配办件编号并开始计时。",
    };
    const CDDL: &'static str = "{ 0: pack_id, 1: tstr, 2: digest, 3: case_channel, 4: case_variables, ? 5: tstr }   ; pack, process, applicant, channel, facts, message";

    fn check(&self) -> Result<(), Halt> {
        name(&self.process)?;
        self.message.as_deref().map_or(Ok(()), name)
    }

    fn reads(&self) -> Vec<Key> {
        vec![state::TOTALS.key(&())]
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let time = ctx.block_time();
        let version = rulepack::in_force(ctx, &self.pack, time)?.ok_or(Error::ProcedureNotFound)?;
        let host = CaseHost::load(ctx, &self.pack, version, &self.process, None)?;
        let procedure = format!("{}/{}", self.pack, self.process);
        let process = host.pack.procedures().get(&self.process).cloned().ok_or(Error::ProcedureNotFound)?;
        rules::values(&self.variables, &[&process])?;
        let clock = clock::start(&host.settings, host.calendar(), time)?;
        let day = day_of(time).ok_or(Error::NoCalendar)?;
        let stamp = CaseId::new(day.year(), day.month(), day.day(), 1).ok_or(Error::TooLarge)?.day();
        let number = state::DAY.get(ctx, &stamp)?.unwrap_or(0) + 1;
        let id = CaseId::new(day.year(), day.month(), day.day(), number).ok_or(Error::TooLarge)?;
        let mut totals = state::TOTALS.get(ctx, &())?.unwrap_or_default();

        let step = Instance::start(&host, &procedure, self.message.as_deref(), &self.variables, now(ctx), STEP_GAS);
        let (instance, report) = step.map_err(Error::from)?;
        let case = Case {
            pack: self.pack.clone(),
            version,
            process: self.process.clone(),
            organisation: me.organisation,
            member: me.member.clone(),
            applicant: self.applicant,
            channel: self.channel,
            height: ctx.height(),
            clock,
            materials: Vec::new(),
            tasks: Default::default(),
            overrides: 0,
            pending: None,
            closed: None,
            rating: None,
            parties: Vec::new(),
        };
        state::DAY.put(ctx, &stamp, &number);
        state::CASE_AT.put(ctx, &totals.opened, &id);
        totals.opened += 1;
        state::TOTALS.put(ctx, &(), &totals);
        ctx.emit(&CaseOpened {
            case: id,
            pack: self.pack.clone(),
            version,
            process: self.process.clone(),
            organisation: me.organisation,
            member: me.member.clone(),
            applicant: self.applicant,
            promised_due: case.clock.promised_due,
            limit_due: case.clock.limit_due,
        });
        let mut desk = Desk { id, case, instance: instance.clone(), host, me };
        desk.step(ctx, Ok((instance, report)))?;
        desk.write(ctx);
        Ok(())
    }
}

/// Takes a task on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Claim {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The task's number in the case.
    #[n(1)]
    pub task: u32,
}

impl Call for Claim {
    const NAME: &'static str = "claim";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text { en: "Takes a task of one's organisation on.", zh: "认领本机构的待办任务。" };
    const CDDL: &'static str = "{ 0: case_id, 1: uint }   ; case, task";

    fn reads(&self) -> Vec<Key> {
        reads(&self.case)
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let mut desk = Desk::open(ctx, self.case)?;
        let (_, task) = desk.duty(ctx, self.task)?;
        if task.claimed.is_some() {
            return Err(Error::AlreadyClaimed.into());
        }
        let claimed = Some((desk.me.organisation, desk.me.member.clone()));
        desk.put_task(self.task, Task { claimed, ..task });
        let (organisation, member) = (desk.me.organisation, desk.me.member.clone());
        ctx.emit(&TaskClaimed { case: self.case, task: self.task, organisation, member });
        desk.write(ctx);
        Ok(())
    }
}

/// Does a task.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Complete {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The task's number in the case.
    #[n(1)]
    pub task: u32,
    /// Its results, private ones as commitments.
    #[n(2)]
    pub results: Variables,
    /// The error code, when it ends in an error that the procedure knows.
    #[n(3)]
    pub error: Option<String>,
}

impl Call for Complete {
    const NAME: &'static str = "complete";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text {
        en: "Completes a task of one's organisation with its results, or with an error that the procedure catches.",
        zh: "完成本机构的任务并提交结果,或以流程所列差错结束。",
    };
    const CDDL: &'static str = "{ 0: case_id, 1: uint, 2: case_variables, ? 3: tstr }   ; case, task, results, error";

    fn check(&self) -> Result<(), Halt> {
        self.error.as_deref().map_or(Ok(()), name)
    }

    fn reads(&self) -> Vec<Key> {
        reads(&self.case)
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let mut desk = Desk::open(ctx, self.case)?;
        let (work, _) = desk.duty(ctx, self.task)?;
        let processes = [desk.instance.procedures().first(), Some(&work.procedure)];
        let processes: Vec<_> = processes.into_iter().flatten().filter_map(|key| desk.host.of(key)).map(|p| &**p).collect();
        rules::values(&self.results, &processes)?;
        let needed = work.properties.keys().filter_map(|key| key.strip_prefix("material:"));
        let missing = |name: &str| !desk.case.materials.iter().any(|material| material.name == name);
        if self.error.is_none() && needed.into_iter().any(missing) {
            return Err(Error::MaterialMissing.into());
        }
        let step = match &self.error {
            None => desk.instance.complete(&desk.host, self.task, &self.results, now(ctx), STEP_GAS),
            Some(error) => desk.instance.fail(&desk.host, self.task, error, &self.results, now(ctx), STEP_GAS),
        };
        desk.step(ctx, step)?;
        desk.write(ctx);
        Ok(())
    }
}

/// Gives a claimed task back to one's organisation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReturnTask {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The task's number in the case.
    #[n(1)]
    pub task: u32,
}

impl Call for ReturnTask {
    const NAME: &'static str = "return_task";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text { en: "Gives a task back that one took on.", zh: "退回已认领的任务。" };
    const CDDL: &'static str = "{ 0: case_id, 1: uint }   ; case, task";

    fn reads(&self) -> Vec<Key> {
        reads(&self.case)
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let mut desk = Desk::open(ctx, self.case)?;
        let (_, task) = desk.task(self.task)?;
        rules::is_claimer(&desk.hand(ctx), &task)?;
        desk.put_task(self.task, Task { claimed: None, ..task });
        let (organisation, member) = (desk.me.organisation, desk.me.member.clone());
        ctx.emit(&TaskReturned { case: self.case, task: self.task, organisation, member });
        desk.write(ctx);
        Ok(())
    }
}

/// Hands a task over to another organisation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Transfer {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The task's number in the case.
    #[n(1)]
    pub task: u32,
    /// To whom.
    #[n(2)]
    pub to: Uscc,
}

impl Call for Transfer {
    const NAME: &'static str = "transfer";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text {
        en: "Hands a task of one's organisation over to another one.",
        zh: "将本机构的任务转办至其他机构。",
    };
    const CDDL: &'static str = "{ 0: case_id, 1: uint, 2: uscc }   ; case, task, to";

    fn reads(&self) -> Vec<Key> {
        let mut keys = reads(&self.case);
        keys.push(identity::ORGANISATION.key(&self.to));
        keys
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let mut desk = Desk::open(ctx, self.case)?;
        desk.duty(ctx, self.task)?;
        reassign(ctx, &mut desk, self.task, self.to)?;
        let (organisation, member) = (desk.me.organisation, desk.me.member.clone());
        ctx.emit(&TaskTransferred { case: self.case, task: self.task, organisation, member, to: self.to });
        desk.write(ctx);
        Ok(())
    }
}

/// Puts a task into the hands of another organisation that is admitted and active.
pub(super) fn reassign(ctx: &mut Context<'_>, desk: &mut Desk, number: u32, to: Uscc) -> Result<(), Halt> {
    let active = identity::ORGANISATION.get(ctx, &to)?.is_some_and(|organisation| organisation.is_active());
    if !active || desk.case.parties.len() >= PARTIES_MAX {
        return Err(Error::RecipientUnknown.into());
    }
    if !desk.case.parties.contains(&to) {
        desk.case.parties.push(to);
    }
    desk.put_task(number, Task { claimed: None, transferred: Some(to) });
    Ok(())
}

/// Sends a message to a case.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Message {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The name of the message.
    #[n(1)]
    pub name: String,
    /// What it says, private facts as commitments.
    #[n(2)]
    pub content: Variables,
}

impl Call for Message {
    const NAME: &'static str = "message";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text {
        en: "Delivers a message that the case waits for, such as a payment or an answer.",
        zh: "向办件递送其等待的消息,例如缴费或答复。",
    };
    const CDDL: &'static str = "{ 0: case_id, 1: tstr, 2: case_variables }   ; case, name, content";

    fn check(&self) -> Result<(), Halt> {
        name(&self.name)
    }

    fn reads(&self) -> Vec<Key> {
        reads(&self.case)
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let mut desk = Desk::open(ctx, self.case)?;
        desk.party()?;
        let process = desk.instance.procedures().first().and_then(|key| desk.host.of(key)).cloned();
        rules::values(&self.content, &[&*process.ok_or(Error::ProcedureNotFound)?])?;
        let step = desk.instance.deliver(&desk.host, &self.name, &self.content, now(ctx), STEP_GAS);
        desk.step(ctx, step)?;
        desk.write(ctx);
        Ok(())
    }
}

/// Submits a material.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SubmitMaterial {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The material's name in the procedure or the pack's list.
    #[n(1)]
    pub name: String,
    /// Salted commitment to it, or its evidence digest.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub commitment: Digest,
}

impl Call for SubmitMaterial {
    const NAME: &'static str = "submit_material";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text {
        en: "Submits a material that the procedure asks for, by its commitment.",
        zh: "以承诺方式提交流程所需材料。",
    };
    const CDDL: &'static str = "{ 0: case_id, 1: tstr, 2: digest }   ; case, name, commitment";

    fn check(&self) -> Result<(), Halt> {
        name(&self.name)
    }

    fn reads(&self) -> Vec<Key> {
        reads(&self.case)
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let mut desk = Desk::open(ctx, self.case)?;
        desk.party()?;
        if !desk.host.asks_for(&self.name) {
            return Err(Error::MaterialUnknown.into());
        }
        if desk.case.materials.iter().any(|it| it.name == self.name && it.commitment == self.commitment) {
            return Err(Error::MaterialTwice.into());
        }
        if desk.case.materials.len() >= MATERIALS_MAX {
            return Err(Error::TooLarge.into());
        }
        let (organisation, at) = (desk.me.organisation, ctx.block_time());
        let (name, commitment) = (self.name.clone(), self.commitment);
        desk.case.materials.push(Material { name: name.clone(), commitment, organisation, at });
        let member = desk.me.member.clone();
        ctx.emit(&MaterialSubmitted { case: self.case, name, commitment, organisation, member });
        desk.write(ctx);
        Ok(())
    }
}

/// Stops the clock.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Pause {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// Why.
    #[n(1)]
    pub reason: PauseReason,
}

impl Call for Pause {
    const NAME: &'static str = "pause";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text {
        en: "Stops the clock of a case for a reason that its procedure lists.",
        zh: "依流程所列事由暂停计时。",
    };
    const CDDL: &'static str = "{ 0: case_id, 1: pause_reason }";

    fn reads(&self) -> Vec<Key> {
        reads(&self.case)
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let mut desk = Desk::open(ctx, self.case)?;
        desk.party()?;
        clock::pause(&mut desk.case.clock, &desk.host.settings, self.reason, ctx.block_time())?;
        let (organisation, member) = (desk.me.organisation, desk.me.member.clone());
        ctx.emit(&ClockPaused { case: self.case, reason: self.reason, organisation, member });
        desk.write(ctx);
        Ok(())
    }
}

/// Lets the clock run again.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Resume {
    /// The case.
    #[n(0)]
    pub case: CaseId,
}

impl Call for Resume {
    const NAME: &'static str = "resume";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text {
        en: "Lets the clock of a case run again; its periods end later by the working days it stood still.",
        zh: "恢复计时;期限按暂停的工作日顺延。",
    };
    const CDDL: &'static str = "{ 0: case_id }";

    fn reads(&self) -> Vec<Key> {
        reads(&self.case)
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let mut desk = Desk::open(ctx, self.case)?;
        desk.party()?;
        let calendar = desk.host.calendar().cloned();
        clock::resume(&mut desk.case.clock, calendar.as_ref(), ctx.block_time())?;
        let (promised_due, limit_due) = (desk.case.clock.promised_due, desk.case.clock.limit_due);
        let (organisation, member) = (desk.me.organisation, desk.me.member.clone());
        ctx.emit(&ClockResumed { case: self.case, organisation, member, promised_due, limit_due });
        desk.write(ctx);
        Ok(())
    }
}

/// Lets happen what is due in a case.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Tick {
    /// The case.
    #[n(0)]
    pub case: CaseId,
}

impl Call for Tick {
    const NAME: &'static str = "tick";
    const ALLOWED: Allowed = Allowed::Member;
    const ABOUT: Text = Text {
        en: "Fires the timers and alerts of a case that are due by block time. Any member may.",
        zh: "触发办件中按区块时间已到期的定时和预警;任何成员均可发起。",
    };
    const CDDL: &'static str = "{ 0: case_id }";

    fn reads(&self) -> Vec<Key> {
        reads(&self.case)
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let mut desk = Desk::read(ctx, self.case)?;
        if !desk.advance(ctx)? {
            return Err(Error::NothingDue.into());
        }
        desk.write(ctx);
        Ok(())
    }
}

/// Rates a closed case for the applicant.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rate {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// 5 very satisfied, 4 satisfied, 3 fair, 2 dissatisfied, 1 very dissatisfied.
    #[n(1)]
    pub level: u8,
}

impl Call for Rate {
    const NAME: &'static str = "rate";
    const ALLOWED: Allowed = HANDS;
    const ABOUT: Text = Text {
        en: "Puts the applicant's rating of a closed case on record, once, by the organisation that took the application.",
        zh: "由受理机构登记申请人对已办结办件的五级评价,仅一次。",
    };
    const CDDL: &'static str = "{ 0: case_id, 1: 1..5 }   ; case, level";

    fn check(&self) -> Result<(), Halt> {
        if (1..=5).contains(&self.level) { Ok(()) } else { Err(Error::MalformedRating.into()) }
    }

    fn reads(&self) -> Vec<Key> {
        vec![state::CASE.key(&self.case)]
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let mut case = state::CASE.get(ctx, &self.case)?.ok_or(Error::CaseNotFound)?;
        if case.organisation != me.organisation {
            return Err(Error::NotParty.into());
        }
        if case.closed.is_none() {
            return Err(Error::NotOver.into());
        }
        if case.rating.is_some() {
            return Err(Error::AlreadyRated.into());
        }
        case.rating = Some(self.level);
        ctx.emit(&CaseRated { case: self.case, level: self.level, organisation: me.organisation });
        state::CASE.put(ctx, &self.case, &case);
        Ok(())
    }
}
