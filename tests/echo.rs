//! The echo lab, black box: its stages, its threads, UDP, and Python peers.

// Which words are commands, without a socket and its clock.
#[path = "../labs/echo/command.rs"]
mod command;
#[path = "../labs/echo/pause.rs"]
mod pause;

#[path = "echo/any_server.rs"]
mod any_server;
#[path = "echo/client.rs"]
mod client;
#[path = "echo/commands.rs"]
mod commands;
#[path = "echo/crowd.rs"]
mod crowd;
#[path = "echo/peers.rs"]
mod peers;
#[path = "echo/stages.rs"]
mod stages;
#[path = "echo/udp.rs"]
mod udp;

use std::net::TcpListener;

use support::play_readme;

#[test]
fn e_t3_the_readmes_transcripts_hold() {
    play_readme("echo");
}

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
