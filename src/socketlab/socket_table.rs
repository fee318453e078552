//! The kernel's table of sockets, as `ss -tan` shows it. One socket is looked
//! up by a sock_diag request; the list of all is read from `/proc/net/tcp`,
//! `tcp6`, `udp` and `udp6`. Only Linux has them; on other systems no socket is
//! found.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

mod entry;
#[cfg(target_os = "linux")]
mod sock_diag;

pub use entry::Entry;

/// Every TCP and UDP socket of this machine (of this network namespace).
pub fn all() -> Vec<Entry> {
    let tables =
        [("tcp", "tcp"), ("tcp", "tcp6"), ("udp", "udp"), ("udp", "udp6")];
    let mut entries = Vec::new();
    for (protocol, file) in tables {
        let table = read(file);
        let rows = table.lines().skip(1);
        entries.extend(rows.filter_map(|row| parse_row(protocol, row)));
    }
    entries
}

fn read(file: &str) -> String {
    fs::read_to_string(format!("/proc/net/{file}")).unwrap_or_default()
}

/// The state of the TCP socket with these two ends; without a peer, of the
/// socket bound to `local`. `None` if the kernel has none (any more).
pub fn state(local: SocketAddr, peer: Option<SocketAddr>) -> Option<Entry> {
    #[cfg(target_os = "linux")]
    if let Ok(found) = sock_diag::state(local, peer) {
        return found;
    }
    state_in_proc(local, peer)
}

/// The same from /proc, for kernels that do not answer sock_diag requests.
fn state_in_proc(local: SocketAddr, peer: Option<SocketAddr>) -> Option<Entry> {
    let same = |a: SocketAddr, b: SocketAddr| {
        a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical()
    };
    let wanted = |entry: &Entry| {
        same(entry.local, local)
            && match peer {
                Some(peer) => same(entry.peer, peer),
                None => entry.peer.port() == 0,
            }
    };
    // There may be thousands of rows, so only those with the port are parsed.
    let port = format!(":{:04X} ", local.port());
    ["tcp", "tcp6"].into_iter().find_map(|file| {
        let table = read(file);
        let rows = table.lines().filter(|row| row.contains(&port));
        rows.filter_map(|row| parse_row("tcp", row)).find(wanted)
    })
}

/// Which process holds which socket: inode to (pid, program). Sees only the
/// processes of the same user, unless root.
pub fn holders() -> HashMap<u64, (u32, String)> {
    let mut holders = HashMap::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = process.file_name().to_string_lossy().parse() else {
            continue;
        };
        let name = fs::read_link(process.path().join("exe"));
        let name = name.unwrap_or_default();
        let name = name.file_name().unwrap_or_default().to_string_lossy();
        let files = fs::read_dir(process.path().join("fd"));
        for file in files.into_iter().flatten().flatten() {
            let target = fs::read_link(file.path()).unwrap_or_default();
            let target = target.to_string_lossy();
            let inode = target
                .strip_prefix("socket:[")
                .and_then(|rest| rest.strip_suffix(']'))
                .and_then(|number| number.parse().ok());
            if let Some(inode) = inode {
                holders.insert(inode, (pid, name.to_string()));
            }
        }
    }
    holders
}

/// `  0: 0100007F:2EE0 00000000:0000 0A 00000000:00000001 … 12345 …`
fn parse_row(protocol: &'static str, row: &str) -> Option<Entry> {
    let fields: Vec<&str> = row.split_whitespace().collect();
    let (unsent, unread) = fields.get(4)?.split_once(':')?;
    Some(Entry {
        protocol,
        local: parse_address(fields.get(1)?)?,
        peer: parse_address(fields.get(2)?)?,
        name: entry::state_name(u8::from_str_radix(fields.get(3)?, 16).ok()?),
        unsent: u32::from_str_radix(unsent, 16).ok()?,
        unread: u32::from_str_radix(unread, 16).ok()?,
        inode: fields.get(9)?.parse().ok()?,
    })
}

/// `0100007F:2EE0` is 127.0.0.1:12000: each 32-bit word of the address in
/// the machine's own byte order, the port as a plain number.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::new();
    for start in (0..address.len()).step_by(8) {
        let word = address.get(start..start + 8)?;
        let word = u32::from_str_radix(word, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::V4(Ipv4Addr::from(four)),
        Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn a_row_of_the_kernels_table_is_read() {
        let row = "   0: 0100007F:2EE0 0200007F:BD35 01 00000005:0000000A \
                   00:00000000 00000000     0        0 4711 1 0 20 4 30 10 -1";
        let entry = parse_row("tcp", row).expect("a row");
        assert_eq!(entry.local, SocketAddr::from(([127, 0, 0, 1], 12000)));
        assert_eq!(entry.peer, SocketAddr::from(([127, 0, 0, 2], 48437)));
        assert_eq!(entry.name, "ESTABLISHED");
        assert_eq!((entry.unsent, entry.unread), (5, 10));
        assert_eq!(entry.inode, 4711);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_listener_of_ours_is_found() {
        let listener =
            std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let local = listener.local_addr().expect("an address");
        let found = state_in_proc(local, None).expect("in the table");
        assert_eq!(found.name, "LISTEN");
        let (pid, _) = holders().remove(&found.inode).expect("a holder");
        assert_eq!(pid, std::process::id());
    }
}
