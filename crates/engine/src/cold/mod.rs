//! The cold archive: old blocks in files that prove themselves, so that the node's own disk holds live state and recent blocks only.
//!
//! An archive is a directory of segments ([`segment`]), each one immutable file with a run of finalised blocks, their certificates, and the
//! handovers that lead from genesis to who signed them. Segments follow each other without a gap. They need no node to be read:
//! [`Directory`] finds blocks and transactions in them, [`check`] holds them against a network's identity.
//!
//! A node writes them ([`keeper`]), reads each back and checks it, and only then lets go of the blocks in its own store. Whatever moment it is
//! stopped at, a block is in its store, or in a segment that was checked, or in both.

mod directory;
pub(crate) mod keeper;
pub(crate) mod retention;
pub(crate) mod segment;
pub(crate) mod shelf;

pub use directory::{Directory, Found, Span, check};
pub use segment::{Checked, Fault, Record, Segment};

#[cfg(test)]
mod tests;
