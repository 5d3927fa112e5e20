#![doc = include_str!("../README.md")]

mod ids;
pub mod index;
mod machine;
pub mod mempool;
mod verifier;

pub use machine::CityMachine;
pub use verifier::Verifier;
