//! The fork that mixing verification rules causes, and the proof that our one rule does not.

use curve25519_dalek::{constants::EIGHT_TORSION, edwards::EdwardsPoint, scalar::Scalar};
use sha2::{Digest, Sha512};
use zhulian_crypto::{PublicKey, Signed, verify_batch};

/// A signature by `secret` whose R carries the torsion component `torsion`: accepted by cofactored verification
/// (ZIP-215), refused by strict verification, and by naive batch verification refused or accepted as the dice fall.
fn crafted(secret: Scalar, nonce: Scalar, torsion: usize, message: &[u8]) -> (PublicKey, [u8; 64]) {
    let public = EdwardsPoint::mul_base(&secret).compress();
    let r = (EdwardsPoint::mul_base(&nonce) + EIGHT_TORSION[torsion]).compress();
    let mut hash = Sha512::new();
    hash.update(r.as_bytes());
    hash.update(public.as_bytes());
    hash.update(message);
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(r.as_bytes());
    signature[32..].copy_from_slice((nonce + k * secret).as_bytes());
    (PublicKey::parse(public.as_bytes()).expect("a point"), signature)
}

#[test]
fn single_and_batch_agree_on_crafted_small_order_signatures() {
    let messages: Vec<Vec<u8>> = (0..2_000u32).map(|n| n.to_be_bytes().to_vec()).collect();
    let items: Vec<Signed<'_>> = messages
        .iter()
        .enumerate()
        .map(|(n, message)| {
            let secret = Scalar::from(7 + (n as u64 % 50));
            let (key, signature) = crafted(secret, Scalar::from(1_000 + n as u64), n % 8, message);
            Signed { key, message, signature }
        })
        .collect();
    let single: Vec<bool> = items.iter().map(|i| i.key.verify(i.message, &i.signature)).collect();
    assert_eq!(single.iter().filter(|valid| **valid).count(), 2_000, "ZIP-215 accepts every one");
    for size in [1, 2, 7, 256, 1_024, 2_000] {
        let batched: Vec<bool> = items.chunks(size).flat_map(verify_batch).collect();
        assert_eq!(batched, single, "batches of {size}");
    }
}

#[test]
fn a_forgery_in_a_batch_is_named_and_spoils_no_other() {
    let keys: Vec<_> = (0..64).map(|_| zhulian_crypto::SigningKey::generate(zhulian_crypto::Algorithm::EdDsa)).collect();
    let mut items: Vec<Signed<'_>> = keys
        .iter()
        .map(|key| Signed { key: key.public_key(), message: b"message", signature: key.sign(b"message") })
        .collect();
    items[13].signature[40] ^= 1;
    items[40].message = b"another";
    let valid = verify_batch(&items);
    let refused: Vec<usize> = (0..64).filter(|i| !valid[*i]).collect();
    assert_eq!(refused, [13, 40]);
}
