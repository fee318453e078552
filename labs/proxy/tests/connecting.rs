//! Proves that connect() tries all addresses of a name in a bounded time, and
//! that a client that leaves meanwhile is noticed.

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, listen, socket};

use crate::PROXY;
use crate::scripts::{get, read_answer, sees_the_end};
use harness::{Server, reset, send};

/// An address that answers no SYN: its queue of connections is full.
struct Deaf {
    address: SocketAddr,
    _socket: rustix::fd::OwnedFd,
    _queue: Vec<TcpStream>,
}

impl Deaf {
    /// `None` where there is no such address: no IPv6, or a port is taken.
    fn at(address: SocketAddr) -> Option<Deaf> {
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        let listener = socket(family, SocketType::STREAM, None).ok()?;
        bind(&listener, &address).ok()?;
        listen(&listener, 0).ok()?;
        let address = rustix::net::getsockname(&listener).ok()?;
        let address = SocketAddr::try_from(address).ok()?;
        let limit = Duration::from_millis(200);
        let mut queue = Vec::new();
        while let Ok(next) = TcpStream::connect_timeout(&address, limit) {
            queue.push(next);
        }
        Some(Deaf { address, _socket: listener, _queue: queue })
    }
}

#[test]
fn w_t3a_connect_has_one_deadline_for_all_addresses() {
    let Some(one) = Deaf::at(([127, 0, 0, 1], 0).into()) else { return };
    let port = one.address.port();
    // localhost has two addresses here, and none of them answers.
    let _two = Deaf::at((std::net::Ipv6Addr::LOCALHOST, port).into());
    let proxy = Server::start(PROXY, &["--patience", "2"]);
    for host in ["127.0.0.1", "localhost"] {
        let began = Instant::now();
        let answer = get(&proxy, &format!("http://{host}:{port}/"), "");
        let took = began.elapsed();
        assert_eq!(answer.status, 504, "{}", answer.text());
        assert!(answer.text().contains("connect()"), "{}", answer.text());
        assert!(took > Duration::from_millis(1500), "{host}: {took:?}");
        assert!(took < Duration::from_millis(3900), "{host}: {took:?}");
    }
}

#[test]
fn w_t3a_the_second_address_need_not_wait_for_the_first() {
    // ::1 is deaf, and 127.0.0.1 answers; or the other way round.
    let found = ("localhost", 80).to_socket_addrs().expect("an address");
    if found.map(|at| at.is_ipv6()).collect::<HashSet<_>>().len() < 2 {
        return; // localhost has one address here
    }
    for deaf_is_v6 in [true, false] {
        let (deaf, open): (SocketAddr, &str) = match deaf_is_v6 {
            true => ((std::net::Ipv6Addr::LOCALHOST, 0).into(), "127.0.0.1"),
            false => (([127, 0, 0, 1], 0).into(), "::1"),
        };
        let Some(deaf) = Deaf::at(deaf) else { return };
        let port = deaf.address.port();
        let Ok(open) = TcpListener::bind((open, port)) else { return };
        std::thread::spawn(move || {
            for stream in open.incoming().flatten() {
                let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                send(&stream, bytes);
                sees_the_end(&stream);
            }
        });
        for program in [PROXY, "proxy-once-server"] {
            let proxy = Server::start(program, &[]);
            let began = Instant::now();
            let answer = get(&proxy, &format!("http://localhost:{port}/"), "");
            assert_eq!(answer.status, 200, "{}", answer.text());
            let took = began.elapsed();
            assert!(took < Duration::from_secs(4), "{program}: {took:?}");
        }
    }
}

#[test]
fn w_t3a_a_client_that_leaves_during_connect_is_noticed() {
    let Some(deaf) = Deaf::at(([127, 0, 0, 1], 0).into()) else { return };
    let at = deaf.address;
    let mut proxy = Server::start(PROXY, &[]);
    let port = at.port().to_string();
    let mut tunnels = Server::start(PROXY, &["--connect-port", &port]);
    let ask = |proxy: &Server, line: &str| {
        let client = proxy.connect();
        send(&client, format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        client
    };
    let url = format!("GET http://{at}/");
    let began = Instant::now();
    reset(ask(&proxy, &url)); // RST
    proxy.wait_for("[…] GET … ms: the client left before the origin was …");
    drop(ask(&proxy, &url)); // FIN: two seconds later
    proxy.wait_for("[…] GET … ms: the client left before the origin was …");
    drop(ask(&tunnels, &format!("CONNECT {at}")));
    tunnels.wait_for("[…] CONNECT … the client left before the origin was …");
    let took = began.elapsed();
    assert!(took < Duration::from_secs(9), "{took:?}");
}

#[test]
fn w_t3a_a_refused_connection_is_reported_at_once() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    for program in [PROXY, "proxy-once-server"] {
        let proxy = Server::start(program, &[]);
        let began = Instant::now();
        let client = proxy.connect();
        let url = format!("http://localhost:{port}/");
        send(&client, format!("GET {url} HTTP/1.0\r\n\r\n").as_bytes());
        let answer = read_answer(&client, "GET");
        assert_eq!(answer.status, 502);
        assert!(answer.text().contains("ECONNREFUSED"), "{}", answer.text());
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}
