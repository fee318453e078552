//! When the dialogue is encrypted, and when a password may go out. [W-T4b]
//!
//! ```text
//! --tls        the first byte     STARTTLS offered    not offered
//! auto         port 465: TLS      used                to this machine:
//!              others: clear                          in the clear;
//!                                                     else stop
//! starttls     clear              used                stop
//! implicit     TLS
//! off          clear              not used            in the clear
//! ```
//!
//! The client cannot distinguish a server without STARTTLS from an attacker
//! on the way who removed the line. So it does not continue in the clear
//! unless the user says `off`, or the server is on this machine.
//! (viva 10) (try 2)

use std::str::FromStr;

/// The port on which TLS starts before the greeting (RFC 8314).
const IMPLICIT_PORT: u16 = 465;

const NOT_OFFERED: &str = "the server does not offer STARTTLS, or an attacker \
                           on the way has removed the offer";

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsPolicy {
    /// TLS whenever it is needed or offered.
    Auto,
    /// Begin in the clear, then STARTTLS; stop if it is not offered.
    Upgrade,
    /// TLS from the first byte.
    Implicit,
    /// No TLS at all.
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
                "'{word}' is not one of auto, starttls, implicit, off"
            )),
        }
    }
}

impl TlsPolicy {
    /// Does TLS start before the greeting?
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
                "{NOT_OFFERED}. With --tls off the client sends in the \
                 clear, where others can read it, and does not log in"
            )),
            (TlsPolicy::Upgrade, false) => {
                Err(format!("--tls starttls is set, but {NOT_OFFERED}"))
            }
        }
    }
}

/// May the client send a password on this connection?
pub fn may_log_in(secure: bool, loopback: bool) -> Result<(), String> {
    match secure || loopback {
        true => Ok(()),
        false => Err("the client does not log in on an unencrypted \
                      connection, because others on the way could read the \
                      password. Use --tls starttls or --tls implicit"
            .to_string()),
    }
}
