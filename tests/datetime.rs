//! The datetime lab, black box: our programs, Python's, lost and late and
//! forged datagrams.

mod support;

// The one piece that needs no socket: what is answered at which moment.
#[path = "../labs/datetime/answer.rs"]
mod answer;

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use answer::{REFUSAL, answer};
use jiff::civil::{DateTime, date};
use rustix::process::Signal;
use socketlab::tcp_table;
use socketlab::terminal::{self, Terminal};
use support::{DEADLINE, Server, installed, play_readme, python_server};

const SERVER: &str = "datetime-server";
const CLIENT: &str = "datetime-client";

/// Sends one datagram and gives the answer as text.
fn ask(client: &UdpSocket, request: &[u8]) -> String {
    client.send(request).expect("it is sent");
    hear(client)
}

fn hear(client: &UdpSocket) -> String {
    let mut buffer = [0; 2048];
    let count = client.recv(&mut buffer).expect("an answer in time");
    String::from_utf8_lossy(&buffer[..count]).into()
}

/// A server that the test plays itself.
fn fake_server() -> (UdpSocket, Server) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    let address = socket.local_addr().expect("an address");
    (socket, Server::at(address))
}

/// The next request at a fake server, and where it came from.
fn next_request(server: &UdpSocket) -> (String, SocketAddr) {
    let mut buffer = [0; 100];
    let (count, client) = server.recv_from(&mut buffer).expect("a request");
    (String::from_utf8_lossy(&buffer[..count]).into(), client)
}

/// A right answer to this request.
fn right(request: &str) -> &'static str {
    if request == "SEND_DATE" { "2024-02-29" } else { "09:05:03" }
}

fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            mark => byte == mark,
        })
}

fn is_date(text: &str) -> bool {
    has_form(text, "0000-00-00")
}

fn is_time(text: &str) -> bool {
    has_form(text, "00:00:00")
}

#[test]
fn g_3_the_readmes_transcripts_hold() {
    play_readme("datetime");
}

// ---- the templates ---------------------------------------------------------

#[test]
fn g_1_the_templates_exchange_one_datagram_each() {
    let mut server = Server::start("datetime-template-server", &[]);
    let mut client = server.client("datetime-template-client", &[]);
    let address = server.address;
    client.wait_for(&format!("[{address}] Hello from the server")).unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    server.wait_for("[127.0.0.1:…] Hello from the client");
    server.interrupt();
}

#[test]
fn g_1_the_template_client_does_not_wait_for_ever() {
    let (silent, place) = fake_server();
    let mut client = place.client("datetime-template-client", &[]);
    assert_eq!(next_request(&silent).0, "Hello from the client");
    client.wait_for("Error: recvfrom(…): … (EAGAIN). …").unwrap();
    assert_eq!(client.wait_for_end().expect("it ends").code(), Some(1));
}

#[test]
fn g_1_the_template_server_survives_every_datagram() {
    let mut server = Server::start("datetime-template-server", &[]);
    let client = server.datagrams();
    for datagram in [b"".as_slice(), b"\x1b[2J\xff", &[b'x'; 65_507]] {
        assert_eq!(ask(&client, datagram), "Hello from the server");
    }
    server.wait_for("[…] \\x1b[2J\\xff");
    server.interrupt();
}

#[test]
fn g_1_the_template_client_tries_every_address_of_a_name() {
    let server = Server::start_at("127.0.0.9", "datetime-template-server");
    let port = server.address.port();
    let program = "datetime-template-client";
    let client = support::client_of_two_addresses(program, port);
    if let Some(mut client) = client {
        client.wait_for("[127.0.0.9:…] Hello from the server").unwrap();
        assert_eq!(client.wait_for_end().expect("it ends").code(), Some(0));
    }
}

