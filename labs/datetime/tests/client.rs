//! Proves what the client asks, when, and which replies it accepts.

use std::io::Read;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use harness::terminal::{self, Terminal};
use rustix::process::Signal;

use crate::{
    CLIENT, SERVER, fake_server, is_date, is_time, next_request, right,
};
use harness::{DEADLINE, Server, python_server};

#[test]
fn g_3b_the_client_prints_each_response_with_its_round_trip() {
    let server = Server::start(SERVER, &[]);
    let options = ["--count", "20", "--gap", "0", "--seed", "1"];
    let mut client = server.client(CLIENT, &options);
    let mut seen = [0, 0];
    for _ in 0..20 {
        let line = client.read_line().expect("a line").unwrap_or_default();
        let (request, rest) = line.split_once(": ").expect("a response");
        let (response, took) = rest.split_once("   (").expect("a time");
        assert!(took.ends_with(" ms)"), "{line}");
        match request {
            "SEND_DATE" => assert!(is_date(response), "{line}"),
            "SEND_TIME" => assert!(is_time(response), "{line}"),
            other => panic!("unknown request {other}"),
        }
        seen[usize::from(request == "SEND_TIME")] += 1;
    }
    assert!(seen.iter().all(|&count| count > 0), "a mix of both: {seen:?}");
    let summary = "20 requests: 20 answered, 0 lost; round trip … mean … ms";
    client.wait_for(summary).unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn g_3b_our_client_is_answered_by_python() {
    if let Some(server) = python_server("datetime/server.py", &[]) {
        let options = ["--count", "5", "--gap", "0", "--seed", "1"];
        let mut client = server.client(CLIENT, &options);
        client.wait_for("5 requests: 5 answered, 0 lost; …").unwrap();
    }
}

#[test]
fn g_3c_a_seed_repeats_the_mix_of_requests() {
    let server = Server::start(SERVER, &[]);
    let requests = |seed: &str| {
        let options = ["--count", "30", "--gap", "0", "--seed", seed];
        let mut client = server.client(CLIENT, &options);
        let printed = client.read_to_end().expect("it ends");
        let printed = String::from_utf8_lossy(&printed).into_owned();
        let words = printed.lines().map(|line| line.split(':').next());
        words.map(|word| word.unwrap_or_default().into()).collect()
    };
    let first: Vec<String> = requests("7");
    assert_eq!(first.len(), 31, "30 requests and the summary");
    assert_eq!(first, requests("7"));
    assert_ne!(first, requests("8"));
}

#[test]
fn g_3c_the_client_ends_when_nobody_reads_it_any_more() {
    let server = Server::start(SERVER, &[]);
    let (host, port) = server.host_and_port();
    let mut client = terminal::command(CLIENT)
        .args([&host, &port, "--gap", "0.05"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut head = client.stdout.take().expect("its output");
    head.read_exact(&mut [0; 5]).expect("the first line"); // `| head -1`
    drop(head);
    let mut complaints = client.stderr.take().expect("its errors");
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let _ = complaints.read_to_string(&mut text);
        sender.send(text)
    });
    let complaints = ended.recv_timeout(DEADLINE);
    if complaints.is_err() {
        client.kill().expect("it runs");
    }
    let status = client.wait().expect("it ends");
    assert_eq!(complaints.as_deref(), Ok(""), "quietly, and in time");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn g_3c_the_gap_is_one_to_two_seconds() {
    let (server, place) = fake_server();
    let (host, port) = place.host_and_port();
    let mut command = terminal::command(CLIENT);
    command.args([&host, &port, "--count", "2", "--wait", "900"]);
    command.env("TRACE", "2");
    let mut client = Terminal::run(&mut command).expect("it starts");
    let mut moments = Vec::new();
    for _ in 0..2 {
        let (request, client) = next_request(&server);
        moments.push(Instant::now());
        server.send_to(right(&request).as_bytes(), client).expect("sent");
    }
    let gap = moments[1] - moments[0];
    assert!(gap >= Duration::from_millis(990), "{gap:?}");
    // The program's own time limits say how long it may wait, also on a busy
    // machine.
    let printed = client.read_to_end().expect("it ends");
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let limits = printed.split(", SO_RCVTIMEO, ").skip(1);
    let seconds = limits.filter_map(|rest| {
        let (limit, _) = rest.split_once("s)")?;
        match limit.strip_suffix('m') {
            Some(thousandths) => Some(thousandths.parse::<f64>().ok()? / 1e3),
            None => limit.parse().ok(),
        }
    });
    let longest = seconds.fold(0.0, f64::max);
    assert!((0.9..=2.0).contains(&longest), "{longest} s in {printed}");
}

#[test]
fn g_3c_a_gap_is_given_as_a_range() {
    let (server, place) = fake_server();
    let options = ["--gap", "0.1..0.2", "--count", "4"];
    let mut client = place.client(CLIENT, &options);
    let began = Instant::now();
    for _ in 0..4 {
        let (request, client) = next_request(&server);
        server.send_to(right(&request).as_bytes(), client).expect("sent");
    }
    assert!(began.elapsed() >= Duration::from_millis(290), "three gaps");
    client.wait_for("4 requests: 4 answered, …").unwrap();
    for wrong in ["2..1", "-1", "a..b", "1..", "inf", "nan..1", "4000"] {
        let mut client = place.client(CLIENT, &["--gap", wrong]);
        client.wait_for("…is not a gap: write seconds as …").unwrap();
        let status = client.wait_for_end().expect("it ends");
        assert_eq!(status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn g_3c_a_lost_answer_is_told_and_the_client_goes_on() {
    let (server, place) = fake_server();
    let options = ["--gap", "0", "--wait", "1000", "--count", "2"];
    let mut client = place.client(CLIENT, &options);
    let (request, _) = next_request(&server);
    let lost = format!("{request}: no answer: lost, or no server");
    client.wait_for(&lost).unwrap();
    let (request, address) = next_request(&server);
    server.send_to(right(&request).as_bytes(), address).expect("it is sent");
    client.wait_for(&format!("{request}: {} …", right(&request))).unwrap();
    client.wait_for("2 requests: 1 answered, 1 lost; …").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
}

#[test]
fn g_3c_without_a_server_the_client_says_so_and_fails() {
    let (socket, place) = fake_server();
    drop(socket);
    let options = ["--gap", "0", "--wait", "50", "--count", "3"];
    let mut client = place.client(CLIENT, &options);
    client.wait_for("3 requests: 0 answered, 3 lost").unwrap();
    client.wait_for("Error: … never answered. Does a server run?").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn g_3c_a_late_answer_is_seen_in_the_gap() {
    let (server, place) = fake_server();
    let options = ["--gap", "60", "--wait", "50", "--count", "2"];
    let mut client = place.client(CLIENT, &options);
    let (request, address) = next_request(&server);
    client.wait_for("…: no answer: lost, or no server").unwrap();
    server.send_to(right(&request).as_bytes(), address).expect("it is sent");
    let late = format!("({}: too late, or twice)", right(&request));
    client.wait_for(&late).unwrap();
    client.signal(Signal::INT).expect("a signal");
    client.wait_for("1 request: 0 answered, 1 lost, 1 too late …").unwrap();
}

#[test]
fn g_3c_a_late_answer_is_not_taken_for_the_next_ones() {
    let (server, place) = fake_server();
    let options = ["--gap", "0", "--wait", "1000", "--count", "6"];
    let mut client = place.client(CLIENT, &options);
    let mut last = None;
    for turn in 0..6 {
        let (request, address) = next_request(&server);
        // Every second request is answered too late: when the next is out.
        if turn % 2 == 0 {
            last = Some((request, address));
        } else if let Some((old, left)) = last.take() {
            assert_ne!(left, address, "a port that was left");
            let late =
                if old == "SEND_DATE" { "1999-01-01" } else { "00:00:00" };
            server.send_to(late.as_bytes(), left).expect("it is sent");
            let answer = right(&request).as_bytes();
            server.send_to(answer, address).expect("it is sent");
        }
    }
    let printed = client.read_to_end().expect("it ends");
    let printed = String::from_utf8_lossy(&printed);
    assert!(printed.contains("6 requests: 3 answered, 3 lost;"), "{printed}");
    assert!(!printed.contains("1999-01-01"), "{printed}");
    assert!(!printed.contains("00:00:00"), "{printed}");
}

#[test]
fn g_3c_a_time_is_not_taken_for_a_date() {
    let (server, place) = fake_server();
    let mut client = place.client(CLIENT, &["--count", "1", "--wait", "9000"]);
    let (request, address) = next_request(&server);
    let wrong = if request == "SEND_DATE" { "09:05:03" } else { "2024-02-29" };
    server.send_to(wrong.as_bytes(), address).expect("it is sent");
    let ignored = format!("({wrong} does not answer {request}: ignored)");
    client.wait_for(&ignored).unwrap();
    server.send_to(right(&request).as_bytes(), address).expect("it is sent");
    client.wait_for("1 request: 1 answered, 0 lost; …").unwrap();
}

#[test]
fn g_3b_another_form_of_date_and_an_error_are_printed_as_they_come() {
    for foreign in ["29.02.2024 \x1b[2J", "ERROR unknown request"] {
        let (server, place) = fake_server();
        let mut client = place.client(CLIENT, &["--count", "1"]);
        let (_, address) = next_request(&server);
        server.send_to(foreign.as_bytes(), address).expect("it is sent");
        let shown = foreign.replace('\x1b', "\\x1b");
        client.wait_for(&format!("SEND_…: {shown} …")).unwrap();
    }
}

#[test]
fn g_3b_datagrams_of_strangers_are_ignored() {
    let (server, place) = fake_server();
    let mut client = place.client(CLIENT, &["--count", "1", "--wait", "9000"]);
    let (request, address) = next_request(&server);
    let (stranger, _) = fake_server();
    stranger.send_to(b"1999-01-01", address).expect("it is sent");
    client.wait_for("(a datagram of 127.0.0.1:…: ignored)").unwrap();
    server.send_to(right(&request).as_bytes(), address).expect("it is sent");
    client.wait_for("1 request: 1 answered, 0 lost; …").unwrap();
}

#[test]
fn g_3c_ctrl_c_ends_the_endless_client_with_a_summary() {
    let server = Server::start(SERVER, &[]);
    for signal in [Signal::INT, Signal::TERM] {
        let mut client = server.client(CLIENT, &["--gap", "60"]);
        client.wait_for("SEND_…").unwrap();
        client.signal(signal).expect("a signal");
        client.wait_for("1 request: 1 answered, 0 lost; …").unwrap();
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
}

#[test]
fn g_3c_the_gap_is_from_request_to_request_also_without_answers() {
    let (server, place) = fake_server();
    let options = ["--count", "2", "--wait", "5500", "--gap", "6"];
    let mut client = place.client(CLIENT, &options);
    next_request(&server);
    let began = Instant::now();
    client.wait_for("…: no answer: lost, or no server").unwrap();
    next_request(&server);
    let gap = began.elapsed();
    // 11.5 s if the gap began only after the wait.
    assert!(gap >= Duration::from_millis(5900), "{gap:?}");
    assert!(gap < Duration::from_millis(11_400), "{gap:?}");
}

#[test]
fn g_3c_retry_asks_until_a_server_answers() {
    let (server, place) = fake_server();
    let options = ["--count", "1", "--wait", "100", "--retry", "60"];
    let mut client = place.client(CLIENT, &options);
    next_request(&server);
    client.wait_for("no answer yet: …").unwrap();
    let (request, address) = next_request(&server);
    assert_eq!(request, "SEND_TIME", "it asks again");
    server.send_to(right(&request).as_bytes(), address).expect("it is sent");
    // The first request that counts.
    let (request, address) = next_request(&server);
    server.send_to(right(&request).as_bytes(), address).expect("it is sent");
    let printed = client.read_to_end().expect("it ends");
    let printed = String::from_utf8_lossy(&printed);
    assert!(printed.contains("1 request: "), "{printed}");
}

#[test]
fn g_3c_without_a_server_retry_ends_with_the_usual_error() {
    let (socket, place) = fake_server();
    drop(socket);
    let options = ["--retry", "1", "--wait", "50", "--count", "1"];
    let mut client = place.client(CLIENT, &options);
    client.wait_for("no answer yet: 0 s to go").unwrap();
    client.wait_for("Error: … never answered. Does a server run?").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}
