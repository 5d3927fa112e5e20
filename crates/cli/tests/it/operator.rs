//! What an operator meets when something is amiss: each refusal says what to do, and no command waits for ever.

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json as document};
use zhulian_cli::{
    failure::{io_reason, library_reason},
    home::Home,
    local::City,
    text::several,
};
use zhulian_node::Config;

use crate::support::{code, gateway, json, status, stderr, stdout, zhulian};

fn refused(dir: &Path, arguments: &[&str]) -> (String, String) {
    let output = zhulian(dir, &[&["--json"], arguments].concat());
    assert_ne!(code(&output), 0, "{arguments:?}");
    let error = json(&output)["error"].clone();
    (error["code"].as_str().unwrap().into(), error["next"]["en"].as_str().unwrap_or_default().into())
}

/// A gateway that takes connections and never answers, as that of a stopped process does.
fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let taken: Vec<_> = listener.incoming().map_while(Result::ok).collect();
        drop(taken);
    });
    url
}

#[test]
fn what_the_operator_wrote_into_node_json_stays() {
    let dir = tempfile::tempdir().unwrap();
    let open = |port| City::open(Home { dir: dir.path().into() }, Some(port), false).map(|_| ()).map_err(|it| it.code);
    open(20_000).unwrap();
    let path = dir.path().join("nodes/2/node.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let peers = config["peers"].as_object().unwrap().len();
    config["archive"] = document!({ "directory": "old", "retention_blocks": 300 });
    config["state_sync"] = "never".into();
    config["log"]["json"] = true.into();
    config["peers"]["11".repeat(32)] = "10.0.0.9:4600".into();
    let written = config.to_string();
    fs::write(&path, &written).unwrap();
    open(20_000).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), written, "not a byte is changed when the ports are the same");

    open(20_100).unwrap();
    let moved = Config::read(&path).unwrap();
    assert_eq!((moved.listen.port(), moved.gateway.unwrap().listen.port()), (20_105, 20_101));
    assert_eq!((moved.archive.unwrap().retention_blocks, moved.log.json, moved.peers.len()), (300, true, peers + 1));
    assert!(fs::read_to_string(&path).unwrap().contains("\"directory\": \"old\""), "paths stay relative");

    fs::write(&path, written.replace("retention_blocks", "retention")).unwrap();
    assert_eq!(open(20_100).unwrap_err(), "node.config");
}

#[test]
fn every_command_ends_within_its_timeout_when_the_gateway_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let made = zhulian(dir, &["network", "init", "--hosts", "a,b,c,d", "--out", "net"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let home = ["--home", "net/hospital", "--key", "hospital.officer", "--passphrase-file", "net/hospital/keys/passphrase"];
    assert_eq!(code(&zhulian(dir, &[&home[..2], &["network", "trust", "net/network.json"]].concat())), 0);
    fs::write(dir.join("file"), "content").unwrap();
    let url = silent();
    let asks: [&[&str]; 7] = [
        &["status"],
        &["why-stalled"],
        &["org", "list"],
        &["validator", "list"],
        &["evidence", "deposit", "file"],
        &["tx", "wait", &"00".repeat(32)],
        &["member", "add", "clerk-01"],
    ];
    for ask in asks {
        let begun = Instant::now();
        let (code, next) = refused(dir, &[&home[..], &["--url", &url, "--timeout", "2"], ask].concat());
        let took = begun.elapsed();
        assert!(code == "network.silent" && next.contains("--url"), "{ask:?}: {code}, {next}");
        assert!(took < Duration::from_secs(8), "{ask:?}: {took:?}");
    }
    let doctor = zhulian(dir, &[&home[..], &["--json", "--url", &url, "--timeout", "2", "doctor"]].concat());
    assert_eq!(code(&doctor), 1);
    let checks = json(&doctor)["checks"].as_array().unwrap().clone();
    let verdict = |name: &str| checks.iter().find(|it| it["check"] == name).map(|it| it["verdict"].clone());
    assert_eq!((verdict("gateway"), verdict("ports")), (Some("bad".into()), None));
}

#[test]
fn no_validator_is_added_while_another_is_down() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let validator = |key: &str, this_node: bool, connected: bool, height: u64| {
        document!({
            "name": key, "organisation": key, "public_key": key.repeat(32), "this_node": this_node, "connected": connected,
            "height": height, "misbehaviour": 0,
        })
    };
    let validators = |fourth: Value, pending: Value| {
        let items =
            [validator("01", true, true, 9), validator("02", false, true, 9), validator("03", false, true, 9), fourth];
        let mut found = document!({
            "epoch": 0, "quorum": 3, "epoch_ends": 9, "items": items,
            "power": { "concentration": "spread", "nakamoto": 1, "organisations": [] },
        });
        if !pending.is_null() {
            found["pending"] = document!({ "epoch": 1, "height": 10, "items": [pending] });
        }
        found
    };
    let url = |height: u64, found: Value| {
        let mut status = status(&"00".repeat(32).into());
        status["height"] = height.into();
        gateway(vec![("/v1/status", status), ("/v1/validators", found)])
    };
    let add = ["validator", "propose-add", "11339900MA0HL0015L", &"05".repeat(32), "host:4600", "--name", "fifth"];
    let well = || validator("04", false, true, 9);
    let down = || validator("04", false, false, 9);
    // Past this check there is no network that would be trusted.
    for (height, found, wanted) in [
        (9, validators(well(), Value::Null), "network.not_pinned"),
        (9, validators(down(), Value::Null), "validator.not_all_up"),
        (90, validators(well(), Value::Null), "validator.not_all_up"),
        (9, validators(well(), validator("06", false, false, 0)), "validator.not_all_up"),
        (9, validators(well(), validator("06", false, true, 9)), "network.not_pinned"),
    ] {
        assert_eq!(refused(dir, &[&["--url", &url(height, found)], &add[..]].concat()).0, wanted);
    }
    let (code, next) = refused(dir, &[&["--url", &url(9, validators(down(), Value::Null))], &add[..]].concat());
    assert!(code == "validator.not_all_up" && next.contains("--anyway"), "{next}");
    let there = url(9, validators(down(), Value::Null));
    let anyway = [&["--url", &there], &add[..], &["--anyway"]].concat();
    assert_eq!(refused(dir, &anyway).0, "network.not_pinned");
    // Whoever is replaced need not be up.
    for (old, wanted) in [("04", "network.not_pinned"), ("03", "validator.not_all_up")] {
        let (old, new) = (old.repeat(32), "07".repeat(32));
        let url = url(9, validators(down(), Value::Null));
        assert_eq!(refused(dir, &["--url", &url, "validator", "propose-rekey", &old, &new]).0, wanted, "{old}");
    }
}

