//! Calls of the governance module: check, read, decide, write, emit.

use minicbor::{Decode, Encode};
use zhulian_execution::{Allowed, Call, Context, Halt, Read, Role, Text};
use zhulian_ledger::Key as StateKey;

use super::{
    errors::Error,
    events::{
        BallotCast, MotionClosed, MotionOpened, ParameterChanged, ProtocolAnnulled, ProtocolScheduled, ValidatorsChanged,
    },
    protocol::{ProtocolPlan, Upgrade},
    rules::{self, Decision},
    seats::{self, Seat, Seats},
    state,
    types::{Action, Ballot, Failure, Motion, MotionStatus, NetworkRecord, Parameter, Parameters},
};
use crate::{
    identity::{self, Error as IdentityError, Me, Organisation, Uscc},
    rulepack,
};

const REPRESENTATIVE: Allowed = Allowed::AnyOf(&[Role::Representative]);
/// Members that a recovery may bring in.
const RECOVERY_MEMBERS_MAX: usize = 16;

/// Opens a motion.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OpenMotion {
    /// What it does when carried.
    #[n(0)]
    pub action: Action,
}

impl Call for OpenMotion {
    const NAME: &'static str = "open_motion";
    const ALLOWED: Allowed = REPRESENTATIVE;
    const ABOUT: Text = Text {
        en: "Opens a motion: admit, suspend, reinstate or recover an organisation, set a parameter, enact or annul a version of a rule pack, add, remove or re-key a validator, or begin a protocol at a height or annul that. It is no ballot yet.",
        zh: "提出动议：接纳、停用、恢复机构或其管理员，更改参数，使规则包版本生效、撤销，增加、移除验证节点及更换其密钥，或预定、撤销协议升级。提出动议本身不计入投票。",
    };
    const CDDL: &'static str = "{ 0: action }";

    fn check(&self) -> Result<(), Halt> {
        match &self.action {
            Action::Admit(founding) => founding.check()?,
            Action::Set(parameter, value) => Parameters::default().with(*parameter, *value).map(|_| ())?,
            Action::Recover(_, members) if !(1..=RECOVERY_MEMBERS_MAX).contains(&members.len()) => {
                return Err(Error::EmptyRecovery.into());
            }
            Action::Suspend(_)
            | Action::Reinstate(_)
            | Action::Recover(..)
            | Action::EnactRules(_)
            | Action::AnnulRules(..)
            | Action::ScheduleProtocol(_)
            | Action::AnnulProtocol(_) => {}
            Action::AddValidator(_) | Action::RemoveValidator(..) | Action::RekeyValidator(..) => {
                seats::check(&self.action)?;
            }
        }
        Ok(())
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        ctx.want(&[state::MOTIONS.key(&()), state::PARAMETERS.key(&())])?;
        self.precheck(ctx, &me.organisation)?;
        let number = state::MOTIONS.get(ctx, &())?.unwrap_or(0);
        let closes = ctx.height() + parameters(ctx)?.vote_blocks;
        let motion = Motion {
            organisation: me.organisation,
            member: me.member.clone(),
            action: self.action.clone(),
            opened: ctx.height(),
            closes,
            status: MotionStatus::Open,
            ballots: Vec::new(),
            decided: None,
            failure: None,
        };
        state::MOTION.put(ctx, &number, &motion);
        state::MOTIONS.put(ctx, &(), &(number + 1));
        ctx.emit(&MotionOpened {
            motion: number,
            organisation: me.organisation,
            member: me.member,
            action: self.action.clone(),
            closes,
        });
        Ok(())
    }
}

impl OpenMotion {
    /// Refuses at once what could not be executed now. The same is decided again when the motion is carried.
    fn precheck(&self, ctx: &mut Context<'_>, mine: &Uscc) -> Result<(), Halt> {
        if !organisation(ctx, mine)?.votes {
            return Err(Error::NoVote.into());
        }
        match &self.action {
            Action::EnactRules(digest) => return rulepack::may_enact(ctx, digest).map(|_| ()),
            Action::AnnulRules(pack, version) => return rulepack::may_annul(ctx, pack, *version).map(|_| ()),
            Action::ScheduleProtocol(_) | Action::AnnulProtocol(_) => return plan_after(ctx, &self.action).map(|_| ()),
            action if seats::is_change(action) => return seats_after(ctx, action).map(|_| ()),
            _ => {}
        }
        let Some(code) = self.action.concerns() else { return Ok(()) };
        let found = identity::ORGANISATION.get(ctx, code)?;
        match (&self.action, found) {
            (Action::Admit(_), Some(_)) => Err(IdentityError::OrganisationExists.into()),
            (Action::Admit(_), None) => Ok(()),
            (_, None) => Err(IdentityError::OrganisationNotFound.into()),
            (Action::Suspend(_), Some(found)) if !found.is_active() => Err(IdentityError::OrganisationStanding.into()),
            (Action::Reinstate(_), Some(found)) if found.is_active() => Err(IdentityError::OrganisationStanding.into()),
            _ => Ok(()),
        }
    }
}

