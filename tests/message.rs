//! The message lab, black box: task 1 open, task 2 the rungs, task 3 the
//! quota; Python peers, nc, and the UNIX commands of the optional tasks.

mod support;

// Whole modules of the lab that need no socket to be tested.
#[path = "../labs/message/guess.rs"]
mod guess;
#[path = "../labs/message/quota.rs"]
mod quota;

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv6Addr, Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use guess::{Guesses, Outcome};
use quota::{Quota, Verdict};
use rustix::process::Signal;
use socketlab::terminal::{self, Terminal};
use socketlab::{house, viva};
use support::{
    Server, allow_descriptors, half_close, installed, play_readme,
    python_server, receive_all, receive_line, reset, send, trickle,
};

const SECRET: &str = "open sesame";
const LONG_LINE: usize = 128 * 1024;

/// A server on this rung, whose secret is [`SECRET`].
fn guarded(rung: &str, arguments: &[&str]) -> Server {
    let mut command = terminal::command("message-server");
    command.args(["127.0.0.1", "0", "--auth", rung]).args(arguments);
    Server::run(command.env("MESSAGE_SECRET", SECRET))
}

/// A client of a server that knows this secret.
fn client(server: &Server, secret: &str, arguments: &[&str]) -> Terminal {
    let (host, port) = server.host_and_port();
    let mut command = terminal::command("message-client");
    command.args([&host, &port]).args(arguments);
    Terminal::run(command.env("MESSAGE_SECRET", secret)).expect("it starts")
}

/// A file with a quota table, and the folder that keeps it.
fn table(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("quota.txt");
    fs::write(&file, text).expect("a file");
    let name = file.display().to_string();
    (folder, name)
}

/// A server with this table.
fn with_quota(text: &str, arguments: &[&str]) -> Server {
    let (_folder, file) = table(text);
    let mut all = vec!["--quota", file.as_str()];
    all.extend(arguments);
    Server::start("message-server", &all) // has read it when it listens
}

/// Says lines, one after the other, and returns the answers.
#[track_caller]
fn dialogue(stream: &TcpStream, lines: &[&str]) -> Vec<String> {
    let say = |line: &&str| {
        send(stream, format!("{line}\n").as_bytes());
        receive_line(stream)
    };
    lines.iter().map(say).collect()
}

/// What the server says to all of this at once, to its end.
#[track_caller]
fn answers_to(server: &Server, bytes: &[u8]) -> String {
    let stream = server.connect();
    send(&stream, bytes);
    half_close(&stream);
    String::from_utf8(receive_all(&stream)).expect("text")
}

#[track_caller]
fn wait(terminal: &mut Terminal, pattern: &str) {
    terminal.wait_for(pattern).unwrap_or_else(|e| panic!("{e}"));
}

#[track_caller]
fn ends_with(mut terminal: Terminal, code: i32) {
    let status = terminal.wait_for_end().expect("it ends");
    assert_eq!(status.code(), Some(code));
}

#[test]
fn d_t1_1_the_readmes_transcripts_hold() {
    play_readme("message");
}

// ---- task 1: many messages, printed ----------------------------------------

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
    server.wait_for("[…] message 1 at …: xxx…x… (102400 bytes)");
    send(&stream, "\nhéllo ß €\n".as_bytes());
    server.wait_for("[…] message 2 at …: ");
    server.wait_for("[…] message 3 at …: héllo ß €");
    send(&stream, &[&vec![b'y'; LONG_LINE + 1][..], b"\nok\n"].concat());
    server.wait_for("[…] message 4 at …: (too long: thrown away)");
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
    let Some(mut theirs) = python_server("message_server.py", &[]) else {
        return;
    };
    let mut ours = theirs.client("message-client", &["--eol", "none"]);
    ours.type_bytes(b"hello\n\nagain\n").expect("it reads");
    ours.end_input();
    theirs.wait_for("message: hello");
    theirs.wait_for("message: again");
    wait(&mut ours, "an empty message without a line end is no bytes");
    ends_with(ours, 0);
    theirs.wait_for("client left");

    let mut theirs = python_server("message_server.py", &["--reply"]).unwrap();
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
    let Some(mut theirs) = ours.python("message_client.py", &["--gap", "0.3"])
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

/// A server of another kind: serves each client so, in a thread.
fn foreign(
    serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
) -> Server {
    let theirs = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = theirs.local_addr().expect("an address");
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for client in theirs.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(client)); // until it has had enough
        }
    });
    Server::at(address)
}

/// Sends this for ever, as fast as it is read.
fn for_ever(mut client: TcpStream, line: &[u8]) -> std::io::Result<()> {
    loop {
        client.write_all(line)?;
    }
}

/// Sends this five times a second, for ever.
fn now_and_then(mut client: TcpStream, line: &[u8]) -> std::io::Result<()> {
    let (_kept, nothing) = channel::<()>();
    loop {
        client.write_all(line)?;
        let _ = nothing.recv_timeout(Duration::from_millis(200));
    }
}

