//! Cursors of lists: opaque to clients, and such that every text of the published form is one, so that none can do harm.

use zhulian_api::ErrorCode;
use zhulian_modules::procedure::CaseId;

use crate::{Failure, PagePosition, Position, request::NUMBER_MAX};

/// A list that has cursors; the letter keeps those of one list from being used in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// Transactions.
    Transactions,
    /// Evidence.
    Evidence,
    /// What happened to a case.
    CaseHistory,
    /// Decisions of a rule pack.
    Decisions,
}

impl ListKind {
    fn letter(self) -> char {
        match self {
            Self::Transactions => 't',
            Self::Evidence => 'e',
            Self::CaseHistory => 'h',
            Self::Decisions => 'd',
        }
    }
}

fn malformed() -> Failure {
    Failure::new(ErrorCode::MalformedCursor, "cursor: not of the form that this list gives")
}

fn hex(text: &str, digits: usize) -> Option<u64> {
    let form = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if form { u64::from_str_radix(text, 16).ok().filter(|value| *value <= NUMBER_MAX) } else { None }
}

/// The cursor after an item.
pub fn write(kind: ListKind, at: PagePosition) -> String {
    format!("{}{:016x}{:08x}{:016x}", kind.letter(), at.position.height, at.position.index, at.item)
}

/// Reads a cursor of this list.
pub fn read(kind: ListKind, text: &str) -> Result<PagePosition, Failure> {
    let digits =
        text.strip_prefix(kind.letter()).filter(|digits| digits.is_ascii() && digits.len() == 40).ok_or_else(malformed)?;
    let height = hex(&digits[..16], 16).ok_or_else(malformed)?;
    let index = hex(&digits[16..24], 8).ok_or_else(malformed)? as u32;
    let item = hex(&digits[24..], 16).ok_or_else(malformed)?;
    Ok(PagePosition { position: Position { height, index }, item })
}

/// The cursor after a block.
pub fn write_height(height: u64) -> String {
    format!("b{height:016x}")
}

/// Reads a cursor of the list of blocks.
pub fn read_height(text: &str) -> Result<u64, Failure> {
    text.strip_prefix('b').and_then(|digits| hex(digits, 16)).ok_or_else(malformed)
}

/// The cursor after a case, by its place among all.
pub fn write_case(case: CaseId) -> String {
    format!("c{:016x}", case.ordinal())
}

/// Reads a cursor of the list of cases.
pub fn read_case(text: &str) -> Result<u64, Failure> {
    text.strip_prefix('c').and_then(|digits| hex(digits, 16)).ok_or_else(malformed)
}

/// The cursor after a task of a case.
pub fn write_task(case: CaseId, task: u32) -> String {
    format!("k{:016x}{task:08x}", case.ordinal())
}

/// Reads a cursor of the list of tasks: the case's place among all, and the number of the task.
pub fn read_task(text: &str) -> Result<(u64, u32), Failure> {
    let digits = text.strip_prefix('k').filter(|digits| digits.is_ascii() && digits.len() == 24).ok_or_else(malformed)?;
    let task = hex(&digits[16..], 8).ok_or_else(malformed)? as u32;
    Ok((hex(&digits[..16], 16).ok_or_else(malformed)?, task))
}

/// The cursor of a list that is numbered.
pub fn write_number(letter: char, number: u32) -> String {
    format!("{letter}{number:08x}")
}

/// Reads a cursor of a list that is numbered.
pub fn read_number(letter: char, text: &str) -> Result<u32, Failure> {
    text.strip_prefix(letter).and_then(|digits| hex(digits, 8)).map(|number| number as u32).ok_or_else(malformed)
}
