//! Prints a label in a narrow column, and beside it text, which is broken at
//! blanks before column 80.
//!
//! ```text
//! range     well-known, by IANA's list: services of the system, 0 to
//!           1023
//! <-label-> <- text, on as many lines as it needs ------------------>
//! ```

use socketlab::console;
use socketlab::say;

/// Width of the label's column.
const INDENT: usize = 10;

/// Longest line in characters, unless a single word is longer.
const WIDTH: usize = 79;

/// Most characters of the user's word that a message repeats.
const ECHOED: usize = 60;

/// Prints a label and its text. An empty label continues the one above.
pub fn item(label: &str, text: &str) {
    for line in broken(&format!("{label:<INDENT$}"), text) {
        say!("{line}");
    }
}

/// Prints a paragraph that begins at the margin.
pub fn text(text: &str) {
    for line in broken("", text) {
        say!("{line}");
    }
}

/// A word of the user, escaped and shortened to 60 characters.
pub fn echo(word: &str) -> String {
    console::escape_short(word.as_bytes(), ECHOED)
}

/// Breaks a text after `first` into lines with the same indent.
fn broken(first: &str, text: &str) -> Vec<String> {
    let indent = " ".repeat(first.chars().count());
    let (mut lines, mut line) = (Vec::new(), first.to_string());
    let mut empty = true;
    for word in text.split(' ') {
        let length = line.chars().count() + 1 + word.chars().count();
        if !empty && length > WIDTH {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines
}
