use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zhulian_primitives::PROTOCOL_FIRST;

use crate::Hex32;

/// A validator counts as up for so many seconds after it was heard; it says something every second.
pub const CONNECTED_SECONDS: u64 = 5;

/// The network: its identity as verifiers pin it, and what governs it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkView {
    /// The network identity file. Trust it only if it came from a source that you trust anyway.
    pub identity: NetworkIdentity,
    /// Time of the genesis.
    pub genesis_time_ms: u64,
    /// Version of the rules by which new blocks are executed.
    pub protocol_version: u16,
    /// Parameters in force; empty while the node has no state yet.
    pub parameters: Vec<ParameterView>,
}

/// The network identity file, `zhulian-network/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkIdentity {
    /// `zhulian-network/1`.
    pub format: String,
    /// The network's name.
    pub name: String,
    /// SHA-256 of the genesis document.
    pub chain: Hex32,
    /// Validators sorted by public key.
    pub validators: Vec<IdentityValidator>,
}

/// A validator in the network identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdentityValidator {
    /// Name of the organisation that runs it.
    pub name: String,
    /// Its unified social credit code.
    pub organisation: String,
    /// Ed25519 key of its votes.
    pub public_key: Hex32,
}

/// A parameter of governance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParameterView {
    /// Its name, with the unit last.
    pub name: String,
    /// Its value.
    pub value: u64,
}

/// How far a node has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Opens its store, or asks others where they are.
    Starting,
    /// Fetches the state from others.
    Syncing,
    /// Executes blocks and votes.
    Running,
}

/// How the node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    /// The node's version.
    pub version: String,
    /// How far it has come.
    pub phase: Phase,
    /// SHA-256 of the genesis document.
    pub chain: Hex32,
    /// The node's own key, if it is a validator.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub public_key: Option<Hex32>,
    /// The last finalised height; 0 before there is a block.
    pub height: u64,
    /// Time of that block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub time_ms: Option<u64>,
    /// Digest of that block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub block: Option<Hex32>,
    /// Height up to which lists are complete.
    pub indexed_height: u64,
    /// Consensus epoch.
    pub epoch: u64,
    /// Consensus view.
    pub view: u64,
    /// Name of the validator that leads the view.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub leader: Option<String>,
    /// The other validators as this node sees them.
    pub peers: Vec<PeerView>,
    /// Whether the node has listened to them for only a few seconds, so that it says nothing yet not to have heard one.
    #[serde(default)]
    pub settling: bool,
    /// Transactions that wait for a block.
    pub mempool_transactions: u64,
    /// Their bytes.
    pub mempool_bytes: u64,
    /// Bytes that may wait at most.
    pub mempool_bytes_max: u64,
    /// Finalised transactions since genesis.
    pub transactions: u64,
    /// Pieces of evidence since genesis, entries of batches counted one by one.
    pub evidence: u64,
    /// Stored records that failed their check and are not served.
    pub damage: Vec<String>,
    /// The disk that the node stores on; absent before it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub disk: Option<DiskView>,
    /// The node's archive of old blocks; absent when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub archive: Option<ArchiveView>,
    /// Keys of members of the node's organisation that are due for replacement by its own rule, the most urgent first.
    #[serde(default)]
    pub keys_due: Vec<KeyDueView>,
    /// By which rules blocks are executed, and which of them this node knows.
    #[serde(default = "ProtocolView::first")]
    #[schema(required = true)]
    pub protocol: ProtocolView,
    /// Calendars of working days in force, the one that ends first before the others.
    #[serde(default)]
    pub calendars: Vec<CalendarDueView>,
    /// What keeps the network from going on, naming who; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub stall: Option<String>,
}

/// Protocols, the numbered sets of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProtocolView {
    /// The protocol of the next block.
    pub in_force: u16,
    /// The newest that the node's program executes. It executes all before it, too.
    pub known: u16,
    /// The one that follows, if the organisations have voted so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<UpgradeView>,
}

/// A protocol that begins at a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpgradeView {
    /// The protocol.
    pub protocol: u16,
    /// The first height that follows it.
    pub height: u64,
}

impl ProtocolView {
    /// That of a node which does not tell: such a one is from before there was more than the first.
    fn first() -> Self {
        Self { in_force: PROTOCOL_FIRST, known: PROTOCOL_FIRST, next: None }
    }

