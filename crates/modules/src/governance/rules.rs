//! Decisions of the governance module.

use zhulian_primitives::Height;

use super::{
    errors::Error,
    types::{Motion, MotionStatus},
};
use crate::identity::Uscc;

/// Whether a ballot of `organisation` may be added. Refusals are tried in this order.
pub(super) fn may_vote(motion: &Motion, organisation: &Uscc, votes: bool, height: Height) -> Result<(), Error> {
    is_open(motion, height)?;
    if !votes {
        return Err(Error::NoVote);
    }
    if motion.action.concerns() == Some(organisation) {
        return Err(Error::OwnCase);
    }
    // G2
    if motion.ballots.iter().any(|ballot| ballot.organisation == *organisation) {
        return Err(Error::AlreadyVoted);
    }
    Ok(())
}

/// Whether `organisation` may withdraw the motion.
pub(super) fn may_withdraw(motion: &Motion, organisation: &Uscc, height: Height) -> Result<(), Error> {
    is_open(motion, height)?;
    if motion.organisation == *organisation { Ok(()) } else { Err(Error::NotOpener) }
}

fn is_open(motion: &Motion, height: Height) -> Result<(), Error> {
    match motion.standing(height) {
        MotionStatus::Open => Ok(()),
        MotionStatus::Expired => Err(Error::MotionExpired),
        _ => Err(Error::MotionDecided),
    }
}

/// What the ballots that count have decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// More ballots are awaited.
    Open,
    /// Carried.
    Carried,
    /// It can no longer be carried.
    Rejected,
}

/// Decides by ballots for and against among `electorate` organisations that may vote (G3).
pub(super) fn decide(approve: u32, reject: u32, electorate: u32) -> Decision {
    if approve * 3 > electorate * 2 {
        Decision::Carried
    } else if (electorate - reject) * 3 <= electorate * 2 {
        Decision::Rejected
    } else {
        Decision::Open
    }
}
