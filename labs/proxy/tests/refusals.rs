//! Proves what both proxies refuse, and that a refusal of HEAD has no body.

use harness::{Server, half_close, receive_all, send};

use crate::PROXY;
use crate::scripts::read_answer;

const ONCE: &str = "proxy-once-server";

/// The complete reply to these bytes, until the proxy closes.
fn reply(proxy: &Server, request: &str) -> String {
    let client = proxy.connect();
    send(&client, request.as_bytes());
    String::from_utf8_lossy(&receive_all(&client)).into()
}

#[test]
fn w_t3a_a_refused_head_has_no_body() {
    let long = "x".repeat(20_000);
    for program in [PROXY, ONCE] {
        let proxy = Server::start(program, &[]);
        for (request, status) in [
            ("HEAD http://h/ HTTP/1.1\r\n\r\n", 400), // no Host
            ("HEAD http://h/ HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400),
            ("HEAD http://h/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            ("HEAD http://h/ HTTP/1.1\r\nHost: h\r\nBad name: x\r\n\r\n", 400),
            ("HEAD http://h/ HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", 400),
            (
                "HEAD http://h/ HTTP/1.1\r\nHost: h\r\n\
                 Content-Length: +5\r\n\r\n",
                400,
            ),
            (
                "HEAD http://h/ HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\
                 Transfer-Encoding: chunked\r\n\r\n",
                400,
            ),
            ("HEAD http://h/ HTTP/3.0\r\nHost: h\r\n\r\n", 505),
            ("HEAD http://h/ XTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("HEAD  http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("HEAD /%zz/#f HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            (&format!("HEAD http://h/ HTTP/1.1\r\nHost: h\r\nX: {long}"), 431),
            (&format!("HEAD http://h/{long} HTTP/1.1\r\n"), 414),
        ] {
            let reply = reply(&proxy, request);
            let shown = request.get(..50).unwrap_or(request);
            let begin = format!("HTTP/1.1 {status} ");
            assert!(reply.starts_with(&begin), "{program} {shown}: {reply}");
            assert!(reply.ends_with("\r\n\r\n"), "{program} {shown}: {reply}");
            assert_eq!(reply.matches("\r\n\r\n").count(), 1, "{reply}");
            // The same with GET says it in a page.
            let get = request.replacen("HEAD", "GET", 1);
            let page = self::reply(&proxy, &get);
            assert!(page.starts_with(&begin), "{program} {shown}: {page}");
            assert!(page.contains("<h1>"), "{program} {shown}: {page}");
        }
    }
}

#[test]
fn w_t3a_a_head_that_comes_too_slowly_has_no_body() {
    // 10 s for a head: all cases wait at the same time.
    let servers = [PROXY, ONCE].map(|program| Server::start(program, &[]));
    let mut clients = Vec::new();
    for proxy in &servers {
        for begun in ["HEAD ", "HEAD", "HEAD http://h/ HTTP/1.1\r\nHost: h\r\n"]
        {
            let client = proxy.connect();
            let wait = Some(std::time::Duration::from_secs(20));
            client.set_read_timeout(wait).expect("a deadline");
            send(&client, begun.as_bytes());
            clients.push((client, begun));
        }
    }
    for (client, begun) in clients {
        let reply = String::from_utf8_lossy(&receive_all(&client)).to_string();
        assert!(reply.starts_with("HTTP/1.1 408 "), "{begun:?}: {reply}");
        assert!(reply.ends_with("\r\n\r\n"), "{begun:?}: {reply}");
    }
}

#[test]
fn w_t3a_a_refused_head_of_the_proxys_own_has_no_body() {
    for program in [PROXY, ONCE] {
        let proxy = Server::start(program, &[]);
        for (target, fields) in [
            ("http://nobody.invalid/", ""),
            ("/nobody.invalid/", ""),
            ("http://127.0.0.1:1/", ""),
            ("https://h/", ""),
            ("http://u@h/", ""),
            ("http://h:0/", ""),
        ] {
            let own = proxy.address;
            let request = format!(
                "HEAD {target} HTTP/1.1\r\nHost: {own}\r\n\
                 Connection: close\r\n{fields}\r\n"
            );
            let reply = reply(&proxy, &request);
            assert!(!reply.contains("HTTP/1.1 2"), "{target}: {reply}");
            assert!(reply.ends_with("\r\n\r\n"), "{target}: {reply}");
        }
    }
}

#[test]
fn w_t3a_only_http_is_fetched_in_the_clear() {
    for program in [PROXY, ONCE] {
        let proxy = Server::start(program, &[]);
        let own = proxy.address;
        for url in [
            "https://127.0.0.1/",
            "HTTPS://127.0.0.1/",
            "https://127.0.0.1:443/x?y",
            "ftp://127.0.0.1/",
            "ftp://127.0.0.1/x;type=i",
            "gopher://127.0.0.1/",
            "ws://127.0.0.1/",
            "wss://127.0.0.1/",
            "file://127.0.0.1/etc/passwd",
            "/https://127.0.0.1/",
            "/HTTPS://127.0.0.1/",
            "/ftp://127.0.0.1/",
            "/ws://127.0.0.1",
        ] {
            let client = proxy.connect();
            let request = format!("GET {url} HTTP/1.1\r\nHost: {own}\r\n\r\n");
            send(&client, request.as_bytes());
            half_close(&client);
            let answer = read_answer(&client, "GET");
            assert_eq!(answer.status, 501, "{program} {url}");
        }
    }
}
