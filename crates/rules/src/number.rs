//! FEEL numbers: decimals of 34 significant digits, rounded half-even (DMN 1.5 §10.3.2.3.1, IEEE 754 decimal128).
//!
//! Our own arithmetic rather than a library's, because two nodes must agree on every digit and every string:
//! * one value has exactly one representation, so equal numbers are equal bytes;
//! * nothing panics and nothing is a float: an operation that has no answer gives `None`;
//! * small coefficients, which is nearly all of them, never leave machine words.

mod functions;
mod text;
mod wide;

use std::cmp::Ordering;
use wide::Wide;

/// Significant digits of a number.
pub const DIGITS_MAX: u32 = 34;
/// Largest exponent of the leading digit.
const ADJUSTED_MAX: i32 = 6144;
/// Smallest exponent of the last digit.
const EXPONENT_MIN: i32 = -6176;

/// Powers of ten that fit 128 bits.
pub(crate) const TEN: [u128; 39] = {
    let mut table = [1u128; 39];
    let mut i = 1;
    while i < 39 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

/// A decimal number `±coefficient × 10^exponent` in canonical form.
///
/// Canonical: zero is `+0 × 10^0`; a fraction has no trailing zero; an integer below 10^34 has exponent 0;
/// a larger one has a coefficient of 34 digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    low: u64,
    high: u64,
    exponent: i16,
    negative: bool,
}

/// How digits are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, ties to the even digit.
    HalfEven,
    /// To the nearest, ties away from zero.
    HalfUp,
    /// To the nearest, ties towards zero.
    HalfDown,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
    /// Towards negative infinity.
    Floor,
    /// Towards positive infinity.
    Ceiling,
}

/// Number of decimal digits; 0 for 0.
pub(crate) fn digits(n: u128) -> u32 {
    if n == 0 {
        return 0;
    }
    // 1233/4096 approximates log10(2); the table corrects the estimate by one.
    let bits = 128 - n.leading_zeros();
    let guess = (bits * 1233) >> 12;
    guess + u32::from(n >= TEN[guess as usize])
}

// These return an option, which the operators of the language could not.
#[allow(clippy::should_implement_trait)]
impl Decimal {
    /// The number 0.
    pub const ZERO: Self = Self { low: 0, high: 0, exponent: 0, negative: false };
    /// The number 1.
    pub const ONE: Self = Self { low: 1, high: 0, exponent: 0, negative: false };

    /// The absolute value without its exponent.
    #[inline]
    pub fn coefficient(&self) -> u128 {
        (u128::from(self.high) << 64) | u128::from(self.low)
    }

    /// The power of ten the coefficient is multiplied with.
    #[inline]
    pub fn exponent(&self) -> i32 {
        i32::from(self.exponent)
    }

    /// Whether the number is below zero.
    #[inline]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether the number is zero.
    #[inline]
    pub fn is_zero(&self) -> bool {
        self.low == 0 && self.high == 0
    }

    /// Whether the number has no fraction.
    #[inline]
    pub fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    #[inline]
    fn raw(negative: bool, coefficient: u128, exponent: i32) -> Self {
        Self { low: coefficient as u64, high: (coefficient >> 64) as u64, exponent: exponent as i16, negative }
    }

    /// Rounds half-even to 34 digits and makes canonical; `None` when too large. `sticky`: more non-zero digits follow.
    pub(crate) fn build(negative: bool, coefficient: u128, exponent: i32, sticky: bool) -> Option<Self> {
        let (mut c, mut e) = (coefficient, exponent);
        if e == 0 && !sticky && c < TEN[19] {
            return Some(Self::raw(negative && c != 0, c, 0));
        }
        let length = digits(c);
        let mut drop = length.saturating_sub(DIGITS_MAX);
        // Subnormal: digits below the smallest exponent are rounded away.
        if e < EXPONENT_MIN - drop as i32 {
            drop = u32::try_from(EXPONENT_MIN - e).ok()?;
        }
        if drop > 0 {
            (c, e) = if drop > 38 {
                (0, EXPONENT_MIN)
            } else {
                (round_shift(c, drop, sticky, Rounding::HalfEven, negative), e.checked_add(drop as i32)?)
            };
            if c == TEN[34] {
                (c, e) = (TEN[33], e + 1);
            }
        }
        if c == 0 {
            return Some(Self::ZERO);
        }
        if e < 0 {
            (c, e) = strip_zeros(c, e);
        } else if e > 0 {
            let room = (DIGITS_MAX - digits(c)).min(e as u32);
            (c, e) = (c * TEN[room as usize], e - room as i32);
        }
        if e + digits(c) as i32 - 1 > ADJUSTED_MAX {
            return None;
        }
        Some(Self::raw(negative, c, e))
    }

