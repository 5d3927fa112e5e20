//! Names and facts that a deposit commits to without telling them, and their disclosure.
//!
//! On the ledger there is only `SHA-256("zhulian/commitment/1" ‖ salt ‖ text)`. The salts are not kept one by one: they follow from one
//! secret in the user's directory, so that a million of them need 32 bytes, and a run that is repeated commits to the same again.
//! Whoever shall learn a text is given its *opening*: text and salt in a small file, which anyone can check against the receipt.

use std::path::Path;

use serde::{Deserialize, Serialize};
use zhulian_crypto::{Digest, sha256_parts};
use zhulian_modules::evidence::{Details, GenerationField, commitment};
use zhulian_primitives::codec;
use zhulian_verify::Verified;

use crate::{
    failure::{Exit, Failure, Result, read_small, read_text},
    home::Home,
    private_file, text,
    text::Text,
};

/// Format of openings.
pub const OPENING_FORMAT: &str = "zhulian-opening/1";
/// The field under which a name is committed to; the others are those of [`GenerationField`].
pub const NAME: &str = "name";

/// The secret from which salts follow.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The user's secret, if there is one.
    ///
    /// # Errors
    /// When the file is damaged, or others may read it.
    pub fn find(home: &Home) -> Result<Option<Self>> {
        let path = home.commitment_secret_path();
        if !path.exists() {
            return Ok(None);
        }
        private_file::check_mode(&path)?;
        let bytes = read_small(&path)?;
        let secret = <[u8; 32]>::try_from(&bytes[..]).map_err(|_| {
            let shown = path.display();
            Failure::new(Exit::Key, "commitment.secret", text!("{shown} 已损坏", "{shown} is damaged"))
                .why(Text::fixed("文件应为 32 字节", "it should have 32 bytes"))
                .next(Text::fixed(
                    "请从备份恢复；若无备份，删除后新的存证使用新的盐值，旧承诺将无法公开",
                    "restore it from a backup; without one, remove it: new deposits get new salts, and old commitments can no longer be opened",
                ))
        })?;
        Ok(Some(Self(secret)))
    }

    /// The user's secret, made if there is none.
    ///
    /// # Errors
    /// As [`Self::find`], and when it cannot be written.
    pub fn of(home: &Home) -> Result<Self> {
        if let Some(secret) = Self::find(home)? {
            return Ok(secret);
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).expect("the operating system gives randomness");
        private_file::create_dir(&home.dir)?;
        private_file::create(&home.commitment_secret_path(), &secret)?;
        Ok(Self(secret))
    }

    /// The salt of a text about `file`: 32 bytes that nobody without the secret can tell from random ones.
    pub fn salt(&self, field: &str, file: &Digest, text: &str) -> [u8; 32] {
        sha256_parts(&[b"zhulian/salt/1", &self.0, file, &[field.len() as u8], field.as_bytes(), text.as_bytes()])
    }

    /// The commitment to a text about `file`.
    pub fn commit(&self, field: &str, file: &Digest, text: &str) -> Digest {
        commitment(&self.salt(field, file, text), text)
    }
}

/// What is needed to see that a commitment is to this text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// [`OPENING_FORMAT`].
    pub format: String,
    /// Number of the evidence.
    pub evidence: String,
    /// What the text says: [`NAME`], or a field of how the evidence was made.
    pub field: String,
    /// The text.
    pub text: String,
    /// The salt, 64 hexadecimal digits.
    pub salt: String,
}

impl Opening {
    /// Reads an opening.
    ///
    /// # Errors
    /// When the file cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self> {
        let opening: Self = serde_json::from_str(&read_text(path)?)
            .map_err(|error| unfit(path).why(crate::failure::library_reason(&error.to_string())))?;
        if opening.format == OPENING_FORMAT { Ok(opening) } else { Err(unfit(path)) }
    }

    /// Whether a deposit commits to this text.
    pub fn fits(&self, facts: &Verified) -> bool {
        let salt = hex::decode(&self.salt).ok().and_then(|salt| <[u8; 32]>::try_from(salt).ok());
        salt.is_some_and(|salt| committed(facts, &self.field) == Some(commitment(&salt, &self.text)))
    }
}

fn unfit(path: &Path) -> Failure {
    let shown = path.display();
    Failure::new(
        Exit::NoProof,
        "opening.malformed",
        text!("{shown} 不是承诺公开文件", "{shown} is no opening of a commitment"),
    )
}

/// What the deposit of a receipt says beside the file: its details.
pub fn details_of(facts: &Verified) -> Option<Details> {
    let key = match (facts.module.as_str(), facts.call.as_str()) {
        ("evidence", "deposit") => 1,
        ("evidence", "deposit_batch") => 2,
        _ => return None,
    };
    let mut d = minicbor::Decoder::new(&facts.args);
    let fields = d.map().ok()??;
    for _ in 0..fields {
        let found = d.u8().ok()?;
        let start = d.position();
        d.skip().ok()?;
        if found == key {
            return codec::from_bytes(&facts.args[start..d.position()]).ok();
        }
    }
    None
}

/// What a deposit commits to under a field.
pub fn committed(facts: &Verified, field: &str) -> Option<Digest> {
    if field == NAME
        && let Some((_, entry)) = &facts.entry
    {
        return entry.name_commitment;
    }
    let details = details_of(facts)?;
    if field == NAME {
        return details.name_commitment;
    }
    let field = GenerationField::parse(field)?;
    details.generation?.commitments.into_iter().find(|it| it.field == field).map(|it| it.commitment)
}

/// The digest that the salt of a field is bound to: that of the file for its name, that of the document of facts for the others.
pub fn context(facts: &Verified, field: &str) -> Option<Digest> {
    if field == NAME { facts.file().map(|file| file.sha256) } else { Some(details_of(facts)?.generation?.facts) }
}

/// The opening of a commitment to one of these texts, if it is to one of them and was made with this secret.
pub fn open(secret: &Secret, facts: &Verified, field: &str, candidates: &[String]) -> Option<Opening> {
    let (wanted, context) = (committed(facts, field)?, context(facts, field)?);
    let text = candidates.iter().find(|text| secret.commit(field, &context, text) == wanted)?;
    Some(Opening {
        format: OPENING_FORMAT.into(),
        evidence: crate::deposit::number_of(facts),
        field: field.into(),
        text: text.clone(),
        salt: hex::encode(secret.salt(field, &context, text)),
    })
}

/// What a file may have been called when it was deposited: its name, and its place below any of the folders above it.
pub fn names(file: &Path) -> Vec<String> {
    let full = std::path::absolute(file).unwrap_or_else(|_| file.into());
    let parts: Vec<String> = full.iter().filter_map(|part| part.to_str()).map(str::to_string).collect();
    (1..parts.len()).rev().map(|start| parts[start..].join("/")).collect()
}
