//! The archive of old blocks, read without a node.

pub use zhulian_engine::cold::{Checked, Directory, Fault, Found, Record, Segment, Span, check};
use zhulian_verify::ReceiptFile;

/// The receipt file of the transaction whose id begins so, with at least 8 bytes; `None` when the archive does not have it.
///
/// # Errors
/// When a segment is damaged.
pub fn receipt(directory: &mut Directory, id: &[u8]) -> Result<Option<ReceiptFile>, Fault> {
    let Some(Found { height, index }) = directory.find(id)? else { return Ok(None) };
    let damaged = || Fault::Damaged("a block is not final by its segment");
    let Record { block, mut certificate } = directory.record(height)?.ok_or_else(damaged)?;
    let mut later = Vec::new();
    while certificate.is_none() {
        let record = directory.record(height + 1 + later.len() as u64)?.ok_or_else(damaged)?;
        later.push(record.block.header.clone());
        certificate = record.certificate;
    }
    let certificate = certificate.ok_or_else(damaged)?;
    let span = directory.span_of(height).ok_or_else(damaged)?;
    let mut handovers = directory.segment(span)?.handovers().to_vec();
    handovers.retain(|handover| handover.ends().is_some_and(|ends| ends < certificate.epoch));
    ReceiptFile::assemble(&block, index as usize, &later, &certificate, &handovers).map(Some).map_err(|_| damaged())
}
