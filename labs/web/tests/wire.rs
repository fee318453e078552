//! Proves that the server survives every kind of bad request: smuggling,
//! endless heads, bodies, pipelines, single bytes.

use std::io::Write;
use std::time::Instant;

use crate::HELLO;
use crate::talk::{ask, read_reply, request};
use harness::{DEADLINE, Server, half_close, receive_all, send, trickle};

/// Sends these bytes and returns the status. If it is an error, it also checks
/// that the server closes the connection after the response.
#[track_caller]
fn refused(server: &Server, bytes: &[u8]) -> u16 {
    let client = server.connect();
    send(&client, bytes);
    let reply = read_reply(&client, false);
    if reply.status >= 400 {
        assert_eq!(reply.field("Connection"), Some("close"));
        assert_eq!(receive_all(&client), b"", "closed after the refusal");
    }
    reply.status
}

#[test]
fn w_t2b_what_could_be_read_in_two_ways_is_refused_and_closed() {
    let server = Server::start("web-server", &[]);
    // Behind each head: a second request, which must not be answered.
    let smuggled = "GET /HelloWorld.html HTTP/1.1\r\nHost: h\r\n\r\n";
    for (lines, status) in [
        ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", 400),
        ("Content-Length: 4\r\nContent-Length: 5\r\n", 400),
        ("Content-Length: 4\r\nContent-Length: 4\r\n", 400),
        ("Content-Length: 4, 4\r\n", 400),
        ("Content-Length: +4\r\n", 400),
        ("Content-Length: -4\r\n", 400),
        ("Content-Length: 4 4\r\n", 400),
        ("Content-Length: 0x4\r\n", 400),
        ("Content-Length: \r\n", 400),
        ("Content-Length: 99999999999999999999\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
        ("Transfer-Encoding: chunked, gzip\r\n", 400),
        ("Transfer-Encoding: chunked, chunked\r\n", 400),
        ("Transfer-Encoding: identity\r\n", 501),
        ("Transfer-Encoding: xchunked\r\n", 501),
        ("Transfer-Encoding: \x0bchunked\r\n", 400),
        ("Transfer-Encoding : chunked\r\n", 400),
        ("X: y\r\n Transfer-Encoding: chunked\r\n", 400),
        ("X: y\rTransfer-Encoding: chunked\r\n", 400),
        ("X: y\nTransfer-Encoding: chunked\r\n", 400),
        ("X: a\0b\r\n", 400),
        ("Host: other\r\n", 400),
        ("no colon\r\n", 400),
        (": no name\r\n", 400),
    ] {
        let head =
            format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n{smuggled}");
        assert_eq!(refused(&server, head.as_bytes()), status, "{lines:?}");
    }
    for (head, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400), // no Host
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        ("GET / HTTP/1.1x\r\nHost: h\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET / \r\nHost: h\r\n\r\n", 400),
        ("GET\r\n\r\n", 400),
        ("GET nowhere HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET /a\x01b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03", 400), // TLS
        ("HELO me\r\n", 400),
    ] {
        assert_eq!(refused(&server, head.as_bytes()), status, "{head:?}");
    }
}

#[test]
fn w_t2b_http_0_9_is_refused_with_a_reason() {
    let server = Server::start("web-server", &[]);
    let reply = ask(&server, b"GET /\r\n");
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("HTTP/0.9"), "{}", reply.text());
}

