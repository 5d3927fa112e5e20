//! One transaction for all files: the root over their entries, and an individual receipt for each.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rayon::prelude::*;
use zhulian_api::{Hex32, Query};
use zhulian_crypto::Digest;
use zhulian_ledger::merkle::{Tree, leaf, root_from_path};
use zhulian_primitives::{Transaction, TransactionId};
use zhulian_verify::{BatchEntry, CHUNKS_MAX, Deposit, Entry, ReceiptFile, Verified, deposit_of, verify_receipt};

use super::{BACKOFF, Bars, Depositor, Done, Job, Totals, batch_args, evidence_number, pause, place, useless};
use crate::{
    failure::{Exit, Failure, Result},
    private_file, text,
    text::Text,
};

/// Who sends entries slower than this is sent away by the gateway.
const UPLOAD_BYTES_A_SECOND: u64 = 32 << 10;

/// A batch that is deposited.
#[derive(Debug)]
pub struct BatchDone {
    /// Its evidence number.
    pub number: String,
    /// What its receipt proves.
    pub facts: Arc<Verified>,
    /// RFC 9162 root over the entries.
    pub root: Digest,
    /// The receipt of the batch as a whole.
    pub receipt: PathBuf,
    /// All its entries, one after the other: what a node needs to answer for each.
    pub manifest: PathBuf,
    /// Whether the gateway took the manifest, or why not.
    pub uploaded: Result<()>,
    /// Its files.
    pub totals: Totals,
}

struct Files {
    receipt: PathBuf,
    pending: PathBuf,
    manifest: PathBuf,
}

/// The encoded entries, one after the other in one piece of memory: a batch may have a million of them.
struct Entries {
    bytes: bytes::Bytes,
    ends: Vec<usize>,
}

impl Entries {
    fn of(entries: impl ExactSizeIterator<Item = Entry>) -> Self {
        let mut ends = Vec::with_capacity(entries.len());
        let mut bytes = Vec::with_capacity(entries.len() * 150);
        for entry in entries {
            bytes.extend_from_slice(&entry.encode());
            ends.push(bytes.len());
        }
        Self { bytes: bytes.into(), ends }
    }

    fn get(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[index]]
    }
}

impl Depositor {
    /// Deposits all files in one transaction. The order of the entries is that of the jobs.
    ///
    /// # Errors
    /// When the batch is not deposited; then no receipt is written, and the next run goes on from here.
    ///
    /// # Panics
    /// When there are no jobs.
    pub async fn batch(&self, jobs: Vec<Job>, dir: &Path, bars: &Bars) -> Result<BatchDone> {
        assert!(!jobs.is_empty(), "a batch has entries");
        let entries = Entries::of(jobs.iter().map(|job| self.entry(job)));
        let tree = Tree::new((0..jobs.len()).map(|index| leaf(entries.get(index))).collect());
        let root = tree.root();
        let name = format!("batch-{}", hex::encode(&root[..8]));
        let files = Files {
            receipt: dir.join(format!("{name}.zlr")),
            pending: dir.join(format!("{name}.pending")),
            manifest: dir.join(format!("{name}.entries")),
        };
        if !dir.as_os_str().is_empty() {
            std::fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
        }
        let (base, facts, already) = self.base(&files, root, jobs.len() as u64).await?;
        private_file::write_public(&files.manifest, &entries.bytes)?;
        let number = evidence_number(&facts.transaction);
        let uploaded = self.upload(&number, entries.bytes.clone()).await;

        let facts = Arc::new(facts);
        let totals = individual(jobs, &entries, &tree, (&base, &facts, already), bars);
        Ok(BatchDone { number, facts, root, receipt: files.receipt, manifest: files.manifest, uploaded, totals })
    }

    /// The entry of a file.
    fn entry(&self, job: &Job) -> Entry {
        Entry { file: job.hashed.record.clone(), name_commitment: self.name_commitment(job) }
    }

    /// Gives the gateway the manifest; its index may be a block behind the receipt.
    async fn upload(&self, number: &str, manifest: bytes::Bytes) -> Result<()> {
        // The least speed that a gateway takes it at is the least that it is given time for.
        let way = Duration::from_secs(manifest.len() as u64 / UPLOAD_BYTES_A_SECOND);
        let end = Instant::now() + self.timeout + way;
        self.until(end, || self.client.upload_entries(number, manifest.clone())).await.map(|_| ())
    }

    /// The batch's own receipt: kept from an earlier run, or of the transaction an earlier run has signed, or of a new one.
    async fn base(&self, files: &Files, root: Digest, count: u64) -> Result<(ReceiptFile, Verified, bool)> {
        let fits = |facts: &Verified| facts.deposit == Some(Deposit::Batch { root, count });
        if let Ok(bytes) = std::fs::read(&files.receipt)
            && let (Ok(file), Ok(facts)) = (ReceiptFile::decode(&bytes), verify_receipt(&self.network, &bytes))
            && fits(&facts)
        {
            return Ok((file, facts, true));
        }
        let earlier = std::fs::read(&files.pending).ok().filter(|bytes| self.has_signed(bytes, root, count));
        let mut candidates = Vec::from_iter(earlier);
        candidates.push(self.sign("deposit_batch", &batch_args(root, count, &self.details)));
        let mut last = None;
        for transaction in candidates {
            private_file::write_public(&files.pending, &transaction)?;
            // An earlier transaction may have expired; then, and only then, a new one takes its place.
            match self.finalise(std::slice::from_ref(&transaction)).await?.remove(0) {
                Ok(_) => {
                    let (file, facts) = self.keep(files, TransactionId(zhulian_crypto::sha256(&transaction)), fits).await?;
                    return Ok((file, facts, false));
                }
                // The receipt was lost, or is elsewhere.
                Err(failure) if failure.code == "evidence.already_deposited" => {
                    let id = self.deposited_batch(root).await?.ok_or(failure)?;
                    let (file, facts) = self.keep(files, id, fits).await?;
                    return Ok((file, facts, true));
                }
                Err(failure) if failure.code == "transaction.expired" => last = Some(failure),
                Err(failure) => return Err(failure),
            }
        }
        Err(last.unwrap_or_else(|| crate::remote::not_final("-")))
    }

