//! Overrides (人工干预): what is done to a case against its procedure, by two persons, with a reason, and counted (B3).

use minicbor::{Decode, Encode};
use zhulian_crypto::Digest;
use zhulian_execution::{Allowed, Call, Context, Halt, Read, Role, Text};
use zhulian_ledger::Key;

use super::{
    calls::reassign,
    clock,
    desk::{Desk, now, reads},
    errors::Error,
    events::{OverrideConfirmed, OverrideProposed},
    host::STEP_GAS,
    rules, state,
    types::{CaseId, Override, OverrideReason, Pending},
};

const SIGNERS: Allowed = Allowed::AnyOf(&[Role::Officer, Role::Judge, Role::Representative]);
/// Working days of the longest extension.
const EXTENSION_MAX: u16 = 60;

/// Proposes an override.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProposeOverride {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// What it does.
    #[n(1)]
    pub action: Override,
    /// Why.
    #[n(2)]
    pub reason: OverrideReason,
    /// Digest of the written grounds.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub grounds: Digest,
}

impl Call for ProposeOverride {
    const NAME: &'static str = "propose_override";
    const ALLOWED: Allowed = SIGNERS;
    const ABOUT: Text = Text {
        en: "Proposes to act on a case against its procedure, with a reason; a second member must confirm it.",
        zh: "提出对办件的人工干预并注明事由,须由另一人复核。",
    };
    const CDDL: &'static str =
        "{ 0: case_id, 1: override, 2: override_reason, 3: digest }   ; case, action, reason, digest of the grounds";

    fn check(&self) -> Result<(), Halt> {
        match &self.action {
            Override::Extend(days) if !(1..=EXTENSION_MAX).contains(days) => Err(Error::ExtensionTooLong.into()),
            _ => Ok(()),
        }
    }

    fn reads(&self) -> Vec<Key> {
        reads(&self.case)
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        // Nothing due is fired first: an override must be possible where the procedure itself cannot go on.
        let mut desk = Desk::read(ctx, self.case)?;
        desk.party()?;
        if desk.case.pending.is_some() {
            return Err(Error::OverridePending.into());
        }
        match &self.action {
            Override::CompleteTask(number, results) => {
                let (work, _) = desk.task(*number)?;
                let processes = [desk.instance.procedures().first(), Some(&work.procedure)];
                let processes: Vec<_> =
                    processes.into_iter().flatten().filter_map(|key| desk.host.of(key)).map(|p| &**p).collect();
                rules::values(results, &processes)?;
            }
            Override::Reassign(number, _) => drop(desk.task(*number)?),
            Override::Extend(_) if desk.case.clock.limit == 0 => return Err(Error::ExtensionTooLong.into()),
            Override::Close(_) | Override::Extend(_) => {}
        }
        let (organisation, member) = (desk.me.organisation, desk.me.member.clone());
        ctx.emit(&OverrideProposed {
            case: self.case,
            action: self.action.clone(),
            reason: self.reason,
            grounds: self.grounds,
            organisation,
            member: member.clone(),
        });
        let (action, reason, grounds) = (self.action.clone(), self.reason, self.grounds);
        desk.case.pending = Some(Pending { action, reason, grounds, organisation, member });
        desk.write(ctx);
        Ok(())
    }
}

/// Confirms or rejects a proposed override.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ConfirmOverride {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// Whether it is carried out.
    #[n(1)]
    pub approve: bool,
}

impl Call for ConfirmOverride {
    const NAME: &'static str = "confirm_override";
    const ALLOWED: Allowed = SIGNERS;
    const ABOUT: Text = Text {
        en: "Confirms an override as its second signer, which carries it out and counts it, or rejects it.",
        zh: "作为第二签署人复核人工干预:同意则执行并计数,否则驳回。",
    };
    const CDDL: &'static str = "{ 0: case_id, 1: bool }   ; case, approve";

    fn reads(&self) -> Vec<Key> {
        reads(&self.case)
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let mut desk = Desk::read(ctx, self.case)?;
        rules::may_confirm(&desk.hand(ctx), &desk.case, &desk.host.settings)?;
        let pending = desk.case.pending.take().ok_or(Error::NoOverride)?;
        let (organisation, member) = (desk.me.organisation, desk.me.member.clone());
        if self.approve {
            desk.case.overrides += 1;
            let mut totals = state::TOTALS.get(ctx, &())?.unwrap_or_default();
            totals.overrides += 1;
            state::TOTALS.put(ctx, &(), &totals);
        }
        let (reason, count) = (pending.reason, desk.case.overrides);
        ctx.emit(&OverrideConfirmed { case: self.case, approve: self.approve, reason, count, organisation, member });
        if self.approve {
            carry_out(ctx, &mut desk, &pending.action)?;
        }
        desk.write(ctx);
        Ok(())
    }
}

fn carry_out(ctx: &mut Context<'_>, desk: &mut Desk, action: &Override) -> Result<(), Halt> {
    match action {
        Override::CompleteTask(number, results) => {
            let step = desk.instance.complete(&desk.host, *number, results, now(ctx), STEP_GAS);
            desk.step(ctx, step)
        }
        Override::Close(outcome) => desk.close(ctx, *outcome),
        Override::Extend(days) => {
            let calendar = desk.host.calendar().cloned();
            Ok(clock::lengthen(&mut desk.case.clock, calendar.as_ref(), u32::from(*days))?)
        }
        Override::Reassign(number, to) => {
            desk.task(*number)?;
            reassign(ctx, desk, *number, *to)
        }
    }
}
