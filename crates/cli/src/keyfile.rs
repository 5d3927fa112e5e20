//! The key file: a signing key under a passphrase, Argon2id and ChaCha20-Poly1305. Specified in `docs/keyfile.md`.

use argon2::{Algorithm as Argon2Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    ChaCha20Poly1305, Nonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;
use zhulian_crypto::{Algorithm, PublicKey, SigningKey};

/// What the `format` field says.
pub const KEY_FORMAT: &str = "zhulian-key/1";
const KDF: &str = "argon2id";
const CIPHER: &str = "chacha20-poly1305";
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
/// Bytes of the largest key file that is read.
const FILE_BYTES_MAX: usize = 16 * 1024;
/// Bounds on what a file may ask of the machine that opens it.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const ITERATIONS_MAX: u32 = 64;
const LANES_MAX: u32 = 16;

/// How hard guessing a passphrase is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub iterations: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Cost {
    /// The second recommended option of RFC 9106 §4: 64 MiB, 3 passes, 4 lanes.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, iterations: 3, lanes: 4 }
    }
}

/// Why a key file is no good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Not JSON of the expected shape.
    #[error("the key file is damaged: not JSON of the published shape")]
    Malformed,
    /// Another format, key derivation or cipher.
    #[error("the key file is of another format or version")]
    UnknownFormat,
    /// It asks for more memory or time than is reasonable, or for none.
    #[error("the key file asks for an unreasonable key derivation")]
    UnreasonableCost,
    /// Wrong passphrase, or a changed byte: the cipher cannot tell which.
    #[error("the passphrase is wrong, or the key file was changed")]
    WrongPassphrase,
    /// The secret does not give the public key of the file.
    #[error("the secret in the key file does not belong to its public key")]
    OtherKey,
}

