//! One change at a time, everywhere.

use minicbor::{Decoder, data::Type};
use zhulian_verify::{RECEIPT_BYTES_MAX, Verifier, verify_receipt};

use crate::world::World;

/// A changed byte of a valid receipt file, and what the verifier must say to it.
pub struct Mutation {
    pub field: String,
    pub offset: usize,
    pub xor: u8,
    pub code: &'static str,
}

/// Every field of a receipt file and of all that is nested in it, each changed in its head (type or length) and in the first
/// and last byte of its content.
pub fn mutations(world: &World, receipt: &[u8]) -> Vec<Mutation> {
    let mut fields = Vec::new();
    let mut d = Decoder::new(receipt);
    walk(&mut d, 0, "file", &mut fields);
    let mut places = Vec::new();
    for Field { name, head, content, end } in fields {
        places.push((format!("{name} (head)"), head, 1));
        if content < end {
            places.push((name.clone(), content, 1));
            places.push((name, end - 1, 0x80));
        }
    }
    let refuse = |(field, offset, xor): (String, usize, u8)| {
        let mut changed = receipt.to_vec();
        changed[offset] ^= xor;
        let answer = verify_receipt(&world.network, &changed);
        // One that has just accepted the receipt as it was is not taken in either.
        let mut primed = Verifier::new(&world.network);
        primed.verify(receipt).expect("a valid receipt");
        assert_eq!(primed.verify(&changed), answer, "{field} at {offset}");
        match answer {
            Ok(_) => panic!("{field} at {offset} changed by {xor:#x} and still accepted"),
            Err(refusal) => Mutation { field, offset, xor, code: refusal.code() },
        }
    };
    places.into_iter().map(refuse).collect()
}

pub struct Field {
    pub name: String,
    pub head: usize,
    content: usize,
    end: usize,
}

/// Lists an item and all within it. `base` is the place of the decoder's first byte in the file.
pub fn walk(d: &mut Decoder<'_>, base: usize, name: &str, out: &mut Vec<Field>) {
    let head = base + d.position();
    let mut leaf = |content: usize, end: usize| out.push(Field { name: name.into(), head, content, end });
    match d.datatype().unwrap() {
        Type::Array => {
            let count = d.array().unwrap().unwrap();
            leaf(0, 0);
            for index in 0..count as usize {
                walk(d, base, &child(name, index), out);
            }
        }
        Type::Map => {
            let count = d.map().unwrap().unwrap();
            leaf(0, 0);
            for index in 0..count {
                walk(d, base, &format!("{name}.key{index}"), out);
                walk(d, base, &format!("{name}.value{index}"), out);
            }
        }
        Type::Tag => {
            d.tag().unwrap();
            leaf(0, 0);
            walk(d, base, name, out);
        }
        Type::Bytes | Type::String => {
            let text = d.datatype().unwrap() == Type::String;
            let length = if text { d.str().unwrap().len() } else { d.bytes().unwrap().len() };
            let end = base + d.position();
            leaf(end - length, end);
            if nested(name) {
                let input = &d.input()[end - base - length..end - base];
                walk(&mut Decoder::new(input), end - length, name, out);
            }
        }
        _ => {
            d.skip().unwrap();
            let end = base + d.position();
            leaf(head + 1, end);
        }
    }
}

fn nested(name: &str) -> bool {
    let known = ["file.transaction", "file.transaction.protected", "file.transaction.payload", "file.receipt"];
    let cose = ["cose.protected", "cose.unprotected.value0.value0.0"];
    known.contains(&name)
        || cose.contains(&name)
        || ["file.certificate", "file.entry.entry"].contains(&name)
        || (name.starts_with("file.headers.") && name.split('.').count() == 3)
        || (name.starts_with("file.epochs.") && name.split('.').count() == 4)
}

