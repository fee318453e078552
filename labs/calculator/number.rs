//! Numbers of the calculator: exact decimals as long as they fit, and f64,
//! marked as rounded, beyond that. `0.1 + 0.2` is 0.3 because it is added in
//! tenths; in binary, as f64 and Python's float are, it is not.  (viva 6)
//!
//! An exact number prints all its digits. A rounded one prints 15 significant
//! digits, and an `e` if it would look whole without: `1e300`. So a whole
//! number without an `e` is never a guess.                          [G-6c]

use std::fmt;

/// Most decimal places of an exact number: 10^38 still fits into an i128.
const MOST_PLACES: u32 = 38;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// digits / 10^places, without trailing zeros behind the point, so that
    /// equal numbers are equal fields.
    Exact { digits: i128, places: u32 },
    /// The nearest f64 that was found; finite and not zero.
    Rounded(f64),
}

/// Why there is no answer. The session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    DivisionByZero,
    TooLarge,
    TooSmall,
    TooManyDigits,
    LargeExponent,
    NotReal,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Problem::DivisionByZero => "division by zero",
            Problem::TooLarge => "too large: numbers go up to 1.79e308",
            Problem::TooSmall => "too close to zero: below 2.23e-308",
            Problem::TooManyDigits => {
                "too many digits: the answer would be a guess"
            }
            Problem::LargeExponent => {
                "the exponent is too large: 1000000 at most"
            }
            Problem::NotReal => "no real number: a root of a negative number",
        })
    }
}

impl Number {
    pub const ZERO: Number = Number::Exact { digits: 0, places: 0 };
    pub const ONE: Number = Number::Exact { digits: 1, places: 0 };

    /// The number that a word stands for; expr.rs has checked its form.
    pub fn read(word: &str) -> Result<Number, Problem> {
        match Number::read_exactly(word) {
            Some(exact) => Ok(exact),
            // A well-formed word always parses; what a peer sent must not
            // make us panic even if that were wrong.
            None => Number::rounded(word.parse().unwrap_or(f64::NAN)),
        }
    }

    /// `None` if it does not fit.
    fn read_exactly(word: &str) -> Option<Number> {
        let (mantissa, exponent) =
            word.split_once(['e', 'E']).unwrap_or((word, "0"));
        let (whole, fraction) =
            mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = match format!("{whole}{fraction}").as_str() {
            "" | "+" | "-" => 0, // of `.0`, whose zeros are trimmed
            digits => digits.parse().ok()?,
        };
        if digits == 0 {
            return Some(Number::ZERO);
        }
        let exponent: i32 = exponent.parse().ok()?;
        let places = i32::try_from(fraction.len()).ok()?;
        let places = places.checked_sub(exponent)?;
        match u32::try_from(places) {
            Ok(places) => Number::exact(digits, places),
            Err(_) => {
                let factor = 10_i128.checked_pow(places.unsigned_abs())?;
                Number::exact(digits.checked_mul(factor)?, 0)
            }
        }
    }

    /// digits / 10^places, unless that has too many places.
    pub fn exact(mut digits: i128, mut places: u32) -> Option<Number> {
        while places > 0 && digits % 10 == 0 {
            digits /= 10;
            // 0 / 10^n is 0, whatever n: one step suffices.
            places = if digits == 0 { 0 } else { places - 1 };
        }
        (places <= MOST_PLACES).then_some(Number::Exact { digits, places })
    }

    /// A result of f64 arithmetic, if it means anything. Numbers below
    /// 2.23e-308 have fewer digits than f64 otherwise has.
    pub fn rounded(value: f64) -> Result<Number, Problem> {
        match value.abs() {
            size if size.is_nan() => Err(Problem::NotReal),
            size if size.is_infinite() => Err(Problem::TooLarge),
            size if size < f64::MIN_POSITIVE => Err(Problem::TooSmall),
            _ => Ok(Number::Rounded(value)),
        }
    }

    /// `value` cut to 15 digits, as an exact number, if `holds` proves that
    /// it is the true result; otherwise `value`, rounded.
    pub fn proven(
        value: f64,
        holds: impl Fn(Number) -> Option<bool>,
    ) -> Result<Number, Problem> {
        let short = Number::read_exactly(&format!("{value:.14e}"));
        match short {
            Some(exact) if holds(exact) == Some(true) => Ok(exact),
            _ => Number::rounded(value),
        }
    }

    /// The nearest f64.
    pub fn value(self) -> f64 {
        match self {
            Number::Rounded(value) => value,
            // std reads decimals with the right rounding; a division by
            // 10^places would round twice.
            Number::Exact { .. } => {
                self.to_string().parse().unwrap_or(f64::NAN)
            }
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Number::Exact { digits, places: 0 } => write!(f, "{digits}"),
            Number::Exact { digits, places } => {
                let places = places as usize;
                let sign = if digits < 0 { "-" } else { "" };
                let digits = digits.unsigned_abs();
                let text = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = text.split_at(text.len() - places);
                write!(f, "{sign}{whole}.{fraction}")
            }
            Number::Rounded(value) => {
                let short: f64 =
                    format!("{value:.14e}").parse().unwrap_or(value);
                // 15 digits may not be enough to show a fraction; and the
                // largest f64, cut to 15 digits, is larger than the largest.
                let hides = short.fract() == 0.0 && value.fract() != 0.0;
                let shown =
                    if hides || short.is_infinite() { value } else { short };
                match shown.abs() {
                    size if shown.fract() == 0.0 || size < 1e-5 => {
                        write!(f, "{shown:e}")
                    }
                    _ => write!(f, "{shown}"),
                }
            }
        }
    }
}
