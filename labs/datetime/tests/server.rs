//! Proves what the server replies, and to whom.

use std::net::UdpSocket;

use harness::terminal::{self, Terminal};
use jiff::civil::{DateTime, date};

use crate::{CLIENT, SERVER, ask, is_date, is_time};
use datetime::answer::answer;
use harness::{Server, answer_each_other, installed};

/// The answer to everything else.
const REFUSAL: &str = "ERROR: SEND_DATE or SEND_TIME, exactly";

#[test]
fn g_3a_two_servers_do_not_answer_each_other_for_ever() {
    let hello = b"Hello from the server";
    for (program, first, always) in [
        ("datetime-template-server", hello.as_slice(), None),
        (SERVER, hello, Some(hello.as_slice())),
    ] {
        let mut server = Server::start(program, &[]);
        let answers = answer_each_other(&server, first, always);
        assert!(answers >= 1000, "a client may well ask {answers} times");
        server.wait_for("[127.0.0.1:…] not answered: too many; …");
        let other = server.datagrams();
        assert!(!ask(&other, b"SEND_DATE").is_empty(), "others go on");
    }
}

#[test]
fn g_2_loopback_is_not_reached_at_another_address() {
    let server = Server::start(SERVER, &[]);
    let port = server.address.port().to_string();
    let words = ["127.0.0.2", &port, "--count", "1", "--wait", "100"];
    let mut client = Terminal::start(CLIENT, words).expect("it starts");
    client.wait_for("SEND_…: no answer: lost, or no server").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn g_2_on_every_interface_the_machines_own_address_reaches_it() {
    let mut command = terminal::command(SERVER);
    let mut server = Server::run(command.args(["0.0.0.0", "0"]));
    server.wait_for("warning: bound to 0.0.0.0, every interface: …");
    // The address by which this machine would reach another one. connect()
    // on UDP sends nothing.
    let probe = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    if probe.connect("192.0.2.1:9").is_ok() {
        let own = probe.local_addr().expect("an address").ip();
        server.address.set_ip(own);
        let options = ["--count", "1"];
        let mut client = server.client(CLIENT, &options);
        client.wait_for("1 request: 1 answered, 0 lost; …").unwrap();
    }
}

#[test]
fn g_3a_requests_are_answered_with_date_and_time() {
    let mut server = Server::start_or_check(SERVER, &[]);
    let (one, two) = (server.datagrams(), server.datagrams());
    for _ in 0..3 {
        let answer = ask(&one, b"SEND_DATE");
        assert!(is_date(&answer), "YYYY-MM-DD, not {answer}");
        let answer = ask(&two, b"SEND_TIME");
        assert!(is_time(&answer), "HH:MM:SS, not {answer}");
    }
    if std::env::var_os("CHECK").is_none() {
        server.wait_for("[127.0.0.1:…] SEND_TIME -> …:…:…");
        server.interrupt();
    }
}

#[test]
fn g_3a_single_digits_midnight_and_leap_days() {
    let at = |moment: DateTime, request: &[u8]| answer(request, moment);
    let morning = date(2026, 3, 4).at(9, 5, 3, 999_999_999);
    assert_eq!(at(morning, b"SEND_TIME").as_deref(), Some("09:05:03"));
    assert_eq!(at(morning, b"SEND_DATE").as_deref(), Some("2026-03-04"));
    let midnight = date(2024, 2, 29).at(0, 0, 0, 0);
    assert_eq!(at(midnight, b"SEND_TIME").as_deref(), Some("00:00:00"));
    assert_eq!(at(midnight, b"SEND_DATE").as_deref(), Some("2024-02-29"));
    let last = date(999, 12, 31).at(23, 59, 59, 0);
    assert_eq!(at(last, b"SEND_TIME").as_deref(), Some("23:59:59"));
    assert_eq!(at(last, b"SEND_DATE").as_deref(), Some("0999-12-31"));
}

#[test]
fn g_3a_local_time_is_told_unless_utc_is_asked_for() {
    let seconds = |time: &str| {
        assert!(is_time(time), "{time}");
        let mut parts = time.split(':').map(|part| part.parse::<i64>());
        let mut next = || parts.next().expect("a part").expect("a number");
        next() * 3600 + next() * 60 + next()
    };
    let start = |zone: &str, option: &[&str]| {
        let mut command = terminal::command(SERVER);
        command.args(["127.0.0.1", "0"]).args(option).env("TZ", zone);
        Server::run(&mut command)
    };
    let mut utc = start("XYZ-05:30", &["--utc"]);
    utc.wait_for("time zone: UTC, UTC+00:00");
    let mut local = start("XYZ-05:30", &[]); // 5.5 hours east of Greenwich
    local.wait_for("time zone: …, UTC+05:30");
    let here = seconds(&ask(&local.datagrams(), b"SEND_TIME"));
    let there = seconds(&ask(&utc.datagrams(), b"SEND_TIME"));
    let apart = (here - there).rem_euclid(24 * 3600);
    assert!((19_800 - apart).abs() < 60, "{apart} s apart, not 19800");
    let mut unknown = start("Nowhere/Atlantis", &[]);
    unknown.wait_for("time zone: no zone is called Nowhere/Atlantis …, so UTC");
}

#[test]
fn g_3a_what_is_no_request_gets_an_error_and_the_server_lives() {
    let mut server = Server::start(SERVER, &[]);
    let client = server.datagrams();
    for wrong in [
        b"SEND_YEAR".as_slice(),
        b"send_date",
        b"SEND_DATE\n", // nc -u and a person
        b"SEND_TIME\r\n",
        b" SEND_TIME",
        b"SEND_TIMES",
        b"SEND_TIM",
        b"",
        b"\0\x1b[2J\xff",
        &[b'x'; 65_507],
        &b"SEND_DATE".repeat(200), // longer than the server's buffer
    ] {
        assert_eq!(ask(&client, wrong), REFUSAL);
        assert!(is_time(&ask(&client, b"SEND_TIME")));
    }
    server.wait_for("[…] SEND_DATE\\n -> ERROR: SEND_DATE or SEND_TIME, …");
    server.interrupt();
}

#[test]
fn g_3a_an_error_is_not_answered_with_an_error() {
    // Two servers would otherwise answer each other without end.
    let server = Server::start(SERVER, &[]);
    let client = server.datagrams();
    client.send(REFUSAL.as_bytes()).expect("it is sent");
    assert!(is_date(&ask(&client, b"SEND_DATE")), "the next answer is this");
}

#[test]
fn g_3a_clients_that_left_do_not_disturb_the_server() {
    let mut server = Server::start(SERVER, &[]);
    for _ in 0..20 {
        server.datagrams().send(b"SEND_TIME").expect("it is sent");
    }
    assert!(is_time(&ask(&server.datagrams(), b"SEND_TIME")));
    server.interrupt();
}

#[test]
fn g_3a_nc_needs_to_leave_its_line_end_out() {
    if !installed("nc", "netcat-openbsd") {
        return;
    }
    let server = Server::start(SERVER, &[]);
    let (host, port) = server.host_and_port();
    let start = || {
        let words = ["-u", "-q1", &host, &port];
        Terminal::start("nc", words).expect("it starts")
    };
    let mut nc = start();
    nc.type_bytes(b"SEND_DATE\n").expect("it reads");
    nc.read_prompt(REFUSAL).expect("an error that says what is allowed");
    let mut nc = start();
    nc.type_bytes(b"SEND_DATE").expect("it reads");
    nc.read_prompt("2").expect("a year, without a line end");
}

#[test]
fn g_3a_our_server_answers_python() {
    let server = Server::start(SERVER, &[]);
    let Some(mut client) = server.python("datetime/client.py", &["6", "0"])
    else {
        return;
    };
    for _ in 0..6 {
        let line = client.read_line().expect("a line").unwrap_or_default();
        let (request, response) = line.split_once(' ').expect("a response");
        match request {
            "SEND_DATE" => assert!(is_date(response), "{line}"),
            _ => assert!(is_time(response), "{line}"),
        }
    }
}

#[test]
fn g_3a_the_console_prints_a_request_complete() {
    let mut server = Server::start(SERVER, &[]);
    let wrong = "SEND_YEAR".repeat(100);
    ask(&server.datagrams(), wrong.as_bytes());
    server.wait_for(&format!("[…] {wrong} -> ERROR: …"));
    let mut server = Server::start("datetime-template-server", &[]);
    let hello = "Hello".repeat(300);
    ask(&server.datagrams(), hello.as_bytes());
    server.wait_for(&format!("[…] {hello}"));
}
