//! The plain programs of tasks 1 to 3: the handout's dialogues, with each
//! other, with ours and with Python's, and what a first program must survive.

use harness::terminal::{self, Terminal};
use harness::{Server, half_close, python_server, receive_all, send, trickle};

use crate::{
    SECRET, answers_to, client_with, dialogue, ends_with, table, wait,
};

fn password_server() -> Server {
    let mut command = terminal::command("message-password-server");
    command.args(["127.0.0.1", "0"]).env("MESSAGE_SECRET", SECRET);
    Server::run(&mut command)
}

/// Types lines, ends the input, and waits for these lines of the client.
#[track_caller]
fn says(mut client: Terminal, lines: &str, answers: &[&str]) {
    client.type_bytes(lines.as_bytes()).expect("it reads");
    client.end_input();
    for answer in answers {
        wait(&mut client, &format!("server: {answer}"));
    }
    ends_with(client, 0);
}

#[test]
fn d_t1_1_the_plain_client_sends_until_the_user_stops() {
    let mut server = Server::start("message-open-server", &[]);
    says(server.client("message-plain-client", &[]), "one\ntwo\n", &[]);
    server.wait_for("[…] message 1 at …: one");
    server.wait_for("[…] message 2 at …: two");
    server.wait_for("[…] left: end of stream, messages: 2");
    let killed = server.client("message-plain-client", &[]);
    server.wait_for("[…] connected");
    killed.signal(rustix::process::Signal::KILL).expect("a signal");
    server.wait_for("[…] left: end of stream, messages: 0");
    // Another student's, in Python.
    let Some(mut theirs) = python_server("message/server.py", &["--reply"])
    else {
        return;
    };
    says(theirs.client("message-plain-client", &[]), "hello\n", &["ok"]);
    theirs.wait_for("message: hello");
}

#[test]
fn d_t2_1_the_plain_password_keeps_strangers_out() {
    let mut server = password_server();
    let owner = format!("LOGIN {SECRET}");
    let told = answers_to(&server, format!("{owner}\nhello\n").as_bytes());
    assert_eq!(told, "AUTH password\nOK logged in\n");
    server.wait_for("message: hello");
    let no = "AUTH password\nNO wrong secret: LOGIN <secret>\n";
    for first in ["hello", "LOGIN", "LOGIN ", "LOGIN open", "login x", "\x1b"] {
        let told = answers_to(&server, format!("{first}\nhello\n").as_bytes());
        assert_eq!(told, no, "{first}");
    }
    server.wait_for("[…] refused: \\x1b");
    says(
        server.client("message-plain-client", &[]),
        &format!("{owner}\nit is me\n"),
        &["AUTH password", "OK logged in"],
    );
    server.wait_for("message: it is me");
    // The robust client, and one of Python's, whose messages have no newline.
    let mut ours =
        client_with(&server, SECRET, &["--auth", "password", "--no-reply"]);
    wait(&mut ours, "server: OK logged in");
    let stream = server.connect();
    send(&stream, owner.as_bytes());
    assert_eq!(harness::receive_line(&stream), "AUTH password");
    assert_eq!(harness::receive_line(&stream), "OK logged in");
    send(&stream, b"bare");
    server.wait_for("message: bare");
    let mut empty = terminal::command("message-password-server");
    let mut empty =
        Terminal::run(empty.args(["127.0.0.1", "0"]).env("MESSAGE_SECRET", ""))
            .expect("it starts");
    wait(
        &mut empty,
        "Error: set a secret: MESSAGE_SECRET=… message-password-server",
    );
    ends_with(empty, 1);
    server.interrupt();
}

