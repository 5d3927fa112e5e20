//! A handover: the last block of an epoch, in which one set of validators hands the network over to another.

use minicbor::{Decode, Encode};

use crate::{Certificate, CertificateError, Header, Network, PROTOCOLS, Validator, codec, network::validators_digest};

/// Handovers that a receipt or a peer's answer carries at most.
pub const HANDOVERS_MAX: usize = 1_024;

/// Proof that a quorum of one set of validators handed over to another, as the bytes that were signed and hashed.
///
/// Encoded as the CBOR array `[header, certificate, validators]` of byte strings.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Handover {
    /// The header of the epoch's last block. It commits to the new validators.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub header: Vec<u8>,
    /// The certificate by which the old validators finalised it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub certificate: Vec<u8>,
    /// The new validators: the CBOR array whose SHA-256 the header states.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub validators: Vec<u8>,
}

/// Why a handover proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandoverError {
    /// A part is not the one encoding of what it should be.
    #[error("a part of it is damaged")]
    Malformed,
    /// Of another network.
    #[error("it is of another network")]
    OtherNetwork,
    /// Not after the handover before it.
    #[error("it is not later than the handover before it")]
    Order,
    /// The certificate is for another block.
    #[error("its certificate is for another block")]
    CertificateOfOther,
    /// The certificate proves nothing.
    #[error("its certificate: {0}")]
    Certificate(CertificateError),
    /// The header commits to other validators.
    #[error("its block commits to other validators")]
    OtherValidators,
    /// The validators are the same as before, or none that a network can have.
    #[error("its validators are none that can follow")]
    Validators,
}

impl Handover {
    /// Puts a handover together.
    pub fn new(header: &Header, certificate: &Certificate, validators: &[Validator]) -> Self {
        Self {
            header: header.encode(),
            certificate: certificate.encode(),
            validators: codec::to_bytes(&validators.to_vec()),
        }
    }

    /// The epoch that it ends; `None` if the header is damaged.
    pub fn ends(&self) -> Option<u64> {
        Header::decode(&self.header).ok().map(|header| header.epoch)
    }

    /// Checks that the validators of `network` handed over, and gives the network as it was from then on.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn follow(&self, network: &Network) -> Result<Network, HandoverError> {
        let header = Header::decode(&self.header).ok().filter(|header| PROTOCOLS.contains(&header.version));
        let header = header.ok_or(HandoverError::Malformed)?;
        let certificate = Certificate::decode(&self.certificate).map_err(|_| HandoverError::Malformed)?;
        let validators: Vec<Validator> = codec::from_bytes(&self.validators).map_err(|_| HandoverError::Malformed)?;
        if header.chain != network.chain {
            return Err(HandoverError::OtherNetwork);
        }
        let Some(next) = header.epoch.checked_add(1).filter(|_| header.epoch >= network.epoch) else {
            return Err(HandoverError::Order);
        };
        if !certificate.finalises(&header) {
            return Err(HandoverError::CertificateOfOther);
        }
        certificate.verify(network).map_err(HandoverError::Certificate)?;
        if validators_digest(&validators) != header.validators {
            return Err(HandoverError::OtherValidators);
        }
        let after = Network { name: network.name.clone(), chain: network.chain, epoch: next, validators };
        // A handover to the same validators would only make receipts longer.
        if after.check().is_err() || after.validators == network.validators {
            return Err(HandoverError::Validators);
        }
        Ok(after)
    }
}
