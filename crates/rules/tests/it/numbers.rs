//! Numbers and dates against independent arithmetic.

use proptest::prelude::*;
use zhulian_rules::number::{Decimal, Rounding};
use zhulian_rules::temporal::Date;

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a number")
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    (any::<i128>(), -40i32..40).prop_map(|(c, e)| Decimal::new(c / 1_000_000, e).unwrap_or(Decimal::ZERO))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn small_arithmetic_is_exact(a in -10_000_000_000i64..10_000_000_000, b in -10_000_000_000i64..10_000_000_000) {
        let (x, y) = (Decimal::from(a), Decimal::from(b));
        prop_assert_eq!(x.add(y), Some(Decimal::from(a + b)));
        prop_assert_eq!(x.sub(y), Some(Decimal::from(a - b)));
        prop_assert_eq!(x.mul(y), Decimal::new(i128::from(a) * i128::from(b), 0));
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        if b != 0 {
            prop_assert_eq!(x.div(y).and_then(|q| q.round(0, Rounding::Floor)), Some(Decimal::from(a.div_euclid(b) - i64::from(b < 0 && a.rem_euclid(b) != 0))));
        }
    }

    #[test]
    fn text_reads_back(n in any_decimal()) {
        prop_assert_eq!(decimal(&n.to_string()), n);
    }

    #[test]
    fn equal_numbers_are_equal_bytes(n in any_decimal(), shift in 0i32..6) {
        let c = n.coefficient() as i128 * if n.is_negative() { -1 } else { 1 };
        if let Some(scaled) = c.checked_mul(10i128.pow(shift as u32)) {
            prop_assert_eq!(Decimal::new(scaled, n.exponent() - shift), Some(n));
        }
    }

    #[test]
    fn order_agrees_with_difference(a in any_decimal(), b in any_decimal()) {
        if let Some(gap) = a.sub(b) {
            prop_assert_eq!(a.cmp(&b), gap.cmp(&Decimal::ZERO));
        }
        prop_assert_eq!(a.add(b), b.add(a));
        prop_assert_eq!(a.mul(b), b.mul(a));
    }

    #[test]
    fn a_square_root_squares_back(n in 1i64..1_000_000_000_000) {
        let x = Decimal::from(n);
        prop_assert_eq!(x.mul(x).and_then(Decimal::sqrt), Some(x));
    }

    #[test]
    fn exp_and_ln_undo_each_other(c in 1i64..1_000_000_000, e in -6i32..3) {
        let x = Decimal::new(i128::from(c), e).expect("in range");
        let back = x.ln().and_then(Decimal::exp).expect("in range");
        let off = back.sub(x).and_then(|gap| gap.abs().div(x)).expect("in range");
        prop_assert!(off < decimal("1e-31"), "{} came back as {}", x, back);
    }

    #[test]
    fn days_count_both_ways(days in -400_000_000i64..400_000_000) {
        let date = Date::from_days(days).expect("in range");
        prop_assert_eq!(date.days(), days);
        prop_assert_eq!(Date::parse(&date.to_string()), Some(date));
        prop_assert_eq!(Date::from_days(days + 1).map(|next| next > date), Some(true));
    }
}

/// Reference values computed with 34 digits by Python's decimal module.
#[test]
fn transcendental_functions_have_34_digits() {
    assert_eq!(decimal("2").sqrt(), Some(decimal("1.414213562373095048801688724209698")));
    assert_eq!(decimal("1").exp(), Some(decimal("2.718281828459045235360287471352662")));
    assert_eq!(decimal("-10.5").exp(), Some(decimal("0.00002753644934974715785741109710242551")));
    assert_eq!(decimal("10").ln(), Some(decimal("2.302585092994045684017991454684364")));
    assert_eq!(decimal("0.001").ln(), Some(decimal("-6.907755278982137052053974364053093")));
    assert_eq!(decimal("1").div(decimal("3")), Some(decimal("0.3333333333333333333333333333333333")));
    assert_eq!(decimal("2").div(decimal("3")), Some(decimal("0.6666666666666666666666666666666667")));
}

#[test]
fn rounds_half_even_at_34_digits() {
    let just_half = decimal("1000000000000000000000000000000000.5");
    assert_eq!(just_half.to_string(), "1000000000000000000000000000000000");
    assert_eq!(decimal("1000000000000000000000000000000001.5").to_string(), "1000000000000000000000000000000002");
    assert_eq!(
        decimal("9999999999999999999999999999999999").add(decimal("0.5")).map(|n| n.to_string()),
        Some("1E+34".into())
    );
    assert_eq!(decimal("1e6144").mul(decimal("10")), None);
    assert_eq!(decimal("1e-6176").div(decimal("10")), Some(Decimal::ZERO));
}

/// An independent implementation says the same to the last digit; of exp and ln, within one unit of it.
#[test]
fn agrees_with_another_implementation() {
    let own = std::env::var("ZHULIAN_DECIMAL_CASES").ok().and_then(|path| std::fs::read_to_string(path).ok());
    let cases = own.unwrap_or_else(|| include_str!("../data/decimal.txt").to_owned());
    for line in cases.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split(' ').collect();
        let [op, a, b, expected] = parts[..] else { panic!("{line}") };
        let (a, b, expected) = (decimal(a), decimal(b), decimal(expected));
        let found = match op {
            "add" => a.add(b),
            "sub" => a.sub(b),
            "mul" => a.mul(b),
            "div" => a.div(b),
            "sqrt" => a.sqrt(),
            "exp" => a.exp(),
            "ln" => a.ln(),
            _ => Some(Decimal::from(a.cmp(&b) as i32)),
        };
        let found = found.unwrap_or_else(|| panic!("no result: {line}"));
        let close = matches!(op, "exp" | "ln")
            && found.sub(expected).is_some_and(|gap| {
                let unit = Decimal::new(1, expected.exponent()).unwrap_or(Decimal::ONE);
                expected.coefficient() > 10u128.pow(32) && gap.abs() <= unit
            });
        assert!(found == expected || close, "{line}: found {found}");
    }
}
