//! Proves that `--fail`, `--drop-after` and `--slow` change only the reply that
//! they name. STARTTLS, and AUTH without TLS, are tested here, too.

use std::time::{Duration, Instant};

use super::{Sink, TO_DATA, dialogue, leftovers, reply};
use harness::terminal::Terminal;
use harness::{Server, receive_all, receive_line, send};

#[test]
fn w_t4a_every_verb_can_fail() {
    let before = ("EHLO me", "250");
    let (mail, rcpt, data) = (TO_DATA[0], TO_DATA[1], TO_DATA[2]);
    for (fault, script) in [
        ("ehlo=502", vec![("EHLO me", "502 5.0.0"), ("HELO me", "250")]),
        ("helo=550", vec![("HELO me", "550 refused"), before]),
        ("starttls=454", vec![before, ("STARTTLS", "454 4.0.0"), mail]),
        ("auth=454", vec![before, ("AUTH LOGIN", "454 4.0.0"), mail]),
        ("mail=550", vec![before, (mail.0, "550 5.0.0"), (rcpt.0, "503")]),
        ("rcpt=450", vec![before, mail, (rcpt.0, "450 4."), ("DATA", "554")]),
        ("data=451", vec![before, mail, rcpt, ("DATA", "451"), mail, rcpt]),
        ("dot=554", vec![before, mail, rcpt, data, (".", "554 5.0.0"), mail]),
        ("rset=500", vec![("RSET", "500 5.0.0")]),
        ("noop=421", vec![("NOOP", "421 4.0.0")]),
        ("vrfy=550", vec![("VRFY me", "550 5.0.0")]),
        ("help=502", vec![("HELP", "502 5.0.0")]),
        ("quit=500", vec![("QUIT", "500 5.0.0")]),
    ] {
        let mut sink = Sink::start(&["--fail", fault]);
        sink.server.wait_for("on request: --fail …");
        let client = sink.talk();
        // A failed DATA does not delete the envelope; the client must send
        // RSET.
        let script: Vec<_> = match fault {
            "data=451" => script[..4].to_vec(),
            _ => script,
        };
        dialogue(&client, &script);
        if ["noop=421", "quit=500"].contains(&fault) {
            assert_eq!(receive_all(&client), b"", "{fault} closes");
        }
        assert_eq!(sink.messages(), [""; 0], "{fault}");
        assert_eq!(leftovers(sink.folder.path()), [""; 0], "{fault}");
    }
    let sink = Sink::start(&["--fail", "greeting=554"]);
    let client = sink.server.connect();
    let said = receive_all(&client);
    assert!(said.starts_with(b"554 refused on request"), "{said:?}");
}

#[test]
fn w_t4a_a_fault_can_be_one_recipients_or_pass_after_some_times() {
    let sink = Sink::start(&[
        "--fail",
        "rcpt=550:Bad@Example.ORG",
        "--fail",
        "dot=451*2",
        "--fail",
        "mail=421:gone@b.org",
    ]);
    let client = sink.after(&[]);
    for wanted in ["451", "451", "250", "250"] {
        dialogue(&client, &TO_DATA[..2]);
        let bad = ("RCPT TO:<bad@example.org>", "550 5.0.0");
        dialogue(&client, &[bad, ("DATA", "354"), ("hi\r\n.", wanted)]);
    }
    assert_eq!(sink.messages().len(), 2);
    dialogue(&client, &[("MAIL FROM:<gone@b.org>", "421 4.0.0")]);
    assert_eq!(receive_all(&client), b"");
}

#[test]
fn w_t4a_the_connection_can_be_cut_at_every_verb() {
    for (verb, last) in [
        ("ehlo", "EHLO me"),
        ("helo", "HELO me"),
        ("mail", "MAIL FROM:<a@b.org>"),
        ("rcpt", "RCPT TO:<c@d.org>"),
        ("data", "DATA"),
        ("dot", "hi\r\n."),
        ("starttls", "STARTTLS"),
        ("auth", "AUTH PLAIN"),
        ("quit", "QUIT"),
        ("rset", "RSET"),
        ("noop", "NOOP"),
    ] {
        let mut sink = Sink::start(&["--drop-after", verb]);
        let client = match verb {
            "ehlo" | "helo" => sink.talk(),
            "rcpt" => sink.after(&TO_DATA[..1]),
            "data" => sink.after(&TO_DATA[..2]),
            "dot" => sink.after(TO_DATA),
            _ => sink.after(&[]),
        };
        send(&client, format!("{last}\r\n").as_bytes());
        assert_eq!(receive_all(&client), b"", "{verb}");
        sink.server.wait_for(&format!("[…] closed on request: …{verb}"));
        // The 250 was lost, but the message was stored.
        assert_eq!(sink.messages().len(), usize::from(verb == "dot"));
    }
    let sink = Sink::start(&["--drop-after", "greeting"]);
    assert_eq!(receive_all(&sink.server.connect()), b"");
}

