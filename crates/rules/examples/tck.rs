//! Runs the DMN TCK and prints each failing case, the exclusions, and one JSON line.

#[path = "../tests/it/tck.rs"]
mod tck;

fn main() {
    let Some(cases) = tck::data() else {
        println!("the DMN TCK is not at $ZHULIAN_SHARED_DATA/dmn-tck nor ../shared/data/dmn-tck: skipped");
        return;
    };
    let two = tck::run(&cases.join("compliance-level-2"));
    let three = tck::run(&cases.join("compliance-level-3"));
    for failure in two.failures.iter().chain(&three.failures) {
        println!("FAIL {}: expected {}, found {}", failure.case, failure.expected, failure.found);
    }
    for case in two.excluded.iter().chain(&three.excluded) {
        println!("EXCLUDED {case}");
    }
    println!(
        "{{\"level2_pass\":{},\"level2_total\":{},\"level3_pass\":{},\"level3_total\":{},\"excluded\":{}}}",
        two.passed,
        two.total,
        three.passed,
        three.total,
        two.excluded.len() + three.excluded.len()
    );
}
