//! What the calculator answers, without sockets: tables of the handout's and
//! the demonstrator's examples, and properties of all other input.

use proptest::prelude::*;

use crate::arithmetic::evaluate;
use crate::expr::{Operator, parse};
use crate::number::Number;

/// The answer as the server sends it.
pub fn answer(message: &[u8]) -> String {
    match parse(message).map(|expression| evaluate(&expression)) {
        Ok(Ok(number)) => number.to_string(),
        Ok(Err(problem)) => format!("error: {problem}"),
        Err(reason) => format!("error: {reason}"),
    }
}

#[track_caller]
fn hold(examples: &[(&str, &str)]) {
    for (message, wanted) in examples {
        let said = answer(message.as_bytes());
        assert!(
            socketlab::terminal::matches(wanted, &said),
            "{message:?} is answered {said:?}, not {wanted:?}"
        );
    }
}

#[test]
fn g_6b_well_formed_examples_are_computed() {
    hold(&[
        ("12 + 42", "54"),
        ("4.5 / -6", "-0.75"),
        ("1e3 * 2", "2000"),
        ("-5 - -6", "1"),
        ("  3 \t*   4  ", "12"),
        (".5 + 5.", "5.5"),
        ("+2 - 3", "-1"),
        ("1 + -0", "1"),
        ("2 ** 3", "8"),
        ("10 % 3", "1"),
    ]);
}

#[test]
fn g_6b_badly_formed_examples_are_refused_with_the_reason() {
    hold(&[
        ("3.24 45", "error: no operator between '3.24' and '45': …"),
        ("12+42", "error: put spaces around the operator: 12 + 42"),
        ("12 +42", "error: put spaces around the operator: 12 + 42"),
        ("5-3", "error: put spaces around the operator: 5 - 3"),
        ("2**3", "error: put spaces around the operator: 2 ** 3"),
        ("", "error: nothing to compute: …"),
        (" \t ", "error: nothing to compute: …"),
        ("5", "error: '5' is only a number: …"),
        ("12 +", "error: two numbers and an operator are needed: …"),
        ("quit", "error: two numbers and an operator are needed: …"),
        ("1 + 2 + 3", "error: one operator and two numbers at a time: …"),
        ("1 x 2", "error: 'x' is no operator: use one of + - * / % **"),
        ("inf + 1", "error: 'inf' is refused: …"),
        ("1 - NaN", "error: 'NaN' is refused: …"),
        ("1,5 + 2", "error: '1,5': write a point, not a comma: '1.5'"),
        ("٣ + ٤", "error: '٣' is not a number: only 0 to 9 count as digits"),
        ("1_000 + 1", "error: '1_000' is not a number: …"),
        ("0x10 + 1", "error: '0x10' is not a number: …"),
        ("1e + 1", "error: '1e' is not a number: …"),
        (". + 1", "error: '.' is not a number: …"),
        ("\x1b[2J + 1", "error: '\\x1b[2J' is not a number: …"),
    ]);
    assert!(answer(b"\xff + 1").starts_with("error: this is not text: "));
}

#[test]
fn g_6c_division_by_zero_is_an_answer() {
    let told = "error: division by zero";
    let sums = ["1 / 0", "0 / 0", "7 / 0.0", "1e300 / -0", "10 % 0"];
    hold(&sums.map(|sum| (sum, told)));
    hold(&[("0 ** -1", told), ("1/0", "error: …: 1 / 0")]);
}

#[test]
fn g_6c_decimals_are_printed_as_a_person_would() {
    hold(&[
        ("0.1 + 0.2", "0.3"),
        ("0.3 - 0.1", "0.2"),
        ("1000.1 - 1000", "0.1"),
        ("0.3 / 0.1", "3"),
        ("12 / 4", "3"),
        ("2.50 * 2", "5"),
        ("1 / 3", "0.333333333333333"),
        ("2 / 3", "0.666666666666667"),
        ("1 / 1024", "0.0009765625"),
        ("1 / 10000000", "0.0000001"),
        ("1e300 * 2", "2e300"),
        ("1e300 / 1e299", "1e1"), // rounded, and marked so
        // 15 digits would hide the fraction.
        ("1000000000000001 / 10", "100000000000000.1"),
    ]);
}

#[test]
fn g_6c_the_remainder_has_the_sign_of_the_divisor_as_in_python() {
    hold(&[
        ("10 % 3", "1"),
        ("-10 % 3", "2"),
        ("10 % -3", "-2"),
        ("-10 % -3", "-1"),
        ("5.5 % 2", "1.5"),
        ("-0.5 % 2", "1.5"),
        ("1e300 % 7", "error: too many digits: …"),
    ]);
}

#[test]
fn g_6c_powers() {
    hold(&[
        ("-2 ** 2", "4"), // the sign belongs to the number; Python says -4
        ("2 ** -1", "0.5"),
        ("2 ** 0.5", "1.4142135623731"),
        ("4 ** 0.5", "2"),
        ("0.0625 ** -0.5", "4"),
        ("0 ** 0", "1"),
        ("0 ** 0.5", "0"),
        ("1 ** 0.3", "1"),
        ("2 ** 1e-20", "1e0"), // not 1, but nearer than f64 can tell
        ("-8 ** 0.5", "error: no real number: …"),
        ("2 ** 126", "85070591730234615865843651857942052864"),
        ("2 ** 127", "1.70141183460469e38"),
        ("2 ** 2000", "error: too large: …"),
        ("2 ** -2000", "error: too close to zero: …"),
        ("1 ** 1e7", "error: the exponent is too large: 1000000 at most"),
    ]);
}

