//! Proves which fields the proxy passes on. These tests need no sockets.

use http::{Fields, Response};
use proxy::{headers, hops};

#[test]
fn a_loop_shows_in_via() {
    let mut fields = Fields::new();
    fields.push("Via", "1.0 fred, 1.1 Socketlab-1 (a comment)");
    assert!(hops::has_passed(&fields, "socketlab-1"));
    assert!(!hops::has_passed(&fields, "socketlab-2"));
}

#[test]
fn connection_names_what_ends_here_but_not_the_framing() {
    let head = b"HTTP/1.1 200 OK\r\n\
        Connection: close, X-Hop, Content-Length, Cookie\r\nX-Hop: 1\r\n\
        Cookie: a=b\r\nProxy-Connection: keep-alive\r\nX-End: 2\r\n\r\n";
    let response = Response::parse(head).expect("a head");
    let fields = headers::response(&response, "socketlab-1");
    let names: Vec<&str> = fields.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Cookie", "X-End", "Via"]);
}
