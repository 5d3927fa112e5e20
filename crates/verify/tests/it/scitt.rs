//! Our COSE Receipts before a judge that nobody in this project wrote: the program `scitt-cose` from PyPI, which knows RFC 9942.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use zhulian_crypto::SigningKey;
use zhulian_verify::{CoseStatement, Inclusion, cose_receipt, public_key_pem};

use crate::world::{World, ed25519, p256};

const PACKAGE: &str = "scitt-cose==0.5.0";

/// The virtual environment with the program, made once for all tests; `None`, and loudly so, on a machine without Python's `venv`.
/// Where there is one, the program must be installable: a test that silently stops testing is worse than one that fails.
fn environment() -> Option<PathBuf> {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let place = base.join(PACKAGE.replace("==", "-"));
    // Tests run side by side, perhaps in processes of their own; one installs, the others wait.
    let lock = File::create(base.join("scitt-cose.lock")).expect("a lock file");
    lock.lock().expect("a lock");
    let done = place.join("installed");
    if done.exists() {
        return Some(place);
    }
    let path = place.to_str().expect("a UTF-8 path");
    if let Err(why) = run(Path::new("python3"), &["-m", "venv", "--clear", path]) {
        eprintln!("\n*** NOT TESTED: the COSE Receipts, because there is no Python with venv and pip ***\n{why}\n");
        return None;
    }
    run(&place.join("bin/pip"), &["install", "--quiet", "--disable-pip-version-check", PACKAGE]).expect("pip installs");
    File::create(done).expect("a mark");
    Some(place)
}

fn run(program: &Path, args: &[&str]) -> Result<(), String> {
    match Command::new(program).args(args).output() {
        Ok(output) if output.status.success() => Ok(()),
        other => Err(format!("{} {}: {other:?}", program.display(), args.join(" "))),
    }
}

struct Case {
    receipt: Vec<u8>,
    leaf: Vec<u8>,
    pem: String,
}

fn case(world: &World, index: usize, key: &SigningKey) -> Case {
    let receipt = world.receipt(index, &[0, 1, 2]);
    let inclusion = Inclusion::of(&receipt).expect("a header");
    let subject = hex::encode(zhulian_crypto::sha256(&receipt.transaction));
    let statement = CoseStatement { issuer: "https://node.example", subject: &subject, issued_at: 1_795_334_407 };
    Case {
        receipt: cose_receipt(key, &statement, &inclusion),
        leaf: receipt.transaction,
        pem: public_key_pem(&key.public_key()),
    }
}

fn judge(environment: &Path, case: &Case) -> Output {
    let files = tempfile::tempdir().unwrap();
    let (receipt, key) = (files.path().join("receipt.cbor"), files.path().join("log.pem"));
    std::fs::write(&receipt, &case.receipt).unwrap();
    std::fs::write(&key, &case.pem).unwrap();
    Command::new(environment.join("bin/scitt-cose"))
        .arg("--receipt")
        .arg(receipt)
        .arg("--receipt-log-pubkey")
        .arg(key)
        .args(["--leaf-entry-hex", &hex::encode(&case.leaf), "--json"])
        .output()
        .expect("the program runs")
}

#[test]
fn a_stock_verifier_accepts_our_cose_receipts_and_no_others() {
    let Some(environment) = environment() else { return };
    let world = World::new();
    let keys = [ed25519("zhulian vectors: receipt issuer"), p256()];
    for key in &keys {
        for index in [0, 6] {
            let output = judge(&environment, &case(&world, index, key));
            assert!(output.status.success(), "{:?} leaf {index}: {output:?}", key.public_key().algorithm());
        }
        let refused = |what: &str, change: &dyn Fn(&mut Case)| {
            let mut changed = case(&world, 6, key);
            change(&mut changed);
            let output = judge(&environment, &changed);
            assert_eq!(output.status.code(), Some(1), "{what} changed, {:?}: {output:?}", key.public_key().algorithm());
        };
        refused("a bit of the leaf", &|case| case.leaf[100] ^= 1);
        refused("the last bit of the leaf", &|case| *case.leaf.last_mut().unwrap() ^= 1);
        refused("the leaf to another", &|case| case.leaf = world.blocks[0].transactions[1].clone());
        refused("the key", &|case| case.pem = public_key_pem(&ed25519("another").public_key()));
        refused("the last bit of the signature", &|case| *case.receipt.last_mut().unwrap() ^= 1);
        let receipt = case(&world, 6, key).receipt;
        let place = |bytes: &[u8]| receipt.windows(bytes.len()).position(|w| w == bytes).expect("in the receipt");
        refused("a bit of the issuer", &|case| case.receipt[place(b"https://node")] ^= 1);
        refused("a bit of the key id", &|case| case.receipt[place(key.public_key().as_bytes())] ^= 1);
        let step = Inclusion::of(&world.receipt(6, &[0, 1, 2])).unwrap().path[1];
        refused("a bit of the path", &|case| case.receipt[place(&step)] ^= 1);
    }
    let mut other_key = case(&world, 0, &keys[1]);
    other_key.pem = public_key_pem(&world.keys[0].public_key());
    assert_eq!(judge(&environment, &other_key).status.code(), Some(1), "the key of another curve");
}

/// Every bit of a receipt, by the same program within one process.
#[test]
fn a_stock_verifier_refuses_every_changed_bit() {
    let Some(environment) = environment() else { return };
    let world = World::new();
    // The last leaf of seven: neither the size nor the index of its place can change and lead to the same root.
    for key in [ed25519("zhulian vectors: receipt issuer"), p256()] {
        let case = case(&world, 6, &key);
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("receipt.cbor"), &case.receipt).unwrap();
        std::fs::write(files.path().join("log.pem"), &case.pem).unwrap();
        let output = Command::new(environment.join("bin/python"))
            .args(["-c", EVERY_BIT, &hex::encode(&case.leaf)])
            .current_dir(files.path())
            .output()
            .expect("Python runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(text.trim(), format!("{} bits, accepted: []", case.receipt.len() * 8), "{output:?}");
    }
}

const EVERY_BIT: &str = r#"
import contextlib, io, sys
from scitt_cose.cli import main
good = open('receipt.cbor', 'rb').read()
def code(receipt):
    with open('changed.cbor', 'wb') as file:
        file.write(receipt)
    args = ['--receipt', 'changed.cbor', '--receipt-log-pubkey', 'log.pem', '--leaf-entry-hex', sys.argv[1], '--json']
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            return main(args) or 0
        except SystemExit as exit:
            return exit.code or 0
        except Exception:
            return 2
assert code(good) == 0, 'the unchanged receipt is refused'
accepted = []
for bit in range(len(good) * 8):
    changed = bytearray(good)
    changed[bit // 8] ^= 1 << bit % 8
    if code(bytes(changed)) == 0:
        accepted.append(bit)
print(f'{len(good) * 8} bits, accepted: {accepted}')
"#;
