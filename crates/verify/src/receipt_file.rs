//! The receipt file (`.zlr`): everything that proves one transaction, in one deterministic CBOR array.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode, encode::Write};
use zhulian_crypto::Digest;
use zhulian_ledger::merkle::{Tree, leaf};
use zhulian_primitives::{Block, Certificate, HANDOVERS_MAX, Handover, Header, codec};

use crate::Refusal;

/// First field of every receipt file of this version.
pub const RECEIPT_FORMAT: &str = "zhulian-receipt/1";
/// Bytes of the largest receipt file that is read.
pub const RECEIPT_BYTES_MAX: usize = 1 << 20;
/// Headers from the transaction's block to the certified one, at most.
pub const HEADERS_MAX: usize = 1024;
/// Chunk hashes that a receipt may carry: those of a file of 4 GiB.
pub const CHUNKS_MAX: usize = 4096;
/// Steps of the longest Merkle path, that of a tree of 2^64 leaves.
pub const PATH_MAX: usize = 64;

/// A receipt file, decoded and not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptFile {
    /// The transaction's bytes: a leaf of the transactions tree.
    pub transaction: Vec<u8>,
    /// The receipt's bytes: the leaf at the same index of the receipts tree.
    pub receipt: Vec<u8>,
    /// Index of both leaves. The size of both trees is in the first header.
    pub index: u64,
    /// Audit path in the transactions tree.
    pub transactions_path: Vec<Digest>,
    /// Audit path in the receipts tree.
    pub receipts_path: Vec<Digest>,
    /// Header bytes, from the transaction's block to the one that the certificate names; usually one.
    pub headers: Vec<Vec<u8>>,
    /// The certificate's bytes.
    pub certificate: Vec<u8>,
    /// How the validators of genesis handed over, one set to the next, to those that signed; empty while there was no change.
    pub epochs: Vec<Handover>,
    /// For a batch deposit: the entry this receipt is for.
    pub entry: Option<BatchEntry>,
    /// Leaf hashes of the deposited file's 1 MiB chunks, by which a changed chunk is named; not empty.
    pub chunks: Option<Vec<Digest>>,
}

/// An entry of a batch deposit with its path to the root that the transaction carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchEntry {
    /// The entry's bytes: a leaf of the batch's tree, whose size is in the transaction.
    pub bytes: Vec<u8>,
    /// Index of the leaf.
    pub index: u64,
    /// Its audit path.
    pub path: Vec<Digest>,
}

/// Why no receipt can be put together from what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssembleError {
    /// The block has no such transaction, or not one receipt for each.
    #[error("the block has no transaction and receipt at index {0}")]
    NoSuchTransaction(usize),
    /// No header between the block and the certificate fits.
    #[error("the certificate does not finalise the last header")]
    OtherBlock,
}

impl ReceiptFile {
    /// Puts together the receipt of transaction `index` of `block`. `later` holds the headers above it up to the one that
    /// `certificate` finalises; it is empty when the certificate is for the block itself. `handovers` lead from genesis to the validators that
    /// signed.
    pub fn assemble(
        block: &Block,
        index: usize,
        later: &[Header],
        certificate: &Certificate,
        handovers: &[Handover],
    ) -> Result<Self, AssembleError> {
        if block.transactions.len() != block.receipts.len() || index >= block.transactions.len() {
            return Err(AssembleError::NoSuchTransaction(index));
        }
        if later.last().unwrap_or(&block.header).digest() != certificate.block {
            return Err(AssembleError::OtherBlock);
        }
        let path = |entries: &[Vec<u8>]| Tree::new(entries.iter().map(|entry| leaf(entry)).collect()).path(index);
        Ok(Self {
            transaction: block.transactions[index].clone(),
            receipt: block.receipts[index].clone(),
            index: index as u64,
            transactions_path: path(&block.transactions),
            receipts_path: path(&block.receipts),
            headers: std::iter::once(&block.header).chain(later).map(Header::encode).collect(),
            certificate: certificate.encode(),
            epochs: handovers.to_vec(),
            entry: None,
            chunks: None,
        })
    }

    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::to_bytes(self)
    }

    /// Parses a file's bytes strictly. What they claim is checked by [`crate::verify_receipt`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > RECEIPT_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let mut d = Decoder::new(bytes);
        if d.array().ok() != Some(Some(FIELDS)) {
            return Err(Refusal::Malformed);
        }
        match d.str() {
            Ok(RECEIPT_FORMAT) => {}
            Ok(_) => return Err(Refusal::UnknownFormat),
            Err(_) => return Err(Refusal::Malformed),
        }
        codec::from_bytes(bytes).map_err(|_| Refusal::Malformed)
    }
}

