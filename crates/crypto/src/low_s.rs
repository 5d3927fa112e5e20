//! The two forms of an ES256 signature.
//!
//! If `(r, s)` is an ECDSA signature (SEC 1 §4.1), so is `(r, n − s)`, and whoever sees one can compute the other without the key.
//! Where a signature is part of what is named by its hash, only the lower of the two may count ("low s", as Bitcoin's BIP 146 has it).

use crate::Signature;

/// The order n of P-256 (SEC 2 §2.4.2, FIPS 186-5), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
    0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// n / 2, rounded down: the greatest s that is low. As n is odd, of s and n − s just one is low.
const HALF: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d, 0x56,
    0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// Whether an ES256 signature has the lower s: s ≤ n / 2. It says nothing of whether it is valid.
pub fn is_low_s(signature: &Signature) -> bool {
    signature[32..] <= HALF[..]
}

/// The other form of an ES256 signature: n − s in place of s, and as valid. What is above n is no signature and stays none.
pub fn other_s(signature: &Signature) -> Signature {
    let mut other = *signature;
    let mut borrow = 0u8;
    for at in (0..32).rev() {
        let (difference, first) = ORDER[at].overflowing_sub(signature[32 + at]);
        let (difference, second) = difference.overflowing_sub(borrow);
        other[32 + at] = difference;
        borrow = u8::from(first || second);
    }
    other
}

/// An ES256 signature in its low form.
pub(crate) fn lowered(signature: Signature) -> Signature {
    if is_low_s(&signature) { signature } else { other_s(&signature) }
}
