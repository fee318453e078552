//! Proves that proxy-once-server does what the handout asks for.

use std::sync::{Arc, Barrier};
use std::thread;

use crate::scripts::{Origin, Then, get, read_answer, sees_the_end};
use harness::{Server, reset, send, trickle};

#[test]
fn w_t3a_once_fetches_an_object() {
    let origin = Origin::says(
        "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nobject",
        || Then::Close,
    );
    let proxy = Server::start("proxy-once-server", &[]);
    let at = origin.address;
    for target in [format!("/{at}/a?b"), format!("http://{at}/a?b")] {
        let client = proxy.connect();
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        trickle(&client, request.as_bytes());
        assert_eq!(read_answer(&client, "GET").text(), "object");
        let asked = origin.asked();
        assert_eq!(asked.line(), "GET /a?b HTTP/1.0");
        assert_eq!(asked.field("Host"), Some(at.to_string()));
        assert!(sees_the_end(&client));
    }
    let ask = |target: &str| {
        let client = proxy.connect();
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        send(&client, request.as_bytes());
        read_answer(&client, "GET")
    };
    for (target, line) in [
        (format!("/{at}?x=1"), "GET /?x=1 HTTP/1.0"),
        (format!("/http://{at}/y"), "GET /y HTTP/1.0"),
    ] {
        assert_eq!(ask(&target).text(), "object");
        assert_eq!(origin.asked().line(), line);
    }
    // The page must not advise to start the program that runs already.
    let nobody = ask("/127.0.0.1:1/").text();
    assert!(nobody.contains("ECONNREFUSED"), "{nobody}");
    assert!(!nobody.contains("make"), "{nobody}");
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        ("GET /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /nobody.invalid/ HTTP/1.1\r\nHost: x\r\n\r\n", 502),
        ("POST /x/ HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        ("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        ("nonsense\r\n\r\n", 400),
    ] {
        let client = proxy.connect();
        send(&client, request.as_bytes());
        assert_eq!(read_answer(&client, "GET").status, status, "{request}");
    }
}

#[test]
fn w_t3b_once_has_a_thread_for_each_client() {
    // The origin answers none before it has all three.
    let all = Arc::new(Barrier::new(3));
    let origin = Origin::start(move |_, stream| {
        all.wait();
        send(stream, b"HTTP/1.0 200 OK\r\n\r\nall here");
        Then::Close
    });
    let proxy = Server::start("proxy-once-server", &[]);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let client = proxy.connect();
                let at = origin.address;
                let text = format!("GET /{at}/ HTTP/1.1\r\nHost: x\r\n\r\n");
                send(&client, text.as_bytes());
                assert_eq!(read_answer(&client, "GET").text(), "all here");
            });
        }
    });
}

#[test]
fn w_t3b_once_survives_what_clients_do() {
    let origin = Origin::says("HTTP/1.0 200 OK\r\n\r\nobject", || Then::Close);
    let mut proxy = Server::start("proxy-once-server", &[]);
    let url = origin.url("/");
    // One says nothing, one half a line, one half a head, one is gone.
    let silent = proxy.connect();
    let half = proxy.connect();
    send(&half, b"GET http://127");
    let head = proxy.connect();
    send(&head, format!("GET {url} HTTP/1.1\r\nHost: x\r\n").as_bytes());
    let gone = proxy.connect();
    send(&gone, format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    reset(gone);
    for _ in 0..2 {
        assert_eq!(get(&proxy, &url, "").text(), "object");
    }
    send(&head, b"\r\n");
    assert_eq!(read_answer(&head, "GET").text(), "object");
    proxy.interrupt();
    assert!(sees_the_end(&half) && sees_the_end(&silent));
}

#[test]
fn w_t3b_once_reads_a_chunked_object() {
    // An origin that answers HTTP/1.0 with chunks all the same.
    let origin = Origin::says(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\
         Keep-Alive: timeout=5\r\n\r\n5 ;a=b\r\nhello\r\n0\r\n\r\n",
        || Then::Keep,
    );
    let proxy = Server::start("proxy-once-server", &[]);
    let answer = get(&proxy, &origin.url("/"), "");
    assert_eq!(answer.text(), "hello");
    assert_eq!(answer.field("Transfer-Encoding"), None);
    assert_eq!(answer.field("Keep-Alive"), None);
    assert_eq!(answer.field("Connection").as_deref(), Some("close"));
}
