//! FTP's second connection: where it goes to, and what comes over it. The
//! complete figure is in labs/internet/ftp.rs.
//!
//! ```text
//! control   C: EPSV     S: 229 … (|||4711|)     C: RETR    S: 150 … 226
//! data                  connect to 4711 --->         bytes <---- FIN
//! ```

use std::net::{IpAddr, SocketAddr};

use socketlab::net::TcpSocket;
use socketlab::stream::Stream;
use socketlab::{Error, Result, warn};
use tls::Channel;

use crate::connection::Connection;
use crate::ftp::reply::{ask, reply};
use crate::output::Output;

/// Where the server waits for the second connection: at the address of the
/// first one, even if its reply names another. Otherwise a server could make
/// us connect to any machine in our own network.                (viva 15)
pub fn passive(connection: &mut Connection<'_>) -> Result<SocketAddr> {
    let mut place = connection.peer_addr()?;
    connection.send("EPSV")?;
    let (code, text) = reply(connection)?;
    let port = match code {
        // 229 … (|||4711|)
        229 => text.rsplit('|').nth(1).and_then(|port| port.parse().ok()),
        _ if place.is_ipv4() => {
            let text = ask(connection, "PASV", 2)?; // an old server
            six_numbers(&text).map(|[a, b, c, d, high, low]| {
                if place.ip() != IpAddr::from([a, b, c, d]) {
                    warn!("(it names {a}.{b}.{c}.{d}: not followed)");
                }
                u16::from_be_bytes([high, low])
            })
        }
        _ => None,
    };
    let Some(port @ 1..) = port else {
        return Err(connection.refused("no port for the data in the reply"));
    };
    place.set_port(port);
    Ok(place)
}

/// `227 … (127,0,0,1,18,103)`: an address, and a port of 18 * 256 + 103. Some
/// servers leave the parentheses out, so the numbers begin with the first
/// digit (RFC 1123, 4.1.2.6).
fn six_numbers(reply: &str) -> Option<[u8; 6]> {
    let digit = |c: char| c.is_ascii_digit();
    let text = reply.get(4..)?;
    let text = text.get(text.find(digit)?..)?;
    let end = text.find(|c| !digit(c) && !", ".contains(c));
    let text = text.get(..end.unwrap_or(text.len()))?;
    let numbers = text.split(',').map(|n| n.trim().parse().ok());
    numbers.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

/// Reads the second connection to its end.
pub fn transfer(
    connection: &mut Connection<'_>,
    data: TcpSocket,
    out: &mut Output,
) -> Result<()> {
    // ---- 8 data ----------------------------------------------------------
    let (url, wait) = (&connection.job.url, connection.job.wait);
    connection.job.step("8 data");
    let mut data = match connection.tls() {
        Some(config) => Channel::connect_tls(data, config, &url.host, wait)?,
        None => Channel::Clear(data),
    };
    data.set_recv_timeout(Some(wait))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match data.recv(&mut buffer) {
            Ok(0) => break,
            Ok(count) => out.write(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.is_timeout() => {
                let wait = wait.as_secs();
                let what = format!("timed out: nothing for {wait} s (--wait)");
                return Err(Error::timed_out("recv", data.peer_addr()?, what));
            }
            Err(error) => return Err(error),
        }
    }
    data.finish();
    Ok(())
}
