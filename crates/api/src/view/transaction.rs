use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Hex32;

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionState {
    /// Waits for a block.
    Pending,
    /// Executed in a finalised block.
    Finalised,
    /// Refused: in a finalised block if there is a height, before any block if not.
    Refused,
    /// Its time passed before it was in a block.
    Expired,
    /// Not taken for lack of room; the same bytes may be submitted again.
    Busy,
    /// Never heard of here.
    Unknown,
}

impl TransactionState {
    /// Whether it stays so for ever.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Finalised | Self::Refused | Self::Expired)
    }
}

/// Why a transaction was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusalView {
    /// The stable code, for example `evidence.not_depositor`.
    pub code: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// What to do next, in Chinese.
    pub remedy_zh: String,
    /// What to do next, in English.
    pub remedy_en: String,
    /// The HTTP status that the refusal corresponds to.
    pub status: u16,
    /// Whether the same bytes may succeed later.
    pub retry: bool,
}

/// Something that happened, as public history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// Module that says so.
    pub module: String,
    /// Past-tense name.
    pub name: String,
    /// The event's fields by the names of docs/events.md; bytes are hexadecimal.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

/// A transaction and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionView {
    /// Its id; absent when the submitted bytes are no transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<Hex32>,
    /// Where it stands.
    pub state: TransactionState,
    /// Height of its block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub height: Option<u64>,
    /// Its index in the block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub index: Option<u32>,
    /// Time of its block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub time_ms: Option<u64>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refusal: Option<RefusalView>,
    /// What it did; only where one transaction is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub events: Option<Vec<EventView>>,
}

/// What became of each submitted transaction, in the order sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Submitted {
    /// One for each transaction sent.
    pub transactions: Vec<TransactionView>,
}

/// A finalised transaction in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionRow {
    /// Its id.
    pub id: Hex32,
    /// `finalised` or `refused`.
    pub state: TransactionState,
    /// Height of its block.
    pub height: u64,
    /// Its index in the block.
    pub index: u32,
    /// Time of its block.
    pub time_ms: u64,
    /// The called module.
    pub module: String,
    /// The call.
    pub call: String,
    /// Unified social credit code of the signer's organisation, if the key was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub organisation: Option<String>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refusal: Option<RefusalView>,
}

super::list::list! {
    /// Finalised transactions, newest first.
    TransactionList of TransactionRow
}
