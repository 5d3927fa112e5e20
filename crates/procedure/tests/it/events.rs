//! Expected traces of timers, messages and errors.

use crate::support::{Case, World, boundary, duration, extension, file, flows, numbers, one, users, with};
use zhulian_procedure::{Fault, Variables};

fn timer_at_the_edge(interrupting: bool, timer: &str) -> String {
    file(
        &(one("startEvent", "s")
            + &users("a late")
            + &boundary("edge", "a", interrupting, timer)
            + &one("endEvent", "e")
            + &flows("s>a a>e edge>late late>e")),
    )
}

#[test]
fn a_timer_at_the_edge_takes_the_work_away() {
    let mut case = Case::new(&timer_at_the_edge(true, &duration("PT2H")));
    assert_eq!(case.instance.next_due(), Some(case.now + 7_200_000));
    assert_eq!(case.hours(1).trace(), "");
    assert_eq!(case.hours(1).trace(), "xa edge +late");
    assert_eq!((case.work(), case.instance.next_due()), ("late".into(), None));
    let mut in_time = Case::new(&timer_at_the_edge(true, &duration("PT2H")));
    assert_eq!(in_time.done("a").trace(), "-a e");
    assert_eq!(in_time.instance.next_due(), None);
}

#[test]
fn a_timer_that_does_not_interrupt_reminds() {
    let mut case = Case::new(&timer_at_the_edge(false, &duration("PT2H")));
    assert_eq!(case.hours(2).trace(), "edge +late");
    assert_eq!(case.work(), "a late");
    assert_eq!(case.done("a").trace(), "-a e");
    assert_eq!(case.done("late").trace(), "-late e");
    assert!(case.is_over());
}

#[test]
fn a_cycle_reminds_so_many_times() {
    let cycle = "<timerEventDefinition><timeCycle>R3/PT1H</timeCycle></timerEventDefinition>";
    let mut case = Case::new(&timer_at_the_edge(false, cycle));
    assert_eq!(case.hours(1).trace(), "edge +late");
    assert_eq!(case.hours(5).trace(), "edge +late edge +late");
    assert_eq!(case.hours(100).trace(), "");
}

#[test]
fn working_days_are_the_host_s() {
    let properties = extension(r#"<zeebe:properties><zeebe:property name="unit" value="workday"/></zeebe:properties>"#);
    let mut case = Case::new(&timer_at_the_edge(true, &(properties + &duration("P5D"))));
    assert_eq!(case.hours(24 * 9).trace(), "");
    assert_eq!(case.hours(24).trace(), "xa edge +late");
}

#[test]
fn dates_and_lengths_may_be_expressions() {
    let date = "<timerEventDefinition><timeDate>=deadline</timeDate></timerEventDefinition>";
    let deadline = |text: &str| Variables::of([("deadline", zhulian_rules::Value::text(text))]);
    let source = timer_at_the_edge(true, date);
    let case = Case::with(World::of(&source), &deadline("2026-01-05"));
    // Midnight in China.
    assert_eq!(case.instance.next_due(), Some(1_767_542_400_000));
    let wrong = Case::try_with(World::of(&source), "p", None, &deadline("soon"));
    assert_eq!(wrong.err(), Some(Fault::Timer));
    let months = timer_at_the_edge(true, &duration("=duration(\"P1M\")"));
    // 2026-01-01 12:00 in China to 2026-02-01 12:00 in China.
    assert_eq!(Case::new(&months).instance.next_due(), Some(1_767_240_000_000 + 31 * 86_400_000));
}

#[test]
fn what_happens_first_decides() {
    let source = file(
        &(one("startEvent", "s")
            + &one("eventBasedGateway", "g")
            + &with("intermediateCatchEvent", "answer", r#"<messageEventDefinition/>"#)
            + &one("receiveTask", "withdrawal")
            + &with("intermediateCatchEvent", "silence", &duration("P3D"))
            + &users("a b c")
            + &flows("s>g g>answer g>withdrawal g>silence answer>a withdrawal>b silence>c")),
    );
    let mut answered = Case::new(&source);
    assert_eq!(answered.trace(), "s g");
    assert_eq!(answered.instance.awaited(&answered.world), ["answer", "withdrawal"]);
    assert_eq!(answered.message("answer").trace(), "answer +a");
    assert_eq!(answered.instance.next_due(), None);
    assert_eq!(answered.try_message("withdrawal", &Variables::default()), Err(Fault::NobodyWaits));
    assert_eq!(Case::new(&source).message("withdrawal").trace(), "withdrawal +b");
    assert_eq!(Case::new(&source).hours(72).trace(), "silence +c");
}

#[test]
fn a_message_carries_values_in() {
    let receive = with(
        "receiveTask",
        "r",
        &extension(r#"<zeebe:ioMapping><zeebe:output source="=amount * 2" target="double"/></zeebe:ioMapping>"#),
    );
    let source = file(&(one("startEvent", "s") + &receive + &one("endEvent", "e") + &flows("s>r r>e")));
    let case = Case::new(&source);
    let (instance, report) = case.try_message("r", &numbers([("amount", 21)])).expect("it is awaited");
    assert_eq!(crate::support::line(&report.trace), "-r e");
    assert_eq!(*instance.variables(), numbers([("double", 42)]));
}

#[test]
fn a_message_start_begins_its_own_way() {
    let source = file(
        &(one("startEvent", "s")
            + &with("startEvent", "m", "<messageEventDefinition/>")
            + &users("a b")
            + &flows("s>a m>b")),
    );
    let begin = |message| Case::try_with(World::of(&source), "p", message, &Variables::default());
    assert_eq!(begin(None).expect("starts").trace(), "s +a");
    assert_eq!(begin(Some("m")).expect("starts").trace(), "m +b");
    assert_eq!(begin(Some("x")).err(), Some(Fault::NoProcedure));
}

#[test]
fn an_error_goes_to_the_nearest_event_that_waits_for_it() {
    let caught = |code: &str| format!(r#"<errorEventDefinition errorRef="{code}"/>"#);
    let inner = one("startEvent", "is") + &users("a") + &one("endEvent", "ie") + &flows("is>a a>ie");
    let source = file(
        &(one("startEvent", "s")
            + &with(
                "subProcess",
                "sub",
                &(inner
                    + &boundary("inner", "a", true, &caught("small")).replace("</process>", "")
                    + &users("fix")
                    + &flows("inner>fix")),
            )
            + &boundary("outer", "sub", true, &caught("big"))
            + &boundary("any", "sub", true, "<errorEventDefinition/>")
            + &users("b c d")
            + &flows("s>sub sub>b outer>c any>d")),
    );
    assert_eq!(Case::new(&source).fail("a", "small").trace(), "xa inner +fix");
    assert_eq!(Case::new(&source).fail("a", "big").trace(), "xa xsub outer +c");
    assert_eq!(Case::new(&source).fail("a", "other").trace(), "xa xsub any +d");
}

#[test]
fn a_message_at_the_edge_may_leave_the_work_going() {
    let source = |interrupting| {
        file(
            &(one("startEvent", "s")
                + &users("a b")
                + &boundary("edge", "a", interrupting, "<messageEventDefinition/>")
                + &flows("s>a edge>b")),
        )
    };
    assert_eq!(Case::new(&source(true)).message("edge").trace(), "xa edge +b");
    let mut case = Case::new(&source(false));
    assert_eq!(case.message("edge").trace(), "edge +b");
    assert_eq!(case.message("edge").work(), "a b b");
}
