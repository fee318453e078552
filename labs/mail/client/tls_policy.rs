//! When the dialogue is encrypted, and when a password may go out. [W-T4b]
//!
//! ```text
//! --tls        the first byte     STARTTLS offered    not offered
//! auto         port 465: TLS      used                this machine: go
//!              others: clear                          on; else stop
//! starttls     clear              used                stop
//! implicit     TLS
//! off          clear              not used            go on
//! ```
//!
//! "Not offered" and "somebody on the way took the line out" look the same.
//! So nothing here falls back to the clear by itself.    (viva 10) (try 2)

use std::str::FromStr;

/// The port on which TLS comes before the first word (RFC 8314).
const IMPLICIT_PORT: u16 = 465;

const NOT_OFFERED: &str = "the server offers no STARTTLS, or somebody on the \
                           way has taken the line out";

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsPolicy {
    /// As secure as the server is, and never less than it must be.
    Auto,
    /// Begin in the clear, then STARTTLS, or stop.
    Upgrade,
    /// TLS from the first byte.
    Implicit,
    /// Never.
    Off,
}

impl FromStr for TlsPolicy {
    type Err = String;

    fn from_str(word: &str) -> Result<TlsPolicy, String> {
        match word {
            "auto" => Ok(TlsPolicy::Auto),
            "starttls" => Ok(TlsPolicy::Upgrade),
            "implicit" => Ok(TlsPolicy::Implicit),
            "off" => Ok(TlsPolicy::Off),
            _ => Err(format!(
                "'{word}' is none of auto, starttls, implicit, off"
            )),
        }
    }
}

impl TlsPolicy {
    /// Does TLS come before the greeting?
    pub fn comes_first(self, port: u16) -> bool {
        match self {
            TlsPolicy::Implicit => true,
            TlsPolicy::Auto => port == IMPLICIT_PORT,
            TlsPolicy::Upgrade | TlsPolicy::Off => false,
        }
    }

    /// Does the client send STARTTLS now? An error ends the dialogue.
    pub fn wants_starttls(
        self,
        offered: bool,
        loopback: bool,
    ) -> Result<bool, String> {
        match (self, offered) {
            (TlsPolicy::Implicit | TlsPolicy::Off, _) => Ok(false),
            (TlsPolicy::Auto | TlsPolicy::Upgrade, true) => Ok(true),
            (TlsPolicy::Auto, false) if loopback => Ok(false),
            (TlsPolicy::Auto, false) => Err(format!(
                "{NOT_OFFERED}. --tls off sends in the clear, for all to \
                 read, and without a log-in"
            )),
            (TlsPolicy::Upgrade, false) => {
                Err(format!("--tls starttls, and {NOT_OFFERED}"))
            }
        }
    }
}

/// May a password go out on this connection?
pub fn may_log_in(secure: bool, loopback: bool) -> Result<(), String> {
    match secure || loopback {
        true => Ok(()),
        false => Err("no log-in on a connection in the clear: everybody on \
                      the way would have the password. --tls starttls, or \
                      --tls implicit"
            .to_string()),
    }
}
