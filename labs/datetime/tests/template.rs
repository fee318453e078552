//! Proves that the templates of question 1 exchange one datagram each way.

use harness::terminal::Terminal;

use crate::{ask, fake_server, next_request};
use harness::{Server, client_of_two_addresses};

#[test]
fn g_1_the_templates_exchange_one_datagram_each() {
    let mut server = Server::start("datetime-template-server", &[]);
    let mut client = server.client("datetime-template-client", &[]);
    let address = server.address;
    client.wait_for(&format!("[{address}] Hello from the server")).unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    server.wait_for("[127.0.0.1:…] Hello from the client");
    server.interrupt();
}

#[test]
fn g_1_the_template_client_does_not_wait_for_ever() {
    let (silent, place) = fake_server();
    let mut client = place.client("datetime-template-client", &[]);
    assert_eq!(next_request(&silent).0, "Hello from the client");
    client.wait_for("Error: recvfrom(…): … (EAGAIN). …").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn g_1_the_template_server_survives_every_datagram() {
    let mut server = Server::start("datetime-template-server", &[]);
    let client = server.datagrams();
    for datagram in [b"".as_slice(), b"\x1b[2J\xff", &[b'x'; 65_507]] {
        assert_eq!(ask(&client, datagram), "Hello from the server");
    }
    server.wait_for("[…] \\x1b[2J\\xff");
    server.interrupt();
}

#[test]
fn g_1_the_template_server_has_the_option_that_its_refusal_names() {
    let low = |options: &[&str]| {
        let words = ["127.0.0.1", "80"].iter().chain(options);
        Terminal::start("datetime-template-server", words).expect("it starts")
    };
    let mut refused = low(&[]);
    refused.wait_for("port 80 is refused: … --allow-privileged …").unwrap();
    assert_eq!(refused.wait_for_end().expect("it ends").code(), Some(2));
    // Then it is the kernel's decision, whatever that is here.
    let mut tried = low(&["--allow-privileged"]);
    let line = tried.read_line().expect("a line").unwrap_or_default();
    let decided = ["listening on 127.0.0.1:80", "Error: bind(127.0.0.1:80): "];
    assert!(decided.iter().any(|start| line.starts_with(start)), "{line}");
}

#[test]
fn g_1_the_template_client_tries_every_address_of_a_name() {
    let server = Server::start_at("127.0.0.9", "datetime-template-server");
    let port = server.address.port();
    let program = "datetime-template-client";
    let client = client_of_two_addresses(program, port);
    if let Some(mut client) = client {
        client.wait_for("[127.0.0.9:…] Hello from the server").unwrap();
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
}
