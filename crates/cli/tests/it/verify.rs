//! `zhulian verify` on the published vectors: three answers, their exit codes, and what proves nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::{code, json, stderr, stdout, zhulian};

fn vectors(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sdk/vectors").join(name);
    serde_json::from_str(&fs::read_to_string(path).expect("the vectors")).expect("JSON")
}

fn receipt(name: &str) -> Vec<u8> {
    let all = vectors("valid.json");
    let found = all.as_array().expect("a list").iter().find(|it| it["name"] == name).expect("a vector");
    hex::decode(found["receipt"].as_str().expect("text")).expect("hex")
}

/// The file of a check, as `sdk/vectors` describes it.
fn content(file: &Value) -> Vec<u8> {
    let mut bytes = match file["hex"].as_str() {
        Some(text) => hex::decode(text).expect("hex"),
        None => generated(file["generated"].as_u64().expect("a size")),
    };
    for flip in file["flips"].as_array().expect("a list") {
        bytes[flip[0].as_u64().expect("an index") as usize] ^= flip[1].as_u64().expect("bits") as u8;
    }
    bytes
}

fn generated(size: u64) -> Vec<u8> {
    (0..size).map(|i| ((i * 31) ^ (i >> 8) ^ (i >> 16) ^ size) as u8).collect()
}

/// A directory with the vectors' network, a receipt and a file.
fn place(receipt: &[u8], file: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("a.zlr"), receipt).expect("a file");
    fs::write(dir.path().join("a"), file).expect("a file");
    let identity = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sdk/vectors/network.json");
    fs::copy(identity, dir.path().join("identity.json")).expect("a copy");
    dir
}

fn verify(dir: &Path, more: &[&str]) -> std::process::Output {
    zhulian(dir, &[&["verify", "a", "--network", "identity.json"], more].concat())
}

#[test]
fn every_check_has_its_answer_and_exit_code() {
    let checks = vectors("checks.json");
    for check in checks.as_array().expect("a list") {
        let dir = place(&receipt(check["receipt"].as_str().expect("a name")), &content(&check["file"]));
        let output = verify(dir.path(), &["--json"]);
        let expected = match check["answer"].as_str().expect("an answer") {
            "verified" => 0,
            "not_deposited" => 3,
            _ => 4,
        };
        let found = json(&output);
        assert_eq!(code(&output), expected, "{check} {found}");
        assert_eq!(found["answer"], check["answer"]);
        if expected == 4 {
            assert_eq!(found["differs"], check["fields"]);
            assert_eq!(found["chunks"], check["chunks"]);
        }
    }
}

#[test]
fn every_mutation_of_a_receipt_proves_nothing() {
    // One in nine: the verifier's own tests run all of them, this one is about the exit code.
    for mutation in vectors("mutated.json").as_array().expect("a list").iter().step_by(9) {
        let mut bytes = receipt(mutation[0].as_str().expect("a name"));
        bytes[mutation[2].as_u64().expect("an index") as usize] ^= mutation[3].as_u64().expect("bits") as u8;
        let dir = place(&bytes, b"");
        let output = verify(dir.path(), &["--json"]);
        assert_eq!(code(&output), 5, "{mutation}");
        let refusal = mutation[4].as_str().expect("a code");
        assert_eq!(json(&output)["error"]["code"], refusal);
    }
}

#[test]
fn the_answer_is_a_sentence_in_either_language() {
    let small = hex::decode("4a7564676d656e7420283230323629204e6f2e20313432320a").expect("hex");
    let dir = place(&receipt("eddsa"), &small);
    assert!(stdout(&verify(dir.path(), &[])).starts_with("Verified. This very file was deposited"));
    assert!(stdout(&verify(dir.path(), &["--lang", "zh"])).starts_with("核验通过。"));
}

#[test]
fn an_identity_is_trusted_only_when_someone_says_so() {
    let small = hex::decode("4a7564676d656e7420283230323629204e6f2e20313432320a").expect("hex");
    let dir = place(&receipt("eddsa"), &small);
    fs::rename(dir.path().join("identity.json"), dir.path().join("network.json")).expect("a rename");
    let output = zhulian(dir.path(), &["verify", "a"]);
    assert_eq!(code(&output), 2);
    let text = stderr(&output);
    assert!(text.contains("beside the receipt") && text.contains("proves nothing by itself"), "{text}");

    assert_eq!(code(&zhulian(dir.path(), &["network", "trust", "network.json"])), 0);
    assert_eq!(code(&zhulian(dir.path(), &["verify", "a"])), 0);
    // Another identity does not take the place of a trusted one unasked.
    let other = fs::read_to_string(dir.path().join("network.json")).expect("text").replace("Demo City", "Other City");
    fs::write(dir.path().join("other.json"), other).expect("a file");
    assert_eq!(code(&zhulian(dir.path(), &["network", "trust", "other.json"])), 2);
    assert_eq!(code(&zhulian(dir.path(), &["network", "trust", "other.json", "--replace"])), 0);
}

