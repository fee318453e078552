//! `make bench-echo`: our two echo servers beside what one would run instead,
//! Python's threading socketserver and socat.
//!
//! Every round lets each server have its turn (ours, python, socat, ours, …),
//! so that a slow minute of the machine hurts all alike. The servers share
//! one CPU and the load generator keeps to the others. Ratios and CPU time
//! hold from machine to machine; plain rates do not.
//!
//! echo/rounds.rs   the scenarios, and who runs when
//! echo/load.rs     the load generator, TCP and UDP
//! echo/peers.rs    how each server is started
//! echo/cpu.rs      CPU time
//! echo/table.rs    ratios, aims
//! servers.rs       pinning, measuring and killing servers
//! stats.rs         medians, settings
//!
//! BENCH_SECONDS (1) is the length of one turn, BENCH_ROUNDS (5) how often
//! each server gets one; `BENCH_SECONDS=0.2 BENCH_ROUNDS=3` is a quick look.
//! `cargo bench --bench echo -- UDP` runs the scenarios with UDP in the name.

#[cfg(target_os = "linux")]
mod echo {
    mod cpu;
    mod load;
    mod peers;
    pub mod rounds;
    mod table;
}
#[cfg(target_os = "linux")]
mod servers;
#[cfg(target_os = "linux")]
mod stats;

#[cfg(target_os = "linux")]
fn main() {
    echo::rounds::run();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: CPU time and memory are read from /proc (Linux)");
}
