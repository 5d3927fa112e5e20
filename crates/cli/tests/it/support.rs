//! Running the program as people do.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

/// The program, in an environment of its own, with a home in `dir`.
pub fn zhulian(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zhulian"))
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .env("ZHULIAN_HOME", dir.join("home"))
        .env("LANG", "en_GB.UTF-8")
        .current_dir(dir)
        .output()
        .expect("the program starts")
}

/// As [`zhulian`], with a passphrase in the environment.
pub fn with_passphrase(dir: &Path, passphrase: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zhulian"))
        .args(arguments)
        .env_clear()
        .env("HOME", dir)
        .env("ZHULIAN_HOME", dir.join("home"))
        .env("ZHULIAN_PASSPHRASE", passphrase)
        .env("LANG", "en_GB.UTF-8")
        .current_dir(dir)
        .output()
        .expect("the program starts")
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("the program ended by itself")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is UTF-8")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("output is UTF-8")
}

pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", stdout(output), stderr(output)))
}

/// A gateway that answers a path that begins so with this document, for as long as the test runs, and its address. Of a list, it gives one
/// after the other, the last one for ever.
pub fn gateway(mut answers: Vec<(&'static str, Value)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let head: Vec<String> =
                BufReader::new(&stream).lines().map_while(Result::ok).take_while(|it| !it.is_empty()).collect();
            let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
            let found = answers.iter_mut().find(|(begin, _)| path.starts_with(begin));
            let answer = found.map(|(_, answer)| match answer.as_array_mut() {
                Some(several) if several.len() > 1 => several.remove(0),
                Some(several) => several[0].clone(),
                None => answer.clone(),
            });
            let (line, body) = answer.map_or(("404 Not Found", "{}".into()), |answer| ("200 OK", answer.to_string()));
            let head = format!("HTTP/1.1 {line}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n", body.len());
            let _ = stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes());
        }
    });
    url
}

/// What a gateway of a network says of itself.
pub fn status(chain: &Value) -> Value {
    json!({
        "version": "0", "phase": "running", "chain": chain, "height": 9, "indexed_height": 9, "epoch": 0, "view": 9, "peers": [],
        "mempool_transactions": 0, "mempool_bytes": 0, "mempool_bytes_max": 1, "transactions": 0, "evidence": 0, "damage": [],
        "protocol": { "in_force": 1, "known": 1 },
    })
}
