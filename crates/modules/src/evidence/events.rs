//! Events of the evidence module: what the index and receipts tell.

use minicbor::{Decode, Encode};
use zhulian_crypto::Digest;
use zhulian_execution::{Event, Text};
use zhulian_primitives::{EvidenceId, EvidenceRef, Height, Timestamp};

use super::{
    details::SourceType,
    types::{CaseNumber, CustodyKind, WithdrawReason},
};
use crate::identity::{MemberId, Uscc};

/// A file was deposited.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Deposited {
    /// Its number, 存证编号.
    #[n(0)]
    pub id: EvidenceId,
    /// SHA-256 of the file.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sha256: Digest,
    /// Which deposit of the file it is, from 0; with the digest it gives the state key.
    #[n(2)]
    pub seq: u32,
    /// The depositor.
    #[n(3)]
    pub organisation: Uscc,
    /// The member that acted.
    #[n(4)]
    pub member: MemberId,
    /// Where it comes from.
    #[n(5)]
    pub source_type: SourceType,
    /// Who holds the original, if not the depositor; absent is the neutrality flag (depositor is custodian).
    #[n(6)]
    pub custodian: Option<Uscc>,
}

impl Deposited {
    /// Whether the depositor itself holds the original (人民法院在线诉讼规则 art. 17: neutrality).
    pub fn is_own_custody(&self) -> bool {
        self.custodian.is_none()
    }
}

impl Event for Deposited {
    const MODULE: &'static str = "evidence";
    const NAME: &'static str = "deposited";
    const ABOUT: Text = Text {
        en: "A file was deposited. Without a custodian the depositor itself holds the original (neutrality flag).",
        zh: "文件已存证。无保管机构字段表示由存证机构自行保管（中立性提示）。",
    };
    const CDDL: &'static str = "{ 0: evidence_id, 1: digest, 2: uint, 3: uscc, 4: member, 5: source_type, ? 6: uscc }   ; id, sha256, seq, organisation, member, source, custodian";
}

/// A batch was deposited.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BatchDeposited {
    /// Its number, 存证编号.
    #[n(0)]
    pub id: EvidenceId,
    /// Root over its entries.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub root: Digest,
    /// Which deposit of the root it is, from 0.
    #[n(2)]
    pub seq: u32,
    /// The depositor.
    #[n(3)]
    pub organisation: Uscc,
    /// The member that acted.
    #[n(4)]
    pub member: MemberId,
    /// Where it comes from.
    #[n(5)]
    pub source_type: SourceType,
    /// Who holds the originals, if not the depositor; absent is the neutrality flag.
    #[n(6)]
    pub custodian: Option<Uscc>,
    /// How many entries.
    #[n(7)]
    pub count: u64,
}

impl BatchDeposited {
    /// Whether the depositor itself holds the originals.
    pub fn is_own_custody(&self) -> bool {
        self.custodian.is_none()
    }
}

impl Event for BatchDeposited {
    const MODULE: &'static str = "evidence";
    const NAME: &'static str = "batch_deposited";
    const ABOUT: Text = Text {
        en: "A batch was deposited by the root over its entries; each entry is evidence of its own.",
        zh: "已按条目树根批量存证；每个条目各为一份证据。",
    };
    const CDDL: &'static str = "{ 0: evidence_id, 1: digest, 2: uint, 3: uscc, 4: member, 5: source_type, ? 6: uscc, 7: uint }   ; id, root, seq, organisation, member, source, custodian, count";
}

/// The same content was deposited by another organisation before.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PriorityConflict {
    /// Number of the deposit that came later.
    #[n(0)]
    pub id: EvidenceId,
    /// The file's SHA-256, or the batch's root.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub digest: Digest,
    /// Number of the deposit that came first.
    #[n(2)]
    pub first: EvidenceId,
    /// Depositor of the first.
    #[n(3)]
    pub organisation: Uscc,
    /// Height of the first.
    #[n(4)]
    pub height: Height,
    /// Time of the first.
    #[n(5)]
    pub time: Timestamp,
}

impl Event for PriorityConflict {
    const MODULE: &'static str = "evidence";
    const NAME: &'static str = "priority_conflict";
    const ABOUT: Text = Text {
        en: "The content of this deposit was first deposited by another organisation; the event names that deposit.",
        zh: "该内容此前已由其他机构首次存证；事件中写明该次存证。",
    };
    const CDDL: &'static str = "{ 0: evidence_id, 1: digest, 2: evidence_id, 3: uscc, 4: height, 5: timestamp }   ; id, digest, the first one's id, organisation, height, time";
}

