//! Decisions of the evidence module: facts in, the new standing or a refusal out. Refusals are tried in order; the first is the
//! answer.

use zhulian_primitives::Height;

use super::{
    errors::Error,
    types::{CaseNumber, CustodyKind, FreezeRecord, Standing, WithdrawReason, Withdrawal},
};
use crate::identity::Uscc;

/// Cases in which evidence may be frozen at once.
const FREEZES_MAX: usize = 8;

/// What is known of a piece of evidence when a call is decided.
pub(super) struct Facts {
    /// The depositor.
    pub(super) depositor: Uscc,
    /// How it stands itself.
    pub(super) standing: Standing,
    /// Whether something it is part of, or that is part of it, holds it frozen, too (E6).
    pub(super) frozen_elsewhere: bool,
    /// Whether the batch it is part of is withdrawn.
    pub(super) withdrawn_elsewhere: bool,
}

impl Facts {
    fn is_frozen(&self) -> bool {
        self.standing.is_frozen() || self.frozen_elsewhere
    }

    fn holder(&self) -> Uscc {
        self.standing.custodian.unwrap_or(self.depositor)
    }
}

/// Decides a withdrawal from use.
pub(super) fn withdraw(facts: &Facts, actor: &Uscc, height: Height, reason: WithdrawReason) -> Result<Standing, Error> {
    if facts.depositor != *actor {
        return Err(Error::NotDepositor);
    }
    if facts.standing.withdrawn.is_some() || facts.withdrawn_elsewhere {
        return Err(Error::AlreadyWithdrawn);
    }
    if facts.is_frozen() {
        return Err(Error::IsFrozen);
    }
    // E2: the deposit stays, because a court may ask what was withdrawn.
    Ok(Standing { withdrawn: Some(Withdrawal { height, reason }), ..facts.standing.clone() })
}

/// Decides a court's freeze.
pub(super) fn freeze(facts: &Facts, court: &Uscc, case: &CaseNumber, height: Height) -> Result<Standing, Error> {
    let mut freezes = facts.standing.freezes.clone();
    if freezes.iter().any(|freeze| freeze.court == *court && freeze.case == *case) {
        return Err(Error::AlreadyFrozen);
    }
    if freezes.len() >= FREEZES_MAX {
        return Err(Error::TooManyFreezes);
    }
    freezes.push(FreezeRecord { court: *court, case: case.clone(), height });
    Ok(Standing { freezes, ..facts.standing.clone() })
}

/// Decides a court's release (E7).
pub(super) fn unfreeze(facts: &Facts, court: &Uscc, case: &CaseNumber) -> Result<Standing, Error> {
    let mut freezes = facts.standing.freezes.clone();
    freezes.retain(|freeze| freeze.court != *court || freeze.case != *case);
    if freezes.len() == facts.standing.freezes.len() {
        return Err(Error::NotFrozenHere);
    }
    Ok(Standing { freezes, ..facts.standing.clone() })
}

/// Decides a custody event. `recipient` says of the named recipient whether it is admitted and active.
pub(super) fn custody(
    facts: &Facts,
    actor: &Uscc,
    kind: CustodyKind,
    to: Option<&Uscc>,
    recipient_is_active: bool,
) -> Result<Standing, Error> {
    use CustodyKind as K;
    let (holder, mut after) = (facts.holder(), facts.standing.clone());
    // What is done to the thing itself is said by who has it.
    let by_holder = matches!(kind, K::Sealed | K::Opened | K::Transferred | K::Received | K::Returned);
    if holder != *actor && (by_holder || facts.depositor != *actor) {
        return Err(Error::NotCustodian);
    }
    if matches!(kind, K::Opened | K::Transferred | K::Returned) && facts.is_frozen() {
        return Err(Error::IsFrozen);
    }
    let named = match (kind, to) {
        (K::Transferred, Some(to)) => to != actor && recipient_is_active,
        (K::Transferred, None) => false,
        (_, to) => to.is_none(),
    };
    if !named {
        return Err(Error::RecipientMissing);
    }
    match kind {
        K::Sealed if after.sealed => return Err(Error::AlreadySealed),
        K::Sealed => after.sealed = true,
        K::Opened if !after.sealed => return Err(Error::NotSealed),
        K::Opened => after.sealed = false,
        K::Transferred => after.custodian = to.copied().filter(|to| *to != facts.depositor),
        K::Returned if holder == facts.depositor => return Err(Error::NothingToReturn),
        K::Returned => after.custodian = None,
        K::Collected | K::Received | K::Inspected => {}
    }
    Ok(after)
}
