//! State keys of the identity module. No other file spells them.

use zhulian_execution::StateEntry;
use zhulian_ledger::Map;

use super::types::{Key, Member, MemberId, MemberKey, Organisation, Totals, Uscc};

/// `identity/organisation/{uscc}`: written by genesis, motions, and every call that changes a member; never deleted (I8).
pub(crate) const ORGANISATION: Map<Uscc, Organisation> = Map::new("identity/organisation");
/// `identity/organisation_at/{n}`: the n-th organisation, for listing them all.
pub(super) const ORGANISATION_AT: Map<u32, Uscc> = Map::new("identity/organisation_at");
/// `identity/totals`: how many organisations there are and vote.
pub(crate) const TOTALS: Map<(), Totals> = Map::new("identity/totals");
/// `identity/member/{uscc}/{id}`: never deleted (I8).
pub(super) const MEMBER: Map<(Uscc, MemberId), Member> = Map::new("identity/member");
/// `identity/member_at/{uscc}/{n}`: the n-th member of an organisation, for listing them all.
pub(super) const MEMBER_AT: Map<(Uscc, u32), MemberId> = Map::new("identity/member_at");
/// `identity/key/{public key}`: whose it is and when it counts; written once and ended at most once (I2, I3).
pub(super) const KEY: Map<MemberKey, Key> = Map::new("identity/key");
/// `identity/key_at/{uscc}/{id}/{n}`: the n-th key of a member, for listing them all.
pub(super) const KEY_AT: Map<(Uscc, MemberId, u32), MemberKey> = Map::new("identity/key_at");

/// For `docs/state.md`.
pub(super) const CATALOGUE: &[StateEntry] = &[
    StateEntry {
        map: ORGANISATION.name,
        key: "code: 18 bytes of ASCII",
        value: "{0: class, 1: zh, ?2: en, 3: votes, 4: admitted height, ?5: suspended since height, 6: members ever, 7: [acting system, security, audit administrators]}",
        writers: "genesis; governance.cast_ballot (admit, suspend, reinstate, recover); identity.add_member, suspend_member, reinstate_member, assign_roles, confirm_roles, register_key, revoke_key",
    },
    StateEntry {
        map: ORGANISATION_AT.name,
        key: "n: 4 bytes big-endian",
        value: "the code of the n-th organisation",
        writers: "genesis; governance.cast_ballot (admit)",
    },
    StateEntry {
        map: TOTALS.name,
        key: "",
        value: "{0: organisations ever admitted, 1: organisations that vote now}",
        writers: "genesis; governance.cast_ballot (admit, suspend, reinstate)",
    },
    StateEntry {
        map: MEMBER.name,
        key: "code: 18 bytes; id: 4 bytes of length, then the text",
        value: "{0: kind, 1: roles, 2: administrations ever held, 3: added height, ?4: suspended since height, 5: keys ever, 6: keys without end, ?7: roles that wait to be confirmed}",
        writers: "genesis; governance.cast_ballot (admit, recover); every call of identity",
    },
    StateEntry {
        map: MEMBER_AT.name,
        key: "code: 18 bytes; n: 4 bytes big-endian",
        value: "the id of the organisation's n-th member",
        writers: "genesis; governance.cast_ballot (admit, recover); identity.add_member",
    },
    StateEntry {
        map: KEY.name,
        key: "the public key: 32 bytes EdDSA, 33 bytes ES256",
        value: "{0: organisation, 1: member, 2: from height, ?3: until height (exclusive), ?4: why it ended}",
        writers: "genesis; governance.cast_ballot (admit, recover); identity.register_key, rotate_key, revoke_key",
    },
    StateEntry {
        map: KEY_AT.name,
        key: "code: 18 bytes; id: 4 bytes of length, then the text; n: 4 bytes big-endian",
        value: "the member's n-th key",
        writers: "genesis; governance.cast_ballot (admit, recover); identity.register_key, rotate_key",
    },
];
