//! Evidence as the API shows it: the deposit from the chain, its standing from the state.

use zhulian_api::{ErrorCode, Hex32, view};
use zhulian_crypto::Digest;
use zhulian_ledger::{Key, Value};
use zhulian_modules::identity::{self, MemberKey, Uscc};
use zhulian_primitives::{EvidenceId, EvidenceIdError, EvidenceRef, Transaction};
use zhulian_verify::{Deposit, Entry, FileRecord, deposit_of};

use crate::{
    EvidenceFilter, EvidencePlace, EvidenceRow, Failure, Page, Shared,
    json::{Members, text, whole},
    read,
    request::hex32,
    state,
};

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

/// What the row's transaction says.
struct Deposited {
    deposit: Deposit,
    signer: MemberKey,
    details: serde_json::Value,
}

/// Reads the row's transaction from its block.
async fn deposited(gateway: &Shared, row: &EvidenceRow) -> Result<Deposited, Failure> {
    let block = read::block(&*gateway.backend, row.position.height).await?;
    let bytes = block.transactions.get(row.position.index as usize);
    let transaction = bytes.and_then(|bytes| Transaction::decode(bytes).ok());
    let deposited = transaction.and_then(|it| {
        let deposit = deposit_of(it.call.module, it.call.call, it.call.args).ok().flatten()?;
        // The details are the last argument of either call.
        let place = if matches!(deposit, Deposit::File(_)) { "1" } else { "2" };
        let details = zhulian_verify::cbor_json(it.call.args).get_mut(place).map(serde_json::Value::take).unwrap_or_default();
        Some(Deposited { deposit, signer: MemberKey(it.signer), details })
    });
    deposited.ok_or_else(|| {
        tracing::error!(height = row.position.height, index = row.position.index, "the index names a deposit that is none");
        ErrorCode::Internal.into()
    })
}

/// How many entries a batch has.
pub async fn batch_count(gateway: &Shared, row: &EvidenceRow) -> Result<u64, Failure> {
    match deposited(gateway, row).await?.deposit {
        Deposit::Batch { count, .. } => Ok(count),
        Deposit::File(_) => Err(ErrorCode::NotABatch.into()),
    }
}

/// A row's file: its own, or that of the entry it names.
async fn file(gateway: &Shared, row: &EvidenceRow, deposit: &Deposit) -> Result<Option<FileRecord>, Failure> {
    match (deposit, &row.place) {
        (Deposit::File(record), _) => Ok(Some(record.clone())),
        (Deposit::Batch { .. }, EvidencePlace::Batch { entry: Some(index), .. }) => {
            let entry = gateway.backend.batch_entry(row.transaction, *index).await?;
            let entry = entry.and_then(|entry| Entry::decode(&entry.bytes).ok());
            entry.map(|entry| Some(entry.file)).ok_or_else(|| ErrorCode::EntryNotFound.into())
        }
        _ => Ok(None),
    }
}

fn file_view(record: &FileRecord) -> view::FileView {
    view::FileView {
        sha256: record.sha256.into(),
        sm3: record.sm3.into(),
        size: record.size,
        chunks_root: record.chunks_root.into(),
    }
}

/// One piece of evidence.
pub async fn view(gateway: &Shared, row: &EvidenceRow) -> Result<view::EvidenceView, Failure> {
    views(gateway, std::slice::from_ref(row)).await?.pop().ok_or_else(|| ErrorCode::Internal.into())
}

/// Many pieces of evidence.
pub async fn views(gateway: &Shared, rows: &[EvidenceRow]) -> Result<Vec<view::EvidenceView>, Failure> {
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let deposited = deposited(gateway, row).await?;
        let file = file(gateway, row, &deposited.deposit).await?;
        all.push((row, deposited, file));
    }
    let (_, holders) = state::query(&*gateway.backend, |source, _| {
        all.iter().map(|(row, deposited, _)| holder(source, row, &deposited.signer)).collect::<Vec<_>>()
    })
    .await?;
    let view = |((row, deposited, file), (organisation_name, member)): ((&EvidenceRow, Deposited, Option<FileRecord>), _)| {
        let number = number(row);
        let (batch_root, batch_count) = match deposited.deposit {
            Deposit::Batch { root, count } => (Some(root.into()), Some(count)),
            Deposit::File(_) => (None, None),
        };
        let (EvidencePlace::File { sequence, .. } | EvidencePlace::Batch { sequence, .. }) = row.place;
        view::EvidenceView {
            id: number.to_string(),
            transaction: row.transaction.into(),
            height: row.position.height,
            index: row.position.index,
            time_ms: row.time,
            organisation: row.organisation.clone(),
            organisation_name,
            member,
            status: "active".into(),
            file: file.as_ref().map(file_view),
            batch_root,
            batch_count,
            entry: number.entry.map(u64::from),
            sequence,
            first_deposit: None,
            details: deposited.details,
        }
    };
    Ok(all.into_iter().zip(holders).map(view).collect())
}