    /// What the node cannot execute, as soon as it is known: in English and Chinese, naming the protocols and the height.
    pub fn unknown(&self) -> Option<(String, String)> {
        let known = self.known;
        if self.in_force > known {
            let protocol = self.in_force;
            return Some((
                format!("this binary executes protocols 1 to {known}, and the next block follows protocol {protocol}"),
                format!("本程序可执行协议 1 至 {known}，而下一区块须执行协议 {protocol}"),
            ));
        }
        let UpgradeView { protocol, height } = self.next.filter(|next| next.protocol > known)?;
        Some((
            format!("this binary executes protocols 1 to {known}; height {height} begins protocol {protocol}"),
            format!("本程序可执行协议 1 至 {known}，高度 {height} 起须执行协议 {protocol}"),
        ))
    }

    /// Whether the node stands still until a newer program is installed.
    pub fn is_blocked(&self) -> bool {
        self.in_force > self.known
    }
}

/// A key that is due for replacement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyDueView {
    /// The public key, in hexadecimal digits.
    pub public_key: String,
    /// The member that holds it, by its pseudonym.
    pub member: String,
    /// Whole days until it is due; negative when it is overdue.
    pub days_left: i64,
}

/// A node's archive of old blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArchiveView {
    /// Blocks up to this height are in it, proven.
    pub archived_height: u64,
    /// Why nothing more goes there at the moment; absent while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub problem: Option<String>,
}

/// How long a calendar of working days in force still holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CalendarDueView {
    /// The rule pack.
    pub pack: String,
    /// The last day that it holds, `2026-12-31`.
    pub last_day: String,
    /// Days until that day, by block time; negative when it is over.
    pub days_left: i64,
}

impl CalendarDueView {
    /// Whether it is time to vote in the next year: 60 days are left, and the notice of its days off comes in November.
    pub fn is_due(&self) -> bool {
        self.days_left <= 60
    }
}

/// The disk that a node stores on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiskView {
    /// Bytes that the node uses.
    pub used_bytes: u64,
    /// Bytes that are free.
    pub free_bytes: u64,
    /// Whole days until none are, if it goes on as in the last days; absent while that is not known, or not in sight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub full_in_days: Option<u64>,
}

/// Nodes that do not say whether a height is known gave one always.
fn known() -> bool {
    true
}

/// Another validator as the node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerView {
    /// Name of the organisation that runs it.
    pub name: String,
    /// Its key.
    pub public_key: Hex32,
    /// Whether it was heard within the last five seconds: one that has just ended counts for as long.
    pub connected: bool,
    /// The last height it has executed; 0 while it is not known.
    pub height: u64,
    /// Whether the height is known; it is not while the validator has not said it, as when it opens its store.
    #[serde(default = "known")]
    pub height_known: bool,
    /// When it was last heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_seen_ms: Option<u64>,
    /// Its clock minus the node's.
    pub clock_skew_ms: i64,
}

/// The validators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Validators {
    /// Consensus epoch.
    pub epoch: u64,
    /// Votes that finalise a block.
    pub quorum: u32,
    /// The last height of the epoch, after which the validators may change.
    pub epoch_ends: u64,
    /// Those of the epoch, sorted by public key.
    pub items: Vec<ValidatorView>,
    /// Who comes with the next epoch, if the organisations have voted so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pending: Option<PendingValidators>,
    /// How the power over blocks is spread over legal entities.
    pub power: PowerView,
}

/// Validators to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingValidators {
    /// Their first epoch.
    pub epoch: u64,
    /// Its first height.
    pub height: u64,
    /// All of them, sorted by public key. One that comes is heard from when it follows, as soon as the motion is carried.
    pub items: Vec<ValidatorView>,
}

/// How the power over blocks is spread over legal entities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PowerView {
    /// `spread`; `alarm` when one organisation runs a quarter of the validators or more; `excessive` when one runs a third or more and can
    /// stop the network alone, whereto no vote leads.
    pub concentration: String,
    /// The Nakamoto coefficient: how many organisations can stop the network together.
    pub nakamoto: u32,
    /// Who runs how many, the most powerful first.
    pub organisations: Vec<PowerHeld>,
}

/// The power of a legal entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PowerHeld {
    /// Its unified social credit code.
    pub organisation: String,
    /// Name of a validator that it runs.
    pub name: String,
    /// How many it runs.
    pub validators: u32,
    /// Its share in percent, rounded down.
    pub percent: u32,
}

/// A validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorView {
    /// Name of the organisation that runs it.
    pub name: String,
    /// Its unified social credit code.
    pub organisation: String,
    /// Ed25519 key of its votes.
    pub public_key: Hex32,
    /// Whether it is the node that answers.
    pub this_node: bool,
    /// Whether it was heard within the last five seconds: one that has just ended counts for as long.
    pub connected: bool,
    /// The last height it has executed; 0 while it is not known.
    pub height: u64,
    /// Contradictory votes seen of it since the node started.
    pub misbehaviour: u64,
}

/// Whether the node is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Always true; anything else is a problem body.
    pub ok: bool,
}
