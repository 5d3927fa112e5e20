use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MotionView;
use crate::Hex32;

/// A rule pack in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackRow {
    /// Its id.
    pub pack: String,
    /// Its title in Chinese, by its latest version.
    pub title: String,
    /// Its title in English.
    pub title_en: String,
    /// The statute it carries out.
    pub statute: String,
    /// Number of the version in force now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub in_force: Option<u32>,
    /// Number of the latest version.
    pub latest: u32,
}

super::list::list! {
    /// Rule packs in the order in which they were first enacted.
    PackList of PackRow
}

/// A rule pack with its versions and drafts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackView {
    /// Its id.
    pub pack: String,
    /// Its versions, newest first.
    pub versions: Vec<VersionView>,
    /// Drafts that are no version, newest first; the latest 20 are shown.
    pub drafts: Vec<DraftView>,
    /// Height of the state that this was read from.
    pub height: u64,
}

/// A version of a pack that was voted in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionView {
    /// Its number.
    pub version: u32,
    /// SHA-256 of its manifest; `/v1/manifests/{digest}` has its files.
    pub manifest: Hex32,
    /// `upcoming`, `in_force`, `past` or `annulled`.
    pub status: String,
    /// From when on it is in force.
    pub from_ms: u64,
    /// Until when, if that is known; not included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub to_ms: Option<u64>,
    /// Notice that the next version must give.
    pub notice_ms: u64,
    /// The version that a case keeps: `opened`, the one in force when it was opened, or `latest`.
    pub keeps: String,
    /// When it was voted in.
    pub enacted_ms: u64,
    /// Height of that block.
    pub enacted_height: u64,
    /// Height at which it was annulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub annulled_height: Option<u64>,
    /// The motions to enact it and to annul it, with their votes.
    pub motions: Vec<MotionView>,
}

/// A draft that is not, or not yet, a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DraftView {
    /// The number that it would have.
    pub version: u32,
    /// SHA-256 of its manifest.
    pub manifest: Hex32,
    /// The motions to enact it, with their votes.
    pub motions: Vec<MotionView>,
}

/// What a version of a pack, or a draft, is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ManifestView {
    /// SHA-256 of the manifest.
    pub manifest: Hex32,
    /// The pack.
    pub pack: String,
    /// The version.
    pub version: u32,
    /// Title in Chinese.
    pub title: String,
    /// Title in English.
    pub title_en: String,
    /// The statute it carries out.
    pub statute: String,
    /// From when on it is in force.
    pub from_ms: u64,
    /// Until when, if that is known; not included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub to_ms: Option<u64>,
    /// Notice that the next version must give.
    pub notice_ms: u64,
    /// The version that a case keeps: `opened` or `latest`.
    pub keeps: String,
    /// Its files.
    pub files: Vec<PackFileView>,
    /// What it can decide.
    pub decisions: Vec<DecisionView>,
    /// What it fixes: inputs that nobody may state otherwise.
    pub rates: Vec<RateView>,
    /// Documents that it requires.
    pub documents: Vec<DocumentView>,
    /// Procedures by which cases run.
    pub procedures: Vec<ProcedureView>,
    /// Height of the state that this was read from.
    pub height: u64,
}

/// A file of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackFileView {
    /// `decisions`, `calendar`, `rates`, `documents` or `procedure`.
    pub kind: String,
    /// Its file name.
    pub name: String,
    /// SHA-256 of the file; `/v1/manifests/{digest}/files/{sha256}` gives its bytes.
    pub sha256: Hex32,
    /// Its bytes.
    pub size: u64,
}

/// A decision that a pack can make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionView {
    /// Its name.
    pub decision: String,
    /// The facts that it needs.
    pub needs: Vec<InputView>,
}

/// A fact that a decision needs, or a value that a case may hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InputView {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A rate or threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RateView {
    /// The input's name.
    pub name: String,
    /// Its value in canonical FEEL.
    pub value: String,
}

/// A required document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DocumentView {
    /// Its code.
    pub code: String,
    /// Where it comes from.
    pub source: String,
    /// Its name in Chinese.
    pub name: String,
    /// Its name in English.
    pub name_en: String,
}

/// A procedure of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProcedureView {
    /// Its identifier.
    pub process: String,
    /// Its name, as drawn.
    pub name: String,
    /// Values that a case of it may hold.
    pub variables: Vec<InputView>,
    /// Materials that it asks for.
    pub materials: Vec<String>,
}

/// A decision that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionRow {
    /// The transaction; its receipt decides again offline.
    pub transaction: Hex32,
    /// Height of its block.
    pub height: u64,
    /// Its index in the block.
    pub index: u32,
    /// Time of its block.
    pub time_ms: u64,
    /// The version that decided.
    pub version: u32,
    /// The decision.
    pub decision: String,
    /// The disclosed facts.
    pub facts: Vec<FactView>,
    /// The outcome in canonical FEEL.
    pub outcome: String,
    /// Gas it took.
    pub gas: u64,
    /// The rules that matched, in the order they did.
    pub hits: Vec<HitView>,
    /// Unified social credit code of the organisation that asked.
    pub organisation: String,
    /// The member that asked.
    pub member: String,
    /// The version in force at the time, which may be a later one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub in_force: Option<u32>,
    /// What it is about: a salted commitment, or SHA-256 of a case's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub subject: Option<Hex32>,
}

/// A fact that a decision was made on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactView {
    /// The input's name.
    pub name: String,
    /// Its value in canonical FEEL.
    pub value: String,
    /// Salted commitment to the record it was drawn from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub commitment: Option<Hex32>,
}

/// A rule that matched, each counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HitView {
    /// The table in the pack.
    pub table: u16,
    /// The rule in the table.
    pub rule: u16,
}

super::list::list! {
    /// Decisions by a pack, newest first.
    DecisionList of DecisionRow
}
