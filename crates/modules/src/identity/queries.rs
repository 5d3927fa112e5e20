//! Reads for the gateway and for auditors: from a source of state values to this module's types.

use zhulian_execution::Roles;
use zhulian_ledger::Key as StateKey;
use zhulian_primitives::Height;

use super::{
    state,
    types::{Key, Member, MemberId, MemberKey, Organisation, Uscc},
};
use crate::source::{Source, load};

/// A member with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberView {
    /// Its id.
    pub id: MemberId,
    /// Its record.
    pub member: Member,
}

/// A key with its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyView {
    /// The key.
    pub key: MemberKey,
    /// Its record.
    pub record: Key,
}

/// An organisation.
pub fn organisation(source: &impl Source, code: &Uscc) -> Option<Organisation> {
    load(source, &state::ORGANISATION, code)
}

/// Organisations in the order in which they were admitted, from the `from`-th.
pub fn organisations(source: &impl Source, from: u32, limit: usize) -> Vec<(Uscc, Organisation)> {
    let totals = load(source, &state::TOTALS, &()).unwrap_or_default();
    let codes = (from..totals.organisations).take(limit).filter_map(|n| load(source, &state::ORGANISATION_AT, &n));
    codes.filter_map(|code| Some((code, organisation(source, &code)?))).collect()
}

/// A member of an organisation.
pub fn member(source: &impl Source, code: &Uscc, id: &MemberId) -> Option<Member> {
    load(source, &state::MEMBER, &(*code, id.clone()))
}

/// Members of an organisation in the order in which they were added, from the `from`-th.
pub fn members_of(source: &impl Source, code: &Uscc, from: u32, limit: usize) -> Vec<MemberView> {
    let count = organisation(source, code).map_or(0, |organisation| organisation.members);
    let ids = (from..count).take(limit).filter_map(|n| load(source, &state::MEMBER_AT, &(*code, n)));
    ids.filter_map(|id| member(source, code, &id).map(|member| MemberView { id, member })).collect()
}

/// A key.
pub fn key(source: &impl Source, key: &MemberKey) -> Option<Key> {
    load(source, &state::KEY, key)
}

/// Every key that a member ever had, oldest first, with the heights between which each counted.
pub fn keys_of(source: &impl Source, code: &Uscc, id: &MemberId) -> Vec<KeyView> {
    let count = member(source, code, id).map_or(0, |member| member.keys);
    let keys = (0..count).filter_map(|n| load(source, &state::KEY_AT, &(*code, id.clone(), n)));
    keys.filter_map(|public| key(source, &public).map(|record| KeyView { key: public, record })).collect()
}

/// Who may act with this key at `height`: organisation, member and roles; `None` when nobody.
pub fn holder(source: &impl Source, public: &MemberKey, height: Height) -> Option<(Uscc, MemberId, Roles)> {
    let record = key(source, public).filter(|key| key.counts_at(height))?;
    organisation(source, &record.organisation).filter(Organisation::is_active)?;
    let member = member(source, &record.organisation, &record.member).filter(Member::is_active)?;
    Some((record.organisation, record.member, member.roles))
}

/// State key of an organisation's record, for a proof.
pub fn organisation_state_key(code: &Uscc) -> StateKey {
    state::ORGANISATION.key(code)
}

/// State key of a member's record, for a proof.
pub fn member_state_key(code: &Uscc, id: &MemberId) -> StateKey {
    state::MEMBER.key(&(*code, id.clone()))
}

/// State key of a key's record, for a proof.
pub fn key_state_key(key: &MemberKey) -> StateKey {
    state::KEY.key(key)
}
