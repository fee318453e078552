//! The plain programs play the handout's screens, with each other, with ours
//! and with Python's, and survive what a first program must.

use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use crate::members::{Member, event};
use harness::terminal::Terminal;
use harness::{Server, half_close, receive_all, receive_line, send, trickle};
use socket2::{Domain, Socket, Type};

#[track_caller]
fn shows(screen: &mut Terminal, line: &str) {
    screen.wait_for(line).unwrap_or_else(|e| panic!("{e}"));
}

/// The handout's dialogue, with the client of each kind that there is.
#[track_caller]
fn plays_the_two_screens(server: &Server, batman: Terminal, other: Terminal) {
    let (mut one, mut two) = (batman, other);
    shows(&mut one, "Enter login name:");
    one.type_line("Batman").expect("it reads");
    shows(&mut one, &event("Batman has joined. Member count=1"));
    shows(&mut two, "Enter login name:");
    two.type_line("Voldemort").expect("it reads");
    for screen in [&mut one, &mut two] {
        shows(screen, &event("Voldemort has joined. Member count=2"));
    }
    one.type_line("Anyone here?").expect("it reads");
    shows(&mut two, "Batman: Anyone here?");
    two.type_line("Crucio!").expect("it reads");
    shows(&mut one, "Voldemort: Crucio!");
    one.type_line("Aaaaaaahrrhhhhhhh...").expect("it reads");
    shows(&mut two, "Batman: Aaaaaaahrrhhhhhhh...");
    one.type_line("quit").expect("it reads");
    assert_eq!(one.wait_for_end().expect("it ends").code(), Some(0));
    shows(&mut two, &event("Batman has left. Member count=1"));
    two.type_line("quit").expect("it reads");
    assert_eq!(two.wait_for_end().expect("it ends").code(), Some(0));
    drop(server.connect()); // it still accepts
}

#[test]
fn g_8c_the_plain_room_plays_the_handouts_screens() {
    for (one, two) in [
        ("chat-plain-client", "chat-plain-client"),
        ("chat-client", "chat-plain-client"),
        ("chat-plain-client", "chat-client"),
        ("chat-client", "chat-client"),
    ] {
        let mut server = Server::start("chat-plain-server", &[]);
        let (one, two) = (server.client(one, &[]), server.client(two, &[]));
        plays_the_two_screens(&server, one, two);
        server.wait_for(&event("Voldemort has left. Member count=0"));
        server.interrupt();
    }
}

#[test]
fn g_8c_the_plain_programs_and_the_handouts_python_both_ways() {
    let server = Server::start("chat-plain-server", &[]);
    let Some(python) = server.python("chat/client.py", &[]) else { return };
    plays_the_two_screens(
        &server,
        python,
        server.client("chat-plain-client", &[]),
    );
    let server = harness::python_server("chat/server.py", &[]);
    let server = server.expect("there is a Python");
    let [one, two] = [(); 2].map(|()| server.client("chat-plain-client", &[]));
    plays_the_two_screens(&server, one, two);
}

#[test]
fn g_8b_the_plain_client_is_a_member_of_the_robust_room() {
    let server = Server::start("chat-server", &[]);
    let [one, two] = [(); 2].map(|()| server.client("chat-plain-client", &[]));
    plays_the_two_screens(&server, one, two);
}

#[test]
fn g_8b_the_plain_room_has_each_name_once() {
    let server = Server::start("chat-plain-server", &[]);
    let _batman = Member::join(&server, "Batman", 1);
    let mut other = Member::connect(&server);
    other.hears("Enter login name:");
    for name in ["Batman", "batman", "Server", "server", ""] {
        other.says(name);
        other.hears("Server: that name is empty or taken");
        other.hears("Enter login name:");
    }
    other.says("Robin");
    other.hears_event("Robin has joined. Member count=2");
}

#[test]
fn g_8b_the_plain_room_survives_half_lines_and_clients_that_are_gone() {
    let mut server = Server::start("chat-plain-server", &[]);
    let mut witness = Member::join(&server, "Robin", 1);
    // A byte at a time, two lines in one segment, the end of another.
    let client = server.connect();
    assert_eq!(receive_line(&client), "Enter login name:");
    trickle(&client, b"Batman\none");
    witness.hears_event("Batman has joined. Member count=2");
    send(&client, b"\ntwo\n\x1b[2Jthr");
    witness.hears("Batman: one");
    witness.hears("Batman: two");
    half_close(&client);
    witness.hears("Batman: \\x1b[2Jthr");
    witness.hears_event("Batman has left. Member count=1");
    assert!(receive_all(&client).starts_with(b"Server: time="));
    Member::join(&server, "Batman", 2).resets();
    witness.hears_event("Batman has joined. Member count=2");
    witness.hears_event("Batman has left. Member count=1");
    Member::connect(&server).hangs_up(); // without a login
    Member::join(&server, "Batman", 2).says("quit smoking");
    witness.hears_event("Batman has joined. Member count=2");
    witness.hears("Batman: quit smoking");
    witness.hears_event("Batman has left. Member count=1");
    server.interrupt();
    witness.hears_the_end();
}

/// Its limit, which outbox.rs has not: try 2.
#[test]
fn g_8d_a_member_that_does_not_read_stops_the_plain_room_for_five_seconds() {
    let mut server = Server::start("chat-plain-server", &[]);
    let mut witness = Member::join(&server, "Robin", 1);
    // A small receive buffer is full soon.
    let stuck = Socket::new(Domain::IPV4, Type::STREAM, None).expect("one");
    stuck.set_recv_buffer_size(4096).expect("SO_RCVBUF");
    stuck.connect(&server.address.into()).expect("it accepts");
    let stuck = TcpStream::from(stuck);
    send(&stuck, b"Stuck\n");
    witness.hears_event("Stuck has joined. Member count=2");
    let mut talker = Member::join(&server, "Talker", 3);
    witness.hears_event("Talker has joined. Member count=3");
    let talk = thread::spawn(move || {
        let line = "x".repeat(4000) + "\n";
        for _ in 0..5000 {
            talker.sends(line.as_bytes());
        }
        talker
    });
    let console = thread::spawn(move || {
        server.wait_for(&event("Stuck has left. Member count=2"));
        server
    });
    let (mut longest, mut last) = (0, Instant::now());
    loop {
        let line = witness.next();
        longest = last.elapsed().as_millis().max(longest);
        last = Instant::now();
        if line.contains("Stuck has left. Member count=2") {
            break;
        }
    }
    assert!((4500..9000).contains(&longest), "{longest} ms of silence");
    drop(stuck);
    drop(console);
    drop(witness);
    drop(talk);
}
