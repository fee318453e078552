//! Many clients at once: who waits, who is served, who is told that there is
//! no room.

use std::io::{Read, Write};
use std::process::Command;

use socketlab::terminal;

use crate::support::{Server, allow_descriptors, receive, receive_all, send};

#[test]
fn e_t3_sequential_the_second_client_waits_for_the_first() {
    let mut server = Server::start("echo-task3-server", &[]);
    let first = server.connect();
    send(&first, b"first");
    receive(&first, 5);
    // The kernel completes the handshake and takes the bytes; nobody reads.
    let second = server.connect();
    send(&second, b"second");
    send(&first, b"first again");
    receive(&first, 11);
    let waited = second.local_addr().expect("an address");
    drop(first);
    assert_eq!(receive(&second, 6), b"second");
    // The order of the console is the order of service.
    server.wait_for("[…] 11 bytes: first again");
    server.wait_for("[…] left: end of stream");
    server.wait_for(&format!("[{waited}] connected"));
}

#[test]
fn g_8_with_threads_a_silent_client_holds_up_nobody() {
    for program in ["echo-threads-server", "echo-server"] {
        let server = Server::start(program, &[]);
        let _silent = server.connect();
        let second = server.connect();
        send(&second, b"served");
        assert_eq!(receive(&second, 6), b"served", "{program}");
    }
}

#[test]
fn g_8_a_client_that_never_reads_holds_up_nobody() {
    let server = Server::start("echo-server", &["--quiet"]);
    let stuck = server.connect();
    stuck.set_nonblocking(true).expect("non-blocking");
    while (&stuck).write(&[0; 65536]).is_ok() {}
    let other = server.connect();
    send(&other, b"served");
    assert_eq!(receive(&other, 6), b"served");
}

#[test]
fn x_thread_one_more_than_max_clients_is_told_so() {
    let mut server = Server::start("echo-server", &["--max-clients", "2"]);
    let first = server.connect();
    let second = server.connect();
    for client in [&first, &second] {
        send(client, b"in");
        receive(client, 2);
    }
    let third = server.connect();
    send(&third, b"me too");
    let told = receive_all(&third);
    assert_eq!(told, b"echo-server: no room, try again later\n");
    server.wait_for("no room: 2 clients, newcomers are told so");
    drop(first);
    server.wait_for("[…] left: end of stream");
    // The place is free once the thread has ended, a moment after it spoke.
    let served = (0..1000).any(|_| {
        let next = server.connect();
        let _ = (&next).write(b"in");
        let mut answer = [0; 2];
        (&next).read_exact(&mut answer).is_ok() && &answer == b"in"
    });
    assert!(served, "the place of the first client is free again");
}

#[test]
fn x_thread_a_thousand_clients_at_once() {
    allow_descriptors(4096);
    let mut server = Server::start("echo-server", &["--quiet"]);
    let clients: Vec<_> = (0..1000).map(|_| server.connect()).collect();
    for (number, client) in clients.iter().enumerate() {
        send(client, format!("client {number:4}").as_bytes());
    }
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(
            receive(client, 11),
            format!("client {number:4}").as_bytes()
        );
    }
    server.interrupt();
}

#[test]
fn x_thread_out_of_descriptors_it_waits_and_goes_on() {
    let program = terminal::program_folder().join("echo-server");
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n 64; exec \"$0\" 127.0.0.1 0 --quiet"])
        .arg(program);
    let mut server = Server::run(&mut command);
    let clients: Vec<_> = (0..200).map(|_| server.connect()).collect();
    for client in &clients {
        send(client, b"x");
    }
    server.wait_for("accept(…): Too many open files (EMFILE). …");
    // Some are served; the others wait in the backlog.
    receive(&clients[0], 1);
    drop(clients);
    let late = server.connect();
    send(&late, b"number 201");
    assert_eq!(receive(&late, 10), b"number 201");
    server.interrupt();
}

#[test]
fn x_thread_ctrl_c_ends_clients_politely() {
    let mut server = Server::start("echo-server", &[]);
    let client = server.connect();
    send(&client, b"hello");
    receive(&client, 5);
    server.interrupt();
    assert_eq!(receive_all(&client), b"", "end of stream, not a reset");
}

#[test]
fn x_thread_a_client_that_will_not_go_is_cut() {
    let mut server = Server::start("echo-server", &["--quiet"]);
    let stuck = server.connect();
    stuck.set_nonblocking(true).expect("non-blocking");
    while (&stuck).write(&[0; 65536]).is_ok() {}
    server.interrupt();
}
