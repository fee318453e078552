//! Proves what the cache stores and sends (RFC 9111). Time does not pass here:
//! origins send Age instead.

use std::thread;

use crossbeam_channel::bounded;

use crate::PROXY;
use crate::scripts::{Origin, Then, ask, get, report};
use harness::{DEADLINE, Server, receive_line, send};

fn proxy() -> Server {
    Server::start(PROXY, &[])
}

/// An origin whose answers have these fields, and the request's number as
/// their body; it knows that `"tag"` has not changed.
fn origin(fields: &'static str) -> Origin {
    Origin::start(move |asked, stream| {
        let known = asked.field("If-None-Match").as_deref() == Some("\"tag\"")
            || asked.field("If-Modified-Since").is_some();
        let number = asked.number;
        let answer = match known {
            true => format!(
                "HTTP/1.1 304 Not Modified\r\nX-New: {number}\r\n{fields}\r\n"
            ),
            false => format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n{fields}\r\n{number}"
            ),
        };
        send(stream, answer.as_bytes());
        Then::Keep
    })
}

/// Asks twice: what X-Cache and the body were.
#[track_caller]
fn twice(said: &'static str, first: &str, second: &str) -> [String; 2] {
    let (proxy, origin) = (proxy(), origin(said));
    [first, second].map(|fields| {
        let answer = get(&proxy, &origin.url("/"), fields);
        assert_eq!(answer.status, 200);
        format!("{} {}", answer.cache(), answer.text())
    })
}

const MINUTE: &str = "Cache-Control: max-age=60\r\n";

#[test]
fn w_t3a_a_fresh_response_is_sent_from_the_cache() {
    let (proxy, origin) = (proxy(), origin(MINUTE));
    let first = get(&proxy, &origin.url("/a"), "");
    assert_eq!((first.cache().as_str(), first.field("Age")), ("MISS", None));
    let second = get(&proxy, &origin.url("/a"), "");
    assert_eq!(second.cache(), "HIT");
    assert_eq!(second.text(), first.text());
    assert!(second.field("Age").is_some() && second.field("Via").is_some());
    let head = ask(&proxy, "HEAD", &origin.url("/a"), "");
    assert_eq!(head.cache(), "HIT");
    assert_eq!(head.field("Content-Length").as_deref(), Some("1"));
    assert_eq!(get(&proxy, &origin.url("/a?"), "").cache(), "MISS");
    origin.asked();
    origin.asked();
    origin.no_more();
}

#[test]
fn w_t3a_what_is_not_kept() {
    for fields in [
        "Cache-Control: no-store\r\n",
        "Cache-Control: private, max-age=60\r\n",
        "Cache-Control: max-age=60\r\nVary: *\r\n",
        "Cache-Control: max-age=60\r\nSet-Cookie: a=b\r\n",
        "Server: says nothing\r\n",
        "Cache-Control: max-age=0\r\n",
        "Cache-Control: max-age=60\r\nAge: 60\r\n",
        "Expires: 0\r\n",
        "Cache-Control: max-age=60, no-cache\r\n",
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nCache-Control: max-age=60\r\n",
    ] {
        assert_eq!(twice(fields, "", ""), ["MISS 1", "MISS 2"], "{fields}");
    }
    let key = "Authorization: Basic eA==\r\n";
    assert_eq!(twice(MINUTE, key, key), ["MISS 1", "MISS 2"]);
    let shared = "Cache-Control: public, max-age=60\r\n";
    assert_eq!(twice(shared, key, key), ["MISS 1", "HIT 1"]);
    let no_store = "Cache-Control: no-store\r\n";
    assert_eq!(twice(MINUTE, no_store, ""), ["MISS 1", "MISS 2"]);
    let part = "Range: bytes=0-0\r\n";
    assert_eq!(twice(MINUTE, part, ""), [" 1", "MISS 2"]);
}

