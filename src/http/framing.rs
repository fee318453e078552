//! Does a body follow a head, and where does it end? The rules are those of
//! RFC 9112, section 6.3, in the same order.

use super::version::Version;
use super::{Fault, Fields};

/// How the body of a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Without a body; the next message begins after the empty line.
    None,
    /// After this many bytes: `Content-Length: 5`.
    Length(u64),
    /// After a chunk of length 0: `Transfer-Encoding: chunked`.
    Chunked,
    /// When the sender closes. Only a response may end in this way, because a
    /// client that has closed could not get a response. A body that was cut
    /// off looks complete.
    UntilClose,
}

impl Framing {
    /// The framing of the body that follows a request.
    pub fn of_request(
        version: Version,
        fields: &Fields,
    ) -> Result<Framing, Fault> {
        match announced(version, fields)? {
            Some(Announced::Chunked) => Ok(Framing::Chunked),
            // The server cannot know where such a body ends.
            Some(Announced::OtherCoding) => {
                Err(Fault::bad("The last transfer coding is not chunked."))
            }
            Some(Announced::Length(length)) => Ok(Framing::Length(length)),
            None => Ok(Framing::None),
        }
    }

    /// The framing of the body that follows a response to a request of this
    /// method. The response to HEAD has the head of the response to GET, but
    /// never a body.
    pub fn of_response(
        version: Version,
        status: u16,
        fields: &Fields,
        method: &str,
    ) -> Result<Framing, Fault> {
        let announced = announced(version, fields)?;
        // The status and the method decide before the fields do.
        Ok(match (status, announced) {
            (100..=199 | 204 | 304, _) => Framing::None,
            (200..=299, _) if method == "CONNECT" => Framing::None, // a tunnel
            _ if method == "HEAD" => Framing::None,
            (_, Some(Announced::Chunked)) => Framing::Chunked,
            // Such a body ends when the server closes. We would also have to
            // decode it, which we do not support.
            (_, Some(Announced::OtherCoding)) => {
                return Err(Fault::bad(ONLY_CHUNKED));
            }
            (_, Some(Announced::Length(length))) => Framing::Length(length),
            (_, None) => Framing::UntilClose,
        })
    }
}

const ONLY_CHUNKED: &str =
    "The only transfer coding supported here is chunked.";

/// What a head says about its body.
enum Announced {
    Length(u64),
    Chunked,
    OtherCoding, // gzip without chunked after it, for example
}

/// Reads Content-Length and Transfer-Encoding.
fn announced(
    version: Version,
    fields: &Fields,
) -> Result<Option<Announced>, Fault> {
    let length = content_length(fields)?;
    if !fields.has("Transfer-Encoding") {
        return Ok(length.map(Announced::Length));
    }
    // With both fields the body has two possible ends. A proxy may use one and
    // the server the other, so an attacker can smuggle a request.
    if length.is_some() {
        return Err(Fault::bad(
            "The message has both Content-Length and Transfer-Encoding.",
        ));
    }
    // HTTP/1.0 has no transfer codings. So an HTTP/1.0 proxy on the path may
    // have forwarded the body without understanding it.
    if version == Version::Http10 {
        return Err(Fault::bad("HTTP/1.0 has no Transfer-Encoding."));
    }
    // The last coding must be chunked, because only chunks mark their end.
    let mut codings = fields.list("Transfer-Encoding").peekable();
    let mut last = None;
    while let Some(coding) = codings.next() {
        let chunked = coding.eq_ignore_ascii_case(b"chunked");
        if chunked && codings.peek().is_some() {
            let twice = codings.any(|c| c.eq_ignore_ascii_case(b"chunked"));
            return Err(Fault::bad(match twice {
                true => "Transfer-Encoding names chunked twice.",
                false => "The last transfer coding is not chunked.",
            }));
        }
        let known: [&[u8]; 5] =
            [b"gzip", b"x-gzip", b"deflate", b"compress", b"x-compress"];
        let known = known.iter().any(|name| coding.eq_ignore_ascii_case(name));
        if !chunked && !known {
            return Err(Fault::Bad { status: 501, why: ONLY_CHUNKED });
        }
        // gzip before chunked: we would have to decompress the body.
        if last.is_some() {
            return Err(Fault::Bad { status: 501, why: ONLY_CHUNKED });
        }
        last = Some(chunked);
    }
    match last {
        Some(true) => Ok(Some(Announced::Chunked)),
        Some(false) => Ok(Some(Announced::OtherCoding)),
        None => Err(Fault::bad("Transfer-Encoding is empty.")),
    }
}

/// A response may repeat its length, in several fields or as `5, 5`, if it is
/// always the same number (RFC 9112, section 6.3). Then one field replaces
/// them, so that a proxy forwards only one. Otherwise nothing changes.
pub(super) fn join_lengths(fields: &mut Fields) {
    let mut values = fields
        .get_all("Content-Length")
        .flat_map(|line| line.split(|&byte| byte == b','))
        .map(|value| number(value.trim_ascii()));
    let Some(Some(first)) = values.next() else { return };
    let mut more = false;
    for value in values {
        more = true;
        if value != Some(first) {
            return;
        }
    }
    if more {
        fields.set("Content-Length", first.to_string());
    }
}

/// The value of Content-Length: only digits, in one field. Programs disagree
/// about the meaning of `+5`, `5, 5`, two fields or an empty value. So these
/// are refused.
fn content_length(fields: &Fields) -> Result<Option<u64>, Fault> {
    let mut lines = fields.get_all("Content-Length");
    let Some(value) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(Fault::bad("The head has Content-Length twice."));
    }
    match number(value) {
        Some(length) => Ok(Some(length)),
        None => Err(Fault::bad("Content-Length is not a number of bytes.")),
    }
}

/// Parses a number of digits only, so `+5` is not a number.
fn number(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| digits);
    text?.parse().ok()
}
