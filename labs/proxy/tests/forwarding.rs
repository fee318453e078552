//! Proves that the origin gets a new request, and the client a new response.

use serde_json::Value;

use crate::plain;
use crate::scripts::{
    Origin, Then, ask, get, read_answer, read_body, report, sees_the_end,
};
use harness::{Server, half_close, receive_line, send, trickle};

const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

fn hello() -> Origin {
    Origin::says(HELLO, || Then::Keep)
}

#[test]
fn w_t3a_the_request_is_a_new_one() {
    let (proxy, origin) = (plain(), hello());
    let fields = "Proxy-Connection: keep-alive\r\nX-Mine: 1\r\nX-Hop: 2\r\n\
                  Connection: x-hop, content-length\r\nKeep-Alive: 5\r\n\
                  TE: gzip\r\nUpgrade: h2c\r\nProxy-Authorization: p\r\n\
                  Accept: */*\r\nVia: 1.0 fred\r\n";
    let answer = get(&proxy, &origin.url("/a?b"), fields);
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
    let asked = origin.asked();
    assert_eq!(asked.line(), "GET /a?b HTTP/1.1", "origin-form");
    let host = origin.address.to_string();
    assert_eq!(asked.field("Host"), Some(host), "from the URL, not Host");
    assert_eq!(asked.field("X-Mine").as_deref(), Some("1"));
    assert_eq!(asked.field("Accept").as_deref(), Some("*/*"));
    for gone in [
        "Proxy-Connection",
        "X-Hop",
        "Keep-Alive",
        "TE",
        "Upgrade",
        "Proxy-Authorization",
        "Connection",
    ] {
        assert_eq!(asked.field(gone), None, "{gone}");
    }
    let via: Vec<&str> =
        asked.head.lines().filter(|line| line.starts_with("Via")).collect();
    assert_eq!(via.len(), 2, "{via:?}");
    assert!(via[1].starts_with("Via: 1.1 socketlab-"), "{via:?}");
}

#[test]
fn w_t3a_the_response_is_a_new_one() {
    let origin = Origin::says(
        "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nConnection: X-Hop\r\n\
         X-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-End: 2\r\n\r\nok",
        || Then::Keep,
    );
    let answer = get(&plain(), &origin.url("/"), "");
    assert!(answer.head.starts_with("HTTP/1.1 200 Fine\r\n"));
    assert_eq!(answer.field("X-End").as_deref(), Some("2"));
    assert!(answer.field("Date").is_some(), "a proxy adds what is missing");
    let via = answer.field("Via").unwrap_or_default();
    assert!(via.starts_with("1.1 socketlab-"), "{via}");
    for gone in ["X-Hop", "Keep-Alive", "Connection"] {
        assert_eq!(answer.field(gone), None, "{gone}");
    }
}

#[test]
fn w_t3a_three_ways_to_name_the_origin() {
    let (proxy, origin) = (plain(), hello());
    let client = proxy.connect();
    let (own, other) = (proxy.address, origin.address);
    for request in [
        format!("GET http://{other}/x HTTP/1.1\r\nHost: wrong.example\r\n"),
        format!("GET /{other}/x HTTP/1.1\r\nHost: {own}\r\n"),
        format!("GET /x HTTP/1.1\r\nHost: {other}\r\n"),
    ] {
        send(&client, format!("{request}\r\n").as_bytes());
        assert_eq!(read_answer(&client, "GET").text(), "hello");
        let asked = origin.asked();
        assert_eq!(asked.line(), "GET /x HTTP/1.1", "{request}");
        assert_eq!(asked.field("Host"), Some(other.to_string()));
    }
}

