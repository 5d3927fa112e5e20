use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::EventView;
use crate::Hex32;

/// What a deposit records of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileView {
    /// SHA-256 of the whole file.
    pub sha256: Hex32,
    /// SM3 of the whole file.
    pub sm3: Hex32,
    /// Bytes.
    pub size: u64,
    /// RFC 9162 root over its chunks of 1 MiB.
    pub chunks_root: Hex32,
}

/// A piece of evidence: a deposited file, a batch, or an entry of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceView {
    /// The evidence number (存证编号); for an entry of a batch with `-` and its index.
    pub id: String,
    /// The transaction that deposited it.
    pub transaction: Hex32,
    /// Height of its block.
    pub height: u64,
    /// Its index in the block.
    pub index: u32,
    /// Time of its block.
    pub time_ms: u64,
    /// Unified social credit code of the organisation that deposited it.
    pub organisation: String,
    /// Name of that organisation.
    pub organisation_name: String,
    /// The member that deposited it, by its id in the organisation.
    pub member: String,
    /// `in_use`, `frozen` (by a court) or `withdrawn` (from use, never erased).
    pub status: String,
    /// Who holds the original now, if not the depositor; absent is the neutrality flag (depositor is custodian).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub custodian: Option<PartyView>,
    /// Whether it is sealed.
    pub sealed: bool,
    /// Custody events so far; the history has them.
    pub custody_events: u32,
    /// Courts' freezes in force.
    pub freezes: Vec<FreezeView>,
    /// Its withdrawal from use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub withdrawal: Option<WithdrawalView>,
    /// The file; absent for a batch as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub file: Option<FileView>,
    /// RFC 9162 root over the entries of the batch that this is, or is an entry of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub batch_root: Option<Hex32>,
    /// Entries of that batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub batch_count: Option<u64>,
    /// Index in that batch, for an entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub entry: Option<u64>,
    /// Which deposit of the same file it is, from 0.
    pub sequence: u32,
    /// Number of the first deposit of the same file, if this is a later one (priority conflict).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub first_deposit: Option<String>,
    /// What the depositor told about it.
    pub details: DetailsView,
}

/// An organisation as evidence names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PartyView {
    /// Unified social credit code.
    pub uscc: String,
    /// Its name.
    pub name: String,
}

/// A court's freeze.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FreezeView {
    /// The court.
    pub court: PartyView,
    /// Its case number (案号).
    pub case: String,
    /// Height at which it froze.
    pub height: u64,
}

/// A withdrawal from use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithdrawalView {
    /// `mistake`, `superseded`, `consent_withdrawn`, `retention_over` or `other`.
    pub reason: String,
    /// Height.
    pub height: u64,
}

/// What a depositor told about evidence. Whatever could be personal is a salted commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetailsView {
    /// `web`, `screen`, `file`, `api`, `sensor`, `contract`, `payment` or `other`.
    pub source_type: String,
    /// Why the deposit is lawful.
    pub legal_basis: String,
    /// Unified social credit code of who held the original at the deposit, if not the depositor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub custodian: Option<String>,
    /// The case it may serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub case_hint: Option<String>,
    /// How it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub generation: Option<GenerationView>,
    /// Numbers of evidence that came before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prior_evidence: Vec<String>,
    /// Until when it is to be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retention_until_ms: Option<u64>,
    /// Salted commitment to its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name_commitment: Option<Hex32>,
    /// Root over the log of the process that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub process_log_root: Option<Hex32>,
    /// Codes of the depositor's own published list of notes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<u16>,
    /// SHA-256 of an RFC 3161 time-stamp token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub timestamp_token: Option<Hex32>,
}

/// How evidence was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GenerationView {
    /// SHA-256 of the document of all facts, which the depositor keeps.
    pub facts: Hex32,
    /// Salted commitments to single facts.
    pub commitments: Vec<CommitmentView>,
}

/// A salted commitment to one fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommitmentView {
    /// `device`, `system`, `cleanliness`, `address`, `dns`, `url`, `tls_chain`, `operator` or `place`.
    pub field: String,
    /// The commitment.
    pub commitment: Hex32,
}

super::list::list! {
    /// Deposited evidence, newest first.
    EvidenceList of EvidenceView
}

/// All that happened to a piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceHistory {
    /// The evidence number.
    pub id: String,
    /// Oldest first; the deposit is the first.
    pub items: Vec<HistoryItem>,
}

/// Something that happened to a piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryItem {
    /// The transaction.
    pub transaction: Hex32,
    /// Height of its block.
    pub height: u64,
    /// Its index in the block.
    pub index: u32,
    /// Time of its block.
    pub time_ms: u64,
    /// Unified social credit code of the organisation that did it.
    pub organisation: String,
    /// What happened.
    pub event: EventView,
}

/// A question whether a file is deposited: by its digest, or against one number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRequest {
    /// SHA-256 of the file.
    pub sha256: Hex32,
    /// SM3 of the file, checked too if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sm3: Option<Hex32>,
    /// Bytes of the file, checked too if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub size: Option<u64>,
    /// RFC 9162 root over its chunks of 1 MiB, checked too if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub chunks_root: Option<Hex32>,
    /// The evidence number that the file is said to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^ZL[0-7][0-9A-HJKMNP-TV-Z]{25}[0-9A-HJKMNP-TV-Z*~$=U](-(0|[1-9][0-9]{0,8}))?$")]
    pub id: Option<String>,
}

/// The three answers of a public check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The file is deposited.
    Verified,
    /// No such file is deposited.
    NotDeposited,
    /// The file is not what was deposited.
    Mismatch,
}

/// The answer to a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckAnswer {
    /// One of the three.
    pub answer: Answer,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// The deposits of the file, the first one first; for a mismatch what is deposited under the number or digest, and what differs in
    /// the fewest fields first.
    pub evidence: Vec<EvidenceView>,
    /// The fields that differ, for a mismatch.
    pub differing: Vec<String>,
    /// Height of the state that the answer was read from.
    pub height: u64,
}

/// What became of uploaded entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntriesAnswer {
    /// Number of the batch.
    pub id: String,
    /// Entries that are kept now.
    pub entries: u64,
}
