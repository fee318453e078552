//! What the benchmarks share. Each keeps its own load and its own list of
//! servers.
//!
//! Every round lets each server have its turn (ours, python, socat, ours, …),
//! so that a slow minute of the machine hurts all alike. The servers share
//! one CPU and the load generator keeps to the others. Ratios and CPU time
//! hold from machine to machine; plain rates do not.
//!
//! kit/rounds.rs    whose turn it is
//! kit/contest.rs   a load, played to each server: rate and CPU time
//! kit/load.rs      connections, and the threads that share them
//! kit/table.rs     medians, ratios, aims
//! kit/server.rs    starting, measuring and killing a server
//! kit/cpus.rs      who runs on which CPU
//! kit/process.rs   what /proc says about processes

pub mod contest;
pub mod cpus;
pub mod load;
pub mod process;
pub mod rounds;
pub mod server;
pub mod table;

use std::env;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};

use cpus::Cpus;
use rounds::Record;
use table::Table;

/// How much is measured where, and what has come out.
pub struct Bench {
    pub cpus: Cpus,
    pub rounds: usize,
    /// The length of a turn.
    pub time: Duration,
    part: String,
    verdicts: Vec<String>,
}

impl Bench {
    /// Measures what has `part` in its name.
    pub fn new(part: String) -> Bench {
        raise_descriptors();
        let (cpus, placement) = Cpus::divide();
        let rounds = setting("BENCH_ROUNDS", 5.0).max(1.0) as usize;
        let time = Duration::from_secs_f64(setting("BENCH_SECONDS", 1.0));
        println!("{rounds} rounds of {time:?} a turn; {placement}");
        println!("load average before the start: {}", process::load_average());
        Bench { cpus, rounds, time, part, verdicts: Vec::new() }
    }

    pub fn wants(&self, name: &str) -> bool {
        name.contains(&self.part)
    }

    /// Prints the table, and keeps for the end whether its aims are met.
    pub fn report<T>(&mut self, table: &Table<T>, records: &[Record<T>]) {
        table.print(records);
        self.verdicts.extend(table.verdicts(records));
    }

    /// Whether the aims of all reports so far are met.
    pub fn print_verdicts(&mut self) {
        println!();
        for verdict in self.verdicts.drain(..) {
            println!("{verdict}");
        }
    }
}

/// The value of an environment variable, or `default` where there is none.
fn setting(name: &str, default: f64) -> f64 {
    let Ok(text) = env::var(name) else { return default };
    match text.parse() {
        Ok(value) if value > 0.0 && value < 3600.0 => value,
        _ => panic!("{name}={text}: give a number above 0, as in {name}=2"),
    }
}

/// A descriptor for each of ten thousand connections, here and in the
/// servers, which inherit the limit.
fn raise_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit); // then fewer will connect
}
