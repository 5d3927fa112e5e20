//! Batch verification, with the same answer for each signature as single verification.

use ed25519_zebra::batch;
use rayon::prelude::*;

use crate::{PublicKey, Signature};

/// A message with the key and signature to check it by.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// Who is said to have signed.
    pub key: PublicKey,
    /// The signed bytes.
    pub message: &'a [u8],
    /// The signature.
    pub signature: Signature,
}

/// Signatures in one multi-scalar multiplication; beyond about this size the gain per signature flattens.
const CHUNK: usize = 2048;

/// Tells for each item whether its signature is valid, using the threads of the current rayon pool.
///
/// Ed25519 items are checked together and, only if a chunk fails, one by one; ZIP-215 makes both answers equal. The
/// randomness of the batch equation cannot change an answer, only hide a forgery with probability 2^-128.
pub fn verify_batch(items: &[Signed<'_>]) -> Vec<bool> {
    items.par_chunks(CHUNK).flat_map_iter(verify_chunk).collect()
}

fn verify_chunk(items: &[Signed<'_>]) -> Vec<bool> {
    let mut verifier = batch::Verifier::new();
    for entry in items.iter().filter_map(entry) {
        verifier.queue(entry);
    }
    let all = verifier.verify(batch_rng()).is_ok();
    let valid = |item: &Signed<'_>| match entry(item) {
        Some(entry) => entry.verify_single().is_ok(),
        None => item.key.verify(item.message, &item.signature),
    };
    items.iter().map(|item| (all && matches!(item.key, PublicKey::EdDsa(_))) || valid(item)).collect()
}

/// An item as the batch takes it, if it takes its kind.
fn entry(item: &Signed<'_>) -> Option<batch::Item> {
    match item.key {
        PublicKey::EdDsa(raw) => Some((raw.into(), ed25519_zebra::Signature::from(item.signature), item.message).into()),
        PublicKey::Es256(_) => None,
    }
}

fn batch_rng() -> impl rand::CryptoRng {
    rand::rng()
}
