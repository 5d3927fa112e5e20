//! The JSON view of a receipt, for people and scripts. The bytes are what counts; this only shows them.

use minicbor::{Decoder, data::Type, decode};
use serde_json::{Map, Value, json};
use zhulian_crypto::Digest;
use zhulian_primitives::{
    Certificate, Code, Event, Handover, Header, Receipt, Transaction, Validator,
    codec::{DEPTH_MAX, from_bytes},
};

use crate::{Deposit, Entry, FileRecord, RECEIPT_FORMAT, ReceiptFile, Verified};

/// Every part of a receipt file, decoded where it can be. Nothing here is verified.
pub fn receipt_json(file: &ReceiptFile) -> Value {
    json!({
        "format": RECEIPT_FORMAT,
        "transaction": transaction(&file.transaction),
        "receipt": match Receipt::decode(&file.receipt) {
            Ok(receipt) => json!({
                "transaction": receipt.transaction.to_string(),
                "refusal": refusal(receipt.refusal.as_ref()),
                "events": events(&receipt.events),
            }),
            Err(_) => raw(&file.receipt),
        },
        "index": file.index,
        "transactions_path": digests(&file.transactions_path),
        "receipts_path": digests(&file.receipts_path),
        "headers": file.headers.iter().map(|bytes| header(bytes)).collect::<Vec<_>>(),
        "certificate": certificate(&file.certificate),
        "epochs": file.epochs.iter().map(handover).collect::<Vec<_>>(),
        "entry": file.entry.as_ref().map(|given| json!({
            "entry": Entry::decode(&given.bytes).map_or_else(|_| raw(&given.bytes), |parsed| entry(&parsed)),
            "index": given.index,
            "path": digests(&given.path),
        })),
        "chunks": file.chunks.as_ref().map(|chunks| digests(chunks)),
    })
}

/// The facts that a receipt proves.
pub fn verified_json(facts: &Verified) -> Value {
    json!({
        "network": facts.network,
        "chain": hex::encode(facts.chain),
        "transaction": facts.transaction.to_string(),
        "height": facts.height,
        "time": facts.time,
        "block": hex::encode(facts.block),
        "index": facts.index,
        "transaction_count": facts.transaction_count,
        "signer": { "algorithm": facts.signer.algorithm().name(), "public_key": facts.signer.to_string() },
        "module": facts.module,
        "call": facts.call,
        "args": cbor_json(&facts.args),
        "refusal": refusal(facts.refusal.as_ref()),
        "events": events(&facts.events),
        "proposer": facts.proposer,
        "signers": facts.signers,
        "validators": facts.validators,
        "certified_height": facts.certified_height,
        "deposit": facts.deposit.as_ref().map(|deposit| match deposit {
            Deposit::File(record) => json!({ "file": file_record(record) }),
            Deposit::Batch { root, count } => json!({ "batch": { "root": hex::encode(root), "count": count } }),
        }),
        "entry": facts.entry.as_ref().map(|(index, parsed)| json!({ "index": index, "entry": entry(parsed) })),
        "chunks": facts.chunks.as_ref().map(|chunks| digests(chunks)),
    })
}

fn handover(of: &Handover) -> Value {
    let validators: Result<Vec<Validator>, _> = from_bytes(&of.validators);
    json!({
        "header": header(&of.header),
        "certificate": certificate(&of.certificate),
        "validators": match validators {
            Ok(all) => all.iter().map(|it| json!({
                "name": it.name,
                "organisation": it.organisation,
                "public_key": hex::encode(it.public_key),
            })).collect(),
            Err(_) => raw(&of.validators),
        },
    })
}

fn transaction(bytes: &[u8]) -> Value {
    let Ok(transaction) = Transaction::decode(bytes) else { return raw(bytes) };
    json!({
        "id": transaction.id.to_string(),
        "signer": { "algorithm": transaction.signer.algorithm().name(), "public_key": transaction.signer.to_string() },
        "chain": hex::encode(transaction.call.chain),
        "module": transaction.call.module,
        "call": transaction.call.call,
        "args": cbor_json(transaction.call.args),
        "nonce": hex::encode(transaction.call.nonce),
        "valid_until": transaction.call.valid_until,
        "signature": hex::encode(transaction.signature),
    })
}

