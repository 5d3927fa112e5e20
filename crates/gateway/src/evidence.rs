//! Evidence as the API shows it: the facts of a deposit from the archived transaction, its standing from the state.

use std::{collections::BTreeMap, sync::Arc};

use zhulian_api::{ErrorCode, view};
use zhulian_execution::{Call as _, Event as _};
use zhulian_ledger::{Key, Value};
use zhulian_modules::{
    evidence::{self, Deposit, DepositBatch, Details, Standing, Subject},
    identity::{self, MemberId, MemberKey, Uscc},
    procedure::CallMade,
};
use zhulian_primitives::{Block, EvidenceId, EvidenceRef, Header, Receipt, Transaction, codec};
use zhulian_verify::{Entry, FileRecord};

use crate::{EvidencePlace, EvidenceRow, Failure, PagePosition, Shared, read, state};

/// The number of a row.
pub fn number(row: &EvidenceRow) -> EvidenceRef {
    let entry = match row.place {
        EvidencePlace::Batch { entry: Some(entry), .. } => u32::try_from(entry).ok(),
        _ => None,
    };
    EvidenceRef { id: EvidenceId::of(&row.transaction), entry }
}

/// A file name for a number: only letters, digits and dashes.
pub fn file_name(number: EvidenceRef) -> String {
    number.to_string().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

fn subject(row: &EvidenceRow) -> Subject {
    match (&row.place, number(row).entry) {
        (EvidencePlace::File { sha256, sequence }, _) => Subject::File(*sha256, *sequence),
        (EvidencePlace::Batch { root, sequence, .. }, None) => Subject::Batch(*root, *sequence),
        (EvidencePlace::Batch { root, sequence, .. }, Some(entry)) => Subject::Entry(*root, *sequence, entry),
    }
}

/// What the row's transaction says.
struct Deposited {
    file: Option<FileRecord>,
    batch: Option<([u8; 32], u64)>,
    details: Details,
    signer: MemberKey,
    /// In whose name a case deposited it, where no member did.
    by_case: Option<Uscc>,
}

fn deposited_by(transaction: &Transaction<'_>, receipt: &Receipt) -> Option<Deposited> {
    let call = &transaction.call;
    // What a case deposits stands in the receipt, in the form of the call that it made.
    let is_deposit = |made: &CallMade| {
        made.refusal.is_none()
            && made.module == evidence::MODULE.name
            && [Deposit::NAME, DepositBatch::NAME].contains(&&*made.call)
    };
    let (name, args, by_case) = if call.module == evidence::MODULE.name {
        (call.call.to_owned(), call.args.to_vec(), None)
    } else {
        let made = receipt.events.iter().filter_map(CallMade::of).find(is_deposit)?;
        (made.call, made.args?.0, Some(made.organisation))
    };
    let (file, batch, details) = if name == Deposit::NAME {
        let Deposit { file, details } = codec::from_bytes(&args).ok()?;
        let file = FileRecord { sha256: file.sha256, sm3: file.sm3, size: file.size, chunks_root: file.chunks_root };
        (Some(file), None, details)
    } else if name == DepositBatch::NAME {
        let DepositBatch { root, count, details } = codec::from_bytes(&args).ok()?;
        (None, Some((root, count)), details)
    } else {
        return None;
    };
    Some(Deposited { file, batch, details, signer: MemberKey(transaction.signer), by_case })
}

fn deposited(block: &Block, row: &EvidenceRow) -> Result<Deposited, Failure> {
    let index = row.position.index as usize;
    let transaction = block.transactions.get(index).and_then(|bytes| Transaction::decode(bytes).ok());
    let receipt = block.receipts.get(index).and_then(|bytes| Receipt::decode(bytes).ok());
    transaction.as_ref().zip(receipt).and_then(|(transaction, receipt)| deposited_by(transaction, &receipt)).ok_or_else(
        || {
            tracing::error!(
                height = row.position.height,
                index = row.position.index,
                "the index names a deposit that is none"
            );
            ErrorCode::Internal.into()
        },
    )
}

/// Root and count of a batch; a failure when the row is none.
pub async fn batch(gateway: &Shared, row: &EvidenceRow) -> Result<([u8; 32], u64), Failure> {
    let block = read::block(&*gateway.backend, row.position.height).await?;
    deposited(&block, row)?.batch.ok_or_else(|| ErrorCode::NotABatch.into())
}

/// One piece of evidence.
pub async fn view(gateway: &Shared, row: &EvidenceRow) -> Result<view::EvidenceView, Failure> {
    Ok(view_at(gateway, row).await?.1)
}

/// One piece of evidence, with the header of the state that its standing was read from.
pub async fn view_at(gateway: &Shared, row: &EvidenceRow) -> Result<(Header, view::EvidenceView), Failure> {
    let (header, mut views) = views_at(gateway, std::slice::from_ref(row)).await?;
    Ok((header, views.pop().ok_or_else(|| Failure::from(ErrorCode::Internal))?))
}

/// Many pieces of evidence.
pub async fn views(gateway: &Shared, rows: &[EvidenceRow]) -> Result<Vec<view::EvidenceView>, Failure> {
    Ok(views_at(gateway, rows).await?.1)
}

/// The place of a row in a list: items of one transaction are the entries of a batch.
pub fn page_position(row: &EvidenceRow) -> PagePosition {
    let item = match row.place {
        EvidencePlace::Batch { entry: Some(entry), .. } => entry + 1,
        _ => 0,
    };
    PagePosition { position: row.position, item }
}

async fn views_at(gateway: &Shared, rows: &[EvidenceRow]) -> Result<(Header, Vec<view::EvidenceView>), Failure> {
    // Rows of a list are neighbours: each block is read once.
    let mut blocks: BTreeMap<u64, Arc<Block>> = BTreeMap::new();
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let height = row.position.height;
        let block = match blocks.get(&height) {
            Some(block) => block.clone(),
            None => read::block(&*gateway.backend, height).await?,
        };
        blocks.insert(height, block.clone());
        let mut deposited = deposited(&block, row)?;
        if let EvidencePlace::Batch { entry: Some(index), .. } = row.place {
            let batch = deposited.batch.ok_or_else(|| Failure::from(ErrorCode::NotABatch))?;
            let entry = gateway.backend.batch_entry(row.transaction, index, batch).await?;
            let entry = entry.and_then(|entry| Entry::decode(&entry.bytes).ok());
            deposited.file = Some(entry.ok_or_else(|| Failure::from(ErrorCode::EntryNotFound))?.file);
        }
        all.push((row, deposited));
    }
    let (header, known) = state::query(&*gateway.backend, |source, _| {
        all.iter().map(|(row, deposited)| Known::read(source, row, deposited)).collect::<Vec<_>>()
    })
    .await?;
    Ok((header, all.into_iter().zip(known).map(|((row, deposited), known)| shown(row, deposited, known)).collect()))
}

