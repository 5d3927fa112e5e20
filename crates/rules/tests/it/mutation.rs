//! Seeded mutations of expressions and files never panic, hang or cost nothing: a slice in every run of the tests, a million
//! expressions and a hundred thousand files in `make fuzz`.

use crate::support::{expression, table};
use std::time::Instant;
use zhulian_rules::{Fault, Model, Profile};

/// Gas of one mutant; with it no mutant can run long.
const GAS: u64 = 50_000;

/// Marsaglia's xorshift: the same mutants every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

const SEEDS: [&str; 24] = [
    "if a > 1 then [1, 2, 3][item > b] else {a: 1, b: \"x\"}.b",
    "for i in 1..10, j in [1..3] return i * j ** 2 - partial[-1]",
    "some x in [1, 2], y in {a: 1} satisfies x instance of list<number> and y between 1 and 2",
    "date and time(\"2026-11-22T09:30:00+08:00\") + duration(\"P1Y2M\") - @\"PT1H\"",
    "sort([{n: 3}, {n: 1}], function(x: Any, y: Any) x.n < y.n)",
    "1 in ([1..2), (< 5), [1, 2], ]3..4[, !=7)",
    "substring(\"\\uD83D\\uDCA9\\U01F40E\", -2, 1) + string join([\"a\", null], \",\")",
    "matches(\"abc\", \"[a-z-[b]]{1,3}\\\\s*\", \"ix\")",
    "replace(\"abracadabra\", \"(a)(.)\", \"$2$1\\\\$\", \"s\")",
    "number(\"1 000,5\", \" \", \",\") / 3 * 1e-6176 + 9.999e6144",
    "{f: function(g, n) if n = 0 then 0 else g(g, n - 1), r: f(f, 9)}.r",
    "context put({a: {b: 1}}, [\"a\", \"b\"], 2).a.b",
    "range(\"[1..3]\") = [1..3] and overlaps([1..5], (3..9])",
    "string(duration(\"-P1DT2H3M4.5S\")) = \"-P1DT2H3M4.5S\"",
    "flatten([[1, [2]], concatenate([3], [4])])[-1]",
    "every p in [1, 2, 3] satisfies odd(p) or even(p)",
    "modulo(-12.5, 5) + decimal(1.115, 2) + round half up(2.5, 0) + exp(log(2)) + 5 ** 2.55",
    "get value({\"a b\": 1}, \"a b\") + count(get entries({x: 1}))",
    "@\"2026-02-29\" = null or @\"24:00:00@Asia/Shanghai\".timezone = \"x\"",
    "min([@\"P1D\", @\"PT5H\"]) / @\"PT1H\"",
    "list replace([1, 2, 3], function(item, newItem) item < newItem, 2)",
    "years and months duration(date(\"2011-12-22\"), date(\"2013-08-24\"))",
    "// comment\n /* another */ \"a\" < \"b\"",
    "stddev([1, 2, 3.5]) + median(1, 2, 3) + mode([1, 1, 2])[1] + product([2, 3]) + mean(1, 2)",
];

const PIECES: [&str; 40] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "..",
    ".",
    "-",
    "+",
    "**",
    "/",
    "*",
    "<",
    ">=",
    "=",
    "!=",
    "\"",
    "\\u",
    "?",
    "@",
    "@\"",
    "if ",
    " then ",
    " else ",
    "for i in ",
    " return ",
    " in ",
    "not(",
    "null",
    "true",
    "9999999999999999999999",
    "1e9999",
    "function(a) ",
    " instance of ",
    " between ",
    " and ",
    "\u{1F40E}",
    "partial",
];