#[test]
fn d_t1_3_lines_without_end_are_answers_and_keep_nobody() {
    let long = [&vec![b'x'; LONG_LINE + 1][..], b"\n"].concat();
    let theirs = foreign(move |client| for_ever(client, &long));
    let mut ours = theirs.client("message-client", &["--id", "bob"]);
    wait(&mut ours, "server: (longer than 131072 bytes: thrown away)");
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
    wait(&mut ours, "no whole answer within 3 s; answers due: 1");
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

// ---- task 2: who may talk --------------------------------------------------

#[test]
fn d_t2_1_allow_list_lets_in_addresses_and_nobody_else() {
    let list = ["--auth", "allow-list", "--allow", "127.0.0.1"];
    let server = Server::start("message-server", &list);
    assert_eq!(answers_to(&server, b"hello\n"), "OK\n");
    // The same address, as an IPv6 socket would write it.
    let list = ["--auth", "allow-list", "--allow", "::ffff:127.0.0.1"];
    let server = Server::start("message-server", &list);
    assert_eq!(answers_to(&server, b"hello\n"), "OK\n");
    let list = ["--auth", "allow-list", "--allow", "192.0.2.7"];
    let mut server = Server::start("message-server", &list);
    let refusal = "NO 127.0.0.1 is not on the list\n";
    assert_eq!(answers_to(&server, b"hello\n"), refusal);
    server.wait_for("[…] refused: NO 127.0.0.1 is not on the list");
    let mut none = Terminal::start(
        "message-server",
        ["127.0.0.1", "0", "--auth", "allow-list"],
    )
    .expect("it starts");
    wait(&mut none, "--auth allow-list and --allow ADDR belong together");
    ends_with(none, 2);
}

#[test]
fn d_t2_1_the_right_secret_gets_in_and_a_wrong_one_does_not() {
    for rung in ["password", "challenge"] {
        let mut server = guarded(rung, &[]);
        let mut owner = client(&server, SECRET, &["--auth", rung]);
        owner.type_line("let me in").expect("it reads");
        wait(&mut owner, "server: OK logged in");
        wait(&mut owner, "server: OK");
        server.wait_for("[…] message 1 at …: let me in");
        owner.end_input();
        ends_with(owner, 0);
        let mut other = client(&server, "open barley", &["--auth", rung]);
        wait(&mut other, "server: NO wrong secret");
        wait(&mut other, "Error: the server did not let us in");
        ends_with(other, 1);
        server.wait_for("[…] refused: NO wrong secret");
    }
}

#[test]
fn d_t2_1_nc_and_the_client_of_task_1_are_refused() {
    for rung in ["password", "challenge"] {
        let mut server = guarded(rung, &[]);
        let told = answers_to(&server, b"hello\nhello\n");
        let last = told.lines().last();
        assert_eq!(last, Some("NO log in first: LOGIN <answer>"), "{told}");
        let mut task_1 = client(&server, SECRET, &[]);
        wait(&mut task_1, &format!("server: AUTH {rung}…"));
        wait(&mut task_1, "the server wants a login: see --auth in --help");
        task_1.type_line("hello").expect("it reads");
        wait(&mut task_1, "server: NO log in first: LOGIN <answer>");
        wait(&mut task_1, "Error: …");
        ends_with(task_1, 1);
        server.wait_for("[…] refused: NO log in first: LOGIN <answer>");
    }
}

/// A wire with somebody listening: the owner logs in through it, and what
/// he sends is passed on to the server and recorded.
fn wiretap(server: &Server, rung: &str) -> Vec<u8> {
    let tap = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = tap.local_addr().expect("an address");
    let place = [place.ip().to_string(), place.port().to_string()];
    let mut command = terminal::command("message-client");
    command.args(place).args(["--auth", rung]);
    command.env("MESSAGE_SECRET", SECRET);
    let mut owner = Terminal::run(&mut command).expect("it starts");
    owner.type_line("my message").expect("it reads");
    owner.end_input();
    let (near, _) = tap.accept().expect("the owner");
    let far = server.connect();
    let pass = |mut from: TcpStream, mut to: TcpStream| {
        thread::spawn(move || {
            let (mut seen, mut chunk) = (Vec::new(), [0; 1024]);
            while let Ok(count @ 1..) = from.read(&mut chunk) {
                seen.extend_from_slice(&chunk[..count]);
                to.write_all(&chunk[..count]).expect("it takes bytes");
            }
            let _ = to.shutdown(Shutdown::Write);
            seen
        })
    };
    let handle = |stream: &TcpStream| stream.try_clone().expect("a handle");
    let sent = pass(handle(&near), handle(&far));
    pass(far, near).join().expect("no panic");
    ends_with(owner, 0);
    sent.join().expect("no panic")
}

#[test]
fn d_t2_1_a_recorded_login_replayed_is_good_only_on_the_password_rung() {
    for (rung, answer) in
        [("password", "OK logged in\nOK\n"), ("challenge", "NO wrong secret\n")]
    {
        let server = guarded(rung, &[]);
        let recorded = wiretap(&server, rung);
        let seen = String::from_utf8_lossy(&recorded).contains(SECRET);
        assert_eq!(seen, rung == "password", "the secret on the wire");
        let told = answers_to(&server, &recorded);
        let (greeting, told) = told.split_once('\n').expect("a greeting");
        assert!(greeting.starts_with(&format!("AUTH {rung}")), "{greeting}");
        assert_eq!(told, answer, "{rung}");
    }
}

#[test]
fn d_t2_1_guessing_is_slowed_down_but_not_for_the_others() {
    let server = guarded("password", &[]);
    let guess = || answers_to(&server, b"LOGIN guess\nhello\n");
    assert_eq!(guess(), "AUTH password\nNO wrong secret\n");
    assert_eq!(guess(), "AUTH password\nNO wrong secret\n");
    let third = "AUTH password\nNO wrong secret: now wait 1 s\n";
    assert_eq!(guess(), third);
    // Not looked at; or, should this have taken a second, a longer wait.
    let fourth = guess();
    assert!(
        fourth.contains("NO too many failures: wait 1 s")
            || fourth.contains("NO wrong secret: now wait 2 s"),
        "{fourth}"
    );
    let other = socket2::Socket::new(
        socket2::Domain::IPV4,
        socket2::Type::STREAM,
        None,
    )
    .expect("a socket");
    let second_host = std::net::SocketAddr::from(([127, 0, 0, 2], 0));
    if other.bind(&second_host.into()).is_ok() {
        other.connect(&server.address.into()).expect("it accepts");
        let other = TcpStream::from(other);
        send(&other, format!("LOGIN {SECRET}\n").as_bytes());
        assert_eq!(receive_line(&other), "AUTH password");
        assert_eq!(receive_line(&other), "OK logged in");
    }
}

const ANNE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const BERT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn d_t2_1_the_wait_grows_after_three_failures_up_to_a_minute() {
    let (guesses, mut now) = (Guesses::default(), Instant::now());
    for wait in [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60].map(seconds) {
        let outcome = guesses.attempt(ANNE, now, || false);
        assert_eq!(outcome, Outcome::Wrong(wait));
        now += wait;
    }
    assert_eq!(guess::delay(u32::MAX), seconds(60));
}

#[test]
fn d_t2_1_who_comes_too_early_is_not_looked_at_even_if_right() {
    let (guesses, now) = (Guesses::default(), Instant::now());
    for _ in 0..3 {
        guesses.attempt(ANNE, now, || false);
    }
    let outcome = guesses.attempt(ANNE, now, || panic!("looked at"));
    assert_eq!(outcome, Outcome::TooEarly(seconds(1)));
    // The others do not wait for Anne.
    assert_eq!(guesses.attempt(BERT, now, || true), Outcome::Right);
    // After the wait she is heard, and starts afresh.
    let later = now + seconds(1);
    assert_eq!(guesses.attempt(ANNE, later, || true), Outcome::Right);
    let wrong = guesses.attempt(ANNE, later, || false);
    assert_eq!(wrong, Outcome::Wrong(Duration::ZERO));
}

#[test]
fn d_t2_1_a_thousand_guesses_at_one_moment_are_three() {
    let (guesses, now) = (Guesses::default(), Instant::now());
    let looked_at = std::sync::atomic::AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..125 {
                    guesses.attempt(ANNE, now, || {
                        looked_at
                            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        false
                    });
                }
            });
        }
    });
    assert_eq!(looked_at.into_inner(), 3);
}