/// What the state says of a row.
struct Known {
    organisation_name: String,
    member: String,
    standing: Standing,
    custodian: Option<view::PartyView>,
    freezes: Vec<view::FreezeView>,
    first: Option<EvidenceRef>,
}

impl Known {
    fn read(source: &dyn Fn(&Key) -> Option<Value>, row: &EvidenceRow, deposited: &Deposited) -> Self {
        let subject = subject(row);
        let standing = match subject {
            Subject::Entry(root, sequence, entry) => evidence::entry(&source, &root, sequence, entry),
            other => evidence::record(&source, &other).map(|record| record.standing),
        };
        let first = match subject {
            Subject::File(sha256, 1..) => Some(Subject::File(sha256, 0)),
            Subject::Batch(root, 1..) | Subject::Entry(root, 1.., _) => Some(Subject::Batch(root, 0)),
            _ => None,
        };
        let standing = standing.unwrap_or_default();
        let freeze = |freeze: &evidence::FreezeRecord| view::FreezeView {
            court: party(source, &freeze.court),
            case: freeze.case.to_string(),
            height: freeze.height,
        };
        let organisation = deposited.by_case.or_else(|| Uscc::parse(&row.organisation).ok());
        // A key names one member for ever, so today's record tells who signed then.
        let signed = || identity::key(&source, &deposited.signer).map(|key| key.member.to_string()).unwrap_or_default();
        Self {
            organisation_name: organisation.map(|code| party(source, &code).name).unwrap_or_default(),
            member: if deposited.by_case.is_some() { MemberId::CASE.into() } else { signed() },
            custodian: standing.custodian.map(|code| party(source, &code)),
            freezes: standing.freezes.iter().map(freeze).collect(),
            // The same entries give the same root, so the earlier one has the same place in its batch.
            first: first
                .and_then(|first| evidence::record(&source, &first))
                .map(|record| EvidenceRef { id: record.id, entry: number(row).entry }),
            standing,
        }
    }
}

