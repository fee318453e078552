//! What the benchmarks share. Each benchmark has its own load and its own list
//! of servers.
//!
//! In every round each server has one turn (ours, python, socat, ours, …), so
//! that a slow minute of the machine affects all servers. The servers share one
//! CPU, and the load generator uses the others. Ratios and CPU times can be
//! compared between machines; plain rates cannot.
//!
//! kit/rounds.rs    the order of the turns
//! kit/contest.rs   runs a load against each server: rate and CPU time
//! kit/load.rs      connections, and the threads that share them
//! kit/table.rs     medians, ratios, aims
//! kit/server.rs    starting, measuring and killing a server
//! kit/cpus.rs      which process runs on which CPU
//! kit/process.rs   CPU time and memory of processes, from /proc

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

/// The settings of a run, and the verdicts so far.
pub struct Bench {
    pub cpus: Cpus,
    pub rounds: usize,
    /// The length of a turn.
    pub time: Duration,
    part: String,
    verdicts: Vec<String>,
}

impl Bench {
    /// A run that measures only what has `part` in its name.
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

    /// Prints the table, and remembers for the end which aims were met.
    pub fn report<T>(&mut self, table: &Table<T>, records: &[Record<T>]) {
        table.print(records);
        self.verdicts.extend(table.verdicts(records));
    }

    /// Prints for each aim of the reports so far whether it was met.
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
        _ => panic!("{name}={text}: use a number above 0, as in {name}=2"),
    }
}

/// Allows a descriptor for each of ten thousand connections, in this process
/// and in the servers, which inherit the limit.
fn raise_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If this fails, fewer clients connect.
    let _ = setrlimit(Resource::Nofile, limit);
}
