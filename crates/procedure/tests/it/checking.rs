//! What is refused before deployment, and what is not.

use crate::support::{boundary, duration, extension, file, flow_if, flows, one, parse, users, with};
use zhulian_procedure::{Reason, check};

fn reasons(inner: &str) -> Vec<(Reason, String)> {
    let process = parse(&file(inner)).processes.remove(0);
    check(&process).err().unwrap_or_default().into_iter().map(|refusal| (refusal.reason, refusal.element)).collect()
}

fn refuses(inner: &str, reason: Reason, element: &str) {
    let found = reasons(inner);
    assert!(found.contains(&(reason, element.to_owned())), "{reason:?} {element}: {found:?}");
}

fn ends() -> String {
    one("startEvent", "s") + &one("endEvent", "e")
}

fn declared(properties: &str) -> String {
    let list: String = properties
        .split(';')
        .map(|pair| pair.split_once('=').expect("name=value"))
        .map(|(name, value)| format!(r#"<zeebe:property name="{name}" value="{value}"/>"#))
        .collect();
    extension(&format!("<zeebe:properties>{list}</zeebe:properties>"))
}

#[test]
fn a_sound_procedure_passes() {
    let around = declared("variable:amount=number;variable:income=commitment;material:deed=licence:deed")
        + &ends()
        + r#"<exclusiveGateway id="g" default="g-b"/>"#
        + &users("a b b2 c late")
        + &one("parallelGateway", "split")
        + &one("parallelGateway", "join")
        + &boundary("edge", "c", true, &duration("P5D"))
        + &flow_if("g", "a", "= amount > 10")
        + &flows("s>g g>b a>split split>b2 split>c b2>join join>e b>e edge>late");
    // The late way takes the place of the work it ended: one of both comes to the join.
    let merged = around.clone() + &one("exclusiveGateway", "m") + &flows("c>m late>m m>join");
    let process = parse(&file(&merged)).processes.remove(0);
    let explored = check(&process).unwrap_or_else(|refusals| panic!("{refusals:#?}"));
    assert!(explored.states > 10 && explored.steps >= explored.states, "{explored:?}");
    // Were the join to wait for both of them, it would wait for ever.
    refuses(&(around + &flows("c>join late>join")), Reason::Deadlock, "join");
}

#[test]
fn a_join_that_waits_for_ever_is_named() {
    let stuck = ends()
        + r#"<exclusiveGateway id="g" default="g-b"/>"#
        + &users("a b")
        + &one("parallelGateway", "join")
        + &flow_if("g", "a", "= true")
        + &flows("s>g g>b a>join b>join join>e");
    refuses(&stuck, Reason::Deadlock, "join");
    // Inside of a sub-process, although a timer would end it.
    let inner = one("startEvent", "is")
        + r#"<exclusiveGateway id="g" default="g-b"/>"#
        + &users("a b")
        + &one("parallelGateway", "join")
        + &one("endEvent", "ie")
        + &flow_if("g", "a", "= true")
        + &flows("is>g g>b a>join b>join join>ie");
    let hidden = ends()
        + &with("subProcess", "sub", &inner)
        + &boundary("t", "sub", true, &duration("P1D"))
        + &flows("s>sub sub>e t>e");
    refuses(&hidden, Reason::Deadlock, "join");
}

#[test]
fn a_join_reached_twice_and_work_done_twice_are_named() {
    let twice = ends()
        + &users("a b c")
        + &one("parallelGateway", "split")
        + &one("exclusiveGateway", "merge")
        + &one("parallelGateway", "join")
        + &flows("s>split split>a split>b split>c a>merge b>merge merge>join c>join join>e");
    refuses(&twice, Reason::UnsafeJoin, "join");
    let work = ends() + &users("a b c") + &one("parallelGateway", "split") + &flows("s>split split>a split>b a>c b>c c>e");
    refuses(&work, Reason::TwoTokens, "c");
}

#[test]
fn what_is_never_reached_is_named() {
    let dead = ends() + &users("a x") + &one("endEvent", "e2") + &flows("s>a a>e x>e2");
    refuses(&dead, Reason::DeadElement, "x");
    refuses(&dead, Reason::UnreachableEnd, "e2");
    let endless = ends() + &users("a b") + &flows("s>a a>b b>a");
    refuses(&endless, Reason::UnreachableEnd, "e");
    let trap = ends()
        + r#"<exclusiveGateway id="g" default="g-a"/><exclusiveGateway id="m"/>"#
        + &users("a b")
        + &flow_if("g", "m", "= true")
        + &flows("s>g g>a a>e m>b b>m");
    refuses(&trap, Reason::NoWayOut, "b");
    let unused = ends()
        + &users("a")
        + &one("task", "t")
        + &boundary("edge", "t", true, &duration("P1D"))
        + &flows("s>a a>t t>e edge>e");
    refuses(&unused, Reason::DeadElement, "edge");
}

#[test]
fn nobody_responsible_nothing_called_no_source() {
    refuses(&(ends() + &one("userTask", "a") + &flows("s>a a>e")), Reason::NoDutyHolder, "a");
    refuses(&(ends() + &one("manualTask", "a") + &flows("s>a a>e")), Reason::NoDutyHolder, "a");
    refuses(&(ends() + &one("serviceTask", "a") + &flows("s>a a>e")), Reason::NothingCalled, "a");
    refuses(&(ends() + &one("callActivity", "a") + &flows("s>a a>e")), Reason::NothingCalled, "a");
    refuses(&(declared("material:deed=") + &ends() + &flows("s>e")), Reason::NoSource, "p");
    refuses(&(declared("material:deed=somewhere") + &ends() + &flows("s>e")), Reason::NoSource, "p");
    assert_eq!(reasons(&(declared("material:deed=applicant") + &ends() + &flows("s>e"))), []);
}

#[test]
fn conditions_must_be_decidable() {
    let choice = |condition: &str| {
        declared("variable:amount=number")
            + &ends()
            + r#"<exclusiveGateway id="g" default="g-e"/>"#
            + &users("a")
            + &flow_if("g", "a", condition)
            + &flows("s>g g>e a>e")
    };
    assert_eq!(reasons(&choice("= amount > 10")), []);
    refuses(&choice("= amout > 10"), Reason::Expression, "g-a");
    refuses(&choice("= amount > \"10\""), Reason::Expression, "g-a");
    refuses(&choice("= today() > date(\"2026-01-01\")"), Reason::Expression, "g-a");
    refuses(&choice("= amount >"), Reason::Expression, "g-a");
    refuses(&choice("${amount > 10}"), Reason::ForeignExpression, "g-a");
    let open = ends() + &one("exclusiveGateway", "g") + &users("a b") + &flows("s>g g>a g>b a>e b>e");
    refuses(&open, Reason::NoCondition, "g-a");
    refuses(&(declared("variable:amount=money") + &ends() + &flows("s>e")), Reason::Expression, "p");
}

#[test]
fn starts_times_and_repetitions_must_be_clear() {
    refuses(&(users("a") + &one("endEvent", "e") + &flows("a>e")), Reason::Start, "p");
    refuses(&(ends() + &one("startEvent", "s2") + &flows("s>e s2>e")), Reason::Start, "p");
    refuses(&(ends() + &with("subProcess", "sub", &users("a")) + &flows("s>sub sub>e")), Reason::Start, "sub");
    let timed = |text: &str| ends() + &with("intermediateCatchEvent", "t", &duration(text)) + &flows("s>t t>e");
    assert_eq!(reasons(&timed("P2W")), []);
    refuses(&timed("5 days"), Reason::Timer, "t");
    refuses(&timed(""), Reason::Timer, "t");
    let cycle = "<timerEventDefinition><timeCycle>R3/P1D</timeCycle></timerEventDefinition>";
    refuses(&(ends() + &with("intermediateCatchEvent", "t", cycle) + &flows("s>t t>e")), Reason::Timer, "t");
    let repeated =
        extension(r#"<zeebe:assignmentDefinition candidateGroups="office"/>"#) + "<multiInstanceLoopCharacteristics/>";
    refuses(&(ends() + &with("userTask", "a", &repeated) + &flows("s>a a>e")), Reason::Loop, "a");
}

#[test]
fn reminders_may_run_beside_the_work() {
    let inner = ends()
        + &users("a remind")
        + &boundary("edge", "a", false, &duration("P1D"))
        + &one("endEvent", "e2")
        + &flows("s>a a>e edge>remind remind>e2");
    assert_eq!(reasons(&inner), []);
}

#[test]
fn states_beyond_the_bound_are_refused() {
    let ways = |n: usize| {
        let ids: Vec<String> = (0..n).map(|i| format!("w{i}")).collect();
        let lines: String = ids.iter().map(|id| flows(&format!("split>{id} {id}>join"))).collect();
        ends()
            + &users(&ids.join(" "))
            + &one("parallelGateway", "split")
            + &one("parallelGateway", "join")
            + &lines
            + &flows("s>split join>e")
    };
    assert_eq!(reasons(&ways(10)), []);
    refuses(&ways(20), Reason::TooManyStates, "p");
}
