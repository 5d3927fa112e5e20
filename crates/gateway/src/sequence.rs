//! CBOR sequences (RFC 8742): items one after the other.

use bytes::Bytes;
use minicbor::Decoder;
use zhulian_api::ErrorCode;

use crate::Failure;

/// Splits a sequence into its items without copying. From where it is no CBOR any more, the rest is one item, for whoever reads the
/// items to refuse.
///
/// # Errors
/// More than `count_max` items.
pub fn split(body: &Bytes, count_max: usize) -> Result<Vec<Bytes>, Failure> {
    let mut items = Vec::new();
    let mut start = 0;
    while start < body.len() {
        if items.len() == count_max {
            return Err(Failure::new(
                ErrorCode::TooManyTransactions,
                format!("more than {count_max} items in the sequence"),
            ));
        }
        let mut d = Decoder::new(&body[start..]);
        let end = match d.skip() {
            Ok(()) => start + d.position(),
            Err(_) => body.len(),
        };
        items.push(body.slice(start..end));
        start = end;
    }
    Ok(items)
}
