//! Parses one head, from its first byte to its empty line, into a [`Request`]
//! or [`Response`]. It does not use a socket. The library httparse splits the
//! head. check.rs refuses what httparse accepts although RFC 9112 forbids it.

use std::borrow::Cow;

use super::check::{check_host, check_lines, check_request_line};
use super::framing::join_lengths;
use super::target::Target;
use super::version::Version;
use super::{Fault, Fields, Framing};

/// Bytes. A larger head is refused with 431. Browsers send much less.
pub const LARGEST_HEAD: usize = 16 * 1024;

/// A head with more fields is refused with 431.
pub const MOST_FIELDS: usize = 100;

/// The head of a request, after its syntax and framing have been checked.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `HEAD`, …: any token, upper and lower case unchanged.
    pub method: String,
    /// The text from the request line; [`target`](Self::target) parses it.
    pub target: String,
    /// The client's version.
    pub version: Version,
    /// The fields.
    pub fields: Fields,
    /// How the body ends.
    pub framing: Framing,
}

/// The head of a response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The server's version.
    pub version: Version,
    /// 100 to 999.
    pub status: u16,
    /// `OK`: a text for the user, often empty.
    pub reason: String,
    /// The fields.
    pub fields: Fields,
}

impl Request {
    /// Parses a complete head, including its empty line.
    pub fn parse(head: &[u8]) -> Result<Request, Fault> {
        check_lines(head, false)?;
        // The request line first: its faults have their own status codes.
        let line = head.split(|&byte| byte == b'\n').next().unwrap_or(head);
        check_request_line(line.strip_suffix(b"\r").unwrap_or(line))?;
        let head = &*as_http_1_1(head, line.trim_ascii_end().len());
        let mut room = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut parsed = httparse::Request::new(&mut room);
        match parsed.parse(head) {
            Ok(httparse::Status::Complete(length)) if length == head.len() => {}
            Ok(_) => return Err(Fault::bad("The head ends too early.")),
            Err(error) => return Err(refusal(error)),
        }
        let mut request = Request {
            method: parsed.method.unwrap_or_default().into(),
            target: parsed.path.unwrap_or_default().into(),
            version: version(parsed.version),
            fields: copy(parsed.headers),
            framing: Framing::None,
        };
        if Target::parse(&request.method, &request.target).is_none() {
            return Err(Fault::bad("The request target is malformed."));
        }
        check_host(request.version, &request.fields)?;
        request.framing =
            Framing::of_request(request.version, &request.fields)?;
        Ok(request)
    }

    /// The target, split into its parts. `parse` has checked it before.
    pub fn target(&self) -> Target<'_> {
        let target = Target::parse(&self.method, &self.target);
        target.unwrap_or(Target::Origin("/"))
    }

    /// Does the connection stay open after the response? HTTP/1.1 keeps it
    /// open unless a side sends `close`. HTTP/1.0 closes it unless a side
    /// sends `keep-alive`.
    pub fn keeps_alive(&self) -> bool {
        keeps_alive(self.version, &self.fields)
    }

    /// Does a body follow? With `Content-Length: 0` there is none.
    pub fn has_body(&self) -> bool {
        !matches!(self.framing, Framing::None | Framing::Length(0))
    }

    /// Does the request have a field Expect? HTTP/1.0 has no such field.
    pub fn expects(&self) -> bool {
        self.version >= Version::Http11 && self.fields.has("Expect")
    }

    /// Does the client wait for `100 Continue` before it sends the body?
    pub fn expects_continue(&self) -> bool {
        self.expects() && self.fields.lists("Expect", "100-continue")
    }
}

impl Response {
    /// Parses a complete head, including its empty line.
    pub fn parse(head: &[u8]) -> Result<Response, Fault> {
        let head = &*unfolded(head);
        check_lines(head, true)?;
        let head = &*as_http_1_1(head, "HTTP/1.1".len());
        let mut room = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut parsed = httparse::Response::new(&mut room);
        // RFC 9112, section 5.1: a space before the colon is removed from a
        // response, but refused in a request.
        let mut config = httparse::ParserConfig::default();
        config.allow_spaces_after_header_name_in_responses(true);
        match config.parse_response(&mut parsed, head) {
            Ok(httparse::Status::Complete(length)) if length == head.len() => {}
            Ok(_) => return Err(Fault::bad("The head ends too early.")),
            Err(error) => return Err(refusal(error)),
        }
        let status = parsed.code.unwrap_or_default();
        if status < 100 {
            return Err(Fault::bad("The status is not a number above 99."));
        }
        // After this, at most one Content-Length is left if all are equal.
        let mut fields = copy(parsed.headers);
        join_lengths(&mut fields);
        Ok(Response {
            version: version(parsed.version),
            status,
            reason: parsed.reason.unwrap_or_default().into(),
            fields,
        })
    }

