//! What an audit finds wrong.

use serde::{Deserialize, Serialize};
use zhulian_primitives::Height;

/// What was examined, by a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The genesis document is not the pinned network's.
    Identity,
    /// An archive cannot be opened.
    Archive,
    /// A file that a store always has.
    File,
    /// A block that should be there is not.
    BlockMissing,
    /// A block cannot be read, or not be found by its digest.
    Block,
    /// A field of a header.
    Header,
    /// A block does not name its predecessor.
    Link,
    /// The root over the transactions.
    TransactionsRoot,
    /// The root over the receipts.
    ReceiptsRoot,
    /// A transaction's form, network or signature.
    Transaction,
    /// A receipt is not what execution gives.
    Receipt,
    /// A certificate cannot be read, is of another block, or does not verify.
    Certificate,
    /// A run of blocks that no certificate covers.
    Uncertified,
    /// A root, or the end, of the state after a block.
    StateRoot,
    /// Blocks from here on could not be executed, so their outcome is not checked.
    NotExecuted,
    /// The node's state cannot be opened or read, or is of no block.
    State,
    /// An entry of the node's state.
    StateEntry,
    /// The index cannot be read, or its file is damaged.
    Index,
    /// A row of the index.
    IndexRow,
    /// Uploaded entries of a batch do not give the root that was deposited.
    Entries,
}

impl What {
    /// The stable name.
    pub fn code(self) -> &'static str {
        self.texts().0
    }

    /// In Chinese.
    pub fn zh(self) -> &'static str {
        self.texts().1
    }

    /// In English.
    pub fn en(self) -> &'static str {
        self.texts().2
    }

    fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Identity => ("identity", "网络身份", "network identity"),
            Self::Archive => ("archive", "区块存档无法打开", "the archive cannot be opened"),
            Self::File => ("file", "缺少文件", "file missing"),
            Self::BlockMissing => ("block_missing", "缺少区块", "block missing"),
            Self::Block => ("block", "区块无法读取", "block cannot be read"),
            Self::Header => ("header", "区块头", "header"),
            Self::Link => ("link", "与上一区块的链接", "link to the block before"),
            Self::TransactionsRoot => ("transactions_root", "交易根", "root of the transactions"),
            Self::ReceiptsRoot => ("receipts_root", "回执根", "root of the receipts"),
            Self::Transaction => ("transaction", "交易", "transaction"),
            Self::Receipt => ("receipt", "回执与重新执行的结果", "receipt against execution"),
            Self::Certificate => ("certificate", "最终性证书", "certificate"),
            Self::Uncertified => ("uncertified", "没有证书覆盖", "covered by no certificate"),
            Self::StateRoot => ("state_root", "状态根", "root of the state"),
            Self::NotExecuted => ("not_executed", "未能重新执行", "not executed again"),
            Self::State => ("state", "节点状态库", "the node's state"),
            Self::StateEntry => ("state_entry", "状态条目", "entry of the state"),
            Self::Index => ("index", "索引文件", "file of the index"),
            Self::IndexRow => ("index_row", "索引行", "row of the index"),
            Self::Entries => ("entries", "批量存证清单", "uploaded entries of a batch"),
        }
    }
}

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The block, where it is about one.
    pub height: Option<Height>,
    /// What was examined.
    pub what: What,
    /// What must be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// Faults kept one by one at most; the rest are counted.
pub const KEPT_MAX: usize = 1_000;

/// The faults found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// The first ones.
    pub kept: Vec<Fault>,
    /// All of them.
    pub count: u64,
}

impl Faults {
    pub(super) fn add(
        &mut self,
        height: impl Into<Option<Height>>,
        what: What,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        self.count += 1;
        if self.kept.len() < KEPT_MAX {
            self.kept.push(Fault { height: height.into(), what, expected: expected.into(), found: found.into() });
        }
    }

    /// Adds a fault unless both are equal.
    pub(super) fn same<T: PartialEq + std::fmt::Display>(&mut self, height: Height, what: What, expected: T, found: T) {
        if expected != found {
            self.add(height, what, expected.to_string(), found.to_string());
        }
    }

    /// As [`same`](Self::same), of digests.
    pub(super) fn digest(&mut self, height: Height, what: What, expected: &[u8], found: &[u8]) {
        self.same(height, what, hex::encode(expected), hex::encode(found));
    }
}
