//! Proves that the first programs of questions 4 and 6 hold the handout's
//! dialogue, with Python at the other end, and survive what they must.

use crate::ask;
use harness::{
    Server, half_close, python_server, receive_all, receive_line, reset, send,
};
use rustix::process::Signal;

const SERVER: &str = "calculator-plain-server";
const CLIENT: &str = "calculator-plain-client";

#[test]
fn g_6_plain_programs_hold_the_handouts_dialogue() {
    let mut server = Server::start(SERVER, &[]);
    let mut client = server.client(CLIENT, &["--name", "Ada"]);
    for line in ["12 + 42", "3.24 45", "4.5 / -6", "3.24 * 45", "q"] {
        client.type_line(line).expect("it reads");
    }
    for told in ["54", "warning: …", "-0.75", "145.8"] {
        client.wait_for(told).unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    for line in ["12 + 42", "4.5 / -6", "3.24 * 45", "q"] {
        let console = server.console().read_line().expect("a line");
        assert_eq!(console, Some(format!("Ada: {line}")), "not 3.24 45");
    }
    let line = server.console().read_line().expect("a line");
    assert_eq!(line.as_deref(), Some("Session ended"));
    server.interrupt();
}

#[test]
fn g_6_plain_client_and_a_python_server_from_a_script() {
    let Some(mut server) = python_server("calculator/server.py", &[]) else {
        return;
    };
    let mut client = server.client(CLIENT, &[]);
    for line in ["12 + 42", "4.5 / -6", "q"] {
        client.type_line(line).expect("it reads");
    }
    client.wait_for("54").unwrap();
    client.wait_for("-0.75").unwrap();
    server.wait_for("name: Ada");
    server.wait_for("Session ended");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn g_6_a_python_client_and_the_plain_server() {
    let mut server = Server::start(SERVER, &[]);
    let Some(mut client) = server.python("calculator/client.py", &["Grace"])
    else {
        return;
    };
    client.type_line("12 + 42").expect("it reads");
    client.wait_for("answer: 54").unwrap();
    client.type_line("q").expect("it reads");
    server.wait_for("Grace: 12 + 42");
    server.wait_for("Grace: q");
    server.wait_for("Session ended");
}

#[test]
fn g_6c_plain_server_survives_what_clients_do() {
    let mut server = Server::start(SERVER, &[]);
    reset(server.connect());
    drop(server.connect());
    // Half a line, and then nothing more.
    let client = server.connect();
    send(&client, b"Ada\n12 +");
    half_close(&client);
    assert!(receive_all(&client).starts_with(b"error: "));
    server.wait_for("Ada: left without q");
    // A client that waits for its turn.
    let first = server.connect();
    let second = server.connect();
    send(&second, b"Bob\n1 + 1\nq\n");
    send(&first, b"Eve\n");
    for wrong in ["12+42", "1 / 0", "2 ** 3", "\x1b[2J", "q 1", ""] {
        assert!(ask(&first, wrong).starts_with("error: "), "{wrong:?}");
    }
    let long = "9".repeat(2000);
    assert!(ask(&first, &long).starts_with("error: "));
    assert_eq!(ask(&first, "12 + 42"), "54");
    drop(first);
    assert_eq!(receive_all(&second), b"2\n");
    server.console().signal(Signal::INT).expect("a signal");
    server.wait_for("bye");
}

#[test]
fn g_6c_plain_client_tells_that_the_server_has_closed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut client = Server::at(address).client(CLIENT, &[]);
    let (server, _) = listener.accept().expect("a client");
    assert_eq!(receive_line(&server), "Ada");
    client.type_line("1 + 1").expect("it reads");
    assert_eq!(receive_line(&server), "1 + 1");
    drop(server);
    client.wait_for("Error: the server closed the connection").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn g_6b_plain_programs_refuse_what_is_not_a_number() {
    let server = Server::start(SERVER, &[]);
    let raw = server.connect();
    send(&raw, b"Ada\n");
    for bad in ["inf + 1", "1 * nan", "-infinity / 2"] {
        let reply = ask(&raw, bad);
        assert!(reply.starts_with("error: number"), "{bad}: {reply}");
    }
    assert_eq!(ask(&raw, "12   +  42"), "54", "several blanks");
    assert_eq!(ask(&raw, "1e300 * 1e300"), "error: too large");
    half_close(&raw);
    let mut client = server.client(CLIENT, &[]);
    for line in ["inf + 1", "1  +  2", "q"] {
        client.type_line(line).expect("it reads");
    }
    client.wait_for("warning: …").unwrap();
    client.wait_for("3").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}
