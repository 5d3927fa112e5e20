//! The public check of a file: exactly three answers.

use std::io::{self, Read};

use zhulian_primitives::Network;

use crate::{FileHasher, FileRecord, HashedFile, Refusal, Verified, verify_receipt};

/// What a check of a file against a receipt finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The file is, byte for byte, the one that was deposited.
    Verified(Box<Verified>),
    /// The receipt is good, but what it proves is no deposit of a file: another call, a refused one, or a batch without its entry.
    NotDeposited(Box<Verified>),
    /// A file was deposited, and it is not this one.
    Mismatch(Box<Verified>, Box<Mismatch>),
}

/// How a file differs from the deposited one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was deposited.
    pub deposited: FileRecord,
    /// What was given.
    pub found: FileRecord,
    /// Which facts differ; not empty.
    pub fields: Vec<Field>,
    /// Which chunks of 1 MiB differ, from 0 and ascending, among them those that one of the files lacks. `None` when the
    /// receipt carries no chunk hashes.
    pub chunks: Option<Vec<u64>>,
}

/// A fact of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Its size.
    Size,
    /// Its SHA-256.
    Sha256,
    /// Its SM3.
    Sm3,
    /// The root over its chunks.
    ChunksRoot,
}

/// Why a check gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The receipt proves nothing.
    #[error("the receipt proves nothing: {0}")]
    Refused(#[from] Refusal),
    /// The file cannot be read.
    #[error("reading the file")]
    Read(#[from] io::Error),
}

impl Answer {
    /// `verified`, `not_deposited` or `mismatch`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Verified(_) => "verified",
            Self::NotDeposited(_) => "not_deposited",
            Self::Mismatch(..) => "mismatch",
        }
    }

    /// What the receipt proves, whatever the file is.
    pub fn facts(&self) -> &Verified {
        match self {
            Self::Verified(facts) | Self::NotDeposited(facts) | Self::Mismatch(facts, _) => facts,
        }
    }
}

/// Verifies a receipt, reads a file, and tells whether it is what was deposited.
///
/// # Errors
/// When the receipt is refused, which comes before a byte of the file is read, or the file cannot be read.
pub fn check_file(network: &Network, receipt: &[u8], file: impl Read) -> Result<Answer, CheckError> {
    let facts = verify_receipt(network, receipt)?;
    if facts.file().is_none() {
        return Ok(Answer::NotDeposited(Box::new(facts)));
    }
    Ok(check_record(facts, &FileHasher::read(file)?))
}

/// The same for a receipt that is verified and a file that is hashed already.
pub fn check_record(facts: Verified, given: &HashedFile) -> Answer {
    let Some(deposited) = facts.file().cloned() else { return Answer::NotDeposited(Box::new(facts)) };
    let found = given.record.clone();
    let fields: Vec<_> = [
        (Field::Size, deposited.size != found.size),
        (Field::Sha256, deposited.sha256 != found.sha256),
        (Field::Sm3, deposited.sm3 != found.sm3),
        (Field::ChunksRoot, deposited.chunks_root != found.chunks_root),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect();
    if fields.is_empty() {
        return Answer::Verified(Box::new(facts));
    }
    let chunks = facts.chunks.as_ref().map(|expected| {
        let count = expected.len().max(given.chunks.len());
        (0..count).filter(|i| expected.get(*i) != given.chunks.get(*i)).map(|i| i as u64).collect()
    });
    Answer::Mismatch(Box::new(facts), Box::new(Mismatch { deposited, found, fields, chunks }))
}