/// Declares what events about a deposit or an entry share.
macro_rules! about_evidence {
    ($($type:ident),+) => {$(
        impl $type {
            /// What it is about.
            pub fn evidence(&self) -> EvidenceRef {
                EvidenceRef { id: self.id, entry: self.entry }
            }
        }
    )+};
}
about_evidence!(CustodyRecorded, Frozen, Unfrozen, Withdrawn);

/// Something happened to evidence in custody.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CustodyRecorded {
    /// Its number, 存证编号.
    #[n(0)]
    pub id: EvidenceId,
    /// The entry, if it is about one entry of a batch.
    #[n(1)]
    pub entry: Option<u32>,
    /// Number of the custody event, from 0.
    #[n(2)]
    pub number: u32,
    /// What happened.
    #[n(3)]
    pub kind: CustodyKind,
    /// The organisation that says so.
    #[n(4)]
    pub organisation: Uscc,
    /// The member that acted.
    #[n(5)]
    pub member: MemberId,
    /// SHA-256 of the process log, or its Merkle root.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub log: Digest,
    /// To whom it was handed.
    #[n(7)]
    pub to: Option<Uscc>,
}

impl Event for CustodyRecorded {
    const MODULE: &'static str = "evidence";
    const NAME: &'static str = "custody_recorded";
    const ABOUT: Text = Text {
        en: "A custody event. The record's custody digest is SHA-256(previous digest || these fields' bytes), from 32 zero bytes on.",
        zh: "保管流转事项。记录中的保管摘要为 SHA-256（前一摘要 || 本事件字段字节），初值为 32 个零字节。",
    };
    const CDDL: &'static str = "{ 0: evidence_id, ? 1: uint, 2: uint, 3: custody_kind, 4: uscc, 5: member, 6: digest, ? 7: uscc }   ; id, entry, number, kind, organisation, member, log, to";
}

/// Declares a freeze or a release.
macro_rules! freeze_event {
    ($type:ident, $name:literal, $en:literal, $zh:literal) => {
        #[doc = $en]
        #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
        #[cbor(map)]
        pub struct $type {
            /// Number of the deposit.
            #[n(0)]
            pub id: EvidenceId,
            /// The entry, if it is about one entry of a batch.
            #[n(1)]
            pub entry: Option<u32>,
            /// The court.
            #[n(2)]
            pub court: Uscc,
            /// The judge.
            #[n(3)]
            pub member: MemberId,
            /// The case.
            #[n(4)]
            pub case: CaseNumber,
        }

        impl Event for $type {
            const MODULE: &'static str = "evidence";
            const NAME: &'static str = $name;
            const ABOUT: Text = Text { en: $en, zh: $zh };
            const CDDL: &'static str =
                "{ 0: evidence_id, ? 1: uint, 2: uscc, 3: member, 4: case_number }   ; id, entry, court, judge, case";
        }
    };
}
freeze_event!(Frozen, "frozen", "A court froze evidence in a case.", "法院在案件中冻结了证据。");
freeze_event!(Unfrozen, "unfrozen", "A court released evidence in a case.", "法院在案件中解除了证据冻结。");

/// Evidence was withdrawn from use.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Withdrawn {
    /// Its number, 存证编号.
    #[n(0)]
    pub id: EvidenceId,
    /// The entry, if it is about one entry of a batch.
    #[n(1)]
    pub entry: Option<u32>,
    /// The depositor.
    #[n(2)]
    pub organisation: Uscc,
    /// The member that acted.
    #[n(3)]
    pub member: MemberId,
    /// Why.
    #[n(4)]
    pub reason: WithdrawReason,
}

impl Event for Withdrawn {
    const MODULE: &'static str = "evidence";
    const NAME: &'static str = "withdrawn";
    const ABOUT: Text = Text {
        en: "The depositor withdrew evidence from use; the deposit and every proof of it stay.",
        zh: "存证机构停止使用该证据；存证及其一切证明仍然保留。",
    };
    const CDDL: &'static str =
        "{ 0: evidence_id, ? 1: uint, 2: uscc, 3: member, 4: withdraw_reason }   ; id, entry, organisation, member, reason";
}
