//! What the calculator answers, without sockets: tables of the handout's and
//! the demonstrator's examples, and properties of all other input.

use proptest::prelude::*;

use calculator::arithmetic::evaluate;
use calculator::expr::{Operator, parse};

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
        ("-0 * 5", "0"),
        ("0 * -5", "0"),
        ("1 / 1024", "0.0009765625"),
        ("1 / 10000000", "0.0000001"),
        ("1 / 100000000", "1e-8"),
        ("1e39 * 1", "1000000000000000000000000000000000000000"),
        ("1e40 * 1", "1e40"),
        ("1e300 * 2", "2e300"),
        ("1e300 / 1e299", "10"),
    ]);
}

#[test]
fn g_6c_a_quotient_that_ends_has_all_its_digits() {
    hold(&[
        ("1000000000000001 / 10", "100000000000000.1"),
        ("12345678901234567 / 10", "1234567890123456.7"),
        ("123456789012345678 / 1000", "123456789012345.678"),
        ("100000000000000001 / 100", "1000000000000000.01"),
        ("99999999999999999 / 2", "49999999999999999.5"),
        ("12345678901234567890 / 4", "3086419725308641972.5"),
        ("9007199254740993 / 2", "4503599627370496.5"),
        ("1 / 1e39", "1e-39"),
    ]);
}

/// The nearest number of 15 digits, as Python's fractions found it.
#[test]
fn g_6c_what_has_no_end_is_rounded_to_15_digits() {
    hold(&[
        ("1 / 3", "0.333333333333333"),
        ("2 / 3", "0.666666666666667"),
        ("450 / 854", "0.526932084309133"),
        ("10 / 7000000", "0.00000142857142857143"),
        ("1 / 99999999", "1.00000001e-8"),
        // It would look whole: an e says that it is not, or not exactly.
        ("1e16 / 3", "3.33333333333333e15"),
        ("1e40 / 3", "3.33333333333333e39"),
        ("1e300 - 1", "1e300"),
        ("1 + 1e-300", "1e0"),
        ("2 ** 1e-20", "1e0"),
        ("2 ** 1e-900", "1e0"),
        // Rounded to 40 digits first, it would seem to be half way.
        ("1.00000000000000499999999999999999999999999999 / 1", "1e0"),
        (
            "1.00000000000000500000000000000000000000000001 / 1",
            "1.00000000000001",
        ),
    ]);
}

#[test]
fn g_6c_a_certain_answer_is_given() {
    hold(&[
        ("1e300 - 1e300", "0"),
        ("1e300 % 7", "1"),
        ("10 % 1e40", "10"),
        ("-1 % 1e40", "9999999999999999999999999999999999999999"),
        ("1e999 % 3e-999", "1e-999"),
        ("1 ** 2000000", "1"),
        ("-1 ** 2000001", "-1"),
        ("-1 ** -1e999", "1"),
        ("1 ** 0.12345678901234567890", "1"),
        ("0 ** 1e7", "0"),
        ("0 ** 0.12345678901234567890", "0"),
        ("194e52 / 831e316", "2.33453670276775e-265"),
        ("5254. - 619e-325", "5.254e3"),
        ("1e999 * 1e-1000", "0.1"),
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
        ("3 ** -1", "0.333333333333333"),
        ("0 ** 0", "1"),
        ("-5.5 ** 0", "1"),
        ("-0.1 ** 3", "-0.001"),
        ("-641.6 ** -25", "-6.58250379403099e-71"),
        ("1.0000001 ** 1e9", "2.68810370126492e43"),
        ("2 ** 132", "5444517870735015415413993718908291383296"),
        ("2 ** 133", "1.088903574147e40"),
        ("2 ** -57", "6.938893903907228377647697925567626953125e-18"),
        ("2 ** -58", "3.46944695195361e-18"),
        ("10 ** 900", "1e900"),
        // Nearer to 1 than anybody can see, but not 1.
        ("1.00000000000000000000000000057634 ** 79", "1e0"),
        ("2 ** 4000", "error: too large: …"),
        ("2 ** -4000", "error: too close to zero: …"),
        ("2 ** 1e10", "error: the exponent is too large: 1e9 at most"),
    ]);
}

