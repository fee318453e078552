//! Proves that many, silent or slow clients do not block other clients, and
//! that a file may be larger than the memory.

use std::fs;
use std::io::Read;
use std::thread;

use crate::HELLO;
use crate::files::{serve, site};
use crate::talk::{get, read_reply, request};
use harness::{
    Server, allow_descriptors, half_close, peak_memory, receive, receive_all,
    send,
};

#[test]
fn w_t2f_a_gibibyte_passes_through_little_memory() {
    let folder = site();
    let size = 1 << 30;
    let file = fs::File::create(folder.path().join("www/big.bin"));
    file.expect("a file").set_len(size).expect("sparse");
    let mut server = serve(&folder, &["--quiet"]);
    let client = server.connect();
    send(&client, &request("GET", "/big.bin", "Connection: close\r\n"));
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        match (&client).read(&mut buffer).expect("bytes") {
            0 => break,
            count => total += count as u64,
        }
    }
    let head = total - size;
    assert!((100..1000).contains(&head), "a head of {head} bytes");
    if cfg!(target_os = "linux") {
        let most = peak_memory(server.console().pid());
        assert!(most < 64, "{most} MiB");
    }
}

#[test]
fn w_t2h_requests_are_served_beside_a_thousand_idle_connections() {
    allow_descriptors(2200);
    let server = Server::start("web-server", &["--quiet"]);
    let mut idle = Vec::new();
    for number in 0..1000 {
        let client = server.connect();
        if number % 2 == 0 {
            // Half of the clients have sent one request, the others none.
            send(&client, &request("GET", "/HelloWorld.html", ""));
            assert_eq!(read_reply(&client, false).body, HELLO);
        }
        idle.push(client);
    }
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    assert_eq!(get(&server, "/", "").status, 200);
                }
            });
        }
    });
    // Their connections still work.
    for client in idle.iter().step_by(100) {
        send(client, &request("GET", "/HelloWorld.html", ""));
        assert_eq!(read_reply(client, false).body, HELLO);
    }
}

#[test]
fn w_t2h_a_silent_connection_does_not_block_other_clients() {
    let server = Server::start("web-server", &[]);
    let _silent = server.connect();
    let _half = {
        let half = server.connect();
        send(&half, b"GET / HT");
        half
    };
    assert_eq!(get(&server, "/", "").status, 200);
}

#[test]
fn w_t2h_a_client_that_never_reads_does_not_block_other_clients() {
    let folder = site();
    let file = fs::File::create(folder.path().join("www/big.bin"));
    file.expect("a file").set_len(1 << 26).expect("sparse");
    let server = serve(&folder, &[]);
    let stuck = server.connect();
    send(&stuck, &request("GET", "/big.bin", ""));
    assert_eq!(receive(&stuck, 4), b"HTTP"); // the response has begun
    assert_eq!(get(&server, "/", "").status, 200);
}

#[test]
fn w_t2h_a_client_above_the_limit_gets_503() {
    let server = Server::start("web-server", &["--max-clients", "1"]);
    let first = server.connect();
    send(&first, &request("GET", "/", ""));
    assert_eq!(read_reply(&first, false).status, 200);
    let second = server.connect();
    assert_eq!(read_reply(&second, false).status, 503);
}

#[test]
fn w_t2f_a_response_is_not_lost_because_of_a_reset() {
    let server = Server::start("web-server", &[]);
    for _ in 0..20 {
        let client = server.connect();
        // The server refuses the first line and does not parse the rest.
        let mut bytes = b"NONSENSE\r\n".to_vec();
        bytes.extend(vec![b'x'; 300_000]);
        send(&client, &bytes);
        half_close(&client);
        let all = receive_all(&client);
        assert!(all.starts_with(b"HTTP/1.1 400 "), "{} bytes", all.len());
    }
}
