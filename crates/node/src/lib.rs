#![doc = include_str!("../README.md")]

pub mod archive;
pub mod audit;
mod backend;
mod calendars;
pub mod config;
mod disk;
mod holdings;
mod ids;
pub mod index;
mod keys;
mod machine;
pub mod mempool;
mod observer;
pub mod parts;
mod process;
mod protocol;
pub mod telemetry;
mod verifier;

pub use backend::NodeBackend;
pub use config::Config;
pub use disk::free_bytes;
pub use machine::CityMachine;
pub use observer::Finalised;
pub use process::{Node, NodeError, remove_index, run};
pub use verifier::Verifier;
