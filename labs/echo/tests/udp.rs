//! Proves that each datagram is echoed unchanged, and how loss is noticed.

use std::net::UdpSocket;

use harness::terminal::Terminal;

use crate::all_bytes;
use harness::{DEADLINE, Server, answer_each_other, client_of_two_addresses};

const SERVERS: [&str; 2] = ["echo-task4-server", "echo-udp-server"];

#[test]
fn e_t4_datagrams_come_back_empty_ones_too() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        let client = server.datagrams();
        let mut buffer = [0; 70_000];
        for datagram in [&b"hello"[..], b"", &all_bytes(), &[b'x'; 65_507]] {
            client.send(datagram).expect("it fits");
            let count = client.recv(&mut buffer).expect("an echo");
            assert!(&buffer[..count] == datagram, "{} bytes", datagram.len());
        }
        server.wait_for("[…] 0 bytes: ");
        server.wait_for("[…] 65507 bytes: xxxx…xxxx… and 61411 bytes more");
    }
}

#[test]
fn t_f8_recvfrom_tells_who_sent_the_datagram() {
    for program in SERVERS {
        let mut server = Server::start(program, &[]);
        for _ in 0..2 {
            let client = server.datagrams();
            client.send(b"who am I?").expect("it is sent");
            let address = client.local_addr().expect("an address");
            server.wait_for(&format!("[{address}] 9 bytes: who am I?"));
        }
    }
}

#[test]
fn t_f9_sendto_answers_each_client_at_its_own_address() {
    for program in SERVERS {
        let server = Server::start(program, &[]);
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
    client.end_input();
    client.wait_for("Error: not sent, too long: 1").expect("and tells it");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    let mut client = server.client("echo-task4-client", &[]);
    client.type_line(&"x".repeat(65_508)).expect("it reads");
    client.wait_for("Error: sendto(…): … (EMSGSIZE). …").expect("one line");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn e_t4_the_first_client_says_that_no_echo_came() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port().to_string();
    let mut client = Terminal::start("echo-task4-client", ["127.0.0.1", &port])
        .expect("it starts");
    client.type_line("lost").expect("it reads");
    client.wait_for("no echo within 2s: lost, or nobody is there").unwrap();
    client.type_line("stop").expect("it reads");
    client.wait_for("Error: 2 without echo").expect("in the end");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
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
    let mut client = Terminal::start("echo-udp-client", ["127.0.0.1", &port])
        .expect("it starts");
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
}

#[test]
fn e_t4_three_attempts_without_an_echo_are_enough() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port().to_string();
    let arguments = ["127.0.0.1", &port, "--wait", "50"];
    let mut client =
        Terminal::start("echo-udp-client", arguments).expect("it starts");
    client.type_line("never").expect("it reads");
    client.wait_for("no echo, attempt 3 of 3").expect("three attempts");
    client.wait_for("Error: no echo: …").expect("it gives up");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
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
    let client = client_of_two_addresses(program, port);
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
    let answers = answer_each_other(&server, b"forged", None);
    assert!(answers >= 1000, "a client may well ask {answers} times");
    server.wait_for("[127.0.0.1:…] not answered: too many; …");
    let client = server.datagrams();
    client.send(b"others").expect("it is sent");
    assert_eq!(client.recv(&mut [0; 16]).expect("an echo"), 6);
}

#[test]
fn e_t4_no_datagram_ends_the_server() {
    for program in SERVERS {
        let server = Server::start(program, &[]);
        let client = server.datagrams();
        let mut buffer = [0; 64];
        for word in ["stop", "exit", "stop\n", "stopwatch", "still there"] {
            client.send(word.as_bytes()).expect("it is sent");
            let count = client.recv(&mut buffer).expect("an echo");
            assert_eq!(&buffer[..count], word.as_bytes(), "{program}");
        }
        let name = program.replace("server", "client");
        let mut client = server.client(&name, &[]);
        for word in ["hello", "stop"] {
            client.type_line(word).expect("it reads");
            client.wait_for(word).expect("the echo");
        }
        let status = client.wait_for_end().expect("stop ends the client");
        assert_eq!(status.code(), Some(0), "{name}");
    }
}

#[test]
fn e_t4_with_the_option_stop_ends_the_udp_server() {
    let mut server = Server::start("echo-udp-server", &["--stop-ends-server"]);
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
fn e_t4_tcp_and_udp_may_use_the_same_port() {
    let tcp = Server::start("echo-server", &[]);
    let mut udp = tcp.client("echo-udp-server", &[]);
    udp.wait_for(&format!("listening on {}", tcp.address)).expect("both");
}
