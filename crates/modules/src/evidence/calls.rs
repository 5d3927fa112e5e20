//! Calls of the evidence module: check, read, decide, write, emit.

use minicbor::{Decode, Encode};
use zhulian_crypto::{Digest, sha256_parts};
use zhulian_execution::{Allowed, Call, Class, Context, Event, Halt, Read, Role, Text};
use zhulian_ledger::{Key, Map};
use zhulian_primitives::{EvidenceId, Protocol, codec};

use super::{
    details::Details,
    errors::Error,
    events::{BatchDeposited, CustodyRecorded, Deposited, Frozen, PriorityConflict, Unfrozen, Withdrawn},
    rules::{self, Facts},
    state,
    types::{BATCH_ENTRIES_MAX, CaseNumber, CustodyKind, File, Record, Standing, Subject, WithdrawReason},
};
use crate::{
    governance::{self, Parameters},
    identity::{self, Me, Uscc},
};

/// The protocol since which a named custodian must be there (E10).
const CUSTODIAN_CHECKED: Protocol = 2;
const OFFICER: Allowed = Allowed::AnyOf(&[Role::Officer]);
const JUDGE: Allowed = Allowed::AnyOf(&[Role::Judge]);

/// Deposits one file by its digests.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Deposit {
    /// The file.
    #[n(0)]
    pub file: File,
    /// What the depositor says about it.
    #[n(1)]
    pub details: Details,
}

impl Call for Deposit {
    const NAME: &'static str = "deposit";
    const ALLOWED: Allowed = OFFICER;
    const ABOUT: Text = Text { en: "Deposits one file by its digests.", zh: "以摘要存证一个文件。" };
    const CDDL: &'static str = "{ 0: file, 1: details }";

    fn check(&self) -> Result<(), Halt> {
        self.file.check()?;
        Ok(self.details.check()?)
    }

    fn reads(&self) -> Vec<Key> {
        let first = state::FILE.key(&(self.file.sha256, 0));
        [first, governance::PARAMETERS.key(&())].into_iter().chain(custodian_key(&self.details)).collect()
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let parameters = parameters(ctx)?;
        check_details(ctx, &self.details, &parameters)?;
        let record = new_record(ctx, &me, &self.details);
        let (id, custodian) = (record.id, record.standing.custodian);
        let place = place(ctx, &state::FILE, &state::FILE_LATEST, self.file.sha256, record)?;
        ctx.emit(&Deposited {
            id,
            sha256: self.file.sha256,
            seq: place.seq,
            organisation: me.organisation,
            member: me.member,
            source_type: self.details.source_type,
            custodian,
        });
        emit_conflict(ctx, id, self.file.sha256, place.conflict);
        Ok(())
    }
}

/// Deposits a batch by the root over its entries.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DepositBatch {
    /// RFC 9162 root over the entries' bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub root: Digest,
    /// How many entries.
    #[n(1)]
    pub count: u64,
    /// What the depositor says about all of them.
    #[n(2)]
    pub details: Details,
}

impl Call for DepositBatch {
    const NAME: &'static str = "deposit_batch";
    const ALLOWED: Allowed = OFFICER;
    const ABOUT: Text = Text {
        en: "Deposits up to a million files at once by the Merkle root over their entries; each is provable by itself.",
        zh: "以条目默克尔树根一次存证至多一百万个文件，每个条目均可单独证明。",
    };
    const CDDL: &'static str = "{ 0: digest, 1: 1..1000000, 2: details }   ; root, count, details";

    fn check(&self) -> Result<(), Halt> {
        if !(1..=BATCH_ENTRIES_MAX).contains(&self.count) {
            return Err(Error::TooManyEntries.into());
        }
        Ok(self.details.check()?)
    }

