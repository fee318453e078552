//! Proves that the clients print the echo, and what they say of bad servers.

use std::io::Write;
use std::process::Command;
use std::thread;

use harness::terminal::{self, Terminal};
use rustix::process::Signal;

use crate::own_listener;
use harness::{
    DEADLINE, Server, dripping_server, installed, receive, receive_all, send,
    trickle,
};

#[test]
fn e_t3_echo_client_says_when_the_server_goes_first() {
    let mut server = Server::start("echo-server", &[]);
    let mut client = server.client("echo-client", &[]);
    client.type_line("exit soon").expect("it reads");
    client.wait_for("exit soon").expect("the echo");
    server.console().signal(Signal::INT).expect("a signal");
    server.wait_for("[…] cut by the stop");
    client.wait_for("Error: the server has closed").expect("a reason");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    for command in ["exit", "stop"] {
        let server = Server::start("echo-server", &[]);
        let mut client = server.client("echo-client", &[]);
        client.type_line(command).expect("it reads");
        let status = client.wait_for_end().expect("it ends");
        assert_eq!(status.code(), Some(0), "{command}");
    }
}

#[test]
fn e_t3_echo_client_is_byte_exact_for_files_too() {
    let server = Server::start("echo-server", &["--quiet"]);
    let file: Vec<u8> = (0..3_000_000u32).map(|n| (n % 253) as u8).collect();
    let mut client = server.client("echo-client", &[]);
    let (sent, expected) = (file.clone(), file.len());
    let mut stdin = client.take_input().expect("its input");
    let typing = thread::spawn(move || stdin.write_all(&sent));
    let mut echo = client.read_to_end().expect("it ends");
    typing.join().expect("a writer").expect("all was typed");
    assert_eq!(echo.len(), expected);
    assert!(echo == file, "some bytes came back different");
    echo.clear();
}

#[test]
fn e_t3_echo_client_tells_when_less_or_more_comes_back() {
    for (back, problem) in [
        ("", "the server closed before all was echoed, 0 bytes back for 6 …"),
        ("hel", "the server closed before all was echoed, 3 bytes back …"),
        ("hello, hello", "more than we sent came back, 12 bytes back for 6 …"),
    ] {
        let (listener, port) = own_listener();
        let mut client = Terminal::start("echo-client", ["127.0.0.1", &port])
            .expect("it starts");
        client.type_line("hello").expect("it reads");
        client.end_input();
        let (peer, _) = listener.accept().expect("a client");
        peer.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        assert_eq!(receive_all(&peer), b"hello\n");
        send(&peer, back.as_bytes());
        drop(peer);
        client.wait_for(&format!("…Error: {problem}")).expect("one line");
        let status = client.wait_for_end().expect("it ends");
        assert_eq!(status.code(), Some(1), "{back:?}");
    }
}

#[test]
fn e_t3_echo_client_does_not_wait_for_ever() {
    let (silent, port) = own_listener();
    let arguments = ["127.0.0.1", &port, "--wait", "1"];
    let mut client =
        Terminal::start("echo-client", arguments).expect("it starts");
    client.type_line("hello").expect("it reads");
    client.end_input();
    let _kept = silent.accept().expect("a client");
    client
        .wait_for("Error: recv(…): timed out: no end of the echo within 1 s …")
        .expect("one line");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn e_t3_a_server_cannot_drive_a_persons_terminal() {
    if !installed("script", "bsdutils") {
        return;
    }
    let hostile = "\x1b]0;owned\x07é\x1b[2J\n";
    for person in [true, false] {
        let (listener, port) = own_listener();
        let program = terminal::program_folder().join("echo-client");
        let mut command = match person {
            true => Command::new("script"),
            false => Command::new("sh"),
        };
        let line = format!("{} 127.0.0.1 {port}", program.display());
        match person {
            true => command.args(["-qec", &line, "/dev/null"]),
            false => command.args(["-c", &line]),
        };
        let mut client = Terminal::run(&mut command).expect("it starts");
        let (peer, _) = listener.accept().expect("a client");
        client.type_line(&"x".repeat(hostile.len() - 1)).expect("it reads");
        receive(&peer, hostile.len()); // left unread, it would mean RST
        trickle(&peer, hostile.as_bytes()); // é comes in two halves
        drop(peer);
        let shown = client.read_to_end().expect("it ends");
        let shown = String::from_utf8_lossy(&shown);
        let escaped = shown.contains("\\x1b]0;owned\\x07é\\x1b[2J");
        assert_eq!(escaped, person, "{shown:?}");
        assert_eq!(shown.contains(hostile), !person, "{shown:?}");
    }
}

#[test]
fn e_t2_a_server_that_drips_is_left() {
    let server = dripping_server();
    let programs = ["echo-task2-client", "echo-task3-client"];
    for mut client in programs.map(|name| server.client(name, &["--wait=1"])) {
        client.type_line(&"x".repeat(500)).expect("it reads");
        client.end_input();
        client.wait_for("…Error: …").expect("one line");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    }
}

#[test]
fn e_t2_a_time_out_says_after_how_long_and_what_it_may_mean() {
    for program in ["echo-task2-client", "echo-task3-client"] {
        let (silent, port) = own_listener();
        let arguments = ["127.0.0.1", &port, "--wait=1"];
        let mut client =
            Terminal::start(program, arguments).expect("it starts");
        let _kept = silent.accept().expect("a client");
        client.type_line("hello").expect("it reads");
        client
            .wait_for(
                "Error: recv(…): timed out after 1 s (EAGAIN). … A server for \
                 one client at a time may be serving another.",
            )
            .expect("one line");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    }
}

#[test]
fn e_t2_write_all_then_read_deadlocks_as_promised() {
    let server = Server::start("echo-server", &["--quiet"]);
    let mut client = server.client("echo-deadlock", &["--mib", "256"]);
    client
        .wait_for("Error: deadlock, as promised: … bytes sent, 0 read; …")
        .unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    let mut small = server.client("echo-deadlock", &["--mib", "1"]);
    small
        .wait_for("no deadlock: 1048576 bytes sent, 1048576 came back; …")
        .unwrap();
}
