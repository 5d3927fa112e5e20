//! Decisions of the identity module: facts in, a new record or a refusal out. Refusals are tried in order; the first is the
//! answer.

use zhulian_execution::{Class, Context, Halt, Read, Role, Roles};
use zhulian_primitives::Height;

use super::{
    errors::Error,
    events::{OrganisationReinstated, OrganisationSuspended},
    state,
    types::{Key, KeyEnd, Kind, Member, MemberId, Organisation, Totals, Uscc},
};

/// Keys of a member that may be in use at once.
pub(super) const LIVE_KEYS_MAX: u32 = 16;
/// Organisations that may vote: a motion keeps their ballots in one record.
pub(crate) const VOTERS_MAX: u32 = 256;

/// Whether a member of this kind in an organisation of this class may have these roles, given the administrations it held.
pub(super) fn may_hold(class: Class, kind: Kind, held: Roles, roles: Roles) -> Result<(), Error> {
    if !roles.is_known() {
        return Err(Error::MalformedRoles);
    }
    // I4, over the member's whole life.
    if !held.union(roles).keeps_powers_apart() {
        return Err(Error::PowersJoined);
    }
    if roles.has(Role::Judge) && class != Class::Judicial {
        return Err(Error::RoleNotForClass);
    }
    if kind == Kind::System && !Roles::of(&[Role::Officer]).contains(roles) {
        return Err(Error::RoleNotForSystem);
    }
    Ok(())
}

/// The organisation after one of its members changed: counts who can act in each administration and keeps the last (I6).
pub(super) fn with_member(organisation: Organisation, before: &Member, after: &Member) -> Result<Organisation, Error> {
    let mut acting = organisation.acting;
    for (count, role) in acting.iter_mut().zip(Role::POWERS) {
        match (before.acts_as(role), after.acts_as(role)) {
            (true, false) if *count == 1 => return Err(Error::LastAdministrator),
            (true, false) => *count -= 1,
            (false, true) => *count += 1,
            _ => {}
        }
    }
    Ok(Organisation { acting, ..organisation })
}

/// A security administrator gives a member roles. An administration among the new ones waits for confirmation (I5).
pub(super) fn assign(me: &MemberId, class: Class, id: &MemberId, member: &Member, roles: Roles) -> Result<Member, Error> {
    if me == id {
        return Err(Error::OwnAccount);
    }
    may_hold(class, member.kind, member.powers_held, roles)?;
    if member.roles.contains(roles.powers()) {
        return Ok(Member { roles, proposed: None, ..member.clone() });
    }
    Ok(Member { proposed: Some(roles), ..member.clone() })
}

/// A system administrator confirms what a security administrator proposed.
pub(super) fn confirm(me: &MemberId, id: &MemberId, member: &Member, roles: Roles) -> Result<Member, Error> {
    if me == id {
        return Err(Error::OwnAccount);
    }
    if member.proposed != Some(roles) {
        return Err(Error::NothingProposed);
    }
    let powers_held = member.powers_held.union(roles.powers());
    assert!(powers_held.keeps_powers_apart(), "I4");
    Ok(Member { roles, powers_held, proposed: None, ..member.clone() })
}

/// A system administrator suspends or reinstates a member.
pub(super) fn set_standing(
    me: &MemberId,
    id: &MemberId,
    member: &Member,
    suspended: Option<Height>,
) -> Result<Member, Error> {
    if me == id {
        return Err(Error::OwnAccount);
    }
    match (member.suspended, suspended) {
        (Some(_), Some(_)) => Err(Error::AlreadySuspended),
        (None, None) => Err(Error::NotSuspended),
        _ => Ok(Member { suspended, ..member.clone() }),
    }
}

/// A security administrator registers another key of a member.
pub(super) fn add_key(me: &MemberId, id: &MemberId, member: &Member) -> Result<Member, Error> {
    if me == id {
        return Err(Error::OwnAccount);
    }
    // Whoever could add a key to an administrator could act as it (I5).
    if member.roles.powers() != Roles::default() {
        return Err(Error::AdministratorKey);
    }
    if member.proposed.is_some() {
        return Err(Error::RolesPending);
    }
    another_key(member)
}

/// A member with one key more.
pub(super) fn another_key(member: &Member) -> Result<Member, Error> {
    if member.live_keys >= LIVE_KEYS_MAX {
        return Err(Error::TooManyKeys);
    }
    Ok(Member { keys: member.keys + 1, live_keys: member.live_keys + 1, ..member.clone() })
}

/// Ends a key at `until`, which is never in the past (I3).
pub(super) fn end_key(key: &Key, now: Height, until: Height, end: KeyEnd) -> Result<Key, Error> {
    assert!(until >= now, "I3");
    if key.until.is_some_and(|at| at <= until) {
        return Err(Error::KeyAlreadyEnded);
    }
    Ok(Key { until: Some(until), end: Some(end), ..key.clone() })
}

/// Suspends an organisation, by a motion.
pub(crate) fn suspend_organisation(ctx: &mut Context<'_>, code: &Uscc) -> Result<(), Halt> {
    let height = ctx.height();
    set_organisation(ctx, code, Some(height))?;
    ctx.emit(&OrganisationSuspended { organisation: *code });
    Ok(())
}

/// Reinstates an organisation, by a motion.
pub(crate) fn reinstate_organisation(ctx: &mut Context<'_>, code: &Uscc) -> Result<(), Halt> {
    set_organisation(ctx, code, None)?;
    ctx.emit(&OrganisationReinstated { organisation: *code });
    Ok(())
}

fn set_organisation(ctx: &mut Context<'_>, code: &Uscc, suspended: Option<Height>) -> Result<(), Halt> {
    ctx.want(&[state::ORGANISATION.key(code), state::TOTALS.key(&())])?;
    let Some(organisation) = state::ORGANISATION.get(ctx, code)? else { return Err(Error::OrganisationNotFound.into()) };
    if organisation.suspended.is_some() == suspended.is_some() {
        return Err(Error::OrganisationStanding.into());
    }
    let mut totals = state::TOTALS.get(ctx, &())?.unwrap_or_default();
    totals = voters_after(totals, organisation.votes, suspended.is_none())?;
    state::ORGANISATION.put(ctx, code, &Organisation { suspended, ..organisation });
    state::TOTALS.put(ctx, &(), &totals);
    Ok(())
}

/// Totals after an organisation with or without a vote comes in or goes.
pub(super) fn voters_after(totals: Totals, votes: bool, comes: bool) -> Result<Totals, Error> {
    match (votes, comes) {
        (false, _) => Ok(totals),
        (true, true) if totals.voters >= VOTERS_MAX => Err(Error::TooManyVoters),
        (true, true) => Ok(Totals { voters: totals.voters + 1, ..totals }),
        (true, false) => Ok(Totals { voters: totals.voters - 1, ..totals }),
    }
}
