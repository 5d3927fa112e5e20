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
    /// What to do next, in English.
    pub remedy_en: &'static str,
    /// What to do next, in Chinese.
    pub remedy_zh: &'static str,
    /// Whether the same bytes may succeed later.
    pub retry: bool,
}

impl RefusalEntry {
    /// The refusal's wire name in `module`, for example `evidence.not_registrant`.
    pub fn slug(&self, module: &str) -> String {
        slug(module, self.variant)
    }
}

/// A refusal that a type raises while it is decoded, so that a malformed field has its own code and not only "malformed
/// arguments". Hand it to [`minicbor::decode::Error::custom`] with [`invalid`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused: {} {}", .0.module, .0.number)]
pub struct Invalid(pub Code);

/// The decoder's error that carries a refusal out of a field.
pub fn invalid<R: Refusal>(refusal: R) -> minicbor::decode::Error {
    minicbor::decode::Error::custom(Invalid(refusal.code()))
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
/// later. Each has four texts: what is the matter and what to do next, in English and in Chinese.
#[macro_export]
macro_rules! refusals {
    ($module:literal; $(
        $variant:ident = $number:literal, retry: $retry:literal,
            $en:literal, $remedy_en:literal,
            $zh:literal, $remedy_zh:literal;
    )+) => {
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
                    number: $number, variant: stringify!($variant), retry: $retry,
                    en: $en, zh: $zh, remedy_en: $remedy_en, remedy_zh: $remedy_zh,
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

/// The refusals of the envelope, as module `transaction`.
pub const TRANSACTION_REFUSALS: &[RefusalEntry] = {
    use TransactionError as E;
    macro_rules! entry {
        ($variant:ident, $retry:literal, $en:literal, $remedy_en:literal, $zh:literal, $remedy_zh:literal $(,)?) => {
            RefusalEntry {
                number: E::$variant as u16,
                variant: stringify!($variant),
                retry: $retry,
                en: $en,
                zh: $zh,
                remedy_en: $remedy_en,
                remedy_zh: $remedy_zh,
            }
        };
    }
    &[
        entry!(
            TooLarge,
            false,
            "the transaction is larger than 65,536 bytes",
            "split the content, or deposit a digest instead of it",
            "交易超过 65,536 字节",
            "请拆分内容，或改为只提交摘要",
        ),
        entry!(
            Malformed,
            false,
            "not a COSE_Sign1 transaction",
            "encode it as docs/transaction.cddl says",
            "不是 COSE_Sign1 格式的交易",
            "请按 docs/transaction.cddl 编码",
        ),
        entry!(
            NotDeterministic,
            false,
            "not deterministic CBOR: unknown or doubled key, longer form, wrong order, or trailing bytes",
            "encode it again in the deterministic form of RFC 8949 §4.2.1 and sign it again",
            "不是确定性 CBOR 编码：有未知或重复的键、非最短形式、次序错误或多余字节",
            "请按 RFC 8949 §4.2.1 的确定性形式重新编码并重新签名",
        ),
        entry!(
            UnknownAlgorithm,
            false,
            "the signature algorithm is not EdDSA or ES256, or not that of the key",
            "sign with the algorithm of the key",
            "签名算法不是 EdDSA 或 ES256，或与密钥不符",
            "请使用与密钥相符的算法签名",
        ),
        entry!(
            MalformedKey,
            false,
            "the key id is not a public key of a supported curve",
            "put the public key itself into the key id: 32 bytes for EdDSA, the 33-byte compressed point for ES256",
            "密钥标识不是受支持曲线上的公钥",
            "密钥标识应为公钥本身：EdDSA 为 32 字节，ES256 为 33 字节压缩点",
        ),
        entry!(
            WrongChain,
            false,
            "the transaction is for another network",
            "take the chain id from GET /v1/network and sign again",
            "该交易属于另一个网络",
            "请从 GET /v1/network 取得链标识后重新签名",
        ),
        entry!(
            BadSignature,
            false,
            "the signature is not valid",
            "sign the exact bytes of the payload with the key named in the key id",
            "签名无效",
            "请用密钥标识所示的密钥对载荷原文签名",
        ),
        entry!(
            Expired,
            false,
            "the transaction has expired",
            "sign it again with a later valid_until",
            "交易已过有效期",
            "请用更晚的 valid_until 重新签名",
        ),
        entry!(
            ValidTooLong,
            true,
            "valid_until lies more than 1,024 blocks ahead",
            "sign it with a nearer valid_until, or send it later",
            "valid_until 超出当前高度 1,024 个区块",
            "请用较近的 valid_until 签名，或稍后再提交",
        ),
        entry!(
            Replayed,
            false,
            "this key has already used this nonce; the first transaction stands",
            "look at the first transaction; to act again, sign with a fresh nonce",
            "该密钥已用过此随机数；以首次提交的交易为准",
            "请查看首次提交的交易；如需再次办理，请换用新的随机数签名",
        ),
        entry!(
            UnknownModule,
            false,
            "no module of this name",
            "see docs/access.md for the modules of this network",
            "没有此名称的模块",
            "本网络的模块见 docs/access.md",
        ),
        entry!(
            UnknownCall,
            false,
            "the module has no call of this name",
            "see docs/access.md for the module's calls",
            "模块没有此名称的调用",
            "该模块的调用见 docs/access.md",
        ),
        entry!(
            MalformedArguments,
            false,
            "the arguments are not those of the call",
            "encode them as docs/calls.cddl says",
            "参数与该调用不符",
            "请按 docs/calls.cddl 编码参数",
        ),
        entry!(
            UnknownKey,
            true,
            "the key is not registered to a member of an organisation",
            "prove it with `zhulian member key prove`, and let a security administrator of your organisation register it with `zhulian member key register`",
            "该密钥未登记给任何机构成员",
            "请用 zhulian member key prove 出具持有证明，再由本机构安全管理员执行 zhulian member key register 登记",
        ),
        entry!(
            KeyNotActive,
            true,
            "the key is revoked, or its holder is suspended",
            "use your current key, or ask your organisation's administrators",
            "密钥已撤销，或其持有人已停用",
            "请使用现行密钥，或联系本机构管理员",
        ),
        entry!(
            NotAllowed,
            true,
            "the member has no role that allows this call",
            "see docs/access.md for the role it takes, and ask your security administrator",
            "该成员没有可执行此调用的角色",
            "所需角色见 docs/access.md，请联系本机构安全管理员",
        ),
        entry!(
            TooMuch,
            false,
            "what the call would write is larger than a block holds",
            "put less into one call; of a case, put large lists into files and deposit those",
            "该调用要写入的内容超出一个区块的容量",
            "请减少一次调用的内容；办件中的大型列表请改为文件存证",
        ),
        entry!(
            SignatureForm,
            false,
            "the ES256 signature is not in its low form: s is greater than n/2",
            "replace s by n − s, which takes no key, and send the transaction again; its id is another then",
            "ES256 签名不是低 s 形式：s 大于 n/2",
            "请将 s 替换为 n − s（无需密钥）后重新提交；交易编号随之改变",
        ),
    ]
};
