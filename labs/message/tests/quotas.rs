//! Task 3: who may send how much.

use std::fs;
use std::path::Path;

use harness::terminal::{self, Terminal};
use rustix::process::Signal;

use crate::{
    LONG_LINE, answers_to, dialogue, ends_with, table, wait, with_quota,
};
use harness::{
    Server, installed, python_server, receive_line, reset, send, trickle,
};
use message::quota::{Quota, QuotaReply};

#[test]
fn d_t3_1_the_table_comes_from_a_file_and_is_printed_on_demand() {
    let mut server = with_quota("alice 3 # three\n\nbob 12", &["--show-table"]);
    server.wait_for("client ID  allowed  sent  left");
    server.wait_for("alice            3     0     3");
    server.wait_for("bob             12     0    12");
    let alice = server.connect();
    dialogue(&alice, &["ID alice", "hello"]);
    server.console().signal(Signal::USR1).expect("a signal");
    server.wait_for("client ID  allowed  sent  left");
    server.wait_for("alice            3     1     2");
    drop(alice);
    server.wait_for("[…] left: end of stream, messages: 1 accepted, 0 refused");
    server.wait_for("alice            3     1     2");
    server.interrupt();
    let mut open = Server::start("message-server", &[]);
    open.console().signal(Signal::USR1).expect("a signal");
    open.wait_for("no table: start with --quota FILE");
}

#[test]
fn x_thread_a_signal_prints_the_table_and_the_threads() {
    let mut server = with_quota("alice 3", &[]);
    let alice = server.connect();
    dialogue(&alice, &["ID alice"]);
    let peer = alice.local_addr().expect("an address");
    server.console().signal(Signal::USR1).expect("a signal");
    // Two threads print: in any order.
    let mut wanted = vec![
        "alice            3     0     3".to_string(),
        "threads: …".to_string(),
        format!("…{peer}…"),
    ];
    while !wanted.is_empty() {
        let line = server.wait_for("…");
        wanted.retain(|pattern| !terminal::matches(pattern, &line));
    }
    assert_eq!(dialogue(&alice, &["hello"]), ["OK 2 left"], "it goes on");
}

#[test]
fn d_t1_1_the_console_says_who_ended_the_session() {
    for program in ["message-server", "message-open-server"] {
        let mut server = Server::start(program, &[]);
        let (one, _two) = (server.connect(), server.connect());
        let peer = one.local_addr().expect("an address");
        drop(one);
        server.wait_for(&format!("[{peer}] left: end of stream, …"));
        server.console().signal(Signal::INT).expect("a signal");
        server.wait_for("[…] cut by the stop, …");
        server.wait_for("bye");
    }
}

#[test]
fn d_t3_1_a_row_that_makes_no_sense_is_named_by_its_line() {
    for (text, problem) in [
        ("a 1\nb two", ":2: 'two' is not a number of messages"),
        ("a 1\n\nb -1", ":3: '-1' is not a number of messages"),
        ("a 99999999999999999999", ":1: '9…9' is not a number of messages"),
        ("a 1 2", ":1: want two words: ID NUMBER"),
        ("a", ":1: want two words: ID NUMBER"),
        ("a 1\na 2 # twice", ":2: 'a' has a row already"),
        ("# nothing", ":1: no rows: nobody could send anything"),
        ("a 1\nalice, 3", ":2: the ID is alice,? Want ID NUMBER, …"),
        ("alice: 3", ":1: the ID is alice:? …"),
        ("\"alice\" 3", ":1: the ID is \"alice\"? …"),
        ("alice;\t3", ":1: the ID is alice;? …"),
        ("alice,3", ":1: want two words: ID NUMBER"),
        ("alice 3,", ":1: '3,' is not a number of messages"),
    ] {
        let (_folder, file) = table(text);
        let arguments = ["127.0.0.1", "0", "--quota", &file];
        let mut server = Terminal::start("message-server", arguments).unwrap();
        wait(&mut server, &format!("Error: {file}{problem}"));
        ends_with(server, 1);
    }
    let (_folder, file) = table("a 1\n\nb 2\n");
    fs::write(&file, b"a 1\n\nzo\xeb 2\n").expect("a file");
    let arguments = ["127.0.0.1", "0", "--quota", &file];
    let mut server = Terminal::start("message-server", arguments).unwrap();
    wait(&mut server, &format!("Error: {file}:3: not UTF-8: …"));
    ends_with(server, 1);
    for (file, problem) in [
        ("/tmp", "Error: /tmp is a directory, not a file"),
        ("/nowhere", "Error: open(/nowhere): … (ENOENT). …"),
        ("/dev/zero", "Error: /dev/zero: …"),
    ] {
        let arguments = ["127.0.0.1", "0", "--quota", file];
        let mut server = Terminal::start("message-server", arguments).unwrap();
        wait(&mut server, problem);
        ends_with(server, 1);
    }
}

