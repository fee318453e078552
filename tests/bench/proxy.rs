//! `make bench-proxy`: our proxy beside what one would run instead: tinyproxy,
//! squid (one worker) and apache's mod_proxy (worker MPM). All fetch from the
//! same origin, our web server; none keeps answers, none writes a log.
//!
//! Every round lets each proxy have its turn (ours, apache, squid, …, ours,
//! …). The proxies share one CPU; load generator and origin have the others,
//! so that rates compare, and CPU time compares better.
//!
//! proxy/rounds.rs   the scenarios, who runs when, the table
//! proxy/load.rs     the load generator
//! proxy/peers.rs    how each proxy is started
//! echo/cpu.rs, servers.rs, stats.rs   shared with the other benchmarks
//!
//! BENCH_SECONDS (1) is the length of one turn, BENCH_ROUNDS (5) how often
//! each proxy gets one. `cargo bench --bench proxy -- tunnel` runs the
//! scenarios with that in their name.

#[cfg(target_os = "linux")]
#[path = "echo/cpu.rs"]
mod cpu;
#[cfg(target_os = "linux")]
mod servers;
#[cfg(target_os = "linux")]
mod stats;
#[cfg(target_os = "linux")]
mod proxy {
    mod load;
    mod peers;
    pub mod rounds;
}

#[cfg(target_os = "linux")]
fn main() {
    proxy::rounds::run();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: CPU time and memory are read from /proc (Linux)");
}
