//! Proves what SIGTERM does to requests that are being answered.

use std::thread;

use crossbeam_channel::bounded;
use rustix::process::Signal;

use crate::PROXY;
use crate::scripts::{Origin, Then, pour, read_answer};
use harness::{DEADLINE, Server, send};

const ONCE: &str = "proxy-once-server";

fn ask(proxy: &Server, origin: &Origin, path: &str) -> std::net::TcpStream {
    let client = proxy.connect();
    let url = origin.url(path);
    send(&client, format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    client
}

#[test]
fn w_t3b_a_request_in_flight_is_answered_before_the_end() {
    for program in [PROXY, ONCE] {
        let (go, wait) = bounded::<()>(1);
        let origin = Origin::start(move |_, stream| {
            let _ = wait.recv_timeout(DEADLINE);
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
            send(stream, head.as_bytes());
            send(stream, b"hello");
            Then::Close
        });
        let mut proxy = Server::start(program, &[]);
        let client = ask(&proxy, &origin, "/");
        origin.asked(); // now it is in flight
        let idle = proxy.connect();
        let console = proxy.console();
        console.signal(Signal::TERM).expect("a signal");
        go.send(()).expect("the origin waits");
        let answer = read_answer(&client, "GET");
        assert_eq!(answer.text(), "hello", "{program}: {answer:?}");
        assert!(answer.whole, "{program}");
        let log = console.wait_for("bye").expect("the end");
        assert!(!log.contains("left"), "{program}: {log}");
        let status = console.wait_for_end().expect("it ends");
        assert_eq!(status.code(), Some(0));
        drop(idle);
    }
}

#[test]
fn w_t3b_what_the_stop_cuts_is_called_so() {
    // A silent origin, an object without end, a client that does not read.
    let cases = ["/silent", "/long"].map(|path| [(path, PROXY), (path, ONCE)]);
    thread::scope(|scope| {
        for &(path, program) in cases.iter().flatten() {
            scope.spawn(move || the_stop_cuts(path, program));
        }
    });
}

fn the_stop_cuts(path: &str, program: &str) {
    let origin = Origin::start(|asked, stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n";
        match asked.line().contains("/long") {
            true => {
                send(stream, head.as_bytes());
                pour(stream, 999_999_999);
            }
            false => drop(crate::scripts::sees_the_end(stream)),
        }
        Then::Close
    });
    let mut proxy = Server::start(program, &[]);
    let client = ask(&proxy, &origin, path);
    origin.asked();
    let console = proxy.console();
    console.signal(Signal::TERM).expect("a signal");
    console.wait_for("…cut by the stop").expect("its line");
    console.wait_for("bye").expect("the end");
    drop(client);
}
