//! A block as consensus sees it.

use std::sync::Arc;

use bytes::{Buf as _, BufMut};
use commonware_codec::{Buf, EncodeSize, Error as CodecError, Read, Write};
use commonware_consensus::{
    Block as ConsensusBlock, BoundedBlock, CertifiableBlock, Heightable,
    simplex::types::Context,
    types::{Epoch, Height, Round, View},
};
use commonware_cryptography::{Digestible, ed25519::PublicKey, sha256::Digest};
use zhulian_ledger::merkle;
use zhulian_primitives::{Block, Header};

use crate::{Limits, keys};

/// More than the encoding of any header.
const HEADER_BYTES_MAX: usize = 512;

/// A well-formed block: its roots are those of its body, so its digest commits to every byte of it.
///
/// Encoded as `u16 length ‖ header ‖ u32 count ‖ count × (u32 length ‖ transaction ‖ u32 length ‖ receipt)`, big endian.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    block: Arc<Block>,
    header: Vec<u8>,
    proposer: PublicKey,
}

impl Sealed {
    /// Seals a block whose roots the caller computed from its body.
    pub fn new(block: Arc<Block>, proposer: PublicKey) -> Self {
        debug_assert_eq!(keys::raw(&proposer), block.header.proposer);
        Self { header: block.header.encode(), block, proposer }
    }

    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    pub fn header(&self) -> &Header {
        &self.block.header
    }
}

/// Root over a body's transactions or receipts.
pub(crate) fn root(entries: &[Vec<u8>]) -> [u8; 32] {
    merkle::root(entries)
}

impl PartialEq for Sealed {
    fn eq(&self, other: &Self) -> bool {
        self.header == other.header
    }
}

impl Eq for Sealed {}

impl Write for Sealed {
    fn write(&self, buf: &mut impl BufMut) {
        buf.put_u16(self.header.len() as u16);
        buf.put_slice(&self.header);
        buf.put_u32(self.block.transactions.len() as u32);
        for (transaction, receipt) in self.block.transactions.iter().zip(&self.block.receipts) {
            buf.put_u32(transaction.len() as u32);
            buf.put_slice(transaction);
            buf.put_u32(receipt.len() as u32);
            buf.put_slice(receipt);
        }
    }
}

impl EncodeSize for Sealed {
    fn encode_size(&self) -> usize {
        let body = self.block.transactions.iter().chain(&self.block.receipts).map(|entry| 4 + entry.len()).sum::<usize>();
        2 + self.header.len() + 4 + body
    }
}

/// Takes `len` bytes off a budget and out of the buffer.
fn take(buf: &mut impl Buf, budget: &mut usize) -> Result<Vec<u8>, CodecError> {
    let len = length(buf)?;
    *budget = budget.checked_sub(len).ok_or(CodecError::Invalid("Block", "more bytes than allowed"))?;
    bytes_of(buf, len)
}

fn length(buf: &mut impl Buf) -> Result<usize, CodecError> {
    buf.try_get_u32().map(|len| len as usize).map_err(|_| CodecError::EndOfBuffer)
}

fn bytes_of(buf: &mut impl Buf, len: usize) -> Result<Vec<u8>, CodecError> {
    if buf.remaining() < len {
        return Err(CodecError::EndOfBuffer);
    }
    let mut bytes = vec![0; len];
    buf.copy_to_slice(&mut bytes);
    Ok(bytes)
}

impl Read for Sealed {
    type Cfg = Limits;

    fn read_cfg(buf: &mut impl Buf, limits: &Limits) -> Result<Self, CodecError> {
        let len = buf.try_get_u16().map_err(|_| CodecError::EndOfBuffer)? as usize;
        if len > HEADER_BYTES_MAX {
            return Err(CodecError::Invalid("Block", "header too long"));
        }
        let bytes = bytes_of(buf, len)?;
        let header = Header::decode(&bytes).map_err(|_| CodecError::Invalid("Block", "header malformed"))?;
        let proposer = keys::public(&header.proposer).ok_or(CodecError::Invalid("Block", "proposer is not a key"))?;
        let count = length(buf)?;
        if count > limits.transactions_max {
            return Err(CodecError::Invalid("Block", "more transactions than allowed"));
        }
        let (mut transactions, mut receipts) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let (mut transactions_budget, mut receipts_budget) = (limits.transactions_bytes_max, limits.receipts_bytes_max);
        for _ in 0..count {
            transactions.push(take(buf, &mut transactions_budget)?);
            receipts.push(take(buf, &mut receipts_budget)?);
        }
        // Consensus knows a block by its digest, which is the header's. It must therefore fix the body too.
        let counted = header.transaction_count == count as u64;
        if !counted || root(&transactions) != header.transactions_root || root(&receipts) != header.receipts_root {
            return Err(CodecError::Invalid("Block", "body does not match the header"));
        }
        Ok(Self { block: Arc::new(Block { header, transactions, receipts }), header: bytes, proposer })
    }
}

impl Digestible for Sealed {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        Digest(zhulian_crypto::sha256(&self.header))
    }
}

impl Heightable for Sealed {
    fn height(&self) -> Height {
        Height::new(self.block.header.height)
    }
}

impl ConsensusBlock for Sealed {
    fn parent(&self) -> Digest {
        Digest(self.block.header.parent)
    }
}

impl CertifiableBlock for Sealed {
    type Context = Context<Digest, PublicKey>;

    fn context(&self) -> Self::Context {
        let header = &self.block.header;
        Context {
            round: Round::new(Epoch::new(header.epoch), View::new(header.view)),
            leader: self.proposer.clone(),
            parent: (View::new(header.parent_view), Digest(header.parent)),
        }
    }
}

impl BoundedBlock for Sealed {
    fn max_encode_size(limits: &Limits) -> usize {
        2 + HEADER_BYTES_MAX + 4 + 8 * limits.transactions_max + limits.transactions_bytes_max + limits.receipts_bytes_max
    }
}