#[test]
fn d_t3_1_a_table_that_an_editor_on_windows_wrote() {
    let server = with_quota("\u{feff}alice 1\r\nbob 2\r\n", &[]);
    assert_eq!(dialogue(&server.connect(), &["ID alice"]), ["OK 1 left"]);
    assert_eq!(dialogue(&server.connect(), &["ID bob"]), ["OK 2 left"]);
}

#[test]
fn d_t3_2_the_id_comes_first_marked_or_bare() {
    let mut server = with_quota("alice 3\nzoë 1", &[]);
    let stream = server.connect();
    assert_eq!(dialogue(&stream, &["ID alice"]), ["OK 3 left"]);
    assert_eq!(dialogue(&server.connect(), &["alice"]), ["OK 3 left"]);
    assert_eq!(dialogue(&server.connect(), &["ID zoë\r"]), ["OK 1 left"]);
    server.wait_for("[…] is alice, 3 left");
    // Without a newline, as the handout's students send it.
    let bare = server.connect();
    send(&bare, b"ID alice");
    assert_eq!(receive_line(&bare), "OK 3 left");
    send(&bare, b"hello");
    assert_eq!(receive_line(&bare), "OK 2 left");
    server.wait_for("[…] alice 1 at …: hello (ended by a pause)");
}

#[test]
fn d_t3_2_our_client_without_an_id_is_told_of_the_option() {
    let server = with_quota("alice 3", &[]);
    for first in ["hello", "hello, server"] {
        let mut client = server.client("message-client", &[]);
        client.type_line(first).expect("it reads");
        let hint = "the server wants to know who you are: see --id in --help";
        wait(&mut client, hint);
        ends_with(client, 1);
    }
}

#[test]
fn d_t3_2_what_is_no_id_is_refused_and_told_why() {
    let mut server = with_quota("alice 3", &[]);
    let long = "x".repeat(10_000);
    let longest = "x".repeat(LONG_LINE + 10);
    for (first, answer) in [
        ("", "NO your ID is empty: send ID <id>"),
        ("ID", "NO your ID is empty: send ID <id>"),
        ("ID  ", "NO your ID is empty: send ID <id>"),
        ("ID al ice", "NO an ID has no spaces"),
        ("hello, server", "NO your ID comes first: send ID <id>"),
        (&long, "NO your ID is longer than 64 bytes"),
        (&longest, "NO that is too long"),
        ("ID al\x1bice", "NO an ID is plain printable text"),
    ] {
        let all = format!("{first}\nand a message\n");
        let told = answers_to(&server, all.as_bytes());
        assert_eq!(told, format!("{answer}\n"));
        server.wait_for(&format!("[…] refused: {answer}"));
    }
    let told = answers_to(&server, b"ID \xff\n");
    assert_eq!(told, "NO an ID is plain printable text\n");
    assert_eq!(answers_to(&server, b""), "");
    server.wait_for("[…] left: end of stream, before it was let in");
}

