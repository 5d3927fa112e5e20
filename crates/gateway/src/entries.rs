//! Uploaded entries of a batch: kept only if they are exactly what was deposited.

use bytes::Bytes;
use minicbor::Decoder;
use zhulian_api::ErrorCode;
use zhulian_crypto::Digest;
use zhulian_ledger::merkle;
use zhulian_verify::Entry;

use crate::Failure;

/// Splits the upload into its entries and checks each, their count and their root.
pub fn check(body: &Bytes, root: Digest, count: u64) -> Result<Vec<Bytes>, Failure> {
    let mut entries = Vec::with_capacity(usize::try_from(count).unwrap_or(0).min(body.len() / 100 + 1));
    let mut leaves = Vec::with_capacity(entries.capacity());
    let mut start = 0;
    while start < body.len() {
        let number = entries.len() as u64;
        if number == count {
            return Err(Failure::new(ErrorCode::EntriesMismatch, format!("more than the {count} entries of the batch")));
        }
        let malformed = |why: &str| Failure::new(ErrorCode::EntryMalformed, format!("entry {number}: {why}"));
        let mut d = Decoder::new(&body[start..]);
        d.skip().map_err(|_| malformed("not CBOR"))?;
        let end = start + d.position();
        let entry = body.slice(start..end);
        Entry::decode(&entry).map_err(|_| malformed("not the deterministic encoding of an entry"))?;
        leaves.push(merkle::leaf(&entry));
        entries.push(entry);
        start = end;
    }
    if entries.len() as u64 != count {
        let found = entries.len();
        return Err(Failure::new(ErrorCode::EntriesMismatch, format!("{found} entries, and the batch has {count}")));
    }
    if merkle::root_of_leaves(leaves) != root {
        return Err(Failure::new(ErrorCode::EntriesMismatch, "the entries do not give the root that was deposited"));
    }
    Ok(entries)
}
