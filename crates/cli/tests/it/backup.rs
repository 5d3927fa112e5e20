//! Backups: what is refused. That a restored validator joins and never votes twice, `scripts/hosts.sh` shows with four hosts.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::json as document;

use crate::support::{code, gateway, json, status, stderr, zhulian};

/// A network's bundle with a data directory as a stopped node leaves it, vote journal included.
fn node(dir: &Path) {
    let made = zhulian(dir, &["network", "init", "--hosts", "a,b,c,d", "--out", "net"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    for (store, content) in
        [("zhulian-blocks-value", "blocks"), ("zhulian-votes-0", "votes"), ("zhulian-state-log", "state")]
    {
        let store = dir.join("net/data/data/chain").join(store);
        fs::create_dir_all(&store).unwrap();
        fs::write(store.join("00"), content).unwrap();
    }
    fs::write(dir.join("net/data/data/entries.sqlite"), "entries").unwrap();
}

fn refused(dir: &Path, arguments: &[&str]) -> String {
    let output = zhulian(dir, &[&["--json"], arguments].concat());
    assert_ne!(code(&output), 0, "{arguments:?}");
    json(&output)["error"]["code"].as_str().unwrap().into()
}

#[test]
fn a_backup_holds_all_but_the_votes_and_comes_back_without_the_chain() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    node(dir);
    let made = zhulian(dir, &["backup", "net/data", "--to", "kept"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let is_there = |path: &str| dir.join(path).exists();
    for path in
        ["backup.json", "node.json", "genesis.cbor", "network.json", "validator.zlkey", "passphrase", "keys/passphrase"]
    {
        assert!(is_there(&format!("kept/{path}")), "{path}");
    }
    assert!(is_there("kept/data/chain/zhulian-blocks-value/00") && is_there("kept/data/entries.sqlite"));
    assert!(!is_there("kept/data/chain/zhulian-votes-0"));
    assert_eq!(refused(dir, &["backup", "net/data", "--to", "kept"]), "backup.exists");

    let back = zhulian(dir, &["restore", "kept", "--to", "back", "--unasked"]);
    assert_eq!(code(&back), 0, "{}", stderr(&back));
    assert!(is_there("back/validator.zlkey") && is_there("back/data/entries.sqlite") && !is_there("back/data/chain"));
    assert!(fs::read_to_string(dir.join("back/node.json")).unwrap().contains("\"state_sync\": \"required\""));
    for secret in ["validator.zlkey", "passphrase", "keys/passphrase"] {
        let mode = fs::metadata(dir.join("back").join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{secret}");
    }
    assert_eq!(refused(dir, &["restore", "kept", "--to", "back", "--unasked"]), "backup.exists");
    // Another node must be asked; there is none here.
    assert_eq!(refused(dir, &["--url", "http://127.0.0.1:9", "restore", "kept", "--to", "more"]), "network.unreachable");

    let bare = zhulian(dir, &["backup", "net/data", "--to", "bare", "--without-keys"]);
    assert_eq!(code(&bare), 0);
    assert!(!is_there("bare/validator.zlkey") && !is_there("bare/passphrase") && !is_there("bare/keys"));
}

/// Changes what a backup says of itself.
fn says(dir: &Path, backup: &str, change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>)) {
    let path = dir.join(backup).join("backup.json");
    let mut json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(json.as_object_mut().unwrap());
    fs::write(&path, json.to_string()).unwrap();
}

#[test]
fn whoever_is_put_back_is_known_or_it_is_said_that_nobody_could_be_asked() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    node(dir);
    let asked = |backup| ["--url", "http://127.0.0.1:9", "restore", backup, "--to", "back"];
    let key: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.join("net/data/validator.zlkey")).unwrap()).unwrap();
    assert_eq!(code(&zhulian(dir, &["backup", "net/data", "--to", "bare", "--without-keys"])), 0);
    let mut chain = serde_json::Value::Null;
    says(dir, "bare", |json| {
        assert_eq!(json["validator"], key["public_key"]);
        chain = json["chain"].clone();
    });
    assert_eq!(refused(dir, &asked("bare")), "network.unreachable");
    assert_eq!(code(&zhulian(dir, &["backup", "net/data", "--to", "named", "--without-keys"])), 0);
    // As older ones are: it holds no key and names none.
    says(dir, "bare", |json| assert!(json.remove("validator").is_some()));
    assert_eq!(refused(dir, &asked("bare")), "restore.unknown_validator");
    assert_eq!(code(&zhulian(dir, &["restore", "bare", "--to", "unasked", "--unasked"])), 0);

    // A copy that has lost its modes still tells the key, and what is restored from it is its owner's only.
    assert_eq!(code(&zhulian(dir, &["backup", "net/data", "--to", "kept"])), 0);
    says(dir, "kept", |json| assert!(json.remove("validator").is_some()));
    let secrets = ["validator.zlkey", "passphrase", "keys/passphrase"];
    for secret in secrets {
        fs::set_permissions(dir.join("kept").join(secret), fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert_eq!(refused(dir, &asked("kept")), "network.unreachable");
    let heard = |connected: bool| {
        document!({
            "epoch": 0, "quorum": 1, "epoch_ends": 9,
            "items": [{
                "name": "a", "organisation": "a", "public_key": key["public_key"], "this_node": false, "connected": connected,
                "height": 9, "misbehaviour": 0,
            }],
            "power": { "concentration": "spread", "nakamoto": 1, "organisations": [] },
        })
    };
    let url = gateway(vec![("/v1/status", status(&chain)), ("/v1/validators", heard(true))]);
    for backup in ["kept", "named"] {
        assert_eq!(refused(dir, &["--url", &url, "restore", backup, "--to", "back"]), "restore.up", "{backup}");
        // One that has only just started knows no height and hears nobody; and the validator may come back in the last moment.
        let at = |phase: &str, height: u64| {
            let mut status = status(&chain);
            (status["phase"], status["height"]) = (phase.into(), height.into());
            status
        };
        let starts = vec![at("running", 9), at("starting", 0), at("running", 900), at("running", 908)];
        let answers = vec![heard(false), heard(false), heard(false), heard(true)];
        let url = gateway(vec![("/v1/status", starts.into()), ("/v1/validators", answers.into())]);
        assert_eq!(refused(dir, &["--url", &url, "restore", backup, "--to", "back"]), "restore.up", "{backup}");
    }
    let back = zhulian(dir, &["restore", "kept", "--to", "back", "--unasked"]);
    assert_eq!(code(&back), 0, "{}", stderr(&back));
    for secret in secrets {
        let mode = fs::metadata(dir.join("back").join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
}

#[test]
fn the_archive_is_backed_up_when_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    node(dir);
    let config = dir.join("net/data/node.json");
    let mut json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&config).unwrap()).unwrap();
    json["archive"] = serde_json::json!({ "directory": "../old", "retention_blocks": 1_000 });
    fs::write(&config, json.to_string()).unwrap();
    let segment = "000000000001-000000000010.zlseg";
    fs::create_dir(dir.join("net/old")).unwrap();
    for file in [segment, "000000000011.part", ".hold"] {
        fs::write(dir.join("net/old").join(file), file).unwrap();
    }
    let archive = |of: &str| {
        let json: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(dir.join(of).join("node.json")).unwrap()).unwrap();
        json["archive"]["directory"].as_str().unwrap().to_string()
    };

    assert_eq!(code(&zhulian(dir, &["backup", "net/data", "--to", "without"])), 0);
    assert!(Path::new(&archive("without")).is_absolute() && !dir.join("without/archive").exists());

    assert_eq!(code(&zhulian(dir, &["backup", "net/data", "--to", "with", "--with-archive"])), 0);
    assert_eq!(code(&zhulian(dir, &["restore", "with", "--to", "back", "--unasked"])), 0);
    for kept in ["with", "back"] {
        assert_eq!(archive(kept), "archive");
        let files: Vec<_> =
            fs::read_dir(dir.join(kept).join("archive")).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(files, [segment]);
    }
}

