//! The echo lab, black box: its stages, its threads, UDP, and Python peers.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::Duration;

// Which words are commands, without a socket and its clock.
#[path = "../labs/echo/command.rs"]
mod command;
#[path = "../labs/echo/pause.rs"]
mod pause;

use command::Command as Order;
use pause::Watch;

use rustix::process::Signal;
use socketlab::terminal::{self, Terminal};
use support::{
    DEADLINE, Server, allow_descriptors, half_close, installed, play_readme,
    python_server, receive, receive_all, reset, send, trickle,
};

/// Every byte value, line ends and invalid UTF-8 among them.
fn all_bytes() -> Vec<u8> {
    (0..=255).collect()
}

#[test]
fn e_t3_the_readmes_transcripts_hold() {
    play_readme("echo");
}

/// Tests that only look at bytes: CHECK=host:port runs them against any echo
/// server. `cargo test --test echo any_server`
mod any_server {
    use super::*;

    #[test]
    fn e_t2_a_sentence_without_a_line_end_comes_back() {
        let server = Server::start_or_check("echo-server", &[]);
        let client = server.connect();
        send(&client, b"hello");
        assert_eq!(receive(&client, 5), b"hello", "answer what recv() gave");
    }

    #[test]
    fn e_t2_echo_is_byte_exact() {
        let server = Server::start_or_check("echo-server", &[]);
        let client = server.connect();
        send(&client, &all_bytes());
        assert_eq!(
            receive(&client, 256),
            all_bytes(),
            "the echo was made of text: decode and encode lose bytes"
        );
    }

    #[test]
    fn e_t2_one_byte_at_a_time() {
        let server = Server::start_or_check("echo-server", &[]);
        let client = server.connect();
        trickle(&client, b"one byte a segment");
        let echo = receive(&client, 18);
        assert_eq!(echo, b"one byte a segment", "one recv is not one send");
    }

