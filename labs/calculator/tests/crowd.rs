//! Question 8: many clients, of the server that takes one at a time and of
//! the one with a thread for each.

use std::io::{ErrorKind, Read, Write};
use std::thread;

use rustix::process::Signal;

use super::{Server, ask, receive_all, receive_line, send, session};
use harness::{allow_descriptors, receive};

#[test]
fn g_6d_sequential_the_second_client_is_served_after_the_first() {
    let mut server = Server::start("calculator-sequential-server", &[]);
    let first = session(&server, "Ada");
    assert_eq!(ask(&first, "1 + 1"), "2");
    // The kernel shakes hands and takes the bytes; nobody reads them.
    let second = session(&server, "Bob");
    send(&second, b"12 + 42\n");
    assert_eq!(ask(&first, "2 + 2"), "4");
    second.set_nonblocking(true).expect("non-blocking");
    let nothing = (&second).read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(nothing, Err(ErrorKind::WouldBlock), "no answer yet");
    second.set_nonblocking(false).expect("blocking");
    send(&first, b"q\n");
    assert_eq!(receive_all(&first), b"");
    drop(first);
    assert_eq!(receive_line(&second), "54");
    // The order of the console is the order of service.
    server.wait_for("[…] Ada: 2 + 2");
    server.wait_for("Session ended");
    server.wait_for("[…] is Bob");
}

#[test]
fn g_8a_a_silent_client_holds_up_nobody() {
    let server = Server::start("calculator-server", &[]);
    let _unnamed = server.connect();
    let _named = session(&server, "Ada");
    let half = session(&server, "Eve");
    send(&half, b"12 +");
    assert_eq!(ask(&session(&server, "Bob"), "12 + 42"), "54");
}

#[test]
fn g_8a_a_client_that_never_reads_holds_up_nobody() {
    let server = Server::start("calculator-server", &[]);
    let stuck = session(&server, "Ada");
    stuck.set_nonblocking(true).expect("non-blocking");
    let sums = b"1 / 3\n".repeat(10_000);
    while (&stuck).write(&sums).is_ok() {}
    assert_eq!(ask(&session(&server, "Bob"), "12 + 42"), "54");
}

#[test]
fn g_8a_a_hundred_clients_at_once_get_their_own_answers() {
    let server = Server::start("calculator-server", &[]);
    thread::scope(|scope| {
        for number in 0..100 {
            let server = &server;
            scope.spawn(move || {
                let client = session(server, &format!("client {number}"));
                for round in 0..20 {
                    let sum = format!("{number} * {round}");
                    let product = number * round;
                    assert_eq!(ask(&client, &sum), product.to_string());
                }
                send(&client, b"q\n");
                assert_eq!(receive_all(&client), b"");
            });
        }
    });
}

#[test]
fn g_8a_sessions_ended_are_told_next_to_who_ended_them() {
    let mut server = Server::start("calculator-server", &[]);
    thread::scope(|scope| {
        for number in 0..20 {
            let server = &server;
            scope.spawn(move || {
                let client = session(server, &number.to_string());
                send(&client, b"q\n");
                assert_eq!(receive_all(&client), b"");
            });
        }
    });
    for _ in 0..20 {
        server.wait_for("[…] …: q");
        let next = server.console().read_line().expect("a line");
        assert_eq!(next.as_deref(), Some("Session ended"));
    }
}

#[test]
fn g_8a_a_thousand_clients_at_once() {
    allow_descriptors(4096);
    let mut server = Server::start("calculator-server", &[]);
    let clients: Vec<_> =
        (0..1000).map(|n| session(&server, &format!("client {n}"))).collect();
    for (number, client) in clients.iter().enumerate() {
        send(client, format!("{number} + {number}\n").as_bytes());
    }
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(receive_line(client), (2 * number).to_string());
    }
    server.interrupt();
}

#[test]
fn g_8a_one_more_than_max_clients_is_told_so() {
    let mut server = Server::start("calculator-server", &["--max-clients=1"]);
    let first = session(&server, "Ada");
    assert_eq!(ask(&first, "1 + 1"), "2");
    let second = server.connect();
    let told = receive_all(&second);
    assert_eq!(told, b"error: no room, try again later\n");
    // Our client, too, shows why it gets no answer.
    let mut client = server.client("calculator-client", &["--name=Bob"]);
    client.type_line("12 + 42").expect("it reads");
    client
        .wait_for("Error: the server refused: no room, try again later")
        .unwrap();
    server.wait_for("no room: 1 clients; new clients are refused");
    assert_eq!(ask(&first, "2 + 2"), "4");
}

#[test]
fn g_8a_out_of_descriptors_it_waits_and_goes_on() {
    let mut server =
        Server::start_limited("ulimit -n 64", "calculator-server", &[]);
    let clients: Vec<_> = (0..200)
        .map(|number| {
            let client = session(&server, &format!("client {number}"));
            send(&client, b"12 + 42\n");
            client
        })
        .collect();
    server.wait_for("accept(…): Too many open files (EMFILE). …");
    // Some are served; the others wait in the backlog.
    assert_eq!(receive(&clients[0], 3), b"54\n");
    drop(clients);
    assert_eq!(ask(&session(&server, "number 201"), "12 + 42"), "54");
    server.interrupt();
}

#[test]
fn g_8a_ctrl_c_ends_all_sessions_politely() {
    let mut server = Server::start("calculator-server", &[]);
    let client = session(&server, "Ada");
    assert_eq!(ask(&client, "1 + 1"), "2");
    server.interrupt();
    assert_eq!(receive_all(&client), b"", "end of stream, not a reset");
}

#[test]
fn g_8a_a_session_that_the_server_ends_is_told_as_that() {
    let mut server = Server::start("calculator-server", &[]);
    let _nameless = server.connect();
    let client = session(&server, "Ada");
    assert_eq!(ask(&client, "1 + 1"), "2");
    server.console().signal(Signal::TERM).expect("a signal");
    let printed = server.console().read_to_end().expect("it ends");
    let printed = String::from_utf8_lossy(&printed);
    let told = "] Ada cut by the stop";
    assert!(printed.contains(told), "{printed}");
    assert!(printed.contains("] cut by the stop"), "{printed}");
    assert!(!printed.contains("end of stream"), "nobody left: {printed}");
}
