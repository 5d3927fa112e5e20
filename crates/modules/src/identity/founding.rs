//! How an organisation comes in: at genesis or by a motion, with its first members, roles and keys at once.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use zhulian_execution::{Class, Context, Event, Halt, Read, Role, Roles};
use zhulian_ledger::{Key as StateKey, Value};
use zhulian_primitives::{Event as Record, Height};

use super::{
    errors::Error,
    events::{KeyRegistered, MemberAdded, OrganisationAdmitted, RolesAssigned},
    rules, state,
    types::{Key, Kind, Member, MemberId, MemberKey, Organisation, OrganisationName, Totals, Uscc},
};

/// An organisation with its first members.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Founding {
    /// Its code.
    #[n(0)]
    pub organisation: Uscc,
    /// Its class.
    #[n(1)]
    pub class: Class,
    /// Its Chinese name.
    #[n(2)]
    pub zh: OrganisationName,
    /// Its English name.
    #[n(3)]
    pub en: Option<OrganisationName>,
    /// Whether it votes on motions.
    #[n(4)]
    pub votes: bool,
    /// Its first members, the three administrators among them.
    #[n(5)]
    pub members: Vec<FirstMember>,
}

/// A member that comes in with its roles and keys.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FirstMember {
    /// Its id.
    #[n(0)]
    pub member: MemberId,
    /// Person or system.
    #[n(1)]
    pub kind: Kind,
    /// Its roles.
    #[n(2)]
    pub roles: Roles,
    /// Its keys.
    #[n(3)]
    pub keys: Vec<MemberKey>,
}

impl Founding {
    /// Whether it can come in: its members are in order, and somebody acts in each administration (I4, I6).
    pub fn check(&self) -> Result<(), Error> {
        check_members(self.class, &self.members)?;
        let all = self.members.iter().fold(Roles::default(), |all, member| all.union(member.roles));
        if all.contains(Roles::of(&Role::POWERS)) { Ok(()) } else { Err(Error::MalformedFounding) }
    }

    /// Its keys.
    pub fn keys(&self) -> impl Iterator<Item = &MemberKey> {
        self.members.iter().flat_map(|member| &member.keys)
    }

    /// What happens when it comes in at `height`.
    pub fn events(&self, height: Height) -> Vec<Record> {
        let admitted = OrganisationAdmitted {
            organisation: self.organisation,
            class: self.class,
            zh: self.zh.clone(),
            en: self.en.clone(),
            votes: self.votes,
        };
        let mut events = vec![admitted.record()];
        events.extend(self.members.iter().flat_map(|member| member_events(&self.organisation, member, height)));
        events
    }
}

