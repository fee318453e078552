//! Decodes subjects. The header of a mail is ASCII; other text comes in encoded
//! words (RFC 2047):
//!
//! ```text
//! =?utf-8?q?Gr=C3=BC=C3=9Fe?=     Grüße     q: = and two hex digits
//! =?utf-8?b?R3LDvMOfZQ==?=        Grüße     b: base64
//! ```
//!
//! A word that cannot be decoded stays as it is. So does one with a newline or
//! an escape code in it, because that would be more than a subject.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

/// Decodes all encoded words in a text.
pub fn decode(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    let mut after_a_word = false;
    while let Some((before, inner)) = rest.split_once("=?") {
        let Some((word, after)) = word(inner) else {
            shown = shown + before + "=?";
            (rest, after_a_word) = (inner, false);
            continue;
        };
        // A blank between two encoded words only separates them.
        if !after_a_word || !before.trim().is_empty() {
            shown += before;
        }
        shown += &word;
        (rest, after_a_word) = (after, true);
    }
    shown + rest
}

/// The word after a `=?`, decoded, and what follows it.
fn word(inner: &str) -> Option<(String, &str)> {
    let (charset, rest) = inner.split_once('?')?;
    let (coding, rest) = rest.split_once('?')?;
    let (coded, after) = rest.split_once("?=")?;
    let bytes = match coding {
        "b" | "B" => STANDARD.decode(coded).ok()?,
        "q" | "Q" => {
            let percent = coded.replace('%', "=25").replace('=', "%");
            percent_decode_str(&percent.replace('_', " ")).collect()
        }
        _ => return None,
    };
    // RFC 2231 lets the language follow: `utf-8*de`.
    let charset = charset.split('*').next().unwrap_or_default();
    let text = match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "us-ascii" => String::from_utf8(bytes).ok()?,
        "iso-8859-1" => bytes.into_iter().map(char::from).collect(),
        _ => return None,
    };
    (!text.contains(char::is_control)).then_some((text, after))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn words_are_read_and_what_is_none_stays() {
        let known = [
            ("Hello", "Hello"),
            ("=?utf-8?q?Gr=C3=BC=C3=9Fe_100%?=", "Grüße 100%"),
            ("a =?UTF-8?B?R3LDvMOfZQ==?= b", "a Grüße b"),
            ("=?utf-8?q?a?= =?iso-8859-1?Q?=E9?= c", "aé c"),
            ("=?utf-8?q?=3D=3Fx?=", "=?x"),
            ("=?utf-8*de?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ];
        for (coded, text) in known {
            assert_eq!(decode(coded), text);
        }
        for strange in [
            "=?utf-8?q?=ff?=",
            "=?utf-8?q?two=0Alines?=",
            "=?utf-8?b?####?=",
            "=?koi8-r?b?R3I=?=",
            "=?utf-8?x?y?=",
            "=?utf-8?q?open",
            "1 =? 2 ?=",
        ] {
            assert_eq!(decode(strange), strange);
        }
    }
}