    #[test]
    fn e_t2_a_megabyte_comes_back_while_it_is_sent() {
        let server = Server::start_or_check("echo-server", &[]);
        let client = server.connect();
        let sent: Vec<u8> =
            (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
        let (writer, data) = (client.try_clone().unwrap(), sent.clone());
        let writing = thread::spawn(move || {
            send(&writer, &data);
            half_close(&writer);
        });
        let echo = receive(&client, sent.len());
        assert!(echo == sent, "some of the bytes came back different");
        writing.join().expect("all was sent");
    }

    #[test]
    fn e_t3_stopwatch_is_a_word_and_not_a_command() {
        let server = Server::start_or_check("echo-server", &[]);
        let client = server.connect();
        for word in ["stopwatch\n", " stop\n", "STOP\n", "exits\n", "xstop\n"] {
            send(&client, word.as_bytes());
            let echo = receive(&client, word.len());
            assert_eq!(echo, word.as_bytes(), "a prefix is not the command");
        }
    }
}

#[test]
fn e_t1_server_prints_the_sentence_and_ends() {
    let mut server = Server::start("echo-task1-server", &[]);
    let mut client = server.client("echo-task1-client", &[]);
    client.type_line("  spaces are  kept ").expect("it reads");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    server.wait_for("[127.0.0.1:…] connected");
    server.wait_for("[127.0.0.1:…] 19 bytes:   spaces are  kept ");
    server.wait_for("bye");
}

#[test]
fn e_t1_control_characters_are_shown_not_obeyed() {
    let mut server = Server::start("echo-task1-server", &[]);
    let client = server.connect();
    send(&client, b"\x1b[2J\xff\0");
    drop(client);
    server.wait_for("[…] 6 bytes: \\x1b[2J\\xff\\x00");
}

#[test]
fn e_t1_empty_input_and_end_of_input_leave_politely() {
    for input in ["\n", ""] {
        let mut server = Server::start("echo-task1-server", &[]);
        let mut client = server.client("echo-task1-client", &[]);
        client.type_bytes(input.as_bytes()).expect("it reads");
        client.end_input();
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
        server.wait_for("[…] left");
    }
}

#[test]
fn e_t2_client_shows_the_echo() {
    let server = Server::start("echo-task2-server", &[]);
    let mut client = server.client("echo-task2-client", &[]);
    client.type_line("héllo").expect("it reads");
    client.wait_for("héllo").expect("the echo");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

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
    // The pause, and a good deal more: each client's unended message is taken
    // for whole in its turn.
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
        let mut watch = Watch::default();
        for (piece, prompt) in pieces {
            assert_eq!(watch.feed(piece, *prompt), (piece.len(), None));
        }
        watch.pause()
    };
    // Late: the rest of what has begun, so only the whole counts.
    assert_eq!(order(&[(b"non", false), (b"stop", false)]), None);
    assert_eq!(order(&[(b"do not ", false), (b"stop", false)]), None);
    assert_eq!(order(&[(b"st", false), (b"op", false)]), Some(Order::Stop));
    // Prompt: the next message of a program that waited for its echo.
    assert_eq!(order(&[(b"hi", false), (b"exit", true)]), Some(Order::Exit));
    assert_eq!(order(&[(b"st", false), (b"op", true)]), Some(Order::Stop));
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
    let mut watch = Watch::default();
    for (piece, unended) in
        [(&b"hi"[..], true), (b" there\n", false), (b"a\nlate", true)]
    {
        watch.feed(piece, false);
        assert_eq!(watch.is_unended(), unended, "{}", piece.escape_ascii());
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

#[test]
fn e_t3_sequential_the_second_client_waits_for_the_first() {
    let mut server = Server::start("echo-task3-server", &[]);
    let first = server.connect();
    send(&first, b"first");
    receive(&first, 5);
    // The kernel completes the handshake and takes the bytes; nobody reads.
    let second = server.connect();
    send(&second, b"second");
    send(&first, b"first again");
    receive(&first, 11);
    let waited = second.local_addr().expect("an address");
    drop(first);
    assert_eq!(receive(&second, 6), b"second");
    // The order of the console is the order of service.
    server.wait_for("[…] 11 bytes: first again");
    server.wait_for("[…] left: end of stream");
    server.wait_for(&format!("[{waited}] connected"));
}

#[test]
fn g_8_with_threads_a_silent_client_holds_up_nobody() {
    for program in ["echo-threads-server", "echo-server"] {
        let server = Server::start(program, &[]);
        let _silent = server.connect();
        let second = server.connect();
        send(&second, b"served");
        assert_eq!(receive(&second, 6), b"served", "{program}");
    }
}

#[test]
fn g_8_a_client_that_never_reads_holds_up_nobody() {
    let server = Server::start("echo-server", &["--quiet"]);
    let stuck = server.connect();
    stuck.set_nonblocking(true).expect("non-blocking");
    while (&stuck).write(&[0; 65536]).is_ok() {}
    let other = server.connect();
    send(&other, b"served");
    assert_eq!(receive(&other, 6), b"served");
}

#[test]
fn x_thread_one_more_than_max_clients_is_told_so() {
    let mut server = Server::start("echo-server", &["--max-clients", "2"]);
    let first = server.connect();
    let second = server.connect();
    for client in [&first, &second] {
        send(client, b"in");
        receive(client, 2);
    }
    let third = server.connect();
    send(&third, b"me too");
    let told = receive_all(&third);
    assert_eq!(told, b"echo-server: no room, try again later\n");
    server.wait_for("no room: 2 clients, newcomers are told so");
    drop(first);
    server.wait_for("[…] left: end of stream");
    // The place is free once the thread has ended, a moment after it spoke.
    let served = (0..1000).any(|_| {
        let next = server.connect();
        let _ = (&next).write(b"in");
        let mut answer = [0; 2];
        (&next).read_exact(&mut answer).is_ok() && &answer == b"in"
    });
    assert!(served, "the place of the first client is free again");
}

#[test]
fn x_thread_a_thousand_clients_at_once() {
    allow_descriptors(4096);
    let mut server = Server::start("echo-server", &["--quiet"]);
    let clients: Vec<_> = (0..1000).map(|_| server.connect()).collect();
    for (number, client) in clients.iter().enumerate() {
        send(client, format!("client {number:4}").as_bytes());
    }
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(
            receive(client, 11),
            format!("client {number:4}").as_bytes()
        );
    }
    server.interrupt();
}

#[test]
fn x_thread_out_of_descriptors_it_waits_and_goes_on() {
    let program = terminal::program_folder().join("echo-server");
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n 64; exec \"$0\" 127.0.0.1 0 --quiet"])
        .arg(program);
    let mut server = Server::run(&mut command);
    let clients: Vec<_> = (0..200).map(|_| server.connect()).collect();
    for client in &clients {
        send(client, b"x");
    }
    server.wait_for("accept(…): Too many open files (EMFILE). …");
    // Some are served; the others wait in the backlog.
    receive(&clients[0], 1);
    drop(clients);
    let late = server.connect();
    send(&late, b"number 201");
    assert_eq!(receive(&late, 10), b"number 201");
    server.interrupt();
}