#[test]
fn d_t2_1_the_ipv6_addresses_of_one_subscriber_count_as_one() {
    let (guesses, now) = (Guesses::default(), Instant::now());
    let subscriber = |n: u128| IpAddr::V6(Ipv6Addr::from((0x2001 << 112) | n));
    for number in 0..3 {
        guesses.attempt(subscriber(number), now, || false);
    }
    let early = guesses.attempt(subscriber(9), now, || true);
    assert_eq!(early, Outcome::TooEarly(seconds(1)));
}

/// Failures from this many addresses in turn, so many rounds, all at one
/// moment: how many were looked at.
fn rounds(guesses: &Guesses, now: Instant, addresses: u32, rounds: u32) -> u32 {
    let mut looked_at = 0;
    for number in (0..rounds).flat_map(|_| 0..addresses) {
        let address = IpAddr::V4((0x7f00_0000 | number).into());
        guesses.attempt(address, now, || {
            looked_at += 1;
            false
        });
    }
    looked_at
}

#[test]
fn d_t2_1_more_addresses_than_fit_into_the_table_have_to_wait_too() {
    // Three tries a row, and three for all that have none together; before,
    // each address pushed out the next, and all 10,300 were looked at.
    let (guesses, now) = (Guesses::default(), Instant::now());
    assert_eq!(rounds(&guesses, now, 1030, 10), 3 * 1024 + 3);
    // Five thousand are no better, and need no more memory.
    let guesses = Guesses::default();
    assert_eq!(rounds(&guesses, now, 5000, 1), 1024 + 3);
}

#[test]
fn d_t2_1_a_full_table_keeps_the_known_apart_and_makes_room_later() {
    let (guesses, now) = (Guesses::default(), Instant::now());
    guesses.attempt(ANNE, now, || false);
    rounds(&guesses, now, 1030, 3);
    // Anne has a row, and two more tries; Bert has to wait with the crowd.
    let wrong = guesses.attempt(ANNE, now, || false);
    assert_eq!(wrong, Outcome::Wrong(seconds(0)));
    let early = guesses.attempt(BERT, now, || panic!("looked at"));
    assert_eq!(early, Outcome::TooEarly(seconds(1)));
    // That he is right then is no fresh start for the crowd.
    let later = now + seconds(1);
    assert_eq!(guesses.attempt(BERT, later, || true), Outcome::Right);
    let wrong = guesses.attempt(BERT, later, || false);
    assert_eq!(wrong, Outcome::Wrong(seconds(2)));
    // Once the failures are forgotten, there is a row for everybody.
    let much_later = now + seconds(700);
    let wrong = guesses.attempt(BERT, much_later, || false);
    assert_eq!(wrong, Outcome::Wrong(seconds(0)));
    assert_eq!(rounds(&guesses, much_later, 1000, 3), 3000);
}

