//! The engine as a whole: on the deterministic runtime with a simulated network, and once on the real ones.

mod agreement;
mod certificates;
mod cold;
mod corruption;
mod epochs;
mod growth;
mod proofs;
mod recovery;
mod toy;
mod world;
