//! Compares our servers with servers that people use, as ratios:
//! `make bench-echo`, `make bench-chat`, `make bench-web`, `make bench-proxy`.
//!
//! kit.rs     what all four share: rounds, tables, aims, servers, /proc
//! echo.rs    with Python's threading socketserver and socat
//! chat.rs    with ncat's --chat and an IRC server, inspircd
//! web.rs     with nginx, h2o, lighttpd and Python's http.server
//! proxy.rs   with apache, squid and tinyproxy
//! http.rs    requests for files, which web and proxy share
//!
//! BENCH_SECONDS is the length of one turn (1 s unless set), BENCH_ROUNDS the
//! number of turns of each server (5). `make bench-echo BENCH_SECONDS=0.2
//! BENCH_ROUNDS=3` is a short run. `make bench-echo ARGS=UDP` measures only
//! what has UDP in its name. Without make the commands are `cargo bench --bench
//! speed -- echo UDP`, and `cargo bench --bench speed` for all four.

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
        assert!(
            !labs.is_empty(),
            "no benchmark '{wanted}': use echo, chat, web or proxy"
        );
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
