//! Numbers of the calculator: decimals, kept as they are written. `0.1 + 0.2`
//! is 0.3 because it is added in tenths; in binary, as f64 and Python's float
//! are, it is not. The digits are the work of crate dashu-float.   (viva 6)
//!
//! An answer of at most 40 digits is printed in full. Any other is rounded to
//! 15, the nearest there are, and gets an `e` if it would look whole without:
//! `1e40 / 3` is 3.33333333333333e39. So a whole number without an `e` is
//! never a guess.                                                   [G-6c]

use std::fmt;

use dashu_float::round::{Rounded, mode::HalfAway};
use dashu_float::{Context, DBig, FpError, FpResult};

/// Digits of an exact answer: 2 ** 132 has 40.
const EXACT: usize = 40;

/// Digits of a rounded one.
const SHORT: usize = 15;

/// Numbers lie between 10^-1000 and 10^1000, or are 0: far more than anybody
/// types, and so few digits that a sum takes milliseconds.
const RANGE: isize = 1000;

/// An answer: its digits, and whether they are all there are.
#[derive(Clone, Debug)]
pub struct Number {
    value: DBig,
    exact: bool,
}

/// Why there is no answer. The session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    DivisionByZero,
    TooLarge,
    TooSmall,
    LargeExponent,
    NotReal,
    Unproven,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Problem::DivisionByZero => "division by zero",
            Problem::TooLarge => "too large: numbers stay below 1e1000",
            Problem::TooSmall => "too close to zero: below 1e-1000",
            Problem::LargeExponent => "the exponent is too large: 1e9 at most",
            Problem::NotReal => "no real number: a root of a negative number",
            Problem::Unproven => "no digit of the answer is certain",
        })
    }
}

impl From<FpError> for Problem {
    fn from(error: FpError) -> Problem {
        match error {
            FpError::Overflow(_) => Problem::TooLarge,
            FpError::Underflow(_) => Problem::TooSmall,
            FpError::OutOfDomain => Problem::NotReal,
            _ => Problem::Unproven,
        }
    }
}

/// The number that a word stands for; expr.rs has checked its form. All its
/// digits count: precision 0 means that nothing is rounded.
pub fn read(word: &str) -> Result<DBig, Problem> {
    let (mantissa, exponent) =
        word.split_once(['e', 'E']).unwrap_or((word, "0"));
    // A well-formed word always parses; what a peer sent must not make us
    // panic even if that were wrong.
    let mantissa: DBig = mantissa.parse().map_err(|_| Problem::Unproven)?;
    // `1e99999999999999999999` is too large even for its exponent to fit.
    let far = if exponent.starts_with('-') { -100_000 } else { 100_000 };
    let exponent = exponent.parse().unwrap_or(far).clamp(-100_000, 100_000);
    within_range((mantissa << exponent).with_precision(0).value())
}

impl Number {
    /// What `compute` gives, in full if it is short enough. If not, it is
    /// computed anew: to round 40 digits to 15 would be to round twice.
    pub fn of(
        compute: impl Fn(&Context<HalfAway>) -> FpResult<DBig>,
    ) -> Result<Number, Problem> {
        match compute(&Context::new(EXACT))? {
            Rounded::Exact(value) => {
                Ok(Number { value: within_range(value)?, exact: true })
            }
            Rounded::Inexact(..) => Number::rounded(compute),
        }
    }

    /// What `compute` gives, to 15 digits: for an answer without an end.
    pub fn rounded(
        compute: impl Fn(&Context<HalfAway>) -> FpResult<DBig>,
    ) -> Result<Number, Problem> {
        let value = within_range(compute(&Context::new(SHORT))?.value())?;
        Ok(Number { value, exact: false })
    }
}

fn within_range(value: DBig) -> Result<DBig, Problem> {
    if value == DBig::ZERO {
        return Ok(DBig::ZERO); // there is no -0 here
    }
    match magnitude(&value) {
        power if power >= RANGE => Err(Problem::TooLarge),
        power if power < -RANGE => Err(Problem::TooSmall),
        _ => Ok(value.with_precision(0).value()),
    }
}

/// The power of ten of the first digit: 2 of 123, -2 of 0.012.
fn magnitude(value: &DBig) -> isize {
    let digits = isize::try_from(value.repr().digits()).unwrap_or(isize::MAX);
    value.repr().exponent().saturating_add(digits - 1)
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Number { value, exact } = self;
        let looks_whole = value.repr().exponent() >= 0;
        let short = (-7..EXACT as isize).contains(&magnitude(value));
        if short && (*exact || !looks_whole) {
            write!(f, "{value}")
        } else {
            write!(f, "{value:e}")
        }
    }
}
