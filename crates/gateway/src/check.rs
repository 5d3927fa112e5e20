//! The public check of a file: exactly three answers.

use zhulian_api::{ErrorCode, Hex32, view};
use zhulian_crypto::Digest;
use zhulian_modules::evidence::{self, Subject};
use zhulian_primitives::{EvidenceIdError, EvidenceRef};

use crate::{
    BackendError, EvidenceFilter, EvidencePlace, EvidenceRow, Failure, Page, Shared,
    evidence::{page_position, views},
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

    /// Whether a deposit is of the file that was asked about.
    fn fits(&self, deposit: &view::EvidenceView) -> bool {
        deposit.file.as_ref().is_some_and(|file| self.differing(file).is_empty())
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

/// Deposits of the digest that fit in all that was asked, among those beyond the answer's own rows.
async fn fitting(gateway: &Shared, question: &Question, rows: &[EvidenceRow]) -> Result<Vec<view::EvidenceView>, Failure> {
    // The first deposit may have been added behind the page.
    let mut last = rows.get(ANSWER_ROWS_MAX - 1).map(page_position);
    for _ in 0..LOOKED_AT_MAX / ANSWER_ROWS_MAX {
        if last.is_none() {
            break;
        }
        let page = Page { before: last, limit: ANSWER_ROWS_MAX };
        let rows = gateway.backend.evidence(of_digest(question.sha256), page).await?;
        let found: Vec<_> = views(gateway, &rows).await?.into_iter().filter(|view| question.fits(view)).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        last = rows.get(ANSWER_ROWS_MAX - 1).map(page_position);
    }
    Ok(Vec::new())
}

fn of_digest(sha256: Digest) -> EvidenceFilter {
    EvidenceFilter { sha256: Some(sha256), certain: true, ..EvidenceFilter::default() }
}

/// Deposits of one file that an answer names at most, beside the first one.
const ANSWER_ROWS_MAX: usize = 20;
/// Deposits of one digest that are looked through for one that fits in all that was asked.
const LOOKED_AT_MAX: usize = 1_000;

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
        None => by_digest(gateway, question).await?,
    };
    let mut evidence = match views(gateway, &rows).await {
        Err(failure) if failure.code() == ErrorCode::EntryNotFound => {
            return Err(lacking(gateway).await?.unwrap_or(failure));
        }
        views => views?,
    };
    if question.id.is_none() && !evidence.iter().any(|view| question.fits(view)) {
        evidence.extend(fitting(gateway, question, &rows).await?);
    }
    // Anyone may deposit wrong facts beside a file's digest: whoever looks at the first one alone sees the one that fits best.
    let differs = |view: &view::EvidenceView| view.file.as_ref().map_or(usize::MAX, |file| question.differing(file).len());
    evidence.sort_by_key(|view| (differs(view), view.height, view.index, view.entry));
    let best = evidence.first().and_then(|view| view.file.as_ref()).map(|file| question.differing(file));
    let (answer, differing) = match best {
        // A batch as a whole is no file; what is not in it cannot be told from its root.
        None => (view::Answer::NotDeposited, Vec::new()),
        Some(fields) if fields.is_empty() => (view::Answer::Verified, Vec::new()),
        Some(fields) => (view::Answer::Mismatch, fields),
    };
    if answer == view::Answer::NotDeposited
        && question.id.is_none()
        && let Some(failure) = lacking(gateway).await?
    {
        return Err(failure);
    }
    let (zh, en) = match answer {
        view::Answer::Verified => verified(&evidence, question),
        view::Answer::NotDeposited => undeposited(question, &evidence),
        view::Answer::Mismatch => {
            ("不一致：该文件与链上存证的内容不同。", "Does not match: the file is not what was deposited.")
        }
    };
    Ok(view::CheckAnswer { answer, zh: zh.into(), en: en.into(), evidence, differing, height })
}

/// The sentence for a file that was deposited. A deposit that may not be relied on is told in the same breath.
fn verified(evidence: &[view::EvidenceView], question: &Question) -> (&'static str, &'static str) {
    let statuses: Vec<&str> = evidence.iter().filter(|view| question.fits(view)).map(|view| view.status.as_str()).collect();
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

/// The sentence for "not deposited", which is said of the file only when it was asked for by its digest: a number that proves nothing of a
/// file does not tell that it is not deposited.
fn undeposited(question: &Question, evidence: &[view::EvidenceView]) -> (&'static str, &'static str) {
    match (&question.id, evidence) {
        (None, _) => ("尚未存证：链上没有该文件的存证。", "Not deposited: the ledger holds no deposit of this file."),
        (Some(Err(_)), _) => (
            "该编号有误（校验符不符），不能证明该文件已存证；这不说明该文件没有存证。请核对编号，或不带编号重查。",
            "The number has a typing error (its check character does not fit) and proves no deposit of this file, which may be \
             deposited all the same. Look at the number again, or ask without one.",
        ),
        (Some(Ok(_)), []) => (
            "链上没有该编号的存证，它不能证明该文件已存证；这不说明该文件没有存证。请核对编号，或不带编号重查。",
            "The ledger holds no deposit of this number, so it proves none of this file, which may be deposited all the same. \
             Look at the number again, or ask without one.",
        ),
        (Some(Ok(_)), _) => (
            "该编号是一个批次，不能说明该文件在不在其中。请改用该文件的条目编号或条目回执，或不带编号重查。",
            "The number is that of a batch, and does not tell whether this file is among its entries. Use the number or the \
             receipt of the file's own entry, or ask without a number.",
        ),
    }
}

/// Why this node cannot say that a file is not deposited, if it cannot.
async fn lacking(gateway: &Shared) -> Result<Option<Failure>, Failure> {
    let count = gateway.backend.batches_lacking().await?;
    let detail = || format!("this node lacks the entries of {count} of the batches on the ledger");
    Ok((count > 0).then(|| Failure::new(ErrorCode::EntriesLacking, detail())))
}

/// Deposits of a file, with the height of the state that says whether there are any.
async fn by_digest(gateway: &Shared, question: &Question) -> Result<(Vec<EvidenceRow>, u64), Failure> {
    let backend = &*gateway.backend;
    let sha256 = question.sha256;
    let first = Subject::File(sha256, 0);
    let (header, first) = state::query(backend, |source, _| evidence::record(&source, &first)).await?;
    let behind = || Failure::new(ErrorCode::NotReady, "the file is deposited, and the node's index has yet to reach it");
    let mut rows = match backend.evidence(of_digest(sha256), Page { before: None, limit: ANSWER_ROWS_MAX }).await {
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
