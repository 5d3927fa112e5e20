//! The engine as a whole: on the deterministic runtime with a simulated network, and once on the real ones.

mod agreement;
mod certificates;
mod corruption;
mod epochs;
mod proofs;
mod recovery;
mod toy;
mod world;