#[test]
fn d_t3_3_message_n_is_accepted_and_n_plus_1_told_to_stop() {
    let mut server = with_quota("alice 3\ncarol 0", &[]);
    let alice = server.connect();
    let answers = dialogue(&alice, &["ID alice", "1", "2", "3", "4", "5"]);
    let stop = "STOP sending: your quota is used up (3 of 3)";
    let wanted =
        ["OK 3 left", "OK 2 left", "OK 1 left", "OK 0 left", stop, stop];
    assert_eq!(answers, wanted, "the connection stays open after STOP");
    server.wait_for("[…] alice 3 at …: 3");
    server.wait_for("[…] alice 4 at … refused: STOP …");
    server.wait_for("[…] alice 5 at … refused: STOP …");
    let carol = dialogue(&server.connect(), &["ID carol", "hello"]);
    let wanted = ["OK 0 left", "STOP sending: your quota is used up (0 of 0)"];
    assert_eq!(carol, wanted);
}

#[test]
fn d_t3_3_a_quota_of_n_is_n_messages() {
    let (_folder, file) = table("a 2");
    let quota = Quota::read(Path::new(&file)).expect("a table");
    assert_eq!(quota.spend("a"), QuotaReply::Accepted { left: 1 });
    assert_eq!(quota.spend("a"), QuotaReply::Accepted { left: 0 });
    assert_eq!(quota.spend("a"), QuotaReply::Stop { allowed: 2 });
    assert_eq!(quota.spend("b"), QuotaReply::Unknown);
    assert_eq!((quota.left("a"), quota.left("b")), (Some(0), None));
    assert!(quota.table().ends_with("2     2     0"), "{}", quota.table());
    let free = QuotaReply::Free.to_string();
    assert_eq!(free, "OK", "what a server without a table says");
}

#[test]
fn d_t3_4_the_client_sends_more_than_it_may() {
    let server = with_quota("alice 3", &[]);
    let burst = ["--id", "alice", "--burst", "10"];
    let mut client = server.client("message-client", &burst);
    wait(&mut client, "server: OK 3 left");
    wait(&mut client, "server: STOP sending: your quota is used up (3 of 3)");
    wait(&mut client, "10 sent: 3 accepted, 7 refused");
    ends_with(client, 0);
    let mut typist = server.client("message-client", &["--id", "alice"]);
    typist.type_line("once more").expect("it reads");
    wait(&mut typist, "server: OK 0 left");
    wait(&mut typist, "server: STOP sending: your quota is used up (3 of 3)");
    typist.end_input();
    ends_with(typist, 0);
}

#[test]
fn d_t3_5_an_id_that_is_not_in_the_table_gets_its_own_refusal() {
    let mut server = with_quota("alice 3", &[]);
    let told = answers_to(&server, b"ID mallory\nhello\n");
    assert_eq!(told, "UNKNOWN mallory is not in the table\n");
    server.wait_for("[…] refused: UNKNOWN mallory is not in the table");
    let mut client = server.client("message-client", &["--id", "Alice"]);
    wait(&mut client, "server: UNKNOWN Alice is not in the table");
    ends_with(client, 1);
}

#[test]
fn d_t3_2_messages_that_ran_together_are_told_from_an_unknown_id() {
    let server = with_quota("solo 1\nalice 3", &[]);
    let hint = "two messages run together? end each with a newline";
    for (first, answer) in [
        ("solohello", "UNKNOWN solohello is not in the table"),
        ("ID alicehello", "UNKNOWN alicehello is not in the table"),
        ("ID alicehello there", "NO an ID has no spaces"),
        ("alicehello, server", "NO your ID comes first: send ID <id>"),
    ] {
        // In one segment, as two send() without newlines arrive.
        let told = answers_to(&server, first.as_bytes());
        assert_eq!(told, format!("{answer}: {hint}\n"));
    }
    let told = answers_to(&server, b"ID mallory\n");
    assert_eq!(told, "UNKNOWN mallory is not in the table\n");
}

#[test]
fn d_t3_5_two_connections_share_a_quota_and_a_restart_resets_it() {
    let (_folder, file) = table("alice 3\nbob 1");
    let arguments = ["--quota", &file];
    let server = Server::start("message-server", &arguments);
    let (one, two) = (server.connect(), server.connect());
    assert_eq!(dialogue(&one, &["ID alice", "a"])[1], "OK 2 left");
    assert_eq!(dialogue(&two, &["ID alice", "b"]), ["OK 2 left", "OK 1 left"]);
    assert_eq!(dialogue(&one, &["c", "d"])[0], "OK 0 left");
    drop((one, two));
    // Leaving and coming back does not help; bob is not concerned.
    let back = dialogue(&server.connect(), &["ID alice", "e"]);
    assert_eq!(back[0], "OK 0 left");
    assert!(back[1].starts_with("STOP"), "{back:?}");
    assert_eq!(dialogue(&server.connect(), &["ID bob"]), ["OK 1 left"]);
    drop(server);
    let server = Server::start("message-server", &arguments);
    assert_eq!(dialogue(&server.connect(), &["ID alice"]), ["OK 3 left"]);
}

