//! The vectors of `sdk/vectors`, which every verifier of these receipts runs. They are made here from fixed seeds; to make them
//! anew after a deliberate change of format: `ZHULIAN_UPDATE=1 cargo test -p zhulian-verify`.

use std::{fmt::Write as _, path::PathBuf};

use serde_json::{Value, json};
use zhulian_verify::{Answer, Field, check_file, print_network, verified_json, verify_receipt};

use crate::{
    check::cases,
    forged::forged,
    mutations::mutations,
    world::{SMALL, World},
};

/// Compares a file of the repository with what it should hold, or writes it when asked to.
pub fn committed(path: &str, expected: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("ZHULIAN_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        return std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // JSON is compared by content: in which order it is printed depends on what else is built.
    let content = |text: &str| serde_json::from_str::<Value>(text).ok();
    let same = found == expected || content(&found).is_some_and(|found| Some(found) == content(expected));
    assert!(same, "{} is not what the code makes; is the change of format meant?", path.display());
}

/// A list with one item a line, so that a change shows in a diff.
fn lines(items: impl IntoIterator<Item = Value>) -> String {
    let mut text = String::from("[\n");
    for (n, item) in items.into_iter().enumerate() {
        let _ = write!(text, "{}{item}", if n == 0 { "" } else { ",\n" });
    }
    text + "\n]\n"
}

#[test]
fn the_network() {
    committed("sdk/vectors/network.json", &print_network(&World::new().network));
}

#[test]
fn valid_receipts() {
    let world = World::new();
    let vectors = world.receipts().into_iter().map(|(name, receipt)| {
        let bytes = receipt.encode();
        let facts = verify_receipt(&world.network, &bytes).expect("valid");
        json!({ "name": name, "receipt": hex::encode(&bytes), "facts": verified_json(&facts) })
    });
    committed("sdk/vectors/valid.json", &lines(vectors));
}

#[test]
fn forged_receipts() {
    let world = World::new();
    let bases: Vec<_> = world.receipts().into_iter().map(|(name, receipt)| (name, receipt.encode())).collect();
    let vectors = forged(&world).into_iter().map(|(name, bytes, code)| {
        // A forgery is told as a change of the valid receipt that it resembles most: less to store, more to see.
        let changes = bases.iter().map(|(base, good)| (base, change(good, &bytes)));
        let (base, (at, remove, insert)) = changes.min_by_key(|(_, (_, _, insert))| insert.len()).expect("bases");
        // The oversized transaction alone would outweigh all the rest.
        let insert = hex::encode(insert).replace(&"00".repeat(65_535), "(65535 zeros)");
        json!({ "name": name, "base": base, "at": at, "remove": remove, "insert": insert, "code": code })
    });
    committed("sdk/vectors/forged.json", &lines(vectors));
}

/// Where `to` differs from `from`: the place, how many bytes go, and what comes.
fn change<'a>(from: &[u8], to: &'a [u8]) -> (usize, usize, &'a [u8]) {
    let start = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let rest = from.len().min(to.len()) - start;
    let end = from.iter().rev().zip(to.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    (start, from.len() - start - end, &to[start..to.len() - end])
}

#[test]
fn mutated_receipts() {
    let world = World::new();
    let chosen = ["eddsa", "es256", "refused", "batch_entry", "chunked", "several_headers", "handed_over"];
    let bases = world.receipts().into_iter().filter(|(name, _)| chosen.contains(name));
    let vectors = bases.flat_map(|(name, receipt)| {
        let all = mutations(&world, &receipt.encode());
        all.into_iter().map(move |m| json!([name, m.field, m.offset, m.xor, m.code]))
    });
    committed("sdk/vectors/mutated.json", &lines(vectors));
}

#[test]
fn checks_of_files() {
    let world = World::new();
    let vectors = cases().into_iter().map(|case| {
        let (_, receipt) = world.receipts().into_iter().find(|(name, _)| *name == case.receipt).unwrap();
        let answer = check_file(&world.network, &receipt.encode(), &case.file()[..]).unwrap();
        let field = |field: &Field| match field {
            Field::Size => "size",
            Field::Sha256 => "sha256",
            Field::Sm3 => "sm3",
            Field::ChunksRoot => "chunks_root",
        };
        let (fields, chunks) = match &answer {
            Answer::Mismatch(_, m) => (m.fields.iter().map(field).collect::<Vec<_>>(), m.chunks.clone()),
            _ => (vec![], None),
        };
        let file = match case.size {
            Some(size) => json!({ "generated": size, "flips": case.flips }),
            None => json!({ "hex": hex::encode(SMALL), "flips": case.flips }),
        };
        json!({ "receipt": case.receipt, "file": file, "answer": answer.code(), "fields": fields, "chunks": chunks })
    });
    committed("sdk/vectors/checks.json", &lines(vectors));
}