#[test]
fn x_thread_ctrl_c_ends_clients_politely() {
    let mut server = Server::start("echo-server", &[]);
    let client = server.connect();
    send(&client, b"hello");
    receive(&client, 5);
    server.interrupt();
    assert_eq!(receive_all(&client), b"", "end of stream, not a reset");
}

#[test]
fn e_t3_echo_client_says_when_the_server_goes_first() {
    let mut server = Server::start("echo-server", &[]);
    let mut client = server.client("echo-client", &[]);
    client.type_line("exit soon").expect("it reads");
    client.wait_for("exit soon").expect("the echo");
    server.console().signal(Signal::INT).expect("a signal");
    // The same words for a client that closes and a server that stops.
    server.wait_for("[…] left: end of stream");
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
fn x_thread_a_client_that_will_not_go_is_cut() {
    let mut server = Server::start("echo-server", &["--quiet"]);
    let stuck = server.connect();
    stuck.set_nonblocking(true).expect("non-blocking");
    while (&stuck).write(&[0; 65536]).is_ok() {}
    server.interrupt();
}

#[test]
fn e_i5_client_before_server_is_told_in_one_line() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port().to_string();
    drop(nobody);
    for program in ["echo-task1-client", "echo-task3-client", "echo-client"] {
        let arguments = ["127.0.0.1", &port];
        let mut client =
            Terminal::start(program, arguments).expect("it starts");
        client
            .wait_for(&format!(
                "Error: connect(…): … (ECONNREFUSED). … make {}",
                program.replace("client", "server")
            ))
            .expect("one line that teaches");
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    }
}

#[test]
fn e_i6_ports_that_make_no_sense_are_refused_with_the_reason() {
    for (port, reason) in [
        ("80", "port 80 is refused: ports below 1024 …"),
        ("65536", "…65536 is not a port: ports are 16 bits, 0 to 65535"),
        ("-1", "…-1 is not a port: …"),
        ("abc", "…'abc' is not a port: …"),
    ] {
        let mut server = Terminal::start("echo-server", ["127.0.0.1", port])
            .expect("it starts");
        server.wait_for(reason).unwrap_or_else(|e| panic!("{port}: {e}"));
        server.wait_for("Example: echo-server 127.0.0.1 12001").unwrap();
        assert_eq!(server.wait_for_end().expect("it ends").code(), Some(2));
    }
}

#[test]
fn e_s1_the_server_creates_a_stream_socket() {
    support::strace_shows("echo-task1-server", &["socket", "bind"]);
}

#[test]
fn e_s2_the_server_binds_the_address_and_port_it_was_given() {
    let server = Server::start("echo-task1-server", &[]);
    let mut second = server.client("echo-task1-server", &[]);
    second.wait_for("Error: bind(…): … (EADDRINUSE). …").expect("it is taken");
    let mut wrong = Terminal::start("echo-task1-server", ["192.0.2.1", "0"])
        .expect("it starts");
    wrong.wait_for("Error: bind(…): … (EADDRNOTAVAIL). …").expect("not ours");
}

#[test]
fn e_s3_a_client_is_connected_before_accept() {
    let server = Server::start("echo-task3-server", &[]);
    let first = server.connect();
    send(&first, b"x");
    receive(&first, 1);
    // accept() will not run for this one while the first is served.
    let second = server.connect();
    assert!(second.peer_addr().is_ok(), "the kernel made the handshake");
}

#[test]
fn e_s4_accept_gives_every_client_a_socket_of_its_own() {
    let server = Server::start("echo-server", &[]);
    let clients = [server.connect(), server.connect(), server.connect()];
    for (number, client) in clients.iter().enumerate().rev() {
        send(client, &[b'0' + number as u8]);
    }
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(receive(client, 1), [b'0' + number as u8]);
    }
}

#[test]
fn e_s5_the_server_sends_and_receives() {
    let mut server = Server::start("echo-task2-server", &[]);
    let client = server.connect();
    send(&client, b"there");
    assert_eq!(receive(&client, 5), b"there");
    send(&client, b"and back");
    assert_eq!(receive(&client, 8), b"and back");
    server.wait_for("[…] 8 bytes: and back");
}

