//! Proves that our TCP programs and Python's understand each other.

use std::thread;

use crate::{PROMPT, TCP, ask_tcp, own_listener, run_client};
use rustix::process::Signal;

use harness::{
    Server, dripping_server, python_server, receive_all, reset, send,
    strace_shows, trickle,
};

#[test]
fn w_k3_tcp_client_asks_and_prints_from_server() {
    let server = Server::start(TCP, &[]);
    let (printed, status) =
        run_client(&server, "uppercase-tcp-client", b"hello &*!\n");
    assert_eq!(printed, format!("{PROMPT}From Server: HELLO &*!\n"));
    assert_eq!(status, Some(0));
}

#[test]
fn w_k3_the_prompt_comes_before_the_typing() {
    let server = Server::start(TCP, &[]);
    let mut client = server.client("uppercase-tcp-client", &[]);
    client.read_prompt(PROMPT).expect("also when stdin is a pipe");
    client.type_line("hello").expect("it reads");
    let line = client.read_line().expect("a line");
    assert_eq!(line, Some("From Server: HELLO".into()));
}

#[test]
fn w_k3_an_empty_sentence_is_nothing_to_send_over_tcp() {
    let server = Server::start(TCP, &[]);
    for nothing in [b"\n".as_slice(), b""] {
        let (printed, status) =
            run_client(&server, "uppercase-tcp-client", nothing);
        assert!(printed.contains("there is nothing to answer"), "{printed}");
        assert_eq!(status, Some(0));
    }
}

#[test]
fn w_k3_our_tcp_client_is_answered_by_python() {
    let Some(server) = python_server("uppercase/tcp_server.py", &[]) else {
        return;
    };
    let (printed, status) =
        run_client(&server, "uppercase-tcp-client", "née\n".as_bytes());
    assert_eq!(printed, format!("{PROMPT}From Server: NéE\n"));
    assert_eq!(status, Some(0));
    // It calls recv(1024) once: a longer sentence gets a part of an answer.
    let (printed, status) =
        run_client(&server, "uppercase-tcp-client", &[b'x'; 3000]);
    let part = format!("From Server: {}\n", "X".repeat(1024));
    assert!(printed.contains(&part), "{printed}");
    assert!(printed.contains("answered 1024 of 3000 bytes"), "{printed}");
    assert_eq!(status, Some(1));
}

