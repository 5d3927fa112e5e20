//! From files to receipts: hash, sign, submit, wait until final, verify what came back, save it.
//!
//! Everything can be interrupted and run again: a transaction is safe to send twice, a receipt that is there and fits is kept, and
//! a deposit that was made and whose receipt got lost is found again by the file's digest.

mod batch;
pub(crate) mod place;
mod single;
mod wire;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use zhulian_api::{Client, ClientError, Hex32, Wait, view, view::TransactionState};
use zhulian_crypto::{Digest, SigningKey};
use zhulian_primitives::{Call, Height, Network, TransactionId, VALIDITY_BLOCKS_MAX, sign};
use zhulian_verify::{FileRecord, HashedFile, Verified};

pub use batch::BatchDone;
pub use place::{Place, receipts_of};
pub use single::number_of;
pub(crate) use single::useless;
pub use wire::{batch_args, default_details, deposit_args, evidence_number};

use crate::{
    failure::{Failure, Result},
    hashing::{Found, Skipped},
    opening::{self, Secret},
    remote::{explain, not_final, refused, step},
};

/// Blocks for which a transaction is signed: enough for any queue, and below what the network allows.
const VALIDITY: u64 = VALIDITY_BLOCKS_MAX - 64;
/// Waits between tries when a node is busy or away.
const BACKOFF: [u64; 6] = [100, 250, 500, 1_000, 2_000, 4_000];

/// What deposits are made with.
pub struct Depositor {
    /// The gateway.
    pub client: Client,
    /// The network that is trusted; every receipt is verified against it before it is saved.
    pub network: Network,
    /// The key that signs.
    pub key: SigningKey,
    /// What is told about the files: the CBOR of the details.
    pub details: Vec<u8>,
    /// With what to commit to the files' names; without it their names are not mentioned.
    pub names: Option<Secret>,
    /// How long to wait for finality.
    pub timeout: Duration,
    /// Whether to deposit without looking for an earlier deposit or receipt.
    pub again: bool,
    height: AtomicU64,
    /// Organisations of which it is known whether the key belongs to them.
    ours: Mutex<BTreeMap<String, bool>>,
    /// Directories of receipts, and whether they can be written.
    prepared: Mutex<BTreeMap<PathBuf, Result<()>>>,
}

/// A hashed file to deposit, and where its receipt goes.
#[derive(Clone, Debug)]
pub struct Job {
    /// The file.
    pub file: Found,
    /// Its hashes.
    pub hashed: HashedFile,
    /// Its receipt.
    pub receipt: PathBuf,
}

/// A file that is deposited, and whose receipt is saved.
#[derive(Clone, Debug)]
pub struct Done {
    /// The file.
    pub file: Found,
    /// The evidence number.
    pub number: String,
    /// What was deposited.
    pub record: FileRecord,
    /// What the receipt proves of the deposit; the same for all entries of a batch.
    pub facts: Arc<Verified>,
    /// Where it is.
    pub receipt: PathBuf,
    /// Whether it was deposited before this run.
    pub already: bool,
}

/// What became of all files.
#[derive(Debug, Default)]
pub struct Totals {
    /// Deposited, in the order of their paths.
    pub done: Vec<Done>,
    /// Left out.
    pub skipped: Vec<Skipped>,
    /// Tried in vain.
    pub failed: Vec<(PathBuf, Failure)>,
    /// Why the rest was not tried.
    pub stopped: Option<Failure>,
}

/// The two progress bars.
#[derive(Clone, Debug)]
pub struct Bars {
    /// Bytes hashed.
    pub hashing: ProgressBar,
    /// Files with a receipt.
    pub depositing: ProgressBar,
}

impl Bars {
    /// Bars that show nothing.
    pub fn hidden() -> Self {
        Self { hashing: ProgressBar::hidden(), depositing: ProgressBar::hidden() }
    }
}

impl Depositor {
    /// What deposits are made with, at a network that stands at `height`.
    pub fn new(client: Client, network: Network, key: SigningKey, details: Vec<u8>, height: Height) -> Self {
        let timeout = Duration::from_secs(60);
        Self {
            client,
            network,
            key,
            details,
            names: None,
            timeout,
            again: false,
            height: AtomicU64::new(height),
            ours: Mutex::default(),
            prepared: Mutex::default(),
        }
    }

    /// The commitment to a file's name; none if nothing is to be said of it, or it is no text.
    fn name_commitment(&self, job: &Job) -> Option<Digest> {
        let name = job.file.relative.to_str()?;
        Some(self.names.as_ref()?.commit(opening::NAME, &job.hashed.record.sha256, name))
    }

