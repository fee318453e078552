//! From the fields that came to the fields that go on. Some belong to one
//! HOP, the connection on which they came; the others are END-TO-END.
//!
//! ```text
//!   client ---- hop ---- proxy ---- hop ---- origin
//!     Connection, TE …     |      Connection, TE …     each hop its own
//!     Accept, Cookie ----------------> as they are     end to end
//!     Via ----------------> + ", 1.1 socketlab-…"      everybody adds itself
//!     Host, framing        |      made anew            never copied
//! ```
//! [W-T3a] (viva 4)

use http::{Fields, Framing, Head, Request, Response, Version};

use crate::target::Destination;

/// Fields of one hop (RFC 9110, section 7.6.1), and those of older practice.
/// The framing is of the hop as well: we make it anew from what we send.
const HOP: [&str; 11] = [
    "Connection",
    "Content-Length",
    "Host",
    "HTTP2-Settings",
    "Keep-Alive",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

/// Connection can name any field, and that field then ends here. Not these:
/// without them the origin would understand another request.
const NOT_BY_NAME: [&str; 4] =
    ["Authorization", "Cache-Control", "Cookie", "Via"];

/// All end-to-end fields.
pub fn end_to_end(fields: &Fields) -> Fields {
    let is = |name: &str, list: &[&str]| {
        list.iter().any(|entry| entry.eq_ignore_ascii_case(name))
    };
    let has_options = fields.has("Connection");
    let mut kept = Fields::new();
    for (name, value) in fields.iter() {
        let named = has_options
            && fields.lists("Connection", name)
            && !is(name, &NOT_BY_NAME);
        if !named && !is(name, &HOP) {
            kept.push(name, value);
        }
    }
    kept
}

/// The new request to the origin. `validators`: conditions of ours, which
/// replace the client's; they ask whether our copy is still good.
pub fn request(
    request: &Request,
    destination: &Destination,
    via: &str,
    validators: &[(&'static str, Vec<u8>)],
) -> Vec<u8> {
    let mut fields = end_to_end(&request.fields);
    if !validators.is_empty() {
        for name in CONDITIONS {
            fields.remove(name);
        }
    }
    if request.version == Version::Http10 {
        fields.remove("Expect"); // it would not understand a 100
    }
    let mut head = Head::request(&request.method, &destination.path)
        .field("Host", destination.authority());
    if let Some(left) = max_forwards(request) {
        fields.set("Max-Forwards", left.saturating_sub(1).to_string());
    }
    head = head.fields(&fields);
    for (name, value) in validators {
        head = head.raw_field(name, value);
    }
    head = framing(head, request.framing)
        .field("Via", via_entry(request.version, via));
    // Trailers can be passed on, so the origin may know that they are wanted.
    if request.fields.lists("TE", "trailers") {
        head = head.field("TE", "trailers").field("Connection", "TE");
    }
    head.end()
}

/// The conditions that a request can have.
pub const CONDITIONS: [&str; 5] = [
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
];

/// May it be sent twice with the effect of once? RFC 9110, section 9.2.2.
pub fn is_idempotent(request: &Request) -> bool {
    ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]
        .contains(&request.method.as_str())
}

/// How many proxies a TRACE or OPTIONS may still pass.
pub fn max_forwards(request: &Request) -> Option<u64> {
    let counts = matches!(request.method.as_str(), "TRACE" | "OPTIONS");
    let text = request.fields.text("Max-Forwards").filter(|_| counts)?;
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // A number beyond all numbers is large enough.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A request as TRACE gives it back, without what is secret: whoever can make
/// a browser send a TRACE must not read the browser's cookies in the answer.
pub fn reflected(request: &Request) -> Vec<u8> {
    let mut fields = request.fields.clone();
    for name in ["Authorization", "Cookie", "Proxy-Authorization"] {
        fields.remove(name);
    }
    Head::request(&request.method, &request.target).fields(&fields).end()
}

/// The new response's fields. What belongs to the hop to the client is added
/// by [`finish`].
pub fn response(response: &Response, via: &str) -> Fields {
    let mut fields = end_to_end(&response.fields);
    fields.push("Via", via_entry(response.version, via));
    fields
}

/// The hop's own fields: how the body ends, and what happens then.
pub fn finish(
    head: Head,
    body: Framing,
    keep: bool,
    version: Version,
) -> Vec<u8> {
    // Each version says only what is not its rule.
    let head = match (keep, version) {
        (false, _) => head.field("Connection", "close"),
        (true, Version::Http10) => head.field("Connection", "keep-alive"),
        (true, Version::Http11) => head,
    };
    framing(head, body).end()
}

fn framing(head: Head, body: Framing) -> Head {
    match body {
        Framing::Length(length) => head.field("Content-Length", length),
        Framing::Chunked => head.field("Transfer-Encoding", "chunked"),
        Framing::None | Framing::UntilClose => head,
    }
}

/// Trailers that may go on: nothing that a head alone can say.
pub fn trailers(fields: Option<&Fields>) -> Vec<u8> {
    let mut bytes = b"0\r\n".to_vec();
    for (name, value) in fields.map(end_to_end).iter().flat_map(Fields::iter) {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Has this request been here before? Every proxy leaves its name in Via, and
/// ours is not used by any other. (viva 5)
pub fn has_passed(fields: &Fields, via: &str) -> bool {
    fields.list("Via").any(|entry| {
        let mut words = entry.split(|byte| byte.is_ascii_whitespace());
        words.any(|word| word.eq_ignore_ascii_case(via.as_bytes()))
    })
}

/// Our entry in Via: the version in which the message came, and our name.
fn via_entry(version: Version, via: &str) -> String {
    let number = match version {
        Version::Http10 => "1.0",
        Version::Http11 => "1.1",
    };
    format!("{number} {via}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_names_what_ends_here_but_not_the_framing() {
        let mut fields = Fields::new();
        fields.push("Connection", "close, X-Hop, Content-Length, Cookie");
        fields.push("X-Hop", "1");
        fields.push("Cookie", "a=b");
        fields.push("Proxy-Connection", "keep-alive");
        fields.push("X-End", "2");
        let kept = end_to_end(&fields);
        let names: Vec<&str> = kept.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Cookie", "X-End"]);
    }

    #[test]
    fn a_loop_shows_in_via() {
        let mut fields = Fields::new();
        fields.push("Via", "1.0 fred, 1.1 Socketlab-1 (a comment)");
        assert!(has_passed(&fields, "socketlab-1"));
        assert!(!has_passed(&fields, "socketlab-2"));
    }
}