#[test]
fn what_is_missing_or_no_file_is_named() {
    let dir = place(&receipt("eddsa"), b"");
    fs::remove_file(dir.path().join("a.zlr")).expect("removed");
    let output = verify(dir.path(), &["--json"]);
    assert_eq!((code(&output), json(&output)["error"]["code"].clone()), (2, "receipt.not_found".into()));

    let dir = place(&receipt("eddsa"), b"");
    fs::remove_file(dir.path().join("a")).expect("removed");
    assert_eq!(code(&verify(dir.path(), &[])), 1);
    fs::create_dir(dir.path().join("a")).expect("a folder");
    let output = verify(dir.path(), &["--json"]);
    assert_eq!((code(&output), json(&output)["error"]["code"].clone()), (2, "receipt.not_found".into()));

    let dir = place(&vec![0; (1 << 20) + 1], b"");
    let output = verify(dir.path(), &["--json"]);
    assert_eq!((code(&output), json(&output)["error"]["code"].clone()), (5, "receipt.too_large".into()));

    let dir = place(&receipt("eddsa"), b"");
    fs::write(dir.path().join("identity.json"), "{}").expect("a file");
    assert_eq!(code(&verify(dir.path(), &[])), 5);
}

#[test]
fn what_gives_bytes_for_ever_or_waits_is_refused_at_once() {
    let dir = place(&receipt("eddsa"), b"");
    let fifo = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs").success());
    for arguments in [
        &["verify", "/dev/zero", "--receipt", "a.zlr", "--network", "identity.json"][..],
        &["verify", "pipe", "--receipt", "a.zlr", "--network", "identity.json"],
        &["verify", "a", "--receipt", "/dev/zero", "--network", "identity.json"],
        &["verify", "a", "--receipt", "a.zlr", "--network", "/dev/zero"],
        &["evidence", "check", "pipe"],
        &["network", "trust", "/dev/zero"],
    ] {
        let output = zhulian(dir.path(), arguments);
        assert_eq!(code(&output), 1, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("no regular file"), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn the_report_says_what_a_certificate_says() {
    let small = hex::decode("4a7564676d656e7420283230323629204e6f2e20313432320a").expect("hex");
    let dir = place(&receipt("eddsa"), &small);
    let text = stdout(&verify(dir.path(), &[]));
    for label in
        ["number", "deposited", "size", "witnesses", "SHA-256", "SM3", "height", "block", "transaction", "proposer", "chain"]
    {
        assert!(text.contains(&format!("\n  {label} ")), "{label}: {text}");
    }
    let number = json(&verify(dir.path(), &["--json"]))["number"].clone();
    assert!(number.as_str().is_some_and(|number| number.starts_with("ZL") && text.contains(number)), "{number}: {text}");
}

#[test]
fn a_folder_is_checked_file_by_file() {
    let small = hex::decode("4a7564676d656e7420283230323629204e6f2e20313432320a").expect("hex");
    let dir = place(&receipt("eddsa"), b"");
    for sub in ["files/inner", "files.receipts/inner"] {
        fs::create_dir_all(dir.path().join(sub)).expect("a folder");
    }
    let put = |path: &str, bytes: &[u8]| fs::write(dir.path().join(path), bytes).expect("a file");
    let check = || {
        let output = zhulian(dir.path(), &["--json", "verify", "files", "--network", "identity.json"]);
        (code(&output), json(&output))
    };
    put("files/one", &small);
    put("files.receipts/one.zlr", &receipt("eddsa"));
    put("files/inner/two", &small);
    put("files.receipts/inner/two.zlr", &receipt("eddsa"));
    let (exit, found) = check();
    assert_eq!((exit, found["verified"].as_u64()), (0, Some(2)), "{found}");

    put("files/new", b"not deposited");
    let (exit, found) = check();
    assert_eq!((exit, found["without_receipt"][0].as_str()), (8, Some("files/new")), "{found}");

    put("files/inner/two", b"changed");
    let (exit, found) = check();
    assert_eq!((exit, found["mismatch"][0]["file"].as_str()), (4, Some("files/inner/two")), "{found}");

    put("files.receipts/one.zlr", b"no receipt");
    let (exit, found) = check();
    assert_eq!((exit, found["no_proof"][0]["file"].as_str()), (5, Some("files/one")), "{found}");
}

#[test]
fn a_file_that_is_gone_is_missed() {
    let small = hex::decode("4a7564676d656e7420283230323629204e6f2e20313432320a").expect("hex");
    let dir = place(&receipt("eddsa"), b"");
    for sub in ["files", "files.receipts/inner"] {
        fs::create_dir_all(dir.path().join(sub)).expect("a folder");
    }
    let put = |path: &str, bytes: &[u8]| fs::write(dir.path().join(path), bytes).expect("a file");
    put("files/one", &small);
    for there in ["one.zlr", "one.2.zlr.zlr", "batch-00.zlr", "batch-00.entries", "one.pdf"] {
        put(&format!("files.receipts/{there}"), &receipt("eddsa"));
    }
    let verify = || zhulian(dir.path(), &["--json", "verify", "files", "--network", "identity.json"]);
    assert_eq!((code(&verify()), json(&verify())["gone"].as_array().map(Vec::len)), (0, Some(0)));

    put("files.receipts/inner/two.txt.zlr", &receipt("eddsa"));
    let found = verify();
    assert_eq!((code(&found), json(&found)["gone"][0].as_str()), (8, Some("files/inner/two.txt")), "{}", stdout(&found));
    let text = stdout(&zhulian(dir.path(), &["verify", "files", "--network", "identity.json"]));
    assert!(text.starts_with("1 of 2 files are verified.") && text.contains("files/inner/two.txt"), "{text}");

    // What is in its place, and no file, is not it.
    let two = dir.path().join("files/inner/two.txt");
    fs::create_dir_all(&two).expect("a folder");
    assert_eq!((code(&verify()), json(&verify())["gone"][0].as_str()), (8, Some("files/inner/two.txt")));
    fs::remove_dir(&two).expect("removed");
    std::os::unix::fs::symlink("../one", &two).expect("a link");
    assert_eq!((code(&verify()), json(&verify())["gone"][0].as_str()), (8, Some("files/inner/two.txt")));
}

/// A receipt of another file than that of the vector `eddsa`.
fn another() -> Vec<u8> {
    let all = vectors("valid.json");
    let names = all.as_array().expect("a list").iter().filter_map(|it| it["name"].as_str());
    names.map(receipt).find(|it| *it != receipt("eddsa")).expect("another")
}

#[test]
fn a_receipt_whose_name_fits_two_files_hides_neither_a_missing_nor_a_substituted_one() {
    let small = hex::decode("4a7564676d656e7420283230323629204e6f2e20313432320a").expect("hex");
    let dir = place(&receipt("eddsa"), b"");
    for sub in ["logs", "logs.receipts"] {
        fs::create_dir_all(dir.path().join(sub)).expect("a folder");
    }
    let put = |path: &str, bytes: &[u8]| fs::write(dir.path().join(path), bytes).expect("a file");
    let remove = |path: &str| fs::remove_file(dir.path().join(path)).expect("removed");
    let check = || {
        let output = zhulian(dir.path(), &["--json", "verify", "logs", "--network", "identity.json"]);
        (code(&output), json(&output))
    };
    let text = || stdout(&zhulian(dir.path(), &["verify", "logs", "--network", "identity.json"]));
    for log in ["access.log", "access.log.1", "access.log.2"] {
        put(&format!("logs/{log}"), &small);
        put(&format!("logs.receipts/{log}.zlr"), &receipt("eddsa"));
    }
    assert_eq!(check().0, 0);

    // No receipt of a later deposit was ever called so: number 1 is that of a file.
    remove("logs/access.log.1");
    let (exit, found) = check();
    assert_eq!((exit, found["gone"][0].as_str()), (8, Some("logs/access.log.1")), "{found}");
    put("logs/access.log.1", &small);
    // Number 2 may be either; all that are there are verified, and that is not all.
    remove("logs/access.log.2");
    let (exit, found) = check();
    assert_eq!((exit, found["unclear"][0]["file"].as_str()), (8, Some("logs/access.log.2")), "{found}");
    assert!(!text().contains("All ") && text().contains("access.log.2.zlr"), "{}", text());
    // It is the file's if a number is missing before it.
    fs::rename(dir.path().join("logs.receipts/access.log.2.zlr"), dir.path().join("logs.receipts/access.log.3.zlr"))
        .expect("a rename");
    let (exit, found) = check();
    assert_eq!((exit, found["gone"][0].as_str()), (8, Some("logs/access.log.3")), "{found}");
    remove("logs.receipts/access.log.3.zlr");
    assert_eq!(check().0, 0);

    // What is a copy of the second is not the first.
    put("logs/access.log.2", &small);
    put("logs.receipts/access.log.2.zlr", &receipt("eddsa"));
    put("logs.receipts/access.log.zlr", &another());
    let (exit, found) = check();
    assert!(matches!(exit, 3 | 4) && found["verified"] == 2, "{exit} {found}");
    let by_itself = ["verify", "logs/access.log", "--network", "identity.json"];
    fs::copy(dir.path().join("logs.receipts/access.log.zlr"), dir.path().join("logs/access.log.zlr")).expect("a copy");
    fs::copy(dir.path().join("logs.receipts/access.log.2.zlr"), dir.path().join("logs/access.log.2.zlr")).expect("a copy");
    assert_eq!(code(&zhulian(dir.path(), &by_itself)), exit);
    // With the second gone nobody can tell.
    remove("logs/access.log.2");
    assert_eq!(code(&zhulian(dir.path(), &by_itself)), 8);
    let (exit, found) = check();
    assert_eq!((exit, found["unclear"][0]["file"].as_str()), (8, Some("logs/access.log")), "{found}");
}

#[test]
fn a_file_that_was_deposited_anew_is_checked_by_its_newer_receipt() {
    let small = hex::decode("4a7564676d656e7420283230323629204e6f2e20313432320a").expect("hex");
    let dir = place(&another(), &small);
    assert_ne!(code(&verify(dir.path(), &[])), 0);
    // As earlier versions called it: it may be the receipt of a file `a.2`, so it has to be named, or renamed.
    fs::write(dir.path().join("a.2.zlr"), receipt("eddsa")).expect("a file");
    assert_eq!(code(&verify(dir.path(), &[])), 8);
    assert_eq!(code(&verify(dir.path(), &["--receipt", "a.2.zlr"])), 0);
    fs::rename(dir.path().join("a.2.zlr"), dir.path().join("a.2.zlr.zlr")).expect("a rename");
    let found = verify(dir.path(), &[]);
    assert_eq!(code(&found), 0, "{}", stdout(&found));
    assert!(stdout(&found).contains("a.2.zlr.zlr"), "{}", stdout(&found));
    // Which one to take can still be said.
    assert_ne!(code(&verify(dir.path(), &["--receipt", "a.zlr"])), 0);

    fs::create_dir_all(dir.path().join("files.receipts")).expect("a folder");
    fs::create_dir_all(dir.path().join("files")).expect("a folder");
    for (from, to) in [("a", "files/a"), ("a.zlr", "files.receipts/a.zlr"), ("a.2.zlr.zlr", "files.receipts/a.2.zlr.zlr")] {
        fs::copy(dir.path().join(from), dir.path().join(to)).expect("a copy");
    }
    assert_eq!(code(&zhulian(dir.path(), &["verify", "files", "--network", "identity.json"])), 0);
}

/// A gateway that answers every request with these bytes, and its address.
fn gateway(answer: Vec<u8>) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().take(1) {
            let mut stream = stream.expect("a connection");
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
                head.push(byte[0]);
            }
            let length = answer.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/cbor\r\ncontent-length: {length}\r\n\r\n");
            let _ = stream.write_all(&[head.as_bytes(), &answer].concat());
        }
    });
    url
}

