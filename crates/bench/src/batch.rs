//! A batch deposit of up to a million entries, each with a receipt of its own.

use std::time::{Duration, Instant};

use rayon::prelude::*;
use zhulian_api::{Client, Wait, view::TransactionState};
use zhulian_cli::deposit::batch_args;
use zhulian_ledger::merkle::{Tree, leaf};
use zhulian_primitives::{Height, Network};
use zhulian_verify::{BatchEntry, Entry, ReceiptFile, verify_receipt};

use crate::load::Maker;

/// What a batch deposit took.
pub struct BatchRun {
    /// Entries.
    pub count: usize,
    /// Tree, signing, submission, finality and every receipt encoded.
    pub time: Duration,
    /// Of which until final.
    pub finalised: Duration,
}

/// Deposits `count` hashed files as one batch and makes every entry's receipt; some of them are verified.
pub async fn run(
    client: &Client,
    network: &Network,
    maker: &Maker,
    count: usize,
    height: Height,
) -> anyhow::Result<BatchRun> {
    let entries: Vec<Vec<u8>> =
        (0..count).into_par_iter().map(|_| Entry { file: maker.file(), name_commitment: None }.encode()).collect();

    let start = Instant::now();
    let tree = Tree::new(entries.par_iter().map(|entry| leaf(entry)).collect());
    let transaction = maker.sign(
        "deposit_batch",
        &batch_args(tree.root(), count as u64, &zhulian_cli::deposit::default_details()),
        0,
        height,
    );
    let views = client.submit(&[transaction], Wait::Finalised(Duration::from_secs(30))).await?;
    let view = views.first().filter(|view| view.state == TransactionState::Finalised);
    let id = view.and_then(|view| view.id).ok_or_else(|| anyhow::anyhow!("the batch was not finalised: {views:?}"))?;
    let base = ReceiptFile::decode(&client.receipt(id).await?)?;
    let finalised = start.elapsed();
    let receipt = |index: usize| {
        let entry = BatchEntry { bytes: entries[index].clone(), index: index as u64, path: tree.path(index) };
        ReceiptFile { entry: Some(entry), ..base.clone() }.encode()
    };
    let bytes: usize = (0..count).into_par_iter().map(|index| receipt(index).len()).sum();
    let time = start.elapsed();
    anyhow::ensure!(bytes > 0, "receipts have bytes");
    for index in [0, count / 2, count - 1] {
        verify_receipt(network, &receipt(index)).map_err(|refusal| anyhow::anyhow!("entry {index}: {refusal}"))?;
    }
    Ok(BatchRun { count, time, finalised })
}