#[test]
fn d_t2_1_silence_before_the_login_is_cut() {
    let mut server = guarded("password", &["--login-limit", "0.3"]);
    let told = receive_all(&server.connect());
    let told = String::from_utf8(told).expect("text");
    assert_eq!(told, "AUTH password\nNO you are too slow: good bye\n");
    server.wait_for("[…] refused: NO you are too slow: good bye");
    // Logged in, it may be silent; but the ID belongs to the same limit.
    let mut server = with_quota("alice 1", &["--login-limit", "0.3"]);
    let told = receive_all(&server.connect());
    assert_eq!(told, b"NO you are too slow: good bye\n");
    let alice = server.connect();
    assert_eq!(dialogue(&alice, &["ID alice"]), ["OK 1 left"]);
    let silent = server.connect();
    receive_all(&silent); // longer than the limit
    assert_eq!(dialogue(&alice, &["late"]), ["OK 0 left"]);
    server.wait_for("[…] alice 1 at …: late");
}

#[test]
fn d_t2_1_a_byte_now_and_then_does_not_stretch_the_limit() {
    let server = guarded("password", &["--login-limit", "0.5"]);
    let stream = server.connect();
    assert_eq!(receive_line(&stream), "AUTH password");
    // The wait for an answer is the pause between two bytes.
    let gap = Some(Duration::from_millis(50));
    stream.set_read_timeout(gap).expect("a deadline");
    let mut told = Vec::new();
    for _ in 0..200 {
        let _ = (&stream).write_all(b"x");
        let mut chunk = [0; 100];
        match (&stream).read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => told.extend_from_slice(&chunk[..count]),
            Err(_) => {}
        }
    }
    assert_eq!(told, b"NO you are too slow: good bye\n");
}

#[test]
fn d_t2_1_an_empty_secret_is_refused_at_the_start() {
    let start = |secret: Option<&str>| {
        let mut command = terminal::command("message-server");
        command.args(["127.0.0.1", "0", "--auth", "challenge"]);
        command.env_remove("MESSAGE_SECRET");
        if let Some(secret) = secret {
            command.env("MESSAGE_SECRET", secret);
        }
        Terminal::run(&mut command).expect("it starts")
    };
    for (secret, problem) in [
        (None, "Error: this needs a secret: --secret-file FILE, or …"),
        (Some(""), "Error: MESSAGE_SECRET: the secret is empty, …"),
        (Some("\n"), "Error: MESSAGE_SECRET: the secret is empty, …"),
        (Some("a\nb"), "Error: MESSAGE_SECRET: the secret must be one line…"),
    ] {
        let mut server = start(secret);
        wait(&mut server, problem);
        ends_with(server, 1);
    }
    let server = guarded("password", &[]);
    let told = answers_to(&server, b"LOGIN\nhello\n");
    assert_eq!(told, "AUTH password\nNO wrong secret\n");
    let told = answers_to(&server, b"LOGIN \nhello\n");
    assert_eq!(told, "AUTH password\nNO wrong secret\n");
}

#[test]
fn d_t2_1_the_secret_may_come_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    fs::write(&file, format!("{SECRET}\n")).expect("a file");
    let name = file.display().to_string();
    let arguments = ["--auth", "challenge", "--secret-file", &name];
    let server = Server::start("message-server", &arguments);
    let mut owner = server.client("message-client", &arguments);
    wait(&mut owner, "server: OK logged in");
    let mut reader = client(&server, SECRET, &["--auth", "challenge"]);
    wait(&mut reader, "server: OK logged in");
    // As editors on Windows may write it: a byte order mark, CR LF.
    fs::write(&file, format!("\u{feff}{SECRET}\r\n")).expect("a file");
    let mut owner = server.client("message-client", &arguments);
    wait(&mut owner, "server: OK logged in");
    // Readable by others, as umask made it: it says so.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&file, mode).expect("a mode");
    let mut warned = server.client("message-client", &arguments);
    wait(&mut warned, "warning: others may read …: chmod 600 …");
}

#[test]
fn d_t2_1_the_blanks_of_a_password_belong_to_it() {
    for secret in [" led by a blank", "followed by two  ", "\u{a0}odd\u{a0}"] {
        let mut command = terminal::command("message-server");
        command.args(["127.0.0.1", "0", "--auth", "password"]);
        let server = Server::run(command.env("MESSAGE_SECRET", secret));
        let mut owner = client(&server, secret, &["--auth", "password"]);
        wait(&mut owner, "server: OK logged in");
        let trimmed = format!("LOGIN {}\n", secret.trim());
        let told = answers_to(&server, trimmed.as_bytes());
        assert_eq!(told, "AUTH password\nNO wrong secret\n");
    }
    let server = guarded("password", &[]);
    let told = answers_to(&server, format!("LOGIN{SECRET}\n").as_bytes());
    assert_eq!(told, "AUTH password\nNO log in first: LOGIN <answer>\n");
}

