//! Overrides (人工干预): what is done to a case against its procedure, by two persons, with a reason, and counted (B3).

use zhulian_execution::{Context, Halt, Read};

use super::{
    calls::{Act, ConfirmOverride, ProposeOverride, reassign},
    clock,
    desk::{Desk, now},
    errors::Error,
    events::{OverrideConfirmed, OverrideProposed},
    host::STEP_GAS,
    rules, state,
    types::{Override, Pending},
};

/// Working days of the longest extension.
const EXTENSION_MAX: u16 = 60;

impl Act for ProposeOverride {
    fn proper(&self) -> Result<(), Halt> {
        match &self.action {
            Override::Extend(days) if !(1..=EXTENSION_MAX).contains(days) => Err(Error::ExtensionTooLong.into()),
            _ => Ok(()),
        }
    }

    // Nothing due is fired first: an override must be possible where the procedure itself cannot go on.
    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt> {
        desk.party()?;
        if desk.case.pending.is_some() {
            return Err(Error::OverridePending.into());
        }
        match &self.action {
            Override::CompleteTask(number, results) => {
                let (work, _) = desk.task(*number)?;
                desk.stated(results, Some(&work))?;
            }
            Override::Reassign(number, _) => drop(desk.task(*number)?),
            Override::Extend(_) if desk.case.clock.limit == 0 => return Err(Error::ExtensionTooLong.into()),
            Override::Close(_) | Override::Extend(_) => {}
        }
        let (organisation, member) = desk.by();
        let (action, reason, grounds) = (self.action.clone(), self.reason, self.grounds);
        let pending = Pending { action: action.clone(), reason, grounds, organisation, member: member.clone() };
        ctx.emit(&OverrideProposed { case: self.case, action, reason, grounds, organisation, member });
        desk.case.pending = Some(pending);
        Ok(())
    }
}

impl Act for ConfirmOverride {
    fn act(&self, ctx: &mut Context<'_>, desk: &mut Desk) -> Result<(), Halt> {
        if desk.case.pending.is_some() {
            desk.party()?;
        }
        rules::may_confirm(&desk.hand(ctx), &desk.case, &desk.host.settings)?;
        let pending = desk.case.pending.take().ok_or(Error::NoOverride)?;
        if self.approve {
            desk.case.overrides += 1;
            let mut totals = state::TOTALS.get(ctx, &())?.unwrap_or_default();
            totals.overrides += 1;
            state::TOTALS.put(ctx, &(), &totals);
        }
        let (organisation, member) = desk.by();
        let (reason, count) = (pending.reason, desk.case.overrides);
        ctx.emit(&OverrideConfirmed { case: self.case, approve: self.approve, reason, count, organisation, member });
        if self.approve { carry_out(ctx, desk, &pending.action) } else { Ok(()) }
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
            let (days, mended) = (u32::from(*days), desk.host.mended);
            Ok(clock::lengthen(&mut desk.case.clock, desk.host.days(), days, 0, mended)?)
        }
        Override::Reassign(number, to) => {
            desk.task(*number)?;
            reassign(ctx, desk, *number, *to)
        }
    }
}
