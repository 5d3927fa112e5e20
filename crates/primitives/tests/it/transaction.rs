use proptest::prelude::*;
use zhulian_crypto::{Algorithm, PublicKey, SigningKey};
use zhulian_primitives::{Call, Transaction, TransactionError, sign};

fn key(algorithm: Algorithm, seed: u8) -> SigningKey {
    // Neither zero nor a number above the order of P-256.
    SigningKey::from_secret(algorithm, &[seed.clamp(1, 0xfe); 32]).expect("a key")
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop_oneof![Just(Algorithm::EdDsa), Just(Algorithm::Es256)]
}

prop_compose! {
    fn args()(n in any::<u64>(), text in ".{0,20}", bytes in prop::collection::vec(any::<u8>(), 0..300)) -> Vec<u8> {
        let mut out = Vec::new();
        minicbor::Encoder::new(&mut out).map(2).unwrap().u64(n).unwrap().str(&text).unwrap()
            .str("z").unwrap().bytes(&bytes).unwrap();
        out
    }
}

prop_compose! {
    fn parts()(chain in any::<[u8; 32]>(), module in "[a-z_]{1,32}", call in "[a-z_]{1,32}", nonce in any::<[u8; 16]>(),
        valid_until in any::<u64>(), args in args(), algorithm in algorithm(), seed in any::<u8>())
        -> (([u8; 32], String, String, [u8; 16], u64, Vec<u8>), SigningKey) {
        ((chain, module, call, nonce, valid_until, args), key(algorithm, seed))
    }
}

proptest! {
    #[test]
    fn what_is_signed_is_what_is_decoded(((chain, module, name, nonce, valid_until, args), key) in parts()) {
        let call = Call { chain, module: &module, call: &name, args: &args, nonce, valid_until };
        let bytes = sign(&call, &key);
        let decoded = Transaction::decode(&bytes).expect("just signed");
        prop_assert_eq!(decoded.call, call);
        prop_assert_eq!(decoded.signer, key.public_key());
        prop_assert_eq!(decoded.id.0, zhulian_crypto::sha256(&bytes));
        prop_assert_eq!(decoded.verify(&chain), Ok(()));
        // The same call with the same signature has the same bytes: nothing of them is left to choose.
        prop_assert_eq!(decoded.call.encode(), call.encode());
    }

    #[test]
    fn a_changed_byte_is_refused_or_another_transaction(
        ((chain, module, name, nonce, valid_until, args), key) in parts(),
        place in any::<prop::sample::Index>(),
        xor in 1u8..,
    ) {
        let call = Call { chain, module: &module, call: &name, args: &args, nonce, valid_until };
        let good = sign(&call, &key);
        let id = Transaction::decode(&good).unwrap().id;
        let mut changed = good.clone();
        changed[place.index(good.len())] ^= xor;
        if let Ok(transaction) = Transaction::decode(&changed) {
            prop_assert_ne!(transaction.id, id);
            // And no change of a byte leaves a signature valid.
            prop_assert!(transaction.verify(&transaction.call.chain).is_err());
        }
    }

    #[test]
    fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Transaction::decode(&bytes);
    }
}

#[test]
fn every_changed_byte_of_a_transaction_is_refused() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let call =
            Call { chain: [9; 32], module: "evidence", call: "deposit", args: &[0xa0], nonce: [1; 16], valid_until: 1000 };
        let mut bytes = sign(&call, &key(algorithm, 7));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                let verdict = Transaction::decode(&bytes).and_then(|transaction| transaction.verify(&[9; 32]));
                assert!(verdict.is_err(), "byte {at} bit {bit}");
                bytes[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn size_is_bounded() {
    let args = |length: usize| minicbor::to_vec(minicbor::bytes::ByteVec::from(vec![0; length])).unwrap();
    let signed = |length| {
        let args = args(length);
        let call = Call { chain: [9; 32], module: "m", call: "c", args: &args, nonce: [1; 16], valid_until: 1 };
        sign(&call, &key(Algorithm::EdDsa, 7))
    };
    let rest = signed(60_000).len() - 60_000;
    assert!(Transaction::decode(&signed(65_536 - rest)).is_ok());
    assert_eq!(Transaction::decode(&signed(65_537 - rest)).unwrap_err(), TransactionError::TooLarge);
}

#[test]
fn the_key_says_the_algorithm() {
    let call = Call { chain: [9; 32], module: "m", call: "c", args: &[0xf6], nonce: [1; 16], valid_until: 1 };
    for (algorithm, id) in [(Algorithm::EdDsa, 0x27), (Algorithm::Es256, 0x26)] {
        let mut bytes = sign(&call, &key(algorithm, 7));
        assert_eq!(bytes[6], id, "alg is the seventh byte");
        assert!(matches!(
            (Transaction::decode(&bytes).unwrap().signer, algorithm),
            (PublicKey::EdDsa(_), Algorithm::EdDsa) | (PublicKey::Es256(_), Algorithm::Es256)
        ));
        bytes[6] ^= 1;
        assert_eq!(Transaction::decode(&bytes).unwrap_err(), TransactionError::UnknownAlgorithm);
    }
}
