//! The transaction: an RFC 9052 COSE_Sign1 whose payload is a call.

use minicbor::{
    Decoder, Encoder, decode,
    encode::{self, Write},
};
use zhulian_crypto::{Algorithm, PublicKey, Signature, SigningKey, is_low_s, sha256};

use crate::{ChainId, Height, codec};

/// Bytes of the largest transaction.
pub const TRANSACTION_BYTES_MAX: usize = 64 * 1024;
/// How many blocks ahead of the current height `valid_until` may lie; also how long replays are remembered.
pub const VALIDITY_BLOCKS_MAX: u64 = 1024;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 16;
const NAME_LEN_MAX: usize = 32;
const COSE_SIGN1: u64 = 18;

/// A random value that makes a transaction unique, so that it is executed once.
pub type Nonce = [u8; NONCE_BYTES];

/// SHA-256 of the transaction's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub [u8; 32]);

impl std::fmt::Display for TransactionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a transaction is refused before any module sees it. In receipts these are the codes of module `transaction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[repr(u16)]
pub enum TransactionError {
    /// More than [`TRANSACTION_BYTES_MAX`].
    #[error("the transaction is larger than 65,536 bytes")]
    TooLarge = 1,
    /// Not a COSE_Sign1 of our shape.
    #[error("not a COSE_Sign1 transaction")]
    Malformed = 2,
    /// Not the only form of its content.
    #[error("not deterministic CBOR: unknown or doubled key, longer form, wrong order, or trailing bytes")]
    NotDeterministic = 3,
    /// Neither EdDSA nor ES256, or not the key's algorithm.
    #[error("the signature algorithm is not EdDSA or ES256, or not that of the key")]
    UnknownAlgorithm = 4,
    /// The key id is not a public key.
    #[error("the key id is not a public key of a supported curve")]
    MalformedKey = 5,
    /// Signed for another network.
    #[error("the transaction is for another network")]
    WrongChain = 6,
    /// The signature does not verify.
    #[error("the signature is not valid")]
    BadSignature = 7,
    /// `valid_until` has passed.
    #[error("the transaction has expired")]
    Expired = 8,
    /// `valid_until` lies beyond the window.
    #[error("valid_until lies more than 1,024 blocks ahead")]
    ValidTooLong = 9,
    /// The same key has used the nonce within the window.
    #[error("this key has already used this nonce")]
    Replayed = 10,
    /// No such module in this network.
    #[error("no module of this name")]
    UnknownModule = 11,
    /// No such call in the module.
    #[error("the module has no call of this name")]
    UnknownCall = 12,
    /// The arguments are not what the call takes.
    #[error("the arguments are not those of the call")]
    MalformedArguments = 13,
    /// The key is not registered.
    #[error("the key is not registered to a member of an organisation")]
    UnknownKey = 14,
    /// The key is revoked, or its member or organisation suspended.
    #[error("the key is revoked, or its holder is suspended")]
    KeyNotActive = 15,
    /// The member has no role that allows the call.
    #[error("the member has no role that allows this call")]
    NotAllowed = 16,
    /// It would write a larger value, or tell more, than a block holds.
    #[error("what the call would write is larger than a block holds")]
    TooMuch = 17,
    /// The signature is one that anybody could make of the signer's: since protocol 3 only the low form counts.
    #[error("the ES256 signature is not in its low form: replace s by n \u{2212} s")]
    SignatureForm = 18,
}

/// What a transaction asks for: the COSE payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The network it is for.
    pub chain: ChainId,
    /// Module name, lower-case.
    pub module: &'a str,
    /// Name of the call in the module.
    pub call: &'a str,
    /// Arguments: one deterministic CBOR item, whose shape the call defines.
    pub args: &'a [u8],
    /// Makes it unique.
    pub nonce: Nonce,
    /// Last height at which it may be executed.
    pub valid_until: Height,
}

impl Call<'_> {
    /// The payload's bytes: a map with text keys, in deterministic order.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + self.args.len());
        self.write(&mut Encoder::new(&mut out)).expect("encoding into memory cannot fail");
        out
    }

    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        e.map(6)?.str("args")?.writer_mut().write_all(self.args).map_err(encode::Error::write)?;
        e.str("call")?.str(self.call)?.str("chain")?.bytes(&self.chain)?.str("nonce")?.bytes(&self.nonce)?;
        e.str("module")?.str(self.module)?.str("valid_until")?.u64(self.valid_until)?;
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<Call<'_>, decode::Error> {
        let mut d = Decoder::new(bytes);
        let key = |d: &mut Decoder<'_>, name: &'static str| match d.str() {
            Ok(found) if found == name => Ok(()),
            _ => Err(decode::Error::message(name)),
        };
        if d.map()? != Some(6) {
            return Err(decode::Error::message("a call has 6 fields"));
        }
        key(&mut d, "args")?;
        let args = codec::item(&mut d)?;
        key(&mut d, "call")?;
        let call = d.str()?;
        key(&mut d, "chain")?;
        let chain = codec::fixed(&mut d)?;
        key(&mut d, "nonce")?;
        let nonce = codec::fixed(&mut d)?;
        key(&mut d, "module")?;
        let module = d.str()?;
        key(&mut d, "valid_until")?;
        let valid_until = d.u64()?;
        if [module, call].iter().any(|name| name.is_empty() || name.len() > NAME_LEN_MAX) {
            return Err(decode::Error::message("a name has 1 to 32 bytes"));
        }
        Ok(Call { chain, module, call, args, nonce, valid_until })
    }
}

/// A parsed transaction, borrowing from its bytes. Its signature is not yet checked.
#[derive(Clone, Copy, Debug)]
pub struct Transaction<'a> {
    /// SHA-256 of the bytes.
    pub id: TransactionId,
    /// The key that signed.
    pub signer: PublicKey,
    /// What is asked.
    pub call: Call<'a>,
    /// The signature.
    pub signature: Signature,
    protected: &'a [u8],
    payload: &'a [u8],
}

impl<'a> Transaction<'a> {
    /// Parses strictly: every deviation from the one encoding is refused.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, TransactionError> {
        Self::decode_knowing(bytes, TransactionId(sha256(bytes)), |_| false)
    }

    /// The same, for bytes whose id was computed before, and not checking again that a key is a point of its curve when it is
    /// `known` to be one.
    pub fn decode_knowing(
        bytes: &'a [u8],
        id: TransactionId,
        known: impl FnOnce(&PublicKey) -> bool,
    ) -> Result<Self, TransactionError> {
        use TransactionError as E;
        if bytes.len() > TRANSACTION_BYTES_MAX {
            return Err(E::TooLarge);
        }
        let (protected, payload, signature) = split(bytes).map_err(|_| E::Malformed)?;
        let (algorithm, kid) = split_protected(protected).map_err(|_| E::Malformed)?;
        let call = Call::decode(payload).map_err(|_| E::Malformed)?;
        let signer = match unchecked_key(kid).filter(known) {
            Some(key) => key,
            None => PublicKey::parse(kid).map_err(|_| E::MalformedKey)?,
        };
        if Algorithm::from_cose(algorithm) != Some(signer.algorithm()) {
            return Err(E::UnknownAlgorithm);
        }
        let is_deterministic = codec::is_encoding(payload, |e| call.write(e))
            && codec::is_encoding(protected, |e| write_protected(&signer, e))
            && codec::is_encoding(bytes, |e| write_envelope(protected, payload, &signature, e));
        if !is_deterministic {
            return Err(E::NotDeterministic);
        }
        Ok(Self { id, signer, call, signature, protected, payload })
    }

    /// Parses bytes that passed [`decode`](Self::decode) on this machine before, and whose id is known from then. It skips what was
    /// found true then: that the key is a point of its curve, and that the encoding is the only one. `None` if the bytes cannot
    /// have passed.
    pub fn decode_again(bytes: &'a [u8], id: TransactionId) -> Option<Self> {
        let (protected, payload, signature) = split(bytes).ok()?;
        let (_, kid) = split_protected(protected).ok()?;
        Some(Self { id, signer: unchecked_key(kid)?, call: Call::decode(payload).ok()?, signature, protected, payload })
    }

    /// Whether the signature is in its one form: that of ES256 with the lower s, any by EdDSA. Of a high s anybody can make the low one
    /// and the other way round, and so put a transaction that they have seen under another id.
    pub fn has_one_form(&self) -> bool {
        match self.signer.algorithm() {
            Algorithm::EdDsa => true,
            Algorithm::Es256 => is_low_s(&self.signature),
        }
    }

    /// The signed bytes: the RFC 9052 `Sig_structure` with the chain id as external data.
    pub fn signed_bytes(&self) -> Vec<u8> {
        sig_structure(self.protected, &self.call.chain, self.payload)
    }

    /// About how many they are, and not fewer.
    pub fn signed_bytes_len(&self) -> usize {
        self.protected.len() + self.payload.len() + SIG_STRUCTURE_REST
    }

    /// Appends the signed bytes.
    pub fn write_signed_bytes(&self, out: &mut Vec<u8>) {
        write_sig_structure(self.protected, &self.call.chain, self.payload, out);
    }

    /// Checks the network and the signature.
    pub fn verify(&self, chain: &ChainId) -> Result<(), TransactionError> {
        if &self.call.chain != chain {
            return Err(TransactionError::WrongChain);
        }
        if self.signer.verify(&self.signed_bytes(), &self.signature) { Ok(()) } else { Err(TransactionError::BadSignature) }
    }
}

/// Signs a call into a transaction's bytes.
pub fn sign(call: &Call<'_>, key: &SigningKey) -> Vec<u8> {
    let payload = call.encode();
    let signature = key.sign(&sig_structure(&protected(&key.public_key()), &call.chain, &payload));
    envelope(&key.public_key(), &payload, &signature)
}

fn split(bytes: &[u8]) -> Result<(&[u8], &[u8], Signature), decode::Error> {
    let mut d = Decoder::new(bytes);
    if d.tag()?.as_u64() != COSE_SIGN1 {
        return Err(decode::Error::message("tag 18"));
    }
    codec::array(&mut d, 4, "COSE_Sign1 has 4 fields")?;
    let protected = d.bytes()?;
    if d.map()? != Some(0) {
        return Err(decode::Error::message("the unprotected header is empty"));
    }
    Ok((protected, d.bytes()?, codec::fixed(&mut d)?))
}

fn split_protected(bytes: &[u8]) -> Result<(i64, &[u8]), decode::Error> {
    let mut d = Decoder::new(bytes);
    if d.map()? != Some(2) || d.u8()? != 1 {
        return Err(decode::Error::message("alg"));
    }
    let algorithm = d.i64()?;
    if d.u8()? != 4 {
        return Err(decode::Error::message("kid"));
    }
    Ok((algorithm, d.bytes()?))
}

/// The key of these bytes, not checked to be a point of its curve.
fn unchecked_key(kid: &[u8]) -> Option<PublicKey> {
    match kid.len() {
        32 => Some(PublicKey::EdDsa(kid.try_into().ok()?)),
        _ => Some(PublicKey::Es256(kid.try_into().ok()?)),
    }
}

/// The protected header: `{1: alg, 4: kid}`, where the key id is the public key itself.
fn protected(key: &PublicKey) -> Vec<u8> {
    let mut out = Vec::with_capacity(48);
    write_protected(key, &mut Encoder::new(&mut out)).expect("encoding into memory cannot fail");
    out
}

fn write_protected<W: Write>(key: &PublicKey, e: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
    e.map(2)?.u8(1)?.i8(key.algorithm().cose())?.u8(4)?.bytes(key.as_bytes())?;
    Ok(())
}

fn envelope(key: &PublicKey, payload: &[u8], signature: &Signature) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 128);
    write_envelope(&protected(key), payload, signature, &mut Encoder::new(&mut out))
        .expect("encoding into memory cannot fail");
    out
}

fn write_envelope<W: Write>(
    protected: &[u8],
    payload: &[u8],
    signature: &Signature,
    e: &mut Encoder<W>,
) -> Result<(), encode::Error<W::Error>> {
    e.tag(minicbor::data::Tag::new(COSE_SIGN1))?.array(4)?.bytes(protected)?.map(0)?.bytes(payload)?.bytes(signature)?;
    Ok(())
}

/// RFC 9052 §4.4: `["Signature1", body_protected, external_aad, payload]`.
fn sig_structure(protected: &[u8], chain: &ChainId, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(protected.len() + payload.len() + SIG_STRUCTURE_REST);
    write_sig_structure(protected, chain, payload, &mut out);
    out
}

/// Bytes of it beside the protected header and the payload at most: heads, the text, and the chain id.
const SIG_STRUCTURE_REST: usize = 64;

fn write_sig_structure(protected: &[u8], chain: &ChainId, payload: &[u8], out: &mut Vec<u8>) {
    Encoder::new(out)
        .array(4)
        .and_then(|e| e.str("Signature1"))
        .and_then(|e| e.bytes(protected))
        .and_then(|e| e.bytes(chain))
        .and_then(|e| e.bytes(payload))
        .expect("encoding into memory cannot fail");
}
