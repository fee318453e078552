//! One head, from its first byte to its empty line. Pure: bytes in, a
//! [`Request`] or [`Response`] out. httparse splits; what it lets pass and
//! RFC 9112 does not is refused here.

use super::target::{Target, split_authority};
use super::{Fault, Fields, Framing};

/// A head of more bytes is refused with 431. Browsers stay far below it.
pub const LARGEST_HEAD: usize = 16 * 1024;

/// A start line of more bytes is refused with 414.
pub const LONGEST_LINE: usize = 8 * 1024;

/// More fields are refused with 431.
pub const MOST_FIELDS: usize = 100;

/// The versions that share this format. HTTP/2 and 3 are binary protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// One request a connection unless both say `keep-alive`.
    Http10,
    /// Connections are kept unless one says `close`.
    Http11,
}

impl Version {
    /// `HTTP/1.1`, as it stands in a start line.
    pub fn text(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }
}

/// The head of a request. Its syntax has been checked, its framing too.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `HEAD`, …: any token, in the case in which it came.
    pub method: String,
    /// As it stands in the request line; [`target`](Self::target) parses it.
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
    /// `OK`: for people only, often empty.
    pub reason: String,
    /// The fields.
    pub fields: Fields,
}

impl Request {
    /// Parses a whole head, up to and with its empty line.
    pub fn parse(head: &[u8]) -> Result<Request, Fault> {
        check_lines(head)?;
        let line = head.split(|&byte| byte == b'\n').next().unwrap_or(head);
        check_request_line(line.strip_suffix(b"\r").unwrap_or(line))?;
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
        check_host(&request)?;
        request.framing = Framing::of_request(&request)?;
        Ok(request)
    }

    /// The target, taken apart. It was found to be well-formed before.
    pub fn target(&self) -> Target<'_> {
        let target = Target::parse(&self.method, &self.target);
        target.unwrap_or(Target::Origin("/"))
    }

    /// May the connection go on after the answer? HTTP/1.1 keeps it unless
    /// told otherwise, HTTP/1.0 closes unless told otherwise.
    pub fn keeps_alive(&self) -> bool {
        keeps_alive(self.version, &self.fields)
    }

    /// Does the client wait for `100 Continue` before it sends the body?
    pub fn expects_continue(&self) -> bool {
        self.version >= Version::Http11
            && self.fields.lists("Expect", "100-continue")
    }
}

impl Response {
    /// Parses a whole head, up to and with its empty line.
    pub fn parse(head: &[u8]) -> Result<Response, Fault> {
        check_lines(head)?;
        let mut room = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut parsed = httparse::Response::new(&mut room);
        match parsed.parse(head) {
            Ok(httparse::Status::Complete(length)) if length == head.len() => {}
            Ok(_) => return Err(Fault::bad("The head ends too early.")),
            Err(error) => return Err(refusal(error)),
        }
        let status = parsed.code.unwrap_or_default();
        if status < 100 {
            return Err(Fault::bad("The status is not a number from 100 on."));
        }
        Ok(Response {
            version: version(parsed.version),
            status,
            reason: parsed.reason.unwrap_or_default().into(),
            fields: copy(parsed.headers),
        })
    }

    /// How the body ends, if the request had this method.
    pub fn framing(&self, method: &str) -> Result<Framing, Fault> {
        Framing::of_response(self, method)
    }

    /// May the connection be used again after the body? (A body that ends
    /// with the connection settles that, whatever the head says.)
    pub fn keeps_alive(&self) -> bool {
        keeps_alive(self.version, &self.fields)
    }
}

fn keeps_alive(version: Version, fields: &Fields) -> bool {
    !fields.lists("Connection", "close")
        && (version == Version::Http11
            || fields.lists("Connection", "keep-alive"))
}

