//! The public check of a file: exactly three answers.

use zhulian_api::{ErrorCode, Hex32, view};
use zhulian_crypto::Digest;
use zhulian_modules::evidence::{self, Subject};
use zhulian_primitives::{EvidenceIdError, EvidenceRef};

use crate::{
    BackendError, EvidenceFilter, EvidencePlace, EvidenceRow, Failure, Page, Shared,
    evidence::views,
    json::{Members, text, whole},
    request::hex32,
    state,
};

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
        let number = text(|text| match text.parse::<EvidenceRef>() {
            Err(error) if error != EvidenceIdError::Check => Err(error.to_string()),
            read => Ok(read),
        });
        Ok(Self {
            sha256: members.need("sha256", digest())?,
            sm3: members.get("sm3", digest())?,
            size: members.get("size", whole)?,
            chunks_root: members.get("chunks_root", digest())?,
            id: members.get("id", number)?,
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

/// Deposits of one file that an answer names at most, beside the first one.
const ANSWER_ROWS_MAX: usize = 20;

/// Answers a question.
pub async fn answer(gateway: &Shared, question: &Question) -> Result<view::CheckAnswer, Failure> {
    let (rows, height) = match question.id {
        Some(Err(_)) => (Vec::new(), gateway.backend.status().height.unwrap_or(0)),
        Some(Ok(number)) => {
            // Read first: whoever then finds nothing knows all blocks up to here.
            let height = gateway.backend.status().height.unwrap_or(0);
            let row = gateway.backend.find_evidence(number.id).await?;
            let rows = row.into_iter().filter_map(|row| with_entry(row, number.entry)).collect();
            (rows, height)
        }
        None => by_digest(gateway, question.sha256).await?,
    };
    let mut evidence = match views(gateway, &rows).await {
        Err(failure) if failure.code() == ErrorCode::EntryNotFound => {
            return Err(lacking(gateway).await?.unwrap_or(failure));
        }
        views => views?,
    };
    evidence.sort_by_key(|view| (view.height, view.index, view.entry));
    let differing: Vec<Vec<String>> =
        evidence.iter().filter_map(|view| view.file.as_ref()).map(|file| question.differing(file)).collect();
    let (answer, differing) = match differing.iter().min_by_key(|fields| fields.len()) {
        // A batch as a whole is no file; what is not in it cannot be told from its root.
        None => (view::Answer::NotDeposited, Vec::new()),
        Some(fields) if fields.is_empty() => (view::Answer::Verified, Vec::new()),
        Some(fields) => (view::Answer::Mismatch, fields.clone()),
    };
    if answer == view::Answer::NotDeposited
        && question.id.is_none()
        && let Some(failure) = lacking(gateway).await?
    {
        return Err(failure);
    }
    let (zh, en) = match answer {
        view::Answer::Verified => verified(&evidence, question),
        view::Answer::NotDeposited => {
            ("尚未存证：链上没有该文件的存证。", "Not deposited: the ledger holds no deposit of this file.")
        }
        view::Answer::Mismatch => {
            ("不一致：该文件与链上存证的内容不同。", "Does not match: the file is not what was deposited.")
        }
    };
    Ok(view::CheckAnswer { answer, zh: zh.into(), en: en.into(), evidence, differing, height })
}

/// The sentence for a file that was deposited. A deposit that may not be relied on is told in the same breath.
fn verified(evidence: &[view::EvidenceView], question: &Question) -> (&'static str, &'static str) {
    let same = |view: &&view::EvidenceView| view.file.as_ref().is_some_and(|file| question.differing(file).is_empty());
    let statuses: Vec<&str> = evidence.iter().filter(same).map(|view| view.status.as_str()).collect();
    match statuses.first() {
        Some(&"frozen") if !statuses.contains(&"in_use") => (
            "核验通过：该文件与链上存证一致；该存证现已由法院冻结。",
            "Verified: the file is what was deposited. The deposit is now frozen by a court.",
        ),
        Some(&"withdrawn") if !statuses.contains(&"in_use") => (
            "核验通过：该文件与链上存证一致；但存证单位已停止使用该存证。",
            "Verified: the file is what was deposited. But its depositor has withdrawn the deposit from use.",
        ),
        _ => ("核验通过：该文件与链上存证一致。", "Verified: the file is what was deposited."),
    }
}

/// Why this node cannot say that a file is not deposited, if it cannot.
async fn lacking(gateway: &Shared) -> Result<Option<Failure>, Failure> {
    let count = gateway.backend.batches_lacking().await?;
    let detail = || format!("this node lacks the entries of {count} of the batches on the ledger");
    Ok((count > 0).then(|| Failure::new(ErrorCode::EntriesLacking, detail())))
}

/// Deposits of a file, with the height of the state that says whether there are any.
async fn by_digest(gateway: &Shared, sha256: Digest) -> Result<(Vec<EvidenceRow>, u64), Failure> {
    let backend = &*gateway.backend;
    let first = Subject::File(sha256, 0);
    let (header, first) = state::query(backend, |source, _| evidence::record(&source, &first)).await?;
    let filter = EvidenceFilter { sha256: Some(sha256), certain: true, ..EvidenceFilter::default() };
    let behind = || Failure::new(ErrorCode::NotReady, "the file is deposited, and the node's index has yet to reach it");
    let mut rows = match backend.evidence(filter, Page { before: None, limit: ANSWER_ROWS_MAX }).await {
        Err(BackendError::NotReady) if first.is_some() => return Err(behind()),
        rows => rows?,
    };
    if let Some(first) = first {
        let is_first = |row: &EvidenceRow| matches!(row.place, EvidencePlace::File { sequence: 0, .. });
        if !rows.iter().any(is_first) {
            // The state is what counts: an index that is behind must not make a deposited file look undeposited.
            let row = match backend.find_evidence(first.id).await {
                Err(BackendError::NotReady) => None,
                row => row?,
            };
            rows.push(row.ok_or_else(behind)?);
        }
    }
    Ok((rows, header.height))
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
