//! Numbers of the calculator and its six operations, so that every result
//! agrees with the student's Python program digit by digit.
//!
//! Integers are exact. Everything else is a binary float of 64 bits, in which
//! 0.1 and 0.2 have no exact form, so that `0.1 + 0.2` is
//! `0.30000000000000004`. Unlike Python's eval(), this never runs text as code:
//! what a client sends is data. [G-6c] (viva 6)

use std::fmt;

use crate::expr::{Expression, Operator};

/// A number as it was typed or computed. The two kinds are Python's.
#[derive(Clone, Copy)]
enum Number {
    /// Without a point or an exponent: exact, from -2^127 to 2^127 - 1.
    Integer(i128),
    /// With one: the nearest number of 53 binary digits. Never inf or nan.
    Float(f64),
}

use Number::{Float, Integer};

/// Why a calculation has no number as its result. The session stays open.
enum MathError {
    /// The divisor is 0, or 0 has a negative exponent.
    DivisionByZero,
    /// The result is an integer that does not fit into i128.
    IntegerOverflow,
    /// The result is too large for a 64-bit float.
    FloatOverflow,
    /// A root of a negative number, for which Python returns a complex number.
    NotReal,
}

impl fmt::Display for MathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MathError::DivisionByZero => "division by zero",
            MathError::IntegerOverflow => {
                "integer overflow: integers are exact up to 2 ** 127 - 1; \
                 with a point, as in 2.0, a number is a rounded float"
            }
            MathError::FloatOverflow => {
                "float overflow: a float of 64 bits stays below 1.8e308"
            }
            MathError::NotReal => "no real number: a root of a negative number",
        })
    }
}

/// The value of a well-formed expression as it is printed, or why there is
/// none, as for `1 / 0`.
pub fn evaluate(expression: &Expression<'_>) -> Result<String, String> {
    match calculate(expression) {
        Ok(number) => Ok(number.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

fn calculate(expression: &Expression<'_>) -> Result<Number, MathError> {
    let left = read(expression.left)?;
    let right = read(expression.right)?;
    match (left, right) {
        (Integer(left), Integer(right)) => {
            integers(left, expression.operator, right)
        }
        _ => floats(left.to_float(), expression.operator, right.to_float()),
    }
}

/// The number that a word names; expr.rs has checked its form. As in
/// Python, `1e-400` is 0.0, because the smallest float is 5e-324.
fn read(word: &str) -> Result<Number, MathError> {
    if word.contains(['.', 'e', 'E']) {
        finite(word.parse().unwrap_or(f64::INFINITY))
    } else {
        let integer = word.parse().map_err(|_| MathError::IntegerOverflow)?;
        Ok(Integer(integer))
    }
}

/// Refuses inf, because the next calculation could make nan of it.
fn finite(value: f64) -> Result<Number, MathError> {
    match value.is_finite() {
        true => Ok(Float(value)),
        false => Err(MathError::FloatOverflow),
    }
}

fn integers(
    left: i128,
    operator: Operator,
    right: i128,
) -> Result<Number, MathError> {
    let exact = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide | Operator::Remainder if right == 0 => {
            return Err(MathError::DivisionByZero);
        }
        // 10 / 2 is 5, where Python says 5.0; 10 / 4 is the float 2.5.
        Operator::Divide => match left.wrapping_rem(right) {
            0 => left.checked_div(right),
            _ => return Ok(Float(quotient(left, right))),
        },
        // The remainder has the sign of the divisor, as in Python: -7 % 3 is
        // 2, because the quotient is rounded down. In C and Rust it is -1.
        Operator::Remainder => {
            let rest = left.wrapping_rem(right);
            let adjust = rest != 0 && (rest < 0) != (right < 0);
            Some(if adjust { rest + right } else { rest })
        }
        // As in Python: 2 ** -1 is the float 0.5.
        Operator::Power if right < 0 => {
            return floats(left as f64, operator, right as f64);
        }
        // Powers of 0, 1 and -1 depend only on whether the exponent is odd, so
        // a large exponent need not fit into 32 bits.
        Operator::Power if (-1..=1).contains(&left) && right > 2 => {
            left.checked_pow(if right % 2 == 0 { 2 } else { 3 })
        }
        Operator::Power => {
            u32::try_from(right).ok().and_then(|times| left.checked_pow(times))
        }
    };
    exact.map(Integer).ok_or(MathError::IntegerOverflow)
}

/// The float that is nearest to the exact quotient. `left as f64 / right as
/// f64` would round three times if an operand has more than 53 binary digits.
fn quotient(left: i128, right: i128) -> f64 {
    let divisor = right.unsigned_abs();
    let mut digits = left.unsigned_abs() / divisor;
    let mut rest = left.unsigned_abs() % divisor;
    let mut scale = 1.0;
    // Long division in base two, as on paper, until there are 64 digits.
    while digits < 1 << 64 {
        rest *= 2; // below 2^128, because the divisor is at most 2^127
        digits = 2 * digits + u128::from(rest >= divisor);
        rest %= divisor;
        scale /= 2.0;
    }
    // A last digit 1 replaces all that follow, so that a tie rounds right.
    digits |= u128::from(rest != 0);
    let magnitude = digits as f64 * scale;
    if (left < 0) != (right < 0) { -magnitude } else { magnitude }
}

fn floats(
    left: f64,
    operator: Operator,
    right: f64,
) -> Result<Number, MathError> {
    finite(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide | Operator::Remainder if right == 0.0 => {
            return Err(MathError::DivisionByZero);
        }
        Operator::Divide => left / right,
        Operator::Remainder => {
            let rest = left % right; // exact, with the sign of `left`
            let adjust = rest != 0.0 && (rest < 0.0) != (right < 0.0);
            if adjust { rest + right } else { rest }
        }
        Operator::Power if left == 0.0 && right < 0.0 => {
            return Err(MathError::DivisionByZero);
        }
        Operator::Power if left < 0.0 && right.fract() != 0.0 => {
            return Err(MathError::NotReal);
        }
        Operator::Power => left.powf(right),
    })
}

impl Number {
    fn to_float(self) -> f64 {
        match self {
            Integer(integer) => integer as f64, // the nearest float
            Float(float) => float,
        }
    }
}

/// As Python prints it: the fewest digits that read back as the same float,
/// with an exponent below 0.0001 and from 1e16 on. One thing differs, because
/// the handout's 54 has no point: an integral float has no `.0`.     [G-6c]
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let float = match *self {
            Integer(integer) => return write!(f, "{integer}"),
            Float(0.0) => return f.write_str("0"), // and not -0
            Float(float) => float,
        };
        let shortest = format!("{float:e}"); // 2.5e-5
        let (digits, power) = shortest.split_once('e').unwrap_or_default();
        let power: i32 = power.parse().unwrap_or_default();
        // If two numbers of this length are equally near, Python prints the
        // even one: …587.2 for …587.25. Rust does so only if it gets the
        // length.
        let decimals = digits.split_once('.').map_or(0, |(_, it)| it.len());
        if (-4..16).contains(&power) {
            let decimals = decimals.saturating_add_signed(-power as isize);
            return write!(f, "{float:.decimals$}");
        }
        // But near a power of two, the nearest number of this length may
        // already be another float.
        let even = format!("{float:.decimals$e}");
        let chosen = if even.parse() == Ok(float) { even } else { shortest };
        let (digits, _) = chosen.split_once('e').unwrap_or_default();
        write!(f, "{digits}e{power:+03}") // 2.5e-05
    }
}
