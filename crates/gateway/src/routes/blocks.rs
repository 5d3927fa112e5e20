//! Blocks.

use axum::{Json, extract::State};
use zhulian_api::{HexBytes, view};
use zhulian_primitives::{Block, Header, Network, Receipt, TransactionId};

use crate::{
    Failure, Shared, cursor, read,
    request::{NUMBER_MAX, Params, Segment, number},
    show,
};

/// Finalised blocks, newest first
#[utoipa::path(get, path = "/v1/blocks", tag = "blocks", operation_id = "blocks",
    params(
        ("cursor" = Option<crate::openapi::BlockCursor>, Query, description = "`next` of the former part"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items at most; 50 if not given"),
    ),
    responses((status = 200, description = "The blocks", body = view::BlockList)))]
pub async fn list(State(gateway): State<Shared>, params: Params) -> Result<Json<view::BlockList>, Failure> {
    let params = params.only(&["cursor", "limit"])?;
    let limit = params.limit()?;
    let status = gateway.backend.status();
    let tip = status.height.unwrap_or(0);
    let before = params.text("cursor").map(cursor::read_height).transpose()?.unwrap_or(u64::MAX);
    let mut items = Vec::new();
    let mut height = before.saturating_sub(1).min(tip);
    while items.len() < limit && height > 0 {
        let Some(block) = gateway.backend.block(height).await? else { break };
        items.push(row(status.network(block.header.epoch), &block.header));
        height -= 1;
    }
    // Blocks below the one where this node began to sync may be absent; the list ends there.
    let next = items.last().filter(|row| items.len() == limit && row.height > 1).map(|row| cursor::write_height(row.height));
    Ok(Json(view::BlockList { items, next }))
}

/// A block in a list.
pub fn row(network: &Network, header: &Header) -> view::BlockRow {
    view::BlockRow {
        height: header.height,
        time_ms: header.time,
        digest: header.digest().into(),
        proposer: show::validator_name(network, &header.proposer),
        transactions: header.transaction_count,
    }
}

/// A block with the proof that it is final
#[utoipa::path(get, path = "/v1/blocks/{height}", tag = "blocks", operation_id = "block",
    params(("height" = u64, Path, minimum = 0, maximum = 9223372036854775807u64, description = "The block's height")),
    responses((status = 200, description = "The block", body = view::BlockDetail)))]
pub async fn one(State(gateway): State<Shared>, segment: Segment) -> Result<Json<view::BlockDetail>, Failure> {
    let height = segment.get("height", |text| number(text, 0, NUMBER_MAX))?;
    let block = read::block(&*gateway.backend, height).await?;
    let finality = read::finality(&*gateway.backend, height).await?;
    let status = gateway.backend.status();
    let network = status.network(finality.certificate.epoch);
    let certified = finality.headers.last().map_or(height, |header| header.height);
    Ok(Json(view::BlockDetail {
        digest: block.header.digest().into(),
        header: show::header(&block.header),
        header_bytes: HexBytes(block.header.encode()),
        proposer: show::validator_name(network, &block.header.proposer),
        transactions: transactions(&block),
        certificate: show::certificate(network, &finality.certificate, certified),
        later_headers: finality.headers[1..].iter().map(|header| HexBytes(header.encode())).collect(),
    }))
}

fn transactions(block: &Block) -> Vec<view::BlockTransaction> {
    let pairs = block.transactions.iter().zip(&block.receipts);
    pairs
        .map(|(transaction, receipt)| {
            let receipt = Receipt::decode(receipt).ok();
            // The receipt names its transaction; hashing is for the case that it does not decode, which cannot be.
            let id = receipt
                .as_ref()
                .map_or_else(|| TransactionId(zhulian_crypto::sha256(transaction)), |receipt| receipt.transaction);
            let refusal = receipt.and_then(|receipt| receipt.refusal);
            view::BlockTransaction { id: id.into(), refusal: refusal.as_ref().map(show::refusal) }
        })
        .collect()
}
