//! State values with proofs.

use axum::{Json, extract::State};
use zhulian_api::{HexBytes, view};

use crate::{
    Failure, Shared,
    request::{Segment, hex32},
};

/// A state value, or its absence, with a proof
///
/// Keys are `SHA-256(map ‖ 0x00 ‖ key parts)`; `docs/state.md` lists the maps.
#[utoipa::path(get, path = "/v1/state/{key}", tag = "state", operation_id = "state",
    params(("key" = zhulian_api::Hex32, Path, description = "The state key")),
    responses((status = 200, description = "The value or its absence", body = view::StateView)))]
pub async fn one(State(gateway): State<Shared>, segment: Segment) -> Result<Json<view::StateView>, Failure> {
    let key = segment.get("key", hex32)?;
    let proven = gateway.backend.prove(key.0).await?;
    Ok(Json(view::StateView {
        key,
        exists: proven.value.is_some(),
        value: proven.value.map(HexBytes),
        height: proven.header.height,
        state_root: proven.header.state_root.into(),
        header_bytes: HexBytes(proven.header.encode()),
        proof: HexBytes(proven.proof),
    }))
}
