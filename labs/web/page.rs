//! Pages that are no files: what went wrong in a sentence, and the list of a
//! folder. Whatever comes from a request or a file name is escaped twice
//! over: as HTML where it is shown, as a URL where it is a link.

use http::page::{escape, page};
use http::reason;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a URL may show as it is: RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// An error page: the number, its name, and what happened.
pub fn error(status: u16, sentence: &str) -> Vec<u8> {
    let sentence = format!("<p>{}</p>", escape(sentence));
    page(&format!("{status} {}", reason(status)), &sentence).into_bytes()
}

/// The list of a folder; `path` is decoded, and "" for the root. `more`: the
/// folder holds more names than these.
pub fn listing(path: &str, names: &[String], more: bool) -> Vec<u8> {
    let mut list = String::from("<ul>\n");
    if !path.is_empty() {
        list.push_str("<li><a href=\"../\">../</a>\n");
    }
    for name in names {
        // "./" in front, or a file called "javascript:x" would be a script.
        let (link, shown) = (url(name), escape(name));
        list.push_str(&format!("<li><a href=\"./{link}\">{shown}</a>\n"));
    }
    list.push_str("</ul>\n");
    if more {
        let count = names.len();
        list.push_str(&format!("<p>And more: {count} names are shown.</p>\n"));
    }
    page(&format!("/{path}"), &list).into_bytes()
}

/// A path as a URL: `a b/ü` gives `a%20b/%C3%BC`.
pub fn url(path: &str) -> String {
    utf8_percent_encode(path, UNRESERVED).to_string()
}