#[test]
fn e_s6_both_sockets_are_closed_in_the_end() {
    let mut server = Server::start("echo-task1-server", &[]);
    let client = server.connect();
    half_close(&client);
    assert_eq!(receive_all(&client), b"", "its socket for us is closed");
    server.wait_for("bye");
    server.console().wait_for_end().expect("it ends");
    let refused = std::net::TcpStream::connect(server.address);
    assert!(refused.is_err(), "and the one that listened");
}

#[test]
fn e_c2_the_client_gets_a_port_of_its_own_from_the_kernel() {
    let mut server = Server::start("echo-server", &[]);
    let mut one = server.client("echo-client", &[]);
    let mut two = server.client("echo-client", &[]);
    let first = server.wait_for("[127.0.0.1:…] connected");
    let second = server.wait_for("[127.0.0.1:…] connected");
    assert_ne!(first, second, "same host, two ports");
    one.end_input();
    two.end_input();
}

#[test]
fn e_c3_the_client_sends_receives_and_closes() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    let mut client = Terminal::start("echo-task2-client", ["127.0.0.1", &port])
        .expect("it starts");
    let (peer, _) = listener.accept().expect("a client");
    peer.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    client.type_line("ping").expect("it reads");
    assert_eq!(receive(&peer, 4), b"ping", "no line end is added");
    trickle(&peer, b"ping");
    client.wait_for("ping").expect("the echo");
    assert_eq!(receive_all(&peer), b"", "FIN");
}

#[test]
fn e_s_steps_are_the_system_calls_in_the_order_of_the_banners() {
    let calls = ["socket", "setsockopt", "bind", "listen", "accept4"];
    for program in ["echo-task1-server", "echo-task2-server", "echo-server"] {
        support::strace_shows(program, &calls);
    }
    let both = ["bind", "listen", "accept4", "recvfrom", "close", "close"];
    support::strace_shows("echo-task1-server", &both);
}

