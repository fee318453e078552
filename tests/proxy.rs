//! The proxy lab, black box: scripted origins and clients that break rules,
//! and real ones (curl, Python, nginx, openssl).

#[path = "proxy/cache.rs"]
mod cache;
#[path = "proxy/errors.rs"]
mod errors;
#[path = "proxy/forwarding.rs"]
mod forwarding;
#[path = "proxy/load.rs"]
mod load;
#[path = "proxy/once.rs"]
mod once;
#[path = "proxy/own.rs"]
mod own;
#[path = "proxy/peers.rs"]
mod peers;
#[path = "proxy/scripts.rs"]
mod scripts;
#[path = "proxy/smuggling.rs"]
mod smuggling;
#[path = "proxy/tunnel.rs"]
mod tunnel;
#[path = "proxy/validation.rs"]
mod validation;

use support::{Server, play_readme, strace_shows};

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