#[test]
fn d_t2_1_a_challenge_client_does_not_give_the_secret_away() {
    let server = guarded("password", &[]);
    let mut owner = client(&server, SECRET, &["--auth", "challenge"]);
    wait(
        &mut owner,
        "Error: the server asks for no challenge, it says 'AUTH password': \
         nothing was sent",
    );
    ends_with(owner, 1);
}

#[test]
fn d_t2_1_no_greeting_in_time_is_told_as_what_it_is() {
    let silent = |client: TcpStream| (&client).read(&mut [0]).map(drop);
    let silent = foreign(silent);
    let flood = foreign(|client| for_ever(client, &[b'x'; 1000]));
    let login = ["--auth", "password"];
    for mut owner in [&silent, &flood].map(|s| client(s, SECRET, &login)) {
        wait(
            &mut owner,
            "Error: no whole greeting within 3 s: this server asks for no \
             login, or it hangs; nothing was sent",
        );
        ends_with(owner, 1);
    }
}

#[test]
fn d_t2_1_two_clients_at_once_and_a_login_in_pieces() {
    let server = guarded("password", &[]);
    let (one, two) = (server.connect(), server.connect());
    for stream in [&two, &one] {
        assert_eq!(receive_line(stream), "AUTH password");
        trickle(stream, format!("LOGIN {SECRET}\n").as_bytes());
        assert_eq!(receive_line(stream), "OK logged in");
    }
    assert_eq!(dialogue(&one, &["hello"]), ["OK"]);
    assert_eq!(dialogue(&two, &["hello"]), ["OK"]);
    let together = format!("LOGIN {SECRET}\r\nhello\r\nyou");
    let told = answers_to(&server, together.as_bytes());
    assert_eq!(told, "AUTH password\nOK logged in\nOK\nOK\n");
}

#[test]
fn d_t2_2_the_intruder_prints_which_rung_withstands_what() {
    let mut intruder = Terminal::start("message-intruder", [""; 0]).unwrap();
    let mut rows = Vec::new();
    while let Some(line) = intruder.read_line().expect("it goes on") {
        let cells = line.split("  ").map(str::trim);
        let cells = cells.filter(|cell| !cell.is_empty());
        rows.push(cells.map(str::to_string).collect::<Vec<_>>());
    }
    ends_with(intruder, 0);
    let (yes, no) = ("ACCEPTED", "refused");
    let (held, slow) = ("keeps a place", "slowed after 3");
    let elsewhere = if cfg!(target_os = "linux") {
        ["from another address", yes, no, no, no]
    } else {
        ["from another address", "-", "-", "-", "-"]
    };
    assert_eq!(
        rows,
        [
            ["attack", "none", "allow-list", "password", "challenge"],
            ["(the owner, right secret)", yes, yes, yes, yes],
            ["no login, like nc", yes, yes, no, no],
            ["the client of task 1", yes, yes, no, no],
            elsewhere,
            ["an empty secret", yes, yes, no, no],
            ["a wrong secret", yes, yes, no, no],
            ["replay of a recorded login", yes, yes, yes, no],
            ["guessing, 20 secrets", yes, yes, slow, slow],
            ["silence", held, held, "cut", "cut"],
        ]
    );
}

#[test]
fn d_t2_2_the_intruder_attacks_any_server() {
    let server = guarded("challenge", &["--login-limit", "0.3"]);
    let attack = |secret: Option<&str>| {
        let (host, port) = server.host_and_port();
        let mut command = terminal::command("message-intruder");
        command.args([&host, &port, "--patience", "3"]);
        command.env_remove("MESSAGE_SECRET");
        if let Some(secret) = secret {
            command.env("MESSAGE_SECRET", secret);
        }
        Terminal::run(&mut command).expect("it starts")
    };
    let mut friend = attack(Some(SECRET));
    wait(&mut friend, "(the owner, right secret) … ACCEPTED … OK");
    wait(&mut friend, "a wrong secret … refused … NO wrong secret");
    wait(&mut friend, "replay of a recorded login … refused … NO …");
    wait(&mut friend, "silence … cut…");
    ends_with(friend, 0);
    let mut stranger = attack(None);
    wait(&mut stranger, "(the owner, right secret) … -…");
    wait(&mut stranger, "replay of a recorded login … -…");
    ends_with(stranger, 0);
    let open = Server::start("message-open-server", &[]);
    let mut open = open.client("message-intruder", &["--patience", "0.1"]);
    wait(&mut open, "no login, like nc … no answer…");
    wait(&mut open, "silence … keeps a place…");
}

#[test]
fn d_t2_2_the_intruder_has_patience_but_is_kept_by_no_server() {
    let long = [&[b'x'; 5000][..], b"\n"].concat();
    let long = foreign(move |client| for_ever(client, &long));
    let slow = foreign(|client| now_and_then(client, b"AUTH x\n"));
    // It cuts silence later than the intruder waits for a single line.
    let late = guarded("password", &["--login-limit", "3.5"]);
    let intruder = |server: &Server| {
        server.client("message-intruder", &["--patience", "9"])
    };
    let (mut long, mut slow, mut late) =
        (intruder(&long), intruder(&slow), intruder(&late));
    wait(&mut long, "no login, like nc … see its words … (too long a line)");
    wait(&mut slow, "no login, like nc … see its words … AUTH x");
    wait(&mut late, "silence … cut…");
}

