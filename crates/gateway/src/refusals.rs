//! The texts of refusal codes, and the one place where each is given an HTTP status.

use zhulian_api::view;
use zhulian_execution::{RefusalEntry, TRANSACTION_REFUSALS, slug};
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
    /// The HTTP status that it corresponds to.
    pub status: u16,
    /// Whether the same bytes may succeed later.
    pub retry: bool,
}

fn described(module: &str, entry: &RefusalEntry) -> Described {
    Described {
        slug: slug(module, entry.variant),
        zh: entry.zh.into(),
        en: entry.en.into(),
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
            status: 422,
            retry: false,
        },
        |(module, entry)| described(module, entry),
    )
}

fn all() -> impl Iterator<Item = (&'static str, &'static RefusalEntry)> {
    TRANSACTION_REFUSALS.iter().map(|entry| ("transaction", entry))
}

/// Every refusal, for the catalogue.
pub fn catalogue() -> Vec<view::ErrorView> {
    let view = |(module, entry)| {
        let Described { slug, zh, en, status, retry } = described(module, entry);
        let (remedy_zh, remedy_en) = remedy(status, retry);
        view::ErrorView { code: slug, status, zh, en, remedy_zh: remedy_zh.into(), remedy_en: remedy_en.into(), retry }
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

fn remedy(status: u16, retry: bool) -> (&'static str, &'static str) {
    match (status, retry) {
        (400, _) => ("请按 docs/transaction.cddl 更正交易内容后重新签名提交", "correct the transaction by docs/transaction.cddl, sign and send it again"),
        (401, _) => ("请使用已登记的密钥对本网络重新签名", "sign for this network with a registered key"),
        (403, _) => ("请由有权限的成员办理;权限见 docs/access.md", "let a member with the right do it; docs/access.md lists who may do what"),
        (404, _) => ("请核对所指对象的编号或名称", "check the number or name of what it is about"),
        (409, true) => ("情况改变后可重新提交同一内容", "the same bytes may be sent again when things have changed"),
        (409, false) => ("请先查询现状;如仍需办理,请以新的随机数和有效高度重新签名", "look at how things stand; if it is still needed, sign again with a fresh nonce and height"),
        (413, _) => ("请减小交易", "make the transaction smaller"),
        (_, true) => ("情况改变后可重新提交同一内容", "the same bytes may be sent again when things have changed"),
        (_, false) => ("请更正所指内容后重新签名提交", "correct what is named, sign and send it again"),
    }
}
