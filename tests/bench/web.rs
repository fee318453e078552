//! `make bench-web`: compares our web server with nginx (one worker,
//! open_file_cache), h2o and lighttpd (one thread each), and Python's
//! http.server. All send the same files, and none writes an access log.
//!
//! http.rs        the loads
//! web/peers.rs   how each server is started
//! web/idle.rs    ten thousand idle connections; only these: ARGS=idle

mod idle;
mod peers;

use std::io;
use std::time::Duration;

use crate::http::{self, Way};
use crate::kit::Bench;
use crate::kit::contest::{self, CPU, GENERATOR, RATE, Scenario, Turn};
use crate::kit::load::Outcome;
use crate::kit::table::Column;

/// For loads whose operation is a MiB.
const CPU_GIB: Column<Turn> =
    Column::new("CPU seconds a GiB", 2, |turn| turn.cpu * 1024.0);

pub fn run(bench: &mut Bench) {
    let folder = http::folder();
    let servers = peers::start(&bench.cpus, folder.path());
    let columns = [RATE, CPU, GENERATOR];
    contest::hold(bench, &servers, &columns, &scenarios());
    if bench.wants("idle") {
        println!(
            "\n10,000 idle connections (aims: at most 36 KiB each, an answer \
             beside them within 150 us)"
        );
        // Without Python: each of its threads reserves 8 MiB of addresses.
        servers.iter().filter(|s| s.name != "python").for_each(idle::measure);
    }
}

fn scenarios() -> [Scenario; 6] {
    type Load = fn(Way, Duration) -> io::Result<Outcome>;
    let direct = |name, unit, load: Load| {
        Scenario::new(name, unit, move |to, time| load(Way::direct(to), time))
    };
    [
        direct("keep-alive, 1 connection", "requests", http::keep_alive::<1>),
        direct(
            "keep-alive, 16 connections",
            "requests",
            http::keep_alive::<16>,
        )
        .aim(RATE.at_least(1.3, "nginx"))
        .aim(RATE.at_least(1.0, "h2o")),
        direct(
            "keep-alive, 64 connections",
            "requests",
            http::keep_alive::<64>,
        )
        .aim(RATE.at_least(1.3, "nginx"))
        .aim(RATE.at_least(1.0, "h2o")),
        direct(
            "keep-alive, 256 connections",
            "requests",
            http::keep_alive::<256>,
        ),
        direct("a connection for each request", "requests", http::visits)
            // Our server reuses its threads. With a new thread for each
            // connection, 1.6 would be the limit.
            .aim(CPU.at_most(0.85, "nginx")),
        direct("download of 100 MiB", "MiB", http::download)
            .aim(CPU_GIB.below(0.11)),
    ]
}
