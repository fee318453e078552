//! The client against servers that it does not know.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use harness::terminal::Terminal;

use crate::foreign::{for_ever, foreign, now_and_then};
use crate::{LONG_LINE, ends_with, wait};
use harness::receive_line;

#[test]
fn d_t1_3_what_is_not_text_is_shown_in_hexadecimal() {
    let theirs = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = theirs.local_addr().expect("an address");
    let arguments = [&place.ip().to_string(), &place.port().to_string()];
    let mut ours = Terminal::start("message-client", arguments).unwrap();
    let (mut peer, _) = theirs.accept().expect("a client");
    peer.write_all(b"\0\0\0\x05hello").expect("it takes bytes");
    wait(&mut ours, "server: 9 bytes, not text:");
    wait(&mut ours, "  0000  00 00 00 05 68 65 6c 6c 6f …  ....hello");
    drop(peer);
    wait(&mut ours, "Error: the server has closed");
    ends_with(ours, 1);
}

#[test]
fn d_t1_3_lines_without_end_are_answers_and_keep_nobody() {
    let long = [&vec![b'x'; LONG_LINE + 1][..], b"\n"].concat();
    let theirs = foreign(move |client| for_ever(client, &long));
    let mut ours = theirs.client("message-client", &["--id", "bob"]);
    wait(&mut ours, "server: (longer than 131072 bytes: discarded)");
    wait(&mut ours, "Error: the server did not let us in");
    ends_with(ours, 1);
}

#[test]
fn d_t1_3_a_greeting_comes_once_and_the_next_is_an_answer() {
    let theirs = foreign(|client| now_and_then(client, b"AUTH x\n"));
    let mut ours = theirs.client("message-client", &["--id", "bob"]);
    for line in [
        "server: AUTH x",
        "the server wants a login: see --auth in --help",
        "server: AUTH x",
        "Error: the server did not let us in",
    ] {
        let printed = ours.read_line().expect("it goes on");
        assert_eq!(printed.as_deref(), Some(line));
    }
    ends_with(ours, 1);
}

#[test]
fn d_t1_3_a_silent_server_is_named_and_its_late_answer_is_no_new_one() {
    let (go_on, word) = channel::<Sender<()>>();
    let word = Mutex::new(word);
    let theirs = foreign(move |mut client| {
        let told = client.try_clone()?;
        assert_eq!(receive_line(&told), "one");
        let sent = word.lock().expect("a lock").recv().expect("a word");
        client.write_all(b"OK one\n")?;
        sent.send(()).expect("it waits");
        assert_eq!(receive_line(&told), "two");
        client.write_all(b"OK two\n")?;
        client.read(&mut [0]).map(drop)
    });
    let mut ours = theirs.client("message-client", &["--expect-reply"]);
    ours.type_line("one").expect("it reads");
    wait(&mut ours, "no complete answer within 3 s; answers due: 1");
    let (sent, late) = channel();
    go_on.send(sent).expect("it waits");
    late.recv().expect("a late answer");
    ours.type_line("two").expect("it reads");
    wait(&mut ours, "server, late: OK one");
    wait(&mut ours, "server: OK two");
    ours.end_input();
    ends_with(ours, 0);
}

#[test]
fn d_t3_4_a_burst_counts_late_answers_too() {
    let theirs = foreign(|mut client| {
        let told = client.try_clone()?;
        for answers in ["", "STOP\nOK\n", "OK\n", ""] {
            receive_line(&told);
            client.write_all(answers.as_bytes())?;
        }
        Ok(())
    });
    let mut ours = theirs.client("message-client", &["--burst", "9"]);
    wait(&mut ours, "server, one of 2 due: STOP");
    let sum = "4 sent: 2 accepted, 1 refused, 1 without an answer";
    wait(&mut ours, sum);
    wait(&mut ours, "Error: the server has closed");
    ends_with(ours, 1);
}

#[test]
fn d_t1_3_a_server_that_answers_nothing_is_explained_once() {
    let theirs = foreign(|mut client| {
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).map(drop)
    });
    let mut ours = theirs.client("message-client", &["--id", "bob"]);
    wait(&mut ours, "no complete answer within 3 s; answers due: 1");
    wait(&mut ours, "perhaps this server never replies, see --no-reply, or it");
    wait(&mut ours, "Error: the server did not let us in");
    ends_with(ours, 1);
}

#[test]
fn d_t1_3_a_server_that_takes_one_recv_for_a_message_gets_the_id_alone() {
    let (told, received) = channel();
    let told = Mutex::new(told);
    let theirs = foreign(move |mut client| {
        let mut first = [0; 1024];
        let count = client.read(&mut first)?;
        let told = told.lock().expect("a lock");
        told.send(first[..count].to_vec()).expect("it waits");
        client.read_to_end(&mut Vec::new()).map(drop)
    });
    for (eol, first) in [("lf", &b"ID bob\n"[..]), ("none", b"ID bob")] {
        let arguments = ["--id", "bob", "--no-reply", "--eol", eol];
        // A server that gets no processor for 0.3 s hears both as one.
        let alone = (0..5).any(|_| {
            let mut ours = theirs.client("message-client", &arguments);
            ours.type_bytes(b"one\ntwo\n").expect("it reads");
            ours.end_input();
            let heard = received.recv().expect("the ID");
            ends_with(ours, 0);
            heard == first
        });
        assert!(alone, "--eol {eol}");
    }
}

#[test]
fn d_t1_3_retry_waits_for_a_server_that_is_started_later() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port().to_string();
    drop(nobody);
    let arguments = ["127.0.0.1", &port, "--retry", "60"];
    let mut ours = Terminal::start("message-client", arguments).unwrap();
    wait(&mut ours, "no server listens there yet: … s to go");
    let arguments = ["127.0.0.1", &port];
    let mut server = Terminal::start("message-open-server", arguments).unwrap();
    ours.type_line("hello").expect("it reads");
    wait(&mut server, "[…] message 1 at …: hello");
    ours.end_input();
    ends_with(ours, 0);
}
