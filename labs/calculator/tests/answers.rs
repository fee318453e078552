//! What the calculator answers, without sockets: tables of the handout's and
//! the demonstrator's examples, a comparison with Python, and properties.

use proptest::prelude::*;

use calculator::expr::{Operator, parse};
use calculator::number::evaluate;

/// The answer as the server sends it.
pub fn answer(message: &[u8]) -> String {
    parse(message)
        .and_then(|expression| evaluate(&expression))
        .unwrap_or_else(|reason| format!("error: {reason}"))
}

#[track_caller]
fn hold(examples: &[(&str, &str)]) {
    for (message, wanted) in examples {
        let said = answer(message.as_bytes());
        assert!(
            harness::terminal::matches(wanted, &said),
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
        ("1 x 2", "error: 'x' is not an operator: use one of + - * / % **"),
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

/// The examples of the handout, and of the lesson on binary floats.
#[test]
fn g_6c_integers_are_exact_and_floats_are_pythons() {
    hold(&[
        ("100 + 1e-400", "100"),
        ("10 / 2", "5"),
        ("10 / 4", "2.5"),
        ("-7 / 7", "-1"),
        ("12 + 42", "54"),
        ("3.24 * 45", "145.8"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("0.3 - 0.1", "0.19999999999999998"),
        ("1000.1 - 1000", "0.10000000000002274"),
        ("0.3 / 0.1", "2.9999999999999996"),
        ("2.50 * 2", "5"),
        ("1 / 3", "0.3333333333333333"),
        ("2 / 3", "0.6666666666666666"),
        ("-0 * 5", "0"),
        ("0.0 * -5", "0"),
        ("1 / 10000", "0.0001"),
        ("1 / 100000", "1e-05"),
        ("1e15 * 1", "1000000000000000"),
        ("1e16 * 1", "1e+16"),
        ("1e100 * 1", "1e+100"),
        ("1.5e-100 * 1", "1.5e-100"),
        ("9007199254740993 + 0", "9007199254740993"),
        ("9007199254740993 + 0.0", "9007199254740992"),
        ("9007199254740993 / 2", "4503599627370496"),
        ("-853888763557587.25 + 0", "-853888763557587.2"), // the even digit
        ("99999999999999999 / 2", "5e+16"),                // rounded,
    ]);
}

#[test]
fn g_6c_the_overflow_of_an_integer_is_told() {
    let largest = i128::MAX.to_string();
    let told = "error: integer overflow: integers are exact up to …";
    hold(&[
        (&format!("{largest} + 0"), &largest),
        (&format!("{largest} + 1"), told),
        (&format!("{largest} + 1.0"), "1.7014118346046923e+38"),
        (&format!("-2 - {largest}"), told),
        (&format!("{largest}0 + 1"), told),
        ("99999999999999999999 * 99999999999999999999", told),
        ("2 ** 126", "85070591730234615865843651857942052864"),
        ("2 ** 127", told),
        ("2 ** 1000", told),
        ("2.0 ** 1000", "1.0715086071862673e+301"),
        (&format!("{} / -1", i128::MIN), told),
        (&format!("{} % -1", i128::MIN), "0"),
        (&format!("{} / {}", i128::MAX, i128::MIN), "-1"),
        (&format!("1 / {}", i128::MIN), "-5.877471754111438e-39"),
    ]);
}

#[test]
fn g_6c_the_overflow_of_a_float_is_told() {
    let told = "error: float overflow: a float of 64 bits stays below 1.8e308";
    hold(&[
        ("1e308 * 10", told),
        ("1e400 + 1", told),
        ("1 - 1e99999999999999999999999", told),
        ("10.0 ** 309", told),
        ("1e-300 / 1e300", "0"),
        ("0e99999999999999999999999 + 1", "1"),
    ]);
    let long = "9".repeat(400);
    hold(&[
        (&format!("{long} + 1"), "error: integer overflow: …"),
        (&format!("{long}. + 1"), told),
        (&format!("0.{long} * 2"), "2"),
    ]);
}

#[test]
fn g_6c_the_remainder_has_the_sign_of_the_divisor_as_in_python() {
    hold(&[
        ("10 % 3", "1"),
        ("-10 % 3", "2"),
        ("10 % -3", "-2"),
        ("-10 % -3", "-1"),
        ("9 % -3", "0"),
        ("5.5 % 2", "1.5"),
        ("-0.5 % 2", "1.5"),
    ]);
}

#[test]
fn g_6c_powers() {
    hold(&[
        ("-2 ** 2", "4"), // the sign belongs to the number; Python says -4
        ("2 ** -1", "0.5"),
        ("3 ** -1", "0.3333333333333333"),
        ("0 ** 0", "1"),
        ("-5.5 ** 0", "1"),
        ("-0.5 ** 3", "-0.125"),
        ("2 ** 0.5", "1.4142135623730951"),
        ("4 ** 0.5", "2"),
        ("20.25 ** 1.5", "91.125"),
        ("1 ** 2000000", "1"),
        ("0 ** 10000000000", "0"),
        ("-1 ** 10000000001", "-1"),
        ("-1 ** 10000000002", "1"),
        ("-8 ** 0.5", "error: no real number: …"),
    ]);
}

/// A few thousand sums with seeded random numbers of all kinds and sizes, in
/// one Python process.
#[test]
fn g_6c_every_answer_is_the_one_that_python_gives() {
    let Some(mut python) = harness::python("calculator/answers.py") else {
        return;
    };
    let printed = python.arg("5000").output().expect("it runs").stdout;
    let printed = String::from_utf8(printed).expect("text");
    assert_eq!(printed.lines().count(), 5000);
    for line in printed.lines() {
        let (sum, wanted) = line.split_once('\t').expect("two columns");
        let said = answer(sum.as_bytes());
        let agreed = match wanted.starts_with("error: ") {
            true => said.starts_with(wanted), // ours says more
            false => said == wanted,
        };
        assert!(agreed, "{sum}: Python says {wanted}, we say {said}");
    }
}

/// As long as a message may be, and as nasty.
#[test]
fn g_6c_no_sum_takes_long() {
    let began = std::time::Instant::now();
    let (zeros, digits) = ("0".repeat(2000), "73".repeat(950));
    for sum in [
        "2 ** 1000000".to_string(),
        "1e300 ** 1e9".into(),
        "-1 ** 1e300".into(),
        "1e300 % 1.7e-300".into(),
        format!("1.{digits} ** 2.{digits}"),
        format!("1.{digits} / 2.{digits}"),
        format!("1.{zeros}1 ** 1e9"),
        format!("1.{zeros}1 ** -999999999.999999999999"),
    ] {
        assert!(!answer(sum.as_bytes()).is_empty());
    }
    let took = began.elapsed();
    assert!(took.as_secs() < 5, "{took:?}"); // an instant, on an idle machine
}

/// Operators that map integers to integers, by i128's own methods.
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
                None => prop_assert!(said.starts_with("error: integer")),
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
            match a.checked_rem(b) {
                Some(0) => prop_assert_eq!(said, (a / b).to_string()),
                _ => prop_assert!(!said.is_empty()), // Python's float
            }
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
        // The client sends the same calculation.
        if let Ok(expression) = parse(text.as_bytes()) {
            let sent = expression.to_string();
            prop_assert_eq!(answer(sent.as_bytes()), said);
        }
    }

    #[test]
    fn g_6c_what_is_printed_reads_back_as_the_same(text in nearly()) {
        let said = answer(text.as_bytes());
        if !said.starts_with("error: ") {
            let again = answer(format!("{said} + 0").as_bytes());
            prop_assert_eq!(again, said);
        }
    }
}