#[test]
fn w_t3a_the_client_may_want_it_anew() {
    for fields in [
        "Cache-Control: no-cache\r\n",
        "Pragma: no-cache\r\n",
        "Cache-Control: min-fresh=90\r\n",
    ] {
        assert_eq!(twice(MINUTE, "", fields), ["MISS 1", "MISS 2"]);
    }
    let stale = "Cache-Control: max-age=60\r\nAge: 70\r\n";
    let any = "Cache-Control: max-stale\r\n";
    assert_eq!(twice(stale, "", any), ["MISS 1", "HIT 1"]);
    let strict = "Cache-Control: max-age=60, must-revalidate\r\nAge: 70\r\n";
    assert_eq!(twice(strict, "", any), ["MISS 1", "MISS 2"]);
    let (proxy, origin) = (proxy(), origin(MINUTE));
    let only = "Cache-Control: only-if-cached\r\n";
    assert_eq!(get(&proxy, &origin.url("/"), only).status, 504);
    origin.no_more();
    get(&proxy, &origin.url("/"), "");
    assert_eq!(get(&proxy, &origin.url("/"), only).cache(), "HIT");
}

#[test]
fn w_t3a_a_stale_answer_is_validated() {
    for fields in [
        "ETag: \"tag\"\r\nCache-Control: max-age=60\r\nAge: 60\r\n",
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
         Cache-Control: no-cache\r\n",
    ] {
        let (proxy, origin) = (proxy(), origin(fields));
        let first = get(&proxy, &origin.url("/"), "");
        assert_eq!(first.cache(), "MISS");
        let second = get(&proxy, &origin.url("/"), "");
        assert_eq!((second.status, second.text().as_str()), (200, "1"));
        assert_eq!(second.cache(), "REVALIDATED");
        let new = second.field("X-New");
        assert_eq!(new.as_deref(), Some("2"), "what the 304 says is new");
    }
}

#[test]
fn w_t3a_a_stale_response_needs_the_origins_304() {
    let origin = Origin::start(|asked, stream| {
        if asked.number > 1 {
            return Then::Close;
        }
        send(
            stream,
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nETag: \"a\"\r\n\
              Cache-Control: max-age=1, must-revalidate\r\nAge: 1\r\n\r\nx",
        );
        Then::Close
    });
    let proxy = proxy();
    assert_eq!(get(&proxy, &origin.url("/"), "").status, 200);
    assert_eq!(get(&proxy, &origin.url("/"), "").status, 502);
}

#[test]
fn w_t3a_the_clients_own_copy_is_good_enough() {
    let fields = "ETag: \"tag\"\r\nCache-Control: max-age=60\r\n";
    let (proxy, origin) = (proxy(), origin(fields));
    let known = "If-None-Match: \"tag\"\r\n";
    // Nothing is kept yet: the origin's 304 is passed on, and not kept.
    assert_eq!(get(&proxy, &origin.url("/"), known).status, 304);
    assert_eq!(get(&proxy, &origin.url("/"), "").cache(), "MISS");
    // It is cached before its last byte is sent.
    assert_eq!(get(&proxy, &origin.url("/"), "").cache(), "HIT");
    let again = get(&proxy, &origin.url("/"), known);
    assert_eq!((again.status, again.cache().as_str()), (304, "HIT"));
    let other = get(&proxy, &origin.url("/"), "If-None-Match: \"x\"\r\n");
    assert_eq!((other.status, other.cache().as_str()), (200, "HIT"));
}

#[test]
fn w_t3a_answers_that_vary_are_kept_apart() {
    let fields = "Vary: Accept-Language\r\nCache-Control: max-age=60\r\n";
    let (proxy, origin) = (proxy(), origin(fields));
    for (language, expected) in [
        ("Accept-Language: de\r\n", "MISS 1"),
        ("Accept-Language: fr\r\n", "MISS 2"),
        ("", "MISS 3"),
        ("Accept-Language: de\r\n", "HIT 1"),
        ("accept-language:  fr \r\n", "HIT 2"),
        ("", "HIT 3"),
    ] {
        let answer = get(&proxy, &origin.url("/"), language);
        let found = format!("{} {}", answer.cache(), answer.text());
        assert_eq!(found, expected, "{language}");
    }
}

