#![doc = include_str!("../README.md")]

pub mod catalogue;
mod codec;
pub mod evidence;
pub mod governance;
pub mod identity;
mod privacy;
pub mod procedure;
pub mod rulepack;
mod source;
#[cfg(test)]
mod tests;
mod text;

pub use governance::Genesis;
pub use source::{Source, query};
use zhulian_execution::{Executor, Module, TRANSACTION_REFUSALS};
use zhulian_primitives::{Code, PROTOCOL_NEWEST, Protocol};

/// Every module of this build, in the order of the catalogues.
pub static MODULES: &[&Module] =
    &[&identity::MODULE, &governance::MODULE, &evidence::MODULE, &rulepack::MODULE, &procedure::MODULE];

/// The state transition of this build.
pub fn executor() -> Executor {
    executor_until(PROTOCOL_NEWEST)
}

/// The state transition of a build whose newest protocol is this one, to rehearse what such a build does at a later one.
pub fn executor_until(newest: Protocol) -> Executor {
    Executor::new(MODULES, identity::DIRECTORY, governance::protocols(newest))
}

/// What every client shows for a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalText {
    /// Wire name, for example `evidence.already_deposited`.
    pub slug: String,
    /// What is the matter, in English.
    pub en: &'static str,
    /// What is the matter, in Chinese.
    pub zh: &'static str,
    /// What to do next, in English.
    pub remedy_en: &'static str,
    /// What to do next, in Chinese.
    pub remedy_zh: &'static str,
    /// Whether the same bytes may succeed later.
    pub retry: bool,
}

/// The texts of a refusal code; `None` for a code of a later build.
pub fn refusal_text(code: &Code) -> Option<RefusalText> {
    let module = MODULES.iter().map(|module| (module.name, module.refusals));
    let (name, refusals) = module.chain([("transaction", TRANSACTION_REFUSALS)]).find(|(name, _)| *name == code.module)?;
    let entry = refusals.iter().find(|entry| entry.number == code.number)?;
    Some(RefusalText {
        slug: entry.slug(name),
        en: entry.en,
        zh: entry.zh,
        remedy_en: entry.remedy_en,
        remedy_zh: entry.remedy_zh,
        retry: entry.retry,
    })
}
