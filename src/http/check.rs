//! What httparse lets pass and RFC 9112 does not, and what can be refused
//! before a head is whole.

use super::target::split_authority;
use super::version::Version;
use super::{Fault, Fields};

/// A start line of more bytes is refused with 414.
pub const LONGEST_LINE: usize = 8 * 1024;

/// What can be said of the bytes alone. `mixed`: some lines may end with
/// CRLF and others with LF.
pub fn check_lines(head: &[u8], mixed: bool) -> Result<(), Fault> {
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
    // allows to take them. A request that has both is somebody's trick; a
    // response that has both comes from a script that forgot some CRs.
    match bare && crlf && !mixed {
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
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] => Ok(()),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            let why = "HTTP/1.0 and HTTP/1.1 alone are spoken here.";
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
pub fn check_host(version: Version, fields: &Fields) -> Result<(), Fault> {
    let mut hosts = fields.get_all("Host");
    let host = match hosts.next() {
        Some(host) => std::str::from_utf8(host).ok(),
        None if version == Version::Http10 => return Ok(()),
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
