//! `make bench-proxy`: compares our proxy with tinyproxy, squid (one worker)
//! and apache's mod_proxy (worker MPM). All fetch from the same origin, our web
//! server, which shares the load generator's CPUs. None of them caches
//! responses or writes a log.
//!
//! http.rs            the loads
//! proxy/tunnels.rs   the same files through CONNECT
//! proxy/peers.rs     how each proxy is started

mod peers;
mod tunnels;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::http::{self, Way};
use crate::kit::Bench;
use crate::kit::contest::{self, CPU, GENERATOR, RATE, Scenario};
use crate::kit::load::Outcome;

pub fn run(bench: &mut Bench) {
    let folder = http::folder();
    let origin = peers::start_origin(folder.path());
    let proxies = peers::start(&bench.cpus, folder.path(), origin.address);
    let columns = [RATE, CPU, GENERATOR];
    contest::hold(bench, &proxies, &columns, &scenarios(origin.address));
    println!("\nmemory at the end (KiB, shared pages divided)");
    for proxy in &proxies {
        println!("  {:10}{:>9}", proxy.name, proxy.memory());
    }
}

fn scenarios(origin: SocketAddr) -> [Scenario; 7] {
    type Load = fn(Way, Duration) -> io::Result<Outcome>;
    let through = |name, unit, load: Load| {
        Scenario::new(name, unit, move |to, time| {
            load(Way { to, origin }, time)
        })
    };
    [
        through("keep-alive, 1 connection", "requests", http::keep_alive::<1>),
        through(
            "keep-alive, 16 connections",
            "requests",
            http::keep_alive::<16>,
        )
        .aim(RATE.at_least(1.3, "apache"))
        .aim(RATE.at_least(5.0, "tinyproxy")),
        through(
            "keep-alive, 64 connections",
            "requests",
            http::keep_alive::<64>,
        )
        .aim(RATE.at_least(1.3, "apache"))
        .aim(RATE.at_least(5.0, "tinyproxy")),
        through("a connection for each request", "requests", http::visits)
            .aim(RATE.at_least(2.0, "tinyproxy")),
        through("download of 100 MiB", "MiB", http::download)
            .aim(RATE.at_least(1.25, "squid")),
        through("a tunnel for each request", "requests", tunnels::visits)
            .aim(RATE.at_least(1.25, "squid")),
        through("tunnel, download of 100 MiB", "MiB", tunnels::download)
            .aim(RATE.at_least(1.25, "squid")),
    ]
}
