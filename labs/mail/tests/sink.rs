//! Proves the sink's side of the dialogue, byte by byte. In the folder sink/:
//! peers.rs delivers with other programs, faults.rs asks for faults, crash.rs
//! kills the sink and fills its disk.

mod crash;
mod faults;
mod peers;

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::thread;

use tempfile::TempDir;

use harness::{
    Server, half_close, receive_all, receive_line, reset, send, trickle,
};

/// A sink and its folder.
pub struct Sink {
    pub server: Server,
    pub folder: TempDir,
}

impl Sink {
    #[track_caller]
    pub fn start(arguments: &[&str]) -> Sink {
        let folder = tempfile::tempdir().expect("a folder");
        Sink::start_in(folder, arguments)
    }

    #[track_caller]
    pub fn start_in(folder: TempDir, arguments: &[&str]) -> Sink {
        let path = folder.path().to_str().expect("UTF-8").to_string();
        let arguments = [&["--dir", &path], arguments].concat();
        let server = Server::start("mail-sink", &arguments);
        Sink { server, folder }
    }

    /// All messages, in the order of their names, which is the order of
    /// arrival.
    pub fn messages(&self) -> Vec<String> {
        messages(self.folder.path())
    }

    /// The only message.
    #[track_caller]
    pub fn message(&self) -> String {
        let messages = self.messages();
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages[0].clone()
    }

    /// A connection that has read the greeting.
    #[track_caller]
    pub fn talk(&self) -> TcpStream {
        let client = self.server.connect();
        assert!(reply(&client).starts_with("220 localhost ESMTP"));
        client
    }

    /// A connection that has said EHLO, and more.
    #[track_caller]
    pub fn after(&self, script: &[(&str, &str)]) -> TcpStream {
        let client = self.talk();
        dialogue(&client, &[("EHLO me.example", "250")]);
        dialogue(&client, script);
        client
    }
}