#[test]
fn w_t3a_one_connection_many_requests_many_hosts() {
    let (proxy, one, two) = (plain(), hello(), hello());
    let client = proxy.connect();
    for origin in [&one, &two, &one, &two] {
        let url = origin.url("/");
        trickle(
            &client,
            format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes(),
        );
        assert_eq!(read_answer(&client, "GET").text(), "hello");
    }
    one.asked();
    let again = one.asked();
    assert_eq!(again.connection, 1, "the connection to the origin was kept");
    // Two in one segment: answered in their order.
    let (a, b) = (one.url("/a"), two.url("/b"));
    let both = format!(
        "GET {a} HTTP/1.1\r\nHost: x\r\n\r\nHEAD {b} HTTP/1.1\r\n\
         Host: x\r\nConnection: close\r\n\r\n"
    );
    send(&client, both.as_bytes());
    assert_eq!(read_answer(&client, "GET").text(), "hello");
    let last = read_answer(&client, "HEAD");
    assert_eq!(last.field("Content-Length").as_deref(), Some("5"));
    assert_eq!(last.field("Connection").as_deref(), Some("close"));
    assert!(sees_the_end(&client));
}

#[test]
fn w_t3a_connections_to_origins_are_shared() {
    let (proxy, origin) = (plain(), hello());
    for _ in 0..3 {
        get(&proxy, &origin.url("/"), "Connection: close\r\n");
        assert_eq!(origin.asked().connection, 1);
        report(&proxy, |report| report["idle_connections"][0][1] == 1);
    }
}

#[test]
fn w_t3a_bodies_go_up() {
    let (proxy, origin) = (plain(), hello());
    let client = proxy.connect();
    let url = origin.url("/form");
    let length =
        format!("POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n");
    trickle(&client, length.as_bytes());
    trickle(&client, b"a=1&b=2");
    assert_eq!(read_answer(&client, "POST").status, 200);
    let asked = origin.asked();
    assert_eq!(asked.body, b"a=1&b=2");
    assert_eq!(asked.field("Content-Length").as_deref(), Some("7"));
    let chunked = format!(
        "PUT {url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
         3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n"
    );
    send(&client, chunked.as_bytes());
    assert_eq!(read_answer(&client, "PUT").status, 200);
    let asked = origin.asked();
    assert_eq!(asked.body, b"abcde");
    assert_eq!(asked.field("Content-Length"), None);
}

#[test]
fn w_t3a_chunks_and_trailers_come_down() {
    let proxy = plain();
    let origin = Origin::says(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
         5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 6\r\nContent-Length: 9\r\n\r\n",
        || Then::Keep,
    );
    let answer = get(&proxy, &origin.url("/"), "");
    assert_eq!(answer.text(), "hello!");
    assert_eq!(answer.trailers, ["X-Sum: 6"], "and no framing among them");
    // HTTP/1.0 knows no chunks: the close ends the body.
    let client = proxy.connect();
    let old = format!("GET {} HTTP/1.0\r\n\r\n", origin.url("/"));
    send(&client, old.as_bytes());
    half_close(&client);
    let answer = read_answer(&client, "GET");
    assert_eq!(answer.text(), "hello!");
    assert_eq!(answer.field("Transfer-Encoding"), None);
    assert_eq!(answer.field("Content-Length"), None);
}

#[test]
fn w_t3a_a_body_until_close_keeps_the_clients_connection() {
    let proxy = plain();
    let origin =
        Origin::says("HTTP/1.0 200 OK\r\n\r\nto the end", || Then::Close);
    let client = proxy.connect();
    for _ in 0..2 {
        let url = origin.url("/");
        let request = format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n");
        send(&client, request.as_bytes());
        let answer = read_answer(&client, "GET");
        assert_eq!(answer.text(), "to the end");
        assert!(answer.whole);
    }
}

#[test]
fn w_t3a_an_old_origin_gets_no_chunks() {
    let proxy = plain();
    let origin = Origin::says("HTTP/1.0 200 OK\r\n\r\nold", || Then::Close);
    assert_eq!(get(&proxy, &origin.url("/"), "").text(), "old");
    let url = origin.url("/");
    let chunked = "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n";
    assert_eq!(ask(&proxy, "POST", &url, chunked).status, 411);
    let length = "Content-Length: 0\r\n";
    assert_eq!(ask(&proxy, "POST", &url, length).status, 200);
}

