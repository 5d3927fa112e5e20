//! Who acts, and what they may do.

use minicbor::{Decode, Encode};
use zhulian_crypto::PublicKey;
use zhulian_ledger::Key;

use crate::{Context, Halt};

/// The five kinds of organisation (domain R-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Class {
    /// A department of government, 政府部门.
    #[n(0)]
    Government,
    /// A court, 司法机关.
    #[n(1)]
    Judicial,
    /// A bank or insurer, 金融机构.
    #[n(2)]
    Financial,
    /// A hospital, notary office, association, 社会组织.
    #[n(3)]
    Social,
    /// A firm, 企业.
    #[n(4)]
    Enterprise,
}

impl Class {
    /// Every class, in order.
    pub const ALL: [Class; 5] = [Self::Government, Self::Judicial, Self::Financial, Self::Social, Self::Enterprise];

    /// Its name in the API and the CLI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Government => "government",
            Self::Judicial => "judicial",
            Self::Financial => "financial",
            Self::Social => "social",
            Self::Enterprise => "enterprise",
        }
    }

    /// Its Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Government => "政府部门",
            Self::Judicial => "司法机关",
            Self::Financial => "金融机构",
            Self::Social => "社会组织",
            Self::Enterprise => "企业",
        }
    }

    /// The class of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// What a member may be trusted with in its organisation.
///
/// System, security and audit administration are three roles that no one account can join (三权分立, GB/T 22239-2019).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// 系统管理员: members and systems of the organisation.
    #[n(0)]
    SystemAdmin,
    /// 安全管理员: keys and roles.
    #[n(1)]
    SecurityAdmin,
    /// 审计管理员: sees all, changes nothing.
    #[n(2)]
    AuditAdmin,
    /// 代表: votes for the organisation in governance.
    #[n(3)]
    Representative,
    /// 经办人: the organisation's daily business, such as depositing evidence.
    #[n(4)]
    Officer,
    /// 法官: orders of a court; only in judicial organisations.
    #[n(5)]
    Judge,
}

impl Role {
    /// Every role, in order.
    pub const ALL: [Role; 6] =
        [Self::SystemAdmin, Self::SecurityAdmin, Self::AuditAdmin, Self::Representative, Self::Officer, Self::Judge];

    /// The three administrations that no account joins.
    pub const POWERS: [Role; 3] = [Self::SystemAdmin, Self::SecurityAdmin, Self::AuditAdmin];

    /// Its name in the API, the CLI and the access matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::SystemAdmin => "system_admin",
            Self::SecurityAdmin => "security_admin",
            Self::AuditAdmin => "audit_admin",
            Self::Representative => "representative",
            Self::Officer => "officer",
            Self::Judge => "judge",
        }
    }

    /// Its Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::SystemAdmin => "系统管理员",
            Self::SecurityAdmin => "安全管理员",
            Self::AuditAdmin => "审计管理员",
            Self::Representative => "代表",
            Self::Officer => "经办人",
            Self::Judge => "法官",
        }
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A set of roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Roles(#[n(0)] u32);

impl Roles {
    /// The set of these roles.
    pub fn of(roles: &[Role]) -> Self {
        Self(roles.iter().fold(0, |bits, role| bits | 1 << (*role as u32)))
    }
    /// Whether the role is in the set.
    pub fn has(self, role: Role) -> bool {
        self.0 & 1 << (role as u32) != 0
    }
    /// The roles in order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
    /// Whether every bit is a role we know.
    pub fn is_known(self) -> bool {
        self.0 >> Role::ALL.len() == 0
    }
    /// Whether no two of the three administrations meet in it.
    pub fn keeps_powers_apart(self) -> bool {
        self.powers().iter().count() <= 1
    }
    /// The administrations in it.
    pub fn powers(self) -> Self {
        Self(self.0 & Self::of(&Role::POWERS).0)
    }
    /// The roles of both sets.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Whether every role of `other` is in it.
    pub fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }
    /// Whether there is no role in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Who signed a transaction, as the directory knows them at this block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The key that signed.
    pub key: PublicKey,
    /// The member that holds the key: a person or system, by its id in the organisation.
    pub member: String,
    /// Unified social credit code of the organisation.
    pub organisation: String,
    /// The organisation's class.
    pub class: Class,
    /// The member's roles.
    pub roles: Roles,
}

/// Who may make a call. The access matrix in `docs/access.md` is printed from these.
#[derive(Clone, Copy, Debug)]
pub enum Allowed {
    /// Every registered member.
    Member,
    /// A member with at least one of these roles.
    AnyOf(&'static [Role]),
}

impl Allowed {
    /// Whether a member with these roles may make the call.
    pub fn admits(self, roles: Roles) -> bool {
        match self {
            Self::Member => true,
            Self::AnyOf(any) => any.iter().any(|role| roles.has(*role)),
        }
    }
}

/// Resolves keys to actors; the identity module provides it.
pub struct Directory {
    /// State keys that resolving this key surely reads.
    pub reads: fn(&PublicKey) -> Vec<Key>,
    /// The actor behind a key, or why there is none.
    pub actor: fn(&mut Context<'_>, &PublicKey) -> Result<Actor, Halt>,
}
