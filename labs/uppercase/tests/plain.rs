//! Proves that the skeletons, line by line, do what the handout prints, with
//! Python's at the other end, and survive what first programs must.

use crate::{PROMPT, ask_udp, nobodys_port, own_udp_server, run_client};
use harness::{Server, python_server, receive_all, reset, send};

const TCP: &str = "uppercase-plain-tcp-server";
const UDP: &str = "uppercase-plain-udp-server";
const TCP_CLIENT: &str = "uppercase-plain-tcp-client";
const UDP_CLIENT: &str = "uppercase-plain-udp-client";

#[test]
fn w_t1_2_plain_programs_hold_the_handouts_dialogue() {
    for (program, client, before) in
        [(TCP, TCP_CLIENT, "From Server: "), (UDP, UDP_CLIENT, "")]
    {
        let mut server = Server::start(program, &[]);
        let line = server.console().read_line().expect("a line");
        assert_eq!(line, Some("The server is ready to receive".into()));
        for _ in 0..2 {
            let told = run_client(&server, client, b"hello, World &*!\n");
            let printed = format!("{PROMPT}{before}HELLO, WORLD &*!\n");
            assert_eq!(told, (printed, Some(0)));
        }
        server.interrupt();
    }
}

#[test]
fn w_k1_w_k3_plain_clients_and_python_servers() {
    for (file, client, before) in [
        ("uppercase/tcp_server.py", TCP_CLIENT, "From Server: "),
        ("uppercase/udp_server.py", UDP_CLIENT, ""),
    ] {
        let Some(server) = python_server(file, &[]) else { return };
        let told = run_client(&server, client, "née\n".as_bytes());
        assert_eq!(told, (format!("{PROMPT}{before}NéE\n"), Some(0)));
    }
}

#[test]
fn w_k2_w_k4_python_clients_and_plain_servers() {
    for (file, program) in
        [("uppercase/tcp_client.py", TCP), ("uppercase/udp_client.py", UDP)]
    {
        let server = Server::start(program, &[]);
        for _ in 0..2 {
            let Some(mut client) = server.python(file, &["grün"]) else {
                return;
            };
            client.wait_for("…GRüN").unwrap();
            assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
        }
    }
}

#[test]
fn w_k4_plain_tcp_server_survives_what_clients_do() {
    let mut server = Server::start(TCP, &[]);
    reset(server.connect());
    drop(server.connect());
    let client = server.connect();
    send(&client, b"half a l"); // no newline, and no end
    assert_eq!(receive_all(&client), b"HALF A L");
    // Two at once: the second waits for its turn.
    let (first, second) = (server.connect(), server.connect());
    send(&second, b"two");
    send(&first, b"one");
    assert_eq!(receive_all(&first), b"ONE");
    assert_eq!(receive_all(&second), b"TWO");
    server.interrupt();
}

#[test]
fn w_k2_plain_udp_server_answers_every_datagram() {
    let mut server = Server::start(UDP, &[]);
    let clients = [server.datagrams(), server.datagrams()];
    for client in &clients {
        assert_eq!(ask_udp(client, b""), b"");
        assert_eq!(ask_udp(client, b"\x1b[2j\xff"), b"\x1b[2J\xff");
        let cut = ask_udp(client, &[b'x'; 3000]);
        assert_eq!(cut, [b'X'; 2048], "the skeleton's buffer");
    }
    server.wait_for("[…] \\x1b[2j\\xff");
    server.interrupt();
}

#[test]
fn w_p1_w_p2_plain_clients_before_their_servers() {
    let (place, _held) = nobodys_port();
    let mut client = place.client(TCP_CLIENT, &[]);
    let program = format!("Error: connect(…): …(ECONNREFUSED). …make {TCP}…");
    client.wait_for(&program).unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    // UDP: it has sent its sentence, and waits like the skeleton.
    let (silent, place) = own_udp_server();
    let mut client = place.client(UDP_CLIENT, &[]);
    client.type_line("anybody?").expect("it reads");
    let mut buffer = [0; 100];
    let (count, address) = silent.recv_from(&mut buffer).expect("a sentence");
    assert_eq!(&buffer[..count], b"anybody?");
    assert!(client.is_running());
    silent.send_to(b"YES", address).expect("it is sent");
    client.wait_for("…YES").unwrap();
}

#[test]
fn w_k3_plain_tcp_client_with_nothing_to_say_ends() {
    let server = Server::start(TCP, &[]);
    for nothing in [b"\n".as_slice(), b""] {
        let told = run_client(&server, TCP_CLIENT, nothing);
        let expected = format!("{PROMPT}nothing typed: TCP sends nothing\n");
        assert_eq!(told, (expected, Some(0)));
    }
}