#[test]
fn w_t3a_an_origin_may_grow_young_again() {
    let proxy = plain();
    let origin = Origin::start(|asked, stream| {
        let version = if asked.number == 1 { "1.0" } else { "1.1" };
        let answer = format!("HTTP/{version} 200 OK\r\n\r\n");
        send(stream, answer.as_bytes());
        Then::Close
    });
    let chunked = "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n";
    let url = origin.url("/");
    get(&proxy, &url, "");
    assert_eq!(ask(&proxy, "POST", &url, chunked).status, 411);
    get(&proxy, &url, "");
    assert_eq!(ask(&proxy, "POST", &url, chunked).status, 200);
}

#[test]
fn w_t3a_what_is_almost_http_1_1_is_taken() {
    let proxy = plain();
    for answer in [
        "HTTP/1.2 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX : y\r\nContent-Length\t: 5\r\n\r\nhello",
    ] {
        let origin = Origin::says(answer, || Then::Keep);
        let answer = get(&proxy, &origin.url("/"), "");
        assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
        assert_eq!(answer.field("X").as_deref(), Some("y"));
        assert!(answer.head.contains("\r\nX: y\r\n"), "{}", answer.head);
    }
    let (client, origin) = (proxy.connect(), hello());
    let url = origin.url("/");
    send(&client, format!("GET {url} HTTP/1.3\r\nHost: x\r\n\r\n").as_bytes());
    assert_eq!(read_answer(&client, "GET").text(), "hello");
    assert_eq!(origin.asked().line(), "GET / HTTP/1.1");
}

#[test]
fn w_t3a_http_1_0_with_keep_alive() {
    let (proxy, origin) = (plain(), hello());
    let client = proxy.connect();
    for _ in 0..2 {
        let url = origin.url("/");
        let request = format!("GET {url} HTTP/1.0\r\nConnection: Keep-Alive");
        send(&client, format!("{request}\r\n\r\n").as_bytes());
        let answer = read_answer(&client, "GET");
        assert_eq!(answer.field("Connection").as_deref(), Some("keep-alive"));
    }
}

#[test]
fn w_t3a_answers_without_a_body() {
    let proxy = plain();
    for (method, answer, status) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", 200),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("DELETE", "HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n", 204),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304),
    ] {
        let origin = Origin::says(answer, || Then::Keep);
        let client = proxy.connect();
        for turn in 1..=2 {
            let url = origin.url("/");
            let head = format!("{method} {url} HTTP/1.1\r\nHost: x\r\n\r\n");
            send(&client, head.as_bytes());
            assert_eq!(read_answer(&client, method).status, status, "{turn}");
            assert_eq!(origin.asked().connection, 1, "{answer}");
        }
    }
}

#[test]
fn w_t3a_interim_answers_pass_to_who_knows_them() {
    let proxy = plain();
    let origin = Origin::says(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        || Then::Keep,
    );
    let client = proxy.connect();
    let url = origin.url("/");
    let request = format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n");
    send(&client, request.as_bytes());
    let hints = read_answer(&client, "GET");
    assert_eq!(hints.status, 103);
    assert_eq!(hints.field("Link").as_deref(), Some("</a>"));
    assert_eq!(read_answer(&client, "GET").text(), "ok");
    send(&client, format!("GET {url} HTTP/1.0\r\n\r\n").as_bytes());
    assert_eq!(read_answer(&client, "GET").status, 200, "not to HTTP/1.0");
}

#[test]
fn w_t3a_expect_is_passed_and_so_is_100() {
    let proxy = plain();
    let origin = Origin::start(|asked, stream| {
        send(stream, b"HTTP/1.1 100 Continue\r\n\r\n");
        let body = read_body(stream, &asked.head).expect("a body");
        assert_eq!(body, b"hello");
        send(stream, HELLO.as_bytes());
        Then::Keep
    });
    let client = proxy.connect();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\
         Expect: 100-continue\r\n\r\n",
        origin.url("/")
    );
    send(&client, head.as_bytes());
    assert_eq!(receive_line(&client), "HTTP/1.1 100 Continue");
    while !receive_line(&client).is_empty() {}
    send(&client, b"hello");
    assert_eq!(read_answer(&client, "POST").text(), "hello");
}