#[test]
fn g_6c_what_does_not_fit_is_rounded_or_refused_never_wrong() {
    let most = i128::MAX;
    let least = i128::MIN;
    hold(&[
        (&format!("{most} - 1"), &(most - 1).to_string()),
        (&format!("{most} + 1"), "1.70141183460469e38"),
        (&format!("{least} / -1"), "1.70141183460469e38"),
        (&format!("{least} % -1"), "0"),
        (&format!("0 - {least}"), "1.70141183460469e38"),
        (&format!("{least} - {least}"), "error: too many digits: …"),
        ("1e300 * 1e300", "error: too large: …"),
        ("1e-300 * 1e-300", "error: too close to zero: …"),
        ("1e300 - 1e300", "error: too many digits: …"),
        ("1e400 + 1", "error: too large: …"),
        ("1 + 1e-400", "error: too close to zero: …"),
        ("1 + 1e-99999999999", "error: too close to zero: …"),
        ("0e-99999999999 + 1", "1"),
        ("1.7976931348623157e308 * 1", "1.7976931348623157e308"),
    ]);
    let (large, huge) = ("9".repeat(200), "9".repeat(400));
    hold(&[
        (&format!("{large} + 1"), "1e200"),
        (&format!("{huge} + 1"), "error: too large: …"),
        (&format!("0.{huge} * 2"), "2e0"),
    ]);
}

/// Operators whose result on whole numbers is whole, with i128's own.
fn whole(operator: Operator, a: i128, b: i128) -> Option<i128> {
    match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        _ => None,
    }
}

/// Whole numbers of all sizes, not only of 38 digits.
fn any_whole() -> impl Strategy<Value = i128> {
    (any::<i128>(), 0..127u32).prop_map(|(number, shift)| number >> shift)
}

/// Text that is nearly an expression.
fn nearly() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[-+]?[0-9]{0,45}",
        "[-+]?[0-9]{0,20}\\.[0-9]{0,20}",
        "[-+]?[0-9]{1,3}(\\.[0-9]{1,3})?[eE][-+]?[0-9]{1,3}",
        "[0-9a-z.,+*/%-]{0,6}",
    ];
    let operator = "(\\+|-|\\*|/|%|\\*\\*|x)";
    (word.clone(), operator, word)
        .prop_map(|(a, operator, b)| format!("{a} {operator} {b}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn g_6c_whole_numbers_agree_with_i128(a in any_whole(), b in any_whole()) {
        for operator in
            [Operator::Add, Operator::Subtract, Operator::Multiply]
        {
            let said = answer(format!("{a} {operator} {b}").as_bytes());
            match whole(operator, a, b) {
                Some(result) => prop_assert_eq!(said, result.to_string()),
                None => prop_assert!(said.contains(['e']), "{}", said),
            }
        }
        if b != 0 {
            let floored = a.wrapping_rem(b);
            let floored = match floored != 0 && (floored < 0) != (b < 0) {
                true => floored + b,
                false => floored,
            };
            let said = answer(format!("{a} % {b}").as_bytes());
            prop_assert_eq!(said, floored.to_string());
            let said = answer(format!("{a} / {b}").as_bytes());
            let divides = a.checked_rem(b) == Some(0);
            let looks_whole = said.parse::<i128>().is_ok();
            prop_assert_eq!(looks_whole, divides, "{} / {}: {}", a, b, said);
        }
    }

    #[test]
    fn g_6b_no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        answer(&bytes);
    }

    #[test]
    fn g_6b_no_text_makes_it_panic(text in nearly()) {
        let said = answer(text.as_bytes());
        prop_assert!(!said.contains('\n'), "one line: {}", said);
        // What goes on the wire is the same calculation.
        if let Ok(expression) = parse(text.as_bytes()) {
            let sent = expression.to_string();
            prop_assert_eq!(answer(sent.as_bytes()), said);
        }
    }

    #[test]
    fn g_6c_what_is_printed_reads_back_as_the_same(text in nearly()) {
        let said = answer(text.as_bytes());
        if !said.starts_with("error: ") {
            let again = Number::read(&said).map(|number| number.to_string());
            let (shown, value) = (again.clone(), said.parse::<f64>());
            prop_assert!(value.is_ok_and(f64::is_finite), "{}", said);
            // `1e1` stands for about 10; read back it is 10 itself.
            let same = shown.as_ref() == Ok(&said) || said.contains('e');
            prop_assert!(same, "{} became {:?}", said, again);
        }
    }

    #[test]
    fn g_6c_decimals_agree_with_f64_to_15_digits(
        a in -1e9..1e9f64,
        b in -1e9..1e9f64,
    ) {
        for (operator, wanted) in [
            ("+", a + b), ("-", a - b), ("*", a * b), ("/", a / b),
        ] {
            let said = answer(format!("{a} {operator} {b}").as_bytes());
            let value: f64 = said.parse().unwrap_or(f64::NAN);
            // f64's own subtraction is as wrong as its operands are large.
            let scale = match operator {
                "+" | "-" => a.abs().max(b.abs()),
                _ => wanted.abs(),
            };
            let close = (value - wanted).abs() <= scale * 1e-14;
            prop_assert!(close, "{a} {operator} {b} = {wanted}, said {said}");
        }
    }
}