    fn reads(&self) -> Vec<Key> {
        let first = state::BATCH.key(&(self.root, 0));
        [first, governance::PARAMETERS.key(&())].into_iter().chain(custodian_key(&self.details)).collect()
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let parameters = parameters(ctx)?;
        if self.count > parameters.batch_entries_max {
            return Err(Error::TooManyEntries.into());
        }
        check_details(ctx, &self.details, &parameters)?;
        let record = Record { entries: Some(self.count), ..new_record(ctx, &me, &self.details) };
        let (id, custodian) = (record.id, record.standing.custodian);
        let place = place(ctx, &state::BATCH, &state::BATCH_LATEST, self.root, record)?;
        ctx.emit(&BatchDeposited {
            id,
            root: self.root,
            seq: place.seq,
            organisation: me.organisation,
            member: me.member,
            source_type: self.details.source_type,
            custodian,
            count: self.count,
        });
        emit_conflict(ctx, id, self.root, place.conflict);
        Ok(())
    }
}

/// Records what happened to evidence in custody.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RecordCustody {
    /// What it is about.
    #[n(0)]
    pub subject: Subject,
    /// What happened.
    #[n(1)]
    pub kind: CustodyKind,
    /// SHA-256 of the process log, or its Merkle root.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub log: Digest,
    /// To whom it was handed.
    #[n(3)]
    pub to: Option<Uscc>,
}

impl Call for RecordCustody {
    const NAME: &'static str = "record_custody";
    const ALLOWED: Allowed = OFFICER;
    const ABOUT: Text = Text {
        en: "Records a custody event of evidence that one's organisation deposited or holds, with the digest of the process log.",
        zh: "登记本机构存证或保管的证据的保管流转事项，并附过程日志摘要。",
    };
    const CDDL: &'static str = "{ 0: subject, 1: custody_kind, 2: digest, ? 3: uscc }   ; subject, kind, log, to";

    fn reads(&self) -> Vec<Key> {
        self.subject.reads()
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let found = Found::read(ctx, self.subject)?;
        let recipient = match &self.to {
            Some(to) => identity::ORGANISATION.get(ctx, to)?,
            None => None,
        };
        let active = recipient.is_some_and(|recipient| recipient.is_active());
        let after = rules::custody(&found.facts, &me.organisation, self.kind, self.to.as_ref(), active)?;
        let event = CustodyRecorded {
            id: found.id(),
            entry: found.entry(),
            number: after.custody,
            kind: self.kind,
            organisation: me.organisation,
            member: me.member,
            log: self.log,
            to: self.to,
        };
        // E9
        let head = sha256_parts(&[&after.custody_head.unwrap_or_default(), &event.record().data.0]);
        let after = Standing { custody: after.custody + 1, custody_head: Some(head), ..after };
        found.write(ctx, after);
        ctx.emit(&event);
        Ok(())
    }
}

/// Freezes evidence in a case.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Freeze {
    /// What it is about.
    #[n(0)]
    pub subject: Subject,
    /// The case.
    #[n(1)]
    pub case: CaseNumber,
}

impl Call for Freeze {
    const NAME: &'static str = "freeze";
    const ALLOWED: Allowed = JUDGE;
    const ABOUT: Text = Text {
        en: "A court freezes evidence in a case: until it is released, it is not withdrawn, handed over or opened.",
        zh: "法院在案件中冻结证据；解除之前不得停止使用、移交或启封。",
    };
    const CDDL: &'static str = "{ 0: subject, 1: case_number }";

    fn reads(&self) -> Vec<Key> {
        self.subject.reads()
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        assert!(ctx.actor().class == Class::Judicial, "only a judicial organisation has judges");
        let found = Found::read(ctx, self.subject)?;
        let after = rules::freeze(&found.facts, &me.organisation, &self.case, ctx.height())?;
        let (id, entry) = (found.id(), found.entry());
        found.write(ctx, after);
        ctx.emit(&Frozen { id, entry, court: me.organisation, member: me.member, case: self.case.clone() });
        Ok(())
    }
}

/// Releases evidence in a case.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Unfreeze {
    /// What it is about.
    #[n(0)]
    pub subject: Subject,
    /// The case in which it was frozen.
    #[n(1)]
    pub case: CaseNumber,
}

impl Call for Unfreeze {
    const NAME: &'static str = "unfreeze";
    const ALLOWED: Allowed = JUDGE;
    const ABOUT: Text = Text {
        en: "The court that froze evidence in a case releases it from that case.",
        zh: "由冻结证据的法院在该案中解除冻结。",
    };
    const CDDL: &'static str = "{ 0: subject, 1: case_number }";

