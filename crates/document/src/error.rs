use std::path::PathBuf;

/// Why a certificate could not be made. Each text says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// No Chinese font at any of the usual places.
    #[error(
        "no Chinese font was found (looked for {searched}). Install one with `apt-get install fonts-noto-cjk`, \
         or name a font file in ZHULIAN_FONT"
    )]
    FontMissing {
        /// The paths that were tried, joined by commas.
        searched: String,
    },
    /// The file named is there but cannot be read.
    #[error("the font {path} cannot be read: {source}. Check ZHULIAN_FONT, or run `apt-get install fonts-noto-cjk`")]
    FontUnreadable {
        /// The font file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is no font, or one without Chinese characters.
    #[error("{path} is not an OpenType font with Chinese characters. Run `apt-get install fonts-noto-cjk`")]
    FontUnsuitable {
        /// The font file.
        path: PathBuf,
    },
    /// A fact without which a certificate would state nothing.
    #[error("a certificate needs {0}")]
    FactMissing(&'static str),
    /// More signatures are claimed than the network has validators.
    #[error("{signed} validators signed, but the network has only {total}")]
    TooManySignatures {
        /// Validators named as signers.
        signed: usize,
        /// Validators of the network at that height.
        total: usize,
    },
    /// A place in a batch outside the batch.
    #[error("entry {index} is outside a batch of {size}")]
    BatchEntryOutside {
        /// Index, counted from zero.
        index: u64,
        /// Entries of the batch.
        size: u64,
    },
    /// A time past the year 9999, which neither the page nor the PDF can write.
    #[error("{0} ms after 1970 is past the year 9999")]
    TimeOutOfRange(u64),
    /// The link for the QR code is not a plain web address of at most 512 characters.
    #[error("the verification address must be http:// or https://, plain ASCII, at most 512 characters")]
    VerifyUrl,
    /// The PDF writer refused; for example a font whose licence forbids embedding.
    #[error("the PDF could not be written: {0}")]
    Pdf(String),
}