#[test]
fn w_t4a_replies_can_be_late() {
    let sink = Sink::start(&["--slow", "noop=0.3"]);
    let client = sink.after(TO_DATA);
    dialogue(&client, &[(".", "250")]);
    let began = Instant::now();
    dialogue(&client, &[("NOOP", "250")]);
    assert!(began.elapsed() >= Duration::from_millis(300));
    let began = Instant::now();
    let sink = Sink::start(&["--slow", "0.3"]);
    let _ = sink.after(&[]); // the greeting and EHLO's reply
    assert!(began.elapsed() >= Duration::from_millis(600));
    // Ctrl-C does not wait for it.
    let mut sink = Sink::start(&["--slow", "80000"]);
    let client = sink.server.connect();
    sink.server.wait_for("[…] connected");
    sink.server.interrupt();
    assert_eq!(receive_all(&client), b"");
}

#[test]
fn w_t4a_an_option_that_makes_no_sense_is_reported() {
    for (arguments, wanted) in [
        (["--fail", "rcpt"], "--fail rcpt: the = is missing. …"),
        (["--fail", "rcpt=250"], "…CODE must be 4xx…"),
        (["--fail", "rcpt=5e2"], "…CODE must be 4xx…"),
        (["--fail", "send=550"], "--fail: \"send\" is not one of greeting …"),
        (["--fail", "data=451:a@b.org"], "…only mail and rcpt…"),
        (["--fail", "data=451*0"], "…TIMES must be 1 or more…"),
        (["--drop-after", "now"], "--drop-after: \"now\" is not one of …"),
        (["--slow", "-1"], "--slow -1: seconds must be from 0…"),
        (["--slow", "nan"], "--slow nan: seconds must be from 0…"),
        (["--max-size", "0"], "--max-size 0 is out of range…"),
        (["--password-file", "x"], "--password-file needs --user NAME"),
    ] {
        let mut sink =
            Terminal::start("mail-sink", arguments).expect("it starts");
        sink.wait_for(wanted).unwrap_or_else(|e| panic!("{e}"));
        let status = sink.wait_for_end().expect("it ends");
        assert_eq!(status.code(), Some(2), "{arguments:?}");
    }
    let arguments = ["127.0.0.1", "0", "--dir", "Cargo.toml"];
    let mut sink = Terminal::start("mail-sink", arguments).expect("a start");
    sink.wait_for("Error: open(Cargo.toml): …").expect("why");
    assert_eq!(sink.wait_for_end().expect("an end").code(), Some(1));
}

