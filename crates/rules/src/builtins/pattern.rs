//! Patterns: the regular expressions of XPath 3.1 §5.6, translated for a matcher that runs in linear time.
//!
//! Refused: back-references (no linear matching exists), unknown blocks and escapes, patterns that compile large.

use super::{Answer, Failure, single, text};
use crate::errors::{Fault, Halt};
use crate::evaluate::Evaluator;
use crate::gas::{PATTERN_BYTE, SIZE_MAX};
use crate::value::Value;
use regex::{Regex, RegexBuilder};

/// Longest pattern, in bytes.
const PATTERN_MAX: usize = 1_000;
/// Largest compiled pattern, in bytes.
const COMPILED_MAX: usize = 256 * 1024;

/// A compiled pattern with what it may cost to pass over a byte, in eighths.
struct Pattern {
    regex: Regex,
    weight: u64,
}

impl Pattern {
    /// Pays for a search from a place of the text.
    fn search(&self, ev: &mut Evaluator, subject: &str, from: usize) -> Result<(), Failure> {
        Ok(ev.search(self.weight.saturating_mul((subject.len() - from) as u64) / 8)?)
    }
}

/// What it may cost to pass over a byte: the length of the pattern with what is counted in it. A text that stands for itself is found
/// without looking further than to its end.
fn weight(pattern: &str) -> u64 {
    if !pattern.contains(|c| r"\.?*+(){}[]|^$".contains(c)) {
        return 0;
    }
    let counts = pattern.split('{').skip(1).filter_map(|rest| {
        let digits = rest.split('}').next()?.rsplit(',').next()?;
        // `{3,}` counts to three.
        digits.parse().ok().or_else(|| rest.split(',').next()?.parse().ok())
    });
    let repeated = counts.fold(1, |all: u64, count: u64| all.saturating_mul(count.max(1)));
    repeated.saturating_mul(4 + pattern.len() as u64)
}

pub(super) fn matches(ev: &mut Evaluator, subject: &str, arguments: &[Value]) -> Answer {
    let pattern = compile(ev, subject, text(arguments, 1)?, single(arguments, 2))?;
    pattern.search(ev, subject, 0)?;
    Ok(Value::Boolean(pattern.regex.is_match(subject)))
}

pub(super) fn split(ev: &mut Evaluator, subject: &str, arguments: &[Value]) -> Answer {
    let pattern = compile(ev, subject, text(arguments, 1)?, &Value::Null)?;
    let (mut parts, mut last) = (Vec::new(), 0);
    pattern.search(ev, subject, 0)?;
    for found in pattern.regex.find_iter(subject) {
        parts.push(Value::text(&subject[last..found.start()]));
        last = found.end();
        pattern.search(ev, subject, last)?;
    }
    parts.push(Value::text(&subject[last..]));
    ev.gas().charge_items(parts.len() * 2)?;
    Ok(Value::list(parts)?)
}

pub(super) fn replace(ev: &mut Evaluator, subject: &str, arguments: &[Value]) -> Answer {
    let pattern = compile(ev, subject, text(arguments, 1)?, single(arguments, 3))?;
    let replacement = text(arguments, 2)?;
    let (mut out, mut last) = (String::new(), 0);
    pattern.search(ev, subject, 0)?;
    for found in pattern.regex.captures_iter(subject) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(&subject[last..whole.start()]);
        let fits = expand(replacement, &found, &mut out);
        last = whole.end();
        ev.gas().charge_items(2 + (whole.len() + replacement.len()) / 8)?;
        if !fits || out.len() > SIZE_MAX {
            return Err(Failure::Halt(Halt::TooLarge));
        }
        pattern.search(ev, subject, last)?;
    }
    out.push_str(&subject[last..]);
    Ok(Value::text(&out))
}

/// `$1` is the group, with as many digits as there are groups for; `\$` and `\\` stand for themselves. `false`, and not all of it is
/// written, once the result is too large: a replacement may name a long group many thousand times.
fn expand(replacement: &str, found: &regex::Captures, out: &mut String) -> bool {
    let mut rest = replacement;
    while let Some(at) = rest.find(['$', '\\']) {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if rest.as_bytes()[at] == b'\\' {
            let mark = after.chars().next().filter(|c| matches!(c, '$' | '\\'));
            out.push(mark.unwrap_or('\\'));
            rest = &after[mark.map_or(0, char::len_utf8)..];
            continue;
        }
        let (mut group, mut used) = (0usize, 0usize);
        for digit in after.bytes().take_while(u8::is_ascii_digit) {
            let next = group * 10 + usize::from(digit - b'0');
            if used > 0 && next >= found.len() {
                break;
            }
            (group, used) = (next, used + 1);
        }
        if used == 0 {
            out.push('$');
        } else if let Some(text) = found.get(group) {
            if out.len() + text.len() > SIZE_MAX {
                return false;
            }
            out.push_str(text.as_str());
        }
        rest = &after[used..];
    }
    out.push_str(rest);
    true
}

