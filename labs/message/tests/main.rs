//! The message lab, black box: task 1 open, task 2 the levels, task 3 the
//! quota; Python peers, nc, and the UNIX commands of the optional tasks.

mod client;
mod crowd;
mod foreign;
mod intruder;
mod levels;
mod open;
mod plain;
mod quotas;
mod throttle;
mod unix;

use std::fs;
use std::net::TcpStream;

use harness::terminal::{self, Terminal};
use harness::{
    Server, half_close, play_readme, receive_all, receive_line, send,
};

const SECRET: &str = "open sesame";
const LONG_LINE: usize = 128 * 1024;

/// A server at this level, whose secret is [`SECRET`].
fn guarded(level: &str, arguments: &[&str]) -> Server {
    let mut command = terminal::command("message-server");
    command.args(["127.0.0.1", "0", "--auth", level]).args(arguments);
    Server::run(command.env("MESSAGE_SECRET", SECRET))
}

/// A client of a server that knows this secret.
fn client_with(server: &Server, secret: &str, arguments: &[&str]) -> Terminal {
    let (host, port) = server.host_and_port();
    let mut command = terminal::command("message-client");
    command.args([&host, &port]).args(arguments);
    Terminal::run(command.env("MESSAGE_SECRET", secret)).expect("it starts")
}

/// A file with a quota table, and the folder that keeps it.
fn table(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("quota.txt");
    fs::write(&file, text).expect("a file");
    let name = file.display().to_string();
    (folder, name)
}

/// A server with this table.
fn with_quota(text: &str, arguments: &[&str]) -> Server {
    let (_folder, file) = table(text);
    let mut all = vec!["--quota", file.as_str()];
    all.extend(arguments);
    Server::start("message-server", &all) // has read it when it listens
}

/// Says lines, one after the other, and returns the answers.
#[track_caller]
fn dialogue(stream: &TcpStream, lines: &[&str]) -> Vec<String> {
    let say = |line: &&str| {
        send(stream, format!("{line}\n").as_bytes());
        receive_line(stream)
    };
    lines.iter().map(say).collect()
}

/// What the server says to all of this at once, to its end.
#[track_caller]
fn answers_to(server: &Server, bytes: &[u8]) -> String {
    let stream = server.connect();
    send(&stream, bytes);
    half_close(&stream);
    String::from_utf8(receive_all(&stream)).expect("text")
}

#[track_caller]
fn wait(terminal: &mut Terminal, pattern: &str) {
    terminal.wait_for(pattern).unwrap_or_else(|e| panic!("{e}"));
}

#[track_caller]
fn ends_with(mut terminal: Terminal, code: i32) {
    let status = terminal.wait_for_end().expect("it ends");
    assert_eq!(status.code(), Some(code));
}

#[test]
fn d_t1_1_the_readmes_transcripts_hold() {
    play_readme("message");
}
