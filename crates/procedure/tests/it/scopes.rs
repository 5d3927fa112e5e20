//! Expected traces of sub-processes, calls and repetitions.

use crate::support::{Case, World, boundary, definitions, duration, extension, file, flows, numbers, one, users, with};
use zhulian_procedure::{Fault, Variables};
use zhulian_rules::Value;

#[test]
fn a_sub_process_ends_when_nothing_is_left_inside() {
    let inner = one("startEvent", "is") + &users("a b") + &one("endEvent", "ie") + &flows("is>a is>b a>ie b>ie");
    let source = file(&(one("startEvent", "s") + &with("subProcess", "sub", &inner) + &users("c") + &flows("s>sub sub>c")));
    let mut case = Case::new(&source);
    assert_eq!(case.trace(), "s +sub is +a +b");
    assert_eq!(case.done("a").trace(), "-a ie");
    assert_eq!(case.done("b").trace(), "-b ie -sub +c");
}

#[test]
fn an_empty_sub_process_is_passed() {
    let source = file(&(one("startEvent", "s") + &one("subProcess", "sub") + &users("c") + &flows("s>sub sub>c")));
    assert_eq!(Case::new(&source).trace(), "s +sub -sub +c");
}

#[test]
fn ending_all_inside_leaves_the_outside_alone() {
    let inner = one("startEvent", "is")
        + &users("a b")
        + &with("endEvent", "stop", "<terminateEventDefinition/>")
        + &flows("is>a is>b a>stop");
    let source =
        file(&(one("startEvent", "s") + &with("subProcess", "sub", &inner) + &users("c d") + &flows("s>sub s>d sub>c")));
    let mut case = Case::new(&source);
    assert_eq!(case.done("a").trace(), "-a stop xb -sub +c");
    assert_eq!(case.work(), "d c");
}

#[test]
fn a_timer_at_the_edge_of_a_sub_process_ends_its_inside() {
    let inner = one("startEvent", "is") + &users("a b") + &flows("is>a is>b");
    let source = file(
        &(one("startEvent", "s")
            + &with("subProcess", "sub", &inner)
            + &boundary("edge", "sub", true, &duration("PT1H"))
            + &users("c")
            + &flows("s>sub edge>c")),
    );
    assert_eq!(Case::new(&source).hours(1).trace(), "xb xa xsub edge +c");
}

