//! The block header: what validators sign, and all that a proof needs.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode, encode::Write};
use zhulian_crypto::{Digest, sha256};

use crate::{ChainId, CodecError, Height, Protocol, Timestamp, codec};

/// A block header. Its digest, SHA-256 of its encoding, is the block's digest and what the certificate signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The protocol by which the block was executed. All known ones have this form of header.
    pub version: Protocol,
    /// The network.
    pub chain: ChainId,
    /// Place in the chain.
    pub height: Height,
    /// The proposer's time, greater than the parent's.
    pub time: Timestamp,
    /// Consensus epoch: the validator set in force.
    pub epoch: u64,
    /// Consensus view within the epoch.
    pub view: u64,
    /// View of the parent block.
    pub parent_view: u64,
    /// Digest of the parent block.
    pub parent: Digest,
    /// Ed25519 key of the validator that proposed it.
    pub proposer: [u8; 32],
    /// How many transactions the block holds: the size of both trees below, without which a proof would not fix a position.
    pub transaction_count: u64,
    /// Digest of the validators that decide the next block: those of its own epoch, or in an epoch's last block those of the next.
    pub validators: Digest,
    /// RFC 9162 root over the transactions' bytes.
    pub transactions_root: Digest,
    /// RFC 9162 root over the receipts' bytes, in the same order.
    pub receipts_root: Digest,
    /// Root of the authenticated state after this block.
    pub state_root: Digest,
    /// Root of the state's operation log, by which a new node syncs.
    pub sync_root: Digest,
    /// First operation of the log that is still kept.
    pub sync_start: u64,
    /// One past the last operation of the log.
    pub sync_end: u64,
}

const FIELDS: u64 = 17;

impl Header {
    /// The header's bytes: a CBOR array of its fields in order.
    pub fn encode(&self) -> Vec<u8> {
        codec::to_bytes(self)
    }

    /// Parses the bytes of a header.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::from_bytes(bytes)
    }

    /// SHA-256 of the bytes.
    pub fn digest(&self) -> Digest {
        sha256(&self.encode())
    }
}

impl<C> Encode<C> for Header {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(FIELDS)?
            .u16(self.version)?
            .bytes(&self.chain)?
            .u64(self.height)?
            .u64(self.time)?
            .u64(self.epoch)?
            .u64(self.view)?
            .u64(self.parent_view)?
            .bytes(&self.parent)?
            .bytes(&self.proposer)?
            .u64(self.transaction_count)?
            .bytes(&self.validators)?
            .bytes(&self.transactions_root)?
            .bytes(&self.receipts_root)?
            .bytes(&self.state_root)?
            .bytes(&self.sync_root)?
            .u64(self.sync_start)?
            .u64(self.sync_end)?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Header {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        codec::array(d, FIELDS, "a header has 17 fields")?;
        Ok(Self {
            version: d.u16()?,
            chain: codec::fixed(d)?,
            height: d.u64()?,
            time: d.u64()?,
            epoch: d.u64()?,
            view: d.u64()?,
            parent_view: d.u64()?,
            parent: codec::fixed(d)?,
            proposer: codec::fixed(d)?,
            transaction_count: d.u64()?,
            validators: codec::fixed(d)?,
            transactions_root: codec::fixed(d)?,
            receipts_root: codec::fixed(d)?,
            state_root: codec::fixed(d)?,
            sync_root: codec::fixed(d)?,
            sync_start: d.u64()?,
            sync_end: d.u64()?,
        })
    }
}
