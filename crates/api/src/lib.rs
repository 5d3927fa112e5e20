#![doc = include_str!("../README.md")]

mod client;
pub mod diagnosis;
mod error;
mod hex;
mod problem;
#[cfg(test)]
mod tests;
pub mod view;

pub use client::{Client, ClientError, EventStream, Query, ServerEvent, Wait};
pub use error::{ErrorCode, ErrorEntry};
pub use hex::{Hex32, HexBytes, HexError};
pub use problem::{PROBLEM_MEDIA_TYPE, Problem};

/// Transactions that one request may carry.
pub const TRANSACTIONS_PER_REQUEST_MAX: usize = 1_000;
/// Bytes of the largest body of transactions.
pub const TRANSACTIONS_BODY_BYTES_MAX: usize = 8 << 20;
/// Bytes of the largest body of batch entries: a million entries of the largest form.
pub const ENTRIES_BODY_BYTES_MAX: usize = 160 << 20;
/// Bytes of the largest JSON body.
pub const JSON_BODY_BYTES_MAX: usize = 16 << 10;
/// Items of a list when the request does not say.
pub const LIMIT_DEFAULT: usize = 50;
/// Items of a list at most.
pub const LIMIT_MAX: usize = 200;
/// How long a request may wait for finality when it does not say, in milliseconds.
pub const WAIT_MS_DEFAULT: u64 = 10_000;
/// How long a request may wait for finality at most, in milliseconds.
pub const WAIT_MS_MAX: u64 = 60_000;
/// Media type of one transaction, and of a COSE receipt.
pub const MEDIA_COSE: &str = "application/cose";
/// Media type of many transactions, or of batch entries: the items one after the other (RFC 8742).
pub const MEDIA_CBOR_SEQ: &str = "application/cbor-seq";
/// Media type of a receipt file.
pub const MEDIA_CBOR: &str = "application/cbor";
/// Media type of a file of a rule pack.
pub const MEDIA_OCTETS: &str = "application/octet-stream";
/// Media type of the rest.
pub const MEDIA_JSON: &str = "application/json";
