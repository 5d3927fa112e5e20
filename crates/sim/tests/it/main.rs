//! A few lives in every test run; `make sim` lives through many.

use zhulian_sim::{
    run::{Report, run},
    scenario::{Adversary, Scenario},
};

/// The first scenario from `seed` on that fits.
fn first(seed: u64, fits: impl Fn(&Scenario) -> bool) -> Scenario {
    (seed..).map(Scenario::of).find(fits).expect("there is one")
}

fn holds(scenario: &Scenario) -> Report {
    let report = run(scenario);
    let trace = report.trace.join("\n");
    assert_eq!(report.broken, None, "seed {} ({scenario})\n{trace}", scenario.seed);
    report
}

#[test]
fn equal_seeds_give_equal_traces() {
    let scenario = first(0, |it| it.segments.len() == 1 && it.links.loss > 0);
    assert_eq!(holds(&scenario), holds(&scenario));
}

#[test]
fn properties_hold_although_a_validator_equivocates() {
    holds(&first(0, |it| it.adversary == Adversary::Equivocator && it.segments.len() == 1));
}

#[test]
fn properties_hold_although_a_validator_proposes_invalid_blocks() {
    holds(&first(0, |it| matches!(it.adversary, Adversary::InvalidBlocks(_)) && it.segments.len() == 1));
}

#[test]
fn properties_hold_although_a_validator_lies_to_a_late_joiner() {
    holds(&first(0, |it| it.adversary == Adversary::SyncLiar));
}

#[test]
fn properties_hold_although_the_power_goes_and_a_department_floods() {
    let report = holds(&first(0, |it| it.flood.is_some() && it.segments.len() == 2));
    assert!(report.faults["flood"] > 0 && report.faults["power_cut"] == 1);
}

#[test]
fn properties_hold_while_validators_are_voted_in_and_out() {
    let fits = |it: &Scenario| it.change.is_some() && it.adversary.is_byzantine() && it.segments.len() == 1;
    assert_eq!(holds(&first(0, fits)).faults["validators_changed"], 2);
}

/// Seeds that once broke a property.
const ONCE_BROKEN: &[u64] = &[12, 61, 85, 156, 350, 1_023];

#[test]
fn seeds_that_once_failed_do_not_fail_again() {
    for seed in ONCE_BROKEN {
        holds(&Scenario::of(*seed));
    }
}