#[test]
fn w_t2b_http_1_0_closes_unless_it_asks_to_be_kept() {
    let server = Server::start("web-server", &[]);
    let client = server.connect();
    send(&client, b"GET /HelloWorld.html HTTP/1.0\r\n\r\n");
    assert!(receive_all(&client).ends_with(HELLO));
    let client = server.connect();
    for _ in 0..2 {
        send(
            &client,
            b"GET /HelloWorld.html HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        );
        let reply = read_reply(&client, false);
        assert_eq!(reply.field("Connection"), Some("keep-alive"));
    }
    // A line that a person types into nc ends with LF, not with CR LF.
    let reply = ask(&server, b"GET /HelloWorld.html HTTP/1.0\n\n");
    assert_eq!(reply.body, HELLO);
}

#[test]
fn w_t2b_a_later_minor_version_is_accepted_and_1_0_has_no_expect() {
    let server = Server::start("web-server", &[]);
    // HTTP/1.2 would extend 1.1. HTTP/1.0 has no field Expect: ignored.
    for head in [
        "GET /HelloWorld.html HTTP/1.2\r\nHost: h\r\n\r\n",
        "GET /HelloWorld.html HTTP/1.0\r\nExpect: wonders\r\n\r\n",
        "GET /HelloWorld.html HTTP/1.0\r\nExpect: 100-continue\r\n\
         Content-Length: 1\r\n\r\nx",
    ] {
        assert_eq!(ask(&server, head.as_bytes()).body, HELLO, "{head:?}");
    }
    let wonders = "GET / HTTP/1.1\r\nHost: h\r\nExpect: wonders\r\n\r\n";
    assert_eq!(refused(&server, wonders.as_bytes()), 417);
    assert_eq!(refused(&server, b"GET / HTTP/0.9\r\nHost: h\r\n\r\n"), 505);
}

#[test]
fn w_t2b_heads_have_a_limit() {
    let server = Server::start("web-server", &[]);
    let with = |lines: &str| {
        format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n").into_bytes()
    };
    let field = |size| format!("X: {}\r\n", "a".repeat(size));
    assert_eq!(refused(&server, &with(&"A: b\r\n".repeat(99))), 200);
    assert_eq!(refused(&server, &with(&"A: b\r\n".repeat(100))), 431);
    assert_eq!(refused(&server, &with(&field(16_000))), 200);
    assert_eq!(refused(&server, &with(&field(16_400))), 431);
    let line = |size| request("GET", &format!("/{}", "a".repeat(size)), "");
    assert_eq!(ask(&server, &line(8_000)).status, 404);
    assert_eq!(refused(&server, &line(8_200)), 414);
    // An endless line or head is refused as soon as it is too long.
    assert_eq!(refused(&server, &vec![b'a'; 9_000]), 414);
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(17_000));
    assert_eq!(refused(&server, endless.as_bytes()), 431);
}

#[test]
fn w_t2b_a_head_sent_one_byte_at_a_time_has_a_deadline() {
    let server = Server::start("web-server", &["--head", "1"]);
    let mut client = server.connect();
    client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nX: ").expect("sent");
    let began = Instant::now();
    // The client sends ten bytes a second, so no single recv() waits long.
    let tick = std::time::Duration::from_millis(100);
    client.set_read_timeout(Some(tick)).expect("a timeout");
    while std::io::Read::read(&mut &client, &mut [0]).is_err() {
        assert!(began.elapsed() < DEADLINE, "a slow head is never cut off");
        let _ = client.write_all(b"a");
    }
    let seconds = began.elapsed().as_secs_f64();
    assert!(seconds > 0.9, "cut after {seconds} s");
    client.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    let rest = receive_all(&client); // its H was read above
    assert!(rest.starts_with(b"TTP/1.1 408 "), "{rest:?}");
}

#[test]
fn w_t2b_an_idle_connection_is_closed_without_a_message() {
    let server = Server::start("web-server", &["--idle", "1"]);
    let silent = server.connect();
    let idle = server.connect();
    send(&idle, &request("GET", "/", ""));
    assert_eq!(read_reply(&idle, false).status, 200);
    assert_eq!(receive_all(&silent), b"");
    assert_eq!(receive_all(&idle), b"");
}

#[test]
fn w_t2b_a_pipeline_is_answered_in_order() {
    let server = Server::start("web-server", &[]);
    let client = server.connect();
    let mut bytes = Vec::new();
    for number in 0..50 {
        let target = match number % 2 {
            0 => "/HelloWorld.html",
            _ => "/nix",
        };
        bytes.extend(request("GET", target, ""));
    }
    bytes.extend(request("HEAD", "/", "Connection: close\r\n"));
    send(&client, &bytes);
    half_close(&client);
    for number in 0..50 {
        let reply = read_reply(&client, false);
        match number % 2 {
            0 => assert_eq!(reply.body, HELLO),
            _ => assert_eq!(reply.status, 404),
        }
    }
    let reply = read_reply(&client, true);
    assert_eq!(reply.field("Connection"), Some("close"));
    assert_eq!(receive_all(&client), b"");
}

