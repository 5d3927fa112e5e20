//! The engine as a whole, on the deterministic runtime and a simulated network.

mod agreement;
mod toy;
mod world;
