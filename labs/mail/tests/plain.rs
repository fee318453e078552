//! Proves that the first program has the companion's dialogue with the sink and
//! with Python's server, and that Python's client has it with the sink. Also
//! tested: half a line, a server that has closed, two clients.

use std::process::Command;
use std::thread;

use harness::terminal::{self, Terminal};
use harness::{half_close, python_server, reset, send};

use crate::script::{GREETING, QUIT, identity_of_nobody, serve};
use crate::sink::Sink;

const ADDRESSES: [&str; 2] = ["ada@example.com", "bob@example.org"];

const HELO: &str = "C: HELO localhost\nS: 250 mail.test\n";

const ENVELOPE: &str = "C: MAIL FROM:<ada@example.com>\nS: 250 ok\n\
                        C: RCPT TO:<bob@example.org>\nS: 250 ok\n";

const MESSAGE: &str = "C: DATA\nS: 354 go\nM:\nS: 250 taken\n";

fn plain(port: u16) -> Command {
    let mut command = terminal::command("mail-plain-client");
    command.args(["127.0.0.1", &port.to_string()]).args(ADDRESSES);
    command
}

/// The program's output, and its exit status.
fn run(mut command: Command) -> (String, Option<i32>) {
    let mut client = Terminal::run(&mut command).expect("it starts");
    client.end_input();
    let screen = client.read_to_end().expect("it ends");
    let status = client.wait_for_end().expect("it ends").code();
    (String::from_utf8(screen).expect("text"), status)
}

/// Plays a script against the program: its output, its status, and the message.
fn play(script: &str) -> (String, Option<i32>, Result<String, String>) {
    let (port, server) = serve(script, identity_of_nobody().config);
    let (screen, status) = run(plain(port));
    (screen, status, server.join().expect("the script's thread"))
}

#[test]
fn w_t4a_plain_the_companions_dialogue() {
    let script = [GREETING, HELO, ENVELOPE, MESSAGE, QUIT].concat();
    let (screen, status, message) = play(&script);
    let message = message.unwrap_or_else(|why| panic!("{why}\n{screen}"));
    assert_eq!(
        message,
        "To: <bob@example.org>\nSubject: networks\n\n\
         I love computer networks!\n"
    );
    assert_eq!(status, Some(0), "{screen}");
    assert!(screen.ends_with("C: QUIT\nS: 221 bye\n"), "{screen}");
}

/// The numbers are those of the banners. All steps of the dialogue share
/// send() and recv(), so these calls have no number.
#[test]
fn w_t4a_plain_the_trace_numbers_what_is_a_step() {
    let script = [GREETING, HELO, ENVELOPE, MESSAGE, QUIT].concat();
    let (port, server) = serve(&script, identity_of_nobody().config);
    let mut command = plain(port);
    command.env("TRACE", "1");
    let (screen, status) = run(command);
    server.join().expect("the script's thread").expect("the dialogue");
    assert_eq!(status, Some(0), "{screen}");
    for call in [
        "client 1 socket(",
        "client 2 connect(",
        "client - recv(",
        "client - send(",
        "client 10 close(",
    ] {
        assert!(screen.contains(call), "no {call} in\n{screen}");
    }
}

#[test]
fn w_t4a_plain_each_reply_is_checked() {
    let begun = [GREETING, HELO, ENVELOPE].concat();
    for (script, wanted) in [
        ("S: 554 no\n".to_string(), "220"),
        (format!("{GREETING}C: HELO …\nS: 550 no\n"), "250"),
        (format!("{GREETING}{HELO}C: MAIL …\nS: 530 TLS\n"), "250"),
        (
            format!(
                "{GREETING}{HELO}C: MAIL …\nS: 250 ok\n\
                 C: RCPT …\nS: 550 who?\n"
            ),
            "25",
        ),
        (format!("{begun}C: DATA\nS: 250 ok\n"), "354"),
        (format!("{begun}C: DATA\nS: 354 go\nM:\nS: 451 later\n"), "250"),
        (format!("{GREETING}C: HELO …\nS: +OK\n"), "250"),
        (format!("{GREETING}C: HELO …\nS: \u{20}\n"), "250"),
    ] {
        let (screen, status, server) = play(&format!("{script}{QUIT}"));
        server.unwrap_or_else(|why| panic!("{why}\n{screen}"));
        let why = format!("Error: the reply is not {wanted:x<3}");
        assert!(screen.contains(&why), "{screen}");
        assert_eq!(status, Some(1), "{screen}");
    }
}

