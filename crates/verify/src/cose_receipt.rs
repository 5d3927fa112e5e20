//! COSE Receipts (RFC 9942) over a block's transactions tree, for verifiers that nobody in this project wrote.
//!
//! Validators sign votes for blocks, not tree roots, so such a receipt is the word of one issuing key. It lets a stock tool check
//! the inclusion; finality is what the receipt file proves.

use data_encoding::BASE64;
use minicbor::Encoder;
use zhulian_crypto::{Digest, PublicKey, SigningKey};
use zhulian_primitives::Header;

use crate::{ReceiptFile, Refusal};

/// What the issuer states about the receipt: CWT claims, of which RFC 9943 demands the first two.
#[derive(Clone, Copy, Debug)]
pub struct CoseStatement<'a> {
    /// `iss`: who issues the receipt, for example the node's address.
    pub issuer: &'a str,
    /// `sub`: what it is about, for example the transaction id.
    pub subject: &'a str,
    /// `iat`: seconds since 1970-01-01T00:00:00Z; the block's time.
    pub issued_at: u64,
}

/// A leaf's inclusion in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Leaves of the tree.
    pub tree_size: u64,
    /// The leaf.
    pub leaf_index: u64,
    /// Its audit path.
    pub path: Vec<Digest>,
    /// The tree's root.
    pub root: Digest,
}

impl Inclusion {
    /// The inclusion of a receipt file's transaction in its block. Verify the file first.
    ///
    /// # Errors
    /// When the file's first header is no header.
    pub fn of(file: &ReceiptFile) -> Result<Self, Refusal> {
        let header = file.headers.first().ok_or(Refusal::Malformed)?;
        let header = Header::decode(header).map_err(|_| Refusal::HeaderMalformed)?;
        Ok(Self {
            tree_size: header.transaction_count,
            leaf_index: file.index,
            path: file.transactions_path.clone(),
            root: header.transactions_root,
        })
    }
}

const COSE_SIGN1: u64 = 18;
const ALG: u8 = 1;
const KID: u8 = 4;
const CWT_CLAIMS: u8 = 15;
/// Label of the verifiable data structure, and the number of RFC 9162 with SHA-256 (RFC 9942 §4.2).
const VDS: u16 = 395;
const RFC9162_SHA256: u8 = 1;
/// Label of its proofs, and among them of inclusion.
const VDP: u16 = 396;
const INCLUSION: i8 = -1;

/// The receipt's bytes: a COSE_Sign1 whose detached payload is the root. The leaf's entry is the transaction's bytes.
pub fn cose_receipt(key: &SigningKey, statement: &CoseStatement<'_>, inclusion: &Inclusion) -> Vec<u8> {
    let protected = protected(&key.public_key(), statement);
    let mut signed = Vec::with_capacity(256);
    Encoder::new(&mut signed)
        .array(4)
        .and_then(|e| e.str("Signature1"))
        .and_then(|e| e.bytes(&protected))
        .and_then(|e| e.bytes(b""))
        .and_then(|e| e.bytes(&inclusion.root))
        .expect("encoding into memory cannot fail");
    let mut out = Vec::with_capacity(512);
    Encoder::new(&mut out)
        .tag(minicbor::data::Tag::new(COSE_SIGN1))
        .and_then(|e| e.array(4))
        .and_then(|e| e.bytes(&protected))
        .and_then(|e| e.map(1))
        .and_then(|e| e.u16(VDP))
        .and_then(|e| e.map(1))
        .and_then(|e| e.i8(INCLUSION))
        .and_then(|e| e.array(1))
        .and_then(|e| e.bytes(&proof(inclusion)))
        .and_then(|e| e.null())
        .and_then(|e| e.bytes(&key.sign(&signed)))
        .expect("encoding into memory cannot fail");
    out
}

/// `{1: alg, 4: kid, 15: {1: iss, 2: sub, 6: iat}, 395: 1}`.
fn protected(key: &PublicKey, statement: &CoseStatement<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    Encoder::new(&mut out)
        .map(4)
        .and_then(|e| e.u8(ALG))
        .and_then(|e| e.i8(key.algorithm().cose()))
        .and_then(|e| e.u8(KID))
        .and_then(|e| e.bytes(key.as_bytes()))
        .and_then(|e| e.u8(CWT_CLAIMS))
        .and_then(|e| e.map(3))
        .and_then(|e| e.u8(1))
        .and_then(|e| e.str(statement.issuer))
        .and_then(|e| e.u8(2))
        .and_then(|e| e.str(statement.subject))
        .and_then(|e| e.u8(6))
        .and_then(|e| e.u64(statement.issued_at))
        .and_then(|e| e.u16(VDS))
        .and_then(|e| e.u8(RFC9162_SHA256))
        .expect("encoding into memory cannot fail");
    out
}

/// `[tree_size, leaf_index, [node…]]`.
fn proof(inclusion: &Inclusion) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + inclusion.path.len() * 34);
    let mut e = Encoder::new(&mut out);
    e.array(3)
        .and_then(|e| e.u64(inclusion.tree_size))
        .and_then(|e| e.u64(inclusion.leaf_index))
        .and_then(|e| e.array(inclusion.path.len() as u64))
        .expect("encoding into memory cannot fail");
    for digest in &inclusion.path {
        e.bytes(digest).expect("encoding into memory cannot fail");
    }
    out
}

/// The key as a PEM `SubjectPublicKeyInfo` (RFC 8410, RFC 5480), the form in which stock tools take the issuer's key.
pub fn public_key_pem(key: &PublicKey) -> String {
    // SEQUENCE { SEQUENCE { OID ed25519 }, BIT STRING } and SEQUENCE { SEQUENCE { OID ecPublicKey, OID prime256v1 }, BIT STRING }.
    const ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    const P256: &[u8] = &[
        0x30, 0x39, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
        0x3d, 0x03, 0x01, 0x07, 0x03, 0x22, 0x00,
    ];
    let prefix = match key {
        PublicKey::EdDsa(_) => ED25519,
        PublicKey::Es256(_) => P256,
    };
    let text = BASE64.encode(&[prefix, key.as_bytes()].concat());
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}
