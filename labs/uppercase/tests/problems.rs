//! Proves what the handout's problems show: client first, another port.

use crate::{PROMPT, TCP, UDP, ask_udp, nobodys_port};
use harness::Server;

#[test]
fn w_p1_tcp_client_first_is_refused_before_it_asks() {
    let (nobody, _held) = nobodys_port();
    let mut client = nobody.client("uppercase-tcp-client", &[]);
    let line = client.read_line().expect("a line").unwrap_or_default();
    let wanted = format!("Error: connect({}): Connection", nobody.address);
    assert!(line.starts_with(&wanted), "{line}");
    assert!(line.contains("(ECONNREFUSED)"), "{line}");
    let start = "make uppercase-tcp-server PORT=";
    let advice = format!("{start}{}", nobody.address.port());
    assert!(line.ends_with(&advice), "{line}");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn w_p2_udp_client_first_fails_only_by_silence() {
    let (nobody, _held) = nobodys_port();
    let options = ["--wait", "50"];
    let mut client = nobody.client("uppercase-udp-client", &options);
    client.read_prompt(PROMPT).expect("nothing fails at the start");
    client.type_line("anybody?").expect("it reads");
    client.wait_for("no answer, attempt 3 of 3").unwrap();
    client.wait_for("Error: no answer from …").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn w_p2_udp_server_may_start_while_the_client_waits_for_enter() {
    let (nobody, _held) = nobodys_port();
    let mut client = nobody.client("uppercase-udp-client", &[]);
    client.read_prompt(PROMPT).expect("the prompt");
    let mut server = nobody.client(UDP, &[]);
    server.wait_for("The server is ready to receive").unwrap();
    client.type_line("just in time").expect("it reads");
    client.wait_for("JUST IN TIME").unwrap();
}

#[test]
fn w_p3_another_port_is_refused_by_tcp_and_lost_by_udp() {
    let (_tcp, udp) = (Server::start(TCP, &[]), Server::start(UDP, &[]));
    let (wrong, _held) = nobodys_port();
    let mut client = wrong.client("uppercase-tcp-client", &[]);
    client.wait_for("Error: connect(…): … (ECONNREFUSED). …").unwrap();
    let options = ["--wait", "50"];
    let mut client = wrong.client("uppercase-udp-client", &options);
    client.type_line("hello").expect("it reads");
    client.wait_for("Error: no answer from …").unwrap();
    // The client's own port is another one each time, and does not matter.
    let (one, two) = (udp.datagrams(), udp.datagrams());
    assert_ne!(one.local_addr().unwrap(), two.local_addr().unwrap());
    assert_eq!(ask_udp(&one, b"a"), b"A");
    assert_eq!(ask_udp(&two, b"b"), b"B");
}