#[test]
fn a_receipt_that_a_gateway_serves_is_verified_before_it_is_saved() {
    let good = receipt("eddsa");
    let id = zhulian_verify::ReceiptFile::decode(&good).expect("a receipt").transaction;
    let id = zhulian_cli::deposit::evidence_number(&zhulian_primitives::TransactionId(zhulian_crypto::sha256(&id)));
    let other = zhulian_cli::deposit::evidence_number(&zhulian_primitives::TransactionId([7; 32]));
    let mut flipped = good.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    for (served, asked, expected) in [(&good, &id, 0), (&flipped, &id, 5), (&good, &other, 5)] {
        let dir = place(&[], &[]);
        let run = |arguments: &[&str]| zhulian(dir.path(), arguments);
        assert_eq!(code(&run(&["network", "trust", "identity.json"])), 0);
        let url = gateway(served.clone());
        let output = run(&["--url", &url, "evidence", "receipt", asked, "-o", "b.zlr"]);
        assert_eq!(code(&output), expected, "{}", stderr(&output));
        assert_eq!(dir.path().join("b.zlr").exists(), expected == 0);
    }
    // Without an identity nothing can be verified, and that is said.
    let dir = place(&[], &[]);
    let output = zhulian(dir.path(), &["--url", &gateway(good), "evidence", "receipt", &id, "-o", "b.zlr"]);
    assert!(code(&output) == 0 && stdout(&output).contains("not verified"), "{}", stdout(&output));
}
