//! Proves the web lab from outside: the handout's server, the server for
//! browsers, and the client. The peers are curl, Python, Chromium, slow
//! networks and attackers.

mod clients;
mod crowd;
mod downloads;
mod files;
mod fuzz;
mod kinds;
mod lists;
mod once;
mod parts;
mod stop;
mod talk;
mod wire;

use std::net::Shutdown;

use harness::{Server, play_readme, receive, receive_all, send, trickle};
use talk::{ask, get, read_reply, request};

const HELLO: &[u8] = include_bytes!("../www/HelloWorld.html");

#[test]
fn w_t2_the_readmes_transcripts_hold() {
    play_readme("web");
}

/// Tests that look only at the bytes on the connection. CHECK=host:port runs
/// them against any web server that has the companion's HelloWorld.html.
/// `cargo test --test web any_server`
mod any_server {
    use super::*;

    fn server() -> Server {
        Server::start_or_check("web-server", &[])
    }

    #[test]
    fn w_t2a_each_contact_gets_a_connection_of_its_own() {
        let server = server();
        let (one, two) = (server.connect(), server.connect());
        for client in [&two, &one] {
            send(client, &request("GET", "/HelloWorld.html", ""));
            assert_eq!(read_reply(client, false).status, 200);
        }
    }

    #[test]
    fn w_t2b_a_request_in_single_bytes_is_one_request() {
        let server = server();
        let client = server.connect();
        trickle(&client, &request("GET", "/HelloWorld.html", "X: y\r\n"));
        let reply = read_reply(&client, false);
        assert_eq!(reply.status, 200, "one recv() is not one request");
    }

    #[test]
    fn w_t2c_the_name_is_found_in_the_first_line() {
        let server = server();
        let reply = get(&server, "/HelloWorld.html", "X: /other.html\r\n");
        assert_eq!(reply.status, 200);
        // The query is not part of the name.
        let reply = get(&server, "/HelloWorld.html?a=/b.html", "");
        assert_eq!(reply.status, 200, "the name ends at ?");
    }

    #[test]
    fn w_t2d_the_file_is_sent_unchanged() {
        let server = server();
        let reply = get(&server, "/HelloWorld.html", "");
        let text = String::from_utf8_lossy(&reply.body).to_lowercase();
        assert!(text.contains("hello"), "HelloWorld.html: {text}");
    }

    #[test]
    fn w_t2e_header_lines_then_an_empty_line_then_the_file() {
        let server = server();
        let reply = get(&server, "/HelloWorld.html", "");
        assert!(reply.head.starts_with("HTTP/1."), "{}", reply.head);
        let length = reply.field("Content-Length");
        let length = length.expect("Content-Length says where it ends");
        assert_eq!(length, reply.body.len().to_string());
        let kind = reply.field("Content-Type").unwrap_or_default();
        assert!(kind.starts_with("text/html"), "{kind}");
    }

    #[test]
    fn w_t2f_the_complete_response_arrives() {
        let server = server();
        let client = server.connect();
        let close = "Connection: close\r\n";
        send(&client, &request("GET", "/HelloWorld.html", close));
        let all = receive_all(&client);
        let end = all.windows(4).position(|w| w == b"\r\n\r\n");
        assert!(end.is_some_and(|end| all.len() > end + 4));
    }

    #[test]
    fn w_t2g_an_absent_file_is_404_not_found() {
        let server = server();
        let reply = get(&server, "/no/such/file.html", "");
        assert!(
            reply.head.contains(" 404 Not Found\r\n"),
            "the handout's words: {}",
            reply.head
        );
    }
}

#[test]
fn w_t2c_the_root_is_index_html() {
    let server = Server::start("web-server", &[]);
    let reply = get(&server, "/", "");
    assert_eq!(reply.status, 200);
    let index = include_bytes!("../www/index.html");
    assert_eq!(reply.body, index);
    assert_eq!(get(&server, "/index.html", "").body, index);
}

#[test]
fn w_t2e_the_head_has_kind_dates_and_etag() {
    let server = Server::start("web-server", &[]);
    let reply = get(&server, "/dots.png", "");
    assert_eq!(reply.field("Content-Type"), Some("image/png"));
    assert_eq!(reply.body, include_bytes!("../www/dots.png"));
    for name in ["Date", "Last-Modified"] {
        let date = reply.field(name).unwrap_or_default();
        assert!(date.ends_with(" GMT"), "{name}: {date}");
    }
    assert!(reply.field("ETag").is_some_and(|etag| etag.starts_with('"')));
    let css = get(&server, "/style.css", "");
    assert_eq!(css.field("Content-Type"), Some("text/css; charset=utf-8"));
}

