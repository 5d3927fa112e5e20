//! The error body: RFC 9457 problem details with a stable code, both languages, and what to do next.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Media type of a problem.
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not answered as asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Address that names the kind of problem: `/v1/errors#` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What exactly was wrong with this request, in English. Never repeats what was sent.
    pub detail: String,
    /// The stable code, for example `request.malformed_query`; `/v1/errors` lists all.
    pub code: String,
    /// What the matter is, in Chinese.
    pub zh: String,
    /// What the matter is, in English.
    pub en: String,
    /// What to do next, in Chinese.
    pub remedy_zh: String,
    /// What to do next, in English.
    pub remedy_en: String,
    /// Whether the same request may succeed later.
    pub retry: bool,
}
