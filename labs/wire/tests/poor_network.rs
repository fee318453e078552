//! The relay: our servers and clients work over a network that splits, joins,
//! delays, half-closes, resets, loses, doubles and reorders.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use harness::Server;
use harness::terminal::Terminal;

const DEADLINE: Option<Duration> = Some(Duration::from_secs(10));

/// A relay to this server, and the address where clients connect.
fn relay(target: SocketAddr, words: &[&str]) -> (Terminal, SocketAddr) {
    let target = target.to_string();
    let places = ["127.0.0.1:0", &target];
    let mut relay = Terminal::start("wire-relay", places.iter().chain(words))
        .expect("it starts");
    let line = relay.wait_for("listening on …").expect("it listens");
    let address = line.trim_start_matches("listening on ");
    (relay, address.parse().expect("an address"))
}

/// A client of a relay, and the server's end of its connection.
fn connected(words: &[&str]) -> (Terminal, TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a server");
    let (relay, address) = relay(listener.local_addr().expect("bound"), words);
    let client = TcpStream::connect(address).expect("the relay listens");
    let (server, _) = listener.accept().expect("the relay connects");
    client.set_read_timeout(DEADLINE).expect("a deadline");
    server.set_read_timeout(DEADLINE).expect("a deadline");
    client.set_nodelay(true).expect("an option");
    (relay, client, server)
}

/// Reads until the end of the stream; each read() is one piece.
fn pieces(stream: &mut TcpStream) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).expect("in time") {
            0 => return pieces,
            count => pieces.push(buffer[..count].to_vec()),
        }
    }
}

#[test]
fn x_chaos_split_passes_on_single_bytes() {
    // Read from the relay's narration, because kernels may join what arrives.
    let (_relay, mut client, mut server) =
        connected(&["--split", "1", "--pause", "5ms"]);
    client.write_all(b"hello").expect("sent");
    client.shutdown(Shutdown::Write).expect("half-closed");
    let pieces = pieces(&mut server);
    assert_eq!(pieces.concat(), b"hello");
    assert!(pieces.len() > 1, "{pieces:?}");
}

#[test]
fn x_chaos_glue_joins_two_messages() {
    let (_relay, mut client, mut server) = connected(&["--glue"]);
    client.write_all(b"one\n").expect("sent");
    client.write_all(b"two\n").expect("sent");
    client.shutdown(Shutdown::Write).expect("half-closed");
    assert_eq!(pieces(&mut server), [b"one\ntwo\n"]);
}

#[test]
fn x_chaos_half_close_ends_one_direction_only() {
    let (_relay, mut client, mut server) = connected(&["--half-close"]);
    client.write_all(b"question").expect("sent");
    assert_eq!(pieces(&mut server).concat(), b"question", "then FIN");
    server.write_all(b"answer").expect("still open");
    drop(server);
    assert_eq!(pieces(&mut client).concat(), b"answer");
}

#[test]
fn x_chaos_a_half_close_of_the_client_passes_through() {
    let (_relay, mut client, mut server) = connected(&[]);
    client.write_all(b"question").expect("sent");
    client.shutdown(Shutdown::Write).expect("half-closed");
    assert_eq!(pieces(&mut server).concat(), b"question");
    server.write_all(b"answer").expect("still open");
    drop(server);
    assert_eq!(pieces(&mut client).concat(), b"answer");
}

