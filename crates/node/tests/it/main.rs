//! The node's parts, and four nodes together.

mod index;
mod intake;
mod machine;
mod mempool;
mod toy;
