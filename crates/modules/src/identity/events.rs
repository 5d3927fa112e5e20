//! Events of the identity module: the public history of who was who.

use minicbor::{Decode, Encode};
use zhulian_execution::{Class, Event, Roles, Text};
use zhulian_primitives::Height;

use super::types::{KeyEnd, Kind, MemberId, MemberKey, OrganisationName, Uscc};

/// An organisation was admitted; events for its members, roles and keys follow.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OrganisationAdmitted {
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
    /// Whether it votes.
    #[n(4)]
    pub votes: bool,
}

impl Event for OrganisationAdmitted {
    const MODULE: &'static str = "identity";
    const NAME: &'static str = "organisation_admitted";
    const ABOUT: Text = Text {
        en: "An organisation was admitted; events for its first members, roles and keys follow.",
        zh: "机构已加入；其首批成员、角色与密钥的事件随后列出。",
    };
    const CDDL: &'static str = "{ 0: uscc, 1: class, 2: name, ? 3: name, 4: bool }   ; code, class, zh, en, votes";
}

/// Declares an event about one organisation.
macro_rules! organisation_event {
    ($type:ident, $name:literal, $en:literal, $zh:literal) => {
        #[doc = $en]
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
        #[cbor(map)]
        pub struct $type {
            /// Its code.
            #[n(0)]
            pub organisation: Uscc,
        }

        impl Event for $type {
            const MODULE: &'static str = "identity";
            const NAME: &'static str = $name;
            const ABOUT: Text = Text { en: $en, zh: $zh };
            const CDDL: &'static str = "{ 0: uscc }   ; organisation";
        }
    };
}
organisation_event!(
    OrganisationSuspended,
    "organisation_suspended",
    "An organisation was suspended by a motion: none of its keys counts until it is reinstated.",
    "经表决，机构已停用：恢复之前其全部密钥无效。"
);
organisation_event!(
    OrganisationReinstated,
    "organisation_reinstated",
    "A suspended organisation was reinstated by a motion.",
    "经表决，已停用的机构恢复。"
);

/// A member was added.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MemberAdded {
    /// The organisation.
    #[n(0)]
    pub organisation: Uscc,
    /// The member.
    #[n(1)]
    pub member: MemberId,
    /// Person or system.
    #[n(2)]
    pub kind: Kind,
    /// The administrator who did it; absent for genesis and motions.
    #[n(3)]
    pub by: Option<MemberId>,
}

impl Event for MemberAdded {
    const MODULE: &'static str = "identity";
    const NAME: &'static str = "member_added";
    const ABOUT: Text =
        Text { en: "A member or system was added to an organisation.", zh: "机构新增了成员或系统。" };
    const CDDL: &'static str = "{ 0: uscc, 1: member, 2: kind, ? 3: member }   ; organisation, member, kind, by";
}

/// Declares an event about a member's standing.
macro_rules! standing_event {
    ($type:ident, $name:literal, $en:literal, $zh:literal) => {
        #[doc = $en]
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
        #[cbor(map)]
        pub struct $type {
            /// The organisation.
            #[n(0)]
            pub organisation: Uscc,
            /// The member.
            #[n(1)]
            pub member: MemberId,
            /// The administrator who did it.
            #[n(2)]
            pub by: MemberId,
        }

        impl Event for $type {
            const MODULE: &'static str = "identity";
            const NAME: &'static str = $name;
            const ABOUT: Text = Text { en: $en, zh: $zh };
            const CDDL: &'static str = "{ 0: uscc, 1: member, 2: member }   ; organisation, member, by";
        }
    };
}
standing_event!(
    MemberSuspended,
    "member_suspended",
    "A member was suspended: its keys do not count.",
    "成员已停用，其密钥无效。"
);
standing_event!(MemberReinstated, "member_reinstated", "A suspended member was reinstated.", "已停用的成员恢复。");

/// Declares an event about a member's roles.
macro_rules! roles_event {
    ($type:ident, $name:literal, $en:literal, $zh:literal) => {
        #[doc = $en]
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
        #[cbor(map)]
        pub struct $type {
            /// The organisation.
            #[n(0)]
            pub organisation: Uscc,
            /// The member.
            #[n(1)]
            pub member: MemberId,
            /// All its roles.
            #[n(2)]
            pub roles: Roles,
            /// The administrator who did it; absent for genesis and motions.
            #[n(3)]
            pub by: Option<MemberId>,
        }

        impl Event for $type {
            const MODULE: &'static str = "identity";
            const NAME: &'static str = $name;
            const ABOUT: Text = Text { en: $en, zh: $zh };
            const CDDL: &'static str = "{ 0: uscc, 1: member, 2: roles, ? 3: member }   ; organisation, member, roles, by";
        }
    };
}
roles_event!(
    RolesProposed,
    "roles_proposed",
    "Roles with an administration among them were proposed for a member; they hold once they are confirmed.",
    "已为成员提议含管理角色的角色集合，确认后生效。"
);
roles_event!(RolesAssigned, "roles_assigned", "A member has these roles from now on.", "成员自此具有这些角色。");

/// A key was registered.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KeyRegistered {
    /// The organisation.
    #[n(0)]
    pub organisation: Uscc,
    /// The member that holds it.
    #[n(1)]
    pub member: MemberId,
    /// The key.
    #[n(2)]
    pub key: MemberKey,
    /// First height at which it counts.
    #[n(3)]
    pub from: Height,
    /// Who did it: an administrator, or the member itself; absent for genesis and motions.
    #[n(4)]
    pub by: Option<MemberId>,
}

impl Event for KeyRegistered {
    const MODULE: &'static str = "identity";
    const NAME: &'static str = "key_registered";
    const ABOUT: Text = Text { en: "A key was registered to a member.", zh: "已为成员登记密钥。" };
    const CDDL: &'static str =
        "{ 0: uscc, 1: member, 2: public_key, 3: height, ? 4: member }   ; organisation, member, key, from, by";
}

/// A key ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KeyEnded {
    /// The organisation.
    #[n(0)]
    pub organisation: Uscc,
    /// The member that held it.
    #[n(1)]
    pub member: MemberId,
    /// The key.
    #[n(2)]
    pub key: MemberKey,
    /// First height at which it counts no more.
    #[n(3)]
    pub until: Height,
    /// Why.
    #[n(4)]
    pub end: KeyEnd,
    /// Who did it.
    #[n(5)]
    pub by: MemberId,
}

impl Event for KeyEnded {
    const MODULE: &'static str = "identity";
    const NAME: &'static str = "key_ended";
    const ABOUT: Text = Text {
        en: "A key ends at a height; what it signed before stays valid.",
        zh: "密钥自某高度起失效；此前的签名仍然有效。",
    };
    const CDDL: &'static str = "{ 0: uscc, 1: member, 2: public_key, 3: height, 4: key_end, 5: member }   ; organisation, member, key, until, why, by";
}
