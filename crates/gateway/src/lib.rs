#![doc = include_str!("../README.md")]

mod backend;
mod cases;
mod certificate;
mod check;
mod config;
mod cursor;
mod entries;
mod evidence;
mod failure;
mod json;
mod listener;
mod metrics;
mod names;
pub mod openapi;
mod packs;
mod read;
mod refusals;
mod request;
mod routes;
mod sequence;
mod server;
mod show;
mod shutdown;
mod state;

pub use backend::{
    Answer, Archive, Backend, BackendError, CalendarDue, CaseFilter, CaseState, DecisionFilter, Disk, EvidenceFilter,
    EvidencePlace, EvidenceRow, Finality, HistoryRow, KeyDue, NodeStatus, Outcome, PackMotion, Page, PagePosition, Peer,
    Phase, Position, StateProof, Submission, TaskFilter, TransactionFilter, TransactionRow, TransactionState,
};
pub use config::Config;
pub use failure::Failure;
pub use refusals::{Described, describe};
pub(crate) use server::{Gateway, Shared};
pub use server::{router, serve};
pub use shutdown::{Shutdown, Stopper, shutdown};
pub use zhulian_api::{
    diagnosis::{DAMAGED_ENTRIES, ENGINE_SILENT, ENGINE_STOPPED},
    view::CONNECTED_SECONDS,
};
