//! Hashing files: vectors at the edges of chunks, and what is found in folders.

use std::{fs, path::PathBuf};

use indicatif::ProgressBar;
use zhulian_cli::hashing::{find, hash};
use zhulian_crypto::{sha256, sm3};
use zhulian_ledger::merkle;

const MIB: usize = 1 << 20;

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 31 % 251) as u8).collect()
}

#[test]
fn every_edge_of_a_chunk_hashes_as_the_definition_says() {
    let dir = tempfile::tempdir().expect("a directory");
    for len in [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB + 17] {
        let bytes = content(len);
        let path = dir.path().join(len.to_string());
        fs::write(&path, &bytes).expect("a file");
        let bar = ProgressBar::hidden();
        let hashed = hash(&path, &bar).expect("a readable file");
        let chunks: Vec<&[u8]> = bytes.chunks(MIB).collect();
        assert_eq!(hashed.record.sha256, sha256(&bytes), "{len}");
        assert_eq!(hashed.record.sm3, sm3(&bytes), "{len}");
        assert_eq!(hashed.record.size, len as u64);
        assert_eq!(hashed.record.chunks_root, merkle::root(&chunks), "{len}");
        assert_eq!(hashed.chunks.len(), len.div_ceil(MIB));
        assert_eq!(bar.position(), len as u64);
    }
}

#[test]
fn the_empty_file_has_the_published_digests() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("empty");
    fs::write(&path, b"").expect("a file");
    let record = hash(&path, &ProgressBar::hidden()).expect("a readable file").record;
    let sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hex::encode(record.sha256), sha);
    assert_eq!(hex::encode(record.chunks_root), sha);
    assert_eq!(hex::encode(record.sm3), "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b");
}

#[test]
fn folders_are_walked_in_order_and_receipts_passed_over() {
    let dir = tempfile::tempdir().expect("a directory");
    let top = dir.path().join("top");
    fs::create_dir_all(top.join("b/inner")).expect("folders");
    for name in ["c.txt", "a.txt", "b/inner/x", "a.txt.zlr"] {
        fs::write(top.join(name), name).expect("a file");
    }
    std::os::unix::fs::symlink(top.join("a.txt"), top.join("link")).expect("a link");
    let missing = dir.path().join("missing");
    let (found, skipped) = find(&[top.clone(), top.join("a.txt"), missing.clone()]);
    let names: Vec<PathBuf> = found.iter().map(|file| file.relative.clone()).collect();
    assert_eq!(names, ["a.txt", "b/inner/x", "c.txt"].map(PathBuf::from), "each file once");
    let reasons: Vec<_> = skipped.iter().map(|it| (it.path.clone(), it.code)).collect();
    assert_eq!(reasons, [(top.join("link"), "link"), (missing, "unreadable")]);
}

#[test]
fn a_folder_given_as_a_file_is_named_as_such() {
    let dir = tempfile::tempdir().expect("a directory");
    let skipped = hash(dir.path(), &ProgressBar::hidden()).expect_err("no file");
    assert_eq!(skipped.code, "not_a_file");
}