    /// `coefficient × 10^exponent`, rounded to 34 digits; `None` when out of range.
    pub fn new(coefficient: i128, exponent: i32) -> Option<Self> {
        if !(-20_000..=20_000).contains(&exponent) {
            return if coefficient == 0 || exponent < 0 { Some(Self::ZERO) } else { None };
        }
        Self::build(coefficient < 0, coefficient.unsigned_abs(), exponent, false)
    }

    /// The sum; `None` on overflow.
    #[inline]
    pub fn add(self, other: Self) -> Option<Self> {
        if self.exponent == other.exponent && self.high == 0 && other.high == 0 {
            let (a, b) = (u128::from(self.low), u128::from(other.low));
            let (negative, c) = if self.negative == other.negative {
                (self.negative, a + b)
            } else if a >= b {
                (self.negative, a - b)
            } else {
                (other.negative, b - a)
            };
            return Self::build(negative, c, self.exponent(), false);
        }
        self.add_aligned(other)
    }

    fn add_aligned(self, other: Self) -> Option<Self> {
        if self.is_zero() {
            return Some(other);
        }
        if other.is_zero() {
            return Some(self);
        }
        // `a` has the larger exponent and is scaled up towards the exponent of `b`.
        let (a, b) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let gap = (a.exponent() - b.exponent()) as u32;
        let room = 37 - digits(a.coefficient()).min(37);
        let (mut ca, mut cb, mut e, mut sticky) = (a.coefficient(), b.coefficient(), b.exponent(), false);
        if gap <= room {
            ca *= TEN[gap as usize];
        } else {
            ca *= TEN[room as usize];
            let drop = gap - room;
            let unit = if drop > 38 { None } else { Some(TEN[drop as usize]) };
            let (q, r) = unit.map_or((0, cb), |unit| (cb / unit, cb % unit));
            (cb, sticky, e) = (q, r != 0, a.exponent() - room as i32);
        }
        if a.negative == b.negative {
            return if sticky {
                Self::build(a.negative, ca + cb, e, true)
            } else {
                Self::build(a.negative, ca + cb, e, false)
            };
        }
        let negative = if ca >= cb { a.negative } else { b.negative };
        let difference = ca.abs_diff(cb);
        if sticky {
            // a - b - something below one unit: one digit more carries it.
            return Self::build(negative, difference * 10 - 1, e - 1, true);
        }
        Self::build(negative, difference, e, false)
    }

    /// The difference; `None` on overflow.
    #[inline]
    pub fn sub(self, other: Self) -> Option<Self> {
        self.add(other.neg())
    }

    /// The number with the opposite sign.
    #[inline]
    pub fn neg(self) -> Self {
        Self { negative: !self.negative && !self.is_zero(), ..self }
    }

    /// The number without its sign.
    pub fn abs(self) -> Self {
        Self { negative: false, ..self }
    }

    /// The product; `None` on overflow.
    pub fn mul(self, other: Self) -> Option<Self> {
        let negative = self.negative != other.negative;
        let e = self.exponent() + other.exponent();
        if self.high == 0 && other.high == 0 {
            return Self::build(negative, u128::from(self.low) * u128::from(other.low), e, false);
        }
        let (a, b) = (self.coefficient(), other.coefficient());
        if let Some(c) = a.checked_mul(b) {
            return Self::build(negative, c, e, false);
        }
        Wide::product(a, b).into_decimal(negative, e)
    }

    /// The quotient rounded half-even; `None` when the divisor is zero or the result too large.
    pub fn div(self, other: Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        if self.is_zero() {
            return Some(Self::ZERO);
        }
        let negative = self.negative != other.negative;
        let (a, b) = (self.coefficient(), other.coefficient());
        let mut e = self.exponent() - other.exponent();
        // Division by 10, 100, ... only moves the point.
        if let Some(shift) = TEN[..20].iter().position(|&ten| ten == b) {
            return Self::build(negative, a, e - shift as i32, false);
        }
        let (mut quotient, mut rest) = (a / b, a % b);
        // Long division by as many digits at a time as 128 bits allow, until 35 digits are known.
        let step_max = 38 - digits(b);
        while rest != 0 && digits(quotient) < 35 {
            let step = step_max.min(37 - digits(quotient)).max(1);
            let scaled = rest * TEN[step as usize];
            quotient = quotient * TEN[step as usize] + scaled / b;
            rest = scaled % b;
            e -= step as i32;
        }
        Self::build(negative, quotient, e, rest != 0)
    }

