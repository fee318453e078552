//! `make bench-chat`: our chat room beside what one would run instead, ncat's
//! `--chat` and an IRC server, inspircd.
//!
//! Every round lets each server have its turn (ours, ncat, inspircd, ours, …),
//! so that a slow minute of the machine hurts all alike. The servers share
//! one CPU and the load generator keeps to the others. Ratios and CPU time
//! hold from machine to machine; plain rates do not.
//!
//! chat/rounds.rs   what is measured, and who runs when
//! chat/idle.rs     ten thousand members who say nothing
//! chat/load.rs     a room full of members, played by one thread
//! chat/peers.rs    how each server is started and spoken to
//! chat/table.rs    what is printed
//! servers.rs       pinning, measuring and killing servers
//! stats.rs         medians, settings
//!
//! BENCH_SECONDS (1) is the length of one turn, BENCH_ROUNDS (5) how often
//! each server gets one; `BENCH_SECONDS=0.2 BENCH_ROUNDS=3` is a quick look.
//! `cargo bench --bench chat -- 100` runs the rooms of 100 members alone;
//! the other parts are 10, 1000, silence, idle.

#[cfg(target_os = "linux")]
mod chat {
    mod idle;
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
    chat::rounds::run();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: CPU time and memory are read from /proc (Linux)");
}
