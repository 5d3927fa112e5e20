//! What a module is: plain data about its calls, refusals, events and state, from which dispatch and the catalogues come.

use minicbor::{Decode, Encode};
use zhulian_ledger::Key;
use zhulian_primitives::{Code, TransactionError, codec};

use crate::{Allowed, Context, Halt, Refusal, RefusalEntry};

/// A call's arguments, with what the call does.
pub trait Call: Sized + Encode<()> + for<'b> Decode<'b, ()> {
    /// Its name in the payload.
    const NAME: &'static str;
    /// Who may make it.
    const ALLOWED: Allowed;
    /// One sentence for the catalogue.
    const ABOUT: &'static str;

    /// Checks that need no state; the mempool runs them on everything.
    fn check(&self) -> Result<(), Halt> {
        Ok(())
    }

    /// State keys that it surely reads, so that a whole block's values are fetched at once. A hint: a key left out is found
    /// when it is read, at the price of a second run.
    fn reads(&self) -> Vec<Key> {
        Vec::new()
    }

    /// Checks, reads, decides, writes, emits, in that order. A refusal discards what it wrote.
    fn execute(&self, ctx: &mut Context<'_>) -> Result<(), Halt>;
}

/// A call in a module's table.
#[derive(Clone, Copy)]
pub struct CallEntry {
    /// Its name.
    pub name: &'static str,
    /// Who may make it.
    pub allowed: Allowed,
    /// One sentence about it.
    pub about: &'static str,
    pub(crate) check: fn(&[u8]) -> Result<(), Code>,
    pub(crate) reads: fn(&[u8]) -> Vec<Key>,
    pub(crate) execute: fn(&[u8], &mut Context<'_>) -> Result<(), Halt>,
}

impl CallEntry {
    /// The entry of call `C`.
    pub const fn of<C: Call>() -> Self {
        Self {
            name: C::NAME,
            allowed: C::ALLOWED,
            about: C::ABOUT,
            check: |args| match parse::<C>(args)?.check() {
                Err(Halt::Refused(code)) => Err(code),
                _ => Ok(()),
            },
            reads: |args| parse::<C>(args).map(|call| call.reads()).unwrap_or_default(),
            execute: |args, ctx| parse::<C>(args).map_err(Halt::Refused)?.execute(ctx),
        }
    }
}

fn parse<C: Call>(args: &[u8]) -> Result<C, Code> {
    codec::from_bytes(args).map_err(|_| TransactionError::MalformedArguments.code())
}

/// An event in a module's catalogue.
#[derive(Clone, Copy, Debug)]
pub struct EventEntry {
    /// Past-tense name.
    pub name: &'static str,
    /// One sentence about it, with its fields.
    pub about: &'static str,
}

/// A map of a module's state in the catalogue, so that an auditor can read the ledger without our code.
#[derive(Clone, Copy, Debug)]
pub struct StateEntry {
    /// `module/map`.
    pub map: &'static str,
    /// Parts of the entry's key.
    pub key: &'static str,
    /// What the value holds.
    pub value: &'static str,
    /// The calls that write it.
    pub writers: &'static str,
}

/// A module: everything a city office can do in one field.
#[derive(Clone, Copy)]
pub struct Module {
    /// Its name in payloads, codes, events and state keys.
    pub name: &'static str,
    /// One sentence for the catalogue.
    pub about: &'static str,
    /// Its calls.
    pub calls: &'static [CallEntry],
    /// Its refusals.
    pub refusals: &'static [RefusalEntry],
    /// Its events.
    pub events: &'static [EventEntry],
    /// Its state.
    pub state: &'static [StateEntry],
}
