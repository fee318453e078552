//! `make bench-web`: our web server beside what one would run instead: nginx
//! (one worker, open_file_cache), h2o and lighttpd (one thread each), and
//! Python's http.server. All send the same files, none writes an access log.
//!
//! Every round lets each server have its turn (ours, nginx, h2o, …, ours, …),
//! so that a slow minute of the machine hurts all alike. The servers share
//! one CPU and the load generator keeps to the others. Ratios and CPU time
//! hold from machine to machine; plain rates do not.
//!
//! web/rounds.rs   the scenarios, and who runs when
//! web/load.rs     the load generator
//! web/peers.rs    how each server is started
//! web/table.rs    ratios, aims
//! web/idle.rs     ten thousand connections that ask nothing
//! echo/cpu.rs, servers.rs, stats.rs   shared with the other benchmarks
//!
//! BENCH_SECONDS (1) is the length of one turn, BENCH_ROUNDS (5) how often
//! each server gets one; `BENCH_SECONDS=0.2 BENCH_ROUNDS=3` is a quick look.
//! `cargo bench --bench web -- keep-alive` runs the scenarios with that in
//! their name, `-- idle` the idle connections alone.

#[cfg(target_os = "linux")]
#[path = "echo/cpu.rs"]
mod cpu;
#[cfg(target_os = "linux")]
mod servers;
#[cfg(target_os = "linux")]
mod stats;
#[cfg(target_os = "linux")]
mod web {
    pub mod idle;
    mod load;
    mod peers;
    pub mod rounds;
    mod table;
}

#[cfg(target_os = "linux")]
fn main() {
    web::rounds::run();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: CPU time and memory are read from /proc (Linux)");
}
