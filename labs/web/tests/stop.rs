//! Proves what happens to requests when the server is stopped, and what the
//! log says about clients that close in the middle of a response.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::files::{serve, site};
use crate::talk::{read_reply, request};
use harness::{Server, receive, receive_all, reset, send};

const BIG: usize = 16 << 20;

/// Long enough for the server to read what was sent.
const SOON: Duration = Duration::from_millis(250);

fn server_of_big_files() -> (tempfile::TempDir, Server) {
    let folder = site();
    let big = fs::File::create(folder.path().join("www/big.bin"));
    big.and_then(|big| big.set_len(BIG as u64)).expect("sparse");
    let server = serve(&folder, &[]);
    (folder, server)
}

/// Sends SIGTERM and does not wait for the server's end.
fn terminate(server: &mut Server) {
    server.console().signal(rustix::process::Signal::TERM).expect("a signal");
}

/// All that the server prints before it ends with status 0.
fn printed(server: &mut Server) -> String {
    let all = server.console().read_to_end().expect("its lines");
    let end = server.console().wait_for_end().expect("it ends");
    assert_eq!(end.code(), Some(0));
    String::from_utf8_lossy(&all).into()
}

/// Reads all that arrives, but so slowly that it takes `time`.
fn read_slowly(client: &TcpStream, time: Duration) -> usize {
    let (began, mut count) = (Instant::now(), 0);
    let mut piece = vec![0; 64 * 1024];
    loop {
        match (&mut &*client).read(&mut piece) {
            Ok(0) | Err(_) => return count,
            Ok(more) => count += more,
        }
        let due = time.mul_f64((count as f64 / BIG as f64).min(1.0));
        thread::park_timeout(due.saturating_sub(began.elapsed()));
    }
}

#[test]
fn w_t2_requests_in_flight_are_answered_after_sigterm() {
    let (_folder, mut server) = server_of_big_files();
    let (download, half, body) =
        (server.connect(), server.connect(), server.connect());
    let idle = server.connect();
    send(&download, &request("GET", "/big.bin", ""));
    assert_eq!(receive(&download, 4), b"HTTP");
    send(&half, b"GET /index.html HTTP/1.1\r\nHo");
    send(&body, &request("POST", "/", "Content-Length: 5\r\n"));
    send(&body, b"he");
    thread::park_timeout(SOON); // so that the server has read them
    let began = Instant::now();
    terminate(&mut server);
    assert_eq!(receive_all(&idle), b"", "it waits for no idle client");
    assert!(began.elapsed() < Duration::from_millis(1500));
    thread::park_timeout(SOON / 2);
    send(&half, b"st: h\r\n\r\n");
    send(&body, b"llo");
    assert_eq!(read_reply(&half, false).text(), "index");
    assert_eq!(receive_all(&half), b"", "and then it closes");
    assert_eq!(read_reply(&body, false).status, 405);
    let count = read_slowly(&download, Duration::from_millis(300));
    assert!(count > BIG, "{count} of {BIG} bytes and a head");
    let all = printed(&mut server);
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(!all.contains("cut") && !all.contains("lost"), "{all}");
}

#[test]
fn w_t2_the_log_says_which_requests_the_stop_cut() {
    let (_folder, mut server) = server_of_big_files();
    let (stuck, silent) = (server.connect(), server.connect());
    send(&stuck, &request("GET", "/big.bin", ""));
    assert_eq!(receive(&stuck, 4), b"HTTP"); // this client reads no more
    send(&silent, b"GET / HTTP/1.1\r\n"); // this one sends no more
    thread::park_timeout(SOON);
    let names = [&stuck, &silent].map(|c| c.local_addr().expect("an address"));
    terminate(&mut server);
    let all = printed(&mut server);
    for name in names {
        assert!(all.contains(&format!("[{name}] cut by the stop")), "{all}");
    }
    assert!(!all.contains("lost"), "{all}");
}

#[test]
fn w_t2f_a_client_that_closes_in_mid_response_is_one_line_of_the_log() {
    let (_folder, mut server) = server_of_big_files();
    for target in ["/big.bin", "/index.html"] {
        let client = server.connect();
        send(&client, &request("GET", target, "Range: bytes=1-\r\n"));
        assert_eq!(receive(&client, 4), b"HTTP");
        reset(client); // with bytes unread, as browsers do
    }
    thread::park_timeout(SOON); // so that the server has noticed
    terminate(&mut server);
    let all = printed(&mut server);
    assert_eq!(all.matches("\"GET /big.bin").count(), 1, "{all}");
    assert!(!all.contains("lost") && !all.contains("Error"), "{all}");
}
