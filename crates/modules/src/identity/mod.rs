//! Who is who: organisations, the members that act for them, and the keys that members sign with.
//!
//! # Invariants
//! - **I1** An organisation is known by its unified social credit code, whose check character fits (GB 32100-2015).
//! - **I2** A key names one member for ever: it is registered once, by one who holds it, and never given to another.
//! - **I3** A key counts from the height it is registered at up to, but not including, the height it ends at. Nothing is ever
//!   ended backwards, so an old signature stays valid for its time.
//! - **I4** Of the three administrations (system, security, audit) a member holds at most one in its whole life; neither changing
//!   roles nor rotating keys joins them (三权分立, GB/T 22239-2019).
//! - **I5** Nobody changes their own roles or standing, and no administrator alone makes another: the security administrator
//!   proposes the administration, a system administrator confirms it, and between the two no key may be added.
//! - **I6** An organisation that has an acting system, security or audit administrator keeps one: none is the last to go. What
//!   is lost all the same, a motion of the organisations restores (`governance`, recover).
//! - **I7** No personal data: a member is a pseudonym in its organisation, and an id that looks like a citizen or phone number
//!   is refused.
//! - **I8** Nothing is deleted; suspension and the end of a key change only their standing.

mod calls;
mod directory;
mod errors;
mod events;
mod founding;
mod queries;
mod rules;
mod state;
#[cfg(test)]
mod tests;
mod types;

use zhulian_execution::{CallEntry, EventEntry, Module, Text};

pub use {
    calls::{
        AddMember, AssignRoles, ConfirmRoles, RegisterKey, ReinstateMember, RevokeKey, RotateKey, SuspendMember,
        key_proof_bytes,
    },
    directory::DIRECTORY,
    errors::Error,
    events::{
        KeyEnded, KeyRegistered, MemberAdded, MemberReinstated, MemberSuspended, OrganisationAdmitted,
        OrganisationReinstated, OrganisationSuspended, RolesAssigned, RolesProposed,
    },
    founding::{FirstMember, Founding},
    queries::{
        KeyView, MemberView, holder, key, key_state_key, keys_of, member, member_state_key, members_of, organisation,
        organisation_state_key, organisations,
    },
    types::{Key, KeyEnd, Kind, Member, MemberId, MemberKey, Organisation, OrganisationName, Totals, Uscc},
};
pub(crate) use {
    directory::Me,
    founding::{admit, admit_entries, recover},
    rules::{VOTERS_MAX, reinstate_organisation, suspend_organisation},
    state::{ORGANISATION, TOTALS},
};

/// The module.
pub static MODULE: Module = Module {
    name: "identity",
    about: Text {
        en: "Organisations, their members and systems, roles, and the keys they sign with.",
        zh: "机构、成员与系统、角色及签名密钥。",
    },
    cddl: types::CDDL,
    calls: &[
        CallEntry::of::<AddMember>(),
        CallEntry::of::<SuspendMember>(),
        CallEntry::of::<ReinstateMember>(),
        CallEntry::of::<AssignRoles>(),
        CallEntry::of::<ConfirmRoles>(),
        CallEntry::of::<RegisterKey>(),
        CallEntry::of::<RotateKey>(),
        CallEntry::of::<RevokeKey>(),
    ],
    refusals: Error::ALL,
    events: &[
        EventEntry::of::<OrganisationAdmitted>(),
        EventEntry::of::<OrganisationSuspended>(),
        EventEntry::of::<OrganisationReinstated>(),
        EventEntry::of::<MemberAdded>(),
        EventEntry::of::<MemberSuspended>(),
        EventEntry::of::<MemberReinstated>(),
        EventEntry::of::<RolesProposed>(),
        EventEntry::of::<RolesAssigned>(),
        EventEntry::of::<KeyRegistered>(),
        EventEntry::of::<KeyEnded>(),
    ],
    state: state::CATALOGUE,
};