    /// How the body ends after a request of this method.
    pub fn framing(&self, method: &str) -> Result<Framing, Fault> {
        Framing::of_response(self.version, self.status, &self.fields, method)
    }

    /// Can the connection be used again after the body? (Not if the body ends
    /// when the server closes, whatever the head says.)
    pub fn keeps_alive(&self) -> bool {
        keeps_alive(self.version, &self.fields)
    }
}

/// The rule for both sides: `close` in any version, `keep-alive` in HTTP/1.0.
fn keeps_alive(version: Version, fields: &Fields) -> bool {
    !fields.lists("Connection", "close")
        && (version == Version::Http11
            || fields.lists("Connection", "keep-alive"))
}

/// The fault for an error of httparse.
fn refusal(error: httparse::Error) -> Fault {
    use httparse::Error;
    Fault::bad(match error {
        Error::TooManyHeaders => {
            let why = "The head has more than 100 fields.";
            return Fault::Bad { status: 431, why };
        }
        Error::HeaderName => "A field name is malformed (a space before `:`?).",
        Error::HeaderValue => "A field value has a control character.",
        Error::NewLine => "A line of the head does not end with CR LF.",
        Error::Status => "The status line is malformed.",
        Error::Token => "The start line is malformed.",
        Error::Version => "The version is not HTTP/1.1 or HTTP/1.0.",
    })
}

/// A response's head without folded lines. A line that begins with a space
/// continues the field before it. A client or proxy must replace the newline
/// between them by spaces (RFC 9112, section 5.2). In a request a folded line
/// is refused.
fn unfolded(head: &[u8]) -> Cow<'_, [u8]> {
    let mut unfolded = Cow::Borrowed(head);
    // Not the first line end: no field comes before the status line.
    let ends = memchr::memchr_iter(b'\n', head).skip(1);
    for end in
        ends.filter(|end| matches!(head.get(end + 1), Some(b' ' | b'\t')))
    {
        let cr = end.checked_sub(1).filter(|at| head.get(*at) == Some(&b'\r'));
        for at in [Some(end), cr].into_iter().flatten() {
            unfolded.to_mut().get_mut(at).into_iter().for_each(|b| *b = b' ');
        }
    }
    unfolded
}

/// The version in this head ends at `end`. HTTP/1.2 would be an extension of
/// 1.1 that we may ignore (RFC 9110, section 2.5). httparse accepts 1.0 and
/// 1.1 only, so a later minor version becomes 1.1.
fn as_http_1_1(head: &[u8], end: usize) -> Cow<'_, [u8]> {
    match head.get(..end) {
        Some([.., b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9']) => {
            let (before, after) = head.split_at(end - 1);
            let after = after.get(1..).unwrap_or_default();
            Cow::Owned([before, b"1", after].concat())
        }
        _ => Cow::Borrowed(head),
    }
}

fn version(minor: Option<u8>) -> Version {
    if minor == Some(1) { Version::Http11 } else { Version::Http10 }
}

/// Copies httparse's fields, which point into the head, into our own.
fn copy(parsed: &[httparse::Header<'_>]) -> Fields {
    let bytes = parsed.iter().map(|f| f.name.len() + f.value.len()).sum();
    let mut fields = Fields::with_room(parsed.len(), bytes);
    for field in parsed {
        fields.push(field.name, field.value);
    }
    fields
}

/// Parses fields without a start line: the trailers of a chunked body,
/// including their empty line.
pub fn parse_fields(bytes: &[u8]) -> Result<Fields, Fault> {
    check_lines(bytes, false)?;
    let mut room = [httparse::EMPTY_HEADER; MOST_FIELDS];
    match httparse::parse_headers(bytes, &mut room) {
        Ok(httparse::Status::Complete((length, fields)))
            if length == bytes.len() =>
        {
            Ok(copy(fields))
        }
        Ok(_) => Err(Fault::bad("The trailers end too early.")),
        Err(error) => Err(refusal(error)),
    }
}

#[cfg(test)]
mod tests;