/// Whether first members of an organisation of this class are in order among themselves.
pub(super) fn check_members(class: Class, members: &[FirstMember]) -> Result<(), Error> {
    let (mut ids, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for member in members {
        rules::may_hold(class, member.kind, Roles::default(), member.roles)?;
        let keys_fit = (1..=rules::LIVE_KEYS_MAX as usize).contains(&member.keys.len());
        if !keys_fit
            || !member.member.is_free()
            || !ids.insert(&member.member)
            || !member.keys.iter().all(|key| keys.insert(*key))
        {
            return Err(Error::MalformedFounding);
        }
    }
    Ok(())
}

fn member_events(organisation: &Uscc, first: &FirstMember, height: Height) -> Vec<Record> {
    let (organisation, member) = (*organisation, &first.member);
    let mut events = vec![
        MemberAdded { organisation, member: member.clone(), kind: first.kind, by: None }.record(),
        RolesAssigned { organisation, member: member.clone(), roles: first.roles, by: None }.record(),
    ];
    let registered =
        |key: &MemberKey| KeyRegistered { organisation, member: member.clone(), key: *key, from: height, by: None }.record();
    events.extend(first.keys.iter().map(registered));
    events
}

/// State entries of first members, the organisation's `already` members before them.
fn member_entries(code: &Uscc, already: u32, members: &[FirstMember], height: Height) -> Vec<(StateKey, Value)> {
    let mut entries = Vec::new();
    for (n, first) in (already..).zip(members) {
        let keys = first.keys.len() as u32;
        let member = Member {
            kind: first.kind,
            roles: first.roles,
            powers_held: first.roles.powers(),
            added: height,
            suspended: None,
            keys,
            live_keys: keys,
            proposed: None,
        };
        entries.push(state::MEMBER.entry(&(*code, first.member.clone()), &member));
        entries.push(state::MEMBER_AT.entry(&(*code, n), &first.member));
        for (n, key) in (0..).zip(&first.keys) {
            let record = Key { organisation: *code, member: first.member.clone(), from: height, until: None, end: None };
            entries.push(state::KEY.entry(key, &record));
            entries.push(state::KEY_AT.entry(&(*code, first.member.clone(), n), key));
        }
    }
    entries
}

/// Acting administrators among first members.
fn acting(members: &[FirstMember]) -> [u32; 3] {
    Role::POWERS.map(|role| members.iter().filter(|member| member.roles.has(role)).count() as u32)
}

/// State entries of an organisation that comes in as the `n`-th at `height`.
pub(crate) fn admit_entries(founding: &Founding, n: u32, height: Height) -> Vec<(StateKey, Value)> {
    let code = &founding.organisation;
    let organisation = Organisation {
        class: founding.class,
        zh: founding.zh.clone(),
        en: founding.en.clone(),
        votes: founding.votes,
        admitted: height,
        suspended: None,
        members: founding.members.len() as u32,
        acting: acting(&founding.members),
    };
    let mut entries = vec![state::ORGANISATION.entry(code, &organisation), state::ORGANISATION_AT.entry(&n, code)];
    entries.extend(member_entries(code, 0, &founding.members, height));
    entries
}

/// Admits an organisation, by a motion.
pub(crate) fn admit(ctx: &mut Context<'_>, founding: &Founding) -> Result<(), Halt> {
    let mut reads = vec![state::ORGANISATION.key(&founding.organisation), state::TOTALS.key(&())];
    reads.extend(founding.keys().map(|key| state::KEY.key(key)));
    ctx.want(&reads)?;
    founding.check()?;
    if state::ORGANISATION.get(ctx, &founding.organisation)?.is_some() {
        return Err(Error::OrganisationExists.into());
    }
    keys_are_fresh(ctx, founding.keys())?;
    let totals = state::TOTALS.get(ctx, &())?.unwrap_or_default();
    let voters = rules::voters_after(totals, founding.votes, true)?.voters;
    for entry in admit_entries(founding, totals.organisations, ctx.height()) {
        ctx.set(entry);
    }
    state::TOTALS.put(ctx, &(), &Totals { organisations: totals.organisations + 1, voters });
    ctx.emit(&OrganisationAdmitted {
        organisation: founding.organisation,
        class: founding.class,
        zh: founding.zh.clone(),
        en: founding.en.clone(),
        votes: founding.votes,
    });
    emit_members(ctx, &founding.organisation, &founding.members);
    Ok(())
}

/// Gives an organisation that lost its administrators new members with keys, by a motion (I6).
pub(crate) fn recover(ctx: &mut Context<'_>, code: &Uscc, members: &[FirstMember]) -> Result<(), Halt> {
    let mut reads = vec![state::ORGANISATION.key(code)];
    reads.extend(members.iter().map(|member| state::MEMBER.key(&(*code, member.member.clone()))));
    reads.extend(members.iter().flat_map(|member| &member.keys).map(|key| state::KEY.key(key)));
    ctx.want(&reads)?;
    let Some(organisation) = state::ORGANISATION.get(ctx, code)? else { return Err(Error::OrganisationNotFound.into()) };
    check_members(organisation.class, members)?;
    for member in members {
        if state::MEMBER.get(ctx, &(*code, member.member.clone()))?.is_some() {
            return Err(Error::MemberExists.into());
        }
    }
    keys_are_fresh(ctx, members.iter().flat_map(|member| &member.keys))?;
    for entry in member_entries(code, organisation.members, members, ctx.height()) {
        ctx.set(entry);
    }
    let mut after = organisation.clone();
    after.members += members.len() as u32;
    after.acting.iter_mut().zip(acting(members)).for_each(|(count, more)| *count += more);
    state::ORGANISATION.put(ctx, code, &after);
    emit_members(ctx, code, members);
    Ok(())
}

fn keys_are_fresh<'k>(ctx: &mut Context<'_>, keys: impl Iterator<Item = &'k MemberKey>) -> Result<(), Halt> {
    for key in keys {
        if state::KEY.get(ctx, key)?.is_some() {
            return Err(Error::KeyTaken.into());
        }
    }
    Ok(())
}

fn emit_members(ctx: &mut Context<'_>, code: &Uscc, members: &[FirstMember]) {
    let height = ctx.height();
    for member in members {
        for event in member_events(code, member, height) {
            ctx.record(event);
        }
    }
}
