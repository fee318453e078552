//! Two hosts and the cable's two ends, without root: three network namespaces
//! inside one user namespace. [X-2H]
//!
//! ```text
//!  client's host         the cable's network        server's host
//!  +-------------+      +-------------------+      +-------------+
//!  | eth0 -------------- c1           c2 -------------- eth0     |
//!  | 10.0.0.1    |      |    wire-cable     |      |    10.0.0.2 |
//!  +-------------+      +-------------------+      +-------------+
//! ```
//!
//! A network namespace is a network stack of its own: interfaces, addresses,
//! ports, and connections. A veth is a pair of interfaces; what one sends, the
//! other receives. Each pair leads from a host to the cable's network.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use harness::terminal::Terminal;
use socketlab::{Error, Result};

use crate::packet::End;

/// The interfaces at the cable's two ends.
pub const CABLE_ENDS: [&str; 2] = ["c1", "c2"];

/// The process that keeps a host's network alive. It repeats each line that we
/// type, so that we learn when it runs. Without IPv6 the hosts send no frames
/// of their own, so that a capture has only the frames of the programs.
const HOLDER: &str = "for of in all default; do
    echo 1 > /proc/sys/net/ipv6/conf/$of/disable_ipv6
done 2> /dev/null
exec cat";

/// Hosts that exist as long as this value does.
pub struct Network {
    /// The processes that keep the hosts' networks; none with one host.
    holders: Vec<Terminal>,
    /// The user and the group as whom programs run there.
    user: Option<(u32, u32)>,
    has_setpriv: bool,
}

impl Network {
    /// Makes two hosts, each with one end of the cable. The calling process
    /// must be root in a network namespace of its own. Programs on the hosts
    /// run as `user` (user and group), or as that root.
    pub fn of_two_hosts(user: Option<(u32, u32)>) -> Result<Network> {
        let mut network = Network::empty(user);
        let before = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
        let _ = fs::write(before, "1"); // a kernel may be without IPv6
        for (end, inside) in End::BOTH.into_iter().zip(CABLE_ENDS) {
            let holder = ["--net", "sh", "-c", HOLDER];
            let mut holder = Terminal::start("unshare", holder)?;
            holder.type_line("ready")?;
            if holder.read_line()?.as_deref() != Some("ready") {
                return Err(Error::other("a host cannot be made"));
            }
            let number = end.index() + 1;
            let pid = holder.pid();
            network.holders.push(holder);
            // We choose the cards' addresses, so that they are the same in
            // each capture.
            ip(
                &[],
                &format!(
                    "link add name {inside} type veth peer name eth0 \
                     address 02:00:00:00:00:0{number} netns {pid}\n\
                     link set {inside} up\n"
                ),
            )?;
            ip(
                &network.enter(end),
                &format!(
                    "link set lo up\n\
                     addr add {}/24 dev eth0\n\
                     link set eth0 up\n",
                    address(end)
                ),
            )?;
        }
        Ok(network)
    }

    /// One host, which talks to itself over loopback, as two programs on one
    /// computer do.
    pub fn of_one_host(user: Option<(u32, u32)>) -> Result<Network> {
        ip(&[], "link set lo up\n")?;
        Ok(Network::empty(user))
    }

    fn empty(user: Option<(u32, u32)>) -> Network {
        let has_setpriv = Command::new("setpriv").arg("-V").output().is_ok();
        Network { holders: Vec::new(), user, has_setpriv }
    }

    /// The process that keeps a host's network.
    pub fn pid(&self, end: End) -> Option<u32> {
        self.holders.get(end.index()).map(Terminal::pid)
    }

    /// The words in front of a program that is to run on this host.
    pub fn words(&self, end: End) -> Vec<String> {
        [self.enter(end), self.as_user()].concat()
    }

    /// The words that turn root of a host into the user, and let a program end
    /// with us, even if we are killed.
    pub fn as_user(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some((user, group)) = self.user {
            // A user namespace once more, in which root is the user again.
            words.extend(["unshare", "--user", "--map-user"].map(Into::into));
            words.push(user.to_string());
            words.push("--map-group".into());
            words.push(group.to_string());
        }
        match self.has_setpriv {
            true => {
                words.extend(["setpriv", "--pdeathsig", "TERM"].map(Into::into))
            }
            false => words.push("env".into()),
        }
        words
    }

    /// The words that enter a host's network as root.
    fn enter(&self, end: End) -> Vec<String> {
        let Some(pid) = self.pid(end) else { return Vec::new() };
        let pid = pid.to_string();
        ["nsenter", "--net", "--target", &pid].map(Into::into).into()
    }

    /// Is any program on this host bound to a port that others can reach: does
    /// a TCP socket listen, or is there a UDP socket?
    pub fn serves(&self, end: End) -> bool {
        let process = match self.pid(end) {
            Some(pid) => PathBuf::from(format!("/proc/{pid}/net")),
            None => PathBuf::from("/proc/self/net"),
        };
        ["tcp", "tcp6", "udp", "udp6"].iter().any(|table| {
            let text = fs::read_to_string(process.join(table));
            text.unwrap_or_default().lines().skip(1).any(|line| {
                // State 0A is LISTEN; a UDP socket has no such state.
                table.starts_with("udp")
                    || line.split_whitespace().nth(3) == Some("0A")
            })
        })
    }
}

/// The address of the host at this end.
pub fn address(end: End) -> String {
    format!("10.0.0.{}", end.index() + 1)
}

/// Runs `ip`, here or on a host, with a command on each line.
fn ip(host: &[String], commands: &str) -> Result<()> {
    let mut words = host.to_vec();
    words.extend(["ip", "-batch", "-"].map(Into::into));
    let mut words = words.into_iter();
    let fail = |error| Error::new("exec", "ip (package iproute2)", error);
    let mut child = Command::new(words.next().unwrap_or_default())
        .args(words)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fail)?;
    if let Some(mut input) = child.stdin.take() {
        let _ = input.write_all(commands.as_bytes());
    }
    let mut said = String::new();
    if let Some(mut errors) = child.stderr.take() {
        let _ = errors.read_to_string(&mut said);
    }
    match child.wait().map_err(fail)?.success() {
        true => Ok(()),
        false => Err(Error::other(format!("ip: {}", said.trim()))),
    }
}
