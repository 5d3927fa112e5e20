//! A block as consensus sees it.

use std::sync::Arc;

use bytes::{Buf as _, BufMut, Bytes};
use commonware_codec::{Buf, Copying, EncodeSize, Error as CodecError, Read, Write};
use commonware_consensus::{
    Block as ConsensusBlock, BoundedBlock, CertifiableBlock, Heightable,
    simplex::types::Context,
    types::{Epoch, Height, Round, View},
};
use commonware_cryptography::{Digestible, ed25519::PublicKey, sha256::Digest};
use zhulian_ledger::merkle;
use zhulian_primitives::{Block, Header};
use zstd::{bulk, zstd_safe};

use crate::{Limits, keys};

/// More than the encoding of any header.
const HEADER_BYTES_MAX: usize = 512;
/// Level of compression: the quickest, which makes a third of most bodies.
const COMPRESSION: i32 = 1;

/// A well-formed block: its roots are those of its body, so its digest commits to every byte of it.
///
/// Encoded as `u16 length ‖ header ‖ u32 length ‖ body`, big endian. The body is a zstd frame, which tells its plain size, of
/// `u32 count ‖ count × (u32 length ‖ transaction ‖ u32 length ‖ receipt)`. Its proposer compresses it, once; from then on it travels
/// and is stored as it came. The digest is over what is in it, not over the frame.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    block: Arc<Block>,
    header: Vec<u8>,
    body: Bytes,
    proposer: PublicKey,
}

impl Sealed {
    /// Seals a block whose roots the caller computed from its body.
    pub fn new(block: Arc<Block>, proposer: PublicKey) -> Self {
        debug_assert_eq!(keys::raw(&proposer), block.header.proposer);
        Self { header: block.header.encode(), body: compressed(&block), block, proposer }
    }

    pub fn block(&self) -> &Arc<Block> {
        &self.block
    }

    pub fn header(&self) -> &Header {
        &self.block.header
    }

    /// Bytes of the transactions and receipts.
    pub fn plain_bytes(&self) -> usize {
        self.block.transactions.iter().chain(&self.block.receipts).map(Vec::len).sum()
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
        buf.put_u32(self.body.len() as u32);
        buf.put_slice(&self.body);
    }
}

impl EncodeSize for Sealed {
    fn encode_size(&self) -> usize {
        2 + self.header.len() + 4 + self.body.len()
    }
}

/// A body: `u32 count ‖ count × (u32 length ‖ transaction ‖ u32 length ‖ receipt)`.
pub(crate) fn body(block: &Block) -> Vec<u8> {
    let size = block.transactions.iter().chain(&block.receipts).map(|entry| 4 + entry.len()).sum::<usize>();
    let mut plain = Vec::with_capacity(4 + size);
    plain.put_u32(block.transactions.len() as u32);
    for (transaction, receipt) in block.transactions.iter().zip(&block.receipts) {
        for entry in [transaction, receipt] {
            plain.put_u32(entry.len() as u32);
            plain.put_slice(entry);
        }
    }
    plain
}

fn compressed(block: &Block) -> Bytes {
    bulk::compress(&body(block), COMPRESSION).expect("there is memory for what it may at most become").into()
}

/// The block of a header with a [body], which must be the one that the header commits to.
pub(crate) fn joined(header: Header, body: &[u8], limits: &Limits) -> Result<Block, CodecError> {
    let plain = &mut Copying(body);
    let count = length(plain)?;
    if count > limits.transactions_max {
        return Err(CodecError::Invalid("Block", "more transactions than allowed"));
    }
    let (mut transactions, mut receipts) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let (mut transactions_budget, mut receipts_budget) = (limits.transactions_bytes_max, limits.receipts_bytes_max);
    for _ in 0..count {
        transactions.push(take(plain, &mut transactions_budget)?);
        receipts.push(take(plain, &mut receipts_budget)?);
    }
    if plain.remaining() > 0 {
        return Err(CodecError::ExtraData(plain.remaining()));
    }
    // Consensus knows a block by its digest, which is the header's. It must therefore fix the body too.
    let counted = header.transaction_count == count as u64;
    if !counted || root(&transactions) != header.transactions_root || root(&receipts) != header.receipts_root {
        return Err(CodecError::Invalid("Block", "body does not match the header"));
    }
    Ok(Block { header, transactions, receipts })
}

/// Bytes of a body at most, before it is compressed.
fn plain_bytes_max(limits: &Limits) -> usize {
    4 + 8 * limits.transactions_max + limits.transactions_bytes_max + limits.receipts_bytes_max
}

