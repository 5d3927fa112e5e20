//! Votes and finality certificates.
//!
//! A validator finalises a block by an Ed25519 signature over
//!
//! ```text
//! varint(|namespace|) ‖ namespace ‖ varint(epoch) ‖ varint(view) ‖ varint(parent_view) ‖ block
//! namespace = "zhulian" ‖ chain ‖ "_FINALIZE"
//! ```
//!
//! where `chain` is the network's 32 bytes, `block` the 32 bytes of the block's digest, and `varint` LEB128 (7 bits a byte, least
//! significant first). A certificate lists such signatures, so any Ed25519 library verifies it. With 32-byte chains the
//! namespace has 48 bytes and the string begins with the byte `30` (hexadecimal).

use commonware_codec::{Copying, DecodeExt as _};
use commonware_consensus::{
    Epochable as _, Viewable as _,
    simplex::{
        scheme::ed25519::Scheme,
        types::{Finalization as SimplexFinalization, Proposal},
    },
    types::{Epoch, Round, View},
};
use commonware_cryptography::{
    certificate::Signers,
    ed25519::{PrivateKey, PublicKey, Signature, certificate::Certificate as Signatures},
    sha256::Digest,
};
use commonware_utils::{Participant, ordered::Set};
use zhulian_primitives::{Certificate, ChainId};

/// A finality certificate as the library holds it.
pub(crate) type Finalization = SimplexFinalization<Scheme, Digest>;

/// The namespace that separates this network's signatures from all others.
pub(crate) fn namespace(chain: &ChainId) -> Vec<u8> {
    [b"zhulian", &chain[..]].concat()
}

/// The vote scheme of a set of validators: one that signs if this node's key is among them, else one that only verifies.
pub(crate) fn scheme(chain: &ChainId, participants: Set<PublicKey>, secret: PrivateKey) -> Scheme {
    Scheme::signer(&namespace(chain), participants.clone(), secret)
        .unwrap_or_else(|| Scheme::verifier(&namespace(chain), participants))
}

/// The certificate in the form that proofs carry.
pub(crate) fn certificate(finalization: &Finalization) -> Certificate {
    let proposal = &finalization.proposal;
    let list = &finalization.certificate;
    let signatures = list
        .signers
        .iter()
        .zip(&list.signatures)
        .filter_map(|(signer, signature)| {
            let mut bytes = [0; 64];
            bytes.copy_from_slice(signature.get()?.as_ref());
            Some((usize::from(signer) as u32, bytes))
        })
        .collect();
    Certificate {
        epoch: proposal.epoch().get(),
        view: proposal.view().get(),
        parent_view: proposal.parent.get(),
        block: proposal.payload.0,
        signatures,
    }
}

/// The certificate in the library's form, in a set of so many validators; `None` if it cannot be one of theirs.
pub(crate) fn finalization(certificate: &Certificate, validators: usize) -> Option<Finalization> {
    let Certificate { epoch, view, parent_view, block, signatures } = certificate;
    let round = Round::new(Epoch::new(*epoch), View::new(*view));
    let signers = signatures.iter().map(|(signer, _)| Participant::new(*signer));
    let signers = Signers::new(u32::try_from(validators).ok()?, signers).ok()?;
    let signatures = signatures.iter().map(|(_, bytes)| Signature::decode(Copying(&bytes[..])).ok().map(Into::into));
    Some(SimplexFinalization {
        proposal: Proposal::new(round, View::new(*parent_view), Digest(*block)),
        certificate: Signatures { signers, signatures: signatures.collect::<Option<_>>()? },
    })
}
