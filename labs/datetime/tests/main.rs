//! Proves that the programs of the datetime lab do what its README shows.

mod client;
mod plain;
mod server;
mod state;
mod template;

use std::net::{SocketAddr, UdpSocket};

use harness::{DEADLINE, Server, play_readme};

const SERVER: &str = "datetime-server";
const CLIENT: &str = "datetime-client";

/// Sends one datagram and gives the answer as text.
fn ask(client: &UdpSocket, request: &[u8]) -> String {
    client.send(request).expect("it is sent");
    let mut buffer = [0; 2048];
    let count = client.recv(&mut buffer).expect("an answer in time");
    String::from_utf8_lossy(&buffer[..count]).into()
}

/// A server that the test plays itself.
fn fake_server() -> (UdpSocket, Server) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let address = socket.local_addr().expect("an address");
    (socket, Server::at(address))
}

/// The next request at a fake server, and where it came from.
fn next_request(server: &UdpSocket) -> (String, SocketAddr) {
    let mut buffer = [0; 100];
    let (count, client) = server.recv_from(&mut buffer).expect("a request");
    (String::from_utf8_lossy(&buffer[..count]).into(), client)
}

/// A right answer to this request.
fn right(request: &str) -> &'static str {
    if request == "SEND_DATE" { "2024-02-29" } else { "09:05:03" }
}

fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            mark => byte == mark,
        })
}

fn is_date(text: &str) -> bool {
    has_form(text, "0000-00-00")
}

fn is_time(text: &str) -> bool {
    has_form(text, "00:00:00")
}

#[test]
fn g_3_the_readmes_transcripts_hold() {
    play_readme("datetime");
}
