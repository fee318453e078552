//! The scenarios, and who runs when: A B C, A B C, …

use std::env;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::cpu;
use super::load::{self, Outcome};
use super::peers::{self, Peer, Protocol};
use super::table;
use crate::servers::{self, Cpus, Server};
use crate::stats::setting;

/// Connections, or UDP sockets, of the crowded scenarios.
const CROWD: usize = 64;

/// MiB that a bulk turn streams for each second a turn should take.
const BULK_RATE: f64 = 256.0;

pub struct Scenario {
    pub name: &'static str,
    pub protocol: Protocol,
    /// What one operation is; rates count it in each second.
    pub unit: &'static str,
    load: fn(SocketAddr, Duration) -> io::Result<Outcome>,
}

pub const ONE: &str = "ping-pong, 1 connection";
pub const MANY: &str = "ping-pong, 64 connections";
pub const BULK: &str = "bulk, there and back";
pub const VISITS: &str = "connect, echo, close";
pub const UDP_ONE: &str = "UDP ping-pong, 1 socket";
pub const UDP_MANY: &str = "UDP ping-pong, 64 sockets";

const SCENARIOS: [Scenario; 6] = [
    Scenario {
        name: ONE,
        protocol: Protocol::Tcp,
        unit: "echoes",
        load: |to, time| load::ping_pong(to, 1, time),
    },
    Scenario {
        name: MANY,
        protocol: Protocol::Tcp,
        unit: "echoes",
        load: |to, time| load::ping_pong(to, CROWD, time),
    },
    Scenario {
        name: BULK,
        protocol: Protocol::Tcp,
        unit: "MiB",
        load: |to, time| {
            load::bulk(to, (BULK_RATE * time.as_secs_f64()).ceil() as u64)
        },
    },
    Scenario {
        name: VISITS,
        protocol: Protocol::Tcp,
        unit: "visits",
        load: load::visits,
    },
    Scenario {
        name: UDP_ONE,
        protocol: Protocol::Udp,
        unit: "echoes",
        load: |to, time| load::udp_ping_pong(to, 1, time),
    },
    Scenario {
        name: UDP_MANY,
        protocol: Protocol::Udp,
        unit: "echoes",
        load: |to, time| load::udp_ping_pong(to, CROWD, time),
    },
];

/// One server's turn in one round.
#[derive(Clone)]
pub struct Turn {
    pub rate: f64,
    /// CPU seconds that the server spent on one operation.
    pub cpu: f64,
    /// Share of the turn that the load generator was on a CPU; near 1, the
    /// rate says more about the generator than about the server.
    pub generator: f64,
    pub lost: u64,
}

/// All turns of one server in one scenario.
pub struct Record {
    pub server: &'static str,
    pub turns: Vec<Turn>,
    pub failure: Option<io::Error>,
}

pub fn run() {
    let time = Duration::from_secs_f64(setting("BENCH_SECONDS", 1.0));
    let rounds = setting("BENCH_ROUNDS", 5.0).max(1.0) as usize;
    let (cpus, placement) = Cpus::divide();
    let peers = peers::start_all(&cpus);
    println!("{rounds} rounds of {time:?} a turn; {placement}");
    println!("load average before the start: {}\n", servers::load_average());

    let wanted = env::args().skip(1).find(|word| !word.starts_with('-'));
    let wanted = wanted.unwrap_or_default();
    let results: Vec<(&Scenario, Vec<Record>)> = SCENARIOS
        .iter()
        .filter(|scenario| scenario.name.contains(&wanted))
        .map(|scenario| {
            let records = play(scenario, &peers, rounds, time);
            table::print_scenario(scenario, &records);
            (scenario, records)
        })
        .collect();
    for peer in peers.iter().filter(|p| p.protocol == Protocol::Tcp) {
        let server = &peer.server;
        table::print_memory(server.name, CROWD, crowd_memory(server));
    }
    table::print_aims(&results);
}

fn play(
    scenario: &Scenario,
    peers: &[Peer],
    rounds: usize,
    time: Duration,
) -> Vec<Record> {
    let players: Vec<&Server> = peers
        .iter()
        .filter(|peer| peer.protocol == scenario.protocol)
        .map(|peer| &peer.server)
        .collect();
    let new = |s: &&Server| Record {
        server: s.name,
        turns: Vec::new(),
        failure: None,
    };
    let mut records: Vec<Record> = players.iter().map(new).collect();
    for server in &players {
        let _ = turn(scenario, server, time / 5); // warms up, counts nothing
    }
    for _ in 0..rounds {
        for (server, record) in players.iter().zip(&mut records) {
            if record.failure.is_some() {
                continue;
            }
            match turn(scenario, server, time) {
                Ok(turn) => record.turns.push(turn),
                Err(e) => record.failure = Some(e),
            }
        }
    }
    records
}

fn turn(
    scenario: &Scenario,
    server: &Server,
    time: Duration,
) -> io::Result<Turn> {
    let mine_before = cpu::of_process("self");
    let before = cpu::of_server(server);
    let outcome = (scenario.load)(server.address, time)?;
    let mine = cpu::of_process("self") - mine_before;
    let cpu = cpu::of_server_at_rest(server).saturating_sub(before);

    let operations = outcome.operations as f64;
    let seconds = outcome.elapsed.as_secs_f64();
    Ok(Turn {
        rate: operations / seconds,
        cpu: cpu.as_secs_f64() / operations,
        generator: mine.as_secs_f64() / seconds,
        lost: outcome.lost,
    })
}

/// The server's memory, in KiB, while a crowd is connected and has been
/// answered once.
fn crowd_memory(server: &Server) -> io::Result<u64> {
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let mut stream = load::connect(server.address)?;
        load::ping(&mut stream)?;
        crowd.push(stream);
    }
    Ok(server.memory())
}