/// Votes on a motion.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CastBallot {
    /// Number of the motion.
    #[n(0)]
    pub motion: u32,
    /// For or against.
    #[n(1)]
    pub approve: bool,
}

impl Call for CastBallot {
    const NAME: &'static str = "cast_ballot";
    const ALLOWED: Allowed = REPRESENTATIVE;
    const ABOUT: Text = Text {
        en: "Casts one's organisation's vote on a motion; the ballot that carries it also executes it.",
        zh: "代表本机构就动议投票；使动议通过的一票同时执行该动议。",
    };
    const CDDL: &'static str = "{ 0: uint, 1: bool }   ; motion, approve";

    fn reads(&self) -> Vec<StateKey> {
        vec![state::MOTION.key(&self.motion), identity::TOTALS.key(&())]
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let mut motion = state::MOTION.get(ctx, &self.motion)?.ok_or(Error::MotionNotFound)?;
        let votes = organisation(ctx, &me.organisation)?.votes;
        rules::may_vote(&motion, &me.organisation, votes, ctx.height())?;
        motion.ballots.push(Ballot {
            organisation: me.organisation,
            member: me.member.clone(),
            approve: self.approve,
            height: ctx.height(),
        });
        ctx.emit(&BallotCast {
            motion: self.motion,
            organisation: me.organisation,
            member: me.member,
            approve: self.approve,
        });
        match decision(ctx, &motion)? {
            Decision::Open => {}
            Decision::Rejected => close(ctx, self.motion, &mut motion, MotionStatus::Rejected, None),
            Decision::Carried => match carry_out(ctx, &motion.action) {
                Ok(()) => close(ctx, self.motion, &mut motion, MotionStatus::Executed, None),
                Err(Halt::Refused(code)) => {
                    let failure = Failure { module: code.module, number: code.number };
                    close(ctx, self.motion, &mut motion, MotionStatus::Failed, Some(failure));
                }
                Err(Halt::Missing) => return Err(Halt::Missing),
            },
        }
        state::MOTION.put(ctx, &self.motion, &motion);
        Ok(())
    }
}

/// Withdraws a motion.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WithdrawMotion {
    /// Number of the motion.
    #[n(0)]
    pub motion: u32,
}

impl Call for WithdrawMotion {
    const NAME: &'static str = "withdraw_motion";
    const ALLOWED: Allowed = REPRESENTATIVE;
    const ABOUT: Text = Text {
        en: "Withdraws an undecided motion that one's organisation opened.",
        zh: "撤回本机构提出且尚未有结果的动议。",
    };
    const CDDL: &'static str = "{ 0: uint }   ; motion";

    fn reads(&self) -> Vec<StateKey> {
        vec![state::MOTION.key(&self.motion)]
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let mut motion = state::MOTION.get(ctx, &self.motion)?.ok_or(Error::MotionNotFound)?;
        rules::may_withdraw(&motion, &me.organisation, ctx.height())?;
        close(ctx, self.motion, &mut motion, MotionStatus::Withdrawn, None);
        state::MOTION.put(ctx, &self.motion, &motion);
        Ok(())
    }
}

fn organisation(ctx: &mut Context<'_>, code: &Uscc) -> Result<Organisation, Halt> {
    Ok(identity::ORGANISATION.get(ctx, code)?.expect("the actor's organisation is there"))
}

/// The parameters in force.
pub(super) fn parameters(ctx: &mut Context<'_>) -> Result<Parameters, Halt> {
    Ok(state::PARAMETERS.get(ctx, &())?.unwrap_or_default())
}

/// Counts the ballots of organisations that may vote now (G3).
fn decision(ctx: &mut Context<'_>, motion: &Motion) -> Result<Decision, Halt> {
    let voters = motion.ballots.iter().map(|ballot| &ballot.organisation).chain(motion.action.concerns());
    let keys: Vec<StateKey> = voters.map(|code| identity::ORGANISATION.key(code)).collect();
    ctx.want(&keys)?;
    let mut electorate = identity::TOTALS.get(ctx, &())?.unwrap_or_default().voters;
    // The organisation whose case it is does not vote (G2).
    if let Some(code) = motion.action.concerns()
        && may_vote_now(identity::ORGANISATION.get(ctx, code)?)
    {
        electorate -= 1;
    }
    let (mut approve, mut reject) = (0, 0);
    for ballot in &motion.ballots {
        if may_vote_now(identity::ORGANISATION.get(ctx, &ballot.organisation)?) {
            *(if ballot.approve { &mut approve } else { &mut reject }) += 1;
        }
    }
    Ok(rules::decide(approve, reject, electorate))
}

