#![doc = include_str!("../README.md")]

mod machine;
pub mod merkle;
mod state;

pub use machine::{
    BlockContext, Execution, Loaded, Machine, Missing, Outcome, Pause, RECEIPTS_BYTES_MAX, Seat, UnknownProtocol,
    VALUE_BYTES_MAX,
};
pub use state::{Key, KeyPart, Map, Value, Writes, state_key};
