//! Expected traces of tasks, gateways and conditions.

use crate::support::{Case, World, extension, file, flow_if, flows, numbers, one, users, with};
use zhulian_procedure::{Fault, Status, Variables};
use zhulian_rules::Value;

#[test]
fn one_thing_after_another() {
    let source = file(
        &(one("startEvent", "s") + &users("a b") + &one("task", "t") + &one("endEvent", "e") + &flows("s>a a>t t>b b>e")),
    );
    let mut case = Case::new(&source);
    assert_eq!(case.trace(), "s +a");
    assert_eq!(case.done("a").trace(), "-a +t -t +b");
    assert_eq!(case.done("b").trace(), "-b e");
    assert!(case.is_over());
    assert_eq!(case.instance.complete(&case.world, 2, &Variables::default(), 0, 1_000_000), Err(Fault::Ended));
}

#[test]
fn a_choice_takes_the_first_true_way_or_the_default() {
    let source = file(
        &(one("startEvent", "s")
            + r#"<exclusiveGateway id="g" default="g-c"/>"#
            + &users("a b c")
            + &one("endEvent", "e")
            + &flow_if("g", "a", "= amount >= 1000")
            + &flow_if("g", "b", "= amount >= 100")
            + &flows("s>g g>c a>e b>e c>e")),
    );
    for (amount, way) in [(5000, "a"), (1000, "a"), (500, "b"), (7, "c")] {
        let case = Case::with(World::of(&source), &numbers([("amount", amount)]));
        assert_eq!(case.trace(), format!("s g +{way}"));
    }
    let unknown = Case::try_with(World::of(&source), "p", None, &Variables::default());
    assert_eq!(unknown.err(), Some(Fault::Expression), "an unknown amount does not decide");
}

#[test]
fn without_a_true_way_and_without_a_default_nothing_moves() {
    let source = file(
        &(one("startEvent", "s")
            + &users("first")
            + &one("exclusiveGateway", "g")
            + &users("a b")
            + &flow_if("g", "a", "= n = 1")
            + &flow_if("g", "b", "= n = 2")
            + &flows("s>first first>g")),
    );
    let case = Case::new(&source);
    let before = case.instance.clone();
    assert_eq!(case.try_done("first", &numbers([("n", 3)])), Err(Fault::NoWay));
    assert_eq!(case.instance, before);
    assert!(case.try_done("first", &numbers([("n", 2)])).is_ok());
}

#[test]
fn parallel_ways_meet_again() {
    let source = file(
        &(one("startEvent", "s")
            + &one("parallelGateway", "split")
            + &users("a b c")
            + &one("parallelGateway", "join")
            + &one("endEvent", "e")
            + &flows("s>split split>a split>b split>c a>join b>join c>join join>e")),
    );
    let mut case = Case::new(&source);
    assert_eq!(case.trace(), "s split +a +b +c");
    assert_eq!(case.done("b").trace(), "-b");
    assert_eq!(case.done("a").trace(), "-a");
    assert_eq!(case.work(), "c");
    assert_eq!(case.done("c").trace(), "-c join e");
    assert!(case.is_over());
}

#[test]
fn a_join_that_can_never_be_complete_is_a_fault() {
    let source = file(
        &(one("startEvent", "s")
            + r#"<exclusiveGateway id="g" default="g-b"/>"#
            + &users("a b")
            + &one("parallelGateway", "join")
            + &one("endEvent", "e")
            + &flow_if("g", "a", "= n = 1")
            + &flows("s>g g>b a>join b>join join>e")),
    );
    let case = Case::with(World::of(&source), &numbers([("n", 1)]));
    assert_eq!(case.try_done("a", &Variables::default()), Err(Fault::Stuck));
}

#[test]
fn several_ways_out_of_a_task_are_all_taken_or_those_that_hold() {
    let all = file(&(one("startEvent", "s") + &users("a b c") + &flows("s>a a>b a>c")));
    assert_eq!(Case::new(&all).done("a").trace(), "-a +b +c");
    let conditional = file(
        &(one("startEvent", "s")
            + r#"<userTask id="a" default="a-d"/>"#
            + &users("b c d")
            + &flow_if("a", "b", "= n > 1")
            + &flow_if("a", "c", "= n > 2")
            + &flows("s>a a>d")),
    );
    for (n, ways) in [(3, "+b +c"), (2, "+b"), (1, "+d")] {
        let mut case = Case::new(&conditional);
        assert_eq!(case.done_with("a", &numbers([("n", n)])).trace(), format!("-a {ways}"));
    }
}

