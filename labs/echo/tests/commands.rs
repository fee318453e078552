//! Proves that `exit` and `stop` are commands only as complete messages.

use std::io::Read;
use std::time::Duration;

use rustix::process::Signal;

use echo::command::{Command, CommandFinder};
use harness::{DEADLINE, Server, receive, receive_all, reset, send, trickle};

#[test]
fn e_t3_exit_ends_the_connection_and_stop_the_server() {
    for program in ["echo-task3-server", "echo-threads-server", "echo-server"] {
        let mut server = Server::start(program, &[]);
        let client = server.connect();
        send(&client, b"one\r\nexit\r\n");
        assert_eq!(receive_all(&client), b"one\r\nexit\r\n", "{program}");
        drop(client); // answers FIN with FIN: the server need not linger
        server.wait_for("[…] left: exit");
        let client = server.connect();
        send(&client, b"two\nstop\nignored\n");
        assert_eq!(receive_all(&client), b"two\nstop\n", "{program}");
        drop(client);
        server.wait_for("[…] left: stop");
        server.wait_for("bye");
        let status = server.console().wait_for_end().expect("it ends");
        assert_eq!(status.code(), Some(0), "{program}");
    }
}

#[test]
fn e_t3_an_unended_stop_counts_after_a_pause() {
    let mut server = Server::start("echo-server", &[]);
    let client = server.connect();
    send(&client, b"stop");
    assert_eq!(receive_all(&client), b"stop");
    server.wait_for("bye");
}

#[test]
fn e_t3_bare_messages_are_told_apart_by_pauses() {
    let mut server = Server::start("echo-server", &[]);
    let mut client = server.client("echo-task3-client", &["--bare"]);
    client.type_line("hi").expect("it reads");
    client.wait_for("hi").expect("the echo");
    server.wait_for("[…] 2 bytes: hi");
    // The pause, and a good deal more: each client's message is taken for
    // complete in its turn.
    for _ in 0..3 {
        let other = server.connect();
        send(&other, b"exit");
        assert_eq!(receive_all(&other), b"exit");
    }
    client.type_line("stop").expect("it reads");
    client.wait_for("stop").expect("the echo");
    server.wait_for("bye");
}

#[test]
fn e_t3_the_end_of_a_line_is_not_a_command() {
    let order = |pieces: &[(&[u8], bool)]| {
        let mut finder = CommandFinder::default();
        for (piece, quickly) in pieces {
            assert_eq!(finder.feed(piece, *quickly), (piece.len(), None));
        }
        finder.end_message()
    };
    // Late: the rest of the message that has begun.
    assert_eq!(order(&[(b"non", false), (b"stop", false)]), None);
    assert_eq!(order(&[(b"do not ", false), (b"stop", false)]), None);
    assert_eq!(order(&[(b"st", false), (b"op", false)]), Some(Command::Stop));
    // Quickly: the next message of a program that waited for its echo.
    assert_eq!(order(&[(b"hi", false), (b"exit", true)]), Some(Command::Exit));
    assert_eq!(order(&[(b"st", false), (b"op", true)]), Some(Command::Stop));
    assert_eq!(order(&[(b"hi", false), (b"stopwatch", true)]), None);
}

/// Does the server end after these two pieces, with `gap` between the echo of
/// the first and the second?
fn two_pieces_stop(first: &[u8], gap: Option<Duration>, second: &[u8]) -> bool {
    let server = Server::start("echo-server", &[]);
    let client = server.connect();
    let listen_for = |time: Option<Duration>| {
        client.set_read_timeout(time).expect("a limit");
        matches!((&client).read(&mut [0]), Ok(0))
    };
    send(&client, first);
    receive(&client, first.len());
    if gap.is_some() {
        listen_for(gap);
        client.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    }
    send(&client, second);
    receive(&client, second.len());
    listen_for(Some(Duration::from_millis(500)))
}

#[test]
fn e_t3_bare_messages_and_a_slow_line_are_told_apart_by_their_pace() {
    // A busy machine may hurry or delay us: then again.
    let mut turns = 0..20;
    let hurried = turns.any(|_| two_pieces_stop(b"hello", None, b"stop"));
    assert!(hurried, "a program that waits for its echo says stop");
    for first in [b"non".as_slice(), b" please do not "] {
        let gap = Some(Duration::from_millis(80));
        let spared = (0..5).any(|_| !two_pieces_stop(first, gap, b"stop"));
        assert!(spared, "the end of a line ended the server");
    }
}

#[test]
fn e_t3_only_an_unended_message_waits_for_a_pause() {
    let mut finder = CommandFinder::default();
    for (piece, unended) in
        [(&b"hi"[..], true), (b" there\n", false), (b"a\nlate", true)]
    {
        finder.feed(piece, false);
        assert_eq!(finder.is_in_message(), unended, "{}", piece.escape_ascii());
    }
}

#[test]
fn e_t3_a_trickled_stop_is_found_and_stopwatch_is_not() {
    let mut server = Server::start("echo-server", &[]);
    let client = server.connect();
    trickle(&client, b"stopwatch\nstop\n");
    assert_eq!(receive_all(&client), b"stopwatch\nstop\n");
    server.wait_for("bye");
}

#[test]
fn e_t3_a_client_that_dies_is_survived_and_told() {
    for program in ["echo-task3-server", "echo-server"] {
        let mut server = Server::start(program, &[]);
        let client = server.connect();
        send(&client, b"hi");
        receive(&client, 2);
        reset(client);
        server.wait_for("[…] lost: recv(…): … (ECONNRESET). …");
        drop(server.connect());
        server.wait_for("[…] left: end of stream");
        let client = server.connect();
        send(&client, b"still there");
        assert_eq!(receive(&client, 11), b"still there", "{program}");
    }
}

#[test]
fn e_t3_a_killed_client_is_survived() {
    let mut server = Server::start("echo-server", &[]);
    let mut client = server.client("echo-client", &[]);
    client.type_line("hello").expect("it reads");
    client.wait_for("hello").expect("the echo");
    client.signal(Signal::KILL).expect("a signal");
    server.wait_for("[…] left: end of stream");
}
