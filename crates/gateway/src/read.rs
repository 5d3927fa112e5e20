//! Reads that several addresses share.

use std::sync::Arc;

use zhulian_api::ErrorCode;
use zhulian_primitives::{Block, TransactionId};
use zhulian_verify::ReceiptFile;

use crate::{Backend, Failure, Finality, Outcome, Position, TransactionState};

/// The finalised block at a height.
pub async fn block(backend: &dyn Backend, height: u64) -> Result<Arc<Block>, Failure> {
    backend.block(height).await?.ok_or_else(|| ErrorCode::BlockNotFound.into())
}

/// The proof that the block at a height is final.
pub async fn finality(backend: &dyn Backend, height: u64) -> Result<Finality, Failure> {
    let finality = backend.finality(height).await?.ok_or_else(|| Failure::from(ErrorCode::BlockNotFound))?;
    if finality.headers.is_empty() {
        tracing::error!(height, "a proof of finality without headers");
        return Err(ErrorCode::Internal.into());
    }
    Ok(finality)
}

/// Where a finalised transaction is.
pub async fn outcome(backend: &dyn Backend, id: TransactionId) -> Result<Box<Outcome>, Failure> {
    match backend.transaction(id).await? {
        TransactionState::Finalised(outcome) => Ok(outcome),
        TransactionState::Pending => Err(ErrorCode::TransactionNotFinal.into()),
        TransactionState::Unknown | TransactionState::Dropped(_) => Err(ErrorCode::TransactionNotFound.into()),
    }
}

/// The receipt file of the transaction at a place.
pub async fn receipt_file(backend: &dyn Backend, at: Position) -> Result<ReceiptFile, Failure> {
    let block = block(backend, at.height).await?;
    let finality = finality(backend, at.height).await?;
    let Finality { headers, certificate, handovers } = &finality;
    ReceiptFile::assemble(&block, at.index as usize, &headers[1..], certificate, handovers).map_err(|error| {
        tracing::error!(%error, height = at.height, index = at.index, "no receipt can be put together");
        ErrorCode::Internal.into()
    })
}
