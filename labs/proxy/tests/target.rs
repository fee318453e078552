//! Proves where each form of a request leads: pure, without sockets.

use http::Request;
use proxy::target::{Destination, Route, route};

fn ask(text: &str) -> Result<Route, u16> {
    let head = format!("{text}\r\n\r\n");
    match Request::parse(head.as_bytes()) {
        Ok(request) => route(&request, 8888).map_err(|p| p.status),
        Err(fault) => panic!("{text}: {fault}"),
    }
}

fn forward(host: &str, port: u16, path: &str) -> Result<Route, u16> {
    let (host, path) = (host.into(), path.into());
    Ok(Route::Forward(Destination { host, port, path }))
}

#[test]
fn the_url_wins_over_host() {
    let text = "GET HTTP://A.example:81?x HTTP/1.1\r\nHost: b.example";
    assert_eq!(ask(text), forward("a.example", 81, "/?x"));
}

#[test]
fn the_companions_form() {
    let at = |path: &str| {
        ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost:8888"))
    };
    let in_path = |host: &str, port, path: &str| {
        let (host, path) = (host.into(), path.into());
        Ok(Route::InPath(Destination { host, port, path }))
    };
    let url = in_path("a.example", 80, "/x?y");
    assert_eq!(at("/a.example/x?y"), url);
    assert_eq!(at("/http://a.example/x?y"), url);
    let nested = in_path("a.example", 80, "/?u=http://b.example/");
    assert_eq!(at("/a.example?u=http://b.example/"), nested);
    assert_eq!(at("/https://a.example/"), Err(501));
    assert_eq!(at("/[::1]:81"), in_path("[::1]", 81, "/"));
    assert_eq!(at("/"), Ok(Route::Own("/".into())));
    assert_eq!(at("/proxy.local/json"), Ok(Route::Own("/json".into())));
    assert_eq!(at("//a.example/"), Err(400));
}

#[test]
fn the_own_page_needs_a_host_name_of_the_proxy() {
    for (host, own) in [
        ("127.0.0.1:8888", true),
        ("[::1]:8888", true),
        ("LocalHost:8888", true),
        ("proxy.local:8888", true),
        ("", true), // HTTP/1.0, by hand
        ("evil.example:8888", false),
        ("localhost.evil.example:8888", false),
        ("127.0.0.1.evil.example:8888", false),
    ] {
        let found = ask(&format!("GET /json HTTP/1.1\r\nHost: {host}"));
        let expected = Ok(Route::Own("/json".into()));
        assert_eq!(found == expected, own, "{host}");
    }
}

#[test]
fn the_other_forms() {
    let text = "GET /x HTTP/1.1\r\nHost: a.example";
    assert_eq!(ask(text), forward("a.example", 80, "/x"));
    let text = "OPTIONS http://a.example HTTP/1.1\r\nHost: a.example";
    assert_eq!(ask(text), forward("a.example", 80, "*"));
    let text = "OPTIONS * HTTP/1.1\r\nHost: a.example";
    assert_eq!(ask(text), Ok(Route::Options));
    let text = "GET https://a.example/ HTTP/1.1\r\nHost: a.example";
    assert_eq!(ask(text), Err(501));
    let text = "GET http://a.example:0/ HTTP/1.1\r\nHost: a.example";
    assert_eq!(ask(text), Err(400));
}