#[test]
fn w_t4a_commands_in_the_clear_after_starttls_are_not_executed() {
    let sink = Sink::start(&["--tls"]);
    let client = sink.after(&[]);
    send(&client, b"STARTTLS\r\nMAIL FROM:<evil@b.org>\r\n");
    let said = String::from_utf8(receive_all(&client)).expect("text");
    assert!(said.starts_with("421 4.7.0 bytes followed"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    // After the 220 they are not a handshake.
    let mut sink = Sink::start(&["--tls"]);
    let client = sink.after(&[("STARTTLS", "220")]);
    send(&client, b"MAIL FROM:<evil@b.org>\r\n");
    assert!(!receive_all(&client).starts_with(b"250"));
    sink.server.wait_for("[…] lost: TLS: …");
    assert_eq!(sink.messages(), [""; 0]);
}

#[test]
fn w_t4b_a_second_sink_leaves_the_firsts_certificate_alone() {
    let first = Sink::start(&["--tls"]);
    let file = first.folder.path().join("cert.pem");
    let certificate = std::fs::read(&file).expect("a certificate");
    let path = first.folder.path().to_str().expect("UTF-8").to_string();
    let arguments = ["127.0.0.1", "0", "--implicit-tls", "--dir", &path];
    let mut second = Terminal::start("mail-sink", arguments).expect("a start");
    second.wait_for("Error: another sink with TLS …").expect("why");
    assert_eq!(second.wait_for_end().expect("an end").code(), Some(1));
    assert_eq!(std::fs::read(&file).expect("still there"), certificate);
    // Without TLS it needs no certificate. A sink that has ended holds no lock.
    let arguments = ["127.0.0.1", "0", "--dir", &path];
    let mut clear = Terminal::start("mail-sink", arguments).expect("a start");
    clear.wait_for("listening on …").expect("it listens");
    let Sink { server, folder } = first;
    drop(server);
    Sink::start_in(folder, &["--tls"]);
}

#[test]
fn w_t4a_auth_is_refused_in_every_wrong_way() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "secret\n").expect("written");
    let path = file.path().to_str().expect("UTF-8");
    let mut sink = Sink::start(&["--user", "alice", "--password-file", path]);
    sink.server.wait_for("warning: passwords are sent in the clear …");
    let (login, bad) = ("AUTH LOGIN", "YmFk");
    let client = sink.talk();
    dialogue(
        &client,
        &[
            (login, "503 5.5.1"),
            ("EHLO me", "250"),
            ("MAIL FROM:<a@b.org>", "530 5.7.0"),
            ("AUTH", "501"),
            ("AUTH CRAM-MD5", "504 5.5.4"),
            ("AUTH PLAIN AGFsaWNlAHdyb25n", "535 5.7.8"), // alice, wrong
            ("AUTH PLAIN AGJvYgBzZWNyZXQ=", "535 5.7.8"), // bob, secret
            ("AUTH PLAIN AGFsaWNlAA==", "535 5.7.8"),     // alice, ""
            ("AUTH PLAIN =", "501"),
            ("AUTH PLAIN %%%", "501 5.5.2"),
            ("AUTH PLAIN", "334 "),
            ("*", "501 5.7.0"),
            (login, "334 VXNlcm5hbWU6"),
            (bad, "334 UGFzc3dvcmQ6"),
            (bad, "535"),
            ("auth plain AGFsaWNlAHNlY3JldA==", "235 2.7.0"),
            (login, "503 5.5.1"),
            ("MAIL FROM:<a@b.org> AUTH=<>", "250"),
            ("QUIT", "221"),
        ],
    );
    let client = sink.after(&[
        (login, "334 VXNlcm5hbWU6"),
        ("YWxpY2U=", "334 UGFzc3dvcmQ6"),
        ("c2VjcmV0", "235"),
    ]);
    dialogue(&client, TO_DATA);
    dialogue(&client, &[("hi\r\n.", "250")]);
    assert!(sink.message().contains("with ESMTPA;"));
    // The console shows no part of the password, not even in base64.
    sink.server.console().signal(rustix::process::Signal::INT).expect("ok");
    let shown = sink.server.console().read_to_end().expect("its output");
    let shown = String::from_utf8(shown).expect("text");
    for secret in ["c2VjcmV0", "NlY3JldA", "BzZWNyZXQ", "YmFk", "secret"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("C: AUTH PLAIN ***"), "{shown}");
    assert!(shown.contains("C: ***"), "{shown}");
}

#[test]
fn w_t4a_with_tls_no_password_passes_in_the_clear() {
    let sink = Sink::start(&["--tls", "--user", "alice"]);
    let client = sink.talk();
    send(&client, b"EHLO me\r\n");
    let offer = reply(&client);
    assert!(offer.contains("STARTTLS") && !offer.contains("AUTH"), "{offer}");
    dialogue(
        &client,
        &[
            ("AUTH PLAIN AGFsaWNlAHNlY3JldA==", "538 5.7.11"),
            ("MAIL FROM:<a@b.org>", "530 5.7.0 Must issue a STARTTLS"),
        ],
    );
}

#[test]
fn w_t4a_a_client_beyond_the_limit_is_refused() {
    let sink = Sink::start(&["--max-clients", "1"]);
    let first = sink.after(&[]);
    let second = sink.server.connect();
    assert_eq!(
        receive_line(&second),
        "421 4.3.2 too many clients, try again later"
    );
    drop(first);
}

/// The trace shows the handout's steps, as the banners number them.
#[test]
fn w_t4b_the_sinks_system_calls_come_in_the_banners_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let mut command = harness::terminal::command("mail-sink");
    command.args(["127.0.0.1", "0", "--dir", path]).env("TRACE", "1");
    let mut server = Server::run(&mut command);
    let client = server.connect();
    assert!(reply(&client).starts_with("220"));
    dialogue(&client, &[("QUIT", "221")]);
    drop(client);
    for step in ["4 accept", "6 send", "5 recv", "6 send", "7 close"] {
        server.wait_for(&format!("…{step}…"));
    }
}