#[test]
fn d_t3_a_poor_network_changes_nothing() {
    let mut server = with_quota("alice 9", &[]);
    let stream = server.connect();
    trickle(&stream, b"ID alice\r\nhello\r\n");
    assert_eq!(receive_line(&stream), "OK 9 left");
    assert_eq!(receive_line(&stream), "OK 8 left");
    // All in one segment, and a half-close after the last word.
    let told = answers_to(&server, b"ID alice\none\n\ntwo");
    assert_eq!(told, "OK 8 left\nOK 7 left\nOK 6 left\nOK 5 left\n");
    server.wait_for("[…] alice 3 at …: two");
    let too_long = [b"y".repeat(LONG_LINE + 1), b"\nok\n".to_vec()].concat();
    send(&stream, &too_long);
    assert_eq!(receive_line(&stream), "NO longer than 131072 bytes");
    assert_eq!(receive_line(&stream), "OK 4 left", "it was not counted");
    reset(stream);
    server.wait_for("[…] lost: recv(…): … (ECONNRESET). …");
    let mut killed = server.client("message-client", &["--id", "alice"]);
    killed.type_line("last words").expect("it reads");
    server.wait_for("[…] alice 1 at …: last words");
    // With the answer unread, its end would be an RST.
    wait(&mut killed, "…3 left…");
    killed.signal(Signal::KILL).expect("a signal");
    server.wait_for("[…] left: end of stream, messages: 1 accepted, 0 refused");
    assert_eq!(dialogue(&server.connect(), &["alice"]), ["OK 3 left"]);
}

#[test]
fn d_t3_python_client_and_our_server() {
    let mut ours = with_quota("alice 2", &[]);
    let arguments = ["--id", "alice", "--gap", "0"];
    let Some(mut theirs) = ours.python("message/client.py", &arguments) else {
        return;
    };
    theirs.type_bytes(b"one\ntwo\nthree\n").expect("it reads");
    theirs.end_input();
    for answer in ["OK 2 left", "OK 1 left", "OK 0 left", "STOP sending: …"] {
        wait(&mut theirs, &format!("server: {answer}"));
    }
    ends_with(theirs, 0);
    ours.wait_for("[…] alice 2 at …: two (ended by a pause)");
    let nobody = ["--id", "mallory"];
    let mut theirs = ours.python("message/client.py", &nobody).unwrap();
    wait(&mut theirs, "server: UNKNOWN mallory is not in the table");
}

#[test]
fn d_t3_our_client_and_a_python_server() {
    let (_folder, file) = table("alice 2");
    let Some(mut theirs) =
        python_server("message/server.py", &["--quota", &file])
    else {
        return;
    };
    let arguments = ["--id", "alice", "--eol", "none", "--burst", "3"];
    let mut ours = theirs.client("message-client", &arguments);
    wait(&mut ours, "server: OK 2 left");
    wait(&mut ours, "server: STOP sending, the quota is used up");
    wait(&mut ours, "3 sent: 2 accepted, 1 refused");
    ends_with(ours, 0);
    theirs.wait_for("message: message 2");
}

#[test]
fn d_t3_nc_is_a_client() {
    if !installed("nc", "netcat-openbsd") {
        return;
    }
    let mut server = with_quota("alice 1", &[]);
    let mut nc = server.client("nc", &[]);
    for (line, answer) in
        [("ID alice", "OK 1 left"), ("hi", "OK 0 left"), ("hi", "STOP …")]
    {
        nc.type_line(line).expect("it reads");
        wait(&mut nc, answer);
    }
    server.wait_for("[…] alice 1 at …: hi");
}
