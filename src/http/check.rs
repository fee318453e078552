//! Checks that httparse does not make although RFC 9112 demands them, and
//! checks that are possible before the complete head has arrived.

use super::target::split_authority;
use super::version::Version;
use super::{Fault, Fields};

/// Bytes. A longer start line is refused with 414.
pub const LONGEST_LINE: usize = 8 * 1024;

/// Checks how the lines end. `mixed`: some lines may end with CR LF and
/// others with LF.
pub fn check_lines(head: &[u8], mixed: bool) -> Result<(), Fault> {
    let (mut bare, mut crlf) = (false, false);
    for at in memchr::memchr2_iter(b'\r', b'\n', head) {
        let byte = head.get(at).copied();
        let next = head.get(at + 1).copied();
        match byte {
            // Some programs take a single CR as the end of a line, others do
            // not. So they would see different fields.
            Some(b'\r') if next != Some(b'\n') => {
                return Err(Fault::bad("The head has a CR without an LF."));
            }
            Some(b'\n') => {
                let after_cr = at > 0 && head.get(at - 1) == Some(&b'\r');
                (bare, crlf) = (bare || !after_cr, crlf || after_cr);
                // obs-fold: in some programs a line that begins with a space
                // continues the line before it, in others it does not.
                if matches!(next, Some(b' ' | b'\t')) {
                    return Err(Fault::bad("The head has a folded line."));
                }
            }
            _ => {}
        }
    }
    // A line that a person types into nc ends with LF, and RFC 9112 allows a
    // server to accept it. A request with both line ends is probably an
    // attack. A response with both comes from a script that forgot some CRs.
    match bare && crlf && !mixed {
        true => Err(Fault::bad("Some lines end with CR LF, some with LF.")),
        false => Ok(()),
    }
}

/// Checks the request line. The reader calls it before the rest of the head
/// has arrived, so that a malformed request is refused at once and not only
/// after the deadline.
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
        // HTTP/0.9 had requests of two words, and responses without a head.
        return Err(Fault::bad(match target {
            Some(_) => NO_VERSION,
            None => "The request line has no target and no version.",
        }));
    };
    match version {
        _ if more.is_some() => {
            let why = "The request line has more than three words.";
            Err(Fault::bad(why))
        }
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] => Ok(()),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            let why = "Only HTTP/1.0 and HTTP/1.1 are supported.";
            Err(Fault::Bad { status: 505, why })
        }
        _ => Err(Fault::bad("The version is not HTTP/1.1 or HTTP/1.0.")),
    }
}

const NO_VERSION: &str =
    "The request line has no HTTP version; HTTP/0.9 is not supported.";

/// Is this a possible method or field name? RFC 9110, section 5.6.2.
pub fn is_token(word: &[u8]) -> bool {
    !word.is_empty()
        && word.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
        })
}

/// Several sites may share one address, and Host says which of them the client
/// means. So HTTP/1.1 demands exactly one Host field.
pub fn check_host(version: Version, fields: &Fields) -> Result<(), Fault> {
    let mut hosts = fields.get_all("Host");
    let host = match hosts.next() {
        Some(host) => std::str::from_utf8(host).ok(),
        None if version == Version::Http10 => return Ok(()),
        None => return Err(Fault::bad("HTTP/1.1 demands a Host field.")),
    };
    if hosts.next().is_some() {
        return Err(Fault::bad("The head has Host twice."));
    }
    match host {
        // Host may be empty if the target has no authority.
        Some(host) if host.is_empty() || split_authority(host).is_some() => {
            Ok(())
        }
        _ => Err(Fault::bad("The value of Host is malformed.")),
    }
}
