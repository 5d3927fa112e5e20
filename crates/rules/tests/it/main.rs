//! Tests of the crate from outside, in one binary.

mod bounds;
mod calendar;
mod conformance;
mod deployment;
mod determinism;
mod explaining;
mod literals;
mod mutation;
mod numbers;
mod scenarios;
mod support;
mod tck;
