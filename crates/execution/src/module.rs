//! What a module is: plain data about its calls, refusals, events and state, from which dispatch and the catalogues come.

use minicbor::{Decode, Encode};
use zhulian_ledger::Key;
use zhulian_primitives::{Code, Event as Record, Raw, TransactionError, codec};

use crate::{Allowed, Context, Halt, Invalid, Refusal, RefusalEntry, prepared::CheckedCall};

/// A text of the catalogues in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

/// A call's arguments, with what the call does.
pub trait Call: Sized + Send + Sync + 'static + Encode<()> + for<'b> Decode<'b, ()> {
    /// Its name in the payload.
    const NAME: &'static str;
    /// Who may make it.
    const ALLOWED: Allowed;
    /// One sentence for the catalogue.
    const ABOUT: Text;
    /// The CDDL of the arguments (RFC 8610), without the rule's name.
    const CDDL: &'static str;

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

/// Decodes and checks the arguments of a call.
type Prepare = fn(&[u8]) -> Result<Box<dyn CheckedCall>, Code>;

/// A call in a module's table.
#[derive(Clone, Copy)]
pub struct CallEntry {
    /// Its name.
    pub name: &'static str,
    /// Who may make it.
    pub allowed: Allowed,
    /// One sentence about it.
    pub about: Text,
    /// The CDDL of the arguments.
    pub cddl: &'static str,
    pub(crate) prepare: Prepare,
}

impl CallEntry {
    /// The entry of call `C`.
    pub const fn of<C: Call>() -> Self {
        Self {
            name: C::NAME,
            allowed: C::ALLOWED,
            about: C::ABOUT,
            cddl: C::CDDL,
            prepare: |args| {
                let call = parse::<C>(args)?;
                match call.check() {
                    Err(Halt::Refused(code)) => Err(code),
                    _ => Ok(Box::new(call)),
                }
            },
        }
    }
}

/// Decodes the arguments strictly. A field that refuses by its own rule is answered with its own code.
fn parse<C: Call>(args: &[u8]) -> Result<C, Code> {
    let malformed = || TransactionError::MalformedArguments.code();
    let call: C = minicbor::decode(args).map_err(|error| {
        let source = std::error::Error::source(&error);
        source.and_then(|source| source.downcast_ref::<Invalid>()).map_or_else(malformed, |invalid| invalid.0.clone())
    })?;
    if codec::is_encoding(args, |e| e.encode(&call).map(|_| ())) { Ok(call) } else { Err(malformed()) }
}

/// An event's fields, with what happened.
pub trait Event: Encode<()> + for<'b> Decode<'b, ()> {
    /// The module that says so, whichever module's call it happened in.
    const MODULE: &'static str;
    /// Past-tense name.
    const NAME: &'static str;
    /// One sentence for the catalogue.
    const ABOUT: Text;
    /// The CDDL of the fields, without the rule's name.
    const CDDL: &'static str;

    /// The event as a receipt holds it.
    fn record(&self) -> Record {
        Record { module: Self::MODULE.into(), name: Self::NAME.into(), data: Raw(codec::to_bytes(self)) }
    }

    /// The event in a receipt, if it is of this kind.
    fn of(record: &Record) -> Option<Self> {
        let mine = record.module == Self::MODULE && record.name == Self::NAME;
        mine.then(|| codec::from_bytes(&record.data.0).ok()).flatten()
    }
}

/// Declares a module's events: what happened in both languages, and the fields with their place in the encoding and their CDDL.
/// From one table come the structs, their encoding, [`Event`] and the module's catalogue `EVENTS`.
#[macro_export]
macro_rules! events {
    ($module:literal; $(
        $type:ident = $name:literal, $en:literal, $zh:literal {
            $(#[$first_meta:meta])* $first_n:literal $first:ident: $first_type:ty = $first_cddl:literal,
            $($(#[$meta:meta])* $n:literal $field:ident: $field_type:ty = $cddl:literal,)*
        }
    )+) => {
        $(
            #[doc = $en]
            #[derive(Clone, Debug, PartialEq, Eq, ::minicbor::Encode, ::minicbor::Decode)]
            #[cbor(map)]
            pub struct $type {
                $(#[$first_meta])* #[n($first_n)] pub $first: $first_type,
                $($(#[$meta])* #[n($n)] pub $field: $field_type,)*
            }

            impl $crate::Event for $type {
                const MODULE: &'static str = $module;
                const NAME: &'static str = $name;
                const ABOUT: $crate::Text = $crate::Text { en: $en, zh: $zh };
                const CDDL: &'static str = concat!(
                    "{ ", $first_cddl, $(", ", $cddl,)* " }   ; ", stringify!($first), $(", ", stringify!($field),)*
                );
            }
        )+

        /// The module's events, in the order of the catalogue.
        pub(super) const EVENTS: &[$crate::EventEntry] = &[$($crate::EventEntry::of::<$type>(),)+];
    };
}

/// An event in a module's catalogue.
#[derive(Clone, Copy, Debug)]
pub struct EventEntry {
    /// Past-tense name.
    pub name: &'static str,
    /// One sentence about it.
    pub about: Text,
    /// The CDDL of its fields.
    pub cddl: &'static str,
}

impl EventEntry {
    /// The entry of event `E`.
    pub const fn of<E: Event>() -> Self {
        Self { name: E::NAME, about: E::ABOUT, cddl: E::CDDL }
    }
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
    pub about: Text,
    /// CDDL rules that its calls and events share.
    pub cddl: &'static str,
    /// Its calls.
    pub calls: &'static [CallEntry],
    /// Its refusals.
    pub refusals: &'static [RefusalEntry],
    /// Its events.
    pub events: &'static [EventEntry],
    /// Its state.
    pub state: &'static [StateEntry],
}
