//! Conditional requests: "send it only if it has changed". A browser that has
//! a copy asks so, and a response without a body (304) saves the transfer.
//! The order is that of RFC 9110, section 13.2.2.

use http::{Fields, date};
use jiff::Timestamp;

use crate::files::Resource;

/// What follows from the conditions of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Precondition {
    /// They hold, or there are none: send it.
    Holds,
    /// 304: the client's copy is still good.
    NotModified,
    /// 412: the client wants an error if the file has changed.
    Failed,
}

/// Checks the conditions of a GET or HEAD.          (viva 11)
pub fn check(fields: &Fields, resource: &Resource) -> Precondition {
    let modified = resource.modified;
    // Whether a field counts may depend on another one: an ETag is exact, a
    // date has whole seconds only.
    if fields.has("If-Match") {
        if !matches(fields, "If-Match", &resource.etag, false) {
            return Precondition::Failed;
        }
    } else if let (Some(limit), Some(modified)) =
        (date_of(fields, "If-Unmodified-Since"), modified)
        && modified > limit
    {
        return Precondition::Failed;
    }
    if fields.has("If-None-Match") {
        if matches(fields, "If-None-Match", &resource.etag, true) {
            return Precondition::NotModified;
        }
    } else if let (Some(limit), Some(modified)) =
        (date_of(fields, "If-Modified-Since"), modified)
        && modified <= limit
    {
        return Precondition::NotModified;
    }
    Precondition::Holds
}

/// `If-Range`: is the client's part of the file from the file as it is now?
/// If not it gets all of it: halves of two files do not make one file.
pub fn range_counts(fields: &Fields, resource: &Resource) -> bool {
    let Some(value) = fields.get("If-Range") else { return true };
    match value.first() {
        Some(b'"') => value == resource.etag.as_bytes(),
        _ => {
            let time = date::parse(value);
            time.is_some() && time == resource.modified
        }
    }
}

fn date_of(fields: &Fields, name: &str) -> Option<Timestamp> {
    date::parse(fields.get(name)?) // a malformed date is as good as none
}

/// Is our ETag in the list? `*` stands for any. A tag `W/"x"` is weak: good
/// enough to keep a copy, not good enough to rely on the bytes.
fn matches(fields: &Fields, name: &str, etag: &str, weak: bool) -> bool {
    fields.get_all(name).any(|list| {
        if list.trim_ascii() == b"*" {
            return true;
        }
        tags(list)
            .iter()
            .any(|(is_weak, tag)| (weak || !is_weak) && *tag == etag.as_bytes())
    })
}

/// `"a", W/"b,c"`: a comma may stand inside the quotes.
fn tags(list: &[u8]) -> Vec<(bool, &[u8])> {
    let mut tags = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
        let (weak, quoted) = match rest.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let inside = quoted.strip_prefix(b"\"").unwrap_or_default();
        let Some(end) = inside.iter().position(|byte| *byte == b'"') else {
            return tags; // the end, or no list of tags
        };
        tags.push((weak, quoted.get(..end + 2).unwrap_or_default()));
        rest = quoted.get(end + 2..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_tags() {
        let found = tags(br#" "a" ,W/"b,c","d" , "#);
        let expected: [(bool, &[u8]); 3] =
            [(false, b"\"a\""), (true, b"\"b,c\""), (false, b"\"d\"")];
        assert_eq!(found, expected);
        assert!(tags(b"a").is_empty());
        assert!(tags(b"\"a").is_empty());
        let mut fields = Fields::new();
        fields.push("If-None-Match", r#"W/"1", "2""#);
        assert!(matches(&fields, "If-None-Match", "\"1\"", true));
        assert!(!matches(&fields, "If-None-Match", "\"1\"", false));
        assert!(matches(&fields, "If-None-Match", "\"2\"", false));
        assert!(!matches(&fields, "If-None-Match", "\"3\"", true));
    }
}