#[test]
fn d_t2_2_the_intruder_tries_every_address_of_a_name() {
    // The last one: where localhost has two, the first refuses.
    let addresses = socketlab::net::resolve("localhost", 0).expect("a name");
    let theirs = TcpListener::bind(addresses.last().expect("an address"));
    let port = theirs.and_then(|theirs| {
        let port = theirs.local_addr()?.port();
        thread::spawn(move || theirs.incoming().for_each(drop));
        Ok(port.to_string())
    });
    let arguments = ["localhost", &port.expect("a port"), "--patience", "0.1"];
    let mut intruder = Terminal::start("message-intruder", arguments).unwrap();
    wait(&mut intruder, "silence … cut…");
    ends_with(intruder, 0);
}

// ---- task 3: how much ------------------------------------------------------

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
fn d_t3_1_a_row_that_makes_no_sense_is_named_by_its_line() {
    for (text, problem) in [
        ("a 1\nb two", ":2: 'two' is not a number of messages"),
        ("a 1\n\nb -1", ":3: '-1' is not a number of messages"),
        ("a 99999999999999999999", ":1: '9…9' is not a number of messages"),
        ("a 1 2", ":1: want two words: ID NUMBER"),
        ("a", ":1: want two words: ID NUMBER"),
        ("a 1\na 2 # twice", ":2: 'a' has a row already"),
        ("# nothing", ":1: no rows: nobody could send anything"),
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
        ("/tmp", "Error: /tmp is a directory, no file"),
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
    let stop = "STOP sending: your quota is 3 messages";
    let wanted =
        ["OK 3 left", "OK 2 left", "OK 1 left", "OK 0 left", stop, stop];
    assert_eq!(answers, wanted, "the connection stays open after STOP");
    server.wait_for("[…] alice 3 at …: 3");
    server.wait_for("[…] alice 4 at … refused: STOP …");
    server.wait_for("[…] alice 5 at … refused: STOP …");
    let carol = dialogue(&server.connect(), &["ID carol", "hello"]);
    let wanted = ["OK 0 left", "STOP sending: your quota is 0 messages"];
    assert_eq!(carol, wanted);
}

#[test]
fn d_t3_3_a_quota_of_n_is_n_messages() {
    let (_folder, file) = table("a 2");
    let quota = Quota::read(Path::new(&file)).expect("a table");
    assert_eq!(quota.spend("a"), Verdict::Accepted { left: 1 });
    assert_eq!(quota.spend("a"), Verdict::Accepted { left: 0 });
    assert_eq!(quota.spend("a"), Verdict::Stop { allowed: 2 });
    assert_eq!(quota.spend("b"), Verdict::Unknown);
    assert_eq!((quota.left("a"), quota.left("b")), (Some(0), None));
    assert!(quota.table().ends_with("2     2     0"), "{}", quota.table());
    let free = Verdict::Free.to_string();
    assert_eq!(free, "OK", "what a server without a table says");
}

#[test]
fn d_t3_4_the_client_sends_more_than_it_may() {
    let server = with_quota("alice 3", &[]);
    let burst = ["--id", "alice", "--burst", "10"];
    let mut client = server.client("message-client", &burst);
    wait(&mut client, "server: OK 3 left");
    wait(&mut client, "server: STOP sending: your quota is 3 messages");
    wait(&mut client, "10 sent: 3 accepted, 7 refused");
    ends_with(client, 0);
    let mut typist = server.client("message-client", &["--id", "alice"]);
    typist.type_line("once more").expect("it reads");
    wait(&mut typist, "server: OK 0 left");
    wait(&mut typist, "server: STOP sending: your quota is 3 messages");
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
fn d_t3_5_eight_clients_of_one_id_pass_exactly_the_quota() {
    let mut server = with_quota("alice 1000\nbob 5", &[]);
    let burst = ["--id", "alice", "--burst", "1000"];
    let mut racers: Vec<Terminal> =
        (0..8).map(|_| server.client("message-client", &burst)).collect();
    // Its console is read meanwhile: nobody's output may hold it up.
    for _ in 0..8 {
        server.wait_for(
            "[…] left: end of stream, messages: … accepted, … refused",
        );
    }
    let mut accepted = 0;
    for racer in &mut racers {
        let line = racer.wait_for("1000 sent: … accepted, … refused");
        let line = line.expect("a count");
        let number = line.split(' ').nth(2).expect("a number");
        accepted += number.parse::<u32>().expect("a number");
    }
    assert_eq!(accepted, 1000);
    server.console().signal(Signal::USR1).expect("a signal");
    server.wait_for("alice         1000  1000     0");
    server.wait_for("bob              5     0     5");
}

#[test]
fn d_t3_5_the_last_message_of_a_quota_has_one_taker() {
    // Only around the last message can a race go wrong, so there are many
    // last messages: each round is an ID that may send one, and all threads
    // want it at the same moment.
    const ROUNDS: usize = 3000;
    let rows: String =
        (0..ROUNDS).map(|round| format!("id{round} 1\n")).collect();
    let (_folder, file) = table(&rows);
    let quota = Quota::read(Path::new(&file)).expect("a table");
    let start = std::sync::Barrier::new(4);
    let accepted: usize = thread::scope(|scope| {
        let race = || {
            let mut accepted = 0;
            for round in 0..ROUNDS {
                let id = format!("id{round}");
                start.wait();
                if matches!(quota.spend(&id), Verdict::Accepted { .. }) {
                    accepted += 1;
                }
            }
            accepted
        };
        let racers = [(); 4].map(|()| scope.spawn(race));
        racers.map(|racer| racer.join().expect("no panic")).iter().sum()
    });
    assert_eq!(accepted, ROUNDS);
}

#[test]
fn d_t3_a_poor_network_changes_nothing() {
    let mut server = with_quota("alice 9", &[]);
    let stream = server.connect();
    trickle(&stream, b"ID alice\r\nhello\r\n");
    assert_eq!(receive_line(&stream), "OK 9 left");
    assert_eq!(receive_line(&stream), "OK 8 left");
    // All in one segment, and a half-close behind the last word.
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
    let Some(mut theirs) = ours.python("message_client.py", &arguments) else {
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
    let mut theirs = ours.python("message_client.py", &nobody).unwrap();
    wait(&mut theirs, "server: UNKNOWN mallory is not in the table");
}

#[test]
fn d_t3_our_client_and_a_python_server() {
    let (_folder, file) = table("alice 2");
    let Some(mut theirs) =
        python_server("message_server.py", &["--quota", &file])
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

// ---- crowds ----------------------------------------------------------------

#[test]
fn x_thread_a_thousand_clients_at_once() {
    allow_descriptors(4096);
    let mut server = with_quota("crowd 1000", &[]);
    let clients: Vec<_> = (0..1000).map(|_| server.connect()).collect();
    let reading = thread::spawn(move || {
        for _ in 0..1000 {
            server.wait_for("[…] crowd 1 at …: here");
        }
        server
    });
    for client in &clients {
        send(client, b"ID crowd\nhere\n");
    }
    for client in &clients {
        assert!(receive_line(client).starts_with("OK "));
        assert!(receive_line(client).starts_with("OK "));
    }
    let mut server = reading.join().expect("no panic");
    let late = dialogue(&clients[0], &["one more"]);
    assert!(late[0].starts_with("STOP"), "{late:?}");
    server.interrupt();
}

#[test]
fn x_thread_one_more_than_max_clients_is_told_so() {
    let server = with_quota("alice 1", &["--max-clients", "1"]);
    let first = server.connect();
    assert_eq!(dialogue(&first, &["alice"]), ["OK 1 left"]);
    let told = receive_all(&server.connect());
    assert_eq!(told, b"NO room: too many clients, try again later\n");
}

#[test]
fn d_t1_1_the_steps_are_the_system_calls_in_this_order() {
    let calls = ["socket", "setsockopt", "bind", "listen", "accept4"];
    for program in ["message-open-server", "message-server"] {
        support::strace_shows(program, &calls);
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

// ---- review questions and optional tasks -----------------------------------

/// The lab whose viva asks this question of the handout.
fn asked_in(id: &str) -> String {
    let labs = house::root().expect("the sources").join("labs");
    for lab in fs::read_dir(labs).expect("labs").flatten() {
        let questions = viva::load(&lab.path()).unwrap_or_default();
        if questions.iter().any(|question| question.handout == id) {
            return lab.file_name().to_string_lossy().into_owned();
        }
    }
    panic!("no viva asks {id}");
}

#[test]
fn d_q1_five_applications_and_their_protocols_are_asked() {
    assert_eq!(asked_in("D-Q1"), "greet");
}

#[test]
fn d_q2_two_peers_are_client_in_one_session_and_server_in_the_other() {
    let (mut anne, mut bert) = (
        Server::start("message-open-server", &[]),
        Server::start("message-open-server", &[]),
    );
    let mut to_bert = bert.client("message-client", &[]);
    let mut to_anne = anne.client("message-client", &[]);
    to_bert.type_line("from Anne").expect("it reads");
    to_anne.type_line("from Bert").expect("it reads");
    bert.wait_for("[…] message 1 at …: from Anne");
    anne.wait_for("[…] message 1 at …: from Bert");
}

#[test]
fn d_q3_address_and_port_find_a_process_its_pid_is_not_needed() {
    let mut one = Server::start("message-open-server", &[]);
    let mut two = Server::start("message-open-server", &[]);
    assert_eq!(one.address.ip(), two.address.ip());
    assert_ne!(one.address.port(), two.address.port());
    send(&two.connect(), b"for two\n");
    send(&one.connect(), b"for one\n");
    one.wait_for("[…] message 1 at …: for one");
    two.wait_for("[…] message 1 at …: for two");
}

#[test]
fn d_q4_udp_or_tcp_for_a_fast_transaction_is_asked() {
    assert_eq!(asked_in("D-Q4"), "datetime");
}

#[test]
fn d_q5_the_handshake_is_the_kernels_a_stopped_server_still_shakes_hands() {
    let mut server = Server::start("message-open-server", &[]);
    server.console().signal(Signal::STOP).expect("a signal");
    let stream = server.connect();
    send(&stream, b"queued\n");
    server.console().signal(Signal::CONT).expect("a signal");
    server.wait_for("[…] message 1 at …: queued");
}

#[test]
fn d_q6_client_before_server_is_refused_in_one_line() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port().to_string();
    drop(nobody);
    for program in ["message-client", "message-intruder"] {
        let mut early = Terminal::start(program, ["127.0.0.1", &port]).unwrap();
        wait(&mut early, "Error: connect(…): … (ECONNREFUSED). Nothing …");
        ends_with(early, 1);
    }
}

#[test]
fn d_o1_which_ports_are_used() {
    let server = Server::start("message-open-server", &[]);
    let (_, port) = server.host_and_port();
    let mut ports = Terminal::start("socketlab", ["ports"]).unwrap();
    wait(&mut ports, &format!("tcp  127.0.0.1:{port} … message-open-server…"));
    if installed("ss", "iproute2") {
        let mut ss = Terminal::start("ss", ["-tln"]).unwrap();
        wait(&mut ss, &format!("LISTEN … 127.0.0.1:{port} …"));
    }
}

#[test]
fn d_o2_the_server_runs_in_the_background_and_never_reads_the_keyboard() {
    let program = terminal::program_folder().join("message-open-server");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "\"$0\" 127.0.0.1 0 & wait"]).arg(program);
    let mut server = Server::run(&mut command);
    server.console().type_line("stop exit quit").expect("typed");
    server.console().end_input();
    send(&server.connect(), b"still here\n");
    server.wait_for("[…] message 1 at …: still here");
    // `$!` is a grandchild of ours: it ends when its parent's group does.
    let pid = pid_of(&server);
    let mut kill = Terminal::start("kill", [pid]).unwrap();
    kill.wait_for_end().expect("it ends");
    server.wait_for("bye");
}

/// The process id that `socketlab ports` shows for this server.
fn pid_of(server: &Server) -> String {
    let mut ports = Terminal::start("socketlab", ["ports"]).unwrap();
    let line = ports.wait_for(&format!("tcp  {} …", server.address));
    let line = line.expect("it listens");
    let pid = line.split("(pid ").nth(1).expect("a pid");
    pid.split(':').next().expect("a pid").to_string()
}

#[test]
fn d_o3_ps_shows_the_process_and_our_table_agrees() {
    if !installed("ps", "procps") {
        return;
    }
    let mut server = Server::start("message-open-server", &[]);
    let pid = server.console().pid().to_string();
    assert_eq!(pid_of(&server), pid);
    let mut ps = Terminal::start("ps", ["-o", "args", "-p", &pid]).unwrap();
    wait(&mut ps, "…message-open-server 127.0.0.1 0");
}

#[test]
fn d_o4_no_secret_stands_in_what_ps_shows() {
    let mut server = guarded("password", &[]);
    let mut owner = client(&server, SECRET, &["--auth", "password"]);
    wait(&mut owner, "server: OK logged in");
    for pid in [server.console().pid(), owner.pid()] {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        assert!(!line.contains(SECRET), "{line}");
    }
    // There is no option that would take it.
    for program in ["message-server", "message-client", "message-intruder"] {
        let words = ["127.0.0.1", "0", "--secret", SECRET];
        let mut asked = Terminal::start(program, words).unwrap();
        wait(&mut asked, "there is no option --secret");
        ends_with(asked, 2);
    }
}

#[test]
fn d_o5_grep_finds_the_server_among_all_processes() {
    if !installed("ps", "procps") {
        return;
    }
    let mut server = Server::start("message-open-server", &[]);
    let pid = server.console().pid();
    let pipe = "ps -ef | grep '[m]essage-open-server'";
    let mut grep = Terminal::start("sh", ["-c", pipe]).unwrap();
    wait(&mut grep, &format!("… {pid} …message-open-server 127.0.0.1 0"));
}

#[test]
fn d_o6_kill_ends_the_server_politely_and_kill_9_does_not_let_it() {
    let mut server = Server::start("message-open-server", &[]);
    server.console().signal(Signal::TERM).expect("a signal");
    server.wait_for("bye");
    let mut server = Server::start("message-open-server", &[]);
    let mut client = server.client("message-client", &[]);
    client.type_line("hello").expect("it reads");
    server.wait_for("[…] message 1 at …: hello");
    server.console().signal(Signal::KILL).expect("a signal");
    let words = server.console().read_to_end().expect("it ends");
    assert_eq!(words, b"", "no bye");
    // The kernel closed for it: the client hears at once.
    wait(&mut client, "Error: the server has closed");
    ends_with(client, 1);
}

#[test]
fn d_o7_files_are_looked_for_from_the_current_folder() {
    let (folder, _file) = table("alice 7");
    let path: PathBuf = terminal::program_folder().join("message-server");
    let mut command = std::process::Command::new(path);
    command.args(["127.0.0.1", "0", "--quota", "quota.txt"]);
    let server = Server::run(command.current_dir(folder.path()));
    assert_eq!(dialogue(&server.connect(), &["alice"]), ["OK 7 left"]);
}

#[test]
fn d_o8_for_a_remote_client_bind_more_than_loopback_and_be_warned() {
    let arguments = ["0.0.0.0", "0"];
    let mut server = Terminal::start("message-server", arguments).unwrap();
    wait(&mut server, "listening on 0.0.0.0:…");
    wait(&mut server, "warning: bound to 0.0.0.0, every interface: anybody …");
}
