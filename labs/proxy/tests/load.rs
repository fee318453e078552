//! Proves that many clients, much data or a blocked log do not stop others.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::sync::{Arc, Barrier};
use std::thread;

use harness::terminal;

use crate::plain;
use crate::scripts::{Origin, Then, get, pour, read_answer, report};
use harness::{Server, allow_descriptors, peak_memory, send};

#[test]
fn w_t3b_a_hundred_at_once() {
    // The origin answers none before it has all hundred.
    let all = Arc::new(Barrier::new(100));
    let origin = Origin::start(move |asked, stream| {
        all.wait();
        let path = asked.line().split(' ').nth(1).unwrap_or_default();
        let (size, head) = (path.len(), "HTTP/1.1 200 OK\r\n");
        let text = format!("{head}Content-Length: {size}\r\n\r\n{path}");
        send(stream, text.as_bytes());
        Then::Keep
    });
    let proxy = Server::start(crate::PROXY, &[]);
    thread::scope(|scope| {
        for number in 0..100 {
            let (proxy, origin) = (&proxy, &origin);
            scope.spawn(move || {
                let path = format!("/{number}");
                assert_eq!(get(proxy, &origin.url(&path), "").text(), path);
            });
        }
    });
}

#[test]
fn w_t3b_silent_clients_do_not_delay_others() {
    allow_descriptors(2048);
    let proxy = plain();
    let silent: Vec<_> = (0..500).map(|_| proxy.connect()).collect();
    let origin =
        Origin::says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", || {
            Then::Keep
        });
    assert_eq!(get(&proxy, &origin.url("/"), "").text(), "ok");
    drop(silent);
}

#[test]
fn w_t3b_beyond_the_last_place_is_503() {
    let proxy = Server::start(crate::PROXY, &["--max-clients", "1"]);
    let first = proxy.connect();
    send(&first, b"GET http://proxy.local/ HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(read_answer(&first, "GET").status, 200);
    let second = proxy.connect();
    assert_eq!(read_answer(&second, "GET").status, 503);
}

#[test]
fn w_t3b_ctrl_c_ends_it_with_clients_and_tunnels() {
    let origin =
        Origin::says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", || {
            Then::Keep
        });
    let port = origin.address.port().to_string();
    let mut proxy = Server::start(crate::PROXY, &["--connect-port", &port]);
    let idle = proxy.connect();
    let tunnel = proxy.connect();
    let place = origin.address;
    let head = format!("CONNECT {place} HTTP/1.1\r\nHost: x\r\n\r\n");
    send(&tunnel, head.as_bytes());
    assert_eq!(read_answer(&tunnel, "HEAD").status, 200);
    proxy.interrupt();
    drop((idle, tunnel));
}

#[test]
fn w_t3b_a_blocked_log_does_not_stop_the_proxy() {
    // As after Ctrl-S: its stdout is a pipe that fills up.
    let mut command = terminal::command(crate::PROXY);
    command.args(["127.0.0.1", "0"]).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut console = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    console.read_line(&mut line).expect("it listens");
    let address = line.trim().trim_start_matches("listening on ");
    let proxy = Server::at(address.parse().expect("an address"));
    let client = proxy.connect();
    let path = "x".repeat(300);
    let url = format!("http://127.0.0.1:0/{path}"); // refused at once
    let request = format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n");
    let ten = request.repeat(10);
    for _ in 0..200 {
        send(&client, ten.as_bytes());
        for _ in 0..10 {
            assert_eq!(read_answer(&client, "GET").status, 400);
        }
    }
    report(&proxy, |report| report["log_lines_dropped"].as_u64() > Some(0));
    child.kill().expect("it is ours");
    let _ = child.wait();
}

#[test]
fn w_t3a_a_gibibyte_needs_little_memory() {
    const DOWN: u64 = 1024 * 1024 * 1024;
    const UP: u64 = 256 * 1024 * 1024;
    let origin = Origin::start(|asked, stream| {
        if asked.field("Expect").is_some() {
            send(stream, b"HTTP/1.1 100 Continue\r\n\r\n");
            let mut left = UP;
            let mut piece = vec![0; 1024 * 1024];
            while left > 0 {
                let room = left.min(piece.len() as u64) as usize;
                let mut stream = stream;
                let count = stream.read(&mut piece[..room]).expect("a body");
                assert!(count > 0, "the body breaks off");
                left -= count as u64;
            }
            send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            return Then::Keep;
        }
        let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n";
        let length = format!("Content-Length: {DOWN}\r\n\r\n");
        send(stream, format!("{head}{length}").as_bytes());
        assert!(pour(stream, DOWN), "the client takes it all");
        Then::Keep
    });
    let mut proxy = Server::start(crate::PROXY, &[]);
    let client = proxy.connect();
    let url = origin.url("/");
    send(&client, format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    while !harness::receive_line(&client).is_empty() {}
    let mut left = DOWN;
    let mut piece = vec![0; 1024 * 1024];
    while left > 0 {
        let room = left.min(piece.len() as u64) as usize;
        let count = (&client).read(&mut piece[..room]).expect("a body");
        assert!(count > 0, "the body breaks off {left} bytes early");
        left -= count as u64;
    }
    // And up, on the same connection.
    let head = format!("PUT {url} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue");
    let length = format!("{head}\r\nContent-Length: {UP}\r\n\r\n");
    send(&client, length.as_bytes());
    assert_eq!(read_answer(&client, "HEAD").status, 100);
    assert!(pour(&client, UP), "the proxy takes it all");
    assert_eq!(read_answer(&client, "PUT").status, 200);
    let most = peak_memory(proxy.console().pid());
    assert!(most < 64, "{most} MiB");
}