    /// Signs a call of the evidence module, valid from the height last seen.
    fn sign(&self, call: &str, args: &[u8]) -> Vec<u8> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).expect("the operating system gives randomness");
        let valid_until = self.height.load(Ordering::Relaxed) + VALIDITY;
        let call = Call { chain: self.network.chain, module: "evidence", call, args, nonce, valid_until };
        sign(&call, &self.key)
    }

    fn saw(&self, height: Option<u64>) {
        self.height.fetch_max(height.unwrap_or(0), Ordering::Relaxed);
    }

    /// Submits transactions and waits until each is final or refused, going on through busy nodes and short outages.
    ///
    /// # Errors
    /// When the gateway stays away; for single transactions the answer is in the list.
    async fn finalise(&self, transactions: &[Vec<u8>]) -> Result<Vec<Result<view::TransactionView>>> {
        let end = Instant::now() + self.timeout;
        let mut answers: Vec<Option<view::TransactionView>> = vec![None; transactions.len()];
        let mut tries = 0;
        loop {
            let open: Vec<usize> = (0..answers.len()).filter(|index| !settled(answers[*index].as_ref())).collect();
            let left = end.saturating_duration_since(Instant::now());
            if open.is_empty() || left.is_zero() {
                break;
            }
            let bytes: Vec<&[u8]> = open.iter().map(|index| &transactions[*index][..]).collect();
            match self.client.clone().with_patience(left).submit(&bytes, Wait::Finalised(step(left))).await {
                Ok(views) => {
                    let busy = views.iter().any(|view| view.state == TransactionState::Busy);
                    for (index, view) in open.into_iter().zip(views) {
                        self.saw(view.height);
                        answers[index] = Some(view);
                    }
                    if busy {
                        pause(tries, None).await;
                        tries += 1;
                    }
                }
                Err(error) if Self::again_after(&error, tries, end) => {
                    let after = match &error {
                        ClientError::Problem { retry_after, .. } => *retry_after,
                        _ => None,
                    };
                    pause(tries, after).await;
                    tries += 1;
                }
                Err(error) => return Err(explain(&error, &self.client)),
            }
        }
        let id = |index: usize| TransactionId(zhulian_crypto::sha256(&transactions[index])).to_string();
        let answers = answers.into_iter().enumerate().map(|(index, view)| match view {
            Some(view) if view.state == TransactionState::Finalised => Ok(view),
            Some(view) => Err(refused(&view)),
            None => Err(not_final(&id(index))),
        });
        Ok(answers.collect())
    }

    /// Asks for a receipt; the node that answers may be a block behind the one that finalised.
    async fn fetch_receipt(&self, id: TransactionId) -> Result<Vec<u8>> {
        self.patiently(|| self.client.receipt(Hex32(id.0))).await
    }

    /// Calls until the gateway answers for good: it may be busy, a block behind, or be started again at this moment.
    async fn patiently<T, F: Future<Output = std::result::Result<T, ClientError>>>(
        &self,
        call: impl Fn() -> F,
    ) -> Result<T> {
        self.until(Instant::now() + self.timeout, call).await
    }

    /// As [`Self::patiently`], until then.
    async fn until<T, F: Future<Output = std::result::Result<T, ClientError>>>(
        &self,
        end: Instant,
        call: impl Fn() -> F,
    ) -> Result<T> {
        let mut tries = 0;
        loop {
            match tokio::time::timeout_at(end.into(), call()).await.unwrap_or(Err(ClientError::Silent)) {
                Err(error) if Self::again_after(&error, tries, end) => pause(tries, None).await,
                answer => return answer.map_err(|error| explain(&error, &self.client)),
            }
            tries += 1;
        }
    }

    /// Whether to call again: a few times while the gateway answers so, and all the time allowed while it is away or serves others.
    fn again_after(error: &ClientError, tries: usize, end: Instant) -> bool {
        if matches!(error, ClientError::Silent) {
            return Instant::now() < end;
        }
        let waits = matches!(error, ClientError::Transport(_)) || error.code() == Some("request.too_busy");
        error.retry() && (tries < BACKOFF.len() || waits && Instant::now() < end)
    }
}

fn settled(view: Option<&view::TransactionView>) -> bool {
    view.is_some_and(|view| view.state.is_terminal())
}

async fn pause(tries: usize, asked: Option<Duration>) {
    let wait = Duration::from_millis(BACKOFF[tries.min(BACKOFF.len() - 1)]);
    tokio::time::sleep(asked.unwrap_or(wait).min(Duration::from_secs(10))).await;
}
