//! Tests of the crate from outside, in one binary.

mod bounds;
mod conformance;
mod deployment;
mod determinism;
mod explaining;
mod mutation;
mod numbers;
mod support;
mod tck;
