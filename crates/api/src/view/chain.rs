use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RefusalView;
use crate::{Hex32, HexBytes};

/// A block in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockRow {
    /// Its height.
    pub height: u64,
    /// Its time.
    pub time_ms: u64,
    /// Its digest.
    pub digest: Hex32,
    /// Name of the organisation whose validator proposed it.
    pub proposer: String,
    /// How many transactions it holds.
    pub transactions: u64,
}

super::list::list! {
    /// Finalised blocks, newest first.
    BlockList of BlockRow
}

/// A block with the proof that it is final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockDetail {
    /// Digest of the block: SHA-256 of the header's bytes.
    pub digest: Hex32,
    /// The header's fields.
    pub header: HeaderView,
    /// The header's bytes.
    pub header_bytes: HexBytes,
    /// Name of the organisation whose validator proposed it.
    pub proposer: String,
    /// Its transactions in execution order.
    pub transactions: Vec<BlockTransaction>,
    /// Certificate of this block or of a descendant.
    pub certificate: CertificateView,
    /// Bytes of the headers that follow, up to the one that the certificate names; usually none.
    pub later_headers: Vec<HexBytes>,
}

/// The fields of a block header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeaderView {
    /// Version of the rules by which it was executed.
    pub version: u16,
    /// The network.
    pub chain: Hex32,
    /// Its height.
    pub height: u64,
    /// Its time.
    pub time_ms: u64,
    /// Consensus epoch.
    pub epoch: u64,
    /// Consensus view.
    pub view: u64,
    /// View of its parent.
    pub parent_view: u64,
    /// Digest of its parent.
    pub parent: Hex32,
    /// Ed25519 key of the validator that proposed it.
    pub proposer: Hex32,
    /// How many transactions it holds.
    pub transaction_count: u64,
    /// RFC 9162 root over the transactions.
    pub transactions_root: Hex32,
    /// RFC 9162 root over the receipts.
    pub receipts_root: Hex32,
    /// Root of the state after it.
    pub state_root: Hex32,
}

/// A transaction of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockTransaction {
    /// Its id.
    pub id: Hex32,
    /// Why it was refused, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refusal: Option<RefusalView>,
}

/// A finality certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateView {
    /// Digest of the block it names.
    pub block: Hex32,
    /// Height of that block.
    pub height: u64,
    /// The validators that signed.
    pub signatures: Vec<SignatureView>,
    /// The certificate's bytes.
    pub bytes: HexBytes,
}

/// A validator's signature in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignatureView {
    /// Index of the validator in the network identity.
    pub validator: u32,
    /// Name of the organisation that runs it.
    pub name: String,
    /// The signature's bytes.
    pub signature: HexBytes,
}

/// A state value, or its absence, with a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateView {
    /// The state key.
    pub key: Hex32,
    /// Whether the key has a value.
    pub exists: bool,
    /// The value's bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub value: Option<HexBytes>,
    /// Height of the header whose state root the proof leads to.
    pub height: u64,
    /// That state root.
    pub state_root: Hex32,
    /// That header's bytes.
    pub header_bytes: HexBytes,
    /// The proof of membership or exclusion.
    pub proof: HexBytes,
}
