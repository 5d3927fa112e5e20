//! Tests of the ledger crate.
mod merkle;
