//! Proves which of many clients waits, is served, or is refused.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use harness::terminal;
use rustix::process::Signal;

use crate::CONCURRENT;
use harness::{
    Server, allow_descriptors, installed, receive, receive_all, send,
};

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
    for program in CONCURRENT {
        let server = Server::start(program, &[]);
        let _silent = server.connect();
        let second = server.connect();
        send(&second, b"served");
        assert_eq!(receive(&second, 6), b"served", "{program}");
    }
}

#[test]
fn g_8_a_client_that_never_reads_holds_up_nobody() {
    for program in CONCURRENT {
        let server = Server::start(program, &[]);
        let stuck = server.connect();
        stuck.set_nonblocking(true).expect("non-blocking");
        while (&stuck).write(&[b'x'; 65536]).is_ok() {}
        let other = server.connect();
        send(&other, b"served");
        assert_eq!(receive(&other, 6), b"served", "{program}");
    }
}

#[test]
fn g_8_one_thread_with_poll_serves_a_crowd_byte_by_byte() {
    allow_descriptors(4096);
    let mut server = Server::start("echo-poll-server", &[]);
    let clients: Vec<_> = (0..300).map(|_| server.connect()).collect();
    for client in &clients {
        send(client, b"a");
    }
    for client in clients.iter().rev() {
        send(client, b"b");
        assert_eq!(receive(client, 2), b"ab");
    }
    // A large echo among the others, which fits into the kernel's buffers.
    let sent: Vec<u8> = (0..1 << 15).map(|n: u32| (n % 251) as u8).collect();
    send(&clients[7], &sent);
    assert!(receive(&clients[7], sent.len()) == sent, "other bytes came back");
    drop(clients);
    let late = server.connect();
    send(&late, b"late");
    assert_eq!(receive(&late, 4), b"late");
    server.interrupt();
}

#[test]
fn x_thread_sigusr1_prints_the_threads_of_a_server() {
    let mut server = Server::start("echo-server", &[]);
    let clients = [server.connect(), server.connect()];
    let mut wanted =
        vec!["… signals, in …".into(), "… main, in accept()".into()];
    for client in &clients {
        send(client, b"in");
        receive(client, 2);
        let address = client.local_addr().expect("an address");
        wanted.push(format!("… {address}, for … s, in recv()"));
    }
    await_threads(&mut server, &wanted);
    send(&clients[0], b"goes on");
    assert_eq!(receive(&clients[0], 7), b"goes on");
    server.interrupt();
}

#[test]
fn x_thread_every_kind_of_server_prints_its_threads() {
    for (program, call) in [
        ("echo-task1-server", "accept"),
        ("echo-poll-server", "poll"),
        ("echo-udp-server", "recv"),
    ] {
        let mut server = Server::start(program, &[]);
        for _ in 0..2 {
            let wanted = format!("… main, in {call}()");
            await_threads(&mut server, &[wanted]);
        }
        server.interrupt();
    }
}

/// Asks for the threads until each of these is among them: a thread may be on
/// its way to the call in which it will wait.
fn await_threads(server: &mut Server, wanted: &[String]) {
    let mut lines = Vec::new();
    for _ in 0..500 {
        server.console().signal(Signal::USR1).expect("a signal");
        let count = server.wait_for("threads: …");
        let count = count.trim_start_matches("threads: ").parse::<usize>();
        lines = (0..count.expect("a number"))
            .map(|_| server.wait_for("…"))
            .collect();
        let has = |wanted: &String| {
            lines.iter().any(|line| terminal::matches(wanted, line))
        };
        if wanted.iter().all(has) {
            return;
        }
    }
    panic!("no {wanted:?} among {lines:?}");
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
    server.wait_for("no room: 2 clients; new clients are refused");
    drop(first);
    server.wait_for("[…] left: end of stream");
    let served = is_served_in_the_end(&server);
    assert!(served, "the place of the first client is free again");
}

/// Tries until a client is served: a place is free once a thread has ended,
/// a moment after its client has left.
fn is_served_in_the_end(server: &Server) -> bool {
    (0..1000).any(|_| {
        let next = server.connect();
        let _ = (&next).write(b"in");
        let mut answer = [0; 2];
        (&next).read_exact(&mut answer).is_ok() && &answer == b"in"
    })
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
    let quiet = ["--quiet"];
    let mut server =
        Server::start_limited("ulimit -n 64", "echo-server", &quiet);
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
fn x_thread_out_of_threads_it_says_so_once_and_goes_on() {
    // The limit is one of a user's, and root has none: a user of its own.
    if !rustix::process::geteuid().is_root()
        || !installed("setpriv", "util-linux")
    {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("echo-server");
    fs::copy(terminal::program_folder().join("echo-server"), &program)
        .expect("a copy");
    for path in [folder.path(), &program] {
        let all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(path, all).expect("permissions");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=64998", "--clear-groups", "prlimit", "--nproc=20"]);
    command.arg(&program).args(["127.0.0.1", "0", "--quiet"]);
    let mut server = Server::run(&mut command);
    let clients: Vec<_> = (0..60).map(|_| server.connect()).collect();
    for client in &clients {
        let _ = (&*client).write(b"x"); // some are turned away
    }
    server.wait_for("spawn(…): … (EAGAIN). …");
    receive(&clients[0], 1);
    drop(clients);
    assert!(is_served_in_the_end(&server), "it goes on");
    server.console().signal(Signal::INT).expect("a signal");
    let rest = server.console().read_to_end().expect("it ends");
    let rest = String::from_utf8_lossy(&rest);
    assert!(!rest.contains("spawn(") && !rest.contains("room"), "{rest}");
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
fn x_thread_two_signals_at_once_are_one_wish() {
    let mut server = Server::start("echo-server", &[]);
    // As timeout(1) does: one to the program, one to its group. Both wait
    // until it is continued.
    let signals = [Signal::STOP, Signal::TERM, Signal::INT, Signal::CONT];
    for signal in signals {
        server.console().signal(signal).expect("a signal");
    }
    server.wait_for("bye");
    let status = server.console().wait_for_end().expect("it ends");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn x_thread_who_comes_while_it_stops_is_not_told_that_there_is_no_room() {
    let mut server = Server::start("echo-server", &[]);
    server.console().signal(Signal::STOP).expect("a signal");
    let clients: Vec<_> = (0..5).map(|_| server.connect()).collect();
    server.console().signal(Signal::INT).expect("a signal");
    server.console().signal(Signal::CONT).expect("a signal");
    let said = server.console().read_to_end().expect("it ends");
    let said = String::from_utf8_lossy(&said);
    assert!(said.ends_with("bye\n") && !said.contains("room"), "{said}");
    drop(clients);
}

#[test]
fn x_trace_a_file_that_may_not_grow_costs_the_trace_and_not_the_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace");
    // Blocks of 512 or 1024 bytes, as the shell has it.
    let limit = format!("ulimit -f 16; export TRACE='{}'", trace.display());
    let mut server = Server::start_limited(&limit, "echo-server", &[]);
    let client = server.connect();
    for _ in 0..100 {
        send(&client, b"ten bytes.");
        receive(&client, 10);
    }
    server.wait_for("TRACE: write(…): File too large (EFBIG). …");
    server.interrupt();
}

#[test]
fn x_thread_a_client_that_will_not_go_is_cut() {
    let mut server = Server::start("echo-server", &["--quiet"]);
    let stuck = server.connect();
    stuck.set_nonblocking(true).expect("non-blocking");
    while (&stuck).write(&[0; 65536]).is_ok() {}
    server.interrupt();
}
