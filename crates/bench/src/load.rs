//! Load: signed deposits, sent over HTTP as a client would, counted when they are final.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use rayon::prelude::*;
use zhulian_api::{Client, Wait, view::TransactionState};
use zhulian_cli::deposit::deposit_args;
use zhulian_crypto::{SigningKey, sha256};
use zhulian_primitives::{Call, ChainId, Height, VALIDITY_BLOCKS_MAX, sign};
use zhulian_verify::FileRecord;

use crate::latency::Latencies;

/// Waiting for finality in one request; beyond it something is wrong.
const WAIT: Duration = Duration::from_secs(30);

/// Makes distinct signed deposits by the officers of several organisations.
pub struct Maker {
    chain: ChainId,
    keys: Vec<SigningKey>,
    details: Vec<u8>,
    next: AtomicUsize,
    salt: [u8; 16],
}

impl Maker {
    /// A maker; `details` are the CBOR of the deposits' details.
    pub fn new(chain: ChainId, keys: Vec<SigningKey>, details: Vec<u8>) -> anyhow::Result<Self> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| anyhow::anyhow!("randomness: {error}"))?;
        Ok(Self { chain, keys, details, next: AtomicUsize::new(0), salt })
    }

    /// The keys that it signs with.
    pub fn keys(&self) -> &[SigningKey] {
        &self.keys
    }

    /// The facts of a file that nobody deposited before.
    pub fn file(&self) -> FileRecord {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let seed = [&self.salt[..], &number.to_be_bytes()].concat();
        let of = |part: u8| sha256(&[&seed[..], &[part]].concat());
        FileRecord { sha256: of(0), sm3: of(1), size: 1_000 + number as u64, chunks_root: of(2) }
    }

    /// `count` signed deposits, valid from `height` on.
    pub fn deposits(&self, count: usize, height: Height) -> Vec<Vec<u8>> {
        (0..count)
            .into_par_iter()
            .map(|n| self.sign("deposit", &deposit_args(&self.file(), &self.details), n, height))
            .collect()
    }

    /// Signs one call to the evidence module.
    pub fn sign(&self, call: &str, args: &[u8], signer: usize, height: Height) -> Vec<u8> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let digest = sha256(&[&self.salt[..], &number.to_le_bytes(), b"nonce"].concat());
        let nonce = std::array::from_fn(|i| digest[i]);
        let valid_until = height + VALIDITY_BLOCKS_MAX - 64;
        let call = Call { chain: self.chain, module: "evidence", call, args, nonce, valid_until };
        sign(&call, &self.keys[signer % self.keys.len()])
    }
}

/// What a run of load gave.
#[derive(Default)]
pub struct Load {
    /// Deposits that became final.
    pub finalised: usize,
    /// Deposits that did not, with the first reason seen.
    pub failed: usize,
    /// The first reason.
    pub reason: Option<String>,
    /// From sending a request to the answer that all in it are final.
    pub latencies: Latencies,
    /// From the first request to the last answer.
    pub time: Duration,
}

impl Load {
    fn add(&mut self, other: Self) {
        self.finalised += other.finalised;
        self.failed += other.failed;
        self.reason = self.reason.take().or(other.reason);
        self.latencies.extend(other.latencies);
    }
}

async fn send(client: Client, body: Bytes, count: usize) -> Load {
    let start = Instant::now();
    let mut load = Load::default();
    match client.submit_sequence(body, Wait::Finalised(WAIT)).await {
        Ok(views) => {
            load.finalised = views.iter().filter(|view| view.state == TransactionState::Finalised).count();
            load.failed = count - load.finalised;
            load.latencies.push(start.elapsed());
            if let Some(view) = views.iter().find(|view| view.state != TransactionState::Finalised) {
                load.reason = Some(format!("{:?} {:?}", view.state, view.refusal));
            }
        }
        Err(error) => {
            load.failed = count;
            load.reason = Some(error.to_string());
        }
    }
    load
}

fn bodies(transactions: &[Vec<u8>], per_request: usize) -> Vec<(Bytes, usize)> {
    transactions.chunks(per_request).map(|chunk| (Bytes::from(chunk.concat()), chunk.len())).collect()
}

/// As fast as the network takes them: `connections` clients, each with one request of `per_request` deposits under way.
pub async fn closed(
    clients: &[Client],
    transactions: &[Vec<u8>],
    connections: usize,
    per_request: usize,
) -> anyhow::Result<Load> {
    let bodies = Arc::new(bodies(transactions, per_request));
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|connection| {
            let (bodies, next, client) = (bodies.clone(), next.clone(), clients[connection % clients.len()].clone());
            tokio::spawn(async move {
                let mut load = Load::default();
                while let Some((body, count)) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    load.add(send(client.clone(), body.clone(), *count).await);
                }
                load
            })
        })
        .collect();
    let mut load = Load::default();
    for task in tasks {
        load.add(task.await?);
    }
    load.time = start.elapsed();
    Ok(load)
}

/// At a given rate, whatever the network does: a request of `per_request` deposits every `per_request / rate` seconds.
pub async fn open(clients: &[Client], transactions: &[Vec<u8>], rate: f64, per_request: usize) -> anyhow::Result<Load> {
    let start = Instant::now();
    let mut tasks = Vec::new();
    for (index, (body, count)) in bodies(transactions, per_request).into_iter().enumerate() {
        let due = Duration::from_secs_f64((index * per_request) as f64 / rate);
        tokio::time::sleep_until((start + due).into()).await;
        tasks.push(tokio::spawn(send(clients[index % clients.len()].clone(), body, count)));
    }
    let mut load = Load::default();
    for task in tasks {
        load.add(task.await?);
    }
    load.time = start.elapsed();
    Ok(load)
}
