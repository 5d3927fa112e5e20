//! B3: mutated files end in a process or a refusal, and what is read can be checked and played.

#![allow(clippy::disallowed_methods, reason = "a test looks at how long something takes; the crate itself has no clock")]

use crate::support::{boundary, duration, extension, file, flow_if, flows, one, users, with};
use std::time::{Duration, Instant};
use zhulian_procedure::value::Wire;
use zhulian_procedure::{Definitions, check, simulate};
use zhulian_rules::Value;

/// A file with something of everything.
pub fn rich() -> String {
    let rule =
        with("businessRuleTask", "r", &extension(r#"<zeebe:calledDecision decisionId="aid" resultVariable="level"/>"#));
    let loops = r#"<multiInstanceLoopCharacteristics isSequential="true"><extensionElements><zeebe:loopCharacteristics inputCollection="=list" inputElement="x"/></extensionElements></multiInstanceLoopCharacteristics>"#;
    let inner = one("startEvent", "is") + &users("ia") + &one("endEvent", "ie") + &flows("is>ia ia>ie");
    file(
        &(extension(
            r#"<zeebe:properties><zeebe:property name="variable:n" value="number"/><zeebe:property name="variable:list" value="list"/><zeebe:property name="material:deed" value="applicant"/></zeebe:properties>"#,
        ) + &one("startEvent", "s")
            + &users("a b")
            + &rule
            + &with("userTask", "m", &(extension(r#"<zeebe:assignmentDefinition candidateGroups="=x"/>"#) + loops))
            + r#"<exclusiveGateway id="g" default="g-b"/><parallelGateway id="split"/><parallelGateway id="join"/><eventBasedGateway id="ev"/>"#
            + &with("intermediateCatchEvent", "t", &duration("PT1H"))
            + &one("receiveTask", "msg")
            + &with("subProcess", "sub", &inner)
            + &boundary("edge", "sub", true, "<errorEventDefinition/>")
            + &boundary("remind", "a", false, "<timerEventDefinition><timeCycle>R3/P1D</timeCycle></timerEventDefinition>")
            + &with("endEvent", "e", "<terminateEventDefinition/>")
            + &flow_if("g", "split", "= n > 1")
            + &flows("s>a a>r r>m m>g g>b b>ev ev>t ev>msg t>e msg>e split>sub split>join sub>join edge>e join>e remind>e")),
    )
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// Changes a text at random: bytes, pieces, words that mean something.
fn mutate(source: &str, dice: &mut Dice) -> String {
    const WORDS: [&str; 22] = [
        "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>",
        "&b;&b;&b;",
        "<subProcess id=\"deep\">",
        "<multiInstanceLoopCharacteristics><loopCardinality>999999999</loopCardinality></multiInstanceLoopCharacteristics>",
        "R100/PT0.000001S",
        "=for a in 1..99999999 return a ** 99999999",
        "<task id=\"z\"/>",
        "</process>",
        "sourceRef=\"a\"",
        "targetRef=\"s\"",
        "id=\"a\"",
        "attachedToRef=\"sub\"",
        "&lt;",
        "&#0;",
        "<![CDATA[",
        "R99/P1D",
        "=1/0",
        "triggeredByEvent=\"true\"",
        "parallelGateway",
        "exclusiveGateway",
        "P999999999999999D",
        "\u{10ffff}",
    ];
    let mut text: Vec<char> = source.chars().collect();
    for _ in 0..=dice.below(2) {
        let at = dice.below(text.len());
        match dice.below(12) {
            0 => text[at] = char::from_u32(dice.below(0x250) as u32).unwrap_or('x'),
            1 => drop(text.drain(at..(at + 1 + dice.below(40)).min(text.len()))),
            2 => {
                let piece: Vec<char> = text[at..(at + 1 + dice.below(80)).min(text.len())].to_vec();
                let to = dice.below(text.len());
                text.splice(to..to, piece);
            }
            3 => drop(text.splice(at..at, WORDS[dice.below(WORDS.len())].chars())),
            4..=10 => {
                // One identifier for another.
                let quotes: Vec<usize> = text.iter().enumerate().filter(|(_, c)| **c == '"').map(|(i, _)| i).collect();
                let pick = |dice: &mut Dice| {
                    let n = dice.below(quotes.len().saturating_sub(1));
                    quotes.get(n).zip(quotes.get(n + 1)).map(|(a, b)| (*a, *b))
                };
                if let (Some((a, b)), Some((c, d))) = (pick(dice), pick(dice)) {
                    let piece: Vec<char> = text[c..d].to_vec();
                    text.splice(a..b, piece);
                }
            }
            _ => text.truncate(at.max(1)),
        }
        if text.is_empty() {
            break;
        }
    }
    text.into_iter().collect()
}

fn survive(count: usize, seconds: u64, seed: u64) -> (usize, usize, usize) {
    let (source, mut dice) = (rich(), Dice(seed));
    let begun = Instant::now();
    let (mut read, mut passed, mut done) = (0, 0, 0);
    while done < count && begun.elapsed() < Duration::from_secs(seconds) {
        done += 1;
        let mutant = mutate(&source, &mut dice);
        let one = Instant::now();
        if let Ok(definitions) = Definitions::parse(&mutant) {
            read += 1;
            for process in &definitions.processes {
                passed += usize::from(check(process).is_ok());
                let _ = simulate::play(&definitions, &process.id, dice.0, 50);
            }
        }
        assert!(one.elapsed() < Duration::from_secs(20), "slow: {mutant}");
    }
    (done, read, passed)
}

#[test]
fn the_file_itself_is_sound() {
    let definitions = Definitions::parse(&rich()).expect("it reads");
    let refusals = check(&definitions.processes[0]).err().unwrap_or_default();
    let found: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    assert_eq!(found, [] as [&str; 0]);
}

#[test]
fn mutated_files_are_read_or_refused() {
    let (done, read, passed) = survive(1_500, 60, 0x5eed_1234_5678_9abc);
    println!("{done} mutated files: {read} read, {passed} sound, the others refused");
    assert!(read > 50 && read < done, "the mutations are too wild or too tame: {read} of {done}");
}

#[test]
fn files_made_to_stop_a_node_are_refused_soon() {
    let begun = Instant::now();
    let attributes: String = (0..100_000).map(|i| format!(" a{i}=''")).collect();
    let prefixes: String = (0..5_000).map(|i| format!(" xmlns:a{i}='{i}'")).collect();
    let children = "<x xmlns:q='q'/>".repeat(50_000);
    for bomb in [
        file(&"<task id='a' x='/>'>".repeat(15_000)),
        file(&"<task id='a'><?x </task>?>".repeat(15_000)),
        format!("<definitions{attributes}/>"),
        format!("<definitions{prefixes}>{children}</definitions>"),
    ] {
        let refusals = Definitions::parse(&bomb).expect_err("a bomb");
        assert_eq!(refusals[0].reason, zhulian_procedure::Reason::Xml);
    }
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
}

/// How many mutants a long run makes; `ZHULIAN_MUTANTS` is a share of it in per cent, for a machine that has less time.
fn long(whole: usize) -> usize {
    let share = std::env::var("ZHULIAN_MUTANTS").ok().and_then(|text| text.parse::<usize>().ok()).unwrap_or(100);
    whole / 100 * share.clamp(1, 100)
}

/// The long run: `make fuzz`.
#[test]
#[ignore = "long"]
fn fuzz_a_hundred_thousand_files() {
    let (done, read, passed) = survive(long(100_000), 6 * 3_600, 0x5eed_0000_0000_0005);
    println!("{done} mutated files: {read} read, {passed} sound, the others refused");
    assert_eq!(done, long(100_000), "the time was over before all were tried");
}

/// Where no event begins a procedure, whatever no flow leads to would: two to the fortieth combinations here, by a file of a few KB.
#[test]
fn what_begins_nowhere_is_refused_before_it_is_explored() {
    let gateways: String = (0..40)
        .map(|at| {
            format!(r#"<exclusiveGateway id="g{at}" default="g{at}-a{at}"/>"#)
                + &one("endEvent", &format!("a{at}"))
                + &one("endEvent", &format!("b{at}"))
                + &flows(&format!("g{at}>a{at}"))
                + &flow_if(&format!("g{at}"), &format!("b{at}"), "= 1 > 2")
        })
        .collect();
    let inside =
        one("startEvent", "s") + &with("subProcess", "sub", &gateways) + &one("endEvent", "e") + &flows("s>sub sub>e");
    for file in [file(&gateways), file(&inside)] {
        let process = Definitions::parse(&file).expect("read").processes.remove(0);
        let begun = Instant::now();
        let refusals = check(&process).expect_err("nothing begins it");
        assert!(refusals.iter().any(|refusal| refusal.reason == zhulian_procedure::Reason::Start), "{refusals:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

/// A value whose parts are shared is a billion parts when they are told apart: it is not stored, and nothing is spent on it.
#[test]
fn what_is_shared_a_million_times_is_not_stored() {
    let mut value = Value::from_canonical("1").expect("a number");
    for _ in 0..8 {
        value = Value::list(vec![value; 1_000]).expect("a list");
    }
    assert!(Wire::of(&value).is_none());
    let list = |parts| Value::list(vec![Value::Null; parts]).expect("a list");
    assert!(Wire::of(&list(16_383)).is_some() && Wire::of(&list(16_384)).is_none());
}
