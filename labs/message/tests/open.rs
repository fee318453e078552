//! Task 1: many messages, each of them printed; another student's programs at
//! the other end.

use harness::terminal;
use rustix::process::Signal;

use crate::{LONG_LINE, answers_to, ends_with, wait};
use harness::{
    Server, half_close, python_server, reset, send, strace_shows, trickle,
};

#[test]
fn d_t1_1_many_messages_one_by_one_until_ctrl_d() {
    let mut server = Server::start("message-open-server", &[]);
    let mut client = server.client("message-client", &[]);
    for number in 1..=10 {
        client.type_line(&format!("line {number}")).expect("it reads");
        server.wait_for(&format!("[…] message {number} at …: line {number}"));
    }
    client.end_input();
    wait(&mut client, "leaving; messages sent: 10");
    ends_with(client, 0);
    server.wait_for("[…] left: end of stream, messages: 10");
}

#[test]
fn d_t1_1_the_client_may_stop_at_any_time_in_any_way() {
    let mut server = Server::start("message-open-server", &[]);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL] {
        let mut client = server.client("message-client", &[]);
        client.type_line("last words").expect("it reads");
        server.wait_for("[…] message 1 at …: last words");
        client.signal(signal).expect("a signal");
        // Even after kill -9: the kernel closes for the dead.
        server.wait_for("[…] left: end of stream, messages: 1");
    }
    let mut nothing = server.client("message-client", &[]);
    nothing.end_input();
    ends_with(nothing, 0);
    server.wait_for("[…] left: end of stream, messages: 0");
    let stream = server.connect();
    send(&stream, b"and then\n");
    server.wait_for("[…] message 1 at …: and then");
    reset(stream);
    server.wait_for("[…] lost: recv(…): … (ECONNRESET). …");
}

#[test]
fn d_t1_1_long_empty_and_foreign_messages_are_survived() {
    let mut server = Server::start("message-open-server", &[]);
    let stream = server.connect();
    send(&stream, &[&vec![b'x'; 100 * 1024][..], b"\n"].concat());
    server.wait_for("[…] message 1 at …: xxx…x…… and 98304 bytes more");
    send(&stream, "\nhéllo ß €\n".as_bytes());
    server.wait_for("[…] message 2 at …: ");
    server.wait_for("[…] message 3 at …: héllo ß €");
    send(&stream, &[&vec![b'y'; LONG_LINE + 1][..], b"\nok\n"].concat());
    server.wait_for("[…] message 4 at …: (too long: discarded)");
    server.wait_for("[…] message 5 at …: ok");
}

#[test]
fn d_t1_2_two_messages_in_one_segment_print_as_two() {
    let mut server = Server::start("message-open-server", &[]);
    send(&server.connect(), b"one\r\ntwo\nthree");
    for text in ["1 at …: one", "2 at …: two", "3 at …: three"] {
        server.wait_for(&format!("[…] message {text}"));
    }
    server.wait_for("[…] left: end of stream, messages: 3");
}

#[test]
fn d_t1_2_a_message_in_many_segments_prints_once() {
    let mut server = Server::start("message-open-server", &[]);
    let stream = server.connect();
    trickle(&stream, b"a byte at a time\n");
    server.wait_for("[…] message 1 at …: a byte at a time");
    half_close(&stream);
    server.wait_for("[…] left: end of stream, messages: 1");
}

#[test]
fn d_t1_2_peer_number_and_time_stand_before_each_message() {
    let mut server = Server::start("message-open-server", &[]);
    let stream = server.connect();
    let peer = stream.local_addr().expect("an address");
    send(&stream, b"now\n");
    let line = server.wait_for(&format!("[{peer}] message 1 at …: now"));
    let time = line.split(" at ").nth(1).expect("a time");
    let time: Vec<&str> = time.split(": ").next().unwrap().split(':').collect();
    let numbers: Vec<u32> = time.iter().flat_map(|n| n.parse()).collect();
    assert!(
        matches!(numbers[..], [0..24, 0..60, 0..=60])
            && time.iter().all(|part| part.len() == 2),
        "HH:MM:SS in {line}"
    );
}

#[test]
fn d_t1_2_control_characters_are_shown_not_obeyed() {
    let mut server = Server::start("message-open-server", &[]);
    send(&server.connect(), b"\x1b[2J\x07\xff\n");
    server.wait_for("[…] message 1 at …: \\x1b[2J\\x07\\xff");
}

#[test]
fn d_t1_2_the_open_server_answers_nothing() {
    let server = Server::start("message-open-server", &[]);
    assert_eq!(answers_to(&server, b"hello\nare you there?\n"), "");
}

#[test]
fn d_t1_3_our_client_and_another_students_server() {
    // recv() is the message there: no line end, and a pause between.
    let Some(mut theirs) = python_server("message/server.py", &[]) else {
        return;
    };
    let bare = ["--eol", "none", "--gap", "1"];
    let mut ours = theirs.client("message-client", &bare);
    ours.type_bytes(b"hello\n\nagain\n").expect("it reads");
    ours.end_input();
    theirs.wait_for("message: hello");
    theirs.wait_for("message: again");
    wait(&mut ours, "nothing sent: the message is empty, without a newline");
    ends_with(ours, 0);
    theirs.wait_for("client left");

    let mut theirs = python_server("message/server.py", &["--reply"]).unwrap();
    for eol in ["none", "lf", "crlf"] {
        let arguments = ["--eol", eol, "--expect-reply"];
        let mut ours = theirs.client("message-client", &arguments);
        ours.type_line("hello").expect("it reads");
        wait(&mut ours, "server: ok");
        theirs.wait_for("message: hello");
        ours.end_input();
        ends_with(ours, 0);
    }
}

#[test]
fn d_t1_3_another_students_client_and_our_server() {
    let mut ours = Server::start("message-open-server", &[]);
    let Some(mut theirs) = ours.python("message/client.py", &["--gap", "1"])
    else {
        return;
    };
    theirs.type_line("hello").expect("it reads");
    theirs.type_line("no newline").expect("it reads");
    ours.wait_for("[…] message 1 at …: hello (ended by a pause)");
    theirs.end_input();
    ours.wait_for("[…] message 2 at …: no newline…");
    ours.wait_for("[…] left: end of stream, messages: 2");
}

#[test]
fn d_t1_1_the_steps_are_the_system_calls_in_this_order() {
    let calls = ["socket", "setsockopt", "bind", "listen", "accept4"];
    for program in ["message-open-server", "message-server"] {
        strace_shows(program, &calls);
    }
}

#[test]
fn d_t1_1_close_is_traced_when_the_descriptor_is_closed() {
    // Their FIN unanswered is CLOSE_WAIT. Ours makes it LAST_ACK, or over.
    for (program, step) in [("message-open-server", 6), ("message-server", 7)] {
        let mut command = terminal::command(program);
        command.args(["127.0.0.1", "0"]).env("TRACE", "1");
        let mut server = Server::run(&mut command);
        answers_to(&server, b"hello\n");
        let closed = format!("trace server {step} close(…) = 0 …");
        let line = server.wait_for(&closed);
        assert!(!line.ends_with("CLOSE_WAIT"), "{line}");
    }
}
