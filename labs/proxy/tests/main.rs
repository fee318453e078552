//! Proves the proxy lab from outside: with scripted origins and clients that
//! break rules, and with real ones (curl, Python, nginx, openssl). The pure
//! modules (freshness, hops, memory, pool, rules, target) have files of their
//! own.

mod cache;
mod connecting;
mod errors;
mod forwarding;
mod freshness;
mod hops;
mod load;
mod memory;
mod once;
mod own;
mod peers;
mod pool;
mod redirects;
mod refusals;
mod rules;
mod scripts;
mod smuggling;
mod stop;
mod target;
mod tunnel;
mod users;
mod validation;

use harness::{Server, play_readme, strace_shows};

const PROXY: &str = "proxy-server";

/// A proxy without a cache: each request reaches the origin.
fn plain() -> Server {
    Server::start(PROXY, &["--no-cache"])
}

#[test]
fn w_t3a_the_readmes_transcripts_hold() {
    play_readme("proxy");
}

#[test]
fn w_t3a_the_steps_come_in_the_order_of_the_banners() {
    let steps = ["socket", "bind", "listen", "accept4", "recvfrom"];
    strace_shows("proxy-once-server", &steps);
    strace_shows(PROXY, &steps);
}
