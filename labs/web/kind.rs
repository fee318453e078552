//! The kind of a file, for Content-Type. Browsers believe it: a page that
//! comes as text/plain is shown as source, and a page in Latin-1 that comes
//! with `charset=utf-8` loses its accents, whatever the page says itself.
//! So the parameter is added only where it is true and nothing else says it.

use std::ffi::OsStr;

use memchr::{memchr, memmem};

/// How much of a text is read to see whether it is UTF-8. A longer one is sent
/// without the parameter.
pub const MOST_READ: u64 = 1024 * 1024;

/// A page says what its encoding is near its beginning: within 1024 bytes,
/// says the HTML standard, and browsers look a little further.
const BEGINNING: usize = 4096;

/// The kind of a file of this name: `text/html`.
pub fn of_name(name: &OsStr) -> String {
    mime_guess::from_path(name).first_or_octet_stream().to_string()
}

/// May files of this kind have the parameter? XML says its encoding itself.
pub fn is_text(kind: &str) -> bool {
    let xml = kind.contains("xml") || kind == "text/xsl";
    kind == "application/json" || kind.starts_with("text/") && !xml
}

/// The kind of this text, with `charset=utf-8` if that is true.
pub fn with_charset(kind: &str, text: &[u8]) -> String {
    // UTF-16 without accents is UTF-8 too, with a NUL for every second byte.
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

/// `<meta charset="…">`, or `<meta http-equiv="Content-Type" content="…;
/// charset=…">`, in a page in small letters; not inside a comment.
fn has_meta_charset(page: &[u8]) -> bool {
    let mut rest = page;
    while let Some(at) = memchr(b'<', rest) {
        let tag = rest.get(at..).unwrap_or_default();
        let end = match tag.starts_with(b"<!--") {
            true => memmem::find(tag, b"-->"),
            false => memchr(b'>', tag),
        };
        let (tag, after) = tag.split_at(end.unwrap_or(tag.len()));
        if tag.starts_with(b"<meta") && gives_charset(tag) {
            return true;
        }
        rest = after;
    }
    false
}

fn gives_charset(tag: &[u8]) -> bool {
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
    fn a_page_that_declares_its_charset_goes_without_the_parameter() {
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
        assert!(html(late.as_bytes()), "too late for a browser");
    }

    #[test]
    fn what_is_not_utf_8_goes_without_the_parameter() {
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
