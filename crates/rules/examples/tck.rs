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
    tck::print(&two, &three);
}