#[test]
fn w_t4a_plain_half_lines_and_replies_of_many_lines() {
    let helo = "C: HELO …\nraw 250-a\\r\\n2\nraw 50 b\\r\nraw \\n\n";
    let script = ["raw 22\nraw 0 hi\\n\n", helo, ENVELOPE, MESSAGE, QUIT];
    let (screen, status, server) = play(&script.concat());
    server.unwrap_or_else(|why| panic!("{why}\n{screen}"));
    assert_eq!(status, Some(0), "{screen}");
}

#[test]
fn w_t4a_plain_a_closed_connection_is_reported() {
    let begun = [GREETING, HELO, ENVELOPE, "C: DATA\nS: 354 go\nM:\n"].concat();
    for end in ["close", "raw 25\nclose"] {
        let (screen, status, _) = play(&format!("{begun}{end}\n"));
        assert!(screen.contains("without a reply"), "{screen}");
        assert_eq!(status, Some(1), "{screen}");
    }
    let (screen, status, _) = play(&format!("{GREETING}C: HELO …\nreset\n"));
    assert!(screen.contains("ECONNRESET"), "{screen}");
    assert_eq!(status, Some(1), "{screen}");
    // No program listens on port 9.
    let (screen, status) = run(plain(9));
    assert!(screen.contains("ECONNREFUSED"), "{screen}");
    assert_eq!(status, Some(1), "{screen}");
}

#[test]
fn w_t4a_plain_an_address_cannot_contain_a_command() {
    for evil in [
        "bob@example.org\r\nRCPT TO:<eve@example.org>",
        "bob@example.org>\nDATA",
        "bob",
        "",
    ] {
        let mut command = terminal::command("mail-plain-client");
        command.args(["127.0.0.1", "9", "ada@example.com", evil]);
        let (screen, status) = run(command);
        assert!(!screen.contains("connect("), "{screen}");
        assert_eq!(status, Some(2), "{evil:?}: {screen}");
    }
}

#[test]
fn w_t4a_plain_two_at_once_reach_the_sink() {
    let mut sink = Sink::start(&[]);
    let port = sink.server.address.port();
    let clients: Vec<_> =
        (0..2).map(|_| thread::spawn(move || run(plain(port)))).collect();
    for client in clients {
        let (screen, status) = client.join().expect("a client");
        assert_eq!(status, Some(0), "{screen}");
    }
    for message in sink.messages() {
        let text = "\r\n\r\nI love computer networks!\r\n";
        assert!(message.ends_with(text), "{message}");
        assert!(message.contains("with SMTP;"), "{message}");
    }
    assert_eq!(sink.messages().len(), 2);
    sink.server.interrupt();
}

#[test]
fn w_t4a_plain_works_with_pythons_server_and_client() {
    // The Rust clients send to Python's server, one after the other.
    let Some(mut server) = python_server("mail/plain_server.py", &[]) else {
        return;
    };
    let port = server.address.port();
    for _ in 0..2 {
        let (screen, status) = run(plain(port));
        assert_eq!(status, Some(0), "{screen}");
        server.wait_for("RCPT TO:<bob@example.org>");
        server.wait_for("| I love computer networks!");
        server.wait_for("left");
    }
    // `mail-client` falls back to HELO there.
    let options = crate::script::client("127.0.0.1", port, &[]);
    let mut command = terminal::command("mail-client");
    command.args(options);
    let (screen, status) = run(command);
    assert_eq!(status, Some(0), "{screen}");
    assert!(screen.contains("C: HELO "), "{screen}");
    // Python's client sends to Python's server, and to the sink.
    let sink = Sink::start(&[]);
    for server in [&server, &sink.server] {
        let client = server.python("mail/plain_client.py", &ADDRESSES);
        let mut client = client.expect("python3 is there");
        let screen = client.read_to_end().expect("it ends");
        let screen = String::from_utf8_lossy(&screen).into_owned();
        assert!(screen.contains("C: QUIT\nS: 221 "), "{screen}");
    }
    assert!(sink.message().ends_with("I love computer networks!\r\n"));
}

#[test]
fn w_t4a_plain_the_sink_survives_lost_clients() {
    let sink = Sink::start(&[]);
    let half = sink.talk();
    send(&half, b"HELO loc");
    let gone = sink.talk();
    send(&gone, b"HELO localhost\r\nMAIL FROM:<a@b.org>\r\n");
    reset(gone);
    let left = sink.talk();
    half_close(&left);
    let (screen, status) = run(plain(sink.server.address.port()));
    assert_eq!(status, Some(0), "{screen}");
    drop(half);
    assert_eq!(sink.messages().len(), 1);
}

#[test]
fn w_t4a_plain_stops_at_ctrl_c() {
    let (port, server) = serve("hang\n", identity_of_nobody().config);
    let mut client = Terminal::run(&mut plain(port)).expect("it starts");
    client.signal(rustix::process::Signal::INT).expect("a signal");
    assert!(!client.wait_for_end().expect("it ends").success());
    drop(server);
}
