//! Checks for the tests of every lab: the transcripts of its README, and the
//! order of its system calls.

use std::net::Shutdown;

use rustix::process::Signal;

use crate::bytes::receive_all;
use crate::calls::Watched;
use crate::server::Server;
use crate::source_tree;
use crate::transcript;

/// Plays every transcript of a lab's pages.
#[track_caller]
pub fn play_readme(lab: &str) {
    let mut count = 0;
    for page in source_tree::pages(lab).expect("the sources") {
        let text = source_tree::read(&page).expect("a page");
        for (line, block) in transcript::blocks(&text) {
            let mut played = String::new();
            let mut show = |text: &str| played.push_str(&format!("{text}\n"));
            if let Err(error) = transcript::play(&block, &mut show) {
                panic!("{}, line {line}: {error}\n{played}", page.display());
            }
            count += 1;
        }
    }
    assert!(count > 0, "labs/{lab} has no transcript");
}

/// Runs a TCP server under strace, connects once, and checks that the system
/// calls of its sockets come in this order, which is that of the step banners.
#[track_caller]
pub fn strace_shows(program: &str, calls: &[&str]) {
    let watched = Watched::new(program).expect("strace starts");
    let Some(mut watched) = watched else { return };
    watched.command.args(["127.0.0.1", "0"]);
    let mut server = Server::run(&mut watched.command);
    let client = server.connect();
    let _ = client.shutdown(Shutdown::Write);
    let _ = receive_all(&client);
    // The server may already have ended.
    let _ = server.console().signal(Signal::TERM);
    server.console().read_to_end().expect("it ends");
    let text = watched.log().expect("the log");
    // Begin at the listener's socket(): the runtime makes calls before it.
    let start = text.find("socket(AF_INET, SOCK_STREAM").unwrap_or(0);
    let mut rest = &text[start..];
    for call in calls {
        let needle = format!("{call}(");
        let at = rest.find(&needle);
        let at = at.unwrap_or_else(|| panic!("no {call}() in order:\n{text}"));
        rest = &rest[at + needle.len()..];
    }
}
