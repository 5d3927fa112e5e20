//! A slice of the fuzzing: seeded mutations of expressions and files never panic, hang or cost nothing.

use crate::support::{expression, table};
use std::time::Instant;
use zhulian_rules::{Model, Profile};

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
    for _ in 0..1 + random.below(6) {
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

/// How many mutants, by default a slice that a test can wait for.
fn count(default: usize) -> usize {
    std::env::var("ZHULIAN_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

fn run(source: &str) {
    let start = Instant::now();
    for profile in [Profile::Standard, Profile::Strict] {
        if let Ok(model) = Model::compile(&[source], profile) {
            let names: Vec<String> = model.decisions().map(|(name, _)| name.to_owned()).collect();
            for name in names {
                if let Ok(outcome) = model.decide(&name, &[], GAS) {
                    assert!(outcome.gas <= GAS);
                    let _ = outcome.value.to_canonical(&mut zhulian_rules::gas::Gas::new(GAS));
                }
            }
        }
    }
    assert!(start.elapsed().as_secs() < 10, "a mutant took {:?}: {source}", start.elapsed());
}

#[test]
fn mutated_expressions_do_no_harm() {
    let mut random = Random(0x5EED_0001);
    for i in 0..count(3_000) {
        let mut text = SEEDS[i % SEEDS.len()].to_owned();
        for _ in 0..1 + random.below(3) {
            text = mutate(&text, &mut random);
        }
        let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
        run(&expression(&text));
        run(&table("number", "UNIQUE", "", &[(&text, "1"), ("-", &text)]));
    }
}

#[test]
fn mutated_files_do_no_harm() {
    let mut random = Random(0x5EED_0002);
    let mut files = vec![include_str!("../data/medical.dmn").to_owned()];
    if let Some(cases) = crate::tck::data() {
        for name in ["0004-lending", "0085-decision-services", "0014-loan-comparison"] {
            files.extend(std::fs::read_to_string(cases.join(format!("compliance-level-3/{name}/{name}.dmn"))));
        }
    }
    for i in 0..count(3_000) / 10 {
        let mut bytes = files[i % files.len()].clone().into_bytes();
        for _ in 0..1 + random.below(8) {
            let (at, to) = (random.below(bytes.len()), random.below(bytes.len()));
            match random.below(4) {
                0 => bytes[at] = (random.next() & 0x7F) as u8,
                1 => {
                    let end = (at + random.below(60)).min(bytes.len());
                    bytes.drain(at..end);
                }
                2 => {
                    let copy = bytes[at..(at + random.below(200)).min(bytes.len())].to_vec();
                    bytes.splice(to..to, copy);
                }
                _ => bytes.swap(at, to),
            }
        }
        if let Ok(source) = String::from_utf8(bytes) {
            run(&source);
        }
    }
}
