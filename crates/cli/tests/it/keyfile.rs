//! The key file: a vector, tampering with every field, and the commands on top.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use zhulian_cli::keyfile::{Cost, KeyFile, KeyFileError};
use zhulian_crypto::{Algorithm, SigningKey};

use crate::support::{code, json, stderr, with_passphrase, zhulian};

const CHEAP: Cost = Cost { memory_kib: 64, iterations: 1, lanes: 1 };
const PASSPHRASE: &str = "a passphrase of some length 口令";

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::from_secret(algorithm, &[7; 32]).expect("a valid secret")
}

fn file() -> KeyFile {
    KeyFile::seal_with("clerk", &key(Algorithm::EdDsa), PASSPHRASE, CHEAP, [1; 16], [2; 12]).expect("a cost in bounds")
}

#[test]
fn the_published_vector_is_reproduced() {
    let published = include_str!("../../../../docs/keyfile.md");
    let start = published.find("```json\n").expect("the document has an example") + 8;
    let end = start + published[start..].find("```").expect("the example ends");
    assert_eq!(&published[start..end], file().print());
}

#[test]
fn a_key_comes_back_with_its_passphrase_and_only_with_it() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let sealed = KeyFile::seal("x", &key(algorithm), PASSPHRASE, CHEAP).expect("a cost in bounds");
        let again = KeyFile::parse(&sealed.print()).expect("our own file");
        assert_eq!(again, sealed);
        let opened = again.open(PASSPHRASE).expect("the right passphrase");
        assert_eq!(*opened.secret(), [7; 32]);
        for wrong in ["", "a passphrase of some length", &PASSPHRASE.to_uppercase()] {
            assert_eq!(again.open(wrong).err(), Some(KeyFileError::WrongPassphrase));
        }
    }
}

#[test]
fn two_seals_of_one_key_differ() {
    let seal = || KeyFile::seal("x", &key(Algorithm::EdDsa), PASSPHRASE, CHEAP).expect("a cost in bounds");
    assert_ne!(seal().print(), seal().print());
}

/// Flips one hexadecimal digit or changes one text or number, everywhere in the file.
fn mutations(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => (0..text.len())
            .filter(|index| text.is_char_boundary(*index) && text.is_char_boundary(index + 1))
            .map(|index| {
                let mut bytes = text.clone().into_bytes();
                bytes[index] = match bytes[index] {
                    b'0' => b'1',
                    _ => b'0',
                };
                Value::String(String::from_utf8(bytes).expect("ASCII stays ASCII"))
            })
            .collect(),
        Value::Number(number) => vec![Value::from(number.as_u64().unwrap_or(0) + 1)],
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, inner)| {
                mutations(inner).into_iter().map(|changed| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), changed);
                    Value::Object(fields)
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_change_of_a_file_is_refused() {
    let original: Value = serde_json::from_str(&file().print()).expect("JSON");
    let changed = mutations(&original);
    assert!(changed.len() > 200, "only {} mutations", changed.len());
    for mutation in changed {
        let text = mutation.to_string();
        let outcome = KeyFile::parse(&text).and_then(|file| file.open(PASSPHRASE));
        assert!(outcome.is_err(), "accepted {text}");
    }
}

#[test]
fn unreasonable_and_unknown_files_are_refused() {
    let text = file().print();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} in {text}");
        KeyFile::parse(&text.replace(from, to)).and_then(|file| file.open(PASSPHRASE)).err()
    };
    assert_eq!(with("\"memory_kib\": 64", "\"memory_kib\": 4294967295"), Some(KeyFileError::UnreasonableCost));
    assert_eq!(with("\"iterations\": 1", "\"iterations\": 1000000"), Some(KeyFileError::UnreasonableCost));
    assert_eq!(with("\"lanes\": 1", "\"lanes\": 0"), Some(KeyFileError::UnreasonableCost));
    assert_eq!(with("zhulian-key/1", "zhulian-key/2"), Some(KeyFileError::UnknownFormat));
    assert_eq!(with("argon2id", "scrypt"), Some(KeyFileError::UnknownFormat));
    assert_eq!(with("\"name\": \"clerk\"", "\"name\": \"clerk\", \"note\": 1"), Some(KeyFileError::Malformed));
    assert_eq!(KeyFile::parse("").err(), Some(KeyFileError::Malformed));
    assert_eq!(KeyFile::parse(&" ".repeat(20_000)).err(), Some(KeyFileError::Malformed));
}

#[test]
fn the_commands_make_list_and_change_a_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let made = with_passphrase(dir.path(), PASSPHRASE, &["--json", "key", "new", "clerk"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let public = json(&made)["public_key"].clone();
    let path = dir.path().join("home/keys/clerk.zlkey");
    assert_eq!(std::fs::metadata(&path).expect("the key file").permissions().mode() & 0o777, 0o600);

    let again = with_passphrase(dir.path(), PASSPHRASE, &["key", "new", "clerk"]);
    assert_eq!(code(&again), 9);
    assert!(stderr(&again).contains("is not overwritten"), "{}", stderr(&again));

    let listed = zhulian(dir.path(), &["--json", "key", "list"]);
    assert_eq!(json(&listed)["keys"][0]["public_key"], public);
    let shown = zhulian(dir.path(), &["key", "export-public"]);
    assert_eq!(Value::from(crate::support::stdout(&shown).trim()), public);

    let new = dir.path().join("new-passphrase");
    std::fs::write(&new, "another passphrase\n").expect("a file");
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    let new = new.to_str().expect("UTF-8");
    let change = ["key", "change-passphrase", "clerk", "--new-passphrase-file", new];
    assert_eq!(code(&with_passphrase(dir.path(), "wrong passphrase", &change)), 9);
    assert_eq!(code(&with_passphrase(dir.path(), PASSPHRASE, &change)), 0);
    let text = std::fs::read_to_string(&path).expect("the key file");
    let file = KeyFile::parse(&text).expect("a key file");
    assert!(file.open(PASSPHRASE).is_err());
    assert!(file.open("another passphrase").is_ok());
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    with_passphrase(dir.path(), PASSPHRASE, &["key", "new", "clerk"]);
    let path = dir.path().join("home/keys/clerk.zlkey");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("its mode");
    let shown = zhulian(dir.path(), &["key", "show", "clerk"]);
    assert_eq!(code(&shown), 9);
    let text = stderr(&shown);
    assert!(text.contains("mode 0640") && text.contains("chmod 600"), "{text}");
}

#[test]
fn an_imported_secret_gives_the_known_public_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let secret = dir.path().join("secret");
    // RFC 8032 §7.1, test 1.
    std::fs::write(&secret, "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").expect("a file");
    let arguments = ["--json", "key", "import", "clerk", "--secret-file", secret.to_str().expect("UTF-8")];
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).expect("its mode");
    assert_eq!(code(&with_passphrase(dir.path(), PASSPHRASE, &arguments)), 9);
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    let imported = with_passphrase(dir.path(), PASSPHRASE, &arguments);
    assert_eq!(json(&imported)["public_key"], "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

#[test]
fn short_and_missing_passphrases_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let short = with_passphrase(dir.path(), "short", &["--json", "key", "new", "a"]);
    assert_eq!((code(&short), json(&short)["error"]["code"].clone()), (9, "key.passphrase_short".into()));
    let none = zhulian(dir.path(), &["--json", "key", "new", "a"]);
    assert_eq!((code(&none), json(&none)["error"]["code"].clone()), (9, "key.no_passphrase".into()));
}
