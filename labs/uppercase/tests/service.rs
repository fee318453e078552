//! Proves what the servers do to bytes, and at which addresses they serve.

use std::net::UdpSocket;

use harness::terminal::{self, Terminal};

use crate::{PROMPT, TCP, UDP, all_bytes, ask_tcp, ask_udp, run_client};
use harness::Server;

#[test]
fn w_t1_1a_only_the_letters_a_to_z_change() {
    let server = Server::start_or_check(TCP, &[]);
    let answer = ask_tcp(&server, b"hello, world &*! 123 [`{@");
    assert_eq!(answer, b"HELLO, WORLD &*! 123 [`{@");
    let (bytes, upper) = all_bytes();
    assert_eq!(ask_tcp(&server, &bytes), upper, "bytes, not text");
}

#[test]
fn w_t1_1a_the_same_bytes_change_over_udp() {
    let server = Server::start(UDP, &[]);
    let (bytes, upper) = all_bytes();
    assert_eq!(ask_udp(&server.datagrams(), &bytes), upper);
}

#[test]
fn w_t1_1a_letters_beyond_ascii_stay() {
    // Python: "héllo ß".upper() is "HÉLLO SS", its bytes.upper() is ours.
    let server = Server::start_or_check(TCP, &[]);
    let answer = ask_tcp(&server, "héllo ß".as_bytes());
    assert_eq!(String::from_utf8_lossy(&answer), "HéLLO ß");
}

#[test]
fn w_t1_1b_upper_case_stays() {
    let server = Server::start_or_check(TCP, &[]);
    assert_eq!(ask_tcp(&server, b"HELLO World"), b"HELLO WORLD");
}

#[test]
fn w_t1_2_tcp_and_udp_serve_one_port_number_together() {
    // The number may be taken in UDP's space by another test: try the next.
    let both = (0..20).find_map(|_| {
        let tcp = Server::start(TCP, &[]);
        let mut udp = tcp.client(UDP, &[]);
        let line = udp.read_line().expect("a line").unwrap_or_default();
        line.starts_with("listening on ").then_some((tcp, udp))
    });
    let (tcp, _udp) = both.expect("a number that is free for both");
    assert_eq!(ask_udp(&tcp.datagrams(), b"one"), b"ONE");
    assert_eq!(ask_tcp(&tcp, b"two"), b"TWO");
    let mut second = tcp.client(TCP, &[]);
    second.wait_for("Error: bind(…): … (EADDRINUSE). …").unwrap();
}

#[test]
fn w_t1_3_wrong_places_are_usage_errors() {
    let programs = [TCP, UDP, "uppercase-tcp-client", "uppercase-udp-client"];
    for program in programs {
        for place in [
            ["127.0.0.1", "abc"],
            ["127.0.0.1", "65536"],
            ["127.0.0.1", "-1"],
            ["12000", ""], // a port alone
        ] {
            let words = place.iter().filter(|word| !word.is_empty());
            let mut run = Terminal::start(program, words).expect("it starts");
            run.wait_for("Example: …").unwrap_or_else(|e| panic!("{e}"));
            let status = run.wait_for_end().expect("it ends");
            assert_eq!(status.code(), Some(2), "{program} {place:?}");
        }
        let words = ["127.0.0.1", "12000", "too", "many"];
        let mut run = Terminal::start(program, words).expect("it starts");
        assert_eq!(run.wait_for_end().expect("it ends").code(), Some(2));
    }
    let mut low = Terminal::start(TCP, ["127.0.0.1", "80"]).expect("it starts");
    low.wait_for("port 80 is refused: …").unwrap();
}

#[test]
fn w_t1_3_names_and_ipv6_addresses_are_places_too() {
    for (server, client) in
        [(TCP, "uppercase-tcp-client"), (UDP, "uppercase-udp-client")]
    {
        let server = Server::start(server, &[]);
        let port = server.address.port().to_string();
        let words = ["localhost", &port, "--wait", "300"];
        let words =
            if client.contains("udp") { &words[..] } else { &words[..2] };
        let mut run = Terminal::start(client, words).expect("it starts");
        run.type_line("by name").expect("it reads");
        run.wait_for("…BY NAME").unwrap_or_else(|e| panic!("{client}: {e}"));
    }
    if UdpSocket::bind("[::1]:0").is_ok() {
        let mut command = terminal::command(TCP);
        let server = Server::run(command.args(["::1", "0"]));
        assert_eq!(ask_tcp(&server, b"six"), b"SIX");
        let mut command = terminal::command(UDP);
        let server = Server::run(command.args(["::1", "0"]));
        let (printed, _) = run_client(&server, "uppercase-udp-client", b"six");
        assert_eq!(printed, format!("{PROMPT}SIX\n"));
    }
}

#[test]
fn w_t1_3_an_unknown_name_is_explained() {
    let name = "no-such-host.invalid";
    for program in ["uppercase-tcp-client", "uppercase-udp-client"] {
        let words = [name, "12000"];
        let mut run = Terminal::start(program, words).expect("it starts");
        run.wait_for(&format!(
            "Error: getaddrinfo({name}): … (EAI_…). … such as 127.0.0.1…"
        ))
        .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(run.wait_for_end().expect("it ends").code(), Some(1));
    }
}

#[test]
fn w_d_a_server_on_every_interface_says_who_can_reach_it() {
    for program in [TCP, UDP] {
        let mut command = terminal::command(program);
        let mut run = Terminal::run(command.args(["0.0.0.0", "0"])).unwrap();
        run.wait_for("listening on 0.0.0.0:…").unwrap();
        run.wait_for("warning: bound to 0.0.0.0, every interface: …").unwrap();
    }
}
