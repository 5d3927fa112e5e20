use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every error and refusal with its stable code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorCatalogue {
    /// In the order of the catalogue: the gateway's own, then those of transactions, then by module.
    pub items: Vec<ErrorView>,
}

/// An error or refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorView {
    /// The stable code.
    pub code: String,
    /// HTTP status of a request that fails by it alone.
    pub status: u16,
    /// What the matter is, in Chinese.
    pub zh: String,
    /// What the matter is, in English.
    pub en: String,
    /// What to do next, in Chinese.
    pub remedy_zh: String,
    /// What to do next, in English.
    pub remedy_en: String,
    /// Whether the same bytes may succeed later.
    pub retry: bool,
}
