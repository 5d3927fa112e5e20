//! Calls about one case: what they are, and what each does to it.

use minicbor::{Decode, Encode};
use zhulian_crypto::Digest;
use zhulian_execution::{Allowed, Call, Context, Halt, Read, Role, Text};
use zhulian_ledger::Key;
use zhulian_procedure::Variables;

use super::{
    clock,
    desk::{Desk, millis, now, reads},
    errors::Error,
    events::{ClockPaused, ClockResumed, MaterialSubmitted, TaskClaimed, TaskReturned, TaskTransferred},
    host::STEP_GAS,
    rules,
    types::{CaseId, Clock, Material, NAME_MAX, Override, OverrideReason, PauseReason, Task},
};
use crate::{
    identity::{self, Uscc},
    text,
};

/// Members that work on cases: officers, and judges where a procedure says so.
pub(super) const HANDS: Allowed = Allowed::AnyOf(&[Role::Officer, Role::Judge]);
/// Members that sign overrides.
const SIGNERS: Allowed = Allowed::AnyOf(&[Role::Officer, Role::Judge, Role::Representative]);
/// Materials of one case.
const MATERIALS_MAX: usize = 200;

/// What a call does to its case.
pub(super) trait Act {
    /// Checks that need no state.
    fn proper(&self) -> Result<(), Halt> {
        Ok(())
    }

    /// State keys that it surely reads beside the case.
    fn also(&self) -> Vec<Key> {
        Vec::new()
    }

    /// Decides, changes the case, emits.
    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt>;
}