#[test]
fn w_k3_a_server_that_does_not_close_is_not_waited_for() {
    let (listener, place) = own_listener();
    let mut client = place.client("uppercase-tcp-client", &[]);
    client.type_line("stay").expect("it reads");
    let (peer, _) = listener.accept().expect("a client");
    assert_eq!(receive_all(&peer), b"stay", "no line end, then FIN");
    trickle(&peer, b"STAY");
    client.wait_for("…From Server: STAY").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn w_k3_an_answer_that_drips_is_left() {
    let server = dripping_server();
    let mut client = server.client("uppercase-tcp-client", &["--wait", "500"]);
    client.type_line(&"x".repeat(500)).expect("it reads");
    client.wait_for("…Error: recv(…): …").expect("one deadline for all");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    // The same when the sentence is answered, and more comes.
    let mut client = server.client("uppercase-tcp-client", &[]);
    client.type_line("x").expect("it reads");
    client.wait_for("…From Server: x…").expect("an answer");
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn w_k3_an_endless_answer_is_cut() {
    let (listener, place) = own_listener();
    let mut client = place.client("uppercase-tcp-client", &[]);
    client.type_line("flood").expect("it reads");
    let (mut peer, _) = listener.accept().expect("a client");
    let flood = thread::spawn(move || {
        while std::io::Write::write(&mut peer, &[b'X'; 4096]).is_ok() {}
    });
    client.wait_for("…Error: the server sent more than 1039 bytes …").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
    flood.join().expect("the flood ends with its reader");
}

#[test]
fn w_k3_a_server_that_hangs_up_is_explained() {
    let (listener, place) = own_listener();
    let mut client = place.client("uppercase-tcp-client", &[]);
    client.read_prompt(PROMPT).expect("the prompt");
    reset(listener.accept().expect("a client").0);
    client.type_line("too late").expect("it reads");
    client.wait_for("Error: …").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn w_k4_tcp_server_says_that_it_is_ready_and_answers_python() {
    let mut server = Server::start(TCP, &[]);
    let line = server.console().read_line().expect("a line");
    assert_eq!(line, Some("The server is ready to receive".into()));
    // Without a line end, and it waits for the answer before it closes.
    for sentence in ["hello", "grün"] {
        let client = server.python("uppercase/tcp_client.py", &[sentence]);
        let Some(mut client) = client else { return };
        let answer = sentence.to_ascii_uppercase();
        client.wait_for(&format!("From Server: {answer}")).unwrap();
    }
    // It reads once and closes with unread bytes: RST for us.
    let long = "x".repeat(100_000);
    let client = server.python("uppercase/tcp_client.py", &[&long]);
    let mut client = client.expect("python3 was there");
    client.wait_for("From Server: X…").unwrap();
    assert_eq!(ask_tcp(&server, b"next"), b"NEXT");
    server.interrupt();
}

#[test]
fn w_k4_once_is_the_letter_of_the_skeleton() {
    let mut server = Server::start(TCP, &["--once"]);
    let client = server.connect();
    send(&client, &[b'y'; 1024]);
    assert_eq!(receive_all(&client), [b'Y'; 1024], "closed after one answer");
    // A silent client keeps the next one waiting, connected and unserved.
    let silent = server.connect();
    let waiting = server.connect();
    send(&waiting, b"my turn?");
    drop(silent);
    assert_eq!(receive_all(&waiting), b"MY TURN?");
    server.wait_for("[…] 8 bytes answered");
    server.interrupt();
}

#[test]
fn w_k4_steps_are_the_system_calls_in_the_order_of_the_banners() {
    strace_shows(TCP, &["socket", "setsockopt", "bind", "listen", "accept4"]);
}

#[test]
fn w_k3_a_refusal_is_not_an_answer() {
    let server = Server::start(TCP, &["--max-clients", "1"]);
    let first = server.connect();
    send(&first, b"x");
    assert_eq!(harness::receive(&first, 1), b"X", "it is served");
    let (printed, status) =
        run_client(&server, "uppercase-tcp-client", b"hello\n");
    let told = "Error: the server refused: no room, try again later";
    assert!(printed.contains(told), "{printed}");
    assert!(!printed.contains("\\n"), "{printed}");
    assert!(!printed.contains("From Server"), "{printed}");
    assert_eq!(status, Some(1));
    // Other servers' words, and an answer that ends with a newline.
    for (said, told, status) in [
        ("come back at 9\r\n", "Error: the server refused: come back at 9", 1),
        ("HELLO\n", "From Server: HELLO", 0),
    ] {
        let (listener, place) = own_listener();
        let mut client = place.client("uppercase-tcp-client", &[]);
        client.type_line("hello").expect("it reads");
        let (peer, _) = listener.accept().expect("a client");
        send(&peer, said.as_bytes());
        drop(receive_all(&peer));
        drop(peer);
        client.wait_for(&format!("…{told}")).unwrap();
        let ended = client.wait_for_end().expect("it ends");
        assert_eq!(ended.code(), Some(status), "{said:?}");
    }
}

#[test]
fn w_k3_retry_waits_for_a_server_that_starts_later() {
    let (place, held) = crate::nobodys_port();
    let mut client = place.client("uppercase-tcp-client", &["--retry", "60"]);
    client.wait_for("no server listens there yet: …").unwrap();
    held.listen(5).expect("it listens");
    let listener = std::net::TcpListener::from(held);
    client.type_line("hello").expect("it reads");
    let (peer, _) = listener.accept().expect("a client");
    assert_eq!(receive_all(&peer), b"hello");
    send(&peer, b"HELLO");
    drop(peer);
    client.wait_for("…From Server: HELLO").unwrap();
}

#[test]
fn w_k4_the_console_prints_a_message_complete_up_to_4_kib() {
    let mut server = Server::start(TCP, &[]);
    let sentence = "abcdefgh".repeat(512);
    assert_eq!(ask_tcp(&server, sentence.as_bytes()).len(), 4096);
    // A segment of this size comes in one piece on the loopback.
    server.wait_for(&format!("[…] 4096 bytes: {sentence}"));
    let longer = "x".repeat(5000);
    ask_tcp(&server, longer.as_bytes());
    server.wait_for("[…] 5000 bytes: xxx…x… and 904 bytes more");
}

#[test]
fn w_k4_a_conversation_that_the_server_ends_is_told_as_that() {
    let mut server = Server::start(TCP, &[]);
    let client = server.connect();
    send(&client, b"x");
    assert_eq!(harness::receive(&client, 1), b"X");
    server.console().signal(Signal::TERM).expect("a signal");
    server.wait_for("[…] cut by the stop");
    // And one that its client ends.
    let mut server = Server::start(TCP, &[]);
    drop(server.connect());
    server.wait_for("[…] left: end of stream");
}
