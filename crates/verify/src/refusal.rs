//! Why a receipt proves nothing. Codes are forever; texts may be improved.

use zhulian_primitives::{CertificateError, HandoverError, TransactionError};

use crate::Language;

/// Why a receipt is refused. The order of declaration is the order of the checks, and the first that fails is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The network identity itself is no good.
    #[error("the network identity is not valid")]
    BadNetwork,
    /// More than [`crate::RECEIPT_BYTES_MAX`].
    #[error("the receipt is larger than 1 MiB")]
    TooLarge,
    /// The first field names another format or version.
    #[error("the receipt is of another format or version")]
    UnknownFormat,
    /// Not the one encoding of a receipt file.
    #[error("the receipt is damaged: it is not the one encoding of a receipt file")]
    Malformed,
    /// The transaction is damaged, forged, or for another network.
    #[error("the transaction in the receipt: {0}")]
    Transaction(TransactionError),
    /// The outcome is not the one encoding of a receipt leaf.
    #[error("the outcome in the receipt is damaged")]
    OutcomeMalformed,
    /// The outcome belongs to another transaction.
    #[error("the outcome is that of another transaction")]
    OutcomeOfOther,
    /// A refused transaction cannot have events.
    #[error("the outcome is a refusal and yet has events")]
    OutcomeContradicts,
    /// The validators did not hand over to one another as the receipt shows.
    #[error("a handover between validators: {0}")]
    Handover(HandoverError),
    /// A header is not the one encoding of a header.
    #[error("a block header in the receipt is damaged")]
    HeaderMalformed,
    /// The rules of the block's protocol version are not known here.
    #[error("a block header has a protocol version that this verifier does not know")]
    UnknownVersion,
    /// A header of another network.
    #[error("a block header is of another network")]
    OtherNetwork,
    /// The epoch's validators are not those of the identity.
    #[error("a block header is of an epoch whose validators this receipt does not show")]
    UnknownEpoch,
    /// The proposer is no validator.
    #[error("a block was proposed by a key that is no validator of the network")]
    UnknownProposer,
    /// A header does not follow the one before it.
    #[error("the block headers do not follow one another")]
    BrokenChain,
    /// The path does not lead to the header's transactions root.
    #[error("the transaction is not in the block")]
    TransactionNotInBlock,
    /// The path does not lead to the header's receipts root.
    #[error("the outcome is not in the block")]
    OutcomeNotInBlock,
    /// Not the one encoding of a certificate.
    #[error("the certificate of finality is damaged")]
    CertificateMalformed,
    /// It is for another block, or for another round than the header's.
    #[error("the certificate of finality is for another block")]
    CertificateOfOther,
    /// It proves nothing: signers, quorum or signatures.
    #[error("the certificate of finality: {0}")]
    Certificate(CertificateError),
    /// An executed deposit whose arguments have another shape than published.
    #[error("the deposit is not of a shape that this verifier knows")]
    DepositMalformed,
    /// A batch entry, though the transaction deposits no batch.
    #[error("the receipt shows a batch entry, but its transaction deposits no batch")]
    EntryWithoutBatch,
    /// Not the one encoding of a batch entry.
    #[error("the batch entry in the receipt is damaged")]
    EntryMalformed,
    /// The path does not lead to the deposited root.
    #[error("the entry is not in the deposited batch")]
    EntryNotInBatch,
    /// Chunk hashes, though the receipt is for no single file.
    #[error("the receipt lists chunks, but deposits no single file")]
    ChunksWithoutFile,
    /// The chunk hashes do not lead to the deposited root.
    #[error("the listed chunks are not those of the deposited file")]
    ChunksOfOther,
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        use TransactionError as T;
        match self {
            Self::BadNetwork => "network.invalid",
            Self::TooLarge => "receipt.too_large",
            Self::UnknownFormat => "receipt.unknown_format",
            Self::Malformed => "receipt.malformed",
            Self::Transaction(error) => match error {
                T::TooLarge => "transaction.too_large",
                T::NotDeterministic => "transaction.not_deterministic",
                T::UnknownAlgorithm => "transaction.unknown_algorithm",
                T::MalformedKey => "transaction.malformed_key",
                T::WrongChain => "transaction.wrong_chain",
                T::BadSignature => "transaction.bad_signature",
                // Decoding and checking a signature yield no other error.
                _ => "transaction.malformed",
            },
            Self::OutcomeMalformed => "outcome.malformed",
            Self::OutcomeOfOther => "outcome.of_other",
            Self::OutcomeContradicts => "outcome.contradicts",
            Self::Handover(error) => match error {
                HandoverError::Malformed => "handover.malformed",
                HandoverError::OtherNetwork => "handover.other_network",
                HandoverError::Order => "handover.order",
                HandoverError::CertificateOfOther => "handover.certificate_of_other",
                HandoverError::Certificate(CertificateError::Signers) => "handover.signers",
                HandoverError::Certificate(CertificateError::NoQuorum) => "handover.no_quorum",
                HandoverError::Certificate(CertificateError::Signature(_)) => "handover.bad_signature",
                HandoverError::OtherValidators => "handover.other_validators",
                HandoverError::Validators => "handover.validators",
            },
            Self::HeaderMalformed => "header.malformed",
            Self::UnknownVersion => "header.unknown_version",
            Self::OtherNetwork => "header.other_network",
            Self::UnknownEpoch => "header.unknown_epoch",
            Self::UnknownProposer => "header.unknown_proposer",
            Self::BrokenChain => "header.broken_chain",
            Self::TransactionNotInBlock => "proof.transaction",
            Self::OutcomeNotInBlock => "proof.outcome",
            Self::CertificateMalformed => "certificate.malformed",
            Self::CertificateOfOther => "certificate.of_other",
            Self::Certificate(CertificateError::Signers) => "certificate.signers",
            Self::Certificate(CertificateError::NoQuorum) => "certificate.no_quorum",
            Self::Certificate(CertificateError::Signature(_)) => "certificate.bad_signature",
            Self::DepositMalformed => "deposit.malformed",
            Self::EntryWithoutBatch => "entry.without_batch",
            Self::EntryMalformed => "entry.malformed",
            Self::EntryNotInBatch => "entry.not_in_batch",
            Self::ChunksWithoutFile => "chunks.without_file",
            Self::ChunksOfOther => "chunks.of_other",
        }
    }

    /// The reason in words, without a full stop.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::En => self.to_string(),
            Language::Zh => self.chinese().into(),
        }
    }

    fn chinese(&self) -> &'static str {
        use TransactionError as T;
        match self {
            Self::BadNetwork => "网络身份文件无效",
            Self::TooLarge => "回执超过 1 MiB",
            Self::UnknownFormat => "回执的格式或版本不同",
            Self::Malformed => "回执已损坏：不是回执文件的唯一编码",
            Self::Transaction(error) => match error {
                T::TooLarge => "回执中的交易超过 65,536 字节",
                T::NotDeterministic => "回执中的交易不是确定性 CBOR 编码",
                T::UnknownAlgorithm => "回执中的交易签名算法不是 EdDSA 或 ES256，或与密钥不符",
                T::MalformedKey => "回执中的交易密钥不是受支持曲线上的公钥",
                T::WrongChain => "回执中的交易属于另一个网络",
                T::BadSignature => "回执中的交易签名无效",
                _ => "回执中的交易已损坏",
            },
            Self::OutcomeMalformed => "回执中的执行结果已损坏",
            Self::OutcomeOfOther => "执行结果属于另一笔交易",
            Self::OutcomeContradicts => "执行结果为拒绝，却带有事件",
            Self::Handover(error) => match error {
                HandoverError::Malformed => "验证节点交接：其中一部分已损坏",
                HandoverError::OtherNetwork => "验证节点交接：属于另一个网络",
                HandoverError::Order => "验证节点交接：不晚于前一次交接",
                HandoverError::CertificateOfOther => "验证节点交接：终局证书属于另一个区块",
                HandoverError::Certificate(CertificateError::Signers) => {
                    "验证节点交接：终局证书的签名者不是按序互异的验证节点"
                }
                HandoverError::Certificate(CertificateError::NoQuorum) => "验证节点交接：终局证书的签名未达法定数量",
                HandoverError::Certificate(CertificateError::Signature(_)) => "验证节点交接：终局证书中有验证节点的签名无效",
                HandoverError::OtherValidators => "验证节点交接：区块所定的是另一组验证节点",
                HandoverError::Validators => "验证节点交接：所列验证节点不能接任",
            },
            Self::HeaderMalformed => "回执中的区块头已损坏",
            Self::UnknownVersion => "区块头的协议版本不为本验证器所知",
            Self::OtherNetwork => "区块头属于另一个网络",
            Self::UnknownEpoch => "区块头所属任期的验证节点未在回执中给出",
            Self::UnknownProposer => "出块者不是该网络的验证节点",
            Self::BrokenChain => "区块头前后不衔接",
            Self::TransactionNotInBlock => "交易不在该区块中",
            Self::OutcomeNotInBlock => "执行结果不在该区块中",
            Self::CertificateMalformed => "终局证书已损坏",
            Self::CertificateOfOther => "终局证书属于另一个区块",
            Self::Certificate(CertificateError::Signers) => "终局证书的签名者不是按序互异的验证节点",
            Self::Certificate(CertificateError::NoQuorum) => "终局证书的签名未达法定数量",
            Self::Certificate(CertificateError::Signature(_)) => "终局证书中有验证节点的签名无效",
            Self::DepositMalformed => "存证内容的结构不为本验证器所知",
            Self::EntryWithoutBatch => "回执带有批量条目，但其交易不是批量存证",
            Self::EntryMalformed => "回执中的批量条目已损坏",
            Self::EntryNotInBatch => "该条目不在已存证的批次中",
            Self::ChunksWithoutFile => "回执列有分块，但并非单个文件的存证",
            Self::ChunksOfOther => "所列分块不属于已存证的文件",
        }
    }
}