#[test]
fn g_3a_two_servers_do_not_answer_each_other_for_ever() {
    let hello = b"Hello from the server";
    for (program, first, always) in [
        ("datetime-template-server", hello.as_slice(), None),
        (SERVER, hello, Some(hello.as_slice())),
    ] {
        let mut server = Server::start(program, &[]);
        let answers = support::answer_each_other(&server, first, always);
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

// ---- the server ------------------------------------------------------------

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
    unknown.wait_for("time zone: unknown, so UTC …");
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
    // Two servers that were set at each other would go on for ever.
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

// ---- the client ------------------------------------------------------------

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
    if let Some(server) = python_server("datetime_server.py", &[]) {
        let options = ["--count", "5", "--gap", "0", "--seed", "1"];
        let mut client = server.client(CLIENT, &options);
        client.wait_for("5 requests: 5 answered, 0 lost; …").unwrap();
    }
}

#[test]
fn g_3a_our_server_answers_python() {
    let server = Server::start(SERVER, &[]);
    let Some(mut client) = server.python("datetime_client.py", &["6", "0"])
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
    let _client = place.client(CLIENT, &["--count", "2"]);
    let mut moments = Vec::new();
    for _ in 0..2 {
        let (request, client) = next_request(&server);
        moments.push(Instant::now());
        server.send_to(right(&request).as_bytes(), client).expect("sent");
    }
    let gap = moments[1] - moments[0];
    assert!(gap >= Duration::from_millis(990), "{gap:?}");
    assert!(gap < Duration::from_secs(4), "{gap:?}, on a busy machine");
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
    let options = ["--gap", "0", "--wait", "500", "--count", "2"];
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
    let options = ["--gap", "0", "--wait", "500", "--count", "10"];
    let mut client = place.client(CLIENT, &options);
    let mut last = None;
    for turn in 0..10 {
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
    assert!(printed.contains("10 requests: 5 answered, 5 lost;"), "{printed}");
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
    let ignored = format!("({wrong} is no answer to {request}: ignored)");
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

// ---- what is seen on the wire, and who remembers what ----------------------

#[test]
fn g_5_the_text_is_on_the_wire_as_it_is() {
    let (server, place) = fake_server();
    let mut command = terminal::command(CLIENT);
    let (host, port) = place.host_and_port();
    command.args([&host, &port, "--count", "1"]).env("TRACE", "1");
    let mut client = Terminal::run(&mut command).expect("it starts");
    let (request, address) = next_request(&server);
    assert!(matches!(request.as_str(), "SEND_DATE" | "SEND_TIME"));
    server.send_to(right(&request).as_bytes(), address).expect("it is sent");
    // The first datagram is the request: nothing shook hands before it.
    client.wait_for("trace client 1 socket(AF_INET, SOCK_DGRAM, 0) …").unwrap();
    let sent = format!("trace client 2 sendto(…, \"{request}\", 9, …) = 9 …");
    client.wait_for(&sent).unwrap();
    client.wait_for("trace client 3 recvfrom(…) = …").unwrap();
}

#[test]
fn g_7a_a_restart_between_two_requests_is_not_noticed() {
    let mut first = Server::start(SERVER, &[]);
    let client = first.datagrams();
    assert!(is_date(&ask(&client, b"SEND_DATE")));
    first.interrupt();
    let mut second = first.client(SERVER, &[]);
    second.wait_for("listening on …").unwrap();
    assert!(is_time(&ask(&client, b"SEND_TIME")), "the same socket of ours");
}

#[test]
fn g_7c_tcp_keeps_state_for_each_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let clients =
        [0; 3].map(|_| TcpStream::connect(address).expect("it listens"));
    for client in &clients {
        let peer = client.local_addr().expect("an address");
        let state = tcp_table::state(address, Some(peer));
        assert_eq!(state.expect("the kernel knows it").name, "ESTABLISHED");
    }
}

#[test]
fn g_7d_udp_keeps_nothing_for_each_client() {
    let server = Server::start(SERVER, &[]);
    for _ in 0..3 {
        assert!(is_time(&ask(&server.datagrams(), b"SEND_TIME")));
    }
    let sockets = tcp_table::all().into_iter().filter(|entry| {
        entry.protocol == "udp" && entry.local == server.address
    });
    let peers: Vec<u16> = sockets.map(|entry| entry.peer.port()).collect();
    assert_eq!(peers, [0], "one socket, and no peer, after three clients");
}
