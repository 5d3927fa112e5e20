//! What a depositor says about where evidence comes from and what it is for.

use minicbor::{Decode, Encode};
use zhulian_crypto::{Digest, sha256_parts};
use zhulian_primitives::{EvidenceId, Timestamp};

use super::{
    errors::Error,
    types::{CaseHint, LegalBasis, named},
};
use crate::{codec::optional_digest, identity::Uscc};

/// Items of the longest list in the details.
const LIST_LEN_MAX: usize = 16;

named! {
    /// Where evidence comes from.
    SourceType {
        /// A web page, 网页.
        Web = 0, "web";
        /// A recording of a screen, 录屏.
        Screen = 1, "screen";
        /// A file, 文件.
        File = 2, "file";
        /// An interface of a system, 接口.
        Api = 3, "api";
        /// A sensor, 传感器.
        Sensor = 4, "sensor";
        /// A contract, 合同.
        Contract = 5, "contract";
        /// A payment, 支付.
        Payment = 6, "payment";
        /// Anything else, 其他.
        Other = 7, "other";
    }
}
named! {
    /// A fact of how evidence was made, to which the depositor commits (人民法院在线诉讼规则 art. 18).
    GenerationField {
        /// The device.
        Device = 0, "device";
        /// Image of its operating system.
        System = 1, "system";
        /// Log of the check that it was clean.
        Cleanliness = 2, "cleanliness";
        /// Its network address.
        Address = 3, "address";
        /// Answers of the name service.
        Dns = 4, "dns";
        /// The address that was opened.
        Url = 5, "url";
        /// The certificates that the server showed.
        TlsChain = 6, "tls_chain";
        /// Who did it.
        Operator = 7, "operator";
        /// Where.
        Place = 8, "place";
    }
}

/// What a depositor says about evidence. Nothing in it is personal (E8): free text is short and looked through, and whatever
/// could be personal is a salted commitment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Details {
    /// Where it comes from.
    #[n(0)]
    pub source_type: SourceType,
    /// Why the deposit is lawful.
    #[n(1)]
    pub legal_basis: LegalBasis,
    /// Who holds the original, if not the depositor.
    #[n(2)]
    pub custodian: Option<Uscc>,
    /// The case it may serve.
    #[n(3)]
    pub case_hint: Option<CaseHint>,
    /// How it was made.
    #[n(4)]
    pub generation: Option<Generation>,
    /// Numbers of evidence that came before, ascending.
    #[cbor(n(5), skip_if = "Vec::is_empty")]
    pub prior_evidence: Vec<EvidenceId>,
    /// Until when it is to be kept.
    #[n(6)]
    pub retention_until: Option<Timestamp>,
    /// Salted commitment to its name.
    #[cbor(n(7), with = "optional_digest", has_nil)]
    pub name_commitment: Option<Digest>,
    /// Root over the log of the process that made it.
    #[cbor(n(8), with = "optional_digest", has_nil)]
    pub process_log_root: Option<Digest>,
    /// Codes of the depositor's own published list of notes, ascending.
    #[cbor(n(9), skip_if = "Vec::is_empty")]
    pub notes: Vec<u16>,
    /// SHA-256 of an RFC 3161 time-stamp token.
    #[cbor(n(10), with = "optional_digest", has_nil)]
    pub timestamp_token: Option<Digest>,
}

/// How evidence was made.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Generation {
    /// SHA-256 of the document of all facts, which the depositor keeps.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub facts: Digest,
    /// Salted commitments to single facts, ascending by field.
    #[cbor(n(1), skip_if = "Vec::is_empty")]
    pub commitments: Vec<FieldCommitment>,
}

/// A salted commitment to one fact.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FieldCommitment {
    /// The fact.
    #[n(0)]
    pub field: GenerationField,
    /// The commitment.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub commitment: Digest,
}

/// Commits to a text: `SHA-256("zhulian/commitment/1" ‖ salt ‖ text)`. The salt is random and stays with the depositor; who
/// destroys salt and text leaves a number that says nothing.
pub fn commitment(salt: &[u8; 32], text: &str) -> Digest {
    sha256_parts(&[b"zhulian/commitment/1", salt, text.as_bytes()])
}

impl Details {
    /// Details with nothing but what must be there.
    pub fn new(source_type: SourceType, legal_basis: LegalBasis) -> Self {
        Self {
            source_type,
            legal_basis,
            custodian: None,
            case_hint: None,
            generation: None,
            prior_evidence: Vec::new(),
            retention_until: None,
            name_commitment: None,
            process_log_root: None,
            notes: Vec::new(),
            timestamp_token: None,
        }
    }

    /// Checks that need no state.
    pub fn check(&self) -> Result<(), Error> {
        let commitments = self.generation.as_ref().map_or(&[][..], |generation| &generation.commitments);
        let fields: Vec<GenerationField> = commitments.iter().map(|commitment| commitment.field).collect();
        if is_list(&self.prior_evidence) && is_list(&self.notes) && is_list(&fields) {
            Ok(())
        } else {
            Err(Error::MalformedDetails)
        }
    }
}

/// Whether a list is short, ascending, and without doubles.
fn is_list<T: Ord>(items: &[T]) -> bool {
    items.len() <= LIST_LEN_MAX && items.windows(2).all(|pair| pair[0] < pair[1])
}
