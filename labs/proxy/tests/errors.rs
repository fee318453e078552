//! Proves what a client gets when an origin fails, a client leaves, or an
//! address is refused.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use crossbeam_channel::bounded;
use harness::terminal;

use crate::scripts::{Origin, Then, ask, get, pour, read_answer, sees_the_end};
use crate::{PROXY, plain};
use harness::{DEADLINE, Server, half_close, receive_line, reset, send};

#[test]
fn w_t3a_no_origin_is_502_and_never_404() {
    let proxy = plain();
    // Bound, not listening: nobody else can get the port meanwhile.
    let held = socket2::Socket::new(
        socket2::Domain::IPV4,
        socket2::Type::STREAM,
        None,
    )
    .expect("a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    held.bind(&any.into()).expect("a port");
    let port = held.local_addr().expect("bound").as_socket();
    let port = port.expect("an IP address").port();
    let client = proxy.connect();
    for (url, word) in [
        (format!("http://127.0.0.1:{port}/"), "ECONNREFUSED"),
        ("http://nobody.invalid/".into(), "not found"),
    ] {
        let request = format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n");
        send(&client, request.as_bytes());
        let answer = read_answer(&client, "GET");
        assert_eq!(answer.status, 502);
        assert!(answer.text().contains(word), "{}", answer.text());
        assert_eq!(
            answer.field("Connection"),
            None,
            "the connection stays open"
        );
    }
    assert_eq!(ask(&proxy, "HEAD", "http://nobody.invalid/", "").status, 502);
}

#[test]
fn w_t3a_a_silent_or_slow_origin_is_504() {
    let proxy = Server::start(PROXY, &["--patience", "1"]);
    let silent = Origin::start(|_, stream| {
        assert!(sees_the_end(stream), "the proxy gives up on it");
        Then::Close
    });
    assert_eq!(get(&proxy, &silent.url("/"), "").status, 504);
    // A byte now and then is not an answer either.
    let (_never, pause) = bounded::<()>(0);
    let dripping = Origin::start(move |_, mut stream| {
        let head =
            b"HTTP/1.1 200 OK\r\nX: ".iter().chain([b'x'].iter().cycle());
        for byte in head {
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
            let _ = pause.recv_timeout(Duration::from_millis(50));
        }
        Then::Close
    });
    assert_eq!(get(&proxy, &dripping.url("/"), "").status, 504);
    // A connection that nobody accepts: connect() works, no answer comes.
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = deaf.local_addr().expect("an address");
    assert_eq!(get(&proxy, &format!("http://{at}/"), "").status, 504);
}

#[test]
fn w_t3a_a_head_without_end_is_502() {
    let proxy = plain();
    let endless = Origin::start(|_, mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-Filler: yyyyyyyyyyyyyyyyyyy\r\n").is_ok() {}
        Then::Close
    });
    assert_eq!(get(&proxy, &endless.url("/"), "").status, 502);
    let hints = Origin::start(|_, mut stream| {
        while stream.write_all(b"HTTP/1.1 103 Hi\r\n\r\n").is_ok() {}
        Then::Close
    });
    let client = proxy.connect();
    let request = format!("GET {} HTTP/1.0\r\n\r\n", hints.url("/"));
    send(&client, request.as_bytes());
    assert_eq!(read_answer(&client, "GET").status, 502);
}

#[test]
fn w_t3a_a_body_that_breaks_off_does_not_look_complete() {
    let proxy = Server::start(PROXY, &[]);
    for (answer, then_reset) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", true),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             5\r\nhello\r\n",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             5\r\nhello\r\nzz\r\n",
            false,
        ),
    ] {
        let fields = "\r\nCache-Control: max-age=60\r\n\r\n";
        let answer = answer.replacen("\r\n\r\n", fields, 1);
        let origin = Origin::start(move |_, stream| {
            send(stream, answer.as_bytes());
            if then_reset {
                reset(stream.try_clone().expect("a handle"));
            }
            Then::Close
        });
        for _ in 0..2 {
            // It is not cached either, because the response was not complete.
            let got = get(&proxy, &origin.url("/"), "");
            assert!(!got.whole || got.status == 502, "{got:?}");
            assert!(!got.cache().contains("HIT"));
            origin.asked();
        }
    }
}

