//! The kind of a file, for the field Content-Type. Browsers believe this field
//! more than the file. They show a page of kind text/plain as source text. If
//! a page in Latin-1 comes with `charset=utf-8`, they show its accents wrongly,
//! even if the page declares Latin-1. So the server adds `charset=utf-8` only
//! if the text is UTF-8 and the page does not declare its encoding itself.

use std::ffi::OsStr;

use memchr::{memchr, memmem};

/// Bytes. Texts up to this size are read to see whether they are UTF-8. A
/// longer text is sent without the parameter.
pub const MOST_READ: u64 = 1024 * 1024;

/// A page declares its encoding in its first 1024 bytes, says the HTML
/// standard. Browsers look a little further, and so do we.
const BEGINNING: usize = 4096;

/// The kind of a file of this name: `text/html`.
pub fn of_name(name: &OsStr) -> String {
    mime_guess::from_path(name).first_or_octet_stream().to_string()
}

/// May this kind have the parameter? XML files declare their own encoding.
pub fn is_text(kind: &str) -> bool {
    let xml = kind.contains("xml") || kind == "text/xsl";
    kind == "application/json" || kind.starts_with("text/") && !xml
}

/// The kind of this text, with `charset=utf-8` if it is UTF-8.
pub fn with_charset(kind: &str, text: &[u8]) -> String {
    // UTF-16 text in English is valid UTF-8 too, but has a NUL in each second
    // byte. So a text with a NUL does not count as UTF-8.
    let utf8 = std::str::from_utf8(text).is_ok() && !text.contains(&0);
    let beginning = text.get(..BEGINNING).unwrap_or(text);
    let declared = match kind {
        "text/html" => has_meta_charset(&beginning.to_ascii_lowercase()),
        "text/css" => text.starts_with(b"@charset"),
        _ => false,
    };
    match utf8 && !declared && is_text(kind) {
        true => format!("{kind}; charset=utf-8"),
        false => kind.to_string(),
    }
}

/// Does the page contain `<meta charset="…">`, or `<meta
/// http-equiv="Content-Type" content="…; charset=…">`? The page must be in
/// lower case. A tag inside a comment does not count.
fn has_meta_charset(page: &[u8]) -> bool {
    let mut rest = page;
    while let Some(at) = memchr(b'<', rest) {
        let tag = rest.get(at..).unwrap_or_default();
        let end = match tag.starts_with(b"<!--") {
            true => memmem::find(tag, b"-->"),
            false => memchr(b'>', tag),
        };
        let (tag, after) = tag.split_at(end.unwrap_or(tag.len()));
        if tag.starts_with(b"<meta") && declares_charset(tag) {
            return true;
        }
        rest = after;
    }
    false
}

/// Does `=` follow the word charset in this tag?
fn declares_charset(tag: &[u8]) -> bool {
    memmem::find_iter(tag, b"charset").any(|at| {
        let after = tag.get(at + b"charset".len()..).unwrap_or_default();
        after.trim_ascii_start().starts_with(b"=")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &[u8]) -> bool {
        match with_charset("text/html", text).as_str() {
            "text/html" => false,
            "text/html; charset=utf-8" => true,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_page_that_declares_its_charset_is_sent_without_the_parameter() {
        for page in [
            "<meta charset=iso-8859-1><p>x",
            "<!DOCTYPE html>\n<html><head><META CharSet = 'utf-8'>",
            "<meta http-equiv=\"Content-Type\"\n content=\"text/html; \
             charset=windows-1252\">",
            "<!-- a <b> --><meta charset=utf-8>",
        ] {
            assert!(!html(page.as_bytes()), "{page}");
        }
        for page in [
            "",
            "<p>ü",
            "<title>charset=x</title><p>charset=x",
            "<!-- <meta charset=iso-8859-1> --><p>ü",
            "<meta name=\"charset\" content=\"x\">",
            "<meta name=description content='what a charset is'>",
            "a < b",
        ] {
            assert!(html(page.as_bytes()), "{page}");
        }
        let late = format!("{}<meta charset=x>", " ".repeat(BEGINNING));
        assert!(html(late.as_bytes()), "a browser does not look so far");
    }

    #[test]
    fn a_text_that_is_not_utf_8_is_sent_without_the_parameter() {
        for kind in ["text/html", "text/plain", "text/css", "application/json"]
        {
            assert_eq!(with_charset(kind, b"gr\xfcn"), kind);
            assert_eq!(with_charset(kind, b"\xff\xfea\0"), kind);
            assert_eq!(with_charset(kind, b"a\0b\0"), kind, "UTF-16");
            let expected = format!("{kind}; charset=utf-8");
            assert_eq!(with_charset(kind, "grün".as_bytes()), expected);
        }
        let css = b"@charset \"iso-8859-1\"; a { }";
        assert_eq!(with_charset("text/css", css), "text/css");
        for kind in ["text/xml", "application/xml", "image/svg+xml"] {
            assert!(!is_text(kind));
            assert_eq!(with_charset(kind, b"<a/>"), kind);
        }
        assert_eq!(with_charset("image/png", b"a"), "image/png");
    }
}
