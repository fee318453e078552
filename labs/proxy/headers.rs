//! Which header fields the proxy passes on. Some fields belong to one HOP, that
//! is, to the connection on which they came. The others are END-TO-END.
//!
//! ```text
//!   client ---- hop ---- proxy ---- hop ---- origin
//!     Connection, TE …     |      Connection, TE …   each hop has its own
//!     Accept, Cookie ----------------> unchanged       end to end
//!     Via -----------------> + ", 1.1 socketlab-…"     a proxy adds its name
//!     Host, framing        |      made anew            never copied
//! ```
//! [W-T3a] (viva 4)

use http::{Fields, Head, Request, Response, Version};

use crate::cache::freshness;
use crate::cache::stored::Stored;
use crate::hops::{max_forwards, via_entry};
use crate::target::Destination;

/// The fields of one hop (RFC 9110, section 7.6.1), and some older ones. The
/// framing belongs to the hop, too. The proxy makes it anew from what it sends.
const HOP: &str = "Connection Content-Length Host HTTP2-Settings Keep-Alive \
    Proxy-Authorization Proxy-Connection TE Trailer Transfer-Encoding Upgrade";

/// Connection can name further fields of the hop, which are then not passed on.
/// These fields are passed on all the same, because without them the request
/// would mean something else.
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

/// The head of the new request to the origin. With `stale` the request asks
/// whether this cached copy is still good. Then the proxy's conditions replace
/// the client's, because a 304 must be about the proxy's copy.
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
    // The proxy passes trailers on, so the origin may send them.
    if request.fields.lists("TE", "trailers") {
        head = head.field("TE", "trailers").field("Connection", "TE");
    }
    head.end()
}

/// The conditions that a request can have.
pub const CONDITIONS: &str = "If-Match If-Modified-Since If-None-Match \
    If-Range If-Unmodified-Since";

/// The fields of the new response. turn.rs, `end_head`, adds those of the hop.
pub fn response(response: &Response, via: &str) -> Fields {
    let mut fields = end_to_end(&response.fields);
    fields.push("Via", via_entry(response.version, via));
    fields
}

/// The last chunk, and the trailers without the fields of the hop.
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