#[test]
fn status_tells_how_many_were_heard_and_whether_there_is_a_reserve() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert_eq!(code(&zhulian(dir, &["network", "init", "--hosts", "a,b,c,d", "--out", "net"])), 0);
    let identity: Value = serde_json::from_str(&fs::read_to_string(dir.join("net/network.json")).unwrap()).unwrap();
    let network = document!({
        "identity": { "format": "-", "name": "N", "chain": "00".repeat(32), "validators": identity["validators"] },
        "genesis_time_ms": 0, "protocol_version": 1, "parameters": [],
    });
    let found = document!({
        "epoch": 0, "quorum": 3, "epoch_ends": 9, "items": [],
        "power": { "concentration": "spread", "nakamoto": 1, "organisations": [] },
    });
    let said = |heard: usize| {
        let mut status = status(&"00".repeat(32).into());
        status["public_key"] = "01".repeat(32).into();
        let peer = |at: usize| {
            document!({
                "name": "P", "public_key": "02".repeat(32), "connected": at < heard, "height": 9, "clock_skew_ms": 0,
            })
        };
        status["peers"] = (0..3).map(peer).collect();
        let url = gateway(vec![("/v1/status", status), ("/v1/network", network.clone()), ("/v1/validators", found.clone())]);
        let output = zhulian(dir, &["--url", &url, "status"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        stdout(&output)
    };
    assert!(said(3).contains("running: 4 of 4 validators were heard within the last 5 s") && !said(3).contains("reserve"));
    assert!(said(2).contains("running: 3 of 4 validators were heard") && said(2).contains("reserve"));
    assert!(said(1).contains("lacks validators: 2 of 4 were heard within the last 5 s, and 3 must vote"));
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert_eq!(code(&zhulian(dir, &["network", "init", "--hosts", "a,b,c,d", "--out", "net"])), 0);
    let (what, next) = refused(dir, &["backup", "net", "--to", "kept"]);
    assert!(what == "node.no_config" && next.contains("node.json"), "{what}: {next}");
    let (what, next) = refused(dir, &["audit", "net/data", "--network", "net/network.json"]);
    assert!(what == "audit.no_ledger" && next.contains("start the node"), "{what}: {next}");
    fs::remove_file(dir.join("net/data/validator.zlkey")).unwrap();
    let (what, next) = refused(dir, &["node", "run", "--config", "net/data/node.json"]);
    assert!(what == "node.no_key" && next.contains("backup") && next.contains("propose-rekey"), "{what}: {next}");

    // A node of `zhulian up` has no identity beside its key; its backup has one all the same.
    fs::create_dir_all(dir.join("net/court/data/chain/zhulian-blocks-value")).unwrap();
    let identity = fs::read(dir.join("net/network.json")).unwrap();
    fs::remove_file(dir.join("net/court/network.json")).unwrap();
    let made = zhulian(dir, &["backup", "net/court", "--to", "kept"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    assert_eq!(fs::read(dir.join("kept/network.json")).unwrap(), identity);
    assert_eq!(code(&zhulian(dir, &["restore", "kept", "--to", "back", "--unasked"])), 0);
}

#[test]
fn texts_count_in_english_and_reason_in_chinese() {
    for (count, one, wanted) in [
        (0, "file", "0 files"),
        (1, "file", "1 file"),
        (1_234, "file", "1,234 files"),
        (2, "entry", "2 entries"),
        (2, "key", "2 keys"),
    ] {
        assert_eq!(several(count, one), wanted);
    }
    for (number, zh) in [(2, "不存在"), (13, "权限"), (28, "磁盘已满"), (98, "占用"), (111, "没有程序在监听"), (110, "超时")]
    {
        let error = std::io::Error::from_raw_os_error(number);
        assert!(io_reason(&error).zh.contains(zh) && !io_reason(&error).zh.is_ascii(), "{error}");
        let told = library_reason(&format!("opening it: {error}"));
        assert!(told.zh.contains(zh) && told.zh.ends_with('）'), "{}", told.zh);
    }
    let mut buffer = [0];
    let other = std::fs::File::open(".").unwrap().read(&mut buffer).unwrap_err();
    assert!(!io_reason(&other).zh.is_ascii());
}
