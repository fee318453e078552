//! Proves what a 304 may do to a cached response, and that a fetch which began
//! before a change is not cached after it.

use std::thread;

use crossbeam_channel::bounded;

use crate::PROXY;
use crate::scripts::{Origin, Then, ask, get};
use harness::{DEADLINE, Server, send};

/// An origin whose answers grow stale at once; asked whether `"a"` is still
/// good it says 304 with these fields.
fn origin(news: &'static str) -> Origin {
    Origin::start(move |asked, stream| {
        let number = asked.number;
        let answer = match asked.field("If-None-Match").is_some() {
            true => format!("HTTP/1.1 304 Not Modified\r\n{news}\r\n\r\n"),
            false => format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nETag: \"a\"\r\n\
                 Cache-Control: max-age=0\r\n\r\n{number}"
            ),
        };
        send(stream, answer.as_bytes());
        Then::Keep
    })
}

#[test]
fn w_t3a_a_304_for_one_client_is_not_cached_for_others() {
    for news in [
        "Cache-Control: max-age=60\r\nSet-Cookie: sid=alice",
        "Cache-Control: private, max-age=60\r\nX-User: alice",
        "Cache-Control: no-store\r\nX-User: alice",
        "Cache-Control: max-age=60\r\nVary: *",
    ] {
        let proxy = Server::start(PROXY, &[]);
        let origin = origin(news);
        let url = origin.url("/");
        assert_eq!(get(&proxy, &url, "").cache(), "MISS");
        let alice = get(&proxy, &url, "");
        if !news.contains("Vary") {
            assert_eq!(alice.cache(), "REVALIDATED", "{news}");
            assert!(alice.head.contains("alice"), "{news}");
        }
        let bob = get(&proxy, &url, "");
        assert_eq!(bob.cache(), "MISS", "{news}");
        assert!(!bob.head.contains("alice"), "{news}");
    }
}

#[test]
fn w_t3a_a_304_of_another_object_is_asked_again() {
    let fresh = "Cache-Control: max-age=60\r\n";
    for (news, updates) in [
        ("ETag: \"a\"", true),
        ("ETag: W/\"a\"", true),
        ("X: y", true),
        ("ETag: \"b\"", false),
        ("ETag: W/\"b\"", false),
        ("Vary: Accept-Language", false),
    ] {
        let news = format!("{fresh}{news}").leak();
        let proxy = Server::start(PROXY, &[]);
        let origin = origin(news);
        let url = origin.url("/");
        assert_eq!(get(&proxy, &url, "").text(), "1");
        let second = get(&proxy, &url, "");
        let found = format!("{} {}", second.cache(), second.text());
        let expected = if updates { "REVALIDATED 1" } else { "MISS 3" };
        assert_eq!(found, expected, "{news}");
    }
}

/// The cache test suite's group update304.
#[test]
fn w_t3a_a_304_leaves_what_describes_the_bytes() {
    let proxy = Server::start(PROXY, &[]);
    let origin = Origin::start(|asked, stream| {
        let answer = match asked.field("If-None-Match") {
            None => {
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nETag: \"a\"\r\n\
                 Content-Encoding: gzip\r\nContent-MD5: old\r\n\
                 Content-Type: text/css\r\nX-Old: old\r\n\
                 Cache-Control: max-age=0\r\n\r\n1"
            }
            Some(_) => {
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\
                 content-encoding: br\r\nContent-MD5: new\r\n\
                 Content-Range: bytes 0-0/9\r\nContent-Type: text/new\r\n\
                 Content-Foo: new\r\nCache-Control: max-age=60\r\n\r\n"
            }
        };
        send(stream, answer.as_bytes());
        Then::Keep
    });
    let url = origin.url("/");
    assert_eq!(get(&proxy, &url, "").cache(), "MISS");
    // What the client of the 304 reads, and what the next one reads.
    for how in ["REVALIDATED", "HIT"] {
        let answer = get(&proxy, &url, "");
        assert_eq!((answer.cache().as_str(), answer.status), (how, 200));
        assert_eq!(answer.text(), "1", "{how}");
        for (name, value) in [
            ("Content-Length", Some("1")),
            ("Content-Encoding", Some("gzip")),
            ("Content-MD5", Some("old")),
            ("Content-Range", None),
            ("Content-Type", Some("text/new")),
            ("Content-Foo", Some("new")),
            ("X-Old", Some("old")),
        ] {
            assert_eq!(answer.field(name).as_deref(), value, "{how} {name}");
        }
    }
}

