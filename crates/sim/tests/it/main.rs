//! A few lives in every test run; `make sim` lives through many.

use zhulian_sim::{
    run::run,
    scenario::{Adversary, Scenario},
};

/// The first scenario from `seed` on with such an adversary.
fn first(seed: u64, fits: impl Fn(&Scenario) -> bool) -> Scenario {
    (seed..).map(Scenario::of).find(fits).expect("there is one")
}

#[test]
fn equal_seeds_give_equal_lives() {
    let scenario = first(0, |scenario| scenario.segments.len() == 1 && scenario.links.loss > 0);
    assert_eq!(run(&scenario), run(&scenario));
}

#[test]
fn properties_hold_although_a_validator_is_twinned() {
    run(&first(0, |scenario| scenario.adversary == Adversary::Twin));
}

#[test]
fn properties_hold_although_a_validator_lies() {
    run(&first(0, |scenario| matches!(scenario.adversary, Adversary::Liar(_))));
}

#[test]
fn properties_hold_although_the_power_goes_twice() {
    run(&first(0, |scenario| scenario.adversary == Adversary::None && scenario.segments.len() == 3));
}
