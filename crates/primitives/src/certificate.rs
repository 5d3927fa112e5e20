//! The finality certificate: plain Ed25519 signatures of validators over a known byte string.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode, encode::Write};
use zhulian_crypto::{Digest, PublicKey, Signature};

use crate::{ChainId, CodecError, Header, Network, codec};

/// Proof that a quorum of validators finalised a block, and with it all its ancestors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Consensus epoch.
    pub epoch: u64,
    /// Consensus view in which the block was proposed.
    pub view: u64,
    /// View of its parent.
    pub parent_view: u64,
    /// The block's digest.
    pub block: Digest,
    /// Signatures with the index of the signer in the network's validators, which are sorted by public key; ascending.
    pub signatures: Vec<(u32, Signature)>,
}

/// Why a certificate proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// An index beyond the set, out of order, or twice.
    #[error("signers are not distinct validators in ascending order")]
    Signers,
    /// Fewer than a quorum signed.
    #[error("fewer than a quorum of the validators signed")]
    NoQuorum,
    /// A signature does not verify.
    #[error("the signature of validator {0} is not valid")]
    Signature(u32),
}

impl Certificate {
    /// The certificate's bytes: `[epoch, view, parent_view, block, [[index, signature]…]]`.
    pub fn encode(&self) -> Vec<u8> {
        codec::to_bytes(self)
    }

    /// Parses the bytes of a certificate.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::from_bytes(bytes)
    }

    /// What each validator signed to finalise the block:
    /// `varint(|namespace|) ‖ namespace ‖ varint(epoch) ‖ varint(view) ‖ varint(parent_view) ‖ block`, where the namespace is
    /// `"zhulian" ‖ chain ‖ "_FINALIZE"` and `varint` is LEB128 (7 bits a byte, least significant first).
    pub fn message(&self, chain: &ChainId) -> Vec<u8> {
        let namespace = [b"zhulian", &chain[..], b"_FINALIZE"].concat();
        let mut message = Vec::with_capacity(128);
        varint(&mut message, namespace.len() as u64);
        message.extend_from_slice(&namespace);
        varint(&mut message, self.epoch);
        varint(&mut message, self.view);
        varint(&mut message, self.parent_view);
        message.extend_from_slice(&self.block);
        message
    }

    /// Whether it is for this block and a round in which it can have been finalised: the one in which it was proposed, or a later view of
    /// its epoch, since an epoch's last block is proposed again until it is final.
    pub fn finalises(&self, header: &Header) -> bool {
        let same = (self.view, self.parent_view) == (header.view, header.parent_view);
        let again = self.view > self.parent_view && self.parent_view >= header.view;
        self.block == header.digest() && self.epoch == header.epoch && (same || again)
    }

    /// Checks the signatures against the network's validators.
    pub fn verify(&self, network: &Network) -> Result<(), CertificateError> {
        let ascending = self.signatures.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let known = self.signatures.iter().all(|(index, _)| (*index as usize) < network.validators.len());
        if !ascending || !known {
            return Err(CertificateError::Signers);
        }
        if self.signatures.len() < crate::quorum(network.validators.len()) {
            return Err(CertificateError::NoQuorum);
        }
        let message = self.message(&network.chain);
        for (index, signature) in &self.signatures {
            let key = PublicKey::EdDsa(network.validators[*index as usize].public_key);
            if !key.verify(&message, signature) {
                return Err(CertificateError::Signature(*index));
            }
        }
        Ok(())
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

impl<C> Encode<C> for Certificate {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.array(5)?.u64(self.epoch)?.u64(self.view)?.u64(self.parent_view)?.bytes(&self.block)?;
        e.array(self.signatures.len() as u64)?;
        for (index, signature) in &self.signatures {
            e.array(2)?.u32(*index)?.bytes(signature)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Certificate {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        codec::array(d, 5, "a certificate has 5 fields")?;
        let (epoch, view, parent_view, block) = (d.u64()?, d.u64()?, d.u64()?, codec::fixed(d)?);
        let count = d.array()?.ok_or_else(|| decode::Error::message("signatures of indefinite length"))?;
        let mut signatures = Vec::new();
        for _ in 0..count {
            codec::array(d, 2, "a signature has 2 fields")?;
            signatures.push((d.u32()?, codec::fixed(d)?));
        }
        Ok(Self { epoch, view, parent_view, block, signatures })
    }
}