#[test]
fn w_t3a_half_a_body_ends_with_a_reset_in_http_1_0() {
    // Its body ends with the connection: only a reset tells it apart.
    let origin = Origin::says(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        || Then::Close,
    );
    let proxy = plain();
    let mut client = proxy.connect();
    let request = format!("GET {} HTTP/1.0\r\n\r\n", origin.url("/"));
    send(&client, request.as_bytes());
    let mut all = Vec::new();
    let error = client.read_to_end(&mut all).expect_err("not the end");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn w_t3a_too_much_is_not_passed_on() {
    // Longer than announced: the rest is not the client's.
    let origin = Origin::says(
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello, and more",
        || Then::Close,
    );
    let proxy = plain();
    assert_eq!(get(&proxy, &origin.url("/"), "").text(), "hell");
}

#[test]
fn w_t3a_a_slow_body_is_passed_on_byte_by_byte() {
    let (go, wait) = bounded::<()>(0);
    let origin = Origin::start(move |_, stream| {
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
        for byte in [b"a", b"b", b"c"] {
            wait.recv_timeout(DEADLINE).expect("the test goes on");
            send(stream, byte);
        }
        Then::Keep
    });
    let proxy = plain();
    let client = proxy.connect();
    let url = origin.url("/");
    let request = format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n");
    send(&client, request.as_bytes());
    // The head comes before any of the body does, and each byte at once.
    while !receive_line(&client).is_empty() {}
    for byte in [b"a", b"b", b"c"] {
        go.send(()).expect("the origin waits");
        assert_eq!(harness::receive(&client, 1), byte);
    }
}

#[test]
fn w_t3a_a_client_that_leaves_frees_its_origin() {
    let (tell, told) = bounded(8);
    let origin = Origin::start(move |asked, stream| {
        if asked.line().contains("/long") {
            send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nx");
        }
        let _ = tell.send(sees_the_end(stream));
        Then::Close
    });
    let proxy = plain();
    for (path, by_reset) in
        [("/silent", false), ("/silent", true), ("/long", false)]
    {
        let client = proxy.connect();
        let url = origin.url(path);
        let request = format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n");
        send(&client, request.as_bytes());
        origin.asked();
        match by_reset {
            true => reset(client),
            false => drop(client),
        }
        let gone = told.recv_timeout(DEADLINE).expect("in time");
        assert!(gone, "{path}: the origin's connection ends");
    }
}

#[test]
fn w_t3a_a_client_that_leaves_in_mid_body() {
    let (tell, told) = bounded(8);
    let origin = Origin::start(move |_, stream| {
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n");
        let _ = tell.send(pour(stream, 999_999_999));
        Then::Close
    });
    let proxy = plain();
    let client = proxy.connect();
    let url = origin.url("/");
    send(&client, format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    harness::receive(&client, 4096);
    drop(client);
    assert_eq!(told.recv_timeout(DEADLINE), Ok(false), "it could not go on");
    assert_eq!(get(&proxy, "http://proxy.local/", "").status, 200);
}

#[test]
fn w_t3a_a_client_that_breaks_off_its_own_body() {
    let origin = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = origin.local_addr().expect("an address");
    let (tell, told) = bounded(1);
    std::thread::spawn(move || {
        let (stream, _) = origin.accept().expect("the proxy");
        tell.send(sees_the_end(&stream))
    });
    let mut proxy = plain();
    let client = proxy.connect();
    let head = format!("POST http://{at}/ HTTP/1.1\r\nHost: x\r\n");
    send(&client, format!("{head}Content-Length: 9\r\n\r\nhel").as_bytes());
    drop(client);
    let ended = told.recv_timeout(DEADLINE).expect("in time");
    assert!(ended, "half a body does not wait for the other half");
    proxy.wait_for("[…] POST …: the client left in the middle of a body");
}

#[test]
fn w_t3a_a_half_closed_client_gets_its_answer() {
    let origin =
        Origin::says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", || {
            Then::Keep
        });
    let proxy = plain();
    let client = proxy.connect();
    let url = origin.url("/");
    send(&client, format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    half_close(&client);
    assert_eq!(read_answer(&client, "GET").text(), "ok");
    assert!(sees_the_end(&client));
}

#[test]
fn w_t3a_the_proxy_does_not_ask_itself() {
    let proxy = plain();
    let own = proxy.address;
    let port = own.port();
    for url in [
        format!("http://{own}/"),
        format!("http://localhost:{port}/"),
        format!("http://0.0.0.0:{port}/x"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
    ] {
        let answer = get(&proxy, &url, "");
        assert_eq!(answer.status, 403, "{url} {answer:?}");
        assert!(answer.text().contains("this proxy"), "{url}");
    }
}

#[test]
fn w_t3a_a_loop_through_others_shows_in_via() {
    // An origin tells the name that the proxy gives itself.
    let origin =
        Origin::says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", || {
            Then::Keep
        });
    let proxy = plain();
    get(&proxy, &origin.url("/"), "");
    let via = origin.asked().field("Via").expect("Via");
    let fields = format!("Via: 1.0 other, {via}\r\n");
    let answer = get(&proxy, &origin.url("/"), &fields);
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("Via"));
    let other = plain();
    assert_eq!(get(&other, &origin.url("/"), &fields).status, 200);
    origin.asked();
    origin.no_more();
}

