//! Proves that the programs of the echo lab do what its README shows.

mod any_server;
mod client;
mod commands;
mod crowd;
mod peers;
mod stages;
mod udp;

use std::net::TcpListener;

use harness::play_readme;

#[test]
fn e_t3_the_readmes_transcripts_hold() {
    play_readme("echo");
}

/// The servers of task 3, the first one for one client at a time.
const SERVERS: [&str; 4] = [
    "echo-task3-server",
    "echo-threads-server",
    "echo-poll-server",
    "echo-server",
];

/// Those that serve many clients at once.
const CONCURRENT: [&str; 3] =
    ["echo-threads-server", "echo-poll-server", "echo-server"];

/// Every byte value, line ends and invalid UTF-8 among them.
fn all_bytes() -> Vec<u8> {
    (0..=255).collect()
}

/// A listener on a free port, and its port as an argument.
fn own_listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    (listener, port)
}