/// The names of the depositor: organisation and member. A key names one member for ever, so today's record tells who signed then.
fn holder(source: &dyn Fn(&Key) -> Option<Value>, row: &EvidenceRow, signer: &MemberKey) -> (String, String) {
    let organisation = Uscc::parse(&row.organisation).ok().and_then(|code| identity::organisation(&source, &code));
    let name = organisation.map_or_else(|| row.organisation.clone(), |organisation| organisation.zh.to_string());
    let member = identity::key(&source, signer).map(|key| key.member.to_string()).unwrap_or_default();
    (name, member)
}

/// A question whether a file is deposited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    sha256: Digest,
    sm3: Option<Digest>,
    size: Option<u64>,
    chunks_root: Option<Digest>,
    /// The number asked about; `Err` is one with a typing error, which is nobody's.
    id: Option<Result<EvidenceRef, EvidenceIdError>>,
}

impl Question {
    /// Reads the body strictly.
    pub fn read(body: &[u8]) -> Result<Self, Failure> {
        let members = Members::read(body, &["sha256", "sm3", "size", "chunks_root", "id"])?;
        let digest = || text(|text| hex32(text).map(|digest| digest.0));
        Ok(Self {
            sha256: members.need("sha256", digest())?,
            sm3: members.get("sm3", digest())?,
            size: members.get("size", whole)?,
            chunks_root: members.get("chunks_root", digest())?,
            id: members.get(
                "id",
                text(|text| match text.parse::<EvidenceRef>() {
                    Err(error) if error != EvidenceIdError::Check => Err(error.to_string()),
                    read => Ok(read),
                }),
            )?,
        })
    }

    /// The fields in which what was deposited differs from what was asked.
    fn differing(&self, file: &view::FileView) -> Vec<String> {
        let differs = |given: Option<Digest>, found: Hex32| given.is_some_and(|given| given != found.0);
        let all = [
            ("sha256", self.sha256 != file.sha256.0),
            ("sm3", differs(self.sm3, file.sm3)),
            ("size", self.size.is_some_and(|size| size != file.size)),
            ("chunks_root", differs(self.chunks_root, file.chunks_root)),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
    }
}

/// Deposits of one file that an answer names at most; the first one is always among them.
const ANSWER_ROWS_MAX: usize = 20;

/// Exactly one of three answers.
pub async fn answer(gateway: &Shared, question: &Question) -> Result<view::CheckAnswer, Failure> {
    let rows = match question.id {
        Some(Err(_)) => Vec::new(),
        Some(Ok(number)) => {
            let row = gateway.backend.find_evidence(number.id).await?;
            row.into_iter().filter_map(|row| with_entry(row, number.entry)).collect()
        }
        None => {
            let filter = EvidenceFilter { sha256: Some(question.sha256), ..EvidenceFilter::default() };
            gateway.backend.evidence(filter, Page { before: None, limit: ANSWER_ROWS_MAX }).await?
        }
    };
    let mut evidence = views(gateway, &rows).await?;
    evidence.sort_by_key(|view| (view.height, view.index, view.entry));
    let height = gateway.backend.status().height.unwrap_or(0);
    let differing: Vec<Vec<String>> =
        evidence.iter().filter_map(|view| view.file.as_ref()).map(|file| question.differing(file)).collect();
    let (answer, differing) = match differing.iter().min_by_key(|fields| fields.len()) {
        // A batch as a whole is no file; what is not in it cannot be told from its root.
        None => (view::Answer::NotDeposited, Vec::new()),
        Some(fields) if fields.is_empty() => (view::Answer::Verified, Vec::new()),
        Some(fields) => (view::Answer::Mismatch, fields.clone()),
    };
    let (zh, en) = match answer {
        view::Answer::Verified => ("核验通过:该文件与链上存证一致", "verified: the file is what was deposited"),
        view::Answer::NotDeposited => ("该文件尚未存证", "not deposited: no such file is on the ledger"),
        view::Answer::Mismatch => ("该文件与链上存证不一致", "mismatch: the file is not what was deposited"),
    };
    Ok(view::CheckAnswer { answer, zh: zh.into(), en: en.into(), evidence, differing, height })
}

fn with_entry(mut row: EvidenceRow, wanted: Option<u32>) -> Option<EvidenceRow> {
    match (&mut row.place, wanted) {
        (_, None) => Some(row),
        (EvidencePlace::Batch { entry, .. }, Some(wanted)) => {
            *entry = Some(wanted.into());
            Some(row)
        }
        (EvidencePlace::File { .. }, Some(_)) => None,
    }
}
