//! Tests of the crate from outside, in one binary.

#![allow(clippy::disallowed_methods, reason = "tests look at how long something takes; the crate itself has no clock")]

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