const FIELDS: u64 = 11;

impl<C> Encode<C> for ReceiptFile {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(FIELDS)?.str(RECEIPT_FORMAT)?.bytes(&self.transaction)?.bytes(&self.receipt)?.u64(self.index)?;
        digests(e, &self.transactions_path)?;
        digests(e, &self.receipts_path)?;
        e.array(self.headers.len() as u64)?;
        for header in &self.headers {
            e.bytes(header)?;
        }
        e.bytes(&self.certificate)?.encode(&self.epochs)?;
        match &self.entry {
            None => e.null()?,
            Some(entry) => {
                e.array(3)?.bytes(&entry.bytes)?.u64(entry.index)?;
                digests(e, &entry.path)?
            }
        };
        match &self.chunks {
            None => e.null()?,
            Some(chunks) => digests(e, chunks)?,
        };
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for ReceiptFile {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        codec::array(d, FIELDS, "a receipt file has 11 fields")?;
        d.str()?;
        let (transaction, receipt, index) = (d.bytes()?.into(), d.bytes()?.into(), d.u64()?);
        let transactions_path = take_digests(d, PATH_MAX)?;
        let receipts_path = take_digests(d, PATH_MAX)?;
        let headers = (0..count(d, HEADERS_MAX)?).map(|_| Ok(d.bytes()?.into())).collect::<Result<Vec<_>, _>>()?;
        if headers.is_empty() {
            return Err(decode::Error::message("no header"));
        }
        let certificate = d.bytes()?.into();
        let epochs = (0..count(d, HANDOVERS_MAX)?).map(|_| d.decode()).collect::<Result<Vec<_>, _>>()?;
        let entry = if codec::take_null(d)? {
            None
        } else {
            codec::array(d, 3, "a batch entry has 3 fields")?;
            Some(BatchEntry { bytes: d.bytes()?.into(), index: d.u64()?, path: take_digests(d, PATH_MAX)? })
        };
        let chunks = if codec::take_null(d)? { None } else { Some(take_digests(d, CHUNKS_MAX)?) };
        if chunks.as_ref().is_some_and(Vec::is_empty) {
            // An empty file has no chunks; that it has none is said in one way only.
            return Err(decode::Error::message("an empty list of chunks"));
        }
        Ok(Self {
            transaction,
            receipt,
            index,
            transactions_path,
            receipts_path,
            headers,
            certificate,
            epochs,
            entry,
            chunks,
        })
    }
}

fn digests<'e, W: Write>(e: &'e mut Encoder<W>, digests: &[Digest]) -> Result<&'e mut Encoder<W>, encode::Error<W::Error>> {
    e.array(digests.len() as u64)?;
    for digest in digests {
        e.bytes(digest)?;
    }
    Ok(e)
}

fn take_digests(d: &mut Decoder<'_>, max: usize) -> Result<Vec<Digest>, decode::Error> {
    (0..count(d, max)?).map(|_| codec::fixed(d)).collect()
}

/// Takes the header of a definite array of at most `max` items.
fn count(d: &mut Decoder<'_>, max: usize) -> Result<u64, decode::Error> {
    d.array()?.filter(|count| *count <= max as u64).ok_or_else(|| decode::Error::message("a list of unfit length"))
}
