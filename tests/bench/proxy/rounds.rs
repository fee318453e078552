//! The scenarios, who runs when (A B C, A B C, …), and the table.

use std::env;
use std::io;
use std::time::Duration;

use super::load::{self, Outcome, Way};
use super::peers;
use crate::cpu;
use crate::servers::{self, Cpus, Server};
use crate::stats::{median, median_ratio, setting};

struct Scenario {
    name: &'static str,
    unit: &'static str,
    load: fn(Way, Duration) -> io::Result<Outcome>,
    /// Ours at least so many times this proxy's rate.
    aims: &'static [(&'static str, f64)],
}

const SCENARIOS: [Scenario; 7] = [
    Scenario {
        name: "keep-alive, 1 connection",
        unit: "requests",
        load: |way, time| load::keep_alive(way, 1, time),
        aims: &[],
    },
    Scenario {
        name: "keep-alive, 16 connections",
        unit: "requests",
        load: |way, time| load::keep_alive(way, 16, time),
        aims: &[("apache", 1.3), ("tinyproxy", 5.0)],
    },
    Scenario {
        name: "keep-alive, 64 connections",
        unit: "requests",
        load: |way, time| load::keep_alive(way, 64, time),
        aims: &[("apache", 1.3), ("tinyproxy", 5.0)],
    },
    Scenario {
        name: "a connection for each request",
        unit: "requests",
        load: load::visits,
        aims: &[("tinyproxy", 2.0)],
    },
    Scenario {
        name: "download of 100 MiB",
        unit: "MiB",
        load: load::download,
        aims: &[("squid", 1.25)],
    },
    Scenario {
        name: "a tunnel for each request",
        unit: "requests",
        load: load::tunnels,
        aims: &[],
    },
    Scenario {
        name: "tunnel, download of 100 MiB",
        unit: "MiB",
        load: load::tunnel_download,
        aims: &[("squid", 1.25)],
    },
];

/// One proxy's turn in one round.
#[derive(Clone, Copy)]
struct Turn {
    rate: f64,
    /// CPU seconds that the proxy spent on one operation.
    cpu: f64,
}

/// All turns of one proxy in one scenario.
struct Record {
    server: &'static str,
    turns: Vec<Turn>,
    failure: Option<io::Error>,
}

pub fn run() {
    let time = Duration::from_secs_f64(setting("BENCH_SECONDS", 1.0));
    let rounds = setting("BENCH_ROUNDS", 5.0).max(1.0) as usize;
    let (cpus, placement) = Cpus::divide();
    let folder = peers::folder();
    let origin = peers::Origin::start(folder.path());
    let servers = peers::start_all(&cpus, folder.path(), origin.address);
    println!("{rounds} rounds of {time:?} a turn; {placement}");
    println!("load average before the start: {}\n", servers::load_average());

    let wanted = env::args().skip(1).find(|word| !word.starts_with('-'));
    let wanted = wanted.unwrap_or_default();
    let scenarios = SCENARIOS.iter();
    for scenario in scenarios.filter(|s| s.name.contains(&wanted)) {
        let records = play(scenario, &servers, &origin, rounds, time);
        print(scenario, &records);
    }
    println!("memory at the end (KiB, shared pages divided)");
    for server in &servers {
        println!("  {:10}{:>9}", server.name, server.memory());
    }
}

fn play(
    scenario: &Scenario,
    servers: &[Server],
    origin: &peers::Origin,
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
        let _ = turn(scenario, server, origin, time / 5); // warms up
    }
    for _ in 0..rounds {
        for (server, record) in servers.iter().zip(&mut records) {
            if record.failure.is_some() {
                continue;
            }
            match turn(scenario, server, origin, time) {
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
    origin: &peers::Origin,
    time: Duration,
) -> io::Result<Turn> {
    let way = Way { proxy: server.address, origin: origin.address };
    let before = cpu::of_server(server);
    let outcome = (scenario.load)(way, time)?;
    let cpu = cpu::of_server_at_rest(server).saturating_sub(before);
    let operations = outcome.operations as f64;
    Ok(Turn {
        rate: operations / outcome.elapsed.as_secs_f64(),
        cpu: cpu.as_secs_f64() / operations,
    })
}

fn print(scenario: &Scenario, records: &[Record]) {
    println!("{} ({} a second)", scenario.name, scenario.unit);
    println!(
        "  {:10}{:>11}{:>12}{:>16}{:>12}",
        "proxy", "rate", "ours/it", "CPU ms/1,000", "ours/it"
    );
    let Some(ours) = records.first().filter(|r| r.failure.is_none()) else {
        println!("  ours failed");
        return;
    };
    for record in records {
        if let Some(e) = &record.failure {
            println!("  {:10} failed: {e}", record.server);
            continue;
        }
        let (rate, cpu) =
            (ratio(ours, record, |t| t.rate), ratio(ours, record, |t| t.cpu));
        println!(
            "  {:10}{:>11.0}{:>10.2} x{:>16.2}{:>10.2} x",
            record.server,
            median(record.turns.iter().map(|turn| turn.rate)),
            rate,
            median(record.turns.iter().map(|turn| turn.cpu)) * 1e6,
            cpu,
        );
    }
    for (name, least) in scenario.aims {
        let peer = records.iter().find(|record| record.server == *name);
        if let Some(peer) = peer.filter(|record| record.failure.is_none()) {
            let found = ratio(ours, peer, |turn| turn.rate);
            let verdict = if found >= *least { "met" } else { "missed" };
            println!("  aim: {least} x {name}, is {found:.2}: {verdict}");
        }
    }
    println!();
}

/// Ours / theirs, each pair measured within seconds of each other.
fn ratio(ours: &Record, peer: &Record, value: fn(&Turn) -> f64) -> f64 {
    median_ratio(ours.turns.iter().map(value), peer.turns.iter().map(value))
}
