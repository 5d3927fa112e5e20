//! A1: the same bytes wherever and whenever a node runs. The tests whose bytes or outcomes are pinned are run again, each time as a
//! process of its own, under other zones, locales and numbers of threads, and on a clock that is a month ahead.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Calls, events and state of every module; clocks of working days; cases of the city's procedures; decisions of packs.
const PINNED: [&str; 4] =
    ["tests::vectors::", "procedure::tests::clock::", "procedure::tests::scenarios::", "a_decision_is_made_again_offline"];

fn run(command: &mut Command, settings: &[(&str, &str)]) -> Output {
    command.env_remove("UPDATE_DOCS").envs(settings.iter().copied()).output().expect("it runs")
}

fn the_same(threads: &str, settings: &[(&str, &str)]) {
    let mut own = Command::new(env::current_exe().expect("a path"));
    let output = run(own.args(PINNED).args(["--test-threads", threads]), settings);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !said.contains(" 0 passed"), "{settings:?}: {said}");
}

#[test]
fn zone_locale_and_threads_do_not_matter() {
    let settings = |zone, locale| [("TZ", zone), ("LC_ALL", locale), ("LANG", locale)];
    the_same("1", &settings("UTC", "C"));
    the_same("2", &settings("Asia/Shanghai", "zh_CN.UTF-8"));
    the_same("8", &settings("America/New_York", "tr_TR.UTF-8"));
}

/// The library that shows a process another time, where it is installed (package `faketime`).
fn faketime() -> Option<PathBuf> {
    let dirs = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    dirs.map(|dir| dir.join("faketime/libfaketimeMT.so.1")).find(|path| Path::exists(path))
}

#[test]
fn a_month_later_the_bytes_are_the_same() {
    let Some(library) = faketime() else {
        return eprintln!("skipped: the Debian package faketime is not installed");
    };
    // The clock by which threads wait for one another stays.
    let library = library.to_str().expect("a path");
    let later = [("LD_PRELOAD", library), ("FAKETIME", "+31d"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let seconds = |settings: &[(&str, &str)]| -> i64 {
        let output = run(Command::new("date").arg("+%s"), settings);
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("a time")
    };
    assert!(seconds(&later) - seconds(&[]) > 30 * 86_400, "the clock is not ahead, so nothing would be shown");
    the_same("2", &later);
}
