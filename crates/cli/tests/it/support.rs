//! Running the program as people do.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

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
