//! FTP's replies, and its second connection: where it goes to, and what comes
//! over it. ftp.rs has the whole figure.
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

use crate::dialogue::{Dialogue, MOST_LINES};
use crate::output::Output;

/// Where the server waits for the second connection: at the first one's
/// address, whatever it says. A server that could name another one would let
/// us knock at any door of our own network.                     (viva 15)
pub fn passive(talk: &mut Dialogue<'_>) -> Result<SocketAddr> {
    let mut place = talk.peer()?.0;
    talk.send("EPSV")?;
    let (code, text) = reply(talk)?;
    let port = match code {
        // 229 … (|||4711|)
        229 => text.rsplit('|').nth(1).and_then(|port| port.parse().ok()),
        _ if place.is_ipv4() => {
            let text = ask(talk, "PASV", 2)?; // an old server
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
        return Err(talk.refused("no port for the data in the reply"));
    };
    place.set_port(port);
    Ok(place)
}

/// `227 … (127,0,0,1,18,103)`: an address, and a port of 18 * 256 + 103. Some
/// leave the parentheses out: it begins with the first digit (RFC 1123,
/// 4.1.2.6).
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
    talk: &mut Dialogue<'_>,
    data: TcpSocket,
    out: &mut Output,
) -> Result<()> {
    // ---- 8 data ----------------------------------------------------------
    talk.job.step("8 data");
    let host = &talk.job.url.host;
    let mut data = match talk.peer()?.1 {
        Some(config) => {
            Channel::connect_tls(data, config, host, talk.job.wait)?
        }
        None => Channel::Clear(data),
    };
    data.set_recv_timeout(Some(talk.job.wait))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match data.recv(&mut buffer) {
            Ok(0) => break,
            Ok(count) => out.write(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.is_timeout() => {
                let wait = talk.job.wait.as_secs();
                let what = format!("timed out: nothing for {wait} s (--wait)");
                return Err(Error::timed_out("recv", data.peer_addr()?, what));
            }
            Err(error) => return Err(error),
        }
    }
    data.finish();
    Ok(())
}

/// Sends a command that must get a reply of this kind.
pub fn ask(
    talk: &mut Dialogue<'_>,
    command: &str,
    kind: u32,
) -> Result<String> {
    talk.send(command)?;
    expect(talk, kind)
}

/// A reply of this kind: 1 it begins, 2 done, 3 more is needed, 4 not now, 5
/// never.
pub fn expect(talk: &mut Dialogue<'_>, kind: u32) -> Result<String> {
    let (code, text) = reply(talk)?;
    match code / 100 == kind {
        true => Ok(text),
        false => Err(talk.refused(&text)),
    }
}

/// A reply: `220 text`, or `220-text` and so on until `220 text`.
pub fn reply(talk: &mut Dialogue<'_>) -> Result<(u32, String)> {
    let first = talk.reply()?;
    let code = first.get(..3).unwrap_or_default().to_string();
    let number = code.parse().ok().filter(|n| (100..600).contains(n));
    let Some(number) = number else { return Err(talk.refused(&first)) };
    let mut line = first;
    for _ in 0..MOST_LINES {
        let rest = line.strip_prefix(&code);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) {
            return Ok((number, line));
        }
        line = talk.reply()?;
    }
    Err(Error::other("a reply of over 1000 lines"))
}
