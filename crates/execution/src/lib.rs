#![doc = include_str!("../README.md")]

mod access;
mod context;
mod executor;
mod module;
mod refusal;
mod state;
#[cfg(feature = "testkit")]
pub mod testkit;
mod window;

pub use access::{Actor, Allowed, Class, Directory, Role, Roles};
pub use context::Context;
pub use executor::Executor;
pub use module::{Call, CallEntry, EventEntry, Module, StateEntry};
pub use refusal::{Halt, Refusal, RefusalEntry, TRANSACTION_REFUSALS, slug};
pub use state::Read;