fn compile(ev: &mut Evaluator, subject: &str, pattern: &str, flags: &Value) -> Result<Pattern, Failure> {
    let flags = match flags {
        Value::Null => "",
        Value::String(flags) => flags,
        _ => return Err(Fault::Argument.into()),
    };
    if pattern.len() > PATTERN_MAX || !flags.chars().all(|c| "smix".contains(c)) {
        return Err(Fault::Pattern.into());
    }
    // Matching is linear in text × pattern; the price does not depend on what the matcher finds.
    ev.gas().charge(PATTERN_BYTE * (8 + pattern.len() as u64))?;
    ev.gas().charge(subject.len() as u64 * (4 + pattern.len() as u64) / 8)?;
    let translated = translate(pattern, flags).ok_or(Fault::Pattern)?;
    let regex = RegexBuilder::new(&translated)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .size_limit(COMPILED_MAX)
        .dfa_size_limit(COMPILED_MAX)
        .nest_limit(32)
        .build()
        .map_err(|_| Fault::Pattern)?;
    Ok(Pattern { regex, weight: weight(pattern) })
}

/// The classes of XPath that mean something else elsewhere.
fn class(letter: char) -> Option<&'static str> {
    Some(match letter {
        's' => r"[ \t\n\r]",
        'S' => r"[^ \t\n\r]",
        'w' => r"[^\p{P}\p{Z}\p{C}]",
        'W' => r"[\p{P}\p{Z}\p{C}]",
        'd' => r"\p{Nd}",
        'D' => r"\P{Nd}",
        'i' => r"[\p{L}_:]",
        'I' => r"[^\p{L}_:]",
        'c' => r"[\p{L}\p{M}\p{N}_:.\-]",
        'C' => r"[^\p{L}\p{M}\p{N}_:.\-]",
        _ => return None,
    })
}

/// The Unicode blocks by their names in XML Schema, as far as public forms use them.
fn block(name: &str) -> Option<&'static str> {
    Some(match name {
        "IsBasicLatin" => r"\x{0}-\x{7F}",
        "IsLatin-1Supplement" => r"\x{80}-\x{FF}",
        "IsLatinExtended-A" => r"\x{100}-\x{17F}",
        "IsLatinExtended-B" => r"\x{180}-\x{24F}",
        "IsGreek" | "IsGreekandCoptic" => r"\x{370}-\x{3FF}",
        "IsCyrillic" => r"\x{400}-\x{4FF}",
        "IsCJKUnifiedIdeographs" => r"\x{4E00}-\x{9FFF}",
        "IsCJKSymbolsandPunctuation" => r"\x{3000}-\x{303F}",
        "IsHalfwidthandFullwidthForms" => r"\x{FF00}-\x{FFEF}",
        "IsHiragana" => r"\x{3040}-\x{309F}",
        "IsKatakana" => r"\x{30A0}-\x{30FF}",
        _ => return None,
    })
}

fn translate(pattern: &str, flags: &str) -> Option<String> {
    let (all, lines, free) = (flags.contains('s'), flags.contains('m'), flags.contains('x'));
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    // Depth of `[`, and whether a class has just begun.
    let (mut depth, mut fresh) = (0u32, false);
    while let Some(c) = chars.next() {
        let begins = std::mem::take(&mut fresh);
        match c {
            ' ' | '\t' | '\n' | '\r' if free && depth == 0 => {}
            '\\' => escape(&mut chars, free, depth > 0, &mut out)?,
            '[' if depth == 0 => {
                depth = 1;
                fresh = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            // `-[` subtracts.
            '-' if depth > 0 && chars.peek() == Some(&'[') => {
                chars.next();
                depth += 1;
                fresh = true;
                out.push_str("--[");
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            '[' => return None,
            ']' if depth > 0 && !begins => {
                depth -= 1;
                out.push(']');
            }
            '-' if depth > 0 && (begins || chars.peek() == Some(&']')) => out.push_str(r"\-"),
            '&' | '~' if depth > 0 => {
                out.push('\\');
                out.push(c);
            }
            _ if depth > 0 => out.push(c),
            '.' => out.push_str(if all { "(?s:.)" } else { r"[^\n\r]" }),
            '^' if !lines => out.push_str(r"\A"),
            '$' if !lines => out.push_str(r"\z"),
            '(' => {
                out.push('(');
                if chars.peek() == Some(&'?') {
                    chars.next();
                    chars.next_if_eq(&':')?;
                    out.push_str("?:");
                }
            }
            c => out.push(c),
        }
    }
    (depth == 0).then_some(out)
}

fn escape(chars: &mut std::iter::Peekable<std::str::Chars>, free: bool, in_class: bool, out: &mut String) -> Option<()> {
    let mut letter = chars.next()?;
    while free && !in_class && letter.is_whitespace() {
        letter = chars.next()?;
    }
    match letter {
        'n' | 'r' | 't' | '\\' | '|' | '.' | '?' | '*' | '+' | '(' | ')' | '{' | '}' | '-' | '[' | ']' | '^' | '$' => {
            out.push('\\');
            out.push(letter);
        }
        'p' | 'P' => {
            chars.next_if_eq(&'{')?;
            let mut name = String::new();
            loop {
                match chars.next()? {
                    '}' => break,
                    c if free && c.is_whitespace() => {}
                    c if c.is_ascii_alphanumeric() || c == '-' => name.push(c),
                    _ => return None,
                }
            }
            if name.starts_with("Is") {
                let negated = if letter == 'P' { "^" } else { "" };
                out.push_str(&format!("[{negated}{}]", block(&name)?));
            } else {
                // General categories: one or two letters.
                (name.len() <= 2).then_some(())?;
                out.push_str(&format!("\\{letter}{{{name}}}"));
            }
        }
        letter => out.push_str(class(letter)?),
    }
    Some(())
}
