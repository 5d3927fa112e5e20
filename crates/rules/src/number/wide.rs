//! Unsigned integers of 512 bits: products of two numbers and the fixed point of the transcendental functions.

use super::{Decimal, TEN, digits};
use std::cmp::Ordering;

/// 512 bits, least significant limb first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wide(pub [u64; 8]);

impl Wide {
    pub const ZERO: Self = Self([0; 8]);

    pub fn from_u128(n: u128) -> Self {
        let mut limbs = [0; 8];
        (limbs[0], limbs[1]) = (n as u64, (n >> 64) as u64);
        Self(limbs)
    }

    pub fn product(a: u128, b: u128) -> Self {
        Self::from_u128(a).mul(&Self::from_u128(b))
    }

    /// The product modulo 2^512; callers keep factors below 2^256.
    pub fn mul(&self, other: &Self) -> Self {
        let mut out = [0u64; 8];
        for (i, &a) in self.0.iter().enumerate() {
            if a == 0 {
                continue;
            }
            let mut carry = 0u128;
            for (j, &b) in other.0.iter().enumerate().take(8 - i) {
                let cell = u128::from(a) * u128::from(b) + u128::from(out[i + j]) + carry;
                out[i + j] = cell as u64;
                carry = cell >> 64;
            }
        }
        Self(out)
    }

    pub fn add(&self, other: &Self) -> Self {
        let (mut out, mut carry) = ([0u64; 8], 0u128);
        for (i, cell) in out.iter_mut().enumerate() {
            let sum = u128::from(self.0[i]) + u128::from(other.0[i]) + carry;
            *cell = sum as u64;
            carry = sum >> 64;
        }
        Self(out)
    }

    /// The difference; callers make sure that `self` is not smaller.
    pub fn sub(&self, other: &Self) -> Self {
        let (mut out, mut borrow) = ([0u64; 8], false);
        for (i, cell) in out.iter_mut().enumerate() {
            let (a, first) = self.0[i].overflowing_sub(other.0[i]);
            let (b, second) = a.overflowing_sub(u64::from(borrow));
            *cell = b;
            borrow = first || second;
        }
        Self(out)
    }

    /// Quotient and remainder by a machine word; by 0 gives 0.
    pub fn div_small(&self, by: u64) -> (Self, u64) {
        if by == 0 {
            return (Self::ZERO, 0);
        }
        let (mut out, mut rest) = ([0u64; 8], 0u128);
        for i in (0..8).rev() {
            let cell = (rest << 64) | u128::from(self.0[i]);
            out[i] = (cell / u128::from(by)) as u64;
            rest = cell % u128::from(by);
        }
        (Self(out), rest as u64)
    }

    /// Quotient by 10^power, and whether digits were lost.
    pub fn div_ten(&self, power: u32) -> (Self, bool) {
        let (mut out, mut left, mut lost) = (*self, power, false);
        while left > 0 && !out.is_zero() {
            let step = left.min(19);
            let (quotient, rest) = out.div_small(TEN[step as usize] as u64);
            lost |= rest != 0;
            (out, left) = (quotient, left - step);
        }
        (out, lost)
    }

    pub fn mul_ten(&self, power: u32) -> Self {
        let (mut out, mut left) = (*self, power);
        while left > 0 {
            let step = left.min(38);
            out = out.mul(&Self::from_u128(TEN[step as usize]));
            left -= step;
        }
        out
    }

    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|&limb| limb == 0)
    }

    pub fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }

    pub fn low_u128(&self) -> u128 {
        (u128::from(self.0[1]) << 64) | u128::from(self.0[0])
    }

    fn fits_u128(&self) -> bool {
        self.0[2..].iter().all(|&limb| limb == 0)
    }

    /// Rounds to a number `± self × 10^exponent`.
    pub fn into_decimal(self, negative: bool, exponent: i32) -> Option<Decimal> {
        let (mut value, mut e, mut sticky) = (self, exponent, false);
        while !value.fits_u128() || digits(value.low_u128()) > 37 {
            // Far too long: drop many digits at once, then one by one.
            let step = if value.0[3..].iter().any(|&limb| limb != 0) { 19 } else { 1 };
            let (quotient, lost) = value.div_ten(step);
            sticky |= lost;
            (value, e) = (quotient, e + step as i32);
        }
        Decimal::build(negative, value.low_u128(), e, sticky)
    }

    /// Bit `i`, counted from the least significant.
    pub fn shl1_or(&self, bit: bool) -> Self {
        let (mut out, mut carry) = ([0u64; 8], u64::from(bit));
        for (cell, &limb) in out.iter_mut().zip(&self.0) {
            *cell = (limb << 1) | carry;
            carry = limb >> 63;
        }
        Self(out)
    }

    pub fn bit(&self, i: usize) -> bool {
        self.0.get(i / 64).is_some_and(|limb| (limb >> (i % 64)) & 1 == 1)
    }
}