fn may_vote_now(organisation: Option<Organisation>) -> bool {
    organisation.is_some_and(|organisation| organisation.votes && organisation.is_active())
}

/// Executes a carried motion. Each of these checks everything before it writes anything, so a refusal leaves no trace (G4).
fn carry_out(ctx: &mut Context<'_>, action: &Action) -> Result<(), Halt> {
    match action {
        Action::Admit(founding) => identity::admit(ctx, founding),
        Action::Suspend(code) => identity::suspend_organisation(ctx, code),
        Action::Reinstate(code) => identity::reinstate_organisation(ctx, code),
        Action::Recover(code, members) => identity::recover(ctx, code, members),
        Action::Set(parameter, value) => set(ctx, *parameter, *value),
        Action::EnactRules(digest) => rulepack::enact(ctx, digest),
        Action::AnnulRules(pack, version) => rulepack::annul(ctx, pack, *version),
        Action::AddValidator(_) | Action::RemoveValidator(..) | Action::RekeyValidator(..) => change_seats(ctx, action),
        Action::ScheduleProtocol(_) | Action::AnnulProtocol(_) => change_protocol(ctx, action),
    }
}

/// What an action makes of the plan of protocols.
fn plan_after(ctx: &mut Context<'_>, action: &Action) -> Result<ProtocolPlan, Halt> {
    let plan = state::PROTOCOL.get(ctx, &())?.unwrap_or_default();
    let after = match action {
        Action::ScheduleProtocol(upgrade) => plan.schedule(*upgrade, ctx.height(), network(ctx)?.epoch_blocks)?,
        Action::AnnulProtocol(protocol) => plan.annul(*protocol, ctx.height())?,
        _ => plan,
    };
    Ok(after)
}

/// G9: the protocol is in force from its height on, without another write.
fn change_protocol(ctx: &mut Context<'_>, action: &Action) -> Result<(), Halt> {
    let after = plan_after(ctx, action)?;
    state::PROTOCOL.put(ctx, &(), &after);
    match action {
        Action::ScheduleProtocol(Upgrade { protocol, height }) => {
            ctx.emit(&ProtocolScheduled { protocol: *protocol, height: *height });
        }
        Action::AnnulProtocol(protocol) => ctx.emit(&ProtocolAnnulled { protocol: *protocol }),
        _ => {}
    }
    Ok(())
}

fn network(ctx: &mut Context<'_>) -> Result<NetworkRecord, Halt> {
    Ok(state::NETWORK.get(ctx, &())?.expect("written by genesis"))
}

/// The validators as the state has them last, and what an action makes of them.
fn seats_after(ctx: &mut Context<'_>, action: &Action) -> Result<(Seats, Vec<Seat>), Halt> {
    let now = state::SEATS.get(ctx, &())?.expect("written by genesis");
    let after = seats::change(&now.seats, action, ctx.protocol())?;
    if let Action::AddValidator(seat) = action {
        let found = identity::ORGANISATION.get(ctx, &seat.organisation)?.ok_or(IdentityError::OrganisationNotFound)?;
        if !found.is_active() {
            return Err(IdentityError::OrganisationStanding.into());
        }
    }
    Ok((now, after))
}

/// G7: the change takes effect with the next epoch, and until then there is no other.
fn change_seats(ctx: &mut Context<'_>, action: &Action) -> Result<(), Halt> {
    let network = network(ctx)?;
    let epoch = ctx.height() / network.epoch_blocks;
    let (now, after) = seats_after(ctx, action)?;
    if now.is_pending(epoch) {
        return Err(Error::ValidatorChangePending.into());
    }
    let next = Seats { number: now.number + 1, epoch: epoch + 1, seats: after, before: now.seats };
    state::SEATS.put(ctx, &(), &next);
    let height = next.epoch * network.epoch_blocks;
    ctx.emit(&ValidatorsChanged { number: next.number, epoch: next.epoch, height, seats: next.seats });
    Ok(())
}

fn set(ctx: &mut Context<'_>, parameter: Parameter, value: u64) -> Result<(), Halt> {
    let before = parameters(ctx)?;
    let after = before.with(parameter, value)?;
    state::PARAMETERS.put(ctx, &(), &after);
    ctx.emit(&ParameterChanged { parameter, before: before.get(parameter), after: value });
    Ok(())
}

fn close(ctx: &mut Context<'_>, number: u32, motion: &mut Motion, status: MotionStatus, failure: Option<Failure>) {
    motion.status = status;
    motion.decided = Some(ctx.height());
    motion.failure = failure.clone();
    ctx.emit(&MotionClosed { motion: number, status, failure });
}