/// What can be said of the bytes alone.
fn check_lines(head: &[u8]) -> Result<(), Fault> {
    let (mut bare, mut crlf) = (false, false);
    for at in memchr::memchr2_iter(b'\r', b'\n', head) {
        let byte = head.get(at).copied();
        let next = head.get(at + 1).copied();
        match byte {
            // Some programs end a line at a CR alone, others do not.
            Some(b'\r') if next != Some(b'\n') => {
                return Err(Fault::bad("A CR that no LF follows."));
            }
            Some(b'\n') => {
                let after_cr = at > 0 && head.get(at - 1) == Some(&b'\r');
                (bare, crlf) = (bare || !after_cr, crlf || after_cr);
                // obs-fold: a line that begins with a blank continues the
                // last one, or does not, depending on whom you ask.
                if matches!(next, Some(b' ' | b'\t')) {
                    return Err(Fault::bad("A folded line in the head."));
                }
            }
            _ => {}
        }
    }
    // Lines that end with LF alone are what a person types into nc; RFC 9112
    // allows to take them. A head that has both is somebody's trick.
    match bare && crlf {
        true => Err(Fault::bad("Some lines end with CRLF, some with LF.")),
        false => Ok(()),
    }
}

/// The request line alone: also used before the rest of the head is there, so
/// that garbage is answered at once and not after a deadline.
pub fn check_request_line(line: &[u8]) -> Result<(), Fault> {
    if line.len() > LONGEST_LINE {
        let why = "The request line is longer than 8 KiB.";
        return Err(Fault::Bad { status: 414, why });
    }
    let mut words = line.split(|&byte| byte == b' ');
    let (method, target) = (words.next(), words.next());
    let (version, more) = (words.next(), words.next());
    if !method.is_some_and(is_token) {
        return Err(Fault::bad("The request does not begin with a method."));
    }
    let Some(version) = version else {
        // `GET /` and no more was HTTP/0.9: an answer without a head.
        return Err(Fault::bad(match target {
            Some(_) => "The request line has no version; HTTP/0.9 is not done.",
            None => "The request line has no target and no version.",
        }));
    };
    match version {
        _ if more.is_some() => Err(Fault::bad("Blanks in the request line.")),
        b"HTTP/1.1" | b"HTTP/1.0" => Ok(()),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            let why = "HTTP/1.0 and HTTP/1.1 are spoken here.";
            Err(Fault::Bad { status: 505, why })
        }
        _ => Err(Fault::bad("The version is not HTTP/1.1 or HTTP/1.0.")),
    }
}

/// A method or field name: RFC 9110, section 5.6.2.
pub fn is_token(word: &[u8]) -> bool {
    !word.is_empty()
        && word.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
        })
}

/// Host tells one server from another on the same address, and is therefore
/// wanted exactly once from HTTP/1.1 on.
fn check_host(request: &Request) -> Result<(), Fault> {
    let mut hosts = request.fields.get_all("Host");
    let host = match hosts.next() {
        Some(host) => std::str::from_utf8(host).ok(),
        None if request.version == Version::Http10 => return Ok(()),
        None => return Err(Fault::bad("HTTP/1.1 wants a Host field.")),
    };
    if hosts.next().is_some() {
        return Err(Fault::bad("Host stands twice."));
    }
    match host {
        // Empty is allowed, for a target that has no authority.
        Some(host) if host.is_empty() || split_authority(host).is_some() => {
            Ok(())
        }
        _ => Err(Fault::bad("Host is not a host and a port.")),
    }
}

fn refusal(error: httparse::Error) -> Fault {
    use httparse::Error;
    Fault::bad(match error {
        Error::TooManyHeaders => {
            let why = "The head has more than 100 fields.";
            return Fault::Bad { status: 431, why };
        }
        Error::HeaderName => "A field name is malformed; no blank before `:`.",
        Error::HeaderValue => "A field value has a control character.",
        Error::NewLine => "A line of the head ends in the wrong way.",
        Error::Status => "The status line is malformed.",
        Error::Token => "The start line is malformed.",
        Error::Version => "The version is not HTTP/1.1 or HTTP/1.0.",
    })
}

fn version(minor: Option<u8>) -> Version {
    if minor == Some(1) { Version::Http11 } else { Version::Http10 }
}

fn copy(parsed: &[httparse::Header<'_>]) -> Fields {
    let bytes = parsed.iter().map(|f| f.name.len() + f.value.len()).sum();
    let mut fields = Fields::with_room(parsed.len(), bytes);
    for field in parsed {
        fields.push(field.name, field.value);
    }
    fields
}

/// Fields alone: the trailers of a chunked body, up to and with their empty
/// line.
pub fn parse_fields(bytes: &[u8]) -> Result<Fields, Fault> {
    check_lines(bytes)?;
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
