//! Tests of the primitives.
mod item;
mod transaction;
mod vectors;
