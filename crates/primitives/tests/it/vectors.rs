//! The encodings that everything rests on, pinned byte by byte. A change here breaks every ledger and every receipt.

use zhulian_crypto::{Algorithm, SigningKey};
use zhulian_primitives::{
    Call, Certificate, Code, Event, Header, Network, Raw, Receipt, Transaction, TransactionId, Validator, sign,
};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_secret(Algorithm::EdDsa, &[seed; 32]).expect("every seed is a key")
}

fn header() -> Header {
    Header {
        version: 1,
        chain: [0x11; 32],
        height: 77,
        time: 1_795_334_400_000,
        epoch: 0,
        view: 82,
        parent_view: 81,
        parent: [0x22; 32],
        proposer: [0x33; 32],
        transaction_count: 3,
        validators: [0x88; 32],
        transactions_root: [0x44; 32],
        receipts_root: [0x55; 32],
        state_root: [0x66; 32],
        sync_root: [0x77; 32],
        sync_start: 5,
        sync_end: 70_000,
    }
}

#[test]
fn transaction() {
    let call = Call {
        chain: [0x11; 32],
        module: "evidence",
        call: "deposit",
        args: &[0xa1, 0x00, 0x01],
        nonce: [0x22; 16],
        valid_until: 1000,
    };
    let bytes = sign(&call, &key(1));
    assert_eq!(
        hex::encode(&bytes[..bytes.len() - 64]),
        concat!(
            "d284",                                                                             // tag 18, array of 4
            "5826a201270458208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c", // {1: -8, 4: key}
            "a0",                                                                               // no unprotected header
            "5874",                                                                             // payload
            "a6",
            "6461726773a10001",                                                                 // args
            "6463616c6c676465706f736974",                                                       // call
            "65636861696e58201111111111111111111111111111111111111111111111111111111111111111", // chain
            "656e6f6e63655022222222222222222222222222222222",                                   // nonce
            "666d6f64756c656865766964656e6365",                                                 // module
            "6b76616c69645f756e74696c1903e8",                                                   // valid_until
            "5840",
        )
    );
    let transaction = Transaction::decode(&bytes).unwrap();
    assert_eq!(hex::encode(transaction.signature), PINNED_SIGNATURE);
    assert_eq!(transaction.id.to_string(), PINNED_ID);
    assert!(transaction.signed_bytes().starts_with(b"\x84\x6aSignature1\x58\x26"));
}

const PINNED_SIGNATURE: &str = "04f7e4d47e735c51c947c8279c170fe6213da8a4ad0780d43741811a260543c8354f0c21048d03da0925d7bc303ae272ff30096c1e69253651535d90eb17ea07";
const PINNED_ID: &str = "01cfbf87c56ad04020a0c1b8e53f435327298c47c5ef1b01e10c8fa66e18ca03";

#[test]
fn receipt() {
    let event = Event { module: "evidence".into(), name: "deposited".into(), data: Raw(vec![0xa1, 0x00, 0x05]) };
    let executed = Receipt { transaction: TransactionId([0x88; 32]), refusal: None, events: vec![event] };
    let bytes = hex::encode(executed.encode());
    let id = "88".repeat(32);
    assert_eq!(bytes, format!("835820{id}f68183{}{}a10005", "6865766964656e6365", "696465706f7369746564"));
    assert_eq!(Receipt::decode(&executed.encode()), Ok(executed));
    let refusal = Some(Code { module: "transaction".into(), number: 10 });
    let refused = Receipt { transaction: TransactionId([0x88; 32]), refusal, events: vec![] };
    assert_eq!(hex::encode(refused.encode()), format!("835820{id}826b7472616e73616374696f6e0a80"));
    assert_eq!(Receipt::decode(&refused.encode()), Ok(refused));
}

#[test]
fn header_and_its_digest() {
    let bytes = header().encode();
    let run = |byte: &str| format!("5820{}", byte.repeat(32));
    let parts = [
        "91".into(),
        "01".into(),
        run("11"),
        "184d".into(),
        "1b000001a20244e800".into(),
        "00".into(),
        "1852".into(),
        "1851".into(),
        run("22"),
        run("33"),
        "03".into(),
        run("88"),
        run("44"),
        run("55"),
        run("66"),
        run("77"),
        "05".into(),
        "1a00011170".into(),
    ];
    assert_eq!(hex::encode(&bytes), parts.concat());
    assert_eq!(Header::decode(&bytes), Ok(header()));
    assert_eq!(hex::encode(header().digest()), PINNED_DIGEST);
}

const PINNED_DIGEST: &str = "2ced685dade90402013e6462e618cdff20673da3e726e80272443e012b09b942";

#[test]
fn certificate_and_what_is_signed() {
    let mut certificate = Certificate {
        epoch: 0,
        view: 300,
        parent_view: 299,
        block: [0x99; 32],
        signatures: vec![(1, [0xaa; 64]), (24, [0xbb; 64])],
    };
    let (block, a, b) = ("99".repeat(32), "aa".repeat(64), "bb".repeat(64));
    assert_eq!(hex::encode(certificate.encode()), format!("850019012c19012b5820{block}8282015840{a}8218185840{b}"));
    assert_eq!(Certificate::decode(&certificate.encode()), Ok(certificate.clone()));
    let chain = "11".repeat(32);
    let namespace = format!("{}{chain}{}", hex::encode("zhulian"), hex::encode("_FINALIZE"));
    assert_eq!(hex::encode(certificate.message(&[0x11; 32])), format!("30{namespace}00ac02ab02{block}"));

    let mut keys: Vec<_> = (1..=4).map(key).collect();
    keys.sort_by_key(SigningKey::public_key);
    let validator = |key: &SigningKey| Validator {
        name: "v".into(),
        organisation: "o".into(),
        public_key: key.public_key().as_bytes().try_into().unwrap(),
    };
    let network =
        Network { name: "n".into(), chain: [0x11; 32], epoch: 0, validators: keys.iter().map(validator).collect() };
    let message = certificate.message(&network.chain);
    certificate.signatures = (1..4).map(|i| (i, keys[i as usize].sign(&message))).collect();
    assert_eq!(certificate.verify(&network), Ok(()));
    certificate.signatures.pop();
    assert!(certificate.verify(&network).is_err(), "two of four are no quorum");
}

#[test]
fn quorums() {
    let quorums: Vec<_> = (1..=10).map(zhulian_primitives::quorum).collect();
    assert_eq!(quorums, [1, 2, 3, 3, 4, 5, 5, 6, 7, 7]);
}