fn caller(io: &str) -> String {
    let call = with("callActivity", "call", &extension(&format!(r#"<zeebe:calledElement processId="q"/>{io}"#)));
    definitions(&format!(
        r#"<process id="p">{}</process><process id="q">{}</process>"#,
        one("startEvent", "s") + &call + &users("c") + &flows("s>call call>c"),
        one("startEvent", "qs") + &users("a") + &one("endEvent", "qe") + &flows("qs>a a>qe"),
    ))
}

#[test]
fn a_call_runs_another_procedure_inside() {
    let mut case = Case::with(World::of(&caller("")), &numbers([("x", 1)]));
    assert_eq!(case.trace(), "s +call qs +a");
    assert_eq!(case.instance.procedures(), ["p", "q"]);
    assert_eq!(case.instance.work(&case.world)[0].procedure, "q");
    assert_eq!(case.done_with("a", &numbers([("x", 2), ("y", 3)])).trace(), "-a qe -call +c");
    assert_eq!((case.variable("x"), case.variable("y")), ("2".into(), "3".into()));
}

#[test]
fn a_call_with_mappings_sees_and_gives_only_those() {
    let io = r#"<zeebe:ioMapping><zeebe:input source="=x + 1" target="n"/><zeebe:output source="=y" target="z"/></zeebe:ioMapping>"#;
    let mut case = Case::with(World::of(&caller(io)), &numbers([("x", 1)]));
    case.done_with("a", &numbers([("y", 3)]));
    assert_eq!(
        (case.variable("x"), case.variable("y"), case.variable("z"), case.variable("n")),
        ("1".into(), "null".into(), "3".into(), "null".into())
    );
}

#[test]
fn an_error_of_a_called_procedure_comes_out_of_the_call() {
    let source = caller("").replace(
        r#"<userTask id="c""#,
        &(boundary("edge", "call", true, "<errorEventDefinition/>")
            + &users("d")
            + &flows("edge>d")
            + r#"<userTask id="c""#),
    );
    assert_eq!(Case::new(&source).fail("a", "any").trace(), "xa xcall edge +d");
}

#[test]
fn calls_without_end_are_a_fault() {
    let call = with("callActivity", "call", &extension(r#"<zeebe:calledElement processId="p"/>"#));
    let source = file(&(one("startEvent", "s") + &call + &flows("s>call")));
    assert_eq!(Case::try_with(World::of(&source), "p", None, &Variables::default()).err(), Some(Fault::TooLarge));
}

fn repeated(sequential: bool, more: &str) -> String {
    let task = with(
        "userTask",
        "a",
        &(extension(
            r#"<zeebe:assignmentDefinition candidateGroups="=item"/><zeebe:properties><zeebe:property name="loop:max" value="3"/></zeebe:properties>"#,
        ) + &format!(r#"<multiInstanceLoopCharacteristics isSequential="{sequential}">"#)
            + &extension(
                r#"<zeebe:loopCharacteristics inputCollection="=offices" inputElement="item" outputCollection="opinions" outputElement="=opinion"/>"#,
            )
            + more
            + "</multiInstanceLoopCharacteristics>"),
    );
    file(&(one("startEvent", "s") + &task + &users("c") + &flows("s>a a>c")))
}

fn offices(names: &[&str]) -> Variables {
    Variables::of([("offices", Value::list(names.iter().map(|name| Value::text(name)).collect()).expect("a short list"))])
}

#[test]
fn a_repetition_in_parallel_collects_in_order() {
    let mut case = Case::with(World::of(&repeated(false, "")), &offices(&["x", "y"]));
    assert_eq!(case.trace(), "s +a +a +a");
    let work = case.instance.work(&case.world);
    assert_eq!(work.iter().map(|work| work.groups.join(",")).collect::<Vec<_>>(), ["x", "y"]);
    // The second is done first.
    let (instance, _) =
        case.instance.complete(&case.world, work[1].number, &numbers([("opinion", 2)]), 0, 1_000_000).expect("done");
    case.instance = instance;
    assert_eq!(case.done_with("a", &numbers([("opinion", 1)])).trace(), "-a -a +c");
    assert_eq!(case.variable("opinions"), "[1, 2]");
    assert_eq!(case.variable("opinion"), "null");
}

#[test]
fn a_repetition_in_sequence_goes_one_by_one() {
    let mut case = Case::with(World::of(&repeated(true, "")), &offices(&["x", "y"]));
    assert_eq!(case.trace(), "s +a +a");
    assert_eq!(case.done_with("a", &numbers([("opinion", 1)])).trace(), "-a +a");
    assert_eq!(case.done_with("a", &numbers([("opinion", 2)])).trace(), "-a -a +c");
    assert_eq!(case.variable("opinions"), "[1, 2]");
}

#[test]
fn a_repetition_may_end_early_and_has_a_bound() {
    let until = "<completionCondition>=opinion = 0</completionCondition>";
    let mut case = Case::with(World::of(&repeated(false, until)), &offices(&["x", "y", "z"]));
    assert_eq!(case.done_with("a", &numbers([("opinion", 0)])).trace(), "-a xa xa -a +c");
    assert_eq!(case.variable("opinions"), "[0, null, null]");
    let begin = |names: &[&str]| Case::try_with(World::of(&repeated(false, "")), "p", None, &offices(names));
    assert_eq!(begin(&["1", "2", "3", "4"]).err(), Some(Fault::Loop));
    assert_eq!(begin(&[]).expect("nothing to do").trace(), "s +a -a +c");
    assert_eq!(
        Case::try_with(World::of(&repeated(false, "")), "p", None, &numbers([("offices", 1)])).err(),
        Some(Fault::Loop)
    );
}

#[test]
fn a_repeated_sub_process_runs_its_inside_for_each() {
    let inner = one("startEvent", "is") + &users("a") + &one("endEvent", "ie") + &flows("is>a a>ie");
    let loops = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>";
    let source = file(
        &(one("startEvent", "s")
            + &with("subProcess", "sub", &(loops.to_owned() + &inner))
            + &boundary("edge", "sub", true, &duration("PT1H"))
            + &users("c late")
            + &flows("s>sub sub>c edge>late")),
    );
    let mut case = Case::new(&source);
    assert_eq!(case.trace(), "s +sub +sub +sub is is +a +a");
    assert_eq!(case.done("a").trace(), "-a ie -sub");
    assert_eq!(case.done("a").trace(), "-a ie -sub -sub +c");
    assert_eq!(Case::new(&source).hours(1).trace(), "xa xa xsub xsub xsub edge +late");
}
