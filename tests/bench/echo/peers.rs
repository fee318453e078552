//! The echo servers that the benchmark compares, ours first.

use std::net::SocketAddr;
use std::process::Command;

use super::load;
use crate::kit::cpus::Cpus;
use crate::kit::load::connect;
use crate::kit::server::{Peer, Server, start_all};

const OURS_TCP: &str = "echo-server";
const OURS_UDP: &str = "echo-udp-server";

pub fn start_tcp(cpus: &Cpus) -> Vec<Server> {
    let peers: [Peer<_>; 3] = [
        ("ours", OURS_TCP, ours),
        ("python", "python3", python),
        ("socat", "socat", socat),
    ];
    let echoes = |address| load::ping(&mut connect(address)?);
    start_all(cpus, &peers, "tcp", echoes)
}

pub fn start_udp(cpus: &Cpus) -> Vec<Server> {
    let peers: [Peer<_>; 2] =
        [("ours", OURS_UDP, ours), ("python", "python3", python)];
    start_all(cpus, &peers, "udp", load::udp_ping)
}

fn ours(command: &mut Command, address: SocketAddr, _: &str) {
    command.args(["127.0.0.1", &address.port().to_string()]);
}

fn python(command: &mut Command, address: SocketAddr, protocol: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/echo/peers.py");
    let port = address.port().to_string();
    command.args([script, protocol, "127.0.0.1", &port]);
}

/// socat starts a process for each connection. It is not compared over UDP: it
/// would start a process for each datagram (a thousand a second), or for each
/// sender and then reply only once.
fn socat(command: &mut Command, address: SocketAddr, _: &str) {
    let port = address.port();
    let listen = format!(
        "TCP4-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,backlog=1024"
    );
    command.args([&listen, "PIPE"]);
}