#[test]
fn x_chaos_reset_after_so_many_bytes() {
    let (mut relay, mut client, mut server) =
        connected(&["--reset-after", "1k"]);
    client.write_all(&[b'x'; 2000]).expect("sent");
    relay.wait_for("… reset both connections").expect("it says so");
    let mut buffer = [0; 4096];
    let mut read = |stream: &mut TcpStream| loop {
        match stream.read(&mut buffer) {
            Ok(0) => panic!("FIN, and not RST"),
            Ok(_) => {}
            Err(error) => break error.kind(),
        }
    };
    assert_eq!(read(&mut server), std::io::ErrorKind::ConnectionReset);
    assert_eq!(read(&mut client), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn x_chaos_a_reset_of_the_server_reaches_the_client() {
    let (_relay, mut client, server) = connected(&[]);
    let socket = socket2::SockRef::from(&server);
    socket.set_linger(Some(Duration::ZERO)).expect("an option");
    drop(server);
    let error = client.read(&mut [0; 10]).expect_err("an RST");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn x_chaos_a_server_that_refuses_closes_the_client() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = nobody.local_addr().expect("bound");
    drop(nobody);
    let (mut relay, address) = relay(target, &[]);
    let mut client = TcpStream::connect(address).expect("the relay listens");
    client.set_read_timeout(DEADLINE).expect("a deadline");
    let ended = client.read(&mut [0; 10]);
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    relay.wait_for("…Connection refused…").expect("it says why");
}

/// A server of ours, a client of ours, and what it prints, over each of these
/// poor networks.
#[track_caller]
fn works(server: &[&str], client: &[&str], typed: &[&str], printed: &[&str]) {
    for poor in [
        &["--split", "1"][..],
        &["--glue"],
        &["--delay", "20ms", "--split", "3"],
    ] {
        let server = Server::start(server[0], &server[1..]);
        let (_relay, address) = relay(server.address, poor);
        let (host, port) = (address.ip().to_string(), address.port());
        let port = port.to_string();
        let words = [host.as_str(), &port].into_iter();
        let words = words.chain(client[1..].iter().copied());
        let mut client = Terminal::start(client[0], words).expect("it starts");
        for line in typed {
            client.type_line(line).expect("it reads");
        }
        client.end_input();
        for line in printed {
            client
                .wait_for(line)
                .unwrap_or_else(|error| panic!("{poor:?}: {error}"));
        }
    }
}

#[test]
fn x_chaos_echo_works_over_a_poor_network() {
    works(&["echo-server"], &["echo-client"], &["one", "two"], &["one", "two"]);
}

#[test]
fn x_chaos_uppercase_works_over_a_poor_network() {
    works(
        &["uppercase-tcp-server"],
        &["uppercase-tcp-client"],
        &["hello"],
        &["…HELLO"],
    );
}

#[test]
fn x_chaos_the_calculator_works_over_a_poor_network() {
    works(
        &["calculator-server"],
        &["calculator-client", "--name", "Ada"],
        &["12 + 42", "1 / 4", "q"],
        &["54", "0.25"],
    );
}

#[test]
fn x_chaos_rpc_works_over_a_poor_network() {
    works(&["rpc-server"], &["rpc-client", "add", "2", "3"], &[], &["5"]);
}

#[test]
fn x_chaos_chat_works_over_a_poor_network() {
    works(
        &["chat-server"],
        &["chat-client", "--name", "Batman", "--plain"],
        &[],
        &["…Batman has joined. Member count=1"],
    );
}

#[test]
fn x_chaos_web_works_over_a_poor_network() {
    works(
        &["web-server"],
        &["web-client", "/HelloWorld.html"],
        &[],
        &["HTTP/1.1 200 OK", "<h1>Hello, World!</h1>"],
    );
}

/// A UDP server of the test, a relay before it, and a client's socket.
fn datagrams(words: &[&str]) -> (Terminal, UdpSocket, UdpSocket) {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a server");
    let words = [&["--udp"], words].concat();
    let (relay, address) = relay(server.local_addr().expect("bound"), &words);
    let client = UdpSocket::bind("127.0.0.1:0").expect("a client");
    client.connect(address).expect("UDP always does");
    server.set_read_timeout(DEADLINE).expect("a deadline");
    client.set_read_timeout(DEADLINE).expect("a deadline");
    (relay, client, server)
}

fn received(server: &UdpSocket) -> String {
    let mut buffer = [0; 100];
    let (count, _) = server.recv_from(&mut buffer).expect("in time");
    String::from_utf8_lossy(&buffer[..count]).into()
}

#[test]
fn x_chaos_a_datagram_and_its_answer_pass() {
    let (_relay, client, server) = datagrams(&[]);
    client.send(b"question").expect("sent");
    let mut buffer = [0; 100];
    let (count, peer) = server.recv_from(&mut buffer).expect("in time");
    assert_eq!(&buffer[..count], b"question");
    server.send_to(b"answer", peer).expect("sent");
    let count = client.recv(&mut buffer).expect("in time");
    assert_eq!(&buffer[..count], b"answer");
}

#[test]
fn x_chaos_a_datagram_is_lost() {
    let (mut relay, client, _server) = datagrams(&["--loss", "100%"]);
    client.send(b"question").expect("sent");
    relay.wait_for("… -> server: 8 bytes, LOST").expect("it says so");
}

#[test]
fn x_chaos_a_datagram_comes_twice() {
    let (_relay, client, server) = datagrams(&["--duplicate", "100%"]);
    client.send(b"question").expect("sent");
    assert_eq!(received(&server), "question");
    assert_eq!(received(&server), "question");
}

#[test]
fn x_chaos_a_datagram_is_overtaken() {
    let words = ["--reorder", "50%", "--seed", "2"];
    let (mut relay, client, server) = datagrams(&words);
    let sent: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    for number in &sent {
        client.send(number.as_bytes()).expect("sent");
        // The relay has read it before the next one is sent.
        relay.wait_for("… -> server: …").expect("it says so");
    }
    let came: Vec<String> = sent.iter().map(|_| received(&server)).collect();
    assert_ne!(came, sent);
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(came), sorted(sent), "all of them, in another order");
}

#[test]
fn x_chaos_what_makes_no_sense_is_refused() {
    for (words, reason) in [
        (&["127.0.0.1:0", "127.0.0.1:1", "--loss", "1%"][..], "need --udp"),
        (&["127.0.0.1:0", "127.0.0.1:1", "--udp", "--glue"], "about streams"),
        (&["127.0.0.1", "127.0.0.1:1"], "is not HOST:PORT"),
        (&["127.0.0.1:0", "127.0.0.1:x"], "is not a port"),
    ] {
        let mut relay = Terminal::start("wire-relay", words).expect("starts");
        relay.wait_for(&format!("…{reason}…")).expect("the reason");
        let status = relay.wait_for_end().expect("it ends");
        assert_eq!(status.code(), Some(2));
    }
}
