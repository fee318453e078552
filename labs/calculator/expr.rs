//! The format of a calculation: number, operator, number, with spaces or tabs
//! between them. Handout G, question 6. The client checks before it sends, the
//! server before it computes. Any program can connect, so a check at the client
//! protects only its own user. [G-6b] (viva 5)
//!
//! This file checks only the form: `1 / 0` is well formed, and so is a number
//! of 400 digits. number.rs computes the result.

use std::fmt;

use socketlab::console;

/// The end of every refusal.
const EXAMPLE: &str = "type 12 + 42, for example";

/// The operators, as they are listed for the user.
const OPERATORS: &str = "+ - * / % **";

/// What to do with the two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`, with the sign of the divisor, as in Python
    Remainder,
    /// `**`
    Power,
}

impl Operator {
    fn named(word: &str) -> Option<Operator> {
        Some(match word {
            "+" => Operator::Add,
            "-" => Operator::Subtract,
            "*" => Operator::Multiply,
            "/" => Operator::Divide,
            "%" => Operator::Remainder,
            "**" => Operator::Power,
            _ => return None,
        })
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
            Operator::Power => "**",
        })
    }
}

/// Two numbers, still as text, and their operator.
#[derive(Debug)]
pub struct Expression<'a> {
    /// The number before the operator.
    pub left: &'a str,
    /// The operation.
    pub operator: Operator,
    /// The number after the operator.
    pub right: &'a str,
}

/// The form that is sent: one space between the words, however many the user
/// typed, because another server may split at each single one.
impl fmt::Display for Expression<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.left, self.operator, self.right)
    }
}

/// Splits a message into its parts, or returns what is wrong with it.
pub fn parse(message: &[u8]) -> Result<Expression<'_>, String> {
    let text = str::from_utf8(message)
        .map_err(|_| format!("this is not text: {EXAMPLE}"))?;
    let words: Vec<&str> = text.split_ascii_whitespace().take(4).collect();
    match *words.as_slice() {
        [left, operator, right] => {
            let named = Operator::named(operator).ok_or_else(|| {
                let shown = quote(operator);
                format!("{shown} is not an operator: use one of {OPERATORS}")
            });
            check_number(left)?;
            check_number(right)?;
            Ok(Expression { left, operator: named?, right })
        }
        [] => Err(format!("nothing to compute: {EXAMPLE}")),
        // One of the handout's examples, 3.24 45, is refused here. Very likely
        // it was 3.24 * 45, and the asterisk was lost in print.
        [left, right]
            if is_number(left)
                && is_number(right)
                && !right.starts_with(['+', '-']) =>
        {
            Err(format!(
                "no operator between {} and {}: use one of {OPERATORS}",
                quote(left),
                quote(right)
            ))
        }
        [only] if is_number(only) => {
            Err(format!("{} is only a number: {EXAMPLE}", quote(only)))
        }
        [_] | [_, _] => match unglue(&words.concat()) {
            Some(spaced) => {
                Err(format!("put spaces around the operator: {spaced}"))
            }
            None => Err(format!(
                "two numbers and an operator are needed: {EXAMPLE}"
            )),
        },
        _ => Err(format!("one operator and two numbers at a time: {EXAMPLE}")),
    }
}

/// `12+42` with spaces added, if that makes it well formed.
fn unglue(word: &str) -> Option<String> {
    ["**", "*", "/", "%", "+", "-"].iter().find_map(|operator| {
        word.match_indices(operator).find_map(|(at, _)| {
            let (left, rest) = word.split_at(at);
            let right = rest.strip_prefix(operator)?;
            let both = is_number(left) && is_number(right);
            both.then(|| {
                let all = format!("{left} {operator} {right}");
                console::escape_short(all.as_bytes(), 60)
            })
        })
    })
}

/// Digits with at most one point, perhaps a sign before them and an exponent
/// after them: `12`, `-4.5`, `.5`, `5.`, `1e3`, `+2.5E-3`. Only the characters
/// `0` to `9` are digits. Rust's own f64 parser would also accept `inf`, and
/// Python's float() `1_000` and `٣`.
fn is_number(word: &str) -> bool {
    let unsigned = |word| str::strip_prefix(word, ['+', '-']).unwrap_or(word);
    let digits = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned(word).split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, unsigned(exponent)),
        None => (unsigned(word), "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && digits(exponent)
        && !exponent.is_empty()
}

/// Returns why a word is not a number.
fn check_number(word: &str) -> Result<(), String> {
    if is_number(word) {
        return Ok(());
    }
    let shown = quote(word);
    let pointed = word.replace(',', ".");
    let bare = word.trim_start_matches(['+', '-']).to_lowercase();
    Err(match bare.as_str() {
        "inf" | "infinity" | "nan" => {
            format!("{shown} is refused: infinity and nan have no digits")
        }
        _ if is_number(&pointed) => {
            format!("{shown}: write a point, not a comma: {}", quote(&pointed))
        }
        _ if !word.is_ascii() => {
            format!("{shown} is not a number: only 0 to 9 count as digits")
        }
        _ => format!("{shown} is not a number: {EXAMPLE}"),
    })
}

/// A word of the user, escaped and shortened for printing.
fn quote(word: &str) -> String {
    format!("'{}'", console::escape_short(word.as_bytes(), 24))
}
