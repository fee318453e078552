//! `make bench-echo`: compares our two echo servers with Python's threading
//! socketserver and with socat.
//!
//! echo/load.rs    the loads, TCP and UDP
//! echo/peers.rs   how each server is started

mod load;
mod peers;

use std::io;

use crate::kit::Bench;
use crate::kit::contest::{self, CPU, GENERATOR, LOST, RATE, Scenario};
use crate::kit::load::connect;
use crate::kit::server::Server;

/// Connections, or UDP sockets, of the crowded scenarios.
const CROWD: usize = 64;

/// A bulk turn streams this many MiB for each second of a turn.
const BULK_RATE: f64 = 256.0;

pub fn run(bench: &mut Bench) {
    let tcp = peers::start_tcp(&bench.cpus);
    let udp = peers::start_udp(&bench.cpus);
    let columns = [RATE, CPU, GENERATOR];
    contest::hold(bench, &tcp, &columns, &tcp_scenarios());
    let columns = [RATE, CPU, GENERATOR, LOST];
    contest::hold(bench, &udp, &columns, &udp_scenarios());
    println!();
    for server in &tcp {
        match crowd_memory(server) {
            Ok(kib) => println!(
                "{:8} {kib:>7} KiB with {CROWD} connections (Pss)",
                server.name
            ),
            Err(e) => println!("{:8} failed: {e}", server.name),
        }
    }
}

fn tcp_scenarios() -> [Scenario; 4] {
    [
        Scenario::new("ping-pong, 1 connection", "echoes", |to, time| {
            load::ping_pong(to, 1, time)
        }),
        Scenario::new("ping-pong, 64 connections", "echoes", |to, time| {
            load::ping_pong(to, CROWD, time)
        })
        .aim(RATE.at_least(1.15, "python"))
        .aim(CPU.at_most(0.8, "python")),
        Scenario::new("bulk, there and back", "MiB", |to, time| {
            load::bulk(to, (BULK_RATE * time.as_secs_f64()).ceil() as u64)
        }),
        Scenario::new("connect, echo, close", "visits", load::visits)
            .aim(RATE.at_least(2.0, "python")),
    ]
}

fn udp_scenarios() -> [Scenario; 2] {
    [
        Scenario::new("UDP ping-pong, 1 socket", "echoes", |to, time| {
            load::udp_ping_pong(to, 1, time)
        }),
        Scenario::new("UDP ping-pong, 64 sockets", "echoes", |to, time| {
            load::udp_ping_pong(to, CROWD, time)
        })
        .aim(RATE.at_least(2.0, "python")),
    ]
}

/// The server's memory, in KiB, while [`CROWD`] clients are connected and each
/// has received one reply.
fn crowd_memory(server: &Server) -> io::Result<u64> {
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let mut stream = connect(server.address)?;
        load::ping(&mut stream)?;
        crowd.push(stream);
    }
    Ok(server.memory())
}