#[test]
fn d_t2_2_the_intruder_verifies_the_plain_password() {
    let server = password_server();
    let (host, port) = server.host_and_port();
    let mut command = terminal::command("message-intruder");
    command.args([&host, &port, "--patience", "0.5"]);
    command.env("MESSAGE_SECRET", SECRET);
    let mut intruder = Terminal::run(&mut command).expect("it starts");
    for (attack, result) in [
        ("(the owner, right secret)", "ACCEPTED"),
        ("no login, like nc", "refused"),
        ("an empty secret", "refused"),
        ("a wrong secret", "refused"),
        ("replay of a recorded login", "ACCEPTED"), // its limit
    ] {
        let line = format!("{attack}… {result}…");
        wait(&mut intruder, &line);
    }
}

#[test]
fn d_t3_3_the_plain_table_allows_three_and_refuses_the_fourth() {
    let mut server = Server::start("message-quota-server", &[]);
    let stop = "STOP sending: your quota is used up (3 of 3)";
    says(
        server.client("message-plain-client", &["--id", "alice"]),
        "one\ntwo\nthree\nfour\n",
        &["OK 3 left", "OK 2 left", "OK 1 left", "OK 0 left", stop],
    );
    server.wait_for("alice: three -> OK 0 left");
    // The count belongs to the ID: a new connection does not reset it.
    says(
        server.client("message-plain-client", &["--id", "alice"]),
        "again\n",
        &["OK 0 left", stop],
    );
    let carol = dialogue(&server.connect(), &["carol", "hello"]);
    let none = "STOP sending: your quota is used up (0 of 0)";
    assert_eq!(carol, ["OK 0 left", none]);
    server.interrupt();
}

#[test]
fn d_t3_4_the_robust_client_sends_more_than_the_plain_table_allows() {
    let server = Server::start("message-quota-server", &[]);
    let burst = ["--id", "bob", "--burst", "20"];
    let mut ours = server.client("message-client", &burst);
    wait(&mut ours, "20 sent: 5 accepted, 15 refused");
    ends_with(ours, 0);
}

#[test]
fn d_t3_5_the_plain_table_two_at_once_and_one_that_it_does_not_have() {
    let mut server = Server::start("message-quota-server", &[]);
    let told = answers_to(&server, b"ID mallory\nhello\n");
    assert_eq!(told, "UNKNOWN mallory is not in the table\n");
    // Bob twice at once, a byte at a time: one quota.
    let (one, two) = (server.connect(), server.connect());
    trickle(&one, b"ID bob\n");
    assert_eq!(harness::receive_line(&one), "OK 5 left");
    assert_eq!(dialogue(&two, &["bob", "a"]), ["OK 5 left", "OK 4 left"]);
    assert_eq!(dialogue(&one, &["b"]), ["OK 3 left"]);
    send(&one, b"half a mess");
    half_close(&one);
    assert_eq!(receive_all(&one), b"OK 2 left\n");
    harness::reset(two);
    server.wait_for("bob: half a mess -> OK 2 left");
    assert_eq!(answers_to(&server, b"bob\nc\n"), "OK 2 left\nOK 1 left\n");
    server.interrupt();
}

#[test]
fn d_t3_1_the_plain_table_and_the_handouts_python_both_ways() {
    let server = Server::start("message-quota-server", &[]);
    let arguments = ["--id", "alice", "--gap", "0"];
    let Some(theirs) = server.python("message/client.py", &arguments) else {
        return;
    };
    let stop = "STOP sending: …";
    let answers = ["OK 3 left", "OK 2 left", "OK 1 left", "OK 0 left", stop];
    says(theirs, "1\n2\n3\n4\n", &answers);
    let (_folder, file) = table("alice 1");
    let theirs = python_server("message/server.py", &["--quota", &file]);
    let theirs = theirs.expect("there is a Python");
    let mut ours = theirs.client("message-plain-client", &["--id", "alice"]);
    wait(&mut ours, "server: OK 1 left");
    ours.type_line("one").expect("it reads");
    wait(&mut ours, "server: OK 0 left");
    ours.type_line("two").expect("it reads");
    wait(&mut ours, "server: STOP sending, the quota is used up");
    ours.end_input();
    ends_with(ours, 0);
}
