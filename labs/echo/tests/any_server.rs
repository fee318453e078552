//! Proves that a server echoes every byte; CHECK=host:port runs this against
//! any echo server: `cargo test --test echo any_server`.

use std::thread;

use crate::all_bytes;
use harness::{Server, half_close, receive, send, trickle};

#[test]
fn e_t2_a_sentence_without_a_line_end_comes_back() {
    let server = Server::start_or_check("echo-server", &[]);
    let client = server.connect();
    send(&client, b"hello");
    assert_eq!(receive(&client, 5), b"hello", "answer what recv() gave");
}

#[test]
fn e_t2_echo_is_byte_exact() {
    let server = Server::start_or_check("echo-server", &[]);
    let client = server.connect();
    send(&client, &all_bytes());
    assert!(
        receive(&client, 256) == all_bytes(),
        "the echo was made of text: decode and encode lose bytes"
    );
}

#[test]
fn e_t2_one_byte_at_a_time() {
    let server = Server::start_or_check("echo-server", &[]);
    let client = server.connect();
    trickle(&client, b"one byte a segment");
    let echo = receive(&client, 18);
    assert_eq!(echo, b"one byte a segment", "one recv is not one send");
}

#[test]
fn e_t2_a_megabyte_comes_back_while_it_is_sent() {
    let server = Server::start_or_check("echo-server", &[]);
    let client = server.connect();
    let sent: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
    let (writer, data) = (client.try_clone().unwrap(), sent.clone());
    let writing = thread::spawn(move || {
        send(&writer, &data);
        half_close(&writer);
    });
    let echo = receive(&client, sent.len());
    assert!(echo == sent, "some of the bytes came back different");
    writing.join().expect("all was sent");
}

#[test]
fn e_t3_stopwatch_is_a_word_and_not_a_command() {
    let server = Server::start_or_check("echo-server", &[]);
    let client = server.connect();
    for word in ["stopwatch\n", " stop\n", "STOP\n", "exits\n", "xstop\n"] {
        send(&client, word.as_bytes());
        let echo = receive(&client, word.len());
        assert_eq!(echo, word.as_bytes(), "a prefix is not the command");
    }
}
