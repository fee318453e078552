//! From addresses back to names, all at once: each question may take as long
//! as a dead name server likes, and they need not wait for each other.
//!
//! ```text
//! 192.0.2.7  --thread-->  getnameinfo()  -->  'www.example.com'
//! 192.0.2.8  --thread-->  getnameinfo()  -->  no name is registered
//!     all of them answer, or are late, before one deadline
//! ```
//!
//! The names are whatever the owner of the ADDRESS block wrote into DNS.

use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::Duration;

use socketlab::console::escape;

use crate::{files, resolver};

/// Addresses whose names are asked for; the rest is only counted.
const MOST: usize = 8;

/// One line for each address.
pub fn names(addresses: &[IpAddr], wait: Duration) -> Vec<String> {
    let asked = addresses.iter().take(MOST);
    let mut lines = thread::scope(|scope| {
        let asking: Vec<_> =
            asked.map(|ip| scope.spawn(move || name(*ip, wait))).collect();
        let told = asking.into_iter().map(|thread| thread.join());
        told.filter_map(Result::ok).collect::<Vec<String>>()
    });
    if let Some(more) = addresses.len().checked_sub(MOST)
        && more > 0
    {
        lines.push(format!("… and {more} addresses more, not asked"));
    }
    lines
}

fn name(ip: IpAddr, wait: Duration) -> String {
    match resolver::getnameinfo(SocketAddr::new(ip, 0), 0, wait) {
        // Without NI_NAMEREQD a nameless address comes back as digits.
        Ok((host, _)) if is_address(&host) => {
            format!("{ip} has no name: getnameinfo() gives the digits back")
        }
        Ok((host, _)) => {
            let from = match files::hosts_lines_for(ip).first() {
                Some(line) => format!(" (/etc/hosts, line {})", line.number),
                None => String::new(),
            };
            format!("{ip} is called '{}'{from}", escape(host.as_bytes()))
        }
        Err(failure) => format!("{ip}: {}", failure.text),
    }
}

/// Digits, perhaps with a zone: `fe80::1%eth0`.
fn is_address(text: &str) -> bool {
    let bare = text.split('%').next().unwrap_or_default();
    bare.parse::<IpAddr>().is_ok()
}
