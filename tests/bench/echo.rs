//! `make bench-echo`: our two echo servers beside what one would run instead,
//! Python's threading socketserver and socat.
//!
//! Every round lets each server have its turn (ours, python, socat, ours, …),
//! so that a slow minute of the machine hurts all alike. The servers share
//! one CPU and the load generator keeps to the others. Ratios and CPU time
//! hold from machine to machine; plain rates do not.
//!
//! rounds.rs   the scenarios, and who runs when
//! load.rs     the load generator, TCP and UDP
//! servers.rs  starting, pinning, measuring and killing the servers
//! table.rs    medians, ratios, aims
//!
//! BENCH_SECONDS (1) is the length of one turn, BENCH_ROUNDS (5) how often
//! each server gets one; `BENCH_SECONDS=0.2 BENCH_ROUNDS=3` is a quick look.
//! `cargo bench --bench echo -- UDP` runs the scenarios with UDP in the name.

#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod rounds;
#[cfg(target_os = "linux")]
mod servers;
#[cfg(target_os = "linux")]
mod table;

#[cfg(target_os = "linux")]
fn main() {
    rounds::run();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: CPU time and memory are read from /proc (Linux)");
}