/// A key file's content. The private half is encrypted; the rest is authenticated with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// What its holder calls it.
    pub name: String,
    /// The public half, which anyone may know.
    pub public_key: PublicKey,
    cost: Cost,
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_BYTES],
    ciphertext: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    format: String,
    name: String,
    algorithm: String,
    public_key: String,
    kdf: KdfShape,
    cipher: CipherShape,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KdfShape {
    name: String,
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CipherShape {
    name: String,
    nonce: String,
}

impl KeyFile {
    /// Encrypts a key with fresh salt and nonce.
    ///
    /// # Errors
    /// When the cost is unreasonable.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn seal(name: &str, key: &SigningKey, passphrase: &str, cost: Cost) -> Result<Self, KeyFileError> {
        let (mut salt, mut nonce) = ([0; SALT_BYTES], [0; NONCE_BYTES]);
        getrandom::fill(&mut salt).expect("the operating system gives randomness");
        getrandom::fill(&mut nonce).expect("the operating system gives randomness");
        Self::seal_with(name, key, passphrase, cost, salt, nonce)
    }

    /// As [`Self::seal`], with given salt and nonce, for the published vectors. Never use a pair twice.
    ///
    /// # Errors
    /// When the cost is unreasonable.
    pub fn seal_with(
        name: &str,
        key: &SigningKey,
        passphrase: &str,
        cost: Cost,
        salt: [u8; SALT_BYTES],
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Self, KeyFileError> {
        let mut file = Self { name: name.into(), public_key: key.public_key(), cost, salt, nonce, ciphertext: Vec::new() };
        let secret = key.secret();
        let cipher = file.cipher(passphrase)?;
        let payload = Payload { msg: &secret[..], aad: &file.associated_data() };
        file.ciphertext = cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| KeyFileError::UnreasonableCost)?;
        Ok(file)
    }

    /// Decrypts the key.
    ///
    /// # Errors
    /// When the passphrase is wrong or any byte of the file was changed.
    pub fn open(&self, passphrase: &str) -> Result<SigningKey, KeyFileError> {
        let cipher = self.cipher(passphrase)?;
        let payload = Payload { msg: &self.ciphertext, aad: &self.associated_data() };
        let plain = cipher.decrypt(&Nonce::from(self.nonce), payload).map(Zeroizing::new);
        let plain = plain.map_err(|_| KeyFileError::WrongPassphrase)?;
        let mut secret = Zeroizing::new([0; 32]);
        if plain.len() != secret.len() {
            return Err(KeyFileError::Malformed);
        }
        secret.copy_from_slice(&plain);
        let key = SigningKey::from_secret(self.public_key.algorithm(), &secret).map_err(|_| KeyFileError::OtherKey)?;
        if key.public_key() != self.public_key {
            return Err(KeyFileError::OtherKey);
        }
        Ok(key)
    }

    fn cipher(&self, passphrase: &str) -> Result<ChaCha20Poly1305, KeyFileError> {
        let Cost { memory_kib, iterations, lanes } = self.cost;
        if memory_kib > MEMORY_KIB_MAX || iterations > ITERATIONS_MAX || lanes > LANES_MAX {
            return Err(KeyFileError::UnreasonableCost);
        }
        let params = Params::new(memory_kib, iterations, lanes, Some(32)).map_err(|_| KeyFileError::UnreasonableCost)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Argon2Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, &mut key[..])
            .map_err(|_| KeyFileError::UnreasonableCost)?;
        Ok(ChaCha20Poly1305::new(&(*key).into()))
    }

    /// Everything but the ciphertext, each text with its length before it, so that nothing can be moved or renamed.
    fn associated_data(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        let mut add = |bytes: &[u8]| {
            out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
            out.extend_from_slice(bytes);
        };
        add(KEY_FORMAT.as_bytes());
        add(self.name.as_bytes());
        add(self.public_key.algorithm().name().as_bytes());
        add(self.public_key.as_bytes());
        add(KDF.as_bytes());
        add(&self.cost.memory_kib.to_be_bytes());
        add(&self.cost.iterations.to_be_bytes());
        add(&self.cost.lanes.to_be_bytes());
        add(&self.salt);
        add(CIPHER.as_bytes());
        add(&self.nonce);
        out
    }

    /// The file's text, ending with a line feed.
    ///
    /// # Panics
    /// Never: strings and numbers serialise.
    pub fn print(&self) -> String {
        let shape = Shape {
            format: KEY_FORMAT.into(),
            name: self.name.clone(),
            algorithm: self.public_key.algorithm().name().into(),
            public_key: self.public_key.to_string(),
            kdf: KdfShape {
                name: KDF.into(),
                memory_kib: self.cost.memory_kib,
                iterations: self.cost.iterations,
                lanes: self.cost.lanes,
                salt: hex::encode(self.salt),
            },
            cipher: CipherShape { name: CIPHER.into(), nonce: hex::encode(self.nonce) },
            ciphertext: hex::encode(&self.ciphertext),
        };
        serde_json::to_string_pretty(&shape).expect("strings and numbers serialise") + "\n"
    }

    /// Reads a file's text strictly.
    ///
    /// # Errors
    /// When it is not of the published shape.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        use KeyFileError as E;
        if text.len() > FILE_BYTES_MAX {
            return Err(E::Malformed);
        }
        let shape: Shape = serde_json::from_str(text).map_err(|_| E::Malformed)?;
        if shape.format != KEY_FORMAT || shape.kdf.name != KDF || shape.cipher.name != CIPHER {
            return Err(E::UnknownFormat);
        }
        let public_key: PublicKey = shape.public_key.parse().map_err(|_| E::Malformed)?;
        if shape.algorithm != public_key.algorithm().name() {
            return Err(E::Malformed);
        }
        let bytes = |text: &str| hex::decode(text).map_err(|_| E::Malformed);
        Ok(Self {
            name: shape.name,
            public_key,
            cost: Cost { memory_kib: shape.kdf.memory_kib, iterations: shape.kdf.iterations, lanes: shape.kdf.lanes },
            salt: bytes(&shape.kdf.salt)?.try_into().map_err(|_| E::Malformed)?,
            nonce: bytes(&shape.cipher.nonce)?.try_into().map_err(|_| E::Malformed)?,
            ciphertext: bytes(&shape.ciphertext)?,
        })
    }
}

/// The algorithm of this name, as a person types it.
pub fn parse_algorithm(name: &str) -> Option<Algorithm> {
    match name.to_ascii_lowercase().as_str() {
        "eddsa" | "ed25519" => Some(Algorithm::EdDsa),
        "es256" | "p256" | "p-256" => Some(Algorithm::Es256),
        _ => None,
    }
}
