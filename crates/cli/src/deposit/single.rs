//! One transaction for each file, many in flight.

use std::{path::Path, sync::PoisonError};

use futures::{Stream, StreamExt as _, stream};
use zhulian_api::{Hex32, Query, view};
use zhulian_crypto::Digest;
use zhulian_modules::evidence::Details;
use zhulian_primitives::{TransactionId, codec};
use zhulian_verify::{Answer, CHUNKS_MAX, ReceiptFile, Verified, check_record, verify_receipt};

use super::{BACKOFF, Bars, Depositor, Done, Job, Totals, deposit_args, evidence_number, pause, place};
use crate::{
    failure::{AtPath as _, Exit, Failure, Result},
    hashing::Skipped,
    private_file, text,
    text::Text,
};

/// Transactions in one request.
const GROUP: usize = 200;
/// Requests in flight.
const GROUPS: usize = 4;
/// Receipts and look-ups in flight.
const READS: usize = 16;

impl Depositor {
    /// Deposits every file that comes, each with a transaction of its own. Hashing goes on meanwhile.
    pub async fn singly(&self, jobs: impl Stream<Item = Result<Job, Skipped>>, bars: &Bars) -> Totals {
        let groups = jobs.ready_chunks(GROUP).map(|group| self.group(group, bars)).buffer_unordered(GROUPS);
        let mut groups = std::pin::pin!(groups);
        let mut totals = Totals::default();
        while let Some(part) = groups.next().await {
            totals.done.extend(part.done);
            totals.skipped.extend(part.skipped);
            totals.failed.extend(part.failed);
            if part.stopped.is_some() {
                totals.stopped = part.stopped;
                break;
            }
        }
        totals.done.sort_by(|a, b| a.file.cmp(&b.file));
        totals.failed.sort_by(|a, b| a.0.cmp(&b.0));
        totals.skipped.sort_by(|a, b| a.path.cmp(&b.path));
        totals
    }

    async fn group(&self, group: Vec<Result<Job, Skipped>>, bars: &Bars) -> Totals {
        let mut totals = Totals::default();
        let mut jobs = Vec::with_capacity(group.len());
        for job in group {
            match job {
                Ok(job) => jobs.push(job),
                Err(skipped) => {
                    bars.depositing.inc(1);
                    totals.skipped.push(skipped);
                }
            }
        }
        let looked = stream::iter(jobs).map(|job| async { (self.already(&job).await, job) }).buffered(READS);
        let mut open = Vec::new();
        for (already, job) in looked.collect::<Vec<_>>().await {
            match already {
                Ok(Some(done)) => {
                    bars.depositing.inc(1);
                    totals.done.push(done);
                }
                // Before anything is signed: a deposit whose receipt has no place to go helps nobody.
                Ok(None) => match self.prepared(&job.receipt) {
                    Ok(()) => open.push(job),
                    Err(failure) => {
                        bars.depositing.inc(1);
                        totals.failed.push((job.file.path, failure));
                    }
                },
                // Nobody can be asked, and the others would fare no better; a receipt that cannot be kept is this file's matter.
                Err(failure) if failure.exit == Exit::Network => totals.stopped = Some(failure),
                Err(failure) => {
                    bars.depositing.inc(1);
                    totals.failed.push((job.file.path, failure));
                }
            }
        }
        if open.is_empty() || totals.stopped.is_some() {
            return totals;
        }
        let sign = |job: &Job| self.sign("deposit", &deposit_args(&job.hashed.record, &self.details_of(job)));
        let transactions: Vec<Vec<u8>> = open.iter().map(sign).collect();
        let answers = match self.finalise(&transactions).await {
            Ok(answers) => answers,
            Err(failure) => {
                totals.stopped = Some(failure);
                return totals;
            }
        };
        let each = open.into_iter().zip(transactions).zip(answers);
        let saved = stream::iter(each).map(|((job, transaction), answer)| async move {
            let id = TransactionId(zhulian_crypto::sha256(&transaction));
            let done = match answer {
                Ok(_) => self.save(&job, id, false).await,
                // Another of the organisation was faster, or the index was behind when we asked.
                Err(failure) if failure.code == "evidence.already_deposited" => {
                    self.find_deposited(&job).await.and_then(|done| done.ok_or(failure))
                }
                Err(failure) => Err(failure),
            };
            bars.depositing.inc(1);
            (job, done)
        });
        for (job, done) in saved.buffer_unordered(READS).collect::<Vec<_>>().await {
            match done {
                Ok(done) => totals.done.push(done),
                Err(failure) => totals.failed.push((job.file.path, failure)),
            }
        }
        totals
    }

