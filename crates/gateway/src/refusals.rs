//! The texts of refusal codes, and the one place where each is given an HTTP status.

use zhulian_api::view;
use zhulian_execution::{RefusalEntry, TRANSACTION_REFUSALS};
use zhulian_modules::{governance, identity};
use zhulian_primitives::Code;

/// A refusal as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The stable code on the wire.
    pub slug: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// What to do next, in Chinese.
    pub remedy_zh: String,
    /// What to do next, in English.
    pub remedy_en: String,
    /// The HTTP status that it corresponds to.
    pub status: u16,
    /// Whether the same bytes may succeed later.
    pub retry: bool,
}

fn described(module: &str, entry: &RefusalEntry) -> Described {
    Described {
        slug: entry.slug(module),
        zh: entry.zh.into(),
        en: entry.en.into(),
        remedy_zh: entry.remedy_zh.into(),
        remedy_en: entry.remedy_en.into(),
        status: status(module, entry.variant),
        retry: entry.retry,
    }
}

/// The text of a code. One that this build does not know comes from a newer module; it is shown by its number.
pub fn describe(code: &Code) -> Described {
    let known = all().find(|(module, entry)| *module == code.module && entry.number == code.number);
    known.map_or_else(
        || Described {
            slug: format!("{}.{}", code.module, code.number),
            zh: "此版本不认识的拒绝代码".into(),
            en: "a refusal that this version does not know".into(),
            remedy_zh: "请升级到新版本后再看".into(),
            remedy_en: "look it up with a newer version".into(),
            status: 422,
            retry: false,
        },
        |(module, entry)| described(module, entry),
    )
}

fn all() -> impl Iterator<Item = (&'static str, &'static RefusalEntry)> {
    let modules = [("transaction", TRANSACTION_REFUSALS), ("identity", identity::Error::ALL), ("governance", governance::Error::ALL)];
    modules.into_iter().flat_map(|(module, entries)| entries.iter().map(move |entry| (module, entry)))
}

/// Every refusal, for the catalogue.
pub fn catalogue() -> Vec<view::ErrorView> {
    let view = |(module, entry)| {
        let Described { slug, zh, en, remedy_zh, remedy_en, status, retry } = described(module, entry);
        view::ErrorView { code: slug, status, zh, en, remedy_zh, remedy_en, retry }
    };
    all().map(view).collect()
}

/// The HTTP status of a refusal, by what kind of fact it states. `NotFound` and `Unknown…` name something that is missing, `Not…` a
/// right that is missing, `Already…` a conflict with what is there; everything else is about the content sent.
fn status(module: &str, variant: &str) -> u16 {
    match (module, variant) {
        ("transaction", "TooLarge") => 413,
        ("transaction", "Malformed" | "NotDeterministic" | "MalformedArguments" | "MalformedKey" | "UnknownAlgorithm") => 400,
        ("transaction", "BadSignature" | "UnknownKey") => 401,
        ("transaction", "KeyNotActive" | "NotAllowed") => 403,
        ("transaction", "Replayed" | "Expired" | "ValidTooLong" | "WrongChain") => 409,
        ("transaction", "UnknownModule" | "UnknownCall") => 404,
        (_, name) if name.starts_with("Malformed") => 400,
        (_, name) if name.ends_with("NotFound") || name.starts_with("Unknown") || name.starts_with("NoSuch") => 404,
        (_, name) if name.starts_with("Already") || name.ends_with("Taken") || name.ends_with("Exists") => 409,
        (_, name) if name.starts_with("Not") || name.starts_with("Only") => 403,
        _ => 422,
    }
}