#[test]
fn w_t3a_a_refusal_before_the_body_is_passed_on() {
    let proxy = plain();
    let origin = Origin::start(|_, stream| {
        send(stream, b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
        Then::Close
    });
    for expect in ["Expect: 100-continue\r\n", ""] {
        let client = proxy.connect();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\n{expect}X: y\r\n\
             Transfer-Encoding: chunked\r\n\r\n",
            origin.url("/")
        );
        // Without Expect the script waits for the end of the body.
        let body = if expect.is_empty() { "1\r\nx\r\n0\r\n\r\n" } else { "" };
        send(&client, format!("{head}{body}").as_bytes());
        let answer = read_answer(&client, "POST");
        assert_eq!(answer.status, 413);
    }
}

#[test]
fn w_t3a_max_forwards_ends_here() {
    let (proxy, origin) = (plain(), hello());
    let at = origin.url("/");
    let answer = ask(&proxy, "OPTIONS", &at, "Max-Forwards: 0\r\n");
    assert!(answer.field("Allow").is_some(), "the proxy's own");
    origin.no_more();
    ask(&proxy, "OPTIONS", &at, "Max-Forwards: 2\r\n");
    assert_eq!(origin.asked().field("Max-Forwards").as_deref(), Some("1"));
}

#[test]
fn w_t3a_a_dead_connection_is_replaced_once_and_for_get_only() {
    // Keeps the first connection, and closes it on its second request.
    let origin = Origin::start(|asked, stream| {
        if asked.connection == 1 && asked.number > 1 {
            return Then::Close;
        }
        send(stream, HELLO.as_bytes());
        Then::Keep
    });
    let proxy = plain();
    get(&proxy, &origin.url("/"), "");
    report(&proxy, |report| report["idle_connections"][0][1] == 1);
    assert_eq!(get(&proxy, &origin.url("/"), "").status, 200);
    let connections: Vec<usize> =
        (0..3).map(|_| origin.asked().connection).collect();
    assert_eq!(connections, [1, 1, 2]);
    // POST may not be repeated, so it needs a new connection.
    let sent = "Content-Length: 0\r\n";
    assert_eq!(ask(&proxy, "POST", &origin.url("/"), sent).status, 200);
    assert_eq!(origin.asked().connection, 3);
    let deaf = Origin::start(|_, _| Then::Close);
    assert_eq!(ask(&proxy, "POST", &deaf.url("/"), sent).status, 502);
    assert_eq!(deaf.asked().number, 1);
    deaf.no_more();
    assert_eq!(get(&proxy, &deaf.url("/"), "").status, 502);
    deaf.asked();
    deaf.no_more();
}

#[test]
fn w_t3a_the_proxys_own_page() {
    let (proxy, origin) = (Server::start(crate::PROXY, &[]), hello());
    get(&proxy, &origin.url("/<script>"), "");
    report(&proxy, |report| report["counters"]["misses"] == 1);
    for url in ["http://proxy.local/", "/", "/proxy.local/"] {
        let host = format!("Host: {}", proxy.address);
        let client = proxy.connect();
        send(
            &client,
            format!("GET {url} HTTP/1.1\r\n{host}\r\n\r\n").as_bytes(),
        );
        let page = read_answer(&client, "GET");
        assert_eq!(page.status, 200);
        assert!(page.text().contains("/&lt;script&gt;"), "{}", page.text());
    }
    let listed = |report: &Value, url: &str| {
        let last = report["last_requests"].as_array().expect("a list");
        last.iter().any(|r| r["url"] == url && r["status"] == 200)
    };
    let report = report(&proxy, |report| listed(report, "/proxy.local/"));
    for url in ["http://proxy.local/", "/", &origin.url("/<script>")] {
        assert!(listed(&report, url), "{url}: {report}");
    }
    assert_eq!(report["counters"]["misses"], 1, "{report}");
}
