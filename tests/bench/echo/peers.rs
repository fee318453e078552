//! The echo servers that the benchmark compares, ours first.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;

use super::load;
use crate::servers::{self, Cpus, Server};

#[derive(Clone, Copy, PartialEq)]
pub enum Protocol {
    Tcp,
    Udp,
}

/// A server and what it speaks.
pub struct Peer {
    pub server: Server,
    pub protocol: Protocol,
}

/// All servers that can be started here.
pub fn start_all(cpus: &Cpus) -> Vec<Peer> {
    use Protocol::{Tcp, Udp};
    let start = |name, protocol, command: &dyn Fn(u16) -> Command| {
        let address = free_address(protocol);
        let answers = |address| one_echo(protocol, address);
        let command = command(address.port());
        let server = Server::start(name, address, cpus, command, answers)?;
        Some(Peer { server, protocol })
    };
    let ours_tcp = env!("CARGO_BIN_EXE_echo-server");
    let ours_udp = env!("CARGO_BIN_EXE_echo-udp-server");
    let peers = [
        start("ours", Tcp, &|port| ours(ours_tcp, port)),
        start("python", Tcp, &|port| python("tcp", port)),
        start("socat", Tcp, &socat),
        start("ours", Udp, &|port| ours(ours_udp, port)),
        start("python", Udp, &|port| python("udp", port)),
    ];
    peers.into_iter().flatten().collect()
}

fn one_echo(protocol: Protocol, address: SocketAddr) -> io::Result<()> {
    match protocol {
        Protocol::Tcp => load::ping(&mut load::connect(address)?),
        Protocol::Udp => load::udp_ping(address),
    }
}

/// A port that nobody uses just now.
fn free_address(protocol: Protocol) -> SocketAddr {
    let any = (Ipv4Addr::LOCALHOST, 0);
    match protocol {
        Protocol::Tcp => servers::free_address(),
        Protocol::Udp => UdpSocket::bind(any)
            .and_then(|socket| socket.local_addr())
            .expect("the kernel has a free port"),
    }
}

fn ours(program: &str, port: u16) -> Command {
    let mut command = Command::new(program);
    command.args(["127.0.0.1", &port.to_string()]);
    command
}

fn python(protocol: &str, port: u16) -> Command {
    let script =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/echo/peers.py");
    let mut command = Command::new("python3");
    command.args([script, protocol, "127.0.0.1", &port.to_string()]);
    command
}

/// One process for each connection. For UDP, socat has no counterpart: it
/// forks for each datagram (a thousand a second), or for each sender and
/// then answers only one.
fn socat(port: u16) -> Command {
    let listen = format!(
        "TCP4-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,backlog=1024"
    );
    let mut command = Command::new("socat");
    command.args([&listen, "PIPE"]);
    command
}