#[test]
fn w_t3a_an_open_proxy_refuses_private_addresses() {
    let open = |more: &[&str]| {
        let mut command = terminal::command(PROXY);
        command.args(["0.0.0.0", "0"]).args(more);
        let mut server = Server::run(&mut command);
        server.wait_for("warning: this is an open proxy. …");
        server.address.set_ip([127, 0, 0, 1].into());
        server
    };
    let origin =
        Origin::says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", || {
            Then::Keep
        });
    let port = origin.address.port();
    let proxy = open(&["--connect-port", &port.to_string()]);
    for host in [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.1.2.3",
        "169.254.169.254",
        "0x7f.1",
    ] {
        let url = format!("http://{host}:{port}/");
        assert_eq!(get(&proxy, &url, "").status, 403, "{url}");
        let tunnel = format!("{host}:{port}");
        assert_eq!(ask(&proxy, "CONNECT", &tunnel, "").status, 403, "{tunnel}");
    }
    origin.no_more();
    let allowed = open(&["--allow-private"]);
    assert_eq!(get(&allowed, &origin.url("/"), "").status, 200);
}

#[test]
fn w_t3a_the_clients_mistakes_have_codes() {
    let proxy = Server::start(PROXY, &["--max-body", "1"]);
    let long = "x".repeat(9000);
    for (request, status) in [
        ("GARBAGE\r\n\r\n".to_string(), 400),
        ("GET http://x/ HTTP/1.1\r\n\r\n".into(), 400),
        ("GET http:/x/ HTTP/1.1\r\nHost: x\r\n\r\n".into(), 400),
        ("GET http://u:p@x/ HTTP/1.1\r\nHost: x\r\n\r\n".into(), 400),
        ("GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n".into(), 501),
        ("GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n".into(), 501),
        ("GET http://x/ HTTP/3.0\r\nHost: x\r\n\r\n".into(), 505),
        (format!("GET http://x/{long} HTTP/1.1\r\nHost: x\r\n\r\n"), 414),
        (format!("GET http://x/ HTTP/1.1\r\n{}", "A: b\r\n".repeat(3000)), 431),
        (
            "POST http://x/ HTTP/1.1\r\nHost: x\r\n\
             Content-Length: 1048577\r\n\r\n"
                .into(),
            413,
        ),
    ] {
        let client = proxy.connect();
        send(&client, request.as_bytes());
        let answer = read_answer(&client, "GET");
        let line = request.lines().next().unwrap_or_default();
        assert_eq!(answer.status, status, "{line}");
        assert!(answer.whole);
    }
    // A port that nobody can have.
    assert_eq!(get(&proxy, "http://127.0.0.1:0/", "").status, 400);
}