/// The messages of a sink's folder, in the order of their names.
pub fn messages(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder.join("new"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    let texts = names.iter().map(|path| {
        let bytes = fs::read(path).expect("a message");
        String::from_utf8_lossy(&bytes).into_owned()
    });
    texts.collect()
}

/// The incomplete messages, in tmp/.
pub fn leftovers(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder.join("tmp")).expect("the folder");
    let names = names.map(|entry| entry.expect("an entry").file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// A complete reply: all its lines, joined.
#[track_caller]
pub fn reply(client: &TcpStream) -> String {
    let mut lines = Vec::new();
    loop {
        let line = receive_line(client);
        let more = line.as_bytes().get(3) == Some(&b'-');
        lines.push(line);
        if !more {
            return lines.join("\n");
        }
    }
}

/// Sends each line with CR LF, and checks how its reply begins.
#[track_caller]
pub fn dialogue(client: &TcpStream, script: &[(&str, &str)]) {
    for (line, wanted) in script {
        send(client, format!("{line}\r\n").as_bytes());
        let reply = reply(client);
        assert!(reply.starts_with(wanted), "{line}\n{reply}");
    }
}

/// MAIL, RCPT, DATA.
pub const TO_DATA: &[(&str, &str)] = &[
    ("MAIL FROM:<alice@example.org>", "250 2.1.0"),
    ("RCPT TO:<bob@example.org>", "250 2.1.5"),
    ("DATA", "354 "),
];

/// The message after the sink's own lines.
pub fn below_trace(message: &str) -> &str {
    let (_, rest) = message.split_once("\r\n\t").expect("Received");
    let (_, rest) = rest.split_once("+0000\r\n").expect("its date");
    rest
}

#[test]
fn w_t4a_a_message_is_a_file_when_its_250_comes() {
    let mut sink = Sink::start(&[]);
    let client = sink.after(TO_DATA);
    send(&client, b"Subject: hi\r\n\r\nh\xc3\xa9llo\r\n..\r\n...\r\n.\r\n");
    let said = reply(&client);
    let name = said.strip_prefix("250 2.0.0 stored as ").expect("its name");
    let path = sink.folder.path().join(name);
    let text = fs::read_to_string(&path).expect("the file");
    let (trace, rest) = text.split_at(text.find("Subject").expect("it"));
    assert_eq!(rest, "Subject: hi\r\n\r\nhéllo\r\n.\r\n..\r\n");
    assert!(
        trace.starts_with(
            "Return-Path: <alice@example.org>\r\n\
             X-Envelope-To: <bob@example.org>\r\n\
             Received: from me.example ([127.0.0.1])\r\n\
             \tby localhost with ESMTP;\r\n\t"
        ),
        "{trace}"
    );
    dialogue(&client, &[("QUIT", "221 2.0.0")]);
    assert_eq!(receive_all(&client), b"");
    assert_eq!(leftovers(sink.folder.path()), [""; 0]);
    sink.server.wait_for("[127.0.0.1:…] C: MAIL FROM:<alice@example.org>");
    sink.server.wait_for("[…] C: … 5 lines, 30 bytes, and the dot");
    sink.server.wait_for(&format!(
        "[…] stored {name}: <alice@example.org> to <bob@example.org>"
    ));
    sink.server.wait_for("[…] S: 250 2.0.0 stored as …");
    sink.server.wait_for("[…] left after QUIT");
    sink.server.interrupt();
}

#[test]
fn w_t4a_other_users_of_the_machine_cannot_read_the_mail() {
    use std::os::unix::fs::PermissionsExt;
    let sink = Sink::start(&[]);
    let client = sink.after(TO_DATA);
    dialogue(&client, &[("x\r\n.", "250")]);
    let mode = |path: &Path| {
        let about = fs::metadata(path).expect("its mode");
        about.permissions().mode() & 0o777
    };
    for name in ["tmp", "new", "cur"] {
        let folder = sink.folder.path().join(name);
        assert_eq!(mode(&folder), 0o700);
        for entry in fs::read_dir(folder).expect("the folder") {
            assert_eq!(mode(&entry.expect("an entry").path()), 0o600);
        }
    }
    assert_eq!(sink.messages().len(), 1);
}

#[test]
fn w_t4a_every_command_has_its_moment() {
    let sink = Sink::start(&[]);
    let client = sink.talk();
    dialogue(
        &client,
        &[
            ("NOOP", "250 "),
            ("HELP", "214 "),
            ("MAIL FROM:<a@b.org>", "503 5.5.1"),
            ("HELO", "501 5.5.4"),
            ("EHLO two words", "501"),
            ("EHLO (me)", "501"),
            ("HELO me", "250 localhost"),
            ("MAIL FROM:<a@b.org> SIZE=9", "555 5.5.4"),
            ("ehlo me", "250-localhost greets me\n250-SIZE 26214400"),
            ("RCPT TO:<a@b.org>", "503 5.5.1"),
            ("DATA", "503 5.5.1"),
            ("MAIL FROM:<a@b.org>", "250"),
            ("MAIL FROM:<a@b.org>", "503 5.5.1"),
            ("DATA", "554 5.5.1"),
            ("RCPT TO:<a@b.org>", "250"),
            ("RSET", "250"),
            ("DATA", "503"),
            ("MAIL FROM:<a@b.org>", "250"),
            ("EHLO again", "250"), // forgets it, too
            ("RCPT TO:<a@b.org>", "503"),
            ("VRFY bob", "252"),
            ("VRFY", "501"),
            ("expn list", "500 5.5.2"),
            ("STARTTLS", "502 5.5.1"),
            ("AUTH PLAIN", "502 5.5.1"),
            ("QUIT now", "501"),
            ("GREETING", "500"),
            ("QUIT", "221"),
        ],
    );
    assert_eq!(receive_all(&client), b"");
}

#[test]
fn w_t4a_addresses_and_parameters_are_read_with_care() {
    let sink = Sink::start(&[]);
    let long = "x".repeat(65);
    let path = format!("MAIL FROM:<a@{}org>", "y.".repeat(130));
    for (line, wanted) in [
        ("MAIL FROM:<>", "250"), // a bounce has nobody to bounce to
        ("MAIL FROM: <a@b.org>", "250"), // no space there, but many send it
        ("mail from:<\"a b\\\"c>\"@b.org>", "250"),
        ("MAIL FROM:<@relay.org,@x:a@b.org>", "250"), // a route, ignored
        ("MAIL FROM:<a@[127.0.0.1]>", "250"),
        ("MAIL FROM:<a@[IPv6:::1]>", "250"),
        ("MAIL FROM:<a@b.org> SIZE=26214400 BODY=8BITMIME", "250"),
        ("MAIL FROM:<é@b.org> SMTPUTF8", "250"),
        ("MAIL FROM:<é@b.org>", "553 5.6.7"),
        ("MAIL FROM:<a@b.org> SIZE=26214401", "552 5.3.4"),
        ("MAIL FROM:<a@b.org> SIZE=+1", "501"),
        ("MAIL FROM:<a@b.org> SIZE=99999999999999999999", "501"),
        ("MAIL FROM:<a@b.org> SIZE=1 SIZE=1", "501"),
        ("MAIL FROM:<a@b.org> BODY=BINARYMIME", "501"),
        ("MAIL FROM:<a@b.org> RET=FULL", "555 5.5.4"),
        ("MAIL FROM:a@b.org", "501 5.5.4"),
        ("MAIL FROM:<a@b.org", "501"),
        ("MAIL <a@b.org>", "501"),
        ("MAIL FROM:<a b@c.org>", "501 5.1.7"),
        ("MAIL FROM:<a@b@c.org>", "501"),
        ("MAIL FROM:<a@>", "501"),
        ("MAIL FROM:<@b.org>", "250"), // an empty route is an empty path
        ("MAIL FROM:<a@-b.org>", "501"),
        ("MAIL FROM:<a@[nowhere]>", "501"),
        ("MAIL FROM:<a\x1b[2J@b.org>", "500 5.5.2"),
        ("MAIL FROM:<a\0@b.org>", "500 5.5.2"),
        (&format!("MAIL FROM:<{long}@b.org>"), "501"),
        (&path, "501 5.1.7"),
    ] {
        let client = sink.after(&[]);
        dialogue(&client, &[(line, wanted)]);
    }
    let mail = ("MAIL FROM:<a@b.org>", "250");
    for (line, wanted) in [
        ("RCPT TO:<>", "501 5.1.3"),
        ("RCPT TO:<postmaster>", "250"),
        ("RCPT TO:<bob>", "501"),
        ("RCPT TO:<é@b.org>", "553"),
        ("RCPT TO:<a@b.org> NOTIFY=NEVER", "555"),
        ("RCPT TO:<a@b.org>\r\nRCPT TO:<c@d.org>", "250"),
    ] {
        let client = sink.after(&[mail, (line, wanted)]);
        drop(client);
    }
}

#[test]
fn w_t4a_a_whole_session_in_one_segment_gets_its_replies_in_order() {
    let sink = Sink::start(&[]);
    let client = sink.talk();
    send(
        &client,
        b"EHLO me\r\nMAIL FROM:<a@b.org>\r\nRCPT TO:<c@d.org>\r\nDATA\r\n\
          one\r\n.\r\nMAIL FROM:<a@b.org>\r\nRCPT TO:<c@d.org>\r\nDATA\r\n\
          two\r\n.\r\nQUIT\r\n",
    );
    let said = String::from_utf8(receive_all(&client)).expect("text");
    let codes: Vec<&str> = said
        .lines()
        .filter(|line| line.as_bytes().get(3) == Some(&b' '))
        .map(|line| &line[..3])
        .collect();
    let one = ["250", "250", "354", "250"];
    assert_eq!(codes, [&["250"], &one[..], &one[..], &["221"]].concat());
    let messages = sink.messages();
    let bodies: Vec<&str> = messages.iter().map(|m| below_trace(m)).collect();
    assert_eq!(bodies, ["one\r\n", "two\r\n"]);
}

#[test]
fn w_t4a_one_byte_at_a_time_is_the_same_session() {
    let sink = Sink::start(&[]);
    let client = sink.talk();
    trickle(
        &client,
        b"EHLO me\r\nMAIL FROM:<a@b.org>\r\nRCPT TO:<c@d.org>\r\nDATA\r\n\
          ..one\r\n.\r\nQUIT\r\n",
    );
    let said = receive_all(&client);
    assert!(said.ends_with(b"221 2.0.0 bye\r\n"));
    assert_eq!(below_trace(&sink.message()), ".one\r\n");
}

#[test]
fn w_t4a_only_crlf_dot_crlf_ends_the_data() {
    let sink = Sink::start(&[]);
    for end in [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r.\r\n",
        "\r\n.\r",
        "\n.\r",
        "\r.\n",
        "\n\r.\r\n",
        "\r\n\0.\r\n\n.\n",
    ] {
        let client = sink.after(TO_DATA);
        let smuggled = format!(
            "Subject: one\r\n\r\ntext{end}MAIL FROM:<evil@b.org>\r\n\
             RCPT TO:<c@d.org>\r\nDATA\r\nSubject: two\r\n\r\n.\r\n"
        );
        send(&client, smuggled.as_bytes());
        let said = reply(&client);
        assert!(said.starts_with("554 5.6.0"), "{end:?} {said}");
        // One message was sent, so there is one reply.
        dialogue(&client, &[("NOOP", "250 2.0.0 nothing")]);
    }
    assert_eq!(sink.messages(), [""; 0]);
    assert_eq!(leftovers(sink.folder.path()), [""; 0]);
}

#[test]
fn w_t4a_a_command_that_a_lone_lf_ends_is_refused_at_once() {
    let sink = Sink::start(&[]);
    let client = sink.talk();
    send(&client, b"EHLO me\n");
    let said = reply(&client);
    assert!(said.starts_with("500 5.5.2 only CRLF"), "{said}");
    dialogue(&client, &[("EHLO me", "250")]);
}

#[test]
fn w_t4a_what_the_dot_does_not_end_was_not_sent() {
    let mut sink = Sink::start(&[]);
    for end in ["half", "half\r\n", "half\r\n.", "half\r\n.\r"] {
        let client = sink.after(TO_DATA);
        send(&client, end.as_bytes());
        half_close(&client);
        assert_eq!(receive_all(&client), b"", "{end:?}");
        sink.server.wait_for("[…] C: … but no dot, so the message is dropped");
        sink.server.wait_for("[…] left without QUIT");
    }
    let client = sink.after(TO_DATA);
    send(&client, b"half\r\n");
    reset(client);
    sink.server.wait_for("[…] lost: recv(…): Connection reset …");
    assert_eq!(sink.messages(), [""; 0]);
    assert_eq!(leftovers(sink.folder.path()), [""; 0]);
}

#[test]
fn w_t4a_a_half_close_after_quit_still_gets_every_reply() {
    let sink = Sink::start(&[]);
    let client = sink.after(TO_DATA);
    send(&client, b"hi\r\n.\r\nQUIT\r\n");
    half_close(&client);
    let said = String::from_utf8(receive_all(&client)).expect("text");
    assert!(said.starts_with("250 ") && said.contains("\n221 "), "{said}");
    // The same without QUIT.
    let client = sink.after(TO_DATA);
    send(&client, b"hi\r\n.\r\n");
    half_close(&client);
    let said = String::from_utf8(receive_all(&client)).expect("text");
    assert!(said.starts_with("250 ") && said.contains("\n421 "), "{said}");
    assert_eq!(sink.messages().len(), 2);
}

#[test]
fn w_t4a_lines_have_a_longest() {
    let sink = Sink::start(&[]);
    let client = sink.talk();
    let noop = |length: usize| format!("NOOP {}", "x".repeat(length - 5));
    dialogue(&client, &[(&noop(510), "250"), (&noop(511), "500 5.5.2")]);
    dialogue(&client, &[(&noop(1_000_000), "500 5.5.2"), ("EHLO x", "250")]);
    let line = |length: usize| format!("{}\r\n.", "x".repeat(length));
    dialogue(&client, TO_DATA);
    dialogue(&client, &[(&line(998), "250")]);
    for length in [999, 12_286, 12_287, 12_288, 3_000_000] {
        dialogue(&client, TO_DATA);
        dialogue(&client, &[(&line(length), "500 5.6.0")]);
    }
    // The stuffed dot does not count.
    dialogue(&client, TO_DATA);
    dialogue(&client, &[(&format!(".{}", line(998)), "250")]);
    assert_eq!(sink.messages().len(), 2);
}

#[test]
fn w_t4a_a_message_over_the_limit_is_refused_after_its_dot() {
    let sink = Sink::start(&["--max-size", "1000"]);
    let client = sink.after(TO_DATA);
    let body = |lines: usize| format!("{}.", "12345678\r\n".repeat(lines));
    dialogue(&client, &[(&body(100), "250")]);
    dialogue(&client, TO_DATA);
    dialogue(&client, &[(&body(101), "552 5.3.4"), ("NOOP", "250")]);
    // With far more bytes the sink stops reading.
    dialogue(&client, TO_DATA);
    let more = client.try_clone().expect("a handle");
    let writer = thread::spawn(move || {
        use std::io::Write;
        let piece = "12345678\r\n".repeat(1000);
        (0..1000).try_for_each(|_| (&more).write_all(piece.as_bytes()))
    });
    let said = reply(&client);
    assert!(said.starts_with("552 5.3.4"), "{said}");
    assert!(writer.join().expect("no panic").is_err(), "it hangs up");
    assert_eq!(sink.messages().len(), 1);
    assert_eq!(leftovers(sink.folder.path()), [""; 0]);
}

#[test]
fn w_t4a_a_thousand_recipients_and_not_one_more() {
    let sink = Sink::start(&["--quiet"]);
    let client = sink.after(&TO_DATA[..1]);
    let mut commands = String::new();
    for number in 0..1010 {
        commands.push_str(&format!("RCPT TO:<r{number}@example.org>\r\n"));
    }
    send(&client, commands.as_bytes());
    for number in 0..1010 {
        let wanted = if number < 1000 { "250 " } else { "452 4.5.3 " };
        let said = reply(&client);
        assert!(said.starts_with(wanted), "{number}: {said}");
    }
    dialogue(&client, &[("DATA", "354"), ("hi\r\n.", "250")]);
    let text = sink.message();
    assert_eq!(text.matches("X-Envelope-To: <r").count(), 1000);
    assert!(text.contains("X-Envelope-To: <r999@example.org>\r\n"));
}

#[test]
fn w_t4a_fifty_clients_at_once() {
    let sink = Sink::start(&["--quiet"]);
    thread::scope(|scope| {
        for number in 0..50 {
            let sink = &sink;
            scope.spawn(move || {
                let client = sink.after(TO_DATA);
                let text = format!("I am {number}.\r\n.");
                dialogue(&client, &[(&text, "250"), ("QUIT", "221")]);
            });
        }
    });
    let messages = sink.messages();
    let bodies: std::collections::BTreeSet<&str> =
        messages.iter().map(|m| below_trace(m)).collect();
    assert_eq!(bodies.len(), 50);
    assert!(bodies.contains("I am 49.\r\n"));
}

#[test]
fn w_t4a_who_only_errs_is_sent_away_and_so_is_a_browser() {
    let sink = Sink::start(&[]);
    let client = sink.talk();
    let wrong = ("BLAH", "500");
    dialogue(&client, &[wrong; 19]);
    send(&client, b"BLAH\r\n");
    let said = String::from_utf8(receive_all(&client)).expect("text");
    assert!(said.contains("\r\n421 4.7.0 too many errors"), "{said}");
    let client = sink.talk();
    send(
        &client,
        b"POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<a@b.c>\r\n",
    );
    let said = receive_all(&client);
    assert_eq!(said, b"421 4.7.0 not a web server\r\n");
}

#[test]
fn w_t4a_silence_and_ctrl_c_are_told() {
    let sink = Sink::start(&["--idle", "1"]);
    let half = sink.after(TO_DATA);
    send(&half, b"half\r\n");
    for client in [sink.talk(), half] {
        let said = String::from_utf8(receive_all(&client)).expect("text");
        assert!(said.starts_with("421 4.4.2 timed out"), "{said}");
    }
    assert_eq!(leftovers(sink.folder.path()), [""; 0]);

    let mut sink = Sink::start(&[]);
    let client = sink.after(TO_DATA);
    sink.server.interrupt();
    assert_eq!(receive_all(&client), b"");
    assert_eq!(leftovers(sink.folder.path()), [""; 0]);
}

#[test]
fn w_t4a_what_a_client_sends_cannot_drive_the_console_or_the_head() {
    let mut sink = Sink::start(&[]);
    let client = sink.talk();
    let name = "a\u{202e}b\u{9b}";
    dialogue(&client, &[(&format!("EHLO {name}"), "500")]);
    dialogue(&client, &[("EHLO a\u{202e}b", "501"), ("EHLO x", "250")]);
    sink.server.wait_for("[…] C: EHLO a\\u{202e}b");
    dialogue(&client, &[("MAIL FROM:<\u{202e}@b.org> SMTPUTF8", "250")]);
    sink.server.wait_for("[…] C: MAIL FROM:<\\u{202e}@b.org> SMTPUTF8");
    dialogue(&client, &[("RCPT TO:<c@d.org>", "250"), ("DATA", "354")]);
    dialogue(&client, &[(".", "250")]);
    let line = sink.server.wait_for("[…] stored …");
    assert!(!line.contains('\u{202e}'), "{line}");
    dialogue(&client, &[(&format!("NOOP {}", "x".repeat(500)), "250")]);
    sink.server.wait_for(&format!("[…] C: NOOP {}", "x".repeat(500)));
}

#[test]
fn w_t4a_the_log_says_which_side_ended_the_session() {
    let quit: &[(&str, &str)] = &[("QUIT", "221")];
    for (options, script, end) in [
        (&[][..], quit, "left after QUIT"),
        (&["--fail", "quit=421"], &[("QUIT", "421")], "left after QUIT"),
        (&["--idle", "1"], &[], "disconnected: silent for too long"),
        (&["--drop-after", "noop"], &[], "disconnected: --drop-after"),
        (&["--fail", "noop=421"], &[], "disconnected after a refusal"),
        (&["--fail", "rset=421"], &[], "left without QUIT"),
    ] {
        let mut sink = Sink::start(options);
        let client = sink.after(script);
        match options {
            ["--idle", _] => drop(receive_all(&client)),
            ["--fail", "rset=421"] => half_close(&client),
            _ => send(&client, b"NOOP\r\n"),
        }
        sink.server.wait_for(&format!("[…] {end}"));
    }
    let mut sink = Sink::start(&[]);
    let client = sink.talk();
    send(&client, &b"BLAH\r\n".repeat(20));
    sink.server.wait_for("[…] disconnected: too many errors");
    let client = sink.after(&[]);
    send(&client, b"POST / HTTP/1.1\r\n");
    sink.server.wait_for("[…] disconnected after a refusal");
    // Ctrl-C: the client has not left.
    for script in [&[][..], TO_DATA] {
        let mut sink = Sink::start(&[]);
        let client = sink.after(script);
        send(&client, b"half"); // of a command, or of a message
        let console = sink.server.console();
        console.signal(rustix::process::Signal::INT).expect("ok");
        sink.server.wait_for("[…] cut by the stop");
        sink.server.wait_for("bye");
        drop(client);
    }
}

#[test]
fn w_t4a_a_message_in_flight_is_stored_at_the_stop() {
    let mut sink = Sink::start(&[]);
    let client = sink.after(TO_DATA);
    send(&client, b"first half\r\n");
    let console = sink.server.console();
    console.signal(rustix::process::Signal::TERM).expect("ok");
    // From now on the sink accepts no new client.
    while std::net::TcpStream::connect(sink.server.address).is_ok() {
        thread::yield_now();
    }
    send(&client, b"second half\r\n.\r\n");
    let said = reply(&client);
    assert!(said.starts_with("250 2.0.0 stored"), "{said}");
    assert!(sink.message().ends_with("first half\r\nsecond half\r\n"));
    sink.server.wait_for("bye");
}

#[test]
fn w_t4a_what_is_not_a_command_is_shown_as_it_came() {
    let mut sink = Sink::start(&["--idle", "2"]);
    let client = sink.talk();
    dialogue(&client, &[("", "500 5.5.2 an empty line"), ("  ", "500 5.5.2")]);
    send(&client, b"EHLO me\n");
    sink.server.wait_for("[…] C: EHLO me (LF without CR)");
    send(&client, b"NOOP \x07\r\n");
    sink.server.wait_for("[…] C: NOOP \\x07 (not text)");
    send(&client, b"QUI");
    sink.server.wait_for("[…] C: QUI (no newline)"); // after the time-out
    sink.server.wait_for("[…] disconnected: silent for too long");
    let client = sink.talk();
    send(&client, b"MAIL FRO");
    half_close(&client);
    sink.server.wait_for("[…] C: MAIL FRO (no newline)");
    sink.server.wait_for("[…] left without QUIT");
}

#[test]
fn w_t4b_neither_a_password_nor_its_length_is_shown() {
    let mut sink = Sink::start(&["--user", "alice"]);
    for line in [
        "AUTH PLAIN AGFsaWNlAHNlY3JldA==",
        "AUTH PLAIN AGFsaWNlAHNlY3JldHNlY3JldHNlY3JldHNlY3JldHNlY3JldA==",
        "auth  PLAIN  AGFsaWNlAHNlY3JldA==",
        "AUTH AGFsaWNlAHNlY3JldA==",
        "AUTH\tPLAIN\tAGFsaWNlAHNlY3JldA==",
        "AUTH PLAIN AGFsaWNlAHNlY3JldA==\x07",
        "AUTH LOGIN AGFsaWNlAHNlY3JldA== AGFsaWNlAHNlY3JldA==",
    ] {
        let client = sink.after(&[]);
        send(&client, format!("{line}\r\n").as_bytes());
        let _ = reply(&client);
        drop(client);
    }
    for half in ["AUTH PLAIN AGFsaW", "AUTH LOGIN\r\nAGFsaW"] {
        let client = sink.after(&[]);
        send(&client, half.as_bytes());
        half_close(&client);
        let _ = receive_all(&client);
    }
    sink.server.console().signal(rustix::process::Signal::INT).expect("ok");
    let shown = sink.server.console().read_to_end().expect("its output");
    let shown = String::from_utf8(shown).expect("text");
    for secret in ["AGFs", "AHNl", "secret", "bytes)", "(31", "(20"] {
        assert!(!shown.contains(secret), "{secret} in\n{shown}");
    }
    let masked = shown.matches("C: AUTH PLAIN ***\n").count();
    assert_eq!(masked, 2, "{shown}");
}

#[test]
fn w_t4a_garbage_of_all_kinds_ends_in_replies_and_a_close() {
    // --quiet, because the test does not read the output in the meantime.
    let options = ["--user", "alice", "--max-size", "200", "--quiet"];
    let mut sink = Sink::start(&options);
    let pieces: [&[u8]; 20] = [
        b"EHLO me\r\n",
        b"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n",
        b"AUTH LOGIN\r\n",
        b"MAIL FROM:<a@b.org>\r\n",
        b"RCPT TO:<a@b.org>\r\n",
        b"DATA\r\n",
        b"DATA",
        b".\r\n",
        b"\r\n.\r\n",
        b"\r",
        b"\n",
        b"\0",
        b"\xff\xfe",
        b"MAIL FROM:<\"",
        b"=",
        b"*\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"RSET\r\n",
        b"RCPT TO:<@,@:@@>\r\n",
        b"some text of a message, longer than most of the other pieces\r\n",
    ];
    for _ in 0..300 {
        let client = sink.talk();
        let mut garbage = Vec::new();
        for _ in 0..rand::random_range(1..30) {
            let piece = pieces[rand::random_range(0..pieces.len())];
            garbage.extend_from_slice(piece);
        }
        // The sink may have disconnected it before the end.
        let mut writer = &client;
        let _ = std::io::Write::write_all(&mut writer, &garbage);
        let _ = client.shutdown(std::net::Shutdown::Write);
        let mut said = Vec::new();
        let mut reader = &client;
        let end = std::io::Read::read_to_end(&mut reader, &mut said);
        if let Err(error) = end {
            use std::io::ErrorKind::ConnectionReset;
            assert_eq!(error.kind(), ConnectionReset, "{garbage:?}");
        }
        for line in said.split_inclusive(|&byte| byte == b'\n') {
            assert!(line.ends_with(b"\r\n"), "{garbage:?}");
            assert!(line[..3].iter().all(u8::is_ascii_digit), "{garbage:?}");
        }
    }
    assert_eq!(leftovers(sink.folder.path()), [""; 0]);
    sink.server.console().signal(rustix::process::Signal::INT).expect("ok");
    let shown = sink.server.console().read_to_end().expect("its output");
    let shown = String::from_utf8(shown).expect("text");
    assert!(!shown.contains("a bug"), "{shown}");
}