#[test]
fn an_end_of_all_ends_the_other_ways() {
    let source = file(
        &(one("startEvent", "s")
            + &users("a b")
            + &with("endEvent", "stop", "<terminateEventDefinition/>")
            + &one("endEvent", "e")
            + &flows("s>a s>b a>stop b>e")),
    );
    let mut case = Case::new(&source);
    assert_eq!(case.done("a").trace(), "-a stop xb");
    assert!(case.is_over());
}

#[test]
fn mappings_go_in_and_out() {
    let task = with(
        "userTask",
        "a",
        &extension(
            r#"<zeebe:ioMapping><zeebe:input source="=income / 12" target="monthly"/>
            <zeebe:output source="=monthly > 100" target="rich"/><zeebe:output source="=grade" target="person.grade"/></zeebe:ioMapping>"#,
        ),
    );
    let source = file(&(one("startEvent", "s") + &task + &one("endEvent", "e") + &flows("s>a a>e")));
    let mut case = Case::with(World::of(&source), &numbers([("income", 2400)]));
    let work = &case.instance.work(&case.world)[0];
    assert_eq!(work.variables, numbers([("monthly", 200)]));
    case.done_with("a", &numbers([("grade", 3), ("secret", 9)]));
    assert!(case.is_over());
    assert_eq!(
        (case.variable("rich"), case.variable("person"), case.variable("secret")),
        ("true".into(), "{grade: 3}".into(), "null".into())
    );
}

#[test]
fn a_decision_is_taken_at_once_and_named() {
    let rule =
        with("businessRuleTask", "r", &extension(r#"<zeebe:calledDecision decisionId="aid" resultVariable="level"/>"#));
    let source = file(&(one("startEvent", "s") + &rule + &users("a") + &flows("s>r r>a")));
    let mut world = World::of(&source);
    assert_eq!(Case::try_with(World::of(&source), "p", None, &Variables::default()).err(), Some(Fault::NoDecision));
    world.decisions.insert("aid".into(), Value::text("full"));
    let case = Case::with(world, &Variables::default());
    assert_eq!(case.trace(), "s +r -r +a");
    assert_eq!(case.variable("level"), "\"full\"");
    let taken = &case.last.decisions[0];
    assert_eq!((taken.element.as_str(), taken.version.as_str(), taken.hits.join(" ")), ("r", "aid@1", "0.1".into()));
}

#[test]
fn messages_are_sent_and_jobs_wait() {
    let job = with(
        "serviceTask",
        "j",
        &extension(
            r#"<zeebe:taskDefinition type="chain:issue"/><zeebe:properties><zeebe:property name="organisation" value="bureau"/></zeebe:properties>"#,
        ),
    );
    let source = file(
        &(one("startEvent", "s")
            + &one("sendTask", "notify")
            + &with("intermediateThrowEvent", "tell", "<messageEventDefinition/>")
            + &job
            + &with("endEvent", "e", "<messageEventDefinition/>")
            + &flows("s>notify notify>tell tell>j j>e")),
    );
    let mut case = Case::new(&source);
    assert_eq!((case.trace(), case.last.sent.join(" ")), ("s notify tell +j".into(), "notify tell".into()));
    let work = &case.instance.work(&case.world)[0];
    assert_eq!((work.job.as_deref(), work.groups.join(" "), work.by_person), (Some("chain:issue"), "bureau".into(), false));
    assert_eq!(case.done("j").last.sent, ["e"]);
}

#[test]
fn an_uncaught_error_fails_the_case() {
    let error = with("endEvent", "e", r#"<errorEventDefinition errorRef="err"/>"#);
    let source = crate::support::definitions(&format!(
        r#"<error id="err" errorCode="denied"/><process id="p">{}</process>"#,
        one("startEvent", "s") + &users("a b") + &error + &flows("s>a s>b a>e")
    ));
    let mut case = Case::new(&source);
    assert_eq!(case.done("a").trace(), "-a e !e");
    assert_eq!(*case.instance.status(), Status::Failed("denied".into()));
    assert_eq!(case.work(), "");
}

#[test]
fn gas_bounds_an_endless_loop() {
    let source = file(
        &(one("startEvent", "s")
            + r#"<exclusiveGateway id="g" default="g-t"/>"#
            + &one("task", "t")
            + &one("endEvent", "e")
            + &flow_if("g", "e", "= false")
            + &flows("s>g g>t t>g")),
    );
    assert_eq!(Case::try_with(World::of(&source), "p", None, &Variables::default()).err(), Some(Fault::OutOfGas));
}
