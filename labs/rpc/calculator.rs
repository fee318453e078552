//! The procedures of the calculator: add, subtract, multiply, divide. Nothing
//! here knows that a caller may sit on another machine; compare.rs calls them
//! both ways. That is the promise of RPC, as far as it goes.      [T-X2]
//!
//! ```text
//! caller -> add(2, 3) -> 5                                a local call
//! caller -> stub ~~~ wire ~~~ skeleton -> add(2, 3) -> 5  a remote one
//! ```

use std::fmt;

/// A number that both ends understand: marshalling begins with such an
/// agreement. JSON knows only digits, of any length. JavaScript makes each
/// of them a 64-bit float, and Python keeps integers of any size. Here an
/// integer has 64 bits and arrives exactly, or is refused.       (viva 5)
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Without a point or exponent: exact.
    Whole(i64),
    /// With one: a 64-bit float, as near as that comes. Always finite.
    Real(f64),
}

/// Why a procedure has not got a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArithmeticError {
    /// By 0, and by 0.0.
    DivisionByZero,
    /// A whole number beyond 64 bits.
    TooLarge,
    /// A float beyond 1.8e308.
    TooLargeReal,
}

impl Number {
    /// The number that a JSON text means, or why it is not a number.
    pub fn read(json: &str) -> Result<Number, &'static str> {
        if !json.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return Err("is not a number");
        }
        if json.contains(['.', 'e', 'E']) {
            let number: f64 = json.parse().map_err(|_| "is not a number")?;
            return match number.is_finite() {
                true => Ok(Number::Real(number)),
                false => Err("is too large: up to 1.8e308"),
            };
        }
        let whole = json.parse().map(Number::Whole);
        whole.map_err(|_| "is too large: whole numbers have 64 bits")
    }

    fn real(self) -> f64 {
        match self {
            Number::Whole(whole) => whole as f64,
            Number::Real(real) => real,
        }
    }
}

/// As JSON has it: `5`, `2.5`, `1e300`; a real without a fraction keeps its
/// `.0`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Whole(whole) => write!(f, "{whole}"),
            Number::Real(real) => write!(f, "{real:?}"),
        }
    }
}

impl fmt::Display for ArithmeticError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArithmeticError::DivisionByZero => "division by zero",
            ArithmeticError::TooLarge => {
                "too large: the result has over 64 bits"
            }
            ArithmeticError::TooLargeReal => {
                "too large: the result is over 1.8e308"
            }
        })
    }
}

/// a + b
pub fn add(a: Number, b: Number) -> Result<Number, ArithmeticError> {
    whole_or_real(a, b, i64::checked_add, |a, b| a + b)
}

/// a - b
pub fn subtract(a: Number, b: Number) -> Result<Number, ArithmeticError> {
    whole_or_real(a, b, i64::checked_sub, |a, b| a - b)
}

/// a * b
pub fn multiply(a: Number, b: Number) -> Result<Number, ArithmeticError> {
    whole_or_real(a, b, i64::checked_mul, |a, b| a * b)
}

/// a / b: `6 / 3` is the whole number 2, `7 / 2` is 3.5.
pub fn divide(a: Number, b: Number) -> Result<Number, ArithmeticError> {
    if b.real() == 0.0 {
        return Err(ArithmeticError::DivisionByZero);
    }
    if let (Number::Whole(over), Number::Whole(under)) = (a, b)
        && over.checked_rem(under) != Some(0)
        && under != -1
    {
        return finite(a.real() / b.real());
    }
    whole_or_real(a, b, i64::checked_div, |a, b| a / b)
}

fn whole_or_real(
    a: Number,
    b: Number,
    whole: fn(i64, i64) -> Option<i64>,
    real: fn(f64, f64) -> f64,
) -> Result<Number, ArithmeticError> {
    match (a, b) {
        (Number::Whole(a), Number::Whole(b)) => {
            whole(a, b).map(Number::Whole).ok_or(ArithmeticError::TooLarge)
        }
        _ => finite(real(a.real(), b.real())),
    }
}

/// JSON has no word for infinity or NaN: what cannot be marshalled must be an
/// error here, or the client would read null.
fn finite(result: f64) -> Result<Number, ArithmeticError> {
    match result.is_finite() {
        true => Ok(Number::Real(result)),
        false => Err(ArithmeticError::TooLargeReal),
    }
}
