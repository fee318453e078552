//! Proves that the programs of the uppercase lab do what its README shows.

mod plain;
mod poor;
mod problems;
mod service;
mod tcp;
mod udp;

use std::net::{TcpListener, UdpSocket};

use harness::{DEADLINE, Server, half_close, play_readme, receive_all, send};

const TCP: &str = "uppercase-tcp-server";
const UDP: &str = "uppercase-udp-server";
const PROMPT: &str = "Input lowercase sentence:";

#[test]
fn w_e5_the_readmes_transcripts_hold() {
    play_readme("uppercase");
}

/// Every byte there is, and what must come back.
fn all_bytes() -> (Vec<u8>, Vec<u8>) {
    let bytes: Vec<u8> = (0..=255).collect();
    let upper = bytes.iter().map(u8::to_ascii_uppercase).collect();
    (bytes, upper)
}

fn ask_tcp(server: &Server, sentence: &[u8]) -> Vec<u8> {
    let client = server.connect();
    send(&client, sentence);
    half_close(&client);
    receive_all(&client)
}

fn ask_udp(client: &UdpSocket, sentence: &[u8]) -> Vec<u8> {
    client.send(sentence).expect("it is sent");
    let mut buffer = vec![0; 65_536];
    let count = client.recv(&mut buffer).expect("an answer in time");
    buffer.truncate(count);
    buffer
}

/// Runs a client, types the sentence, gives all that it printed and its
/// exit status.
fn run_client(
    server: &Server,
    program: &str,
    sentence: &[u8],
) -> (String, Option<i32>) {
    let mut client = server.client(program, &[]);
    client.type_bytes(sentence).expect("it reads");
    client.end_input();
    let printed = client.read_to_end().expect("it ends");
    let status = client.wait_for_end().expect("it ends");
    (String::from_utf8_lossy(&printed).into(), status.code())
}

/// A port of 127.0.0.1 on which nobody listens. TCP's is held meanwhile by
/// the second value, a socket that is bound and nothing more.
fn nobodys_port() -> (Server, socket2::Socket) {
    use socket2::{Domain, Socket, Type};
    let held = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    held.bind(&any.into()).expect("a port");
    let address = held.local_addr().expect("an address").as_socket();
    (Server::at(address.expect("an IP address")), held)
}

/// A UDP server that the test plays itself, and where it is.
fn own_udp_server() -> (UdpSocket, Server) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let address = socket.local_addr().expect("an address");
    (socket, Server::at(address))
}

/// The listener of a TCP server that the test plays itself.
fn own_listener() -> (TcpListener, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, Server::at(address))
}
