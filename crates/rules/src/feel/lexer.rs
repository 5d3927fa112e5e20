//! Splits text into numbers, texts, name parts and symbols.

use super::TEXT_MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Ident,
    Symbol,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

/// A text cannot be split: where, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct LexError(pub usize, pub &'static str);

fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{180E}' | '\u{200B}' | '\u{FEFF}')
}

/// Characters a name part begins with (DMN 1.5 grammar rule 28).
fn starts_name(c: char) -> bool {
    matches!(c, 'A'..='Z' | '_' | 'a'..='z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
        && !is_space(c)
}

fn continues_name(c: char) -> bool {
    starts_name(c) || matches!(c, '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

const PAIRS: [&str; 7] = ["..", "**", "<=", ">=", "!=", "->", "=="];

pub(super) fn tokens(source: &str) -> Result<Vec<Token>, LexError> {
    if source.len() > TEXT_MAX {
        return Err(LexError(0, "the expression is longer than 64 KiB"));
    }
    let mut out: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        if is_space(c) {
            at += c.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if rest.starts_with("/*") {
            at += rest.find("*/").ok_or(LexError(at, "a comment is not closed"))? + 2;
            continue;
        }
        let (kind, length) = match c {
            '"' => (Kind::Text, text_length(rest).ok_or(LexError(at, "a text is not closed"))?),
            '0'..='9' => (Kind::Number, number_length(rest)),
            '.' if number_may_start(&out, source, at) => (Kind::Number, number_length(rest)),
            c if starts_name(c) => (Kind::Ident, rest.find(|c| !continues_name(c)).unwrap_or(rest.len())),
            _ if PAIRS.iter().any(|pair| rest.starts_with(pair)) => (Kind::Symbol, 2),
            c => (Kind::Symbol, c.len_utf8()),
        };
        out.push(Token { kind, start: at, end: at + length });
        at += length;
    }
    out.push(Token { kind: Kind::End, start: source.len(), end: source.len() });
    Ok(out)
}

/// `.5` is a number unless the point follows something that has members.
fn number_may_start(before: &[Token], source: &str, at: usize) -> bool {
    let digit = source.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
    digit
        && before.last().is_none_or(|last| match last.kind {
            Kind::Symbol => !matches!(&source[last.start..last.end], ")" | "]" | "}"),
            Kind::Ident => last.end < at,
            _ => false,
        })
}

fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut n = run(0);
    if bytes.get(n) == Some(&b'.') && bytes.get(n + 1).is_some_and(u8::is_ascii_digit) {
        n += 1 + run(n + 1);
    }
    if matches!(bytes.get(n), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(n + 1), Some(b'+' | b'-')));
        let length = run((n + 1 + sign).min(bytes.len()));
        if length > 0 {
            n += 1 + sign + length;
        }
    }
    n
}

fn text_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(i + 1),
            _ => {}
        }
    }
    None
}

/// The text a literal with its quotes stands for; `None` for a bad escape or half a surrogate pair.
pub(super) fn unquote(literal: &str) -> Option<String> {
    let body = literal.strip_prefix('"')?.strip_suffix('"')?;
    if !body.contains('\\') {
        return Some(body.to_owned());
    }
    let (mut out, mut rest) = (String::with_capacity(body.len()), body);
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let mark = after.chars().next()?;
        let mut used = mark.len_utf8();
        match mark {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            '"' | '\\' | '\'' => out.push(mark),
            'u' => {
                let high = hex(after.get(1..5)?)?;
                used = 5;
                if (0xD800..0xDC00).contains(&high) {
                    let low = hex(after.get(5..11)?.strip_prefix("\\u")?)?;
                    if !(0xDC00..0xE000).contains(&low) {
                        return None;
                    }
                    used = 11;
                    out.push(char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?);
                } else {
                    out.push(char::from_u32(high)?);
                }
            }
            'U' => {
                out.push(char::from_u32(hex(after.get(1..7)?)?)?);
                used = 7;
            }
            // Other escapes stand for themselves: patterns are written with single backslashes.
            other => {
                out.push('\\');
                out.push(other);
            }
        }
        rest = &after[used..];
    }
    out.push_str(rest);
    Some(out)
}

fn hex(digits: &str) -> Option<u32> {
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// A name as its parts, by which names are matched; empty for what is not a name.
pub(crate) fn name_key(name: &str) -> Vec<Box<str>> {
    match tokens(name) {
        Ok(parts) if parts.len() <= 64 => {
            parts.iter().filter(|t| t.kind != Kind::End).map(|t| Box::from(&name[t.start..t.end])).collect()
        }
        _ => Vec::new(),
    }
}