#[test]
fn w_t2g_a_missing_file_is_explained_and_the_connection_stays_open() {
    let mut server = Server::start("web-server", &[]);
    let client = server.connect();
    send(&client, &request("GET", "/<b>nix?\"x\\x22", ""));
    let reply = read_reply(&client, false);
    assert_eq!(reply.status, 404);
    let page = String::from_utf8_lossy(&reply.body);
    assert!(page.contains("This server has no file /&lt;b&gt;nix."), "{page}");
    send(&client, &request("GET", "/HelloWorld.html", ""));
    assert_eq!(read_reply(&client, false).body, HELLO);
    // The log shows a quote as \x22. A client that writes \x22 itself appears
    // as \\x22.
    server.wait_for("… \"GET /<b>nix?\\x22x\\\\x22 HTTP/1.1\" 404 …");
    server.wait_for("127.0.0.1 - - […] \"GET /HelloWorld.html …\" 200 157");
}

#[test]
fn w_t2i_a_port_below_1024_is_refused_and_others_are_not() {
    let mut server = Server::start("web-server", &[]);
    assert_ne!(server.address.port(), 80);
    assert_eq!(get(&server, "/", "").status, 200);
    server.interrupt();
    for program in ["web-server", "web-once-server"] {
        let words = ["127.0.0.1", "80"];
        let mut refused =
            harness::terminal::Terminal::start(program, words).expect(program);
        refused.wait_for("port 80 is refused: …").expect("a reason");
        assert_eq!(refused.wait_for_end().expect("an end").code(), Some(2));
    }
}

#[test]
fn w_t2_the_system_calls_come_in_the_order_of_the_banners() {
    let calls = ["socket", "bind", "listen", "accept4", "recvfrom", "close"];
    harness::strace_shows("web-server", &calls);
}

#[test]
fn w_t2_a_stop_ends_idle_clients_and_cuts_a_download() {
    const SIZE: u64 = 1 << 26;
    let folder = files::site();
    let big = std::fs::File::create(folder.path().join("www/big.bin"));
    big.expect("a file").set_len(SIZE).expect("sparse");
    let mut server = files::serve(&folder, &[]);
    let (idle, busy) = (server.connect(), server.connect());
    send(&idle, &request("GET", "/", ""));
    assert_eq!(read_reply(&idle, false).status, 200);
    send(&busy, &request("GET", "/big.bin", ""));
    assert_eq!(receive(&busy, 4), b"HTTP"); // this client reads no more
    server.interrupt();
    assert_eq!(receive_all(&idle), b"");
    let rest = std::io::copy(&mut &busy, &mut std::io::sink());
    assert!(rest.unwrap_or(0) < SIZE);
}

#[test]
fn w_t2_each_method_gets_its_status() {
    let server = Server::start("web-server", &[]);
    for (method, status) in [
        ("GET", 200),
        ("HEAD", 200),
        ("OPTIONS", 204),
        ("POST", 405),
        ("PUT", 405),
        ("DELETE", 405),
        ("TRACE", 405),
        ("BREW", 501),
        ("get", 501),
    ] {
        let client = server.connect();
        send(&client, &request(method, "/", ""));
        let reply = read_reply(&client, method == "HEAD");
        assert_eq!(reply.status, status, "{method}");
        if status == 405 || method == "OPTIONS" {
            assert_eq!(reply.field("Allow"), Some("GET, HEAD, OPTIONS"));
        }
        // HEAD announces the length of the body that it does not send.
        if method == "HEAD" {
            assert!(reply.field("Content-Length").is_some());
        }
        // The server finds the next request on the same connection.
        send(&client, &request("GET", "/HelloWorld.html", ""));
        assert_eq!(read_reply(&client, false).body, HELLO, "{method}");
    }
    let reply = ask(&server, b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(reply.status, 204);
    let reply = ask(&server, b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(reply.status, 405);
    let absolute = b"GET http://h/HelloWorld.html HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_eq!(ask(&server, absolute).body, HELLO);
}

#[test]
fn w_t2_a_client_that_closes_in_mid_request_does_not_stop_the_server() {
    let server = Server::start("web-server", &[]);
    for bytes in ["", "GET", "GET / HTTP/1.1\r\nHost: h\r\n"] {
        let client = server.connect();
        send(&client, bytes.as_bytes());
        client.shutdown(Shutdown::Write).expect("a half-close");
        assert_eq!(receive_all(&client), b"", "{bytes:?}");
        let client = server.connect();
        send(&client, bytes.as_bytes());
        harness::reset(client);
    }
    assert_eq!(get(&server, "/", "").status, 200);
}
