#![doc = include_str!("../README.md")]

mod application;
mod archive;
pub mod audit;
mod block;
mod budget;
mod certificate;
mod chain;
mod clock;
pub mod cold;
mod config;
mod engine;
mod epochs;
mod error;
mod feed;
mod gossip;
mod handle;
mod history;
mod hot;
mod interface;
mod keys;
mod pace;
mod questions;
mod reader;
#[cfg(feature = "seeded-bugs")]
pub mod seeded;
mod service;
mod sets;
mod startup;
mod state;
mod status;
mod store;
mod sync;
mod tree;
mod watched;
pub mod wiring;

pub use config::{Cold, Config, ConfigError, Limits, Pace, Peer, StateSync, Storage, Timeouts};
pub use engine::{Engine, Failure};
pub use error::{Corrupt, Error};
pub use gossip::{GOSSIP_BYTES_MAX, Gossip, GossipReceiver};
pub use handle::{Finality, Handle, StateProof};
pub use interface::{Observer, Transactions};
pub use state::verify_state_proof;
pub use status::{ArchiveStatus, CONNECTED_MS, PeerStatus, Phase, Status};
