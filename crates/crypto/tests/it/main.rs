//! Tests of the crypto crate.
mod small_order;
mod vectors;