#[test]
fn g_6c_a_root_is_exact_if_it_can_be() {
    hold(&[
        ("2 ** 0.5", "1.4142135623731"),
        ("4 ** 0.5", "2"),
        ("0.0625 ** -0.5", "4"),
        ("32 ** 0.2", "2"),
        ("20.25 ** 1.5", "91.125"),
        ("1e900 ** 0.001", "7.94328234724282"),
        ("1e1000 ** 0.001", "error: too large: …"),
        ("1e-1000 ** 0.001", "0.1"),
        ("0 ** 0.5", "0"),
        ("1 ** 0.3", "1"),
        // Its 41st digit is a 5, and nothing follows: a tie.
        ("20.25 ** 12.5", "2.13…"),
        ("-8 ** 0.5", "error: no real number: …"),
    ]);
}

#[test]
fn g_6c_numbers_out_of_range_are_refused() {
    let large = "error: too large: numbers stay below 1e1000";
    let small = "error: too close to zero: below 1e-1000";
    hold(&[
        ("1e999 * 10", large),
        ("9.99999999999999999e999 + 9e-99", large), // when it is rounded
        ("1e1000 + 1", large),
        ("1 + 1e99999999999999999999999", large),
        ("1e-1000 / 10", small),
        ("1 + 1e-1001", small),
        ("1 + 1e-99999999999999999999999", small),
        ("0e99999999999999999999999 + 1", "1"),
        ("-0e-99999999999999999999999 + 1", "1"),
    ]);
    let (long, huge) = ("9".repeat(400), "9".repeat(1001));
    hold(&[
        (&format!("{long} + 1"), "1e400"),
        (&format!("{huge} + 1"), large),
        (&format!("0.{huge} * 2"), "2e0"),
    ]);
}

/// As long as a message may be, and as nasty.
#[test]
fn g_6c_no_sum_takes_long() {
    let began = std::time::Instant::now();
    let (zeros, digits) = ("0".repeat(2000), "73".repeat(950));
    for sum in [
        "2 ** 1000000".to_string(),
        "1e999 ** 1e9".into(),
        "-1 ** 1e999".into(),
        "1e999 ** 1e-999".into(),
        "1e999 % 1.7e-999".into(),
        format!("1.{digits} ** 2.{digits}"),
        format!("1.{digits} ** 999999999"),
        format!("1.{digits} / 2.{digits}"),
        format!("1.{digits} % 2.{digits}e-999"),
        format!("1.{zeros}1 ** 1e9"),
        format!("1.{zeros}1 ** 0.5"),
        format!("1.{zeros}1 ** -999999999.999999999999"),
    ] {
        assert!(!answer(sum.as_bytes()).is_empty());
    }
    let took = began.elapsed();
    assert!(took.as_secs() < 5, "{took:?}"); // one, on a machine at rest
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
                None => prop_assert!(said.len() > 38 || said.contains('e')),
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
            let again = answer(format!("{said} + 0").as_bytes());
            // `1e0` stands for nearly 1; read back it is 1 itself.
            let same = again == said || said.contains('e');
            prop_assert!(same, "{} became {:?}", said, again);
        }
    }

    /// Checked without a division: the difference to the true quotient,
    /// times the divisor.
    #[test]
    fn g_6c_a_quotient_is_the_nearest_there_is(
        a in 1..1_000_000_000_i128,
        b in 1..1_000_000_000_i128,
    ) {
        let said = answer(format!("{a} / {b}").as_bytes());
        // All as multiples of 10^-24: at that place ends the smallest of
        // these quotients when it is rounded.
        let places = 10_i128.pow(24);
        let (digits, power) = said.split_once('e').unwrap_or((&said, "0"));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let power: usize = 24 + power.parse::<isize>().unwrap() as usize;
        let number: i128 = format!("{whole}{part}").parse().unwrap();
        let number = number * 10_i128.pow((power - part.len()) as u32);
        let error = (number * b - a * places).abs();
        let exact = (a * places) % b == 0;
        let unit = 10_i128.pow(number.ilog10() - 14);
        let nearest = if exact { error == 0 } else { 2 * error <= unit * b };
        prop_assert!(nearest, "{} / {}: {}", a, b, said);
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
