//! An archive's files on the command line: what is no archive, and what proves nothing. That a whole one proves all of it, the node's tests show.

use std::fs;

use crate::support::{code, json, stderr, zhulian};

#[test]
fn a_file_that_is_no_segment_is_listed_and_proves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let made = zhulian(dir, &["network", "init", "--hosts", "a,b,c,d", "--out", "net"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let run = |arguments: &[&str]| {
        let output = zhulian(dir, &[&["--json", "archive"], arguments].concat());
        (code(&output) == 0, json(&output))
    };
    let network = ["--network", "net/data/network.json"];

    fs::create_dir(dir.join("old")).unwrap();
    assert_eq!(run(&["list", "old"]).1["error"]["code"], "archive.empty");
    fs::write(dir.join("old/000000000001-000000000010.zlseg"), [7; 200]).unwrap();
    let (fine, listed) = run(&["list", "old"]);
    assert!(fine && listed["files"][0]["last"] == 10 && listed["gaps"] == 0, "{listed}");

    let (fine, checked) = run(&[&["check", "old"], &network[..]].concat());
    assert!(!fine && checked["whole"] == false && checked["blocks"] == 0, "{checked}");
    assert_eq!(checked["faults"][0]["fault"], "damaged: not a segment, or its end is missing");
    let id = "00".repeat(32);
    assert_eq!(run(&[&["receipt", "old", &id], &network[..]].concat()).1["error"]["code"], "archive.damaged");
}
