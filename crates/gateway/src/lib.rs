//! The HTTP face of a node: REST described by OpenAPI, server-sent events, metrics, and the page.
mod backend;

pub use backend::{
    Answer, Backend, BackendError, EvidenceFilter, EvidencePlace, EvidenceRow, Finality, HistoryRow, MemberRow, MotionRow,
    NodeStatus, Outcome, Page, PagePosition, Peer, Phase, Position, StateProof, Submission, TransactionFilter, TransactionRow,
    TransactionState,
};
