//! From the fields that were received to those that are forwarded. Some belong
//! to one HOP, the connection on which they came; the others are END-TO-END.
//!
//! ```text
//!   client ---- hop ---- proxy ---- hop ---- origin
//!     Connection, TE …     |      Connection, TE …     each hop its own
//!     Accept, Cookie ----------------> as they are     end to end
//!     Via ----------------> + ", 1.1 socketlab-…"      each proxy adds itself
//!     Host, framing        |      made anew            never copied
//! ```
//! [W-T3a] (viva 4)

use http::{Fields, Head, Request, Response, Version};

use crate::cache::freshness;
use crate::cache::stored::Stored;
use crate::hops::{max_forwards, via_entry};
use crate::target::Destination;

/// Fields of one hop (RFC 9110, section 7.6.1), and those of older practice.
/// The framing is of the hop as well: we make it anew from what we send.
const HOP: &str = "Connection Content-Length Host HTTP2-Settings Keep-Alive \
    Proxy-Authorization Proxy-Connection TE Trailer Transfer-Encoding Upgrade";

/// Connection can name any field, and that field then ends here. Not these:
/// without them the origin would understand another request.
const NOT_BY_NAME: &str = "Authorization Cache-Control Cookie Via";

/// All end-to-end fields.
fn end_to_end(fields: &Fields) -> Fields {
    let is = |name: &str, list: &str| {
        list.split(' ').any(|entry| entry.eq_ignore_ascii_case(name))
    };
    let has_options = fields.has("Connection");
    let mut end_to_end = Fields::new();
    for (name, value) in fields.iter() {
        let named = has_options
            && fields.lists("Connection", name)
            && !is(name, NOT_BY_NAME);
        if !named && !is(name, HOP) {
            end_to_end.push(name, value);
        }
    }
    end_to_end
}

/// The head of the new request to the origin. `stale`: ask whether this copy
/// is still good; then our conditions replace the client's.
pub fn request(
    request: &Request,
    destination: &Destination,
    via: &str,
    stale: Option<&Stored>,
) -> Vec<u8> {
    let validators = stale.map(freshness::validators).unwrap_or_default();
    let mut fields = end_to_end(&request.fields);
    if !validators.is_empty() {
        for name in CONDITIONS.split(' ') {
            fields.remove(name);
        }
    }
    if request.version == Version::Http10 {
        fields.remove("Expect"); // an HTTP/1.0 client does not know a 100
    }
    let mut head = Head::request(&request.method, &destination.path)
        .field("Host", destination.authority());
    if let Some(left) = max_forwards(request) {
        fields.set("Max-Forwards", left.saturating_sub(1).to_string());
    }
    head = head.fields(&fields);
    for (name, value) in validators {
        head = head.raw_field(name, &value);
    }
    head = head
        .framing(request.framing)
        .field("Via", via_entry(request.version, via));
    // Trailers can be passed on, so the origin may know that they are wanted.
    if request.fields.lists("TE", "trailers") {
        head = head.field("TE", "trailers").field("Connection", "TE");
    }
    head.end()
}

/// The conditions that a request can have.
pub const CONDITIONS: &str = "If-Match If-Modified-Since If-None-Match \
    If-Range If-Unmodified-Since";

/// The fields of the new response. What belongs to the hop to the client is
/// added by turn.rs, `end_head`.
pub fn response(response: &Response, via: &str) -> Fields {
    let mut fields = end_to_end(&response.fields);
    fields.push("Via", via_entry(response.version, via));
    fields
}

/// Trailers that may be forwarded: no field that belongs in a head.
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