#[test]
fn w_t3a_a_304_without_a_date_is_dated_when_it_comes() {
    let proxy = Server::start(PROXY, &[]);
    let origin = Origin::start(|asked, stream| {
        let head = match asked.field("If-None-Match") {
            Some(_) => "HTTP/1.1 304 Not Modified\r\n",
            None => {
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"a\"\r\n\
                 Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            }
        };
        let minute = "Cache-Control: max-age=60\r\n\r\n";
        send(stream, format!("{head}{minute}").as_bytes());
        Then::Keep
    });
    for how in ["MISS", "REVALIDATED", "HIT"] {
        assert_eq!(get(&proxy, &origin.url("/"), "").cache(), how);
    }
}

#[test]
fn w_t3a_an_origin_may_drop_vary() {
    let proxy = Server::start(PROXY, &[]);
    let origin = Origin::start(|asked, stream| {
        let said = match asked.number {
            1 => "Cache-Control: max-age=0\r\nVary: Accept-Encoding\r\n",
            _ => "Cache-Control: max-age=60\r\n",
        };
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
        send(stream, format!("{head}{said}\r\n").as_bytes());
        Then::Keep
    });
    for how in ["MISS", "MISS", "HIT"] {
        assert_eq!(get(&proxy, &origin.url("/"), "").cache(), how);
    }
}

#[test]
fn w_t3a_a_reload_within_a_second_asks_the_origin() {
    let proxy = Server::start(PROXY, &[]);
    let origin = Origin::says(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\
         Content-Length: 0\r\n\r\n",
        || Then::Keep,
    );
    for (fields, how) in [
        ("", "MISS"),
        ("Cache-Control: max-age=9\r\n", "HIT"),
        ("Cache-Control: max-age=0\r\n", "MISS"),
    ] {
        assert_eq!(get(&proxy, &origin.url("/"), fields).cache(), how);
    }
}

#[test]
fn w_t3a_a_fetch_from_before_a_change_is_not_cached() {
    let (go, wait) = bounded::<()>(0);
    let origin = Origin::start(move |asked, stream| {
        if asked.number == 1 {
            wait.recv_timeout(DEADLINE).expect("the test goes on");
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n";
        let minute = "Cache-Control: max-age=60\r\n\r\n";
        let text = format!("{head}{minute}{}", asked.number);
        send(stream, text.as_bytes());
        Then::Keep
    });
    let proxy = Server::start(PROXY, &[]);
    let url = origin.url("/");
    thread::scope(|scope| {
        let before = scope.spawn(|| get(&proxy, &url, "").text());
        origin.asked();
        let put = ask(&proxy, "PUT", &url, "Content-Length: 0\r\n");
        assert_eq!(put.text(), "2");
        go.send(()).expect("the origin waits");
        assert_eq!(before.join().expect("a client"), "1");
    });
    for expected in ["MISS 3", "HIT 3"] {
        let after = get(&proxy, &url, "");
        assert_eq!(format!("{} {}", after.cache(), after.text()), expected);
    }
}

#[test]
fn w_t3a_a_304_does_not_describe_a_body() {
    let proxy = Server::start(PROXY, &[]);
    let origin = Origin::says(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/css\r\n\
         Content-Encoding: gzip\r\nContent-Language: de\r\n\
         Content-Location: /b\r\nETag: \"a\"\r\nVary: Accept\r\n\
         Cache-Control: max-age=60\r\n\
         Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nhi",
        || Then::Keep,
    );
    let url = origin.url("/");
    assert_eq!(get(&proxy, &url, "").cache(), "MISS");
    for known in [
        "If-None-Match: \"a\"\r\n",
        "If-None-Match: *\r\n",
        "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    ] {
        let answer = get(&proxy, &url, known);
        assert_eq!((answer.status, answer.cache().as_str()), (304, "HIT"));
        for absent in ["Type", "Encoding", "Language", "Length", "Range", "MD5"]
        {
            let field = answer.field(&format!("Content-{absent}"));
            assert_eq!(field, None, "Content-{absent} {known}");
        }
        // What a 200 would have said as well (RFC 9110, 15.4.5).
        for present in
            ["ETag", "Vary", "Cache-Control", "Date", "Content-Location"]
        {
            assert!(answer.field(present).is_some(), "{present} {known}");
        }
    }
}
