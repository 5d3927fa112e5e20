use crate::DocumentError;

/// Longest address that still gives a QR code whose modules a telephone reads from paper.
const VERIFY_URL_LEN_MAX: usize = 512;

/// One text in both languages of the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bilingual {
    /// Simplified Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Bilingual {
    /// Both texts, Chinese first.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// An organisation as the certificate names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Name of the organisation.
    pub name: String,
    /// Unified social credit code (统一社会信用代码); may be empty when there is none.
    pub uscc: String,
}

/// The place of a deposit inside a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchEntry {
    /// Index in the batch's Merkle tree, counted from zero.
    pub index: u64,
    /// Entries of the batch.
    pub size: u64,
}

/// All that a certificate states. The caller vouches for every field; nothing is checked against a ledger here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Deposit number (存证编号).
    pub number: String,
    /// Title or file name; `None` when it is private.
    pub title: Option<String>,
    /// Status of the record when the certificate is made.
    pub status: Bilingual,
    /// Height of the state from which the status was read.
    pub status_height: u64,
    /// Time of that state's block, milliseconds since 1970 UTC.
    pub status_at_ms: u64,
    /// Block time of the deposit, milliseconds since 1970 UTC.
    pub deposited_at_ms: u64,
    /// Who deposited.
    pub depositor: Party,
    /// Who keeps the file, if told.
    pub custodian: Option<Party>,
    /// How the file came to be (web page, screen, file, sensor, ...), if told.
    pub source_type: Option<Bilingual>,
    /// The legal basis the depositor named, if any.
    pub legal_basis: Option<String>,
    /// SHA-256 of the file; of a batch as a whole its Merkle root.
    pub sha256: [u8; 32],
    /// SM3 of the file, if deposited.
    pub sm3: Option<[u8; 32]>,
    /// Bytes of the file, if known.
    pub size: Option<u64>,
    /// Chunks of 1 MiB under the file's Merkle root, if deposited.
    pub chunks: Option<u64>,
    /// Its place in a batch, if it was deposited in one.
    pub batch: Option<BatchEntry>,
    /// Entries of the batch, when it is certified as a whole: then there is no file.
    pub whole_batch: Option<u64>,
    /// Height of the block.
    pub height: u64,
    /// Digest of the block.
    pub block: [u8; 32],
    /// Id of the transaction.
    pub transaction: [u8; 32],
    /// Name of the network.
    pub network: String,
    /// SHA-256 of the network's genesis document.
    pub chain: [u8; 32],
    /// Organisations whose validators signed the finality certificate, in its order.
    pub signers: Vec<Party>,
    /// Validators of the network at that height.
    pub validators: usize,
    /// Organisation whose validator proposed the block.
    pub proposer: Party,
    /// Its place among the signers, if it is one: an organisation may have several validators of one name.
    pub proposer_signed: Option<usize>,
    /// Web address for the QR code, where a file can be checked.
    pub verify_url: String,
    /// Things a reader must know, such as a depositor who is also the custodian, or an earlier deposit of the same file.
    pub notes: Vec<Bilingual>,
}

impl CertificateFacts {
    /// Refuses facts that would make an empty or self-contradicting certificate.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        for (fact, text) in [
            ("a deposit number", &self.number),
            ("the depositor's name", &self.depositor.name),
            ("the network's name", &self.network),
        ] {
            if text.trim().is_empty() {
                return Err(DocumentError::FactMissing(fact));
            }
        }
        if self.signers.is_empty() {
            return Err(DocumentError::FactMissing("at least one validator that signed"));
        }
        if self.signers.len() > self.validators {
            return Err(DocumentError::TooManySignatures { signed: self.signers.len(), total: self.validators });
        }
        if let Some(BatchEntry { index, size }) = self.batch
            && index >= size
        {
            return Err(DocumentError::BatchEntryOutside { index, size });
        }
        let url = &self.verify_url;
        let web = url.starts_with("https://") || url.starts_with("http://");
        if !web || url.len() > VERIFY_URL_LEN_MAX || !url.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(DocumentError::VerifyUrl);
        }
        Ok(())
    }
}
