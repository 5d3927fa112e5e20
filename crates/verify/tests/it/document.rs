//! The worked examples of `docs/receipt-format.md` are made here, so that the document cannot drift from the code.

use std::{fmt::Write as _, path::PathBuf};

use minicbor::Decoder;
use zhulian_crypto::Digest;
use zhulian_ledger::merkle::leaf;
use zhulian_primitives::{Certificate, Header, Transaction, codec};
use zhulian_verify::{CoseStatement, Inclusion, cose_receipt, print_network};

use crate::{
    mutations::walk,
    world::{LARGE_SIZE, World, ed25519, generated, hashed},
};

const DOCUMENT: &str = "docs/receipt-format.md";

/// Bytes with the name of each item beside them, an item a line; long ones go on below.
fn annotated(bytes: &[u8], name: &str) -> String {
    const WIDTH: usize = 24;
    let mut fields = Vec::new();
    walk(&mut Decoder::new(bytes), 0, name, &mut fields);
    let mut text = String::new();
    for (n, field) in fields.iter().enumerate() {
        let end = fields.get(n + 1).map_or(bytes.len(), |next| next.head);
        for (line, part) in bytes[field.head..end].chunks(WIDTH).enumerate() {
            let at = field.head + line * WIDTH;
            let label = if line == 0 { field.name.as_str() } else { "" };
            let _ = writeln!(text, "{}", format!("{at:04x}  {:<48}  {label}", hex::encode(part)).trim_end());
        }
    }
    text
}

fn wrapped(bytes: &[u8]) -> String {
    bytes.chunks(48).map(|part| hex::encode(part) + "\n").collect()
}

fn digests(labelled: &[(&str, Digest)]) -> String {
    labelled.iter().map(|(label, digest)| format!("{}  {label}\n", hex::encode(digest))).collect()
}

fn examples(world: &World) -> Vec<(&'static str, String)> {
    let file = world.receipt(0, &[0, 1, 2]);
    let header = Header::decode(&file.headers[0]).unwrap();
    let certificate = Certificate::decode(&file.certificate).unwrap();
    let transaction = Transaction::decode(&file.transaction).unwrap();
    let mut path = vec![("leaf hash of the transaction", leaf(&file.transaction))];
    let mut hash = leaf(&file.transaction);
    for sibling in &file.transactions_path {
        hash = zhulian_crypto::sha256_parts(&[&[1], &hash, sibling]);
        path.push(("with the next step on its right", hash));
    }
    path.push(("transactions_root of the header", header.transactions_root));
    assert_eq!(path[path.len() - 2].1, header.transactions_root);
    let large = hashed(&generated(LARGE_SIZE));
    let mut chunks: Vec<_> = large.chunks.iter().map(|chunk| ("leaf hash of a chunk", *chunk)).collect();
    chunks.push(("chunks_root", large.record.chunks_root));
    let entry = world.batch_entry(6);
    let subject = transaction.id.to_string();
    let statement = CoseStatement { issuer: "https://node.example", subject: &subject, issued_at: header.time / 1000 };
    let cose = cose_receipt(&ed25519("zhulian vectors: receipt issuer"), &statement, &Inclusion::of(&file).unwrap());
    vec![
        ("network", print_network(&world.network)),
        ("receipt", annotated(&file.encode(), "file")),
        ("transaction-signed", wrapped(&transaction.signed_bytes())),
        ("transaction-id", format!("{subject}\n")),
        ("header-digest", format!("{}\n", hex::encode(header.digest()))),
        ("certificate-signed", wrapped(&certificate.message(&world.network.chain))),
        ("path", digests(&path)),
        ("handover", annotated(&codec::to_bytes(&world.handovers()[0]), "file.epochs.0")),
        ("entry", annotated(&entry.bytes, "entry")),
        ("entry-leaf", digests(&[("leaf hash of the entry", leaf(&entry.bytes))])),
        ("chunks", digests(&chunks)),
        ("cose-receipt", annotated(&cose, "cose")),
    ]
}

#[test]
fn the_documents_examples_are_the_codes() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(DOCUMENT);
    let mut text = std::fs::read_to_string(&path).expect("the document");
    for (name, example) in examples(&World::new()) {
        let marker = format!("<!-- example: {name} -->\n```text\n");
        let start = text.find(&marker).unwrap_or_else(|| panic!("{DOCUMENT} has no example {name}")) + marker.len();
        let end = start + text[start..].find("```").expect("the end of the block");
        if std::env::var_os("ZHULIAN_UPDATE").is_some() {
            text.replace_range(start..end, &example);
        } else {
            assert!(text[start..end] == example, "the example {name} is not what the code makes");
        }
    }
    if std::env::var_os("ZHULIAN_UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
}

/// Every code that a vector expects is explained in the document.
#[test]
fn the_document_lists_every_refusal() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join(DOCUMENT)).expect("the document");
    let source = std::fs::read_to_string(root.join("crates/verify/src/refusal.rs")).unwrap();
    let start = source.find("pub fn code").unwrap();
    let body = &source[start..start + source[start..].find("/// The reason").unwrap()];
    let codes: Vec<_> = body.split('"').skip(1).step_by(2).collect();
    assert!(codes.len() > 30);
    for code in codes {
        assert!(text.contains(&format!("`{code}`")), "{DOCUMENT} does not explain {code}");
    }
}