fn mutate(text: &str, random: &mut Random) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..1 + random.below(3) {
        let at = random.below(chars.len() + 1);
        match random.below(6) {
            0 if !chars.is_empty() => {
                chars.remove(at.min(chars.len() - 1));
            }
            1 => {
                let piece: Vec<char> = PIECES[random.below(PIECES.len())].chars().collect();
                chars.splice(at..at, piece);
            }
            2 => {
                let other: Vec<char> = SEEDS[random.below(SEEDS.len())].chars().collect();
                let from = random.below(other.len());
                let to = from + random.below(other.len() - from);
                chars.splice(at..at, other[from..to].to_vec());
            }
            3 if chars.len() > 1 => {
                let to = at + random.below(chars.len() - at.min(chars.len()) + 1);
                let copy = chars[at.min(to)..to.min(chars.len())].to_vec();
                chars.splice(at..at, copy);
            }
            4 if !chars.is_empty() => {
                let (a, b) = (at.saturating_sub(1), random.below(chars.len()));
                chars.swap(a, b);
            }
            _ => chars.insert(at, char::from_u32(random.below(0x3000) as u32).unwrap_or('x')),
        }
    }
    chars.into_iter().collect()
}

/// Milliseconds that one mutant may take at most. On a busy machine a run may be stopped for long; with the gas it has, nothing
/// that is metered comes near it.
const SLOW_MS: u128 = 10_000;

/// What a run met.
#[derive(Debug, Default)]
struct Met {
    mutants: usize,
    /// Compiled under the standard, and under the strict profile.
    compiled: [usize; 2],
    decided: usize,
    /// Decided, and nothing of it was a fault of syntax: the mutant is FEEL, and ran.
    ran: usize,
    halted: usize,
    gas_most: u64,
    value_most: usize,
    slowest_ms: u128,
    slowest: String,
}

fn run(source: &str, met: &mut Met) {
    let start = Instant::now();
    met.mutants += 1;
    for (place, profile) in [Profile::Standard, Profile::Strict].into_iter().enumerate() {
        let Ok(model) = Model::compile(&[source], profile) else { continue };
        met.compiled[place] += 1;
        let names: Vec<String> = model.decisions().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            let Ok(outcome) = model.decide(&name, &[], GAS) else {
                met.halted += 1;
                continue;
            };
            assert!(outcome.gas <= GAS);
            (met.decided, met.gas_most) = (met.decided + 1, met.gas_most.max(outcome.gas));
            met.ran += usize::from(!outcome.faults.contains(&Fault::Syntax));
            // Whatever is bought with that gas is no larger than it: growth is metered.
            if let Ok(text) = outcome.value.to_canonical(&mut zhulian_rules::gas::Gas::new(GAS)) {
                met.value_most = met.value_most.max(text.len());
                assert!(text.len() as u64 <= VALUE_PER_GAS * GAS, "{} bytes from {source}", text.len());
            }
        }
    }
    let took = start.elapsed().as_millis();
    if took > met.slowest_ms {
        (met.slowest_ms, met.slowest) = (took, source.chars().take(2_000).collect());
    }
    assert!(took < SLOW_MS, "a mutant took {took} ms: {source}");
}

/// Bytes of canonical text that a unit of gas may buy at most.
const VALUE_PER_GAS: u64 = 64;

fn expressions(count: usize, seed: u64) -> Met {
    let (mut random, mut met) = (Random(seed), Met::default());
    while met.mutants < 2 * count {
        let mut text = SEEDS[met.mutants / 2 % SEEDS.len()].to_owned();
        // Half of them are changed a little, so that many are still FEEL.
        for _ in 0..random.below(2) * random.below(3) {
            text = mutate(&text, &mut random);
        }
        text = mutate(&text, &mut random);
        let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
        run(&expression(&text), &mut met);
        run(&table("number", "UNIQUE", "", &[(&text, "1"), ("-", &text)]), &mut met);
    }
    met
}

/// Pieces that bombs are made of, put in at random.
const BOMBS: [&str; 15] = [
    "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>",
    "<!ENTITY x SYSTEM \"file:///etc/passwd\">",
    "&c;&c;&c;&c;",
    "<context><contextEntry>",
    "</contextEntry></context>",
    "<import importType=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" namespace=\"urn:self\" name=\"self\"/>",
    "<text>1e999999999 ** 999999999</text>",
    "<text>matches(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\", \"^((a+)+)+$\")</text>",
    "<text>for a in 1..999999999, b in 1..999999999 return a ** b</text>",
    "<itemComponent name=\"t\"><typeRef>t</typeRef></itemComponent>",
    "99999999999999999999999999999999999999999999999999",
    "]]>",
    // Nesting that looks as if it were none.
    "<list x=\"/>\">",
    "<context><?x </context>?>",
    "<x xmlns:q=\"q\" q:a=\"\"/>",
];

