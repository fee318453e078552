//! Proves that in path style a redirect leads back into the path.

use std::net::SocketAddr;

use http::Fields;
use proxy::target::{Destination, destination};

use crate::PROXY;
use crate::scripts::{Origin, Then, read_answer};
use harness::{Server, send};

fn led_back(name: &str, value: &str) -> String {
    let at = Destination {
        host: "a.example".into(),
        port: 81,
        path: "/dir/page?q=/x/".into(),
    };
    let mut fields = Fields::new();
    fields.push(name, value);
    at.lead_back(&mut fields);
    fields.text(name).expect("a value").to_string()
}

#[test]
fn a_location_leads_back_into_the_path() {
    for (location, expected) in [
        ("/", "/a.example:81/"),
        ("/x/", "/a.example:81/x/"),
        ("/x?u=http://b/#f", "/a.example:81/x?u=http://b/#f"),
        ("http://a.example:81/y", "/a.example:81/y"),
        ("HTTP://b.example/y", "/b.example/y"), // an absolute one elsewhere
        ("http://b.example", "/b.example"),
        ("http://[::1]:82/y", "/[::1]:82/y"),
        ("//b.example/y", "/b.example/y"),
        ("other", "/a.example:81/dir/other"),
        ("sub/", "/a.example:81/dir/sub/"),
        ("./", "/a.example:81/dir/"),
        (".", "/a.example:81/dir/"),
        ("..", "/a.example:81/"),
        ("../up", "/a.example:81/up"),
        ("../../../up", "/a.example:81/up"), // never out of the path
        ("/%2E%2e/x", "/a.example:81/x"),
        ("/a/../b//c/./d", "/a.example:81/b//c/d"),
        ("?r", "/a.example:81/dir/page?r"),
        ("#f", "/a.example:81/dir/page#f"),
        ("https://b.example/y", "https://b.example/y"), // not ours to fetch
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("a:b", "a:b"),
    ] {
        assert_eq!(led_back("Location", location), expected, "{location}");
    }
    for (refresh, expected) in [
        ("5; url=/x", "5; url=/a.example:81/x"),
        ("0;URL=http://b.example/", "0;URL=/b.example/"),
        ("5", "5"),
    ] {
        assert_eq!(led_back("Refresh", refresh), expected);
    }
}

#[test]
fn a_host_without_a_slash_is_redirected() {
    let to = |target: &str| destination(target).map_err(|page| page.status);
    let at = |path: &str| {
        let (host, path) = ("h".to_string(), path.to_string());
        Ok(Destination { host, port: 80, path })
    };
    assert_eq!(to("/h"), Err(308));
    assert_eq!(to("/http://h"), Err(308));
    assert_eq!(to("/h/"), at("/"));
    assert_eq!(to("/h?x"), at("/?x"));
    assert_eq!(to("http://h"), at("/")); // the browser knows the host here
}

/// Its pages lead to each other, as a folder's do.
fn folders() -> Origin {
    Origin::start(|asked, stream| {
        let head = match asked.line().split(' ').nth(1) {
            Some("/tiles") => "301 Moved\r\nLocation: /tiles/\r\n",
            Some("/cached") => {
                "301 Moved\r\nLocation: /tiles/\r\n\
                 Cache-Control: max-age=60\r\n"
            }
            _ => "200 OK\r\n",
        };
        let head = format!("HTTP/1.1 {head}Content-Length: 0\r\n\r\n");
        send(stream, head.as_bytes());
        Then::Keep
    })
}

fn location(
    proxy: &Server,
    host: SocketAddr,
    target: &str,
) -> (u16, Option<String>) {
    let client = proxy.connect();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    send(&client, request.as_bytes());
    let answer = read_answer(&client, "GET");
    (answer.status, answer.field("Location"))
}

#[test]
fn w_t3a_a_page_in_path_style_finds_its_things() {
    for program in [PROXY, "proxy-once-server"] {
        let proxy = Server::start(program, &[]);
        let (own, origin) = (proxy.address, folders());
        let at = origin.address;
        let found = |target: String| location(&proxy, own, &target);
        let to = |place: &str| Some(format!("/{at}{place}"));
        assert_eq!(found(format!("/{at}")), (308, to("/")), "{program}");
        assert_eq!(found(format!("/{at}/")), (200, None));
        assert_eq!(found(format!("/{at}/tiles")), (301, to("/tiles/")));
        for _ in 0..2 {
            // The second one is from the cache.
            assert_eq!(found(format!("/{at}/cached")), (301, to("/tiles/")));
        }
        // A browser that knows of the proxy is led as the origin says.
        let plain = Some("/tiles/".to_string());
        assert_eq!(found(origin.url("/tiles")), (301, plain.clone()));
        assert_eq!(found(origin.url("/cached")), (301, plain));
    }
}
