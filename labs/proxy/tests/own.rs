//! Proves what the proxy says by itself, and what the path style allows, in
//! which all sites have its name.

use crate::scripts::{Origin, Then, ask, get, read_answer, sees_the_end};
use crate::{PROXY, plain};
use harness::{Server, receive, send};

fn says(proxy: &Server, request: &str) -> crate::scripts::Answer {
    let client = proxy.connect();
    send(&client, request.as_bytes());
    read_answer(&client, request.split(' ').next().expect("a method"))
}

#[test]
fn w_t3a_the_own_page_needs_a_host_name_of_the_proxy() {
    let proxy = plain();
    let port = proxy.address.port();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        // The host is evil.invalid, so /json is not the proxy's own page.
        (format!("evil.invalid:{port}"), 502),
        (format!("localhost.invalid:{port}"), 502),
    ] {
        let text = format!("GET /json HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let answer = says(&proxy, &text);
        assert_eq!(answer.status, status, "{host}");
        assert_eq!(answer.text().contains("counters"), status == 200);
    }
}

#[test]
fn w_t3a_path_style_answers_are_in_a_sandbox() {
    let proxy = Server::start(PROXY, &[]);
    let (own, origin) = (
        proxy.address,
        Origin::says(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\
         Content-Length: 0\r\n\r\n",
            || Then::Keep,
        ),
    );
    let policy = "Content-Security-Policy";
    for (target, sandboxed) in [
        (origin.url("/"), false),
        (format!("/{}/", origin.address), true), // from the cache
        (format!("/{}/new", origin.address), true),
        (format!("/http://{}/whole", origin.address), true),
        (origin.url("/new"), false), // from the cache
        ("/nobody.invalid/".into(), true),
    ] {
        let text = format!("GET {target} HTTP/1.1\r\nHost: {own}\r\n\r\n");
        let found = says(&proxy, &text).field(policy).unwrap_or_default();
        assert_eq!(found.starts_with("sandbox"), sandboxed, "{target}");
        assert!(!found.contains("same-origin"));
    }
}

#[test]
fn w_t3a_own_responses_say_whether_the_connection_stays_open() {
    let proxy = plain();
    for (request, connection) in [
        ("GET http://proxy.local/ HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (
            "GET http://proxy.local/json HTTP/1.0\r\n\
             Connection: keep-alive\r\n\r\n",
            Some("keep-alive"),
        ),
        (
            "GET http://no.invalid/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            Some("keep-alive"),
        ),
        (
            "POST http://proxy.local/ HTTP/1.1\r\nHost: x\r\n\
             Content-Length: 3\r\n\r\nabc",
            Some("close"),
        ),
        (
            "POST http://proxy.local/ HTTP/1.1\r\nHost: x\r\n\
             Content-Length: 0\r\n\r\n",
            None,
        ),
    ] {
        let client = proxy.connect();
        send(&client, request.as_bytes());
        let answer = read_answer(&client, "GET");
        let found = answer.field("Connection");
        assert_eq!(found.as_deref(), connection, "{request}");
        match connection {
            Some("close") => assert!(sees_the_end(&client)),
            _ => {
                send(&client, b"GET http://proxy.local/x HTTP/1.0\r\n\r\n");
                assert_eq!(read_answer(&client, "GET").status, 404);
            }
        }
    }
}

#[test]
fn w_t3a_trace_comes_back_without_secrets() {
    let proxy = plain();
    let origin =
        Origin::says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", || {
            Then::Keep
        });
    let secret = "Cookie: a=b\r\nAuthorization: c\r\nX: y\r\n";
    let url = origin.url("/");
    let fields = format!("Max-Forwards: 0\r\n{secret}");
    let answer = ask(&proxy, "TRACE", &url, &fields);
    assert_eq!(answer.field("Content-Type").as_deref(), Some("message/http"));
    let text = answer.text();
    assert!(text.starts_with(&format!("TRACE {url} HTTP/1.1\r\n")), "{text}");
    assert!(text.contains("X: y") && !text.contains("Cookie"), "{text}");
    assert!(!text.contains("Authorization"), "{text}");
    origin.no_more();
    for (many, left) in [
        ("7", "6"),
        ("4294967296", "4294967295"),
        ("99999999999999999999999", "18446744073709551614"),
    ] {
        ask(&proxy, "TRACE", &url, &format!("Max-Forwards: {many}\r\n"));
        let passed = origin.asked().field("Max-Forwards");
        assert_eq!(passed.as_deref(), Some(left));
    }
}

#[test]
fn w_t3a_out_of_descriptors_is_503_and_says_so() {
    // The client takes the last one, and none is left for the origin.
    let origin =
        Origin::says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", || {
            Then::Close
        });
    let proxy = Server::start_limited("ulimit -n 24", PROXY, &[]);
    let mut clients = Vec::new();
    let refused = loop {
        let client = proxy.connect();
        let url = origin.url("/");
        let text = format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n");
        send(&client, text.as_bytes());
        let answer = read_answer(&client, "GET");
        clients.push(client);
        match answer.status {
            200 => assert!(clients.len() < 24, "descriptors have no end"),
            _ => break answer,
        }
    };
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("no descriptor left"));
    // Nor can a name server be asked.
    let client = clients.last().expect("the last one");
    send(client, b"GET http://localhost/ HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(read_answer(client, "GET").status, 503);
}

#[test]
fn w_t3b_it_raises_its_limit_of_descriptors() {
    // What a shell gives is often 1024: 512 clients, each with an origin.
    let origin =
        Origin::says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", || {
            Then::Close
        });
    let proxy = Server::start_limited("ulimit -S -n 24", PROXY, &[]);
    let clients: Vec<_> = (0..30).map(|_| proxy.connect()).collect();
    for client in &clients {
        let url = origin.url("/");
        let text = format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n");
        send(client, text.as_bytes());
        assert_eq!(read_answer(client, "GET").status, 200);
    }
}

#[test]
fn w_t3a_what_the_end_cuts_off_is_in_the_log() {
    let origin = Origin::start(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n";
        send(stream, head.as_bytes());
        crate::scripts::pour(stream, 999_999_999);
        Then::Close
    });
    let mut proxy = plain();
    let client = proxy.connect();
    let url = origin.url("/long");
    send(&client, format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    receive(&client, 4096);
    let console = proxy.console();
    console.signal(rustix::process::Signal::TERM).expect("a signal");
    console.wait_for("[…] GET …/long -> 200 … bytes …").expect("its line");
    console.wait_for("bye").expect("the end");
}

#[test]
fn w_t3a_the_counters_know_one_from_many() {
    let mut proxy = plain();
    get(&proxy, "http://proxy.local/x", "");
    // What is in the log has been counted.
    proxy.wait_for("[…] GET http://proxy.local/x -> 404 …");
    let page = get(&proxy, "http://proxy.local/", "").text();
    assert!(page.contains("1 request, 0 hits"), "{page}");
}
