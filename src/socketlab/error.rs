//! One error type: which call failed, on which address, and why.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::program;

/// What the labs return. `main` may return it too: the runtime then prints
/// the error after `Error: ` and exits with status 1.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed step. Printed, it is one line that teaches:
/// `connect(127.0.0.1:12000): Connection refused (ECONNREFUSED). …`
pub struct Error {
    call: &'static str,
    on: String,
    source: io::Error,
    /// How long the call waited, if its time limit ended it.
    waited: Option<Duration>,
}

impl Error {
    /// A system call that failed: its C name, what it was applied to (mostly
    /// an address), and the errno behind `source`.
    pub fn new(
        call: &'static str,
        on: impl fmt::Display,
        source: io::Error,
    ) -> Error {
        Error { call, on: on.to_string(), source, waited: None }
    }

    /// A failure that no system call reported: the peer broke the protocol, a
    /// file has a wrong format. `text` is the complete line.
    pub fn other(text: impl Into<String>) -> Error {
        Error::new("", "", io::Error::other(text.into()))
    }

    /// A deadline of the program that has passed, reported like a failed call.
    pub fn timed_out(
        call: &'static str,
        on: impl fmt::Display,
        what: String,
    ) -> Error {
        Error::new(call, on, io::Error::new(io::ErrorKind::TimedOut, what))
    }

    /// The same error, for a call that the kernel ended because its time limit
    /// had passed. `waited` is how long the program has waited in total. The
    /// errno does not always show this: it is EINPROGRESS for a `connect`.
    pub fn after(self, waited: Duration) -> Error {
        Error { waited: Some(waited), ..self }
    }

    /// The C name of the call that failed, or "".
    pub fn call(&self) -> &'static str {
        self.call
    }

    /// The errno, if a system call reported one.
    pub fn errno(&self) -> Option<i32> {
        self.source.raw_os_error()
    }

    /// std's portable name for the failure.
    pub fn kind(&self) -> io::ErrorKind {
        match self.waited {
            Some(_) => io::ErrorKind::TimedOut,
            None => self.source.kind(),
        }
    }

    /// Did a deadline pass? A blocking socket with SO_RCVTIMEO reports that
    /// as EAGAIN on Linux, where it means "nothing yet".
    pub fn is_timeout(&self) -> bool {
        matches!(
            self.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        )
    }

    /// "Resource temporarily unavailable", the system's own words for EAGAIN,
    /// would not tell the user that a time limit has passed.
    fn is_recv_or_send_timeout(&self) -> bool {
        self.kind() == io::ErrorKind::WouldBlock
            && matches!(self.call, "recv" | "recvfrom" | "send" | "sendto")
    }

    /// Did the peer go away: RST on a live connection, or a pipe without a
    /// reader?
    pub fn is_peer_gone(&self) -> bool {
        matches!(
            self.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::NotConnected
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.call.is_empty() {
            write!(f, "{}({}): ", self.call, self.on)?;
        }
        let Some(number) = self.errno() else {
            return write!(f, "{}", self.source);
        };
        let text = self.source.to_string();
        let text = text.split(" (os error").next().unwrap_or_default();
        let name = explain::errno(number).map_or("unknown", |e| e.name);
        match self.waited {
            Some(waited) => {
                let tenths = (waited.as_secs_f64() * 10.0).round() / 10.0;
                write!(f, "timed out after {tenths} s ({name})")?;
            }
            None if self.is_recv_or_send_timeout() => {
                write!(f, "timed out ({name})")?;
            }
            None => write!(f, "{text} ({name})")?,
        }
        if self.call.is_empty() {
            return Ok(()); // a hint is about a call
        }
        write!(f, ". {}", explain::hint(self.call, number))?;
        if self.call == "recv" && self.is_timeout() && is_client() {
            f.write_str(
                " A server for one client at a time may be serving another.",
            )?;
        }
        f.write_str(&self.server_to_start().unwrap_or_default())
    }
}

impl Error {
    /// The hint after a refusal: which server to start, on which machine and
    /// address.
    fn server_to_start(&self) -> Option<String> {
        let refused = self.kind() == io::ErrorKind::ConnectionRefused;
        let calls = ["connect", "send", "recv"]; // the last two are UDP's
        let program = program::current()?;
        let server = program.other_end()?;
        if !refused || !calls.contains(&self.call) {
            return None;
        }
        let address: SocketAddr = self.on.parse().ok()?;
        let (ip, port) = (address.ip(), address.port());
        if port == 0 {
            return Some(" Port 0 is nobody's: give the server's.".into());
        }
        let port = match port == program.port {
            true => String::new(),
            false => format!(" PORT={port}"),
        };
        let all = if ip.is_ipv4() { "0.0.0.0" } else { "::" };
        Some(match ip {
            IpAddr::V4(Ipv4Addr::LOCALHOST | Ipv4Addr::UNSPECIFIED) => {
                format!(" In this lab: make {server}{port}")
            }
            ip if ip.is_loopback() || ip.is_unspecified() => {
                format!(" In this lab: make {server} HOST={ip}{port}")
            }
            // 127.0.0.1, the usual HOST, is that machine's own loopback.
            _ => format!(" On that machine: make {server} HOST={all}{port}"),
        })
    }
}

fn is_client() -> bool {
    program::current().is_some_and(|program| program.other_end().is_some())
}

// `fn main() -> Result<()>` prints errors with Debug: the same line.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Error {
        Error::new("", "", source)
    }
}
