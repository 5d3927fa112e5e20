//! Published vectors.

use zhulian_crypto::{Algorithm, PublicKey, SigningKey, is_low_s, other_s, sha256, sm3};

fn unhex<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).expect("hex").try_into().expect("the length")
}

#[test]
fn sm3_of_abc_is_the_standards_value() {
    // GB/T 32905-2016, Annex A.1.
    assert_eq!(hex::encode(sm3(b"abc")), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

#[test]
fn sha256_of_abc_is_the_standards_value() {
    // FIPS 180-4, example B.1.
    assert_eq!(hex::encode(sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn ed25519_signs_as_rfc_8032_test_2() {
    let secret = unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let key = SigningKey::from_secret(Algorithm::EdDsa, &secret).expect("a seed");
    assert_eq!(key.public_key().to_string(), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    let signature = unhex::<64>(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    assert_eq!(key.sign(&[0x72]), signature);
    assert!(key.public_key().verify(&[0x72], &signature));
    assert!(!key.public_key().verify(&[0x73], &signature));
}

#[test]
fn es256_verifies_rfc_6979_a_2_5() {
    let secret = unhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let key = SigningKey::from_secret(Algorithm::Es256, &secret).expect("a scalar");
    assert_eq!(key.public_key().to_string(), "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6");
    let signature = unhex::<64>(
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    );
    assert!(key.public_key().verify(b"sample", &signature));
    assert!(!key.public_key().verify(b"Sample", &signature));
    assert!(key.public_key().verify(b"own", &key.sign(b"own")));
}

#[test]
fn s_is_low_up_to_half_the_order() {
    let with = |s: &str| -> [u8; 64] { unhex(&format!("{}{s}", "07".repeat(32))) };
    let order = with("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let half = with("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8");
    let above = with("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9");
    assert!(is_low_s(&half) && !is_low_s(&above));
    assert_eq!((other_s(&half), other_s(&above)), (above, half));
    let (one, most) =
        (with(&format!("{:064x}", 1)), with("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"));
    assert!(is_low_s(&one) && !is_low_s(&most) && !is_low_s(&order) && !is_low_s(&[0xff; 64]));
    assert_eq!((other_s(&one), other_s(&most)), (most, one));
    // A greater byte before a smaller one, and the other way round.
    assert!(is_low_s(&with(&format!("7f{}", "ff".repeat(3) + &"00".repeat(28)))));
    assert!(!is_low_s(&with(&format!("80{}", "00".repeat(31)))));
}

#[test]
fn both_forms_are_valid_and_our_own_is_the_low_one() {
    let key = SigningKey::from_secret(Algorithm::Es256, &[7; 32]).expect("a scalar");
    for n in 0..64u8 {
        let signature = key.sign(&[n]);
        let other = other_s(&signature);
        assert!(is_low_s(&signature) && !is_low_s(&other) && other_s(&other) == signature);
        assert!(key.public_key().verify(&[n], &signature) && key.public_key().verify(&[n], &other));
    }
}

#[test]
fn bytes_that_are_no_key_are_refused() {
    assert!(PublicKey::parse(&[0; 31]).is_err());
    assert!(PublicKey::parse(&[0; 34]).is_err());
    assert!(PublicKey::parse(&[4; 33]).is_err());
    assert!(PublicKey::parse(&[0xff; 33]).is_err());
    let mut not_a_point = [0u8; 32];
    not_a_point[0] = 2;
    assert!(PublicKey::parse(&not_a_point).is_err());
}
