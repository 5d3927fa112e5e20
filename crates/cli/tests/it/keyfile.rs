//! The key file: a vector, tampering with every field, and the commands on top.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use zhulian_api::{Hex32, HexBytes, view::StateView};
use zhulian_cli::{
    keyfile::{Cost, KeyFile, KeyFileError},
    private_file,
};
use zhulian_crypto::{Algorithm, SigningKey};
use zhulian_modules::identity::{Key, MemberId, Uscc};
use zhulian_primitives::codec;

use crate::support::{code, gateway, json, status, stderr, with_passphrase, zhulian};

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
fn a_key_that_could_not_be_written_whole_takes_no_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let torn = std::process::Command::new("sh")
        // No file may have a byte, so the program is killed in the middle of writing.
        .args(["-c", "ulimit -c 0; ulimit -f 0; exec \"$0\" key new clerk", env!("CARGO_BIN_EXE_zhulian")])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir.path())
        .env("ZHULIAN_HOME", dir.path().join("home"))
        .env("ZHULIAN_PASSPHRASE", PASSPHRASE)
        .output()
        .expect("a shell");
    assert!(!torn.status.success(), "{}", stderr(&torn));
    assert!(!dir.path().join("home/keys/clerk.zlkey").exists());
    let made = with_passphrase(dir.path(), PASSPHRASE, &["key", "new", "clerk"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
}

#[test]
fn a_rotation_that_was_interrupted_anywhere_is_finished_by_the_next() {
    let dir = tempfile::tempdir().expect("a directory");
    let vectors = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sdk/vectors/network.json");
    std::fs::copy(&vectors, dir.path().join("identity.json")).expect("a copy");
    assert_eq!(code(&zhulian(dir.path(), &["network", "trust", "identity.json"])), 0);
    let identity: Value = serde_json::from_str(&std::fs::read_to_string(&vectors).expect("text")).expect("JSON");
    let record = Key {
        organisation: Uscc::complete("11330100MB0F00001").expect("a code"),
        member: MemberId::parse("clerk").expect("a member"),
        from: 1,
        until: None,
        end: None,
    };
    // The network has every key that it is asked for.
    let state = StateView {
        key: Hex32([0; 32]),
        exists: true,
        value: Some(HexBytes(codec::to_bytes(&record))),
        height: 9,
        state_root: Hex32([0; 32]),
        header_bytes: HexBytes(Vec::new()),
        proof: HexBytes(Vec::new()),
    };
    let state = serde_json::to_value(state).expect("JSON");
    let url = gateway(vec![("/v1/status", status(&identity["chain"])), ("/v1/state/", state)]);

    let keys = dir.path().join("home/keys");
    private_file::create_dir(&keys).expect("a directory");
    let (path, waiting) = (keys.join("clerk.zlkey"), keys.join("clerk.zlkey-next"));
    let secret = |n: u8| SigningKey::from_secret(Algorithm::EdDsa, &[n; 32]).expect("a valid secret");
    let put = |path: &std::path::Path, n: u8| {
        let sealed = KeyFile::seal("clerk", &secret(n), PASSPHRASE, CHEAP).expect("a cost in bounds");
        private_file::replace(path, sealed.print().as_bytes()).expect("a file");
    };
    let has =
        |path: &std::path::Path| KeyFile::parse(&std::fs::read_to_string(path).expect("a file")).expect("a key").public_key;
    let rotate = || {
        let done = with_passphrase(dir.path(), PASSPHRASE, &["--url", &url, "--key", "clerk", "key", "rotate"]);
        assert_eq!(code(&done), 0, "{}", stderr(&done));
        assert!(!waiting.exists());
    };
    // Earlier versions could leave no file of the name.
    put(&waiting, 8);
    rotate();
    assert_eq!(has(&path), secret(8).public_key());
    // The network had the new key when it was interrupted, and the old file was kept already.
    let old = has(&path);
    let kept = keys.join(format!("clerk.zlkey-old-{}", &old.to_string()[..8]));
    put(&waiting, 9);
    put(&kept, 8);
    rotate();
    assert_eq!((has(&path), has(&kept)), (secret(9).public_key(), old));
    // A new key that was not written whole was told to nobody.
    private_file::replace(&waiting, b"").expect("a file");
    rotate();
    assert_ne!(has(&path), secret(9).public_key());
}

#[test]
fn a_private_file_is_written_once_and_leaves_nothing_beside_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("secret");
    private_file::create(&path, b"one").expect("a new file");
    assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
    assert!(private_file::create(&path, b"two").is_err());
    assert_eq!(std::fs::read(&path).expect("the file"), b"one");
    assert_eq!(std::fs::read_dir(dir.path()).expect("the directory").count(), 1);
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
