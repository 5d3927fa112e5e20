use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::HexBytes;

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganisationRow {
    /// Unified social credit code (统一社会信用代码).
    pub uscc: String,
    /// Its Chinese name.
    pub name: String,
    /// Its English name, if it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name_en: Option<String>,
    /// `government`, `judicial`, `financial`, `social` or `enterprise`.
    pub class: String,
    /// `active` or `suspended`.
    pub status: String,
    /// Whether it votes on motions.
    pub votes: bool,
    /// Height at which it was admitted.
    pub admitted_height: u64,
    /// Members that it ever had.
    pub members: u32,
}

super::list::list! {
    /// Organisations in the order in which they were admitted.
    OrganisationList of OrganisationRow
}

/// An organisation with its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrganisationView {
    /// Unified social credit code.
    pub uscc: String,
    /// Its Chinese name.
    pub name: String,
    /// Its English name, if it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name_en: Option<String>,
    /// `government`, `judicial`, `financial`, `social` or `enterprise`.
    pub class: String,
    /// `active` or `suspended`.
    pub status: String,
    /// Whether it votes on motions.
    pub votes: bool,
    /// Height at which it was admitted.
    pub admitted_height: u64,
    /// Its members in the order in which they were added.
    pub members: Vec<MemberView>,
    /// Height of the state that this was read from.
    pub height: u64,
}

/// A member of an organisation: a person or system, never named on the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// Its pseudonym in the organisation.
    pub member: String,
    /// `person` or `system`.
    pub kind: String,
    /// `active` or `suspended`.
    pub status: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its keys in the order of registration, former ones included.
    pub keys: Vec<KeyView>,
}

/// A key of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// The public key: 32 bytes for EdDSA, 33 for ES256.
    pub public_key: HexBytes,
    /// `EdDSA` or `ES256`.
    pub algorithm: String,
    /// Whether it counts now.
    pub active: bool,
    /// First height at which it counts.
    pub from_height: u64,
    /// First height at which it counts no more; signatures before stay valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until_height: Option<u64>,
    /// Why it ended: `rotated`, `lost`, `compromised` or `departed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub end: Option<String>,
}

/// A motion of governance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MotionView {
    /// Its number, from 0.
    pub motion: u32,
    /// Unified social credit code of the organisation that opened it.
    pub organisation: String,
    /// The representative that opened it.
    pub member: String,
    /// `open`, `executed`, `failed`, `rejected`, `withdrawn` or `expired`.
    pub status: String,
    /// `admit`, `suspend`, `reinstate`, `set_parameter` or `recover`.
    pub action: String,
    /// What it asks for.
    #[schema(value_type = Object)]
    pub matter: serde_json::Value,
    /// Height at which it was opened.
    pub opened_height: u64,
    /// Last height at which a ballot is taken.
    pub closes_height: u64,
    /// Height at which it was decided or withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decided_height: Option<u64>,
    /// Code of the refusal that stopped a carried motion.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub failure: Option<String>,
    /// The votes so far.
    pub ballots: Vec<BallotView>,
}

/// A vote on a motion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BallotView {
    /// Unified social credit code of the voter.
    pub organisation: String,
    /// The representative that cast it.
    pub member: String,
    /// Whether it is in favour.
    pub approve: bool,
    /// Height at which it was cast.
    pub height: u64,
}

super::list::list! {
    /// Motions, newest first.
    MotionList of MotionView
}
