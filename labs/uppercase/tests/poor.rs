//! Proves that poor networks, rude clients and crowds do not stop a server.

use std::net::TcpStream;

use harness::terminal::Terminal;

use crate::{PROMPT, TCP, UDP, ask_tcp};
use harness::{
    Server, allow_descriptors, half_close, installed, receive, receive_all,
    reset, send, trickle,
};

#[test]
fn w_k4_one_byte_at_a_time_is_answered_byte_by_byte() {
    let server = Server::start_or_check(TCP, &[]);
    let client = server.connect();
    for &byte in b"slowly" {
        send(&client, &[byte]);
        assert_eq!(receive(&client, 1), [byte.to_ascii_uppercase()]);
    }
    trickle(&client, "é und ß\n".as_bytes());
    half_close(&client);
    assert_eq!(receive_all(&client), "é UND ß\n".as_bytes());
}

#[test]
fn w_k4_two_sentences_in_one_segment_are_both_answered() {
    let server = Server::start_or_check(TCP, &[]);
    let client = server.connect();
    send(&client, b"one\ntwo\n");
    assert_eq!(receive(&client, 8), b"ONE\nTWO\n");
    send(&client, b"three\n");
    assert_eq!(receive(&client, 6), b"THREE\n");
}

#[test]
fn w_k4_rude_clients_do_not_end_the_server() {
    let mut server = Server::start(TCP, &[]);
    let silent = server.connect();
    for _ in 0..20 {
        drop(server.connect());
        half_close(&server.connect());
        let client = server.connect();
        send(&client, b"reset");
        reset(client);
        let client = server.connect();
        send(&client, b"never reads the answer");
        drop(client);
    }
    assert_eq!(ask_tcp(&server, b"alive"), b"ALIVE");
    send(&silent, b"me too");
    assert_eq!(receive(&silent, 6), b"ME TOO");
    server.interrupt();
}

#[test]
fn w_k4_what_a_client_sends_cannot_drive_the_terminal() {
    let mut server = Server::start(TCP, &[]);
    ask_tcp(&server, b"\x1b[2Jhi\n");
    server.wait_for("[…] 7 bytes: \\x1b[2Jhi\\n");
}

#[test]
fn w_e3_a_sentence_of_8_mib_does_not_deadlock_the_client() {
    let server = Server::start(TCP, &["--quiet"]);
    let size = 8 * 1024 * 1024;
    let mut client = server.client("uppercase-tcp-client", &[]);
    client.type_bytes(&vec![b'm'; size]).expect("it reads");
    client.end_input();
    let printed = client.read_to_end().expect("it ends");
    let wanted = format!("{PROMPT}From Server: ").len() + size + 1;
    assert_eq!(printed.len(), wanted);
    assert!(printed.ends_with(b"MMM\n"));
}

#[test]
fn w_e4_a_thousand_clients_are_served_at_once() {
    allow_descriptors(4096);
    let mut server = Server::start(TCP, &["--quiet"]);
    let clients: Vec<TcpStream> = (0..1000).map(|_| server.connect()).collect();
    for round in ["first", "second"] {
        for client in &clients {
            send(client, round.as_bytes());
        }
        for client in &clients {
            let answer = receive(client, round.len());
            assert_eq!(answer, round.to_uppercase().as_bytes());
        }
    }
    drop(clients);
    server.interrupt();
}

#[test]
fn w_e4_beyond_max_clients_a_newcomer_is_told() {
    let mut server = Server::start(TCP, &["--max-clients", "1"]);
    let first = server.connect();
    send(&first, b"in");
    assert_eq!(receive(&first, 2), b"IN");
    let second = server.connect();
    assert_eq!(receive_all(&second), b"no room, try again later\n");
    send(&first, b"still");
    assert_eq!(receive(&first, 5), b"STILL");
    drop(first);
    server.wait_for("[…] left: end of stream");
    server.interrupt();
}

#[test]
fn w_e1_nc_is_answered_over_udp_and_tcp() {
    if !installed("nc", "netcat-openbsd") {
        return;
    }
    for (program, options) in [(TCP, vec!["-q1"]), (UDP, vec!["-u", "-q1"])] {
        let server = Server::start(program, &[]);
        let (host, port) = server.host_and_port();
        let words = options.into_iter().chain([host.as_str(), port.as_str()]);
        let mut nc = Terminal::start("nc", words).expect("it starts");
        nc.type_line("from nc").expect("it reads");
        nc.wait_for("FROM NC").unwrap_or_else(|e| panic!("{program}: {e}"));
    }
}
