//! The scenarios, and who runs when: A B C, A B C, …

use std::env;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::load::{self, Outcome};
use super::{idle, peers, table};
use crate::cpu;
use crate::servers::{self, Cpus, Server};
use crate::stats::setting;

pub struct Scenario {
    pub name: &'static str,
    /// What one operation is; rates count it in each second.
    pub unit: &'static str,
    load: fn(SocketAddr, Duration) -> io::Result<Outcome>,
}

pub const KEEP_16: &str = "keep-alive, 16 connections";
pub const KEEP_64: &str = "keep-alive, 64 connections";
pub const VISITS: &str = "a connection for each request";
pub const DOWNLOAD: &str = "download of 100 MiB";

const SCENARIOS: [Scenario; 6] = [
    Scenario {
        name: "keep-alive, 1 connection",
        unit: "requests",
        load: |to, time| load::keep_alive(to, 1, time),
    },
    Scenario {
        name: KEEP_16,
        unit: "requests",
        load: |to, time| load::keep_alive(to, 16, time),
    },
    Scenario {
        name: KEEP_64,
        unit: "requests",
        load: |to, time| load::keep_alive(to, 64, time),
    },
    Scenario {
        name: "keep-alive, 256 connections",
        unit: "requests",
        load: |to, time| load::keep_alive(to, 256, time),
    },
    Scenario { name: VISITS, unit: "requests", load: load::visits },
    Scenario { name: DOWNLOAD, unit: "MiB", load: load::download },
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
    let folder = peers::folder();
    let servers = peers::start_all(&cpus, folder.path());
    println!("{rounds} rounds of {time:?} a turn; {placement}");
    println!("load average before the start: {}\n", servers::load_average());

    let wanted = env::args().skip(1).find(|word| !word.starts_with('-'));
    let wanted = wanted.unwrap_or_default();
    let results: Vec<(&Scenario, Vec<Record>)> = SCENARIOS
        .iter()
        .filter(|scenario| scenario.name.contains(&wanted))
        .map(|scenario| {
            let records = play(scenario, &servers, rounds, time);
            table::print_scenario(scenario, &records);
            (scenario, records)
        })
        .collect();
    if "idle".contains(&wanted) {
        println!("10,000 idle connections");
        // Python has a thread for each as well, of 8 MiB addresses: left out.
        servers.iter().filter(|s| s.name != "python").for_each(idle::measure);
    }
    table::print_aims(&results);
}

fn play(
    scenario: &Scenario,
    servers: &[Server],
    rounds: usize,
    time: Duration,
) -> Vec<Record> {
    let new = |server: &Server| Record {
        server: server.name,
        turns: Vec::new(),
        failure: None,
    };
    let mut records: Vec<Record> = servers.iter().map(new).collect();
    for server in servers {
        let _ = turn(scenario, server, time / 5); // warms up, counts nothing
    }
    for _ in 0..rounds {
        for (server, record) in servers.iter().zip(&mut records) {
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
    })
}
