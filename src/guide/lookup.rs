//! `socketlab explain WORD`: what an error, a state or a code means.

use std::io::{self, Write};

use socketlab::{Error, Result, console, say};

/// Prints all entries for a word or a phrase.
pub fn tell(words: &str) -> Result<()> {
    let words = &plain(words);
    // `550 5.1.1 no such user`: 5.1.1 is the exact code of a mail server.
    let enhanced = words.split(' ').find_map(|word| {
        explain::smtp::enhanced(word).map(|text| (word, text))
    });
    if let Some((code, text)) = &enhanced {
        let class = match code.get(..1) {
            Some("2") => "a success",
            Some("4") => "a temporary failure: try it again later",
            _ => "a permanent failure: to repeat it will not help",
        };
        let rfc = "RFC 3463 and later ones";
        say!("{code} of a mail server ({rfc}): {text}. That is {class}.");
    }
    let mut entries = explain::find(words);
    if entries.is_empty() {
        // `HTTP/1.1 404 Not Found`: the number says more than "found".
        let numbers = words.split(' ').filter(|w| w.parse::<u16>().is_ok());
        entries = numbers.flat_map(explain::find).collect();
    }
    if entries.is_empty() {
        entries = words.split(' ').flat_map(explain::find).collect();
    }
    if entries.is_empty() {
        if enhanced.is_some() {
            return Ok(());
        }
        let nearest = match explain::nearest(words).as_slice() {
            [] => "Try ECONNREFUSED, 111, TIME_WAIT, 404 or 550".to_string(),
            near => format!("Did you mean: {}?", near.join(", ")),
        };
        return Err(Error::other(format!(
            "'{words}' is not known here. {nearest}"
        )));
    }
    let mut out = io::stdout().lock();
    let printed =
        entries.into_iter().enumerate().try_for_each(|(at, entry)| {
            if at > 0 {
                writeln!(out)?;
            }
            explain::print(entry, &mut out)
        });
    console::unless_closed(printed)
}

/// The words without the punctuation around them: `[Errno 98]`, `(EPIPE):`,
/// and the dash in a reply of several lines, `550-5.7.26`.
fn plain(words: &str) -> String {
    let around = ['[', ']', '(', ')', ',', ':', ';', '"', '\'', '.'];
    let words = words.split_whitespace().map(|word| {
        let word = word.trim_matches(around);
        let (code, rest) = word.split_once('-').unwrap_or_default();
        match code.len() == 3 && code.parse::<u16>().is_ok() {
            true => format!("{code} {rest}"),
            false => word.to_string(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