#[test]
fn a_backup_that_was_changed_or_holds_votes_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    node(dir);
    assert_eq!(code(&zhulian(dir, &["backup", "net/data", "--to", "kept"])), 0);
    let restore = ["restore", "kept", "--to", "back", "--unasked"];
    let change = |path: &str, content: &str, wanted: &str| {
        let path = dir.join("kept").join(path);
        let old = fs::read(&path).ok();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        assert_eq!(refused(dir, &restore), wanted, "{}", path.display());
        match old {
            Some(old) => fs::write(&path, old).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    };
    change("data/chain/zhulian-votes-0/00", "votes", "restore.votes");
    change("data/chain/zhulian-blocks-value/00", "Blocks", "restore.damaged");
    change("data/entries.sqlite", "entrie", "restore.damaged");
    change("more", "", "restore.damaged");
    let manifest = fs::read_to_string(dir.join("kept/backup.json")).unwrap();
    change("backup.json", &manifest.replace("zhulian-backup/1", "zhulian-backup/2"), "restore.damaged");
    change("backup.json", &manifest.replace("\"data/entries.sqlite\"", "\"../entries.sqlite\""), "restore.damaged");
    fs::rename(dir.join("kept/genesis.cbor"), dir.join("genesis.cbor")).unwrap();
    assert_ne!(code(&zhulian(dir, &restore)), 0);
    fs::rename(dir.join("genesis.cbor"), dir.join("kept/genesis.cbor")).unwrap();
    assert_eq!(code(&zhulian(dir, &restore)), 0, "whole again");
}