/// Declares calls about one case. Around each it is the same: the case is read, what was due happens first (B5) where it begins by
/// `open`, the call acts, the case is written back.
macro_rules! calls {
    ($(
        $type:ident = $name:literal by $allowed:expr, $begin:ident, $en:literal, $zh:literal {
            $($(#[$meta:meta])* $n:literal $field:ident: $field_type:ty = $cddl:literal,)*
        }
    )+) => {$(
        #[doc = $en]
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
        #[cbor(map)]
        pub struct $type {
            /// The case.
            #[n(0)]
            pub case: CaseId,
            $($(#[$meta])* #[n($n)] pub $field: $field_type,)*
        }

        impl Call for $type {
            const NAME: &'static str = $name;
            const ALLOWED: Allowed = $allowed;
            const ABOUT: Text = Text { en: $en, zh: $zh };
            const CDDL: &'static str =
                concat!("{ 0: case_id", $(", ", $cddl,)* " }   ; case", $(", ", stringify!($field),)*);

            fn check(&self) -> Result<(), Halt> {
                self.proper()
            }

            fn reads(&self) -> Vec<Key> {
                [reads(&self.case), self.also()].concat()
            }

            fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
                let mut desk = Desk::$begin(ctx, self.case)?;
                self.act(ctx, &mut desk)?;
                desk.write(ctx)
            }
        }
    )+};
}

calls! {
    Claim = "claim" by HANDS, open, "Takes a task of one's organisation on.", "认领本机构的待办任务。" {
        /// The task's number in the case.
        1 task: u32 = "1: uint",
    }

    Complete = "complete" by HANDS, open,
    "Completes a task of one's organisation with its results, or with an error that the procedure catches.",
    "完成本机构的任务并提交结果，或以流程所列差错结束。" {
        /// The task's number in the case.
        1 task: u32 = "1: uint",
        /// Its results, private ones as commitments.
        2 results: Variables = "2: case_variables",
        /// The error code, when it ends in an error that the procedure knows.
        3 error: Option<String> = "? 3: tstr",
    }

    ReturnTask = "return_task" by HANDS, open, "Gives a task back that one took on.", "退回已认领的任务。" {
        /// The task's number in the case.
        1 task: u32 = "1: uint",
    }

    Transfer = "transfer" by HANDS, open,
    "Hands a task of one's organisation over to another one.", "将本机构的任务转办至其他机构。" {
        /// The task's number in the case.
        1 task: u32 = "1: uint",
        /// To whom.
        2 to: Uscc = "2: uscc",
    }

    Message = "message" by HANDS, open,
    "Delivers a message that the case waits for, such as a payment or an answer.", "向办件递送其等待的消息，例如缴费或答复。" {
        /// The name of the message.
        1 name: String = "1: tstr",
        /// What it says, private facts as commitments.
        2 content: Variables = "2: case_variables",
    }

    SubmitMaterial = "submit_material" by HANDS, receive,
    "Submits a material that the procedure asks for, by its commitment.", "以承诺方式提交流程所需材料。" {
        /// The material's name in the procedure or the pack's list.
        1 name: String = "1: tstr",
        /// Salted commitment to it, or its evidence digest.
        #[cbor(with = "minicbor::bytes")]
        2 commitment: Digest = "2: digest",
    }

    Pause = "pause" by HANDS, open,
    "Stops the clock of a case for a reason that its procedure lists.", "依流程所列事由暂停计时。" {
        /// Why.
        1 reason: PauseReason = "1: pause_reason",
    }

    Resume = "resume" by HANDS, open,
    "Lets the clock of a case run again; its periods end later by the working days it stood still.",
    "恢复计时；期限按暂停的工作日顺延。" {}

    Tick = "tick" by Allowed::Member, read,
    "Fires the timers and alerts of a case that are due by block time. Any member may.",
    "触发办件中按区块时间已到期的定时和预警；任何成员均可发起。" {}

    ProposeOverride = "propose_override" by SIGNERS, read,
    "Proposes to act on a case against its procedure, with a reason; a second member must confirm it.",
    "提出对办件的人工干预并注明事由，须由另一人复核。" {
        /// What it does.
        1 action: Override = "1: override",
        /// Why.
        2 reason: OverrideReason = "2: override_reason",
        /// Digest of the written grounds.
        #[cbor(with = "minicbor::bytes")]
        3 grounds: Digest = "3: digest",
    }

    ConfirmOverride = "confirm_override" by SIGNERS, read,
    "Confirms an override as its second signer, which carries it out and counts it, or rejects it.",
    "作为第二签署人复核人工干预：同意则执行并计数，否则驳回。" {
        /// Whether it is carried out.
        1 approve: bool = "1: bool",
    }
}

/// Whether a text can be the name of a process, a material, a message or an error.
pub(super) fn name(text: &str) -> Result<(), Halt> {
    if !text::is_plain(text, NAME_MAX) {
        return Err(Error::MalformedText.into());
    }
    if text::is_personal(text) { Err(Error::PersonalData.into()) } else { Ok(()) }
}

impl Act for Claim {
    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt> {
        let (_, task) = desk.duty(ctx, self.task)?;
        if task.claimed.is_some() && !desk.takes_over(ctx, &task) {
            return Err(Error::AlreadyClaimed.into());
        }
        let (organisation, member) = desk.by();
        desk.put_task(self.task, Task { claimed: Some((organisation, member.clone())), ..task });
        ctx.emit(&TaskClaimed { case: self.case, task: self.task, organisation, member });
        Ok(())
    }
}

impl Act for Complete {
    fn proper(&self) -> Result<(), Halt> {
        self.error.as_deref().map_or(Ok(()), name)
    }

    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt> {
        let (work, _) = desk.duty(ctx, self.task)?;
        desk.stated(&self.results, Some(&work))?;
        if self.error.is_none() {
            desk.has_materials(work.properties.keys().filter_map(|key| key.strip_prefix("material:")))?;
        }
        let step = match &self.error {
            None => desk.instance.complete(&desk.host, self.task, &self.results, now(ctx), STEP_GAS),
            Some(error) => desk.instance.fail(&desk.host, self.task, error, &self.results, now(ctx), STEP_GAS),
        };
        desk.step(ctx, step)
    }
}

impl Act for ReturnTask {
    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt> {
        let (_, task) = desk.task(self.task)?;
        rules::is_claimer(&desk.hand(ctx), &task)?;
        desk.put_task(self.task, Task { claimed: None, ..task });
        let (organisation, member) = desk.by();
        ctx.emit(&TaskReturned { case: self.case, task: self.task, organisation, member });
        Ok(())
    }
}

impl Act for Transfer {
    fn also(&self) -> Vec<Key> {
        vec![identity::ORGANISATION.key(&self.to)]
    }

    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt> {
        desk.duty(ctx, self.task)?;
        reassign(ctx, desk, self.task, self.to)
    }
}

/// Puts a task into the hands of another organisation that is admitted and active.
pub(super) fn reassign(ctx: &mut Context<'_>, desk: &mut Desk, number: u32, to: Uscc) -> Result<(), Halt> {
    let active = identity::ORGANISATION.get(ctx, &to)?.is_some_and(|organisation| organisation.is_active());
    let room = rules::has_room(&desk.case.parties, to, desk.host.mended);
    if !active || !room {
        return Err(Error::RecipientUnknown.into());
    }
    if !desk.case.parties.contains(&to) {
        desk.case.parties.push(to);
    }
    desk.put_task(number, Task { claimed: None, transferred: Some(to) });
    let (organisation, member) = desk.by();
    ctx.emit(&TaskTransferred { case: desk.id, task: number, organisation, member, to });
    Ok(())
}

impl Act for Message {
    fn proper(&self) -> Result<(), Halt> {
        name(&self.name)
    }

    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt> {
        desk.party()?;
        desk.stated(&self.content, None)?;
        let step = desk.instance.deliver(&desk.host, &self.name, &self.content, now(ctx), STEP_GAS);
        desk.step(ctx, step)
    }
}

impl Act for SubmitMaterial {
    fn proper(&self) -> Result<(), Halt> {
        name(&self.name)
    }

    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt> {
        desk.party()?;
        submit(ctx, desk, &self.name, self.commitment)
    }
}

/// Puts a material that is asked for into a case.
pub(super) fn submit(ctx: &mut Context<'_>, desk: &mut Desk, name: &str, commitment: Digest) -> Result<(), Halt> {
    if !desk.host.asks_for(name) {
        return Err(Error::MaterialUnknown.into());
    }
    if desk.case.materials.iter().any(|it| it.name == name && it.commitment == commitment) {
        return Err(Error::MaterialTwice.into());
    }
    if desk.case.materials.len() >= MATERIALS_MAX {
        return Err(Error::TooLarge.into());
    }
    let (name, at) = (name.to_owned(), ctx.block_time());
    let (organisation, member) = desk.by();
    desk.case.materials.push(Material { name: name.clone(), commitment, organisation, at });
    ctx.emit(&MaterialSubmitted { case: desk.id, name, commitment, organisation, member });
    Ok(())
}

impl Act for Pause {
    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt> {
        desk.party()?;
        clock::pause(&mut desk.case.clock, &desk.host.settings, self.reason, ctx.block_time(), desk.host.mended)?;
        let (organisation, member) = desk.by();
        ctx.emit(&ClockPaused { case: self.case, reason: self.reason, organisation, member });
        Ok(())
    }
}

impl Act for Resume {
    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt> {
        desk.party()?;
        let since = clock::resume(&mut desk.case.clock, desk.host.days(), desk.host.mended)?;
        // B4: timers that follow the clock stood still with it.
        let resumed = desk.instance.resume(&desk.host, millis(since), now(ctx), STEP_GAS);
        resumed.map_err(|fault| desk.host.refusal(fault))?;
        desk.host.paused = None;
        let Clock { promised_due, limit_due, .. } = desk.case.clock;
        let (organisation, member) = desk.by();
        let open = desk.case.clock.is_open();
        ctx.emit(&ClockResumed { case: self.case, organisation, member, promised_due, limit_due, open });
        Ok(())
    }
}

impl Act for Tick {
    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt> {
        if desk.advance(ctx)? { Ok(()) } else { Err(Error::NothingDue.into()) }
    }
}
