//! Proves that `stop` and `exit` end one connection, and only as messages.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::{CONCURRENT, SERVERS};
use echo::command::{Command, CommandFinder};
use harness::{Server, half_close, receive, receive_all, reset, send, trickle};

#[test]
fn e_t3_a_command_ends_its_own_connection_and_nothing_else() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        for message in
            ["stop\n", "exit\n", "stop\r\n", "exit\r\n", "stop", "exit"]
        {
            let client = server.connect();
            send(&client, b"one\n");
            receive(&client, 4);
            send(&client, message.as_bytes());
            let told = receive_all(&client);
            assert_eq!(told, message.as_bytes(), "{program}, {message:?}");
            drop(client); // answers FIN with FIN: the server need not linger
            let word = message.trim_end();
            server.wait_for(&format!("[…] left: {word}"));
        }
        let client = server.connect();
        send(&client, b"still there");
        assert_eq!(receive(&client, 11), b"still there", "{program}");
    }
}

#[test]
fn e_t3_other_clients_stay_when_one_sends_a_command() {
    for program in CONCURRENT {
        let server = Server::start(program, &[]);
        let other = server.connect();
        send(&other, b"in");
        receive(&other, 2);
        for message in ["stop\n", "exit", "one\nexit\n"] {
            let client = server.connect();
            send(&client, message.as_bytes());
            assert_eq!(receive_all(&client), message.as_bytes(), "{program}");
        }
        send(&other, b"and here");
        assert_eq!(receive(&other, 8), b"and here", "{program}");
    }
}

#[test]
fn e_t3_with_the_option_stop_ends_the_server_and_exit_does_not() {
    // echo-poll-server is plain, and does not have it.
    for program in SERVERS.into_iter().filter(|one| !one.contains("poll")) {
        let mut server = Server::start(program, &["--stop-ends-server"]);
        let client = server.connect();
        send(&client, b"exit\n");
        assert_eq!(receive_all(&client), b"exit\n", "{program}");
        drop(client);
        server.wait_for("[…] left: exit");
        let client = server.connect();
        send(&client, b"two\nstop\n");
        assert_eq!(receive_all(&client), b"two\nstop\n", "{program}");
        drop(client);
        server.wait_for("[…] left: stop");
        server.wait_for("bye");
        let status = server.console().wait_for_end().expect("it ends");
        assert_eq!(status.code(), Some(0), "{program}");
    }
}

#[test]
fn e_t3_what_follows_a_command_is_not_echoed() {
    for program in CONCURRENT {
        let server = Server::start(program, &[]);
        let client = server.connect();
        send(&client, b"two\nstop\nignored\n");
        assert_eq!(receive_all(&client), b"two\nstop\n", "{program}");
    }
}

/// A path to the server on which each piece of bytes takes `delay`, in either
/// direction.
fn slow_path(server: SocketAddr, delay: Duration) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let near = Server::at(address).connect();
    let (far, _) = listener.accept().expect("the client");
    let there = TcpStream::connect(server).expect("it accepts");
    for (from, to) in [(&far, &there), (&there, &far)] {
        let mut from = from.try_clone().expect("a handle");
        let mut to = to.try_clone().expect("a handle");
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                thread::park_timeout(delay);
                if to.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
            thread::park_timeout(delay);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    near
}

#[test]
fn e_t3_a_command_is_obeyed_over_a_slow_path() {
    for program in SERVERS {
        for milliseconds in [60, 250] {
            let mut server = Server::start(program, &[]);
            let delay = Duration::from_millis(milliseconds);
            let client = slow_path(server.address, delay);
            send(&client, b"hello\nstop\n");
            assert_eq!(receive_all(&client), b"hello\nstop\n", "{program}");
            drop(client);
            server.wait_for("[…] left: stop");
            // As Python's client does it: no newline, one after the other.
            let client = slow_path(server.address, delay);
            send(&client, b"hello");
            assert_eq!(receive(&client, 5), b"hello", "{program}");
            send(&client, b"exit");
            assert_eq!(receive_all(&client), b"exit", "{program}");
            drop(client);
            server.wait_for("[…] left: exit");
        }
    }
}

#[test]
fn e_t3_a_command_is_a_whole_line_or_a_whole_recv() {
    let command = |pieces: &[&[u8]]| {
        let mut finder = CommandFinder::default();
        let mut found = None;
        for piece in pieces {
            assert_eq!(found, None, "a command before {piece:?}");
            found = finder.feed(piece).1;
        }
        found
    };
    let (stop, exit) = (Some(Command::Stop), Some(Command::Exit));
    assert_eq!(command(&[b"stop"]), stop);
    assert_eq!(command(&[b"exit\r\n"]), exit);
    assert_eq!(command(&[b"hello\nexit\n"]), exit);
    assert_eq!(command(&[b"st", b"op\n"]), stop);
    assert_eq!(command(&[b"hello", b"stop"]), stop);
    for no in ["STOP", " stop", "stop ", " stop \n", "stopwatch", "exits\n"] {
        assert_eq!(command(&[no.as_bytes()]), None, "{no:?}");
    }
    // The limit that viva.toml asks about.
    assert_eq!(command(&[b"st", b"op"]), None);
    assert_eq!(command(&[b"stop"]), stop, "though `watch` may follow");
}

#[test]
fn e_t3_a_trickled_command_is_found_and_a_longer_word_is_not() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        let client = server.connect();
        trickle(&client, b"xstop\nan exit\nstop\n");
        let told = receive_all(&client);
        assert_eq!(told, b"xstop\nan exit\nstop\n", "{program}");
        drop(client);
        server.wait_for("[…] left: stop");
    }
}

#[test]
fn e_t3_a_half_line_and_then_the_end_leave_the_server_running() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        let client = server.connect();
        send(&client, b"half a li");
        receive(&client, 9);
        half_close(&client);
        assert_eq!(receive_all(&client), b"", "{program}");
        server.wait_for("[…] left: end of stream");
        let client = server.connect();
        send(&client, b"next");
        assert_eq!(receive(&client, 4), b"next", "{program}");
    }
}

#[test]
fn e_t3_a_client_that_dies_is_survived_and_told() {
    for program in SERVERS {
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

#[test]
fn e_t3_who_ended_the_stream_is_told() {
    for (client_goes_first, told) in
        [(true, "[…] left: end of stream"), (false, "[…] cut by the stop")]
    {
        let mut server = Server::start("echo-server", &[]);
        let client = server.connect();
        send(&client, b"hi");
        receive(&client, 2);
        match client_goes_first {
            true => drop(client),
            false => {
                server.console().signal(Signal::TERM).expect("a signal");
            }
        }
        server.wait_for(told);
    }
}

#[test]
fn g_8_poll_discards_what_follows_a_stop_and_says_once_who_left() {
    let mut server = Server::start("echo-poll-server", &[]);
    let client = server.connect();
    send(&client, b"stop\nmore\n");
    assert_eq!(receive_all(&client), b"stop\n");
    send(&client, b"and more");
    half_close(&client);
    let next = server.connect();
    send(&next, b"exit");
    assert_eq!(receive_all(&next), b"exit");
    drop(next);
    let mut log = Vec::new();
    while log.last().is_none_or(|line: &String| !line.contains("left: exit")) {
        log.extend(server.console().read_line().expect("a line"));
    }
    let count = |what: &str| log.iter().filter(|l| l.contains(what)).count();
    assert_eq!(count("left: stop"), 1, "{log:?}");
    assert_eq!(count("lost") + count("end of stream"), 0, "{log:?}");
}
