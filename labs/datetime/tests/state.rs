//! Proves that the server keeps no state, and that UDP opens no connection.

use std::net::{TcpListener, TcpStream};

use harness::terminal::{self, Terminal};
use socketlab::socket_table;

use crate::{
    CLIENT, SERVER, ask, fake_server, is_date, is_time, next_request, right,
};
use harness::Server;

#[test]
fn g_5_the_text_is_on_the_wire_as_it_is() {
    let (server, place) = fake_server();
    let mut command = terminal::command(CLIENT);
    let (host, port) = place.host_and_port();
    command.args([&host, &port, "--count", "1"]).env("TRACE", "1");
    let mut client = Terminal::run(&mut command).expect("it starts");
    let (request, address) = next_request(&server);
    assert!(matches!(request.as_str(), "SEND_DATE" | "SEND_TIME"));
    server.send_to(right(&request).as_bytes(), address).expect("it is sent");
    // The first datagram is the request: nothing shook hands before it.
    client.wait_for("trace client 1 socket(AF_INET, SOCK_DGRAM, 0) …").unwrap();
    let sent = format!("trace client 2 sendto(…, \"{request}\", 9, …) = 9 …");
    client.wait_for(&sent).unwrap();
    client.wait_for("trace client 3 recvfrom(…) = …").unwrap();
}

#[test]
fn g_7a_a_restart_between_two_requests_is_not_noticed() {
    let mut first = Server::start(SERVER, &[]);
    let client = first.datagrams();
    assert!(is_date(&ask(&client, b"SEND_DATE")));
    first.interrupt();
    let mut second = first.client(SERVER, &[]);
    second.wait_for("listening on …").unwrap();
    assert!(is_time(&ask(&client, b"SEND_TIME")), "the same socket of ours");
}

#[test]
fn g_7c_tcp_keeps_state_for_each_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let clients =
        [0; 3].map(|_| TcpStream::connect(address).expect("it listens"));
    for client in &clients {
        let peer = client.local_addr().expect("an address");
        let state = socket_table::state(address, Some(peer));
        assert_eq!(state.expect("the kernel knows it").name, "ESTABLISHED");
    }
}

#[test]
fn g_7d_udp_keeps_nothing_for_each_client() {
    let server = Server::start(SERVER, &[]);
    for _ in 0..3 {
        assert!(is_time(&ask(&server.datagrams(), b"SEND_TIME")));
    }
    let sockets = socket_table::all().into_iter().filter(|entry| {
        entry.protocol == "udp" && entry.local == server.address
    });
    let peers: Vec<u16> = sockets.map(|entry| entry.peer.port()).collect();
    assert_eq!(peers, [0], "one socket, and no peer, after three clients");
}
