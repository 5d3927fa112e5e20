//! Square root, power, exponential and logarithm: correct to the last digit or one beside it, and the same everywhere.
//!
//! All but the root work in fixed point with 60 decimals, about 25 more than a result shows.

use super::wide::Wide;
use super::{Decimal, Rounding, digits};
use std::cmp::Ordering;

/// Decimals of the fixed point.
const SCALE: u32 = 60;
/// ln 10 with 60 decimals, as two halves of 30 and 31 digits.
const LN10_HIGH: u128 = 2_302_585_092_994_045_684_017_991_454_684;
const LN10_LOW: u128 = 364_207_601_101_488_628_772_976_033_328;

/// A signed fixed-point number: value × 10^60.
#[derive(Clone, Copy)]
struct Fixed {
    negative: bool,
    size: Wide,
}

impl Fixed {
    fn one() -> Self {
        Self { negative: false, size: Wide::from_u128(1).mul_ten(SCALE) }
    }

    fn ln10() -> Self {
        Self { negative: false, size: Wide::from_u128(LN10_HIGH).mul_ten(30).add(&Wide::from_u128(LN10_LOW)) }
    }

    /// Digits below the scale are cut off. Callers keep |n| below 10^17, so that nothing overflows.
    fn from_decimal(n: Decimal) -> Self {
        let shift = SCALE as i32 + n.exponent();
        let size = Wide::from_u128(n.coefficient());
        let size = if shift >= 0 { size.mul_ten(shift as u32) } else { size.div_ten((-shift) as u32).0 };
        Self { negative: n.is_negative(), size }
    }

    fn mul(&self, other: &Self) -> Self {
        Self { negative: self.negative != other.negative, size: self.size.mul(&other.size).div_ten(SCALE).0 }
    }

    fn add(&self, other: &Self) -> Self {
        if self.negative == other.negative {
            return Self { negative: self.negative, size: self.size.add(&other.size) };
        }
        match self.size.cmp(&other.size) {
            Ordering::Less => Self { negative: other.negative, size: other.size.sub(&self.size) },
            _ => Self { negative: self.negative, size: self.size.sub(&other.size) },
        }
    }

    fn neg(&self) -> Self {
        Self { negative: !self.negative, size: self.size }
    }

    fn times(&self, n: i64) -> Self {
        let size = self.size.mul(&Wide::from_u128(u128::from(n.unsigned_abs())));
        Self { negative: self.negative != (n < 0), size }
    }

    /// e^self as (value, power of ten); |self| is below 10^5.
    fn exp(&self) -> (Self, i32) {
        let ln10 = Self::ln10();
        // self = k ln 10 + r with r in [0, ln 10): subtract by long division in decimal steps.
        let (mut rest, mut k) = (*self, 0i64);
        for step in [10_000i64, 1_000, 100, 10, 1] {
            let unit = ln10.times(step);
            for _ in 0..11 {
                if !rest.negative && rest.size.cmp(&unit.size) != Ordering::Less {
                    (rest, k) = (rest.add(&unit.neg()), k + step);
                } else if rest.negative && !rest.size.is_zero() {
                    (rest, k) = (rest.add(&unit), k - step);
                } else {
                    break;
                }
            }
        }
        // Halve six times for a short series, then square six times.
        let small = Self { negative: rest.negative, size: rest.size.div_small(64).0 };
        let (mut sum, mut term) = (Self::one(), Self::one());
        for n in 1..=60u64 {
            term = term.mul(&small);
            term.size = term.size.div_small(n).0;
            if term.size.is_zero() {
                break;
            }
            sum = sum.add(&term);
        }
        for _ in 0..6 {
            sum = sum.mul(&sum);
        }
        (sum, k as i32)
    }

    /// ln of a positive number.
    fn ln(n: Decimal) -> Self {
        let power = digits(n.coefficient()) as i32 - 1;
        let mantissa = Decimal::build(false, n.coefficient(), -power, false).unwrap_or(Decimal::ONE);
        let m = Self::from_decimal(mantissa);
        // Newton: y + m e^-y - 1. From the first digit of m the error squares each time.
        let mut y = Self::one();
        for _ in 0..12 {
            let (value, ten) = y.neg().exp();
            let scaled = if ten < 0 { Self { negative: false, size: value.size.div_ten((-ten) as u32).0 } } else { value };
            let change = m.mul(&scaled).add(&Self::one().neg());
            y = y.add(&change);
            if change.size.cmp(&Wide::from_u128(1000)) == Ordering::Less {
                break;
            }
        }
        y.add(&Self::ln10().times(i64::from(power + n.exponent())))
    }

