//! Gas: what a decision may cost. Every step is paid before it is taken, so no input makes a node work for nothing.

use crate::errors::Halt;

/// Deepest nesting of evaluation. One level of FEEL recursion takes several.
pub const DEPTH_MAX: u32 = 220;
/// Deepest nesting of a value: lists in lists, contexts in contexts, functions that captured functions.
pub const VALUE_DEPTH_MAX: u16 = 48;
/// Largest list, in items, and largest text, in bytes.
pub const SIZE_MAX: usize = 1_000_000;

/// Price of one evaluated node of the compiled form.
pub const STEP: u64 = 1;
/// Price of a square root, power, exponential or logarithm.
pub const TRANSCENDENTAL: u64 = 400;
/// Price of compiling one byte of a pattern.
pub const PATTERN_BYTE: u64 = 200;

/// What all searches for patterns in one evaluation may cost, beside their price: bytes that could be passed over for each match, times
/// the size of the pattern. The price counts every byte once, but `a(.*b)?` looks to the end of the text for each match.
pub const SEARCHES_MAX: u64 = 64_000_000;

/// A meter that only counts down.
#[derive(Clone, Debug)]
pub struct Gas {
    limit: u64,
    left: u64,
}

impl Gas {
    /// A meter with so many units.
    pub fn new(limit: u64) -> Self {
        Self { limit, left: limit }
    }

    /// Units spent so far.
    pub fn used(&self) -> u64 {
        self.limit - self.left
    }

    /// Units left.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Pays, or stops the evaluation.
    #[inline]
    pub fn charge(&mut self, units: u64) -> Result<(), Halt> {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Halt::OutOfGas)
            }
        }
    }

    /// Pays for handling so many items or 8-byte words.
    #[inline]
    pub fn charge_items(&mut self, items: usize) -> Result<(), Halt> {
        self.charge(items as u64)
    }
}