/// The plain body; never more than a block may have, whatever the frame claims.
fn decompressed(body: &[u8], limits: &Limits) -> Result<Vec<u8>, CodecError> {
    let invalid = |reason| CodecError::Invalid("Block", reason);
    let size =
        zstd_safe::get_frame_content_size(body).ok().flatten().ok_or(invalid("the body is no frame that tells its size"))?;
    let size = usize::try_from(size).ok().filter(|size| *size <= plain_bytes_max(limits));
    let size = size.ok_or(invalid("more bytes than allowed"))?;
    bulk::decompress(body, size).map_err(|_| invalid("the body's frame is damaged"))
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
        // The library asks for the range of a candidate before anything else is looked at, and takes no empty one.
        if header.sync_start >= header.sync_end {
            return Err(CodecError::Invalid("Block", "the state it can be synced to is empty"));
        }
        let len = length(buf)?;
        if len > zstd_safe::compress_bound(plain_bytes_max(limits)) {
            return Err(CodecError::Invalid("Block", "more bytes than allowed"));
        }
        let body = Bytes::from(bytes_of(buf, len)?);
        let block = Arc::new(joined(header, &decompressed(&body, limits)?, limits)?);
        Ok(Self { block, header: bytes, body, proposer })
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
        2 + HEADER_BYTES_MAX + 4 + zstd_safe::compress_bound(plain_bytes_max(limits))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use commonware_codec::{Decode as _, Encode as _};
    use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits =
        Limits { transactions_bytes_max: 8_192, transactions_max: 16, receipts_bytes_max: 4_096, value_bytes_max: 0 };

    pub(crate) fn sealed(transactions: Vec<Vec<u8>>, receipts: Vec<Vec<u8>>) -> Sealed {
        let proposer = PrivateKey::from_seed(1).public_key();
        let header = Header {
            version: 1,
            chain: [1; 32],
            height: 1,
            time: 1,
            epoch: 0,
            view: 1,
            parent_view: 0,
            parent: [0; 32],
            proposer: keys::raw(&proposer),
            transaction_count: transactions.len() as u64,
            validators: [0; 32],
            transactions_root: root(&transactions),
            receipts_root: root(&receipts),
            state_root: [0; 32],
            sync_root: [0; 32],
            sync_start: 0,
            sync_end: 1,
        };
        Sealed::new(Arc::new(Block { header, transactions, receipts }), proposer)
    }

    /// The encoding with another frame as its body.
    fn with_body(sealed: &Sealed, body: &[u8]) -> Vec<u8> {
        [&(sealed.header.len() as u16).to_be_bytes()[..], &sealed.header, &(body.len() as u32).to_be_bytes(), body].concat()
    }

    fn refusal(bytes: &[u8]) -> String {
        Sealed::decode_cfg(Copying(bytes), &LIMITS).expect_err("refused").to_string()
    }

    #[test]
    fn an_empty_range_of_the_state_is_refused_before_anybody_asks_for_it() {
        let block = sealed(vec![vec![1; 9]], vec![vec![2; 9]]);
        assert!(Sealed::decode_cfg(Copying(&block.encode()[..]), &LIMITS).is_ok());
        for (sync_start, sync_end) in [(0, 0), (5, 5), (u64::MAX, 0)] {
            let header = Header { sync_start, sync_end, ..block.header().clone() };
            let forged = Block { header, ..Block::clone(&block.block) };
            let forged = Sealed::new(Arc::new(forged), block.proposer.clone());
            assert!(refusal(&forged.encode()).contains("synced"), "{sync_start} to {sync_end}");
        }
    }

    fn entries(bytes_max: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..bytes_max), 16)
    }

    proptest! {
        #[test]
        fn any_block_comes_back_as_it_was(transactions in entries(512), receipts in entries(256), count in 0..=16usize) {
            let block = sealed(transactions[..count].to_vec(), receipts[..count].to_vec());
            let bytes = block.encode();
            prop_assert_eq!(bytes.len(), block.encode_size());
            prop_assert!(bytes.len() <= Sealed::max_encode_size(&LIMITS));
            let back = Sealed::decode_cfg(Copying(&bytes[..]), &LIMITS).unwrap();
            prop_assert_eq!(back.digest(), block.digest());
            prop_assert_eq!(back.block(), block.block());
        }
    }

    #[test]
    fn a_body_that_does_not_compress_fits() {
        let mut bytes = vec![0; LIMITS.transactions_bytes_max];
        rand::fill(&mut bytes[..]);
        let mut receipt = vec![0; LIMITS.receipts_bytes_max];
        rand::fill(&mut receipt[..]);
        let block = sealed(vec![bytes], vec![receipt]);
        let bytes = block.encode();
        assert!(bytes.len() <= Sealed::max_encode_size(&LIMITS));
        assert!(Sealed::decode_cfg(Copying(&bytes[..]), &LIMITS).is_ok());
    }

    #[test]
    fn bad_bodies_are_refused() {
        let block = sealed(vec![vec![7; 100]], vec![vec![8; 50]]);
        let plain = decompressed(&block.body, &LIMITS).unwrap();
        let frame = |plain: &[u8]| bulk::compress(plain, COMPRESSION).unwrap();

        // A small frame that would become a large body.
        assert!(refusal(&with_body(&block, &frame(&vec![0; 64 << 20]))).contains("more bytes than allowed"));
        assert!(refusal(&with_body(&block, &frame(&[&plain[..], &[0]].concat()))).contains("Extra Data: 1"));
        assert!(refusal(&with_body(&block, &frame(&plain[..plain.len() - 1]))).contains("End-of-Buffer"));
        assert!(refusal(&with_body(&block, &frame(&17u32.to_be_bytes()))).contains("more transactions than allowed"));
        assert!(refusal(&with_body(&block, b"")).contains("no frame"));
        assert!(refusal(&with_body(&block, &plain)).contains("no frame"));
        assert!(refusal(&with_body(&block, &[&block.body[..], &block.body].concat())).contains("damaged"));
        // A frame that does not tell its size is what a stream makes.
        let stream = zstd::encode_all(&plain[..], COMPRESSION).unwrap();
        assert!(refusal(&with_body(&block, &stream)).contains("no frame"));
        let other = sealed(vec![vec![7; 100]], vec![vec![9; 50]]);
        assert!(refusal(&with_body(&block, &other.body)).contains("does not match the header"));
    }

    #[test]
    fn no_flipped_bit_changes_a_block() {
        let block = sealed(vec![vec![7; 100], b"another".to_vec()], vec![vec![8; 50], Vec::new()]);
        let bytes = block.encode();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // Another header is another block; under the same header there is only this body.
            if let Ok(back) = Sealed::decode_cfg(Copying(&bytes[..]), &LIMITS)
                && back.digest() == block.digest()
            {
                assert_eq!(back.block(), block.block());
            }
        }
    }
}
