#![doc = include_str!("../README.md")]

mod check;
mod cose_receipt;
mod deposit;
mod file;
mod json;
mod network;
mod receipt_file;
mod refusal;
mod text;
mod verify;

pub use check::{Answer, CheckError, Field, Mismatch, check_file, check_record};
pub use cose_receipt::{CoseStatement, Inclusion, cose_receipt, public_key_pem};
pub use deposit::{Deposit, Entry, FileRecord, deposit_by_case, deposit_of};
pub use file::{CHUNK_BYTES, FileHasher, HashedFile};
pub use json::{cbor_json, receipt_json, verified_json};
pub use network::{NETWORK_FORMAT, NetworkFileError, parse_network, print_network};
pub use receipt_file::{
    AssembleError, BatchEntry, CHUNKS_MAX, HEADERS_MAX, PATH_MAX, RECEIPT_BYTES_MAX, RECEIPT_FORMAT, ReceiptFile,
};
pub use refusal::Refusal;
pub use text::{Language, answer_sentence, answer_text, format_time, verified_text};
pub use verify::{Verified, Verifier, verify_receipt};