fn files(count: usize, seed: u64) -> Met {
    let (mut random, mut met) = (Random(seed), Met::default());
    let mut files = vec![include_str!("../data/medical.dmn").to_owned()];
    if let Some(cases) = crate::tck::data() {
        for name in ["0004-lending", "0085-decision-services", "0014-loan-comparison"] {
            files.extend(std::fs::read_to_string(cases.join(format!("compliance-level-3/{name}/{name}.dmn"))));
        }
    }
    let mut made = 0;
    while made < count {
        let mut bytes = files[made % files.len()].clone().into_bytes();
        made += 1;
        for _ in 0..1 + random.below(8) {
            let (at, to) = (random.below(bytes.len()), random.below(bytes.len()));
            match random.below(6) {
                0 => bytes[at] = (random.next() & 0x7F) as u8,
                1 => {
                    let end = (at + random.below(60)).min(bytes.len());
                    bytes.drain(at..end);
                }
                2 => {
                    let copy = bytes[at..(at + random.below(200)).min(bytes.len())].to_vec();
                    bytes.splice(to..to, copy);
                }
                3 => {
                    // A bomb where an element may stand, so that it is more often well formed.
                    let place =
                        bytes.iter().skip(at).position(|byte| *byte == b'>').map_or(bytes.len(), |more| at + more + 1);
                    bytes.splice(place..place, BOMBS[random.below(BOMBS.len())].bytes());
                }
                4 => {
                    let times = 1 + random.below(300);
                    let bomb = [3, 4, 12, 13, 14][random.below(5)];
                    bytes.splice(at..at, BOMBS[bomb].repeat(times).into_bytes());
                }
                _ => bytes.swap(at, to),
            }
        }
        if let Ok(source) = String::from_utf8(bytes) {
            run(&source, &mut met);
        }
    }
    met
}

/// How many mutants a long run makes; `ZHULIAN_MUTANTS` is a share of it in per cent, for a machine that has less time.
fn long(whole: usize) -> usize {
    let share = std::env::var("ZHULIAN_MUTANTS").ok().and_then(|text| text.parse::<usize>().ok()).unwrap_or(100);
    whole / 100 * share.clamp(1, 100)
}

fn told(what: &str, met: &Met) {
    println!(
        "{what}: {} mutants, {} compiled, {} also strictly, {} decided, {} of them FEEL, {} halted; most gas {}, largest value {} bytes, slowest {} ms",
        met.mutants,
        met.compiled[0],
        met.compiled[1],
        met.decided,
        met.ran,
        met.halted,
        met.gas_most,
        met.value_most,
        met.slowest_ms
    );
}

#[test]
fn mutated_expressions_do_no_harm() {
    let met = expressions(3_000, 0x5EED_0001);
    told("expressions", &met);
    assert!(
        met.ran > met.mutants / 10 && (1..met.mutants).contains(&met.compiled[1]),
        "the mutations are too wild or too tame: {met:?}"
    );
}

#[test]
fn mutated_files_do_no_harm() {
    let met = files(300, 0x5EED_0002);
    told("files", &met);
    assert!(met.compiled[0] > 0 && met.compiled[0] < met.mutants, "the mutations are too wild or too tame: {met:?}");
}

/// The long run: `make fuzz`.
#[test]
#[ignore = "long"]
fn fuzz_a_million_expressions() {
    // Each is decided as it is, and as a cell of a table.
    told("expressions", &expressions(long(1_000_000), 0x5EED_0003));
}

/// The long run: `make fuzz`.
#[test]
#[ignore = "long"]
fn fuzz_a_hundred_thousand_files() {
    told("files", &files(long(100_000), 0x5EED_0004));
}