fn child(parent: &str, index: usize) -> String {
    let names: &[&str] = match parent {
        "file" => &[
            "format",
            "transaction",
            "receipt",
            "index",
            "transactions_path",
            "receipts_path",
            "headers",
            "certificate",
            "epochs",
            "entry",
            "chunks",
        ],
        "file.transaction" | "cose" => &["protected", "unprotected", "payload", "signature"],
        "file.receipt" => &["transaction", "refusal", "events"],
        "file.receipt.refusal" => &["module", "number"],
        "file.certificate" => &["epoch", "view", "parent_view", "block", "signatures"],
        "file.entry" => &["entry", "index", "path"],
        _ if parent.starts_with("file.epochs.") && parent.split('.').count() == 3 => {
            &["header", "certificate", "validators"]
        }
        _ if parent.starts_with("file.epochs.") && parent.ends_with(".certificate") => {
            &["epoch", "view", "parent_view", "block", "signatures"]
        }
        _ if parent.starts_with("file.headers.") || parent.ends_with(".header") => &[
            "version",
            "chain",
            "height",
            "time",
            "epoch",
            "view",
            "parent_view",
            "parent",
            "proposer",
            "transaction_count",
            "validators",
            "transactions_root",
            "receipts_root",
            "state_root",
            "sync_root",
            "sync_start",
            "sync_end",
        ],
        _ if parent.starts_with("file.certificate.signatures.") => &["validator", "signature"],
        _ if parent.starts_with("file.receipt.events.") => &["module", "name", "data"],
        _ => &[],
    };
    names.get(index).map_or_else(|| format!("{parent}.{index}"), |name| format!("{parent}.{name}"))
}

#[test]
fn every_changed_field_is_refused() {
    let world = World::new();
    for (name, receipt) in world.receipts() {
        let all = mutations(&world, &receipt.encode());
        assert!(all.len() > 100, "{name}: {}", all.len());
    }
}

#[test]
fn every_changed_byte_is_refused() {
    let world = World::new();
    for (name, receipt) in world.receipts() {
        let good = receipt.encode();
        let mut bytes = good.clone();
        for offset in 0..bytes.len() {
            // Every bit of one receipt; of the others a bit that moves on from byte to byte, and all bits at once.
            let bits: &[u8] =
                if name == "batch_entry" { &[1, 2, 4, 8, 16, 32, 64, 128] } else { &[1 << (offset % 8), 0xff] };
            for xor in bits {
                bytes[offset] ^= xor;
                assert!(verify_receipt(&world.network, &bytes).is_err(), "{name}: byte {offset} changed by {xor:#x}");
                bytes[offset] ^= xor;
            }
        }
        assert_eq!(bytes, good);
    }
}

#[test]
fn every_shorter_and_longer_file_is_refused() {
    let world = World::new();
    for (name, receipt) in world.receipts() {
        let bytes = receipt.encode();
        for length in 0..bytes.len() {
            assert_eq!(verify_receipt(&world.network, &bytes[..length]).unwrap_err().code(), "receipt.malformed", "{name}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(verify_receipt(&world.network, &longer).unwrap_err().code(), "receipt.malformed", "{name}");
    }
    let huge = vec![0x8b; RECEIPT_BYTES_MAX + 1];
    assert_eq!(verify_receipt(&world.network, &huge).unwrap_err().code(), "receipt.too_large");
}

#[test]
fn every_changed_byte_of_the_identity_is_refused() {
    let world = World::new();
    let receipt = world.receipt(0, &[0, 1, 2]).encode();
    for validator in 0..4 {
        for byte in 0..32 {
            let mut network = world.network.clone();
            network.validators[validator].public_key[byte] ^= 1;
            // The fourth validator has not signed; changing its key changes nothing that this receipt needs, unless the
            // order of the keys is lost.
            let refused = verify_receipt(&network, &receipt).is_err();
            assert!(refused || validator == 3, "validator {validator}, byte {byte}");
        }
    }
    for byte in 0..32 {
        let mut network = world.network.clone();
        network.chain[byte] ^= 1;
        assert_eq!(verify_receipt(&network, &receipt).unwrap_err().code(), "transaction.wrong_chain");
    }
}
