//! What follows a head: RFC 9112, section 6.3, the rules in its order.

use super::version::Version;
use super::{Fault, Fields};

/// How the body of a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none; the next message begins after the empty line.
    None,
    /// After so many bytes: `Content-Length: 5`.
    Length(u64),
    /// After a chunk of length 0: `Transfer-Encoding: chunked`.
    Chunked,
    /// When the sender closes. Only a response may end so: a client that
    /// closed could not be answered. A body that was cut off looks whole.
    UntilClose,
}

impl Framing {
    /// Of the body that follows a request.
    pub fn of_request(
        version: Version,
        fields: &Fields,
    ) -> Result<Framing, Fault> {
        match announced(version, fields)? {
            Some(Announced::Chunked) => Ok(Framing::Chunked),
            // No server can tell where it ends.
            Some(Announced::OtherCoding) => {
                Err(Fault::bad("The last transfer coding is not chunked."))
            }
            Some(Announced::Length(length)) => Ok(Framing::Length(length)),
            None => Ok(Framing::None),
        }
    }

    /// Of the body that follows a response to a request of this method. The
    /// response to HEAD announces the body that GET would bring, and has none.
    pub fn of_response(
        version: Version,
        status: u16,
        fields: &Fields,
        method: &str,
    ) -> Result<Framing, Fault> {
        let announced = announced(version, fields)?;
        Ok(match (status, announced) {
            (100..=199 | 204 | 304, _) => Framing::None,
            (200..=299, _) if method == "CONNECT" => Framing::None, // a tunnel
            _ if method == "HEAD" => Framing::None,
            (_, Some(Announced::Chunked)) => Framing::Chunked,
            // It would end with the connection, and have to be undone.
            (_, Some(Announced::OtherCoding)) => {
                return Err(Fault::bad(
                    "Of transfer codings, only chunked is done here.",
                ));
            }
            (_, Some(Announced::Length(length))) => Framing::Length(length),
            (_, None) => Framing::UntilClose,
        })
    }
}

enum Announced {
    Length(u64),
    Chunked,
    OtherCoding, // gzip without chunked after it, for example
}

fn announced(
    version: Version,
    fields: &Fields,
) -> Result<Option<Announced>, Fault> {
    let length = content_length(fields)?;
    if !fields.has("Transfer-Encoding") {
        return Ok(length.map(Announced::Length));
    }
    // Two answers to one question: the classic way to smuggle a request past
    // a program that believes the other one.
    if length.is_some() {
        return Err(Fault::bad(
            "Both Content-Length and Transfer-Encoding: which one counts?",
        ));
    }
    // HTTP/1.0 knows no transfer codings, so that whoever passed this on may
    // not have understood it.
    if version == Version::Http10 {
        return Err(Fault::bad("Transfer-Encoding in HTTP/1.0."));
    }
    let mut codings = fields.list("Transfer-Encoding").peekable();
    let mut last = None;
    while let Some(coding) = codings.next() {
        let chunked = coding.eq_ignore_ascii_case(b"chunked");
        if chunked && codings.peek().is_some() {
            let twice = codings.any(|c| c.eq_ignore_ascii_case(b"chunked"));
            return Err(Fault::bad(match twice {
                true => "Transfer-Encoding names chunked twice.",
                false => "chunked is not the last transfer coding.",
            }));
        }
        let known: [&[u8]; 5] =
            [b"gzip", b"x-gzip", b"deflate", b"compress", b"x-compress"];
        let known = known.iter().any(|name| coding.eq_ignore_ascii_case(name));
        if !chunked && !known {
            let why = "This transfer coding is not known here.";
            return Err(Fault::Bad { status: 501, why });
        }
        // A known coding under chunked would have to be undone: we do not.
        if last.is_some() {
            let why = "Of transfer codings, only chunked is done here.";
            return Err(Fault::Bad { status: 501, why });
        }
        last = Some(chunked);
    }
    match last {
        Some(true) => Ok(Some(Announced::Chunked)),
        Some(false) => Ok(Some(Announced::OtherCoding)),
        None => Err(Fault::bad("Transfer-Encoding is empty.")),
    }
}

/// A response may give its length several times, in several fields or as
/// `5, 5`, if it is always the same number (RFC 9112, section 6.3). Then one
/// field remains, which can be passed on. Otherwise nothing is changed.
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

/// The value of Content-Length: digits and nothing else, on one line. `+5`,
/// `5, 5`, two lines and an empty value are read differently by different
/// programs, so that nobody should read them at all.
fn content_length(fields: &Fields) -> Result<Option<u64>, Fault> {
    let mut lines = fields.get_all("Content-Length");
    let Some(value) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(Fault::bad("Content-Length stands twice."));
    }
    match number(value) {
        Some(length) => Ok(Some(length)),
        None => Err(Fault::bad("Content-Length is not a number of bytes.")),
    }
}

/// Digits and nothing else, so that `+5` is not a number.
fn number(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| digits);
    text?.parse().ok()
}