    /// Fetches the batch's receipt, verifies it, and writes it.
    async fn keep(
        &self,
        files: &Files,
        id: TransactionId,
        fits: impl Fn(&Verified) -> bool,
    ) -> Result<(ReceiptFile, Verified)> {
        let bytes = self.fetch_receipt(id).await?;
        let refused = |refusal: zhulian_verify::Refusal| useless(Text::from(&refusal));
        let facts = verify_receipt(&self.network, &bytes).map_err(refused)?;
        if !fits(&facts) {
            return Err(useless(Text::fixed("它不是这个批次的存证", "it is not a deposit of this batch")));
        }
        private_file::write_public(&files.receipt, &bytes)?;
        let _ = std::fs::remove_file(&files.pending);
        Ok((ReceiptFile::decode(&bytes).map_err(refused)?, facts))
    }

    /// The organisation's own deposit of the batch, which is known to be there; the index may be a block behind.
    async fn deposited_batch(&self, root: Digest) -> Result<Option<TransactionId>> {
        for tries in 0..=BACKOFF.len() {
            let query = Query::new().with("sha256", Some(Hex32(root)));
            for evidence in self.patiently(|| self.client.evidence_list(query.clone())).await?.items {
                if evidence.batch_root == Some(Hex32(root)) && self.is_ours(&evidence.organisation).await? {
                    return Ok(Some(TransactionId(evidence.transaction.0)));
                }
            }
            pause(tries, None).await;
        }
        Ok(None)
    }

    fn has_signed(&self, bytes: &[u8], root: Digest, count: u64) -> bool {
        let Ok(transaction) = Transaction::decode(bytes) else { return false };
        let call = transaction.call;
        call.chain == self.network.chain
            && transaction.signer == self.key.public_key()
            && deposit_of(call.module, call.call, call.args).ok().flatten() == Some(Deposit::Batch { root, count })
    }
}

/// Writes every file's own receipt. The base is verified already; what is left to check of each is its path to the root.
fn individual(
    jobs: Vec<Job>,
    entries: &Entries,
    tree: &Tree,
    (base, batch, already): (&ReceiptFile, &Arc<Verified>, bool),
    bars: &Bars,
) -> Totals {
    let (root, count, number) = (tree.root(), jobs.len() as u64, evidence_number(&batch.transaction));
    let one = |(index, job): (usize, Job)| {
        let path = tree.path(index);
        let bytes = entries.get(index).to_vec();
        let mut file = base.clone();
        let proven = root_from_path(leaf(&bytes), index as u64, count, &path) == Some(root);
        file.entry = Some(BatchEntry { bytes, index: index as u64, path });
        file.chunks = (2..=CHUNKS_MAX).contains(&job.hashed.chunks.len()).then(|| job.hashed.chunks.clone());
        let encoded = file.encode();
        let saved = match proven {
            true => save(&job.receipt, &encoded),
            false => Err(useless(Text::fixed("条目不在批次中", "the entry is not in the batch"))),
        };
        bars.depositing.inc(1);
        match saved {
            Ok(receipt) => {
                let number = format!("{number}-{index}");
                Ok(Done { file: job.file, number, record: job.hashed.record, facts: batch.clone(), receipt, already })
            }
            Err(failure) => Err((job.file.path, failure)),
        }
    };
    let failed = std::sync::Mutex::new(Vec::new());
    let keep = |result: std::result::Result<Done, (PathBuf, Failure)>| match result {
        Ok(done) => Some(done),
        Err(one) => {
            failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(one);
            None
        }
    };
    let done = jobs.into_par_iter().enumerate().filter_map(|job| keep(one(job))).collect();
    let mut failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failed.sort_by(|a, b| a.0.cmp(&b.0));
    Totals { done, failed, ..Totals::default() }
}

fn save(path: &Path, bytes: &[u8]) -> Result<PathBuf> {
    let there = std::fs::read(path).ok();
    if there.as_deref() == Some(bytes) {
        return Ok(path.into());
    }
    // What a crash has torn off is written whole; any other receipt is left as it is.
    let torn = there.is_some_and(|there| bytes.starts_with(&there));
    let path = if torn { path.into() } else { place::free(path) };
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        std::fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
    }
    // Not one by one to the disk: whatever a crash takes is written again by the next run.
    std::fs::write(&path, bytes).map_err(|error| unwritable(&path, &error))?;
    Ok(path)
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let shown = path.display();
    Failure::new(Exit::Failed, "receipt.unsaved", text!("无法写入 {shown}", "{shown} cannot be written"))
        .why(crate::failure::io_reason(error))
        .next(Text::fixed("用 --receipts 指定其他目录", "name another directory with --receipts"))
}
