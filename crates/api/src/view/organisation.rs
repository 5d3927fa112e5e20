use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Hex32, HexBytes};

/// An organisation in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganisationRow {
    /// Unified social credit code (统一社会信用代码).
    pub uscc: String,
    /// Its name.
    pub name: String,
    /// `government`, `judicial`, `financial`, `social` or `enterprise`.
    pub class: String,
    /// `active` or `suspended`.
    pub status: String,
}

super::list::list! {
    /// Organisations, ascending by code.
    OrganisationList of OrganisationRow
}

/// An organisation with its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganisationView {
    /// Unified social credit code.
    pub uscc: String,
    /// Its name.
    pub name: String,
    /// `government`, `judicial`, `financial`, `social` or `enterprise`.
    pub class: String,
    /// `active` or `suspended`.
    pub status: String,
    /// Its members, ascending by id.
    pub members: Vec<MemberView>,
}

/// A member of an organisation: a person or system, never named on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// Its id in the organisation.
    pub member: String,
    /// `active` or `suspended`.
    pub status: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its keys, former ones included.
    pub keys: Vec<KeyView>,
}

/// A key of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// The public key: 32 bytes for EdDSA, 33 for ES256.
    pub public_key: HexBytes,
    /// `EdDSA` or `ES256`.
    pub algorithm: String,
    /// Whether it may sign now.
    pub active: bool,
    /// When it was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub since_ms: Option<u64>,
    /// When it was revoked or replaced; signatures before stay valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until_ms: Option<u64>,
}

/// A motion of governance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MotionView {
    /// Its id: the transaction that moved it.
    pub id: Hex32,
    /// Height of its block.
    pub height: u64,
    /// Time of its block.
    pub time_ms: u64,
    /// Unified social credit code of the mover.
    pub organisation: String,
    /// `open`, `carried` or `rejected`.
    pub status: String,
    /// What is moved.
    #[schema(value_type = Object)]
    pub matter: serde_json::Value,
    /// The votes so far.
    pub ballots: Vec<BallotView>,
}

/// A vote on a motion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BallotView {
    /// Unified social credit code of the voter.
    pub organisation: String,
    /// Whether it is in favour.
    pub approve: bool,
}

super::list::list! {
    /// Motions, newest first.
    MotionList of MotionView
}
