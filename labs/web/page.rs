//! Pages that are no files: what went wrong in a sentence, and the list of a
//! folder. Whatever comes from a request or a file name is escaped twice
//! over: as HTML where it is shown, as a URL where it is a link.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use socketlab::http::reason;

/// What a URL may show as it is: RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// An error page: the number, its name, and what happened.
pub fn error(status: u16, sentence: &str) -> Vec<u8> {
    let (reason, sentence) = (reason(status), html(sentence));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <title>{status} {reason}</title>\n\
         <h1>{status} {reason}</h1>\n<p>{sentence}</p></html>\n"
    )
    .into_bytes()
}

/// The list of a folder; `path` is decoded, and "" for the root.
pub fn listing(path: &str, names: &[String]) -> Vec<u8> {
    let title = html(&format!("/{path}"));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <title>{title}</title>\n<h1>{title}</h1>\n<ul>\n"
    );
    if !path.is_empty() {
        page.push_str("<li><a href=\"../\">../</a>\n");
    }
    for name in names {
        // "./" in front, or a file called "javascript:x" would be a script.
        let (link, shown) = (url(name), html(name));
        page.push_str(&format!("<li><a href=\"./{link}\">{shown}</a>\n"));
    }
    page.push_str("</ul></html>\n");
    page.into_bytes()
}

/// Text as HTML: `<` would begin a tag of the writer's choosing.
pub fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A path as a URL: `a b/ü` gives `a%20b/%C3%BC`.
pub fn url(path: &str) -> String {
    utf8_percent_encode(path, UNRESERVED).to_string()
}