fn party(source: &dyn Fn(&Key) -> Option<Value>, code: &Uscc) -> view::PartyView {
    // A custodian may be an organisation that is not in the network; then its code is all that is known.
    let organisation = identity::organisation(&source, code);
    view::PartyView {
        uscc: code.to_string(),
        name: organisation.map_or_else(|| code.to_string(), |organisation| organisation.zh.to_string()),
    }
}

fn shown(row: &EvidenceRow, deposited: Deposited, known: Known) -> view::EvidenceView {
    let number = number(row);
    let (EvidencePlace::File { sequence, .. } | EvidencePlace::Batch { sequence, .. }) = row.place;
    view::EvidenceView {
        id: number.to_string(),
        transaction: row.transaction.into(),
        height: row.position.height,
        index: row.position.index,
        time_ms: row.time,
        organisation: deposited.by_case.map_or_else(|| row.organisation.clone(), |code| code.to_string()),
        organisation_name: known.organisation_name,
        member: known.member,
        status: known.standing.status().name().into(),
        custodian: known.custodian,
        sealed: known.standing.sealed,
        custody_events: known.standing.custody,
        freezes: known.freezes,
        withdrawal: known
            .standing
            .withdrawn
            .map(|withdrawal| view::WithdrawalView { reason: withdrawal.reason.name().into(), height: withdrawal.height }),
        file: deposited.file.map(|file| view::FileView {
            sha256: file.sha256.into(),
            sm3: file.sm3.into(),
            size: file.size,
            chunks_root: file.chunks_root.into(),
        }),
        batch_root: deposited.batch.map(|(root, _)| root.into()),
        batch_count: deposited.batch.map(|(_, count)| count),
        entry: number.entry.map(u64::from),
        sequence,
        first_deposit: known.first.map(|first| first.to_string()),
        details: details(deposited.details),
    }
}

fn details(details: Details) -> view::DetailsView {
    view::DetailsView {
        source_type: details.source_type.name().into(),
        legal_basis: details.legal_basis.to_string(),
        custodian: details.custodian.map(|code| code.to_string()),
        case_hint: details.case_hint.map(|hint| hint.to_string()),
        generation: details.generation.map(|generation| view::GenerationView {
            facts: generation.facts.into(),
            commitments: generation
                .commitments
                .iter()
                .map(|it| view::CommitmentView { field: it.field.name().into(), commitment: it.commitment.into() })
                .collect(),
        }),
        prior_evidence: details.prior_evidence.iter().map(ToString::to_string).collect(),
        retention_until_ms: details.retention_until,
        name_commitment: details.name_commitment.map(Into::into),
        process_log_root: details.process_log_root.map(Into::into),
        notes: details.notes,
        timestamp_token: details.timestamp_token.map(Into::into),
    }
}
