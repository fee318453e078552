use super::super::check::LONGEST_LINE;
use super::*;

fn status(head: &str) -> u16 {
    match Request::parse(head.as_bytes()) {
        Ok(_) => 200,
        Err(Fault::Bad { status, .. }) => status,
        Err(fault) => panic!("{fault}"),
    }
}

fn get(fields: &str) -> u16 {
    status(&format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n"))
}

#[test]
fn an_ordinary_request_is_parsed() {
    let head = b"GET /a?b HTTP/1.1\r\nHost: h:80\r\nX:  y \r\n\r\n";
    let request = Request::parse(head).expect("a request");
    assert_eq!(request.method, "GET");
    assert_eq!(request.target(), Target::Origin("/a?b"));
    assert_eq!(request.fields.text("x"), Some("y"));
    assert_eq!(request.framing, Framing::None);
    assert!(request.keeps_alive());
    assert_eq!(status("GET / HTTP/1.0\n\n"), 200); // typed by hand
    assert_eq!(get("Content-Length: 5\r\n"), 200);
    assert_eq!(get("Transfer-Encoding: Chunked\r\n"), 200);
}

#[test]
fn a_message_with_two_meanings_is_refused() {
    for (fields, expected) in [
        ("Content-Length: 5\r\nContent-Length: 6\r\n", 400),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", 400),
        ("Content-Length: 5, 5\r\n", 400),
        ("Content-Length:\r\n", 400),
        ("Content-Length: +5\r\n", 400),
        ("Content-Length: -5\r\n", 400),
        ("Content-Length: 0x5\r\n", 400),
        ("Content-Length: 5 5\r\n", 400),
        ("Content-Length: 99999999999999999999\r\n", 400),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400),
        ("Transfer-Encoding:\r\n", 400),
        ("Transfer-Encoding: chunked, chunked\r\n", 400),
        ("Transfer-Encoding: chunked, gzip\r\n", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
        ("Transfer-Encoding: gzip\r\n", 400),
        ("Transfer-Encoding: xchunked\r\n", 501),
        ("Transfer-Encoding: \"chunked\"\r\n", 501),
        ("Transfer-Encoding: \x0bchunked\r\n", 400),
        ("Transfer-Encoding : chunked\r\n", 400),
        ("Transfer_Encoding: chunked\r\n", 200), // another name
        (" Transfer-Encoding: chunked\r\n", 400),
        ("X: y\r\n Transfer-Encoding: chunked\r\n", 400),
        ("X: y\r\n\tz\r\n", 400),
        ("X: y\rTransfer-Encoding: chunked\r\n", 400),
        ("X: y\nTransfer-Encoding: chunked\r\n", 400),
        ("X: a\0b\r\n", 400),
        (": y\r\n", 400),
        ("no colon\r\n", 400),
        ("X\r\n: y\r\n", 400),
        ("Host: other\r\n", 400),
    ] {
        assert_eq!(get(fields), expected, "{fields:?}");
    }
}

#[test]
fn host_is_demanded_once_and_checked() {
    for (host, expected) in [
        ("Host: h\r\n", 200),
        ("Host: [::1]:8080\r\n", 200),
        ("Host:\r\n", 200),
        ("", 400),
        ("Host: a b\r\n", 400),
        ("Host: u@h\r\n", 400),
        ("Host: h/path\r\n", 400),
        ("Host: h g\r\n", 400),
        ("Host: h:80:80\r\n", 400),
    ] {
        let head = format!("GET / HTTP/1.1\r\n{host}\r\n");
        assert_eq!(status(&head), expected, "{host:?}");
    }
    assert_eq!(status("GET / HTTP/1.0\r\n\r\n"), 200);
}

#[test]
fn request_lines_are_checked() {
    for (line, expected) in [
        ("GET / HTTP/1.1", 200),
        ("get / HTTP/1.1", 200), // an unknown method
        ("OPTIONS * HTTP/1.1", 200),
        ("GET http://h/ HTTP/1.1", 200),
        ("CONNECT h:443 HTTP/1.1", 200),
        ("GET /", 400),
        ("GET", 400),
        ("GET  / HTTP/1.1", 400),
        ("GET / HTTP/1.1 ", 400),
        (" GET / HTTP/1.1", 400),
        ("GET\t/\tHTTP/1.1", 400),
        ("GET / http/1.1", 400),
        ("GET / HTTP/11", 400),
        ("GET / HTTP/1.1x", 400),
        ("GET / HTTP/2.0", 505),
        ("GET / HTTP/1.2", 200),
        ("PRI * HTTP/2.0", 505),
        ("G@T / HTTP/1.1", 400),
        ("GET a HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("GET /\u{e9} HTTP/1.1", 400),
        ("GET /\u{1} HTTP/1.1", 400),
        ("GET /#x HTTP/1.1", 400),
    ] {
        let head = format!("{line}\r\nHost: h\r\n\r\n");
        assert_eq!(status(&head), expected, "{line:?}");
    }
}

#[test]
fn heads_have_limits() {
    let fields = |count| "A: b\r\n".repeat(count);
    assert_eq!(get(&fields(99)), 200);
    assert_eq!(get(&fields(100)), 431);
    let long = "a".repeat(LONGEST_LINE);
    let head = format!("GET /{long} HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(status(&head), 414);
}

fn framing(method: &str, head: &str) -> Option<Framing> {
    Response::parse(head.as_bytes()).ok()?.framing(method).ok()
}

#[test]
fn a_response_is_parsed_with_its_framing() {
    let ok = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    assert_eq!(framing("GET", &ok("")), Some(Framing::UntilClose));
    let five = ok("Content-Length: 5\r\n");
    assert_eq!(framing("GET", &five), Some(Framing::Length(5)));
    assert_eq!(framing("HEAD", &five), Some(Framing::None));
    assert_eq!(framing("CONNECT", &five), Some(Framing::None));
    let chunked = ok("Transfer-Encoding: chunked\r\n");
    assert_eq!(framing("GET", &chunked), Some(Framing::Chunked));
    let not = "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(framing("GET", not), Some(Framing::None));
    assert_eq!(framing("GET", "HTTP/1.1 100\r\n\r\n"), Some(Framing::None));
    let both = ok("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n");
    assert_eq!(framing("GET", &both), None);
    let twice = ok("Transfer-Encoding: chunked, chunked\r\n");
    assert_eq!(framing("GET", &twice), None);
    for bad in
        ["HTTP/1.1 20 OK\r\n\r\n", "HTTP/2 200\r\n\r\n", "ICY 200 OK\r\n\r\n"]
    {
        assert!(Response::parse(bad.as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn a_response_may_repeat_its_length_if_it_is_the_same() {
    for lines in [
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 5,5\r\nX: y\r\ncontent-length: 5\r\n",
        "Content-Length: 05 , 5\r\n",
    ] {
        for status in ["200 OK", "304 Not Modified"] {
            let head = format!("HTTP/1.1 {status}\r\n{lines}\r\n");
            let response = Response::parse(head.as_bytes()).expect(lines);
            // One field remains, so that a proxy forwards only one.
            let lengths = response.fields.get_all("Content-Length");
            assert_eq!(lengths.collect::<Vec<_>>(), [b"5"], "{lines:?}");
            assert!(response.framing("GET").is_ok());
        }
        // A request is still refused.
        assert_eq!(get(lines), 400, "{lines:?}");
    }
    for lines in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: 5, 5, 6\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: 5,\r\n",
        "Content-Length: , 5\r\n",
        "Content-Length: 5, +5\r\n",
        "Content-Length: 5\r\nContent-Length:\r\n",
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{lines}\r\n");
        assert_eq!(framing("GET", &head), None, "{lines:?}");
    }
}

#[test]
fn a_responses_lines_may_end_in_either_way_and_be_folded() {
    for head in [
        "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\nA: b\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\n\n",
        "HTTP/1.1 200 OK\nA: b\nContent-Length: 5\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\n",
        "HTTP/1.1 200 OK\nA: b\nContent-Length: 5\n\n",
        "HTTP/1.1 200 OK\r\nA:\r\n b\r\nContent-Length:\r\n\t5\r\n\r\n",
        "HTTP/1.1 200 OK\nA:\n  b\r\n  \r\nContent-Length: 5\n\n",
    ] {
        let response = Response::parse(head.as_bytes()).expect(head);
        assert_eq!(response.fields.text("A"), Some("b"), "{head:?}");
        assert_eq!(framing("GET", head), Some(Framing::Length(5)), "{head:?}");
    }
    let head = "HTTP/1.1 200 OK\r\nX: a\r\n b\n\tc\r\n\r\n";
    let response = Response::parse(head.as_bytes()).expect("folded");
    let value = response.fields.text("X").unwrap_or_default();
    assert_eq!(value.split_ascii_whitespace().collect::<String>(), "abc");
    assert!(!value.contains(['\r', '\n']), "it can be passed on: {value:?}");
    for bad in [
        "HTTP/1.1 200 OK\r\n A: b\r\n\r\n", // continues no field
        "HTTP/1.1 200 OK\r\nA: b\rContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n",
    ] {
        assert!(Response::parse(bad.as_bytes()).is_err(), "{bad:?}");
    }
    // Requests must be exact.
    for fields in ["X: y\nA: b\r\n", "X: y\r\n z\r\n", "A: b\r\nX: y\n"] {
        assert_eq!(get(fields), 400, "{fields:?}");
    }
}
