//! Our servers beside what one would run instead, as ratios:
//! `make bench-echo`, `make bench-chat`, `make bench-web`, `make bench-proxy`.
//!
//! kit.rs     what all four share: rounds, tables, aims, servers, /proc
//! echo.rs    beside Python's threading socketserver and socat
//! chat.rs    beside ncat's --chat and an IRC server, inspircd
//! web.rs     beside nginx, h2o, lighttpd and Python's http.server
//! proxy.rs   beside apache, squid and tinyproxy
//! http.rs    asking for files, which web and proxy share
//!
//! BENCH_SECONDS (1) is the length of one turn, BENCH_ROUNDS (5) how often
//! each server gets one; `make bench-echo BENCH_SECONDS=0.2 BENCH_ROUNDS=3`
//! is a quick look, and `make bench-echo ARGS=UDP` measures only what has UDP
//! in its name. Without make: `cargo bench --bench speed -- echo UDP`, or
//! `cargo bench --bench speed` for all four.

#[cfg(target_os = "linux")]
mod chat;
#[cfg(target_os = "linux")]
mod echo;
#[cfg(target_os = "linux")]
mod http;
#[cfg(target_os = "linux")]
mod kit;
#[cfg(target_os = "linux")]
mod proxy;
#[cfg(target_os = "linux")]
mod web;

#[cfg(target_os = "linux")]
fn main() {
    type Lab = (&'static str, fn(&mut kit::Bench));
    let mut labs: Vec<Lab> = vec![
        ("echo", echo::run),
        ("chat", chat::run),
        ("web", web::run),
        ("proxy", proxy::run),
    ];
    let words = std::env::args().skip(1);
    let mut words = words.filter(|word| !word.starts_with('-')); // --bench
    if let Some(wanted) = words.next() {
        labs.retain(|(lab, _)| *lab == wanted);
        assert!(!labs.is_empty(), "{wanted}: echo, chat, web or proxy?");
    }
    let part = words.collect::<Vec<_>>().join(" ");

    let mut bench = kit::Bench::new(part);
    for (lab, run) in labs {
        println!("\n---- {lab}");
        run(&mut bench);
        bench.print_verdicts();
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: CPU time and memory are read from /proc (Linux)");
}