#[test]
fn w_t3a_a_change_makes_the_kept_one_invalid() {
    for (method, expected) in [
        ("POST", "MISS"),
        ("PUT", "MISS"),
        ("DELETE", "MISS"),
        ("OPTIONS", "HIT"),
    ] {
        let (proxy, origin) = (proxy(), origin(MINUTE));
        get(&proxy, &origin.url("/"), "");
        let sent = "Content-Length: 0\r\n";
        assert_eq!(ask(&proxy, method, &origin.url("/"), sent).status, 200);
        let after = get(&proxy, &origin.url("/"), "");
        assert_eq!(after.cache(), expected, "{method}");
    }
    // Location, too, names something that changed.
    let (proxy, origin) =
        (proxy(), origin("Location: /b\r\nCache-Control: max-age=60\r\n"));
    get(&proxy, &origin.url("/b"), "");
    ask(&proxy, "POST", &origin.url("/a"), "Content-Length: 0\r\n");
    assert_eq!(get(&proxy, &origin.url("/b"), "").cache(), "MISS");
}

#[test]
fn w_t3b_a_slow_fetch_does_not_delay_others_of_the_same_url() {
    let (go, wait) = bounded::<()>(0);
    let origin = Origin::start(move |asked, stream| {
        if asked.number == 1 {
            wait.recv_timeout(DEADLINE).expect("the test goes on");
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n";
        let text = format!("{head}{MINUTE}\r\n{}", asked.number);
        send(stream, text.as_bytes());
        Then::Keep
    });
    let proxy = proxy();
    let url = origin.url("/");
    thread::scope(|scope| {
        let slow = scope.spawn(|| get(&proxy, &url, "").text());
        origin.asked();
        for expected in ["MISS 2", "HIT 2"] {
            let answer = get(&proxy, &url, "");
            let found = format!("{} {}", answer.cache(), answer.text());
            assert_eq!(found, expected);
        }
        go.send(()).expect("the origin waits");
        assert_eq!(slow.join().expect("a client"), "1");
    });
    // The slow one began first, and does not replace the other.
    assert_eq!(get(&proxy, &url, "").text(), "2");
}

#[test]
fn w_t3b_long_transfers_do_not_keep_others_out_of_the_cache() {
    let origin = Origin::start(|asked, stream| {
        let long = asked.line().contains("/long");
        let fields = if long { "Cache-Control: no-store\r\n" } else { MINUTE };
        let size = if long { 999 } else { 1 };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n");
        send(stream, format!("{head}{fields}\r\nx").as_bytes());
        Then::Keep
    });
    let proxy = proxy();
    let url = origin.url("/long");
    let request = format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n");
    let clients: Vec<_> = (0..40).map(|_| proxy.connect()).collect();
    for client in &clients {
        send(client, request.as_bytes());
        while !receive_line(client).is_empty() {} // and no end of the body
    }
    for expected in ["MISS", "HIT"] {
        assert_eq!(get(&proxy, &origin.url("/"), "").cache(), expected);
    }
}

#[test]
fn w_t3a_the_cache_has_a_size() {
    let proxy = Server::start(PROXY, &["--cache-mib", "1"]);
    let origin = Origin::start(|_, stream| {
        let body = "x".repeat(300_000);
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n";
        let text = format!("{head}Content-Length: 300000\r\n\r\n{body}");
        send(stream, text.as_bytes());
        Then::Keep
    });
    for path in ["/a", "/b", "/c", "/a", "/d"] {
        get(&proxy, &origin.url(path), "");
    }
    // /b was used least recently.
    assert_eq!(get(&proxy, &origin.url("/a"), "").cache(), "HIT");
    assert_eq!(get(&proxy, &origin.url("/c"), "").cache(), "HIT");
    assert_eq!(get(&proxy, &origin.url("/b"), "").cache(), "MISS");
    report(&proxy, |report| report["cache_objects"] == 3);
}

#[test]
fn w_t3a_with_no_cache_nothing_is_cached() {
    let proxy = crate::plain();
    let origin = origin(MINUTE);
    for body in ["1", "2"] {
        let answer = get(&proxy, &origin.url("/"), "");
        assert_eq!(answer.text(), body);
        assert_eq!(answer.field("X-Cache"), None);
    }
}