    /// Makes the directory of a receipt and sees that it can be written, once for each.
    fn prepared(&self, receipt: &Path) -> Result<()> {
        let dir = receipt.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = prepared.get(dir) {
            return known.clone();
        }
        let tried = place::prepare(dir).map_err(|error| {
            let shown = dir.display();
            Failure::new(
                Exit::Failed,
                "receipt.no_place",
                text!(
                    "未存证：回执目录 {shown} 无法写入",
                    "not deposited, because {shown} cannot be written and has no place for the receipt"
                ),
            )
            .why(crate::failure::io_reason(&error))
            .next(Text::fixed("用 --receipts 指定其他目录", "name another directory with --receipts"))
        });
        prepared.insert(dir.into(), tried.clone());
        tried
    }

    /// What is told about all files, and the commitment to this one's name.
    fn details_of(&self, job: &Job) -> Vec<u8> {
        let commitment = self.name_commitment(job);
        match codec::from_bytes::<Details>(&self.details) {
            Ok(details) if commitment.is_some() => codec::to_bytes(&Details { name_commitment: commitment, ..details }),
            _ => self.details.clone(),
        }
    }

    /// Whether the organisation has deposited the file already: by the receipt that lies there, else by asking.
    async fn already(&self, job: &Job) -> Result<Option<Done>> {
        if self.again {
            return Ok(None);
        }
        if let Ok(bytes) = std::fs::read(&job.receipt)
            && let Ok(facts) = verify_receipt(&self.network, &bytes)
            && let Answer::Verified(facts) = check_record(facts, &job.hashed)
        {
            let number = number_of(&facts);
            let (file, receipt, record) = (job.file.clone(), job.receipt.clone(), job.hashed.record.clone());
            return Ok(Some(Done { file, number, record, facts: (*facts).into(), receipt, already: true }));
        }
        self.deposited_before(job).await
    }

    /// As [`Self::deposited_before`], of a file that is known to be deposited: the index may be a block behind.
    async fn find_deposited(&self, job: &Job) -> Result<Option<Done>> {
        for tries in 0..BACKOFF.len() {
            if let Some(done) = self.deposited_before(job).await? {
                return Ok(Some(done));
            }
            pause(tries, None).await;
        }
        self.deposited_before(job).await
    }

    /// The organisation's own deposit of the file, if the gateway knows one.
    async fn deposited_before(&self, job: &Job) -> Result<Option<Done>> {
        let known = self.known(job.hashed.record.sha256).await?;
        for evidence in known {
            if evidence.status != "withdrawn" && self.is_ours(&evidence.organisation).await? {
                return self.save(job, TransactionId(evidence.transaction.0), true).await.map(Some);
            }
        }
        Ok(None)
    }

    /// Deposits of this very file, those in batches left out.
    async fn known(&self, sha256: Digest) -> Result<Vec<view::EvidenceView>> {
        let query = Query::new().with("sha256", Some(Hex32(sha256)));
        let known = self.patiently(|| self.client.evidence_list(query.clone())).await?;
        Ok(known.items.into_iter().filter(|evidence| evidence.batch_root.is_none()).collect())
    }

