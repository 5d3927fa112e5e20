//! From the key that signed to the member that acts.

use zhulian_crypto::PublicKey;
use zhulian_execution::{Actor, Context, Directory, Halt, Read};
use zhulian_ledger::Key as StateKey;
use zhulian_primitives::TransactionError;

use super::{
    state,
    types::{MemberId, MemberKey, Uscc},
};

/// Resolves keys by the identity module's state: key, member, organisation.
pub const DIRECTORY: Directory = Directory { reads, actor };

fn reads(key: &PublicKey) -> Vec<StateKey> {
    vec![state::KEY.key(&MemberKey(*key))]
}

fn actor(ctx: &mut Context<'_>, signer: &PublicKey) -> Result<Actor, Halt> {
    let Some(key) = state::KEY.get(ctx, &MemberKey(*signer))? else { return Err(TransactionError::UnknownKey.into()) };
    let holder = (key.organisation, key.member.clone());
    ctx.want(&[state::ORGANISATION.key(&key.organisation), state::MEMBER.key(&holder)])?;
    let organisation = state::ORGANISATION.get(ctx, &key.organisation)?.expect("I2: a key's organisation is there");
    let member = state::MEMBER.get(ctx, &holder)?.expect("I2: a key's member is there");
    if !key.counts_at(ctx.height()) || !member.is_active() || !organisation.is_active() {
        return Err(TransactionError::KeyNotActive.into());
    }
    Ok(Actor {
        key: *signer,
        member: key.member.as_str().into(),
        organisation: key.organisation.as_str().into(),
        class: organisation.class,
        roles: member.roles,
    })
}

/// The acting member, in this module's types.
pub(crate) struct Me {
    pub(crate) organisation: Uscc,
    pub(crate) member: MemberId,
}

impl Me {
    pub(crate) fn of(ctx: &Context<'_>) -> Self {
        let actor = ctx.actor();
        Self {
            organisation: Uscc::parse(&actor.organisation).expect("the directory gives a code"),
            member: MemberId::parse(&actor.member).expect("the directory gives a member id"),
        }
    }
}
