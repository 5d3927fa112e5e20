#![doc = include_str!("../README.md")]

mod access;
mod context;
mod executor;
mod habit;
mod module;
mod prepared;
mod protocols;
mod refusal;
mod run;
mod state;
#[cfg(feature = "testkit")]
pub mod testkit;
mod window;

pub use access::{Actor, Allowed, Class, Directory, Role, Roles};
pub use context::Context;
pub use executor::Executor;
pub use module::{Call, CallEntry, Event, EventEntry, Module, StateEntry, Text};
pub use prepared::Prepared;
pub use protocols::Protocols;
pub use refusal::{Halt, Invalid, Refusal, RefusalEntry, TRANSACTION_REFUSALS, invalid, slug};
pub use run::Run;
pub use state::Read;