#[test]
fn w_t2b_unwanted_bodies_are_read_so_that_the_next_request_is_found() {
    let server = Server::start("web-server", &[]);
    let client = server.connect();
    let length = |body: &str| {
        format!(
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let chunked = "POST /a HTTP/1.1\r\nHost: h\r\n\
        Transfer-Encoding: chunked\r\n\r\n\
        1b;x=\"y\"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n\r\n\
        3\r\nabc\r\n0\r\nX-Trailer: y\r\n\r\n";
    let get = "GET /HelloWorld.html HTTP/1.1\r\nHost: h\r\n\
               Content-Length: 5\r\n\r\nhello";
    let inside = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    for (bytes, status) in [
        (length(inside), 405),
        (chunked.to_string(), 405),
        (get.to_string(), 200),
        (length(&"x".repeat(1024 * 1024)), 405),
    ] {
        send(&client, bytes.as_bytes());
        assert_eq!(read_reply(&client, false).status, status);
    }
    trickle(&client, chunked.as_bytes());
    assert_eq!(read_reply(&client, false).status, 405);
    // More than 1 MiB: refused at once if the head says so, otherwise as soon
    // as more has arrived.
    let head = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n";
    assert_eq!(refused(&server, head.as_bytes()), 413);
    let head = "POST /a HTTP/1.1\r\nHost: h\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    let mut endless = head.as_bytes().to_vec();
    endless.extend(b"10000000\r\n");
    endless.extend(vec![b'x'; 1_100_000]);
    assert_eq!(refused(&server, &endless), 413);
    for chunks in
        ["zz\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n", "5 0\r\n"]
    {
        let bytes = format!("{head}{chunks}");
        assert_eq!(refused(&server, bytes.as_bytes()), 400, "{chunks:?}");
    }
}

#[test]
fn w_t2b_expect_100_continue() {
    let server = Server::start("web-server", &[]);
    let expect = "Content-Length: 5\r\nExpect: 100-continue\r\n";
    let client = server.connect();
    send(&client, &request("GET", "/HelloWorld.html", expect));
    assert_eq!(read_reply(&client, false).status, 100);
    send(&client, b"hello");
    assert_eq!(read_reply(&client, false).body, HELLO);
    // The server refuses the method, so the client need not send the body.
    send(&client, &request("POST", "/", expect));
    let reply = read_reply(&client, false);
    assert_eq!((reply.status, reply.field("Connection")), (405, Some("close")));
    let other = request("GET", "/", "Expect: a-miracle\r\n");
    assert_eq!(ask(&server, &other).status, 417);
}

#[test]
fn w_t2b_a_refused_head_gets_no_body() {
    let server = Server::start("web-server", &["--head", "1"]);
    let long = "a".repeat(17_000);
    for (head, status) in [
        ("HEAD / HTTP/1.1\r\n\r\n".to_string(), 400), // no Host
        ("HEAD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into(), 400),
        ("HEAD / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n".into(), 400),
        ("HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n".into(), 400),
        (
            "HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n"
                .into(),
            413,
        ),
        ("HEAD / HTTP/3.0\r\nHost: h\r\n\r\n".into(), 505),
        ("HEAD /\r\n\r\n".into(), 400),
        ("HEAD nowhere HTTP/1.1\r\nHost: h\r\n\r\n".into(), 400),
        (
            "HEAD / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x\r\n\r\n".into(),
            501,
        ),
        (
            "HEAD / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\
             \r\nzz\r\n"
                .into(),
            400,
        ),
        ("HEAD / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n".into(), 417),
        (format!("HEAD /{long} HTTP/1.1\r\n"), 414),
        (format!("HEAD / HTTP/1.1\r\nX: {long}"), 431),
        ("HEAD / HTTP/1.1\r\nHost: ".into(), 408), // and no more
        ("HEAD".into(), 408),
        (
            "HEAD / HTTP/1.1\r\nHost: h\r\nIf-Match: \"x\"\r\n\
             Connection: close\r\n\r\n"
                .into(),
            412,
        ),
    ] {
        let client = server.connect();
        send(&client, head.as_bytes());
        let reply = read_reply(&client, true);
        let head = head.get(..80).unwrap_or(&head);
        assert_eq!(reply.status, status, "{head:?}");
        assert_eq!(receive_all(&client), b"", "a body for {head:?}");
    }
    // HEADER and head are not HEAD, so their responses have a body.
    for head in ["HEADER / HTTP/1.1\r\n\r\n", "head / HTTP/1.1\r\n\r\n"] {
        let client = server.connect();
        send(&client, head.as_bytes());
        let page = read_reply(&client, false).text();
        assert!(page.contains("</html>"), "{head:?}");
    }
}

#[test]
fn w_t2b_blanks_after_a_chunks_length_are_read() {
    let server = Server::start("web-server", &[]);
    let client = server.connect();
    for first in ["5 ;a=b", "5 ; a=b", "5\t;a", "5  ", "5"] {
        let body = format!("{first}\r\nhello\r\n0 \r\n\r\n");
        let coding = "Transfer-Encoding: chunked\r\n";
        let mut bytes = request("POST", "/", coding);
        bytes.extend(body.as_bytes());
        bytes.extend(request("GET", "/HelloWorld.html", ""));
        send(&client, &bytes);
        assert_eq!(read_reply(&client, false).status, 405, "{first:?}");
        // The server finds the next request on the same connection.
        assert_eq!(read_reply(&client, false).body, HELLO, "{first:?}");
    }
}
