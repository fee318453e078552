//! FTP's second connection: its address and its data. The complete figure is in
//! labs/internet/ftp.rs.
//!
//! ```text
//! control   C: EPSV     S: 229 … (|||4711|)     C: RETR    S: 150 … 226
//! data                  connect to 4711 --->         bytes <---- FIN
//! ```

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socketlab::net::TcpSocket;
use socketlab::stream::Stream;
use socketlab::{Error, Result, warn};
use tls::Channel;

use crate::connection::Connection;
use crate::ftp::reply::{ask, reply};
use crate::output::Output;

/// How long to wait for the server's reason after the data connection failed.
const REASON_WITHIN: Duration = Duration::from_secs(5);

/// The address for the second connection: that of the first, even if the reply
/// names another. Otherwise a server could make the client connect to any
/// machine in the client's network. (viva 15)
pub fn passive(connection: &mut Connection<'_>) -> Result<SocketAddr> {
    let mut place = connection.peer_addr()?;
    connection.send("EPSV")?;
    let (code, text) = reply(connection)?;
    let port = match (code, place.ip().to_canonical()) {
        (229, _) => extended_port(&text),
        (_, IpAddr::V6(_)) => {
            return Err(connection.refused(&format!(
                "{text}. The older command, PASV, has no room for an IPv6 \
                 address: try the server's IPv4 address"
            )));
        }
        (_, IpAddr::V4(ours)) => {
            let text = ask(connection, "PASV", 2)?; // an old server
            six_numbers(&text).map(|[a, b, c, d, high, low]| {
                if ours.octets() != [a, b, c, d] {
                    warn!("(it names {a}.{b}.{c}.{d}: not followed)");
                }
                u16::from_be_bytes([high, low])
            })
        }
    };
    let Some(port @ 1..) = port else {
        return Err(connection.refused("no port for the data in the reply"));
    };
    place.set_port(port);
    Ok(place)
}

/// `229 … (|||4711|) …`: a delimiter, three times, the port, and once more.
/// Most servers take `|`; RFC 2428 allows any character but digits for it.
/// Between the first ones there may be an address. It is not looked at.
fn extended_port(reply: &str) -> Option<u16> {
    let after = |(at, _)| reply.get(at + 1..);
    let opened = reply.match_indices('(').filter_map(after);
    // Some leave the parentheses out.
    let bare = reply.find("|||").and_then(|at| reply.get(at..));
    opened.chain(bare).find_map(|text| {
        let delimiter = text.chars().next()?;
        if !delimiter.is_ascii_graphic() || delimiter.is_ascii_digit() {
            return None;
        }
        let fields: Vec<&str> = text.splitn(5, delimiter).collect();
        let [_, _, _, port, _] = fields[..] else { return None };
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| port.parse().ok()).flatten()
    })
}

/// `227 … (127,0,0,1,18,103)`: an address, and a port of 18 * 256 + 103. Some
/// servers omit the parentheses, so the numbers begin with the first digit (RFC
/// 1123, 4.1.2.6).
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
pub fn receive(
    connection: &mut Connection<'_>,
    data: TcpSocket,
    out: &mut Output,
) -> Result<()> {
    // ---- 8 data ----------------------------------------------------------
    let wait = connection.job.wait;
    connection.job.step("8 data");
    let mut data = over_tls(connection, data)?;
    data.set_recv_timeout(Some(wait))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match data.recv(&mut buffer) {
            Ok(0) => break,
            Ok(count) => out.write(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.is_timeout() => {
                let wait = wait.as_secs();
                let what = format!("timed out: nothing for {wait} s (--wait)");
                let error = Error::timed_out("recv", data.peer_addr()?, what);
                return Err(why(connection, error));
            }
            Err(error) => return Err(why(connection, error)),
        }
    }
    data.finish();
    Ok(())
}

/// If the control connection has TLS, the second one gets it, too.
pub fn over_tls(
    connection: &mut Connection<'_>,
    data: TcpSocket,
) -> Result<Channel> {
    let (host, wait) = (&connection.job.url.host, connection.job.wait);
    match connection.tls() {
        None => Ok(Channel::Clear(data)),
        Some(config) => Channel::connect_tls(data, config, host, wait)
            .map_err(|error| why(connection, error)),
    }
}

/// The data connection failed. The server sends the reason on the control
/// connection: 425 not opened, 426 aborted, 451 a local error.
pub fn why(connection: &mut Connection<'_>, error: Error) -> Error {
    let limit = connection.job.wait.min(REASON_WITHIN);
    match connection.reply_within(limit) {
        Ok(line) => {
            let reason = connection.refused(&line);
            let error = error.to_string();
            let error = error.trim_end_matches('.');
            Error::other(format!("{error}. The server says why: {reason}"))
        }
        Err(_) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::extended_port;

    #[test]
    fn a_port_stands_between_delimiters_of_any_kind() {
        for (reply, port) in [
            ("229 Entering Extended Passive Mode (|||4711|)", Some(4711)),
            ("229 here (!!!55527!)", Some(55527)),
            ("229 here (!!!55527!) and more | text (x)", Some(55527)),
            ("229 (really) yes: (|||4711|).", Some(4711)),
            ("229 ($$$4711$", Some(4711)),
            ("229 |||4711|", Some(4711)),
            ("229 (|1|10.9.8.7|4711|)", Some(4711)),
            ("229 (|||65536|)", None),
            ("229 (|||+471|)", None),
            ("229 (|||4711)", None),
            ("229 (||||)", None),
            ("229 (111471111)", None),
            ("229 no port", None),
            ("229 (\u{e9}\u{e9}\u{e9}4711\u{e9})", None),
        ] {
            assert_eq!(extended_port(reply), port, "{reply}");
        }
    }
}
