//! The command line: what is refused, and how.

use zhulian_cli::text::Lang;

use crate::support::{code, json, stderr, stdout, zhulian};

#[test]
fn senseless_command_lines_end_with_code_2() {
    let dir = tempfile::tempdir().expect("a directory");
    let cases: &[&[&str]] = &[
        &[],
        &["no-such-command"],
        &["verify"],
        &["verify", "a", "b"],
        &["evidence", "check"],
        &["evidence", "check", "--sha256", "12"],
        &["evidence", "check", "file", "--sha256", &"0".repeat(64)],
        &["evidence", "deposit"],
        &["tx", "show", "zz"],
        &["key", "new", "a", "--algorithm", "rsa"],
        &["member", "roles", "clerk", "king"],
        &["member", "add", "13812345678"],
        &["org", "show", "91110000600037341X"],
        &["org", "vote", "1", "maybe"],
        &["up", "--port-base", "80"],
        &["--lang", "fr", "status"],
    ];
    for arguments in cases {
        let output = zhulian(dir.path(), arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {} {}", stdout(&output), stderr(&output));
        assert!(output.stdout.is_empty() || arguments.is_empty(), "{arguments:?}");
    }
}

#[test]
fn with_json_a_senseless_command_line_is_a_document_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = zhulian(dir.path(), &["--json", "verify"]);
    assert_eq!(code(&output), 2);
    assert_eq!(json(&output)["error"]["code"], "usage");
}

#[test]
fn help_and_version_end_with_code_0() {
    let dir = tempfile::tempdir().expect("a directory");
    for arguments in [&["--help"][..], &["--version"], &["evidence", "deposit", "--help"]] {
        let output = zhulian(dir.path(), arguments);
        assert_eq!(code(&output), 0, "{arguments:?}");
        assert!(!output.stdout.is_empty());
    }
}

#[test]
fn completions_are_for_three_shells() {
    let dir = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish"] {
        let output = zhulian(dir.path(), &["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(stdout(&output).contains("evidence"), "{shell}");
    }
}

#[test]
fn an_absent_gateway_is_named_with_a_remedy() {
    let dir = tempfile::tempdir().expect("a directory");
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
    let url = format!("http://127.0.0.1:{port}");
    let output = zhulian(dir.path(), &["--url", &url, "status"]);
    assert_eq!(code(&output), 7);
    let text = stderr(&output);
    assert!(text.contains(&url) && text.contains("nothing listens") && text.contains("zhulian up"), "{text}");
    let output = zhulian(dir.path(), &["--url", &url, "--json", "status"]);
    assert_eq!(json(&output)["error"]["code"], "network.unreachable");
}

#[test]
fn doctor_works_without_a_network_and_says_what_is_missing() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = zhulian(dir.path(), &["--url", "http://127.0.0.1:9", "--json", "doctor"]);
    let checks = json(&output)["checks"].clone();
    let names: Vec<_> = checks.as_array().expect("a list").iter().map(|check| check["check"].clone()).collect();
    for name in ["disk", "open_files", "file_modes", "fonts", "identity", "gateway", "ports"] {
        assert!(names.contains(&name.into()), "{name} in {names:?}");
    }
}

#[test]
fn an_example_plan_founds_a_network_for_four_hosts() {
    let dir = tempfile::tempdir().expect("a directory");
    let plan = zhulian(dir.path(), &["network", "plan"]);
    std::fs::write(dir.path().join("plan.json"), &plan.stdout).expect("a file");
    let init = [
        "--json",
        "network",
        "init",
        "--hosts",
        "a.example,b.example,c.example,d.example",
        "--out",
        "net",
        "--plan",
        "plan.json",
    ];
    let output = zhulian(dir.path(), &init);
    assert_eq!(code(&output), 0, "{} {}", stdout(&output), stderr(&output));
    let net = dir.path().join("net");
    for file in [
        "genesis.cbor",
        "network.json",
        "data/node.json",
        "data/validator.zlkey",
        "data/passphrase",
        "court/keys/court.judge.zlkey",
    ] {
        assert!(net.join(file).exists(), "{file}");
    }
    let config = zhulian_node::Config::read(&net.join("court/node.json")).expect("a configuration");
    assert_eq!(config.peers.len(), 4);
    let again = zhulian(dir.path(), &init);
    assert_eq!(code(&again), 2, "what is there is not overwritten");
    let three = zhulian(dir.path(), &["network", "init", "--hosts", "a,b,c", "--out", "other"]);
    assert_eq!(code(&three), 2);

    let trusted = zhulian(dir.path(), &["network", "trust", "net/network.json"]);
    assert_eq!(code(&trusted), 0, "{}", stderr(&trusted));
    assert_eq!(zhulian(dir.path(), &["network", "show"]).status.code(), Some(0));
}

#[test]
fn help_is_in_one_language_for_every_command() {
    fn walk(command: &clap::Command, path: &str, lang: Lang) {
        let chinese = |text: &str| text.chars().any(|c| ('\u{3400}'..='\u{9fff}').contains(&c));
        let texts = command.get_arguments().filter_map(|arg| Some((arg.get_id().to_string(), arg.get_help()?.to_string())));
        let about = ("about".to_string(), command.get_about().map(ToString::to_string).unwrap_or_default());
        for (name, text) in texts.chain([about]) {
            // The product's own name is Chinese in both.
            let text = text.replace("珠联", if lang == Lang::Zh { "珠联" } else { "" });
            assert_eq!(chinese(&text), lang == Lang::Zh, "{path} {name}: {text}");
        }
        for sub in command.get_subcommands() {
            walk(sub, &format!("{path} {}", sub.get_name()), lang);
        }
    }
    for lang in [Lang::Zh, Lang::En] {
        zhulian_cli::help::command(lang).debug_assert();
        walk(&zhulian_cli::help::command(lang), "zhulian", lang);
    }
    let dir = tempfile::tempdir().expect("a directory");
    let text = stdout(&zhulian(dir.path(), &["--lang", "zh", "evidence", "deposit", "--help"]));
    assert!(text.contains("用法：") && text.contains("通用选项") && !text.contains("Usage"), "{text}");
}

#[test]
fn a_wrong_command_line_is_told_in_the_reader_s_language() {
    let dir = tempfile::tempdir().expect("a directory");
    let cases: &[(&[&str], &str, &str)] = &[
        (&["evidence", "depsit"], "没有“depsit”这个命令", "no command “depsit”"),
        (&["evidence", "deposit"], "缺少必需的参数", "something is missing"),
        (&["status", "--no-such"], "没有“--no-such”这个选项", "“--no-such” is no option"),
        (&["--timeout", "soon", "status"], "“soon”不能用作", "“soon” cannot be"),
        (&["evidence", "show", "ZL123"], "“ZL123”不是存证编号", "“ZL123” is no evidence number"),
        (&["evidence", "show", "ZL06T8G83C5JP6DR0QSR2D3540EZA"], "校验字符不符", "does not fit"),
    ];
    for (arguments, zh, en) in cases {
        for (lang, expected) in [("zh", zh), ("en", en)] {
            let output = zhulian(dir.path(), &[&["--lang", lang, "--url", "http://127.0.0.1:9"], *arguments].concat());
            assert_eq!(code(&output), 2, "{arguments:?}");
            assert!(stderr(&output).contains(expected), "{arguments:?} {lang}: {}", stderr(&output));
        }
    }
}
