//! The simulation can fail: each of three bugs, put in on purpose, is found within a few seeds.
//!
//! `cargo test -p zhulian-sim --features seeded-bugs --test bugs`

use zhulian_engine::seeded::{Bug, set};
use zhulian_sim::{run::run, scenario::Scenario};

/// Seeds looked through at most.
const SEEDS: u64 = 60;

/// The first seed that finds the bug, and what it says.
fn found(bug: Option<Bug>) -> Option<(u64, String)> {
    set(bug);
    let found = (0..SEEDS).find_map(|seed| Some((seed, run(&Scenario::of(seed)).broken?)));
    set(None);
    found
}

// One test, since the switch is the process's.
#[test]
fn each_seeded_bug_is_found_and_no_other() {
    for bug in [Bug::UnsyncedArchive, Bug::ForgetfulMempool, Bug::StateOfMempool] {
        let (seed, broken) = found(Some(bug)).unwrap_or_else(|| panic!("{bug:?} was not found within {SEEDS} seeds"));
        println!("{bug:?}: seed {seed}: {broken}");
    }
    for seed in 0..5 {
        assert_eq!(run(&Scenario::of(seed)).broken, None, "seed {seed} without a bug");
    }
}