    /// Whether the key that signs belongs to this organisation. Whoever else deposited the file is another witness.
    pub(super) async fn is_ours(&self, organisation: &str) -> Result<bool> {
        if let Some(ours) = self.ours.lock().unwrap_or_else(PoisonError::into_inner).get(organisation) {
            return Ok(*ours);
        }
        let view = self.patiently(|| self.client.organisation(organisation)).await?;
        let key = self.key.public_key();
        let ours = view.members.iter().flat_map(|member| &member.keys).any(|it| it.public_key.0 == key.as_bytes());
        self.ours.lock().unwrap_or_else(PoisonError::into_inner).insert(organisation.into(), ours);
        Ok(ours)
    }

    /// Fetches a receipt, adds the file's chunks, verifies all of it, and saves it.
    async fn save(&self, job: &Job, id: TransactionId, already: bool) -> Result<Done> {
        let bytes = self.fetch_receipt(id).await?;
        let bytes = with_chunks(&bytes, job)?;
        let facts = self.proves(&bytes, job)?;
        let number = evidence_number(&facts.transaction);
        let same = std::fs::read(&job.receipt).is_ok_and(|there| there == bytes);
        let path = if same { job.receipt.clone() } else { place::free(&job.receipt) };
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir).at(dir).map_err(|failure| unsaved(&path, &number, failure))?;
        }
        private_file::write_public(&path, &bytes).map_err(|failure| unsaved(&path, &number, failure))?;
        Ok(Done {
            file: job.file.clone(),
            number,
            record: job.hashed.record.clone(),
            facts: facts.into(),
            receipt: path,
            already,
        })
    }

    /// A receipt is kept only if it proves, against the trusted identity, that this very file was deposited.
    fn proves(&self, bytes: &[u8], job: &Job) -> Result<Verified> {
        let facts = verify_receipt(&self.network, bytes).map_err(|refusal| useless(Text::from(&refusal)))?;
        match check_record(facts, &job.hashed) {
            Answer::Verified(facts) => Ok(*facts),
            _ => Err(useless(Text::fixed("它不是这份文件的存证", "it is not a deposit of this file"))),
        }
    }
}

fn with_chunks(bytes: &[u8], job: &Job) -> Result<Vec<u8>> {
    let mut file = ReceiptFile::decode(bytes).map_err(|refusal| useless(Text::from(&refusal)))?;
    // Of a file with one chunk the root is the chunk; there is nothing to name.
    file.chunks = (2..=CHUNKS_MAX).contains(&job.hashed.chunks.len()).then(|| job.hashed.chunks.clone());
    Ok(file.encode())
}

/// The number of the evidence that a receipt proves.
pub fn number_of(facts: &Verified) -> String {
    let number = evidence_number(&facts.transaction);
    match facts.entry {
        Some((index, _)) => format!("{number}-{index}"),
        None => number,
    }
}

/// A receipt from a gateway that is not kept.
pub(crate) fn useless(why: Text) -> Failure {
    Failure::new(
        Exit::NoProof,
        "receipt.useless",
        text!("网关给出的回执未通过核验，未保存", "the gateway's receipt does not verify and was not saved"),
    )
    .why(why)
    .next(Text::fixed("换一个网关（--url）重试", "try another gateway with --url"))
}

/// The deposit stands on the ledger, and only its receipt is not here: whoever reads this must not think that nothing happened.
fn unsaved(path: &std::path::Path, number: &str, cause: Failure) -> Failure {
    let (shown, quoted) = (path.display(), text::quoted(number));
    Failure::new(
        Exit::Failed,
        "receipt.unsaved",
        text!(
            "文件已存证（编号 {number}），但无法保存回执 {shown}",
            "the file is deposited as {number}, but its receipt {shown} cannot be saved"
        ),
    )
    .why(cause.why.unwrap_or(cause.what))
    .next(text!(
        "排除原因后再次执行同一命令，或执行 zhulian evidence receipt {quoted} -o 文件.zlr",
        "when the reason is gone run the same command again, or: zhulian evidence receipt {quoted} -o FILE.zlr"
    ))
}