    fn reads(&self) -> Vec<Key> {
        self.subject.reads()
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let found = Found::read(ctx, self.subject)?;
        let after = rules::unfreeze(&found.facts, &me.organisation, &self.case)?;
        let (id, entry) = (found.id(), found.entry());
        found.write(ctx, after);
        ctx.emit(&Unfrozen { id, entry, court: me.organisation, member: me.member, case: self.case.clone() });
        Ok(())
    }
}

/// Withdraws a deposit from use.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Withdraw {
    /// What it is about.
    #[n(0)]
    pub subject: Subject,
    /// Why.
    #[n(1)]
    pub reason: WithdrawReason,
}

impl Call for Withdraw {
    const NAME: &'static str = "withdraw";
    const ALLOWED: Allowed = OFFICER;
    const ABOUT: Text = Text {
        en: "Withdraws one's organisation's deposit from use. It is never erased.",
        zh: "停止使用本机构的存证；存证永不删除。",
    };
    const CDDL: &'static str = "{ 0: subject, 1: withdraw_reason }";

    fn reads(&self) -> Vec<Key> {
        self.subject.reads()
    }

    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt> {
        let me = Me::of(ctx);
        let found = Found::read(ctx, self.subject)?;
        let after = rules::withdraw(&found.facts, &me.organisation, ctx.height(), self.reason)?;
        let (id, entry) = (found.id(), found.entry());
        found.write(ctx, after);
        ctx.emit(&Withdrawn { id, entry, organisation: me.organisation, member: me.member, reason: self.reason });
        Ok(())
    }
}

fn parameters(ctx: &mut Context<'_>) -> Result<Parameters, Halt> {
    Ok(governance::PARAMETERS.get(ctx, &())?.unwrap_or_default())
}

fn custodian_key(details: &Details) -> Option<Key> {
    details.custodian.as_ref().map(|custodian| identity::ORGANISATION.key(custodian))
}

fn check_details(ctx: &mut Context<'_>, details: &Details, parameters: &Parameters) -> Result<(), Halt> {
    if codec::encoded_len(details) as u64 > parameters.details_bytes_max {
        return Err(Error::DetailsTooLarge.into());
    }
    if details.retention_until.is_some_and(|until| until <= ctx.block_time()) {
        return Err(Error::RetentionPast.into());
    }
    if ctx.protocol() >= CUSTODIAN_CHECKED
        && let Some(custodian) = &details.custodian
        && !identity::ORGANISATION.get(ctx, custodian)?.is_some_and(|found| found.is_active())
    {
        return Err(Error::CustodianUnknown.into());
    }
    Ok(())
}

fn new_record(ctx: &Context<'_>, me: &Me, details: &Details) -> Record {
    let id = EvidenceId::of(&ctx.transaction());
    let mut record = Record::new(id, me.organisation, ctx.height(), ctx.block_time());
    record.standing.custodian = details.custodian.filter(|custodian| *custodian != me.organisation);
    record
}

/// Where a deposit was put.
struct Place {
    seq: u32,
    /// The first deposit, if it is another organisation's (E5).
    conflict: Option<Record>,
}

/// Puts a record at the first free place of its content.
fn place(
    ctx: &mut Context<'_>,
    map: &Map<(Digest, u32), Record>,
    latest: &Map<(Digest, Uscc), u32>,
    digest: Digest,
    record: Record,
) -> Result<Place, Halt> {
    let Some(first) = map.get(ctx, &(digest, 0))? else {
        map.put(ctx, &(digest, 0), &record);
        return Ok(Place { seq: 0, conflict: None });
    };
    let mine = record.organisation;
    let previous = match latest.get(ctx, &(digest, mine))? {
        Some(seq) => map.get(ctx, &(digest, seq))?,
        None => Some(first.clone()).filter(|first| first.organisation == mine),
    };
    // E4
    if previous.is_some_and(|previous| previous.standing.withdrawn.is_none()) {
        return Err(Error::AlreadyDeposited.into());
    }
    // E1: the first one stays where it is.
    let seq = first.deposits;
    map.put(ctx, &(digest, seq), &Record { deposits: 0, ..record });
    map.put(ctx, &(digest, 0), &Record { deposits: seq + 1, ..first.clone() });
    latest.put(ctx, &(digest, mine), &seq);
    Ok(Place { seq, conflict: Some(first).filter(|first| first.organisation != mine) })
}

