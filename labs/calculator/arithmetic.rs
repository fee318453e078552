//! The six operations, exact where the result fits, rounded and marked as
//! such where not: see number.rs. Never runs text as code, as Python's eval()
//! does: what a client sends is data.                      [G-6c] (viva 6)

use crate::expr::{Expression, Operator};
use crate::number::{Number, Problem};

/// Largest exponent. It multiplies the rounding error of the base, which is
/// 1e-16: so powers that are not exact have 10 right digits at least.
const LARGEST_EXPONENT: f64 = 1e6;

/// What the expression amounts to. `1 / 0` is a question with an answer too:
/// that it cannot be done. The caller sends either.
pub fn evaluate(expression: &Expression<'_>) -> Result<Number, Problem> {
    let left = Number::read(expression.left)?;
    let right = Number::read(expression.right)?;
    match expression.operator {
        Operator::Add => sum(left, right),
        Operator::Subtract => sum(left, negative(right)),
        Operator::Multiply => product(left, right),
        Operator::Divide => quotient(left, right),
        Operator::Remainder => remainder(left, right),
        Operator::Power => power(left, right),
    }
}

fn sum(left: Number, right: Number) -> Result<Number, Problem> {
    if let Some((a, b, places)) = aligned(left, right)
        && let Some(digits) = a.checked_add(b)
        && let Some(sum) = Number::exact(digits, places)
    {
        return Ok(sum);
    }
    let (a, b) = (left.value(), right.value());
    // Two rounded numbers that nearly cancel leave their rounding errors.
    if (a + b).abs() < a.abs().max(b.abs()) / 10.0 {
        return Err(Problem::TooManyDigits);
    }
    Number::rounded(a + b)
}

fn product(left: Number, right: Number) -> Result<Number, Problem> {
    if left == Number::ZERO || right == Number::ZERO {
        return Ok(Number::ZERO);
    }
    match exact_product(left, right) {
        Some(product) => Ok(product),
        None => Number::rounded(left.value() * right.value()),
    }
}

fn quotient(left: Number, right: Number) -> Result<Number, Problem> {
    if right == Number::ZERO {
        return Err(Problem::DivisionByZero);
    }
    if left == Number::ZERO {
        return Ok(Number::ZERO);
    }
    // At the same number of places, 0.3 / 0.1 is 3 / 1.
    if let Some((a, b, _)) = aligned(left, right)
        && a.checked_rem(b) == Some(0)
        && let Some(digits) = a.checked_div(b)
        && let Some(whole) = Number::exact(digits, 0)
    {
        return Ok(whole);
    }
    Number::proven(left.value() / right.value(), |quotient| {
        Some(exact_product(quotient, right)? == left)
    })
}

/// The remainder has the sign of the divisor, as in Python: -7 % 3 is 2, for
/// -7 = -3 * 3 + 2. In C and Rust it is -1, for -7 = -2 * 3 - 1.
fn remainder(left: Number, right: Number) -> Result<Number, Problem> {
    if right == Number::ZERO {
        return Err(Problem::DivisionByZero);
    }
    let exact = || {
        let (a, b, places) = aligned(left, right)?;
        let rest = a.wrapping_rem(b); // -2^127 % -1 is 0 here, not overflow
        let other_sign = rest != 0 && (rest < 0) != (b < 0);
        Number::exact(if other_sign { rest + b } else { rest }, places)
    };
    exact().ok_or(Problem::TooManyDigits)
}

fn power(base: Number, exponent: Number) -> Result<Number, Problem> {
    let by = exponent.value();
    if by.abs() > LARGEST_EXPONENT {
        return Err(Problem::LargeExponent);
    }
    if base == Number::ZERO && by < 0.0 {
        return Err(Problem::DivisionByZero);
    }
    let parts = fraction(exponent);
    if let Some((over, 1)) = parts
        && let Some(power) = exact_power(base, over)
    {
        return Ok(power); // 0 ** 0 is 1, as in Python
    }
    if base == Number::ZERO {
        return Ok(Number::ZERO);
    }
    // 4 ** 0.5 is 2 because 2 ** 2 is 4: then the result is exact after all.
    Number::proven(base.value().powf(by), |result| {
        let (over, under) = parts?;
        let left = exact_power(result, under)?;
        let right = exact_power(base, over.checked_abs()?)?;
        Some(match over < 0 {
            false => left == right,
            true => exact_product(left, right)? == Number::ONE,
        })
    })
}

/// Both as whole numbers of the same unit, and the places of that unit.
fn aligned(left: Number, right: Number) -> Option<(i128, i128, u32)> {
    let (
        Number::Exact { digits: a, places: p },
        Number::Exact { digits: b, places: q },
    ) = (left, right)
    else {
        return None;
    };
    let places = p.max(q);
    let widen = |digits: i128, own: u32| {
        digits.checked_mul(10_i128.checked_pow(places - own)?)
    };
    Some((widen(a, p)?, widen(b, q)?, places))
}

fn negative(number: Number) -> Number {
    match number {
        // The least i128 has no opposite.
        Number::Exact { digits, places } => match digits.checked_neg() {
            Some(digits) => Number::Exact { digits, places },
            None => Number::Rounded(-number.value()),
        },
        Number::Rounded(value) => Number::Rounded(-value),
    }
}

fn exact_product(left: Number, right: Number) -> Option<Number> {
    let (
        Number::Exact { digits: a, places: p },
        Number::Exact { digits: b, places: q },
    ) = (left, right)
    else {
        return None;
    };
    Number::exact(a.checked_mul(b)?, p + q)
}

fn exact_power(base: Number, exponent: i128) -> Option<Number> {
    let Number::Exact { digits, places } = base else { return None };
    let exponent = u32::try_from(exponent).ok()?;
    let digits = digits.checked_pow(exponent)?;
    Number::exact(digits, places.checked_mul(exponent)?)
}

/// An exact number as a fraction in lowest terms: 0.5 is 1 over 2.
fn fraction(number: Number) -> Option<(i128, i128)> {
    let Number::Exact { digits, places } = number else { return None };
    let under = 10_i128.checked_pow(places)?;
    let (mut a, mut b) = (under, digits.checked_abs()?);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    Some((digits / a, under / a))
}