    /// The remainder of floored division, with the sign of the divisor (DMN 1.5 table 73, `modulo`).
    pub fn modulo(self, divisor: Self) -> Option<Self> {
        let quotient = self.div(divisor)?.round(0, Rounding::Floor)?;
        // A quotient beyond 34 digits has lost the digits the remainder depends on.
        if quotient.exponent != 0 {
            return None;
        }
        self.sub(divisor.mul(quotient)?)
    }

    /// The number with at most `scale` digits after the point. Negative scales round before the point.
    pub fn round(self, scale: i32, mode: Rounding) -> Option<Self> {
        let drop = -self.exponent() - scale;
        if drop <= 0 {
            return Some(self);
        }
        let c = if drop > 38 {
            let away = match mode {
                Rounding::Up => true,
                Rounding::Floor => self.negative,
                Rounding::Ceiling => !self.negative,
                _ => false,
            };
            u128::from(away && !self.is_zero())
        } else {
            round_shift(self.coefficient(), drop as u32, false, mode, self.negative)
        };
        Self::build(self.negative, c, -scale, false)
    }

    /// The value as a machine integer, when it is one and fits.
    pub fn to_i64(self) -> Option<i64> {
        if self.exponent != 0 || self.high != 0 {
            return None;
        }
        let magnitude = i128::from(self.low);
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    /// The value without its fraction as a machine integer, when it fits.
    pub fn truncate_to_i64(self) -> Option<i64> {
        self.round(0, Rounding::Down)?.to_i64()
    }
}

/// Removes trailing zeros of a fraction.
fn strip_zeros(mut c: u128, mut e: i32) -> (u128, i32) {
    while e < 0 && c > u128::from(u64::MAX) && c.is_multiple_of(10) {
        (c, e) = (c / 10, e + 1);
    }
    if let Ok(mut small) = u64::try_from(c) {
        while e < 0 && small.is_multiple_of(10) {
            (small, e) = (small / 10, e + 1);
        }
        return (u128::from(small), e);
    }
    (c, e)
}

/// `c / 10^drop` rounded as told; `drop` is at most 38.
fn round_shift(c: u128, drop: u32, sticky: bool, mode: Rounding, negative: bool) -> u128 {
    let unit = TEN[drop as usize];
    let (quotient, rest) = (c / unit, c % unit);
    let exact = rest == 0 && !sticky;
    let half = match rest.cmp(&(unit / 2)) {
        Ordering::Equal if unit > 1 && !sticky => Ordering::Equal,
        Ordering::Equal => Ordering::Greater,
        other => other,
    };
    let away = match mode {
        Rounding::HalfEven => half == Ordering::Greater || (half == Ordering::Equal && quotient % 2 == 1),
        Rounding::HalfUp => half != Ordering::Less,
        Rounding::HalfDown => half == Ordering::Greater,
        Rounding::Up => !exact,
        Rounding::Down => false,
        Rounding::Floor => !exact && negative,
        Rounding::Ceiling => !exact && !negative,
    };
    quotient + u128::from(away)
}

impl Ord for Decimal {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |n: &Self| {
            if n.is_zero() {
                0
            } else if n.negative {
                -1
            } else {
                1
            }
        };
        let signs = sign(self).cmp(&sign(other));
        if signs != Ordering::Equal || self.is_zero() {
            return signs;
        }
        let (a, b) = if self.negative { (other, self) } else { (self, other) };
        let (ca, cb) = (a.coefficient(), b.coefficient());
        if a.exponent == b.exponent {
            return ca.cmp(&cb);
        }
        let leading = (a.exponent() + digits(ca) as i32).cmp(&(b.exponent() + digits(cb) as i32));
        if leading != Ordering::Equal {
            return leading;
        }
        // Equal leading positions: the exponents differ by less than 34.
        let gap = a.exponent() - b.exponent();
        let scale = |c: u128, by: i32| c.saturating_mul(TEN[by.clamp(0, 38) as usize]);
        scale(ca, gap).cmp(&scale(cb, -gap))
    }
}

impl PartialOrd for Decimal {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for Decimal {
    fn from(n: i64) -> Self {
        Self::raw(n < 0, u128::from(n.unsigned_abs()), 0)
    }
}

impl From<i32> for Decimal {
    fn from(n: i32) -> Self {
        Self::from(i64::from(n))
    }
}

impl From<u32> for Decimal {
    fn from(n: u32) -> Self {
        Self::from(i64::from(n))
    }
}

impl From<u64> for Decimal {
    fn from(n: u64) -> Self {
        Self::raw(false, u128::from(n), 0)
    }
}

impl From<usize> for Decimal {
    fn from(n: usize) -> Self {
        Self::from(n as u64)
    }
}
