//! The way to an origin: its addresses, which of them are allowed, connect.
//!
//! ```text
//!   name --getaddrinfo--> addresses --allowed?--> connect()
//!                            |
//!                            +-- this proxy itself      403, a loop
//!                            +-- private, loopback …    403, unless …
//! ```

use std::io::ErrorKind;
use std::net::SocketAddr;

use socketlab::net::{self, TcpSocket};

use crate::errors::ErrorPage;
use crate::rules::Rules;
use crate::target::Destination;

/// Connects to the first address that answers.
pub fn connect(
    destination: &Destination,
    rules: &Rules,
) -> Result<TcpSocket, ErrorPage> {
    let name = &destination.host;
    let addresses = net::resolve(name, destination.port).map_err(|_| {
        // Asking a name server takes a descriptor, too.
        match TcpSocket::new(rules.own) {
            Ok(_) => {
                ErrorPage::new(502, format!("The name {name} was not found."))
            }
            Err(_) => no_descriptor(),
        }
    })?;
    let mut last = None;
    for address in addresses {
        if let Err(problem) = rules.check(address) {
            last = Some(problem);
            continue;
        }
        match dial(address) {
            Ok(origin) => return Ok(origin),
            Err(problem) => last = Some(problem),
        }
    }
    Err(last.unwrap_or_else(|| {
        ErrorPage::new(502, format!("The name {name} has no address."))
    }))
}

fn dial(address: SocketAddr) -> Result<TcpSocket, ErrorPage> {
    let origin = TcpSocket::new(address).map_err(|_| no_descriptor())?;
    match handshake(&origin, address) {
        Ok(()) => Ok(origin),
        Err(error) => Err(unreachable(address, &error)),
    }
}

fn handshake(origin: &TcpSocket, address: SocketAddr) -> socketlab::Result<()> {
    // ---- 6 connect() -----------------------------------------------------
    // From here this program is a client. Waits 10 s at most: SO_SNDTIMEO
    // bounds connect() on Linux, too.
    origin.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
    origin.connect(address)?;
    // A server that does not read for 30 s is given up.
    origin.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    origin.set_user_timeout(net::SEND_TIMEOUT)?;
    origin.set_no_delay()
}

fn no_descriptor() -> ErrorPage {
    let why = "This proxy has no descriptor left for a connection to \
               an origin. Try again when others have gone.";
    ErrorPage::new(503, why)
}

/// No connection: whose fault is it?
fn unreachable(address: SocketAddr, error: &socketlab::Error) -> ErrorPage {
    let (status, what) = match error.kind() {
        ErrorKind::ConnectionRefused => {
            (502, "Nothing listens there (ECONNREFUSED).".to_string())
        }
        _ if error.is_timeout() => {
            (504, "No answer to connect() (ETIMEDOUT).".to_string())
        }
        _ => (502, error.to_string()),
    };
    let why = format!("No connection to the origin, {address}. {what}");
    ErrorPage::new(status, why)
}
