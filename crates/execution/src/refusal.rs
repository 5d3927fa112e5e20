//! Refusals are data: a number in the receipt, texts beside it that may be improved any day.

use zhulian_primitives::{Code, TransactionError};

/// Why a call stops before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// It read a key whose value is not loaded; the context knows which.
    Missing,
    /// It is refused.
    Refused(Code),
}

/// A module's refusals: an enum made by [`refusals!`](crate::refusals).
pub trait Refusal: Copy {
    /// The module.
    const MODULE: &'static str;
    /// The number in the receipt.
    fn number(self) -> u16;
    /// The whole code.
    fn code(self) -> Code {
        Code { module: Self::MODULE.into(), number: self.number() }
    }
}

/// One refusal as `docs/errors.md` and every client show it.
#[derive(Clone, Copy, Debug)]
pub struct RefusalEntry {
    /// Number in the module.
    pub number: u16,
    /// Variant name, from which the slug is made.
    pub variant: &'static str,
    /// What is the matter, in English.
    pub en: &'static str,
    /// What is the matter, in Chinese.
    pub zh: &'static str,
    /// Whether the same bytes may succeed later.
    pub retry: bool,
}

/// The wire name of a refusal, for example `evidence.not_registrant`.
pub fn slug(module: &str, variant: &str) -> String {
    let mut slug = format!("{module}.");
    for (index, letter) in variant.chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            slug.push('_');
        }
        slug.push(letter.to_ascii_lowercase());
    }
    slug
}

impl From<TransactionError> for Halt {
    fn from(error: TransactionError) -> Self {
        Self::Refused(error.code())
    }
}

impl Refusal for TransactionError {
    const MODULE: &'static str = "transaction";
    fn number(self) -> u16 {
        self as u16
    }
}

/// Declares a module's refusals: the enum, its numbers, its texts, and the way into [`Halt`].
///
/// Order of declaration is order of precedence; numbers are never reused. `retry` says whether the same bytes may succeed
/// later.
#[macro_export]
macro_rules! refusals {
    ($module:literal; $($variant:ident = $number:literal, $en:literal, $zh:literal, retry: $retry:literal;)+) => {
        /// Why a call of this module is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum Error {
            $(#[doc = $en] $variant = $number,)+
        }

        impl Error {
            /// Every refusal with its texts.
            pub const ALL: &'static [$crate::RefusalEntry] = &[
                $($crate::RefusalEntry {
                    number: $number, variant: stringify!($variant), en: $en, zh: $zh, retry: $retry,
                },)+
            ];
        }

        impl $crate::Refusal for Error {
            const MODULE: &'static str = $module;
            fn number(self) -> u16 {
                self as u16
            }
        }

        impl From<Error> for $crate::Halt {
            fn from(error: Error) -> Self {
                $crate::Halt::Refused($crate::Refusal::code(error))
            }
        }
    };
}

const fn entry(
    error: TransactionError,
    variant: &'static str,
    en: &'static str,
    zh: &'static str,
    retry: bool,
) -> RefusalEntry {
    RefusalEntry { number: error as u16, variant, en, zh, retry }
}

/// The refusals of the envelope, as module `transaction`.
pub const TRANSACTION_REFUSALS: &[RefusalEntry] = {
    use TransactionError as E;
    &[
        entry(E::TooLarge, "TooLarge", "the transaction is larger than 65,536 bytes", "交易超过 65,536 字节", false),
        entry(E::Malformed, "Malformed", "not a COSE_Sign1 transaction", "不是 COSE_Sign1 格式的交易", false),
        entry(
            E::NotDeterministic,
            "NotDeterministic",
            "not deterministic CBOR: unknown or doubled key, longer form, wrong order, or trailing bytes",
            "不是确定性 CBOR 编码:有未知或重复的键、非最短形式、次序错误或多余字节",
            false,
        ),
        entry(
            E::UnknownAlgorithm,
            "UnknownAlgorithm",
            "the signature algorithm is not EdDSA or ES256, or not that of the key",
            "签名算法不是 EdDSA 或 ES256,或与密钥不符",
            false,
        ),
        entry(
            E::MalformedKey,
            "MalformedKey",
            "the key id is not a public key of a supported curve",
            "密钥标识不是受支持曲线上的公钥",
            false,
        ),
        entry(E::WrongChain, "WrongChain", "the transaction is for another network", "该交易属于另一个网络", false),
        entry(E::BadSignature, "BadSignature", "the signature is not valid", "签名无效", false),
        entry(
            E::Expired,
            "Expired",
            "the transaction has expired; sign it again with a later valid_until",
            "交易已过有效期;请用更晚的 valid_until 重新签名",
            false,
        ),
        entry(
            E::ValidTooLong,
            "ValidTooLong",
            "valid_until lies more than 1,024 blocks ahead",
            "valid_until 超出当前高度 1,024 个区块",
            true,
        ),
        entry(
            E::Replayed,
            "Replayed",
            "this key has already used this nonce; the first transaction stands",
            "该密钥已用过此随机数;以首次提交的交易为准",
            false,
        ),
        entry(E::UnknownModule, "UnknownModule", "no module of this name", "没有此名称的模块", false),
        entry(E::UnknownCall, "UnknownCall", "the module has no call of this name", "模块没有此名称的调用", false),
        entry(
            E::MalformedArguments,
            "MalformedArguments",
            "the arguments are not those of the call",
            "参数与该调用不符",
            false,
        ),
        entry(
            E::UnknownKey,
            "UnknownKey",
            "the key is not registered to a member of an organisation",
            "该密钥未登记给任何机构成员",
            true,
        ),
        entry(
            E::KeyNotActive,
            "KeyNotActive",
            "the key is revoked, or its holder is suspended",
            "密钥已撤销,或其持有人已停用",
            true,
        ),
        entry(
            E::NotAllowed,
            "NotAllowed",
            "the member has no role that allows this call",
            "该成员没有可执行此调用的角色",
            true,
        ),
    ]
};