fn emit_conflict(ctx: &mut Context<'_>, id: EvidenceId, digest: Digest, conflict: Option<Record>) {
    if let Some(first) = conflict {
        ctx.emit(&PriorityConflict {
            id,
            digest,
            first: first.id,
            organisation: first.organisation,
            height: first.height,
            time: first.time,
        });
    }
}

impl Subject {
    /// State keys that a call about it surely reads.
    fn reads(&self) -> Vec<Key> {
        match *self {
            Self::File(sha256, seq) => vec![state::FILE.key(&(sha256, seq))],
            Self::Batch(root, seq) => vec![state::BATCH.key(&(root, seq))],
            Self::Entry(root, seq, entry) => {
                vec![state::BATCH.key(&(root, seq)), state::ENTRY.key(&(root, seq, entry))]
            }
        }
    }
}

/// A subject that was found, with what is to be written back.
struct Found {
    subject: Subject,
    record: Record,
    facts: Facts,
}

impl Found {
    fn read(ctx: &mut Context<'_>, subject: Subject) -> Result<Self, Halt> {
        ctx.want(&subject.reads())?;
        let record = match subject {
            Subject::File(sha256, seq) => state::FILE.get(ctx, &(sha256, seq))?,
            Subject::Batch(root, seq) | Subject::Entry(root, seq, _) => state::BATCH.get(ctx, &(root, seq))?,
        };
        let Some(record) = record else { return Err(Error::NotFound.into()) };
        let whole = &record.standing;
        let facts = match subject {
            Subject::File(..) => Facts {
                depositor: record.organisation,
                standing: whole.clone(),
                frozen_elsewhere: false,
                withdrawn_elsewhere: false,
            },
            // A frozen entry holds the whole batch.
            Subject::Batch(..) => Facts {
                depositor: record.organisation,
                standing: whole.clone(),
                frozen_elsewhere: record.frozen_entries > 0,
                withdrawn_elsewhere: false,
            },
            Subject::Entry(root, seq, entry) => {
                if record.entries.is_none_or(|entries| u64::from(entry) >= entries) {
                    return Err(Error::NotFound.into());
                }
                // An entry goes its own way only from the first event of its own on; before that it is where the batch is.
                let fresh = Standing { custodian: whole.custodian, sealed: whole.sealed, ..Standing::default() };
                Facts {
                    depositor: record.organisation,
                    standing: state::ENTRY.get(ctx, &(root, seq, entry))?.unwrap_or(fresh),
                    frozen_elsewhere: whole.is_frozen(),
                    withdrawn_elsewhere: whole.withdrawn.is_some(),
                }
            }
        };
        Ok(Self { subject, record, facts })
    }

    fn id(&self) -> EvidenceId {
        self.record.id
    }

    fn entry(&self) -> Option<u32> {
        match self.subject {
            Subject::Entry(_, _, entry) => Some(entry),
            Subject::File(..) | Subject::Batch(..) => None,
        }
    }

    fn write(self, ctx: &mut Context<'_>, after: Standing) {
        let mut record = self.record;
        match self.subject {
            Subject::File(sha256, seq) => {
                record.standing = after;
                state::FILE.put(ctx, &(sha256, seq), &record);
            }
            Subject::Batch(root, seq) => {
                record.standing = after;
                state::BATCH.put(ctx, &(root, seq), &record);
            }
            Subject::Entry(root, seq, entry) => {
                match (self.facts.standing.is_frozen(), after.is_frozen()) {
                    (false, true) => record.frozen_entries += 1,
                    (true, false) => record.frozen_entries -= 1,
                    _ => {}
                }
                if self.facts.standing.is_frozen() != after.is_frozen() {
                    state::BATCH.put(ctx, &(root, seq), &record);
                }
                state::ENTRY.put(ctx, &(root, seq, entry), &after);
            }
        }
    }
}
