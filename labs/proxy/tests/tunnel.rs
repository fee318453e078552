//! Proves that CONNECT opens a tunnel, to allowed ports only, and ends it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::PROXY;
use crate::scripts::{ask, read_answer, sees_the_end};
use harness::{Server, half_close, receive, receive_all, reset, send};

/// An origin that is not an HTTP server: it has one connection.
fn origin(
    converse: impl FnOnce(TcpStream) + Send + 'static,
) -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let running = thread::spawn(move || {
        converse(listener.accept().expect("a client").0);
    });
    (address, running)
}

/// A proxy that lets tunnels lead there.
fn proxy_to(origin: SocketAddr) -> Server {
    Server::start(PROXY, &["--connect-port", &origin.port().to_string()])
}

fn open(proxy: &Server, origin: SocketAddr, early: &[u8]) -> TcpStream {
    let client = proxy.connect();
    let head = format!("CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\n\r\n");
    send(&client, &[head.as_bytes(), early].concat());
    let answer = read_answer(&client, "HEAD");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.field("Content-Length"), None);
    assert_eq!(answer.field("Transfer-Encoding"), None);
    client
}

#[test]
fn w_t3a_a_tunnel_carries_bytes_and_half_closes() {
    let (address, origin) = origin(|mut stream| {
        // Answers after the client's FIN only.
        let mut text = Vec::new();
        stream.read_to_end(&mut text).expect("to the end");
        stream.write_all(&text.to_ascii_uppercase()).expect("a client");
    });
    let mut proxy = proxy_to(address);
    // The first bytes come in one segment with the head.
    let client = open(&proxy, address, b"early, ");
    send(&client, b"hello \x00\xff");
    half_close(&client);
    assert_eq!(receive_all(&client), b"EARLY, HELLO \x00\xff");
    origin.join().expect("the origin");
    proxy.wait_for("[…] CONNECT … -> 200 15 bytes tunnel …");
}

#[test]
fn w_t3a_the_origin_may_half_close_first() {
    let (address, origin) = origin(|mut stream| {
        stream.write_all(b"220 ready\r\n").expect("a client");
        stream.shutdown(Shutdown::Write).expect("a half-close");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("to the end");
        assert_eq!(rest, b"still heard");
    });
    let proxy = proxy_to(address);
    let client = open(&proxy, address, b"");
    assert_eq!(receive_all(&client), b"220 ready\r\n");
    send(&client, b"still heard");
    half_close(&client);
    origin.join().expect("the origin");
}

#[test]
fn w_t3a_both_directions_at_once() {
    const COUNT: usize = 8 * 1024 * 1024;
    // Both send everything before they read a byte. With one thread for both
    // directions nothing would move once all buffers are full.
    let (address, origin) = origin(|stream| {
        let mut writer = stream.try_clone().expect("a handle");
        let writing = thread::spawn(move || {
            writer.write_all(&vec![b'o'; COUNT]).expect("it takes all");
            writer.shutdown(Shutdown::Write).expect("a half-close");
        });
        let mut count = 0;
        let mut piece = [0; 65_536];
        while let Ok(more @ 1..) = (&stream).read(&mut piece) {
            count += more;
        }
        assert_eq!(count, COUNT);
        writing.join().expect("the writer");
    });
    let proxy = proxy_to(address);
    let client = open(&proxy, address, b"");
    send(&client, &vec![b'c'; COUNT]);
    half_close(&client);
    assert_eq!(receive_all(&client).len(), COUNT);
    origin.join().expect("the origin");
}

#[test]
fn w_t3a_an_end_of_one_side_is_an_end_of_both() {
    let (address, origin) = origin(|stream| {
        receive(&stream, 1);
        assert!(sees_the_end(&stream), "the client's reset arrives");
    });
    let proxy = proxy_to(address);
    let client = open(&proxy, address, b"x");
    reset(client);
    origin.join().expect("the origin");
}

#[test]
fn w_t3a_a_silent_tunnel_ends() {
    let (address, origin) = origin(|stream| {
        assert!(sees_the_end(&stream), "it is cut");
    });
    let port = address.port().to_string();
    let options = ["--connect-port", &port, "--tunnel-idle", "1"];
    let proxy = Server::start(PROXY, &options);
    let client = open(&proxy, address, b"");
    assert!(sees_the_end(&client));
    origin.join().expect("the origin");
}

#[test]
fn w_t3a_tunnels_lead_to_few_ports() {
    let mut proxy = Server::start(PROXY, &[]);
    for place in ["127.0.0.1:25", "127.0.0.1:80", "localhost:22"] {
        assert_eq!(ask(&proxy, "CONNECT", place, "").status, 403, "{place}");
        let port = place.split(':').nth(1).expect("a port");
        proxy.wait_for(&format!("[…] … 403 … --connect-port {port} …"));
    }
    // A page that uses ws:// asks for port 80: which switch allows it?
    let page = ask(&proxy, "CONNECT", "127.0.0.1:80", "").text();
    assert!(page.contains("--connect-port 80"), "{page}");
    assert!(page.contains("ws://"), "{page}");
    // 8443 is allowed, but no program listens there.
    for no_body in ["", "Content-Length: 0\r\n"] {
        let answer = ask(&proxy, "CONNECT", "127.0.0.1:8443", no_body);
        assert_eq!(answer.status, 502);
    }
    let body = "Content-Length: 1\r\n";
    assert_eq!(ask(&proxy, "CONNECT", "127.0.0.1:8443", body).status, 400);
    for wrong in ["localhost", "http://localhost:443/", "/", "x:y", ":443"] {
        assert_eq!(ask(&proxy, "CONNECT", wrong, "").status, 400, "{wrong}");
    }
    let own = proxy.address;
    let port = own.port().to_string();
    let second = Server::start(PROXY, &["--connect-port", &port]);
    // A chain of two proxies is not a loop.
    let client = second.connect();
    send(
        &client,
        format!("CONNECT {own} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes(),
    );
    assert_eq!(read_answer(&client, "HEAD").status, 200);
}

#[test]
fn w_t3a_a_tunnel_does_not_lead_to_the_proxy_itself() {
    // Which port it gets is known only afterwards: allow them all.
    let mut options = Vec::new();
    for port in 32_768..=60_999 {
        options.extend(["--connect-port".to_string(), port.to_string()]);
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let proxy = Server::start(PROXY, &options);
    let own = proxy.address.to_string();
    assert_eq!(ask(&proxy, "CONNECT", &own, "").status, 403);
}
