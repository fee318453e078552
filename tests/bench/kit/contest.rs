//! Runs a load against each server in turn. Measures the operations a second,
//! and the CPU time that the server used.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::Bench;
use super::load::Outcome;
use super::process;
use super::rounds::interleave;
use super::server::Server;
use super::table::{Aim, Column, Table, sum};

type Load = dyn Fn(SocketAddr, Duration) -> io::Result<Outcome>;

/// A load, and the aims of our server with it.
pub struct Scenario {
    name: &'static str,
    /// What one operation is; rates count it in each second.
    unit: &'static str,
    load: Box<Load>,
    aims: Vec<Aim<Turn>>,
}

impl Scenario {
    pub fn new(
        name: &'static str,
        unit: &'static str,
        load: impl Fn(SocketAddr, Duration) -> io::Result<Outcome> + 'static,
    ) -> Scenario {
        Scenario { name, unit, load: Box::new(load), aims: Vec::new() }
    }

    pub fn aim(mut self, aim: Aim<Turn>) -> Scenario {
        self.aims.push(aim);
        self
    }
}

/// One server's turn in one round.
pub struct Turn {
    rate: f64,
    /// CPU seconds that the server spent on one operation.
    pub cpu: f64,
    /// Share of the turn for which the load generator was on a CPU. Near 1, the
    /// rate says more about the generator than about the server.
    generator: f64,
    lost: u64,
}

pub const RATE: Column<Turn> = Column::compared("rate", 0, |turn| turn.rate);
pub const CPU: Column<Turn> =
    Column::compared("CPU ms/1,000", 2, |turn| turn.cpu * 1e6);
pub const GENERATOR: Column<Turn> =
    Column::new("generator %", 0, |turn| turn.generator * 100.0);
pub const LOST: Column<Turn> =
    Column::over(sum, "lost", 0, |turn| turn.lost as f64);

/// Runs all scenarios that are wanted, and reports each. The first server is
/// ours.
pub fn hold(
    bench: &mut Bench,
    servers: &[Server],
    columns: &[Column<Turn>],
    scenarios: &[Scenario],
) {
    for scenario in scenarios {
        if !bench.wants(scenario.name) {
            continue;
        }
        for server in servers {
            let _ = turn(scenario, server, bench.time / 5); // warms up
        }
        let players = servers.iter().map(|server| (server.name, Ok(server)));
        let records = interleave(players.collect(), bench.rounds, |server| {
            turn(scenario, server, bench.time)
        });
        let table = Table {
            name: scenario.name,
            note: &format!(" ({} a second)", scenario.unit),
            columns,
            aims: &scenario.aims,
        };
        bench.report(&table, &records);
    }
}

fn turn(
    scenario: &Scenario,
    server: &Server,
    time: Duration,
) -> io::Result<Turn> {
    let mine_before = process::cpu("self");
    let before = server.cpu();
    let outcome = (scenario.load)(server.address, time)?;
    let mine = process::cpu("self") - mine_before;
    let cpu = server.cpu_when_idle()?.saturating_sub(before);

    let operations = outcome.operations as f64;
    let seconds = outcome.elapsed.as_secs_f64();
    Ok(Turn {
        rate: operations / seconds,
        cpu: cpu.as_secs_f64() / operations,
        generator: mine.as_secs_f64() / seconds,
        lost: outcome.lost,
    })
}