fn header(bytes: &[u8]) -> Value {
    let Ok(header) = Header::decode(bytes) else { return raw(bytes) };
    json!({
        "digest": hex::encode(header.digest()),
        "version": header.version,
        "chain": hex::encode(header.chain),
        "height": header.height,
        "time": header.time,
        "epoch": header.epoch,
        "view": header.view,
        "parent_view": header.parent_view,
        "parent": hex::encode(header.parent),
        "proposer": hex::encode(header.proposer),
        "transaction_count": header.transaction_count,
        "validators": hex::encode(header.validators),
        "transactions_root": hex::encode(header.transactions_root),
        "receipts_root": hex::encode(header.receipts_root),
        "state_root": hex::encode(header.state_root),
        "sync_root": hex::encode(header.sync_root),
        "sync_start": header.sync_start,
        "sync_end": header.sync_end,
    })
}

fn certificate(bytes: &[u8]) -> Value {
    let Ok(certificate) = Certificate::decode(bytes) else { return raw(bytes) };
    let signature = |(index, signature): &(u32, _)| json!({ "validator": index, "signature": hex::encode(signature) });
    json!({
        "epoch": certificate.epoch,
        "view": certificate.view,
        "parent_view": certificate.parent_view,
        "block": hex::encode(certificate.block),
        "signatures": certificate.signatures.iter().map(signature).collect::<Vec<_>>(),
    })
}

fn refusal(code: Option<&Code>) -> Value {
    code.map_or(Value::Null, |code| json!({ "module": code.module, "number": code.number }))
}

fn events(events: &[Event]) -> Value {
    let event = |event: &Event| json!({ "module": event.module, "name": event.name, "data": cbor_json(&event.data.0) });
    Value::Array(events.iter().map(event).collect())
}

fn file_record(record: &FileRecord) -> Value {
    json!({
        "sha256": hex::encode(record.sha256),
        "sm3": hex::encode(record.sm3),
        "size": record.size,
        "chunks_root": hex::encode(record.chunks_root),
    })
}

fn entry(entry: &Entry) -> Value {
    json!({ "file": file_record(&entry.file), "name_commitment": entry.name_commitment.map(hex::encode) })
}

fn digests(digests: &[Digest]) -> Value {
    Value::Array(digests.iter().map(|digest| hex::encode(digest).into()).collect())
}

fn raw(bytes: &[u8]) -> Value {
    json!({ "undecodable": hex::encode(bytes) })
}

/// A CBOR item as JSON: byte strings as hexadecimal, map keys as text; what has no counterpart is left as hexadecimal CBOR.
pub fn cbor_json(bytes: &[u8]) -> Value {
    let mut d = Decoder::new(bytes);
    item(&mut d, DEPTH_MAX).unwrap_or_else(|_| json!({ "cbor": hex::encode(bytes) }))
}

fn item(d: &mut Decoder<'_>, depth: usize) -> Result<Value, decode::Error> {
    let unshown = || decode::Error::message("has no JSON form");
    if depth == 0 {
        return Err(unshown());
    }
    Ok(match d.datatype()? {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => d.u64()?.into(),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => d.i64()?.into(),
        Type::Bool => d.bool()?.into(),
        Type::Null => {
            d.null()?;
            Value::Null
        }
        Type::Bytes => hex::encode(d.bytes()?).into(),
        Type::String => d.str()?.into(),
        Type::Array => {
            let count = d.array()?.ok_or_else(unshown)?;
            (0..count).map(|_| item(d, depth - 1)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Type::Map => {
            let count = d.map()?.ok_or_else(unshown)?;
            let mut map = Map::new();
            for _ in 0..count {
                let key = match item(d, depth - 1)? {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                map.insert(key, item(d, depth - 1)?);
            }
            map.into()
        }
        _ => return Err(unshown()),
    })
}
