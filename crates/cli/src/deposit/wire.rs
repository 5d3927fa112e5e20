//! The arguments of deposits, in the published shape.

use minicbor::Encoder;
use zhulian_crypto::Digest;
use zhulian_modules::evidence::{Details, LegalBasis, SourceType};
use zhulian_primitives::{EvidenceId, TransactionId, codec};
use zhulian_verify::FileRecord;

use crate::commands::evidence::LEGAL_BASIS_DEFAULT;

/// Arguments of `evidence.deposit`: `{0: file, 1: details}`.
pub fn deposit_args(file: &FileRecord, details: &[u8]) -> Vec<u8> {
    let mut out = vec![0xa2, 0x00];
    out.extend_from_slice(&codec::to_bytes(file));
    out.push(0x01);
    out.extend_from_slice(details);
    out
}

/// Arguments of `evidence.deposit_batch`: `{0: root, 1: count, 2: details}`.
pub fn batch_args(root: Digest, count: u64, details: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + details.len());
    Encoder::new(&mut out)
        .map(3)
        .and_then(|e| e.u8(0))
        .and_then(|e| e.bytes(&root))
        .and_then(|e| e.u8(1))
        .and_then(|e| e.u64(count))
        .and_then(|e| e.u8(2))
        .expect("encoding into memory cannot fail");
    out.extend_from_slice(details);
    out
}

/// The evidence number of the deposit that a transaction made.
pub fn evidence_number(transaction: &TransactionId) -> String {
    EvidenceId::of(transaction).to_string()
}

/// Details that say only what must be said: a file, deposited by a party of its own accord.
///
/// # Panics
/// Never: the default basis is of the published form.
pub fn default_details() -> Vec<u8> {
    let basis = LegalBasis::parse(LEGAL_BASIS_DEFAULT).expect("the default basis is of the published form");
    codec::to_bytes(&Details::new(SourceType::File, basis))
}