#[test]
fn e_c1_client_takes_a_name_and_tries_every_address() {
    let server = Server::start("echo-server", &[]);
    let port = server.address.port().to_string();
    let mut client = Terminal::start("echo-client", ["localhost", &port])
        .expect("it starts");
    client.type_line("by name").expect("it reads");
    client.wait_for("by name").expect("the echo");
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

/// A listener on a free port, and its port as an argument.
fn own_listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port().to_string();
    (listener, port)
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
        receive(&peer, 1);
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
    let server = support::dripping_server();
    let programs = ["echo-task2-client", "echo-task3-client"];
    for mut client in programs.map(|name| server.client(name, &["--wait=1"])) {
        client.type_line(&"x".repeat(500)).expect("it reads");
        client.end_input();
        client.wait_for("…Error: …").expect("one line");
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

/// Longer than the server's 200 ms: nothing comes on this socket.
fn pause_as_a_person_does() {
    let silence = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let time = Some(Duration::from_millis(400));
    silence.set_read_timeout(time).expect("a limit");
    let _ = silence.recv(&mut [0]);
}

#[test]
fn e_t2_python_client_and_our_servers() {
    for program in ["echo-task3-server", "echo-threads-server", "echo-server"] {
        let mut server = Server::start(program, &[]);
        let Some(mut client) = server.python("echo_tcp_client.py", &[]) else {
            return;
        };
        client.type_line("hello").expect("it reads");
        client.wait_for("echo: hello").expect("the echo");
        pause_as_a_person_does();
        client.type_line("stop").expect("it reads");
        client.wait_for("echo: stop").expect("the echo of the command");
        server.wait_for("bye"); // the client is still there
        client.end_input();
        client.wait_for_end().expect("it ends");
    }
}

#[test]
fn e_t2_our_clients_and_a_python_server() {
    let Some(server) = python_server("echo_tcp_server.py", &[]) else { return };
    let mut client = server.client("echo-task3-client", &[]);
    client.type_line("hello").expect("it reads");
    client.wait_for("hello").expect("the echo");
    client.end_input();
    client.wait_for_end().expect("it ends");
    let mut client = server.client("echo-client", &[]);
    client.type_line("both ways").expect("it reads");
    client.wait_for("both ways").expect("the echo");
    client.end_input();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn e_t2_nc_is_a_client() {
    if installed("nc", "netcat-openbsd") {
        let server = Server::start("echo-server", &[]);
        let mut nc = server.client("nc", &[]);
        nc.type_line("from nc").expect("it reads");
        nc.wait_for("from nc").expect("the echo");
    }
}

#[test]
fn e_t4_datagrams_come_back_empty_ones_too() {
    let mut server = Server::start("echo-udp-server", &[]);
    let client = server.datagrams();
    let mut buffer = [0; 70_000];
    for datagram in [&b"hello"[..], b"", &all_bytes(), &[b'x'; 65_507]] {
        client.send(datagram).expect("it fits");
        let count = client.recv(&mut buffer).expect("an echo");
        assert!(&buffer[..count] == datagram, "{} bytes", datagram.len());
    }
    server.wait_for("[…] 0 bytes: ");
}

#[test]
fn t_f8_recvfrom_tells_who_sent_the_datagram() {
    let mut server = Server::start("echo-udp-server", &[]);
    for _ in 0..2 {
        let client = server.datagrams();
        client.send(b"who am I?").expect("it is sent");
        let address = client.local_addr().expect("an address");
        server.wait_for(&format!("[{address}] 9 bytes: who am I?"));
    }
}

#[test]
fn t_f9_sendto_answers_each_client_at_its_own_address() {
    let server = Server::start("echo-udp-server", &[]);
    let clients = [server.datagrams(), server.datagrams()];
    for (client, text) in clients.iter().zip(["one", "two"]) {
        client.send(text.as_bytes()).expect("it is sent");
    }
    for (client, text) in clients.iter().zip(["one", "two"]) {
        let mut buffer = [0; 16];
        let count = client.recv(&mut buffer).expect("an echo");
        assert_eq!(&buffer[..count], text.as_bytes());
    }
}

#[test]
fn e_t4_a_datagram_larger_than_the_buffer_loses_its_rest() {
    let server = Server::start("echo-udp-server", &["--buffer", "2048"]);
    let client = server.datagrams();
    client.send(&[b'x'; 3000]).expect("it fits");
    client.send(b"next").expect("it fits");
    let mut buffer = [0; 4096];
    assert_eq!(client.recv(&mut buffer).expect("an echo"), 2048);
    assert_eq!(
        client.recv(&mut buffer).expect("an echo"),
        4,
        "the rest is lost"
    );
}

#[test]
fn e_t4_too_large_for_a_datagram_is_explained() {
    let server = Server::start("echo-udp-server", &[]);
    let mut client = server.client("echo-udp-client", &[]);
    client.type_line(&"x".repeat(65_508)).expect("it reads");
    client.wait_for("send(…): Message too long (EMSGSIZE). …").unwrap();
    client.type_line("shorter").expect("it reads");
    client.wait_for("shorter").expect("it goes on");
}

#[test]
fn e_t4_client_without_a_server_is_told() {
    let nobody = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port().to_string();
    drop(nobody);
    let mut client = Terminal::start("echo-udp-client", ["127.0.0.1", &port])
        .expect("it starts");
    client.type_line("anybody?").expect("it reads");
    client
        .wait_for("Error: recv(…): Connection refused (ECONNREFUSED). …")
        .unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn e_t4_a_lost_datagram_is_sent_again() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    server.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let port = server.local_addr().expect("an address").port().to_string();
    let arguments = ["127.0.0.1", &port, "--wait", "50"];
    let mut client =
        Terminal::start("echo-udp-client", arguments).expect("it starts");
    client.type_line("twice").expect("it reads");
    let mut buffer = [0; 64];
    server.recv_from(&mut buffer).expect("the first, which we lose");
    client.wait_for("no echo, attempt 1 of 3").expect("a retry");
    let (count, peer) = server.recv_from(&mut buffer).expect("the second");
    // A late echo of something else, and a stranger's, come first.
    server.send_to(b"late", peer).expect("it is sent");
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a port");
    stranger.send_to(b"twice, says a stranger", peer).expect("it is sent");
    server.send_to(&buffer[..count], peer).expect("it is sent");
    client.wait_for("(an echo of something else, ignored)").unwrap();
    client.wait_for("twice").expect("the echo");
    // All three attempts without an echo.
    client.type_line("never").expect("it reads");
    client.wait_for("Error: no echo: …").expect("it gives up");
}

#[test]
fn e_t4_a_shorter_echo_is_another_ones_unless_a_buffer_cut_it() {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    server.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let port = server.local_addr().expect("an address").port().to_string();
    let mut client = Terminal::start("echo-udp-client", ["127.0.0.1", &port])
        .expect("it starts");
    let mut buffer = [0; 4000];
    client.type_line("ab").expect("it reads");
    let (_, peer) = server.recv_from(&mut buffer).expect("a sentence");
    server.send_to(b"a", peer).expect("it is sent"); // a late one's echo
    client.wait_for("(an echo of something else, ignored)").unwrap();
    server.send_to(b"ab", peer).expect("it is sent");
    client.wait_for("ab").expect("the echo");
    client.type_line(&"x".repeat(3000)).expect("it reads");
    let (count, _) = server.recv_from(&mut buffer).expect("a sentence");
    assert_eq!(count, 3000);
    server.send_to(&buffer[..2048], peer).expect("it is sent");
    client.wait_for(&"x".repeat(2048)).expect("what the server kept");
}

#[test]
fn e_t4_the_udp_client_tries_every_address_of_a_name() {
    let server = Server::start_at("127.0.0.9", "echo-udp-server");
    let port = server.address.port();
    let program = "echo-udp-client";
    let client = support::client_of_two_addresses(program, port);
    if let Some(mut client) = client {
        for sentence in ["found", "and kept"] {
            client.type_line(sentence).expect("it reads");
            client.wait_for(sentence).expect("the echo");
        }
    }
}

#[test]
fn e_t4_two_servers_do_not_answer_each_other_for_ever() {
    let mut server = Server::start("echo-udp-server", &[]);
    let answers = support::answer_each_other(&server, b"forged", None);
    assert!(answers >= 1000, "a client may well ask {answers} times");
    server.wait_for("[127.0.0.1:…] not answered: too many; …");
    let client = server.datagrams();
    client.send(b"others").expect("it is sent");
    assert_eq!(client.recv(&mut [0; 16]).expect("an echo"), 6);
}

#[test]
fn e_t4_stop_ends_the_udp_server_and_stopwatch_does_not() {
    let mut server = Server::start("echo-udp-server", &[]);
    let client = server.datagrams();
    let mut buffer = [0; 64];
    for word in ["stopwatch", "exit", "STOP", "stop"] {
        client.send(word.as_bytes()).expect("it is sent");
        let count = client.recv(&mut buffer).expect("an echo");
        assert_eq!(&buffer[..count], word.as_bytes());
    }
    server.wait_for("bye");
}

#[test]
fn e_t4_python_and_ours_over_udp() {
    let server = Server::start("echo-udp-server", &[]);
    let Some(mut client) = server.python("echo_udp_client.py", &[]) else {
        return;
    };
    client.type_line("hello").expect("it reads");
    client.wait_for("echo: hello").expect("the echo");
    let server = python_server("echo_udp_server.py", &[]).expect("Python");
    let mut client = server.client("echo-udp-client", &[]);
    client.type_line("hello").expect("it reads");
    client.wait_for("hello").expect("the echo");
    client.end_input();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn e_t4_tcp_and_udp_may_use_the_same_port() {
    let tcp = Server::start("echo-server", &[]);
    let mut udp = tcp.client("echo-udp-server", &[]);
    udp.wait_for(&format!("listening on {}", tcp.address)).expect("both");
}

#[test]
fn x_trace_file_holds_every_step_as_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("steps.jsonl");
    let mut command = terminal::command("echo-server");
    command.args(["127.0.0.1", "0"]).env("TRACE", &file);
    let mut server = Server::run(&mut command);
    let client = server.connect();
    send(&client, b"traced\nexit\n");
    receive_all(&client);
    server.interrupt();
    let text = std::fs::read_to_string(&file).expect("the file");
    let steps: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object"))
        .collect();
    let find = |call: &str| {
        let found = steps.iter().find(|step| step["call"] == call);
        found.unwrap_or_else(|| panic!("no {call} in\n{text}"))
    };
    assert_eq!(find("bind")["step"], 2);
    assert_eq!(find("listen")["state"], "LISTEN");
    assert_eq!(find("accept")["state"], "ESTABLISHED");
    assert_eq!(find("accept")["role"], "server");
    let received = find("recv");
    assert_eq!(received["data"], "traced\\nexit\\n");
    assert_eq!(received["bytes"], 12);
    let peer = client.local_addr().expect("an address").to_string();
    assert_eq!(received["peer"], peer.as_str());
    assert_eq!(received["thread"], peer.as_str());
    assert!(received["blocked_us"].is_u64() && received["pid"].is_u64());
}
