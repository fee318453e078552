//! The six operations. What the digits of an answer promise is told in
//! number.rs. Never runs text as code, as Python's eval() does: what a client
//! sends is data.                                           [G-6c] (viva 6)

use dashu_float::round::mode::{Down, HalfAway};
use dashu_float::{Context, DBig};

use crate::expr::{Expression, Operator};
use crate::number::{Number, Problem, read};

/// Largest exponent, unless the base is 0, 1 or -1.
const LARGEST_EXPONENT: u32 = 1_000_000_000;

/// What the expression amounts to. `1 / 0` is a question with an answer too:
/// that it cannot be done. The caller sends either.
pub fn evaluate(expression: &Expression<'_>) -> Result<Number, Problem> {
    let left = read(expression.left)?;
    let right = read(expression.right)?;
    match expression.operator {
        Operator::Add => known(left + right),
        Operator::Subtract => known(left - right),
        Operator::Multiply => known(left * right),
        Operator::Divide | Operator::Remainder if right == DBig::ZERO => {
            Err(Problem::DivisionByZero)
        }
        Operator::Divide => {
            Number::of(|digits| digits.div(left.repr(), right.repr()))
        }
        Operator::Remainder => known(remainder(left, right)),
        Operator::Power => power(&left, &right),
    }
}

/// For a result whose digits are all known, though they may be many.
fn known(result: DBig) -> Result<Number, Problem> {
    Number::of(|digits| Ok(result.clone().with_precision(digits.precision())))
}

/// The remainder has the sign of the divisor, as in Python: -7 % 3 is 2, for
/// -7 = -3 * 3 + 2: the quotient is rounded down. In C and Rust it is -1, for
/// -7 = -2 * 3 - 1.
fn remainder(left: DBig, right: DBig) -> DBig {
    let rest = left.with_rounding::<Down>() % right.with_rounding::<Down>();
    rest.with_rounding()
}

fn power(base: &DBig, exponent: &DBig) -> Result<Number, Problem> {
    let zero = *base == DBig::ZERO;
    if zero && *exponent < DBig::ZERO {
        return Err(Problem::DivisionByZero);
    }
    let plain = zero || *base == DBig::ONE || *base == DBig::NEG_ONE;
    let limit = DBig::from(LARGEST_EXPONENT);
    if !plain && (*exponent > limit || *exponent < -limit) {
        return Err(Problem::LargeExponent);
    }
    if exponent.repr().is_int() {
        // Of 0, 1 and -1, the third power is the fifth, and so on. 0 ** 0 is
        // 1, as in Python.
        let times = match exponent.to_int().value() {
            times if plain && !times.is_zero() => Ok(i64::from(times % 2) + 2),
            times => i64::try_from(times),
        };
        let times = times.map_err(|_| Problem::LargeExponent)?;
        return whole_power(base, times);
    }
    if *base < DBig::ZERO {
        return Err(Problem::NotReal);
    }
    // 4 ** 1.5 is 2 ** 3, and exact. Roots that are not exact have no end.
    match root(base, exponent) {
        Some((root, times)) => whole_power(&root, times),
        None => Number::rounded(|digits| {
            digits.powf(base.repr(), exponent.repr(), None)
        }),
    }
}

fn whole_power(base: &DBig, times: i64) -> Result<Number, Problem> {
    let (size, digits) = (times.unsigned_abs(), base.repr().digits());
    let significand = base.repr().significand();
    let power_of_ten = significand.is_one() || (-significand).is_one();
    // Beyond, the answer has more digits than are printed in full: there are
    // 61 in 2 ** 201, and 141 in 2 ** -201.
    let may_fit = size == 0 || (size <= 200 && digits <= 100);
    if power_of_ten || may_fit {
        let all = Context::<HalfAway>::new(0);
        let power = all.powi(base.repr(), size.into())?.value();
        return match times < 0 {
            true => {
                Number::of(|digits| digits.div(DBig::ONE.repr(), power.repr()))
            }
            false => known(power),
        };
    }
    Number::rounded(|digits| digits.powi(base.repr(), times.into()))
}

/// `base ** exponent` as a whole power of an exact root of the base.
fn root(base: &DBig, exponent: &DBig) -> Option<(DBig, i64)> {
    if *base == DBig::ZERO || *base == DBig::ONE {
        return Some((base.clone(), 1));
    }
    // The exponent as a fraction in lowest terms: 1.5 is 3 over 2. After 12
    // decimals it would be over 2^13 at least, and a number with an exact
    // root of that order is out of range or longer than a message.
    let scaled = exponent.clone() << 12;
    let whole = scaled.repr().is_int().then(|| scaled.to_int().value())?;
    let (over, under) = (i128::try_from(whole).ok()?, 10_i128.pow(12));
    let (mut divisor, mut rest) = (over.abs(), under);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    let order = u16::try_from(under / divisor).ok()?;
    // No significand ends in 0, so neither does its power: significand and
    // power of ten have their roots each for itself.
    let (digits, tens) = base.clone().into_repr().into_parts();
    let found = digits.nth_root(order.into());
    let step = isize::try_from(order).ok()?;
    let exact = found.pow(order.into()) == digits && tens % step == 0;
    let times = i64::try_from(over / divisor).ok()?;
    exact.then(|| (DBig::from_parts(found, tens / step), times))
}