    fn into_decimal(self, ten: i32) -> Option<Decimal> {
        self.size.into_decimal(self.negative, ten - SCALE as i32)
    }
}

impl Decimal {
    /// The square root; `None` below zero.
    pub fn sqrt(self) -> Option<Self> {
        if self.is_negative() {
            return None;
        }
        if self.is_zero() {
            return Some(self);
        }
        // 68 or 69 digits under the root give 34 or 35 digits above, and an even exponent.
        let c = self.coefficient();
        let mut shift = 70 - digits(c) as i32;
        shift -= (self.exponent() - shift).rem_euclid(2);
        let radicand = Wide::from_u128(c).mul_ten(shift.max(0) as u32);
        // Digit by digit in base 2.
        let (mut root, mut rest) = (Wide::ZERO, Wide::ZERO);
        for i in (0..128).rev() {
            rest = rest.shl1_or(radicand.bit(2 * i + 1)).shl1_or(radicand.bit(2 * i));
            let trial = root.shl1_or(false).shl1_or(true);
            let fits = rest.cmp(&trial) != Ordering::Less;
            if fits {
                rest = rest.sub(&trial);
            }
            root = root.shl1_or(fits);
        }
        Self::build(false, root.low_u128(), (self.exponent() - shift) / 2, !rest.is_zero())
    }

    /// e to the power of the number; `None` when too large.
    pub fn exp(self) -> Option<Self> {
        if self.abs() > Self::from(20_000) {
            return if self.is_negative() { Some(Self::ZERO) } else { None };
        }
        let (value, ten) = Fixed::from_decimal(self).exp();
        value.into_decimal(ten)
    }

    /// The natural logarithm; `None` unless the number is positive.
    pub fn ln(self) -> Option<Self> {
        if self.is_negative() || self.is_zero() {
            return None;
        }
        if self == Self::ONE {
            return Some(Self::ZERO);
        }
        Fixed::ln(self).into_decimal(0)
    }

    /// The number to a power; `None` where there is no real answer or it is too large.
    pub fn pow(self, power: Self) -> Option<Self> {
        if power.is_zero() {
            return Some(Self::ONE);
        }
        if self.is_zero() {
            return if power.is_negative() { None } else { Some(Self::ZERO) };
        }
        if let Some(n) = power.to_i64().filter(|n| n.abs() <= 1_000) {
            return self.pow_integer(n);
        }
        let odd = power.is_integer() && power.modulo(Self::from(2))? == Self::ONE;
        if self.is_negative() && !power.is_integer() {
            return None;
        }
        if self.abs() == Self::ONE {
            return Some(if self.is_negative() && odd { self } else { Self::ONE });
        }
        // |ln x| > 10^-34 and < 14,200: a power beyond 10^40 decides the size alone.
        if power.abs() > Self::new(1, 17)? {
            let grows = (self.abs() > Self::ONE) != power.is_negative();
            return if grows { None } else { Some(Self::ZERO) };
        }
        let product = Fixed::ln(self.abs()).mul(&Fixed::from_decimal(power));
        let limit = Fixed::one().times(20_000);
        if product.size.cmp(&limit.size) == Ordering::Greater {
            return if product.negative { Some(Self::ZERO) } else { None };
        }
        let (value, ten) = product.exp();
        let result = value.into_decimal(ten)?;
        Some(if self.is_negative() && odd { result.neg() } else { result })
    }

    fn pow_integer(self, n: i64) -> Option<Self> {
        let (mut result, mut base, mut left) = (Self::ONE, self, n.unsigned_abs());
        while left > 0 {
            if left & 1 == 1 {
                result = result.mul(base)?;
            }
            left >>= 1;
            if left > 0 {
                base = base.mul(base)?;
            }
        }
        if n < 0 { Self::ONE.div(result) } else { Some(result) }
    }

    /// Whether the number is an even integer; fractions are cut off first, as the TCK wants.
    pub fn is_even(self) -> bool {
        self.round(0, Rounding::Down).and_then(|n| n.modulo(Self::from(2))).is_some_and(|rest| rest.is_zero())
    }
}
