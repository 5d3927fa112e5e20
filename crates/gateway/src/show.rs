//! From domain types to views.

use zhulian_api::{Hex32, HexBytes, view};
use zhulian_primitives::{Certificate, Code, Event, Header, Network, Receipt, TransactionError, TransactionId};

use crate::{HistoryRow, Outcome, TransactionState, names, refusals};

/// Why a transaction was refused.
pub fn refusal(code: &Code) -> view::RefusalView {
    let refusal = refusals::describe(code);
    view::RefusalView {
        code: refusal.slug,
        zh: refusal.zh,
        en: refusal.en,
        remedy_zh: refusal.remedy_zh,
        remedy_en: refusal.remedy_en,
        status: refusal.status,
        retry: refusal.retry,
    }
}

/// An event with its fields.
pub fn event(event: &Event) -> view::EventView {
    view::EventView { module: event.module.clone(), name: event.name.clone(), data: data(event) }
}

/// An event's fields as a JSON object with names; what is no map stands in the member `value`.
pub fn data(event: &Event) -> serde_json::Value {
    match zhulian_verify::cbor_json(&event.data.0) {
        object @ serde_json::Value::Object(_) => names::name(&event.module, &event.name, object),
        other => serde_json::json!({ "value": other }),
    }
}

/// Something that happened, with its transaction.
pub fn history(row: HistoryRow) -> view::HistoryItem {
    view::HistoryItem {
        transaction: row.transaction.into(),
        height: row.position.height,
        index: row.position.index,
        time_ms: row.time,
        organisation: row.organisation,
        event: event(&row.event),
    }
}

/// A transaction of which nothing but its state is known.
pub fn plain(id: TransactionId, state: view::TransactionState) -> view::TransactionView {
    view::TransactionView {
        id: Some(id.into()),
        state,
        height: None,
        index: None,
        time_ms: None,
        refusal: None,
        events: None,
    }
}

fn is_expired(code: &Code) -> bool {
    code.module == "transaction" && code.number == TransactionError::Expired as u16
}

/// A transaction refused before any block.
pub fn refused(id: Option<TransactionId>, code: &Code) -> view::TransactionView {
    let state = if is_expired(code) { view::TransactionState::Expired } else { view::TransactionState::Refused };
    view::TransactionView {
        id: id.map(Hex32::from),
        state,
        height: None,
        index: None,
        time_ms: None,
        refusal: Some(refusal(code)),
        events: None,
    }
}

/// A transaction and where it stands.
pub fn transaction(id: TransactionId, state: &TransactionState, with_events: bool) -> view::TransactionView {
    match state {
        TransactionState::Unknown => plain(id, view::TransactionState::Unknown),
        TransactionState::Pending => plain(id, view::TransactionState::Pending),
        TransactionState::Dropped(code) => refused(Some(id), code),
        TransactionState::Finalised(outcome) => finalised(id, outcome, with_events),
    }
}

fn finalised(id: TransactionId, outcome: &Outcome, with_events: bool) -> view::TransactionView {
    let Receipt { refusal: code, events, .. } = &outcome.receipt;
    view::TransactionView {
        id: Some(id.into()),
        state: code.as_ref().map_or(view::TransactionState::Finalised, |code| match is_expired(code) {
            true => view::TransactionState::Expired,
            false => view::TransactionState::Refused,
        }),
        height: Some(outcome.position.height),
        index: Some(outcome.position.index),
        time_ms: Some(outcome.time),
        refusal: code.as_ref().map(refusal),
        events: with_events.then(|| events.iter().map(event).collect()),
    }
}

/// The name of the organisation that runs the validator with this key.
pub fn validator_name(network: &Network, key: &[u8; 32]) -> String {
    let found = network.validators.iter().find(|validator| &validator.public_key == key);
    found.map_or_else(|| Hex32(*key).to_string(), |validator| validator.name.clone())
}

/// A header's fields.
pub fn header(header: &Header) -> view::HeaderView {
    view::HeaderView {
        version: header.version,
        chain: header.chain.into(),
        height: header.height,
        time_ms: header.time,
        epoch: header.epoch,
        view: header.view,
        parent_view: header.parent_view,
        parent: header.parent.into(),
        proposer: header.proposer.into(),
        transaction_count: header.transaction_count,
        transactions_root: header.transactions_root.into(),
        receipts_root: header.receipts_root.into(),
        state_root: header.state_root.into(),
    }
}

/// A certificate, which is for the block at `height`.
pub fn certificate(network: &Network, certificate: &Certificate, height: u64) -> view::CertificateView {
    let signature = |(index, signature): &(u32, [u8; 64])| view::SignatureView {
        validator: *index,
        name: network.validators.get(*index as usize).map(|validator| validator.name.clone()).unwrap_or_default(),
        signature: HexBytes(signature.to_vec()),
    };
    view::CertificateView {
        block: certificate.block.into(),
        height,
        signatures: certificate.signatures.iter().map(signature).collect(),
        bytes: HexBytes(certificate.encode()),
    }
}
