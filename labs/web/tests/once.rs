//! Proves that web-once-server does what the handout asks for.

use std::net::Shutdown;
use std::process::Command;

use crate::talk::{get, read_reply, request};
use harness::{
    Server, installed, receive_all, reset, send, strace_shows, trickle,
};

const ONCE: &str = "web-once-server";

#[test]
fn w_t2j_one_request_and_the_program_ends() {
    let mut server = Server::start(ONCE, &[]);
    let client = server.connect();
    trickle(&client, &request("GET", "/HelloWorld.html", ""));
    let reply = read_reply(&client, false);
    assert_eq!((reply.status, &reply.body[..]), (200, crate::HELLO));
    client.shutdown(Shutdown::Write).expect("a half-close");
    assert_eq!(receive_all(&client), b"");
    server.wait_for("[…] GET /HelloWorld.html HTTP/1.1 -> 200 OK, 157 bytes");
    let end = server.console().wait_for_end().expect("it ends");
    assert_eq!(end.code(), Some(0));
}

#[test]
fn w_t2j_with_again_it_answers_one_request_after_the_other() {
    let mut server = Server::start(ONCE, &["--again"]);
    assert_eq!(get(&server, "/", "").status, 200);
    let reply = get(&server, "/nix", "");
    assert!(reply.head.starts_with("HTTP/1.1 404 Not Found\r\n"));
    let typed = crate::talk::ask(&server, b"GET /HelloWorld.html HTTP/1.0\n\n");
    assert_eq!(typed.body, crate::HELLO, "as nc sends it");
    for outside in ["/../Cargo.toml", "//etc/passwd", "/.git", "/www/.."] {
        assert_eq!(get(&server, outside, "").status, 404, "{outside}");
    }
    server.interrupt();
}

#[test]
fn w_t2c_other_methods_are_501_and_malformed_requests_400() {
    let mut server = Server::start(ONCE, &["--again"]);
    for (head, status) in [
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 501),
        ("PUT /a HTTP/1.1\r\nHost: h\r\n\r\n", 501),
        ("BREW /pot HTTP/1.0\r\n\r\n", 501),
        ("get / HTTP/1.1\r\nHost: h\r\n\r\n", 501),
        ("HELO me\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/3.0\r\nHost: h\r\n\r\n", 400),
        ("\x16\x03\x01\x02 \r\n\r\n", 400),
        ("\r\n\r\n", 400),
        ("GET /nix HTTP/1.1\r\nHost: h\r\n\r\n", 404),
        ("GET /?x=/y HTTP/1.1\r\nHost: h\r\n\r\n", 200),
    ] {
        let reply = crate::talk::ask(&server, head.as_bytes());
        assert_eq!(reply.status, status, "{head:?}");
        if status >= 400 {
            let page = reply.text();
            assert!(page.contains(&format!("<h1>{status} ")), "{page}");
        }
    }
    // The response to HEAD has no body, whatever its status.
    for line in ["HEAD / HTTP/1.1", "HEAD /nix HTTP/1.0", "HEAD / HTTP/3.0"] {
        let client = server.connect();
        send(&client, format!("{line}\r\nHost: h\r\n\r\n").as_bytes());
        let reply = read_reply(&client, true);
        assert!([400, 501].contains(&reply.status), "{line}");
        assert_eq!(receive_all(&client), b"", "{line}");
    }
    server.interrupt();
}

#[test]
fn w_t2j_a_silent_connection_does_not_count_as_the_one_request() {
    let server = Server::start(ONCE, &[]);
    drop(server.connect()); // browsers connect in advance and may send nothing
    let client = server.connect();
    send(&client, b"\r\n");
    client.shutdown(Shutdown::Both).expect("a close");
    assert_eq!(get(&server, "/", "").status, 200);
}

#[test]
fn w_t2j_the_system_calls_come_in_the_order_of_the_banners() {
    let calls = ["socket", "bind", "listen", "accept4", "recvfrom", "close"];
    strace_shows(ONCE, &calls);
}

#[test]
fn w_t2j_it_survives_resets_half_requests_and_waiting_clients() {
    let mut server = Server::start(ONCE, &["--again"]);
    // A client that resets, half a request and FIN, half a request and RST.
    reset(server.connect());
    for half in ["G", "GET /Hello", "GET / HTTP/1.1\r\n"] {
        let client = server.connect();
        send(&client, half.as_bytes());
        client.shutdown(Shutdown::Write).expect("a half-close");
        assert_eq!(receive_all(&client), b"", "{half:?}");
        let client = server.connect();
        send(&client, half.as_bytes());
        reset(client);
    }
    // Two clients at once: the second one waits in the kernel's queue.
    let (first, second) = (server.connect(), server.connect());
    send(&second, &request("GET", "/HelloWorld.html", ""));
    send(&first, &request("GET", "/HelloWorld.html", ""));
    for client in [first, second] {
        assert_eq!(read_reply(&client, false).body, crate::HELLO);
    }
    // A client that does not read its response, then Ctrl-C at the server.
    let client = server.connect();
    send(&client, &request("GET", "/index.html", ""));
    server.interrupt();
}

#[test]
fn w_t2h_pythons_urllib_fetches_from_the_once_server() {
    if !installed("python3", "python3") {
        return;
    }
    let mut server = Server::start(ONCE, &[]);
    let (host, port) = server.host_and_port();
    let script = format!(
        "import urllib.request as u\n\
         opener = u.build_opener(u.ProxyHandler({{}}))\n\
         url = 'http://{host}:{port}/HelloWorld.html'\n\
         with opener.open(url, timeout=10) as page:\n    \
             print(page.status, page.headers['Content-Type'], len(page.read()))"
    );
    let words = ["-c", &script];
    let output = Command::new("python3").args(words).output().expect("python3");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "200 text/html 157\n");
    let end = server.console().wait_for_end().expect("it ends");
    assert_eq!(end.code(), Some(0));
}
