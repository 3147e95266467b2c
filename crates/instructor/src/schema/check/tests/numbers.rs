//! Decimal arithmetic on text against whole numbers.

use proptest::prelude::*;

use super::super::number::{Divisor, Number, canonical, is_integer};

/// A mantissa and a negative exponent, written with or without a point, an exponent, zeros.
fn written(mantissa: i128, places: u32, style: u8) -> String {
    let (sign, digits) = (if mantissa < 0 { "-" } else { "" }, mantissa.unsigned_abs().to_string());
    match style % 4 {
        0 => format!("{sign}{digits}e-{places}"),
        1 => format!("{sign}{digits}000E-{}", places + 3),
        2 => format!("{sign}{digits}.000e-0{places}"),
        _ => {
            let digits = format!("{digits:0>width$}", width = places as usize + 1);
            let (whole, fraction) = digits.split_at(digits.len() - places as usize);
            if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}0") }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers_are_exact(
        a in prop_oneof![-30_i128..30, -(1_i128 << 80)..1 << 80],
        b in prop_oneof![-30_i128..30, -(1_i128 << 80)..1 << 80],
        (p, q) in (0_u32..6, 0_u32..6),
        (s, t) in (any::<u8>(), any::<u8>()),
    ) {
        let (x, y) = (written(a, p, s), written(b, q, t));
        // Both in millionths.
        let (scaled_x, scaled_y) = (a * 10_i128.pow(6 - p), b * 10_i128.pow(6 - q));
        prop_assert_eq!(Number::new(&y).compare(&x), scaled_x.cmp(&scaled_y), "{} {}", x, y);
        prop_assert_eq!(is_integer(&x), scaled_x % 1_000_000 == 0, "{}", x);
        if let Some(divisor) = Divisor::new(&y) {
            prop_assert_eq!(divisor.divides(&x), scaled_x % scaled_y == 0, "{} {}", x, y);
        }
        let text = |x: &str| {
            let mut out = String::new();
            canonical(x, &mut out);
            out
        };
        prop_assert_eq!(text(&x) == text(&y), scaled_x == scaled_y, "{} {}", x, y);
    }
}

#[test]
fn sizes_beyond_all_floats_are_fine() {
    let huge = format!("1{}", "0".repeat(500));
    assert!(
        is_integer(&huge) && is_integer("1e400") && !is_integer("1e-400") && is_integer("0e-999999999999999999999")
    );
    assert!(Number::new("1e400").compare(&huge).is_gt());
    assert!(Number::new("1").compare("1e-99999999999999999999").is_lt());
    assert!(Divisor::new("7").is_some_and(|seven| !seven.divides(&huge) && seven.divides("7e999999999")));
    assert!(Divisor::new("0").is_none() && Divisor::new("-1").is_none());
}
