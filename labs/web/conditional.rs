//! Conditional requests: "send it only if it has changed". A browser that has
//! a copy sends such a request. If the copy is still good, the server sends
//! status 304 without a body, and so saves the transfer. RFC 9110, section
//! 13.2.2 says in which order the server must check the fields.

use http::{Fields, date};
use jiff::Timestamp;

use crate::files::Resource;

/// The result of the conditions in a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Precondition {
    /// All conditions hold, or there are none: send the file.
    Holds,
    /// 304: the client's copy is still good.
    NotModified,
    /// 412: the file has changed, and the client wants an error then.
    Failed,
}

/// Checks the conditions of a GET or HEAD.          (viva 11)
pub fn check(fields: &Fields, resource: &Resource) -> Precondition {
    let modified = resource.modified;
    // If a request has an ETag and a date, only the ETag counts. It is exact;
    // a date has whole seconds only.
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
    // A browser that reloads a page sends these two fields.
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

/// `If-Range`: does the client's part belong to the present version of the
/// file? If not, the server ignores Range and sends all of the file, because
/// the client must not join parts of two versions.
pub fn range_counts(fields: &Fields, resource: &Resource) -> bool {
    let Some(value) = fields.get("If-Range") else { return true };
    // The value is either an ETag, which begins with a quote, or a date.
    match value.first() {
        Some(b'"') => value == resource.etag.as_bytes(),
        _ => {
            let time = date::parse(value);
            time.is_some() && time == resource.modified
        }
    }
}

/// The date in this field. A malformed date counts as absent.
fn date_of(fields: &Fields, name: &str) -> Option<Timestamp> {
    date::parse(fields.get(name)?)
}

/// Is our ETag in the list? `*` matches every ETag. A tag `W/"x"` is weak: it
/// says that two versions have the same meaning, but perhaps other bytes. It
/// counts only if `weak` is true.
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

/// Splits a list of tags: `"a", W/"b,c"`. A tag may contain a comma, so
/// `split(",")` would be wrong.
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
            return tags; // the end of the list, or not a tag
        };
        tags.push((weak, quoted.get(..end + 2).unwrap_or_default()));
        rest = quoted.get(end + 2..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_is_split_and_compared() {
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
