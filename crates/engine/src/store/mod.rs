//! One log for all blobs of a node.
//!
//! The engine's parts keep some twenty files and want several of them on disk before each vote; a file system asked for each of them flushes
//! the disk forty times for a block. Here everything that is done to any blob is appended to one log, and whoever wants something on disk waits
//! for the log: what is asked for at the same time is written with one flush. Blobs are written to their own files later, in one go, when a segment
//! of the log is full ([`Layers`](layers::Layers)); a blob that is gone by then never has a file. After a stop, what the files may lack
//! is done again from the log.
//!
//! The library's storage contract holds: what was synced is there after a crash, what was not may be.

mod blob;
mod context;
mod file;
mod layers;
mod log;
mod shared;
mod writer;

pub(crate) use context::Logged;

#[cfg(test)]
mod tests;
