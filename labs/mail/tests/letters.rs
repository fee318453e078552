//! Proves that the message that arrives is the one that was typed. Python's
//! email package reads it.

use std::fs;
use std::io::Write;
use std::process::Command;

use harness::terminal::{self, Terminal};

use crate::script::{
    Done, EHLO, ENVELOPE, GREETING, MESSAGE, QUIT, client, identity_of_nobody,
    play_with,
};

const EIGHT: &str = "C: EHLO …\nS: 250-mail.test\nS: 250 8BITMIME\n";

fn send(ehlo: &str, options: &[&str], body: &[u8]) -> Done {
    let envelope = match ehlo == EIGHT && !body.is_ascii() {
        true => ENVELOPE.replacen("com>", "com> BODY=8BITMIME", 1),
        false => ENVELOPE.to_string(),
    };
    let script = [GREETING, ehlo, &envelope, MESSAGE, QUIT].concat();
    let nobody = identity_of_nobody();
    let done = play_with(&script, "127.0.0.1", options, body, &nobody);
    done.ended(0, &["sent to 1 of 1"]);
    done
}

/// How a mail program shows the message that was sent; `None` without Python.
fn read(message: &str) -> Option<Vec<String>> {
    read_stored(&[unstuffed(message)])?.pop()
}

/// How it shows stored messages: the lines of each.
pub fn read_stored(messages: &[Vec<u8>]) -> Option<Vec<Vec<String>>> {
    let mut command: Command = harness::python("mail/parts.py")?;
    let folder = tempfile::tempdir().expect("a folder");
    for (number, message) in messages.iter().enumerate() {
        let file = folder.path().join(number.to_string());
        fs::write(&file, message).expect("written");
        command.arg(file);
    }
    let output = command.output().expect("python3");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("defect: "), "{text}");
    let found = text.split("message: ").skip(1);
    let lines = |one: &str| one.lines().map(str::to_string).collect();
    let found: Vec<Vec<String>> = found.map(lines).collect();
    assert_eq!(found.len(), messages.len(), "python3: {output:?}");
    Some(found)
}

/// What a server stores.
fn unstuffed(message: &str) -> Vec<u8> {
    let lines = message.lines();
    let lines = lines.map(|line| line.strip_prefix('.').unwrap_or(line));
    lines.flat_map(|line| [line, "\r\n"].concat().into_bytes()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The only part of these lines, as bytes.
#[track_caller]
pub fn has_part(lines: &[String], kind: &str, name: &str, content: &[u8]) {
    let wanted = format!("part: {kind} {name} {}", hex(content));
    let wanted = wanted.trim_end();
    let short: Vec<String> =
        lines.iter().map(|line| format!("{line:.200}")).collect();
    assert!(
        lines.iter().any(|line| line.trim_end() == wanted),
        "no {wanted:.200} in {short:#?}"
    );
}

#[test]
fn w_t4a_every_text_arrives() {
    let long = "word ".repeat(1000);
    let texts: [&[u8]; 11] = [
        b"",
        b"hello\n",
        b"no line end",
        b".\n..\n.dot\n a.\n",
        b"\n\n.\n\n",
        b"crlf\r\nlf\nboth\r\n",
        long.as_bytes(),
        "Grüße, 世界 🙂\n.\n".as_bytes(),
        b"lone\rcr\n",
        b"nul\0byte\n",
        b"QUIT\r\n.\r\nMAIL FROM:<eve@example.com>\r\n",
    ];
    let mut sent = Vec::new();
    for ehlo in [EHLO, EIGHT] {
        for text in texts {
            let message = send(ehlo, &[], text).followed().to_string();
            assert!(message.lines().all(|line| line.len() <= 998));
            assert!(ehlo == EIGHT || message.is_ascii(), "{message}");
            sent.push((text, message));
        }
    }
    let stored: Vec<Vec<u8>> =
        sent.iter().map(|(_, message)| unstuffed(message)).collect();
    let Some(found) = read_stored(&stored) else { return };
    for ((text, message), lines) in sent.iter().zip(found) {
        let shown = String::from_utf8_lossy(text).replace("\r\n", "\n");
        let mut crlf = shown.replace('\n', "\r\n");
        // A text that is sent as lines ends with a newline.
        let as_lines = !message.contains("base64");
        if as_lines && !crlf.ends_with('\n') && !crlf.is_empty() {
            crlf.push_str("\r\n");
        }
        has_part(&lines, "text/plain", "None", crlf.as_bytes());
    }
}

#[test]
fn w_t4a_names_subjects_and_copies_in_any_script() {
    let subject = "Größenwahn? 世界 and a subject that is so long that it has \
                   to be folded into several lines of the header";
    let options = [
        "--from",
        "Ada Lövelace <ada@example.com>",
        "--subject",
        subject,
        "--to",
        "\"Doe, \\\"J\\\"\" <bob@example.org>",
    ];
    let done = send(EHLO, &options, b"hi\n");
    assert!(done.followed().is_ascii());
    let Some(lines) = read(done.followed()) else { return };
    let has = |line: &str| {
        assert!(lines.iter().any(|l| l == line), "{line}: {lines:#?}");
    };
    has(&format!("Subject: {subject}"));
    has("From: Ada Lövelace <ada@example.com>");
    has("To: \"Doe, \\\"J\\\"\" <bob@example.org>");
    assert_eq!(lines.iter().filter(|l| l.starts_with("Date: ")).count(), 1);
    let id = lines.iter().find(|line| line.starts_with("Message-ID: <"));
    assert!(id.expect("an id").ends_with("@example.com>"));
}

#[test]
fn w_t4a_a_subject_that_looks_encoded_arrives_as_typed() {
    let long = "世界 =?utf-8?q?=41?= ".repeat(20);
    for subject in ["=?utf-8?q?=41?=", "a =?utf-8?B?eA==?= b", "=?", &long] {
        let done = send(EHLO, &["--subject", subject], b"hi\n");
        let message = done.followed();
        let mut coded = message.lines().filter(|line| line.contains("=?"));
        assert!(coded.all(|line| line.len() <= 76), "{message}");
        let Some(lines) = read(message) else { return };
        let wanted = format!("Subject: {subject}");
        assert!(lines.contains(&wanted), "{wanted}: {lines:#?}");
    }
}

#[test]
fn w_t4a_bcc_is_in_the_envelope_only() {
    let envelope = "C: MAIL FROM:<ada@example.com>\nS: 250 ok\n\
                    C: RCPT TO:<bob@example.org>\nS: 250 ok\n\
                    C: RCPT TO:<cy@example.org>\nS: 250 ok\n\
                    C: RCPT TO:<hidden@example.org>\nS: 250 ok\n";
    let script = [GREETING, EHLO, envelope, MESSAGE, QUIT].concat();
    let options = [
        "--to",
        "bob@example.org",
        "--cc",
        "cy@example.org",
        "--bcc",
        "Somebody Secret <hidden@example.org>",
    ];
    let nobody = identity_of_nobody();
    let done = play_with(&script, "127.0.0.1", &options, b"hi\n", &nobody);
    let message = done.followed();
    // The colon matters: a Message-ID is random, and its digits may be "bcc".
    let lower = message.to_lowercase();
    for word in ["hidden", "secret", "bcc:"] {
        assert!(!lower.contains(word), "{word} in\n{message}");
    }
    assert!(message.contains("To: <bob@example.org>\n"));
    assert!(message.contains("Cc: <cy@example.org>\n"));
    // All recipients are in Bcc.
    let envelope = "C: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\n";
    let script = [GREETING, EHLO, envelope, MESSAGE, QUIT].concat();
    let options = ["--bcc", "hidden@example.org"];
    let done = play_with(&script, "127.0.0.1", &options, b"hi\n", &nobody);
    assert!(!done.followed().contains("hidden"), "{}", done.followed());
}

#[test]
fn w_t4a_files_arrive_byte_for_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let every_byte: Vec<u8> =
        (0..100_000u32).map(|n| (n * 31 % 251 + n / 977) as u8).collect();
    let files: [(&str, &str, &[u8]); 5] = [
        ("every byte.bin", "application/octet-stream", &every_byte),
        ("Größe.png", "image/png", &[0x89, b'P', b'N', b'G', 13, 10, 26, 10]),
        ("lines.txt", "text/plain", b"a\n.\n..\r\nlone\rcr\nend"),
        ("empty.pdf", "application/pdf", b""),
        ("old.eml", "application/octet-stream", b"Subject: x\r\n\r\n.\r\n"),
    ];
    let mut options = Vec::new();
    for (name, _, bytes) in files {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        options.push("--attach".to_string());
        options.push(path.to_str().expect("text").to_string());
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    for ehlo in [EHLO, EIGHT] {
        let done = send(ehlo, &options, "Grüße\n.\n".as_bytes());
        let screen = &done.screen;
        assert!(screen.contains(" more bytes\n"), "{screen}");
        let Some(lines) = read(done.followed()) else { return };
        has_part(&lines, "text/plain", "None", "Grüße\r\n.\r\n".as_bytes());
        for (name, kind, bytes) in files {
            has_part(&lines, kind, name, bytes);
        }
    }
}

#[test]
fn w_t4a_names_with_joiners_travel_by_rfc_2231() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = [
        "می\u{200c}خواهم.txt",        // Persian, with ZWNJ
        "👩\u{200d}👩\u{200d}👧.png", // one sign of three, with ZWJ
        "क्\u{200d}ष.pdf",             // Hindi, with ZWJ
        "שלום\u{200f}.pdf",           // Hebrew, with a mark
        "❤\u{fe0f}.txt",              // a variation
        "e\u{301}.txt",               // a combining accent
        "a; b=\"c\" 100%'s.txt",      // signs of RFC 2231 itself
        "a very long name of a file in which ü comes late, so that it needs \
         several lines of the header.txt",
    ];
    let mut options = Vec::new();
    for name in names {
        let path = folder.path().join(name);
        fs::write(&path, name).expect("written");
        options.push("--attach".to_string());
        options.push(path.to_str().expect("text").to_string());
    }
    let subject = "می\u{200c}خواهم 👩\u{200d}👧";
    options.extend(["--subject".to_string(), subject.to_string()]);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let done = send(EHLO, &options, b"hi\n");
    let message = done.followed();
    let zwnj = message.lines().find(|line| line.contains("%E2%80%8C"));
    assert!(zwnj.is_some_and(|l| l.contains("filename*")), "{message}");
    let Some(lines) = read(message) else { return };
    let wanted = format!("Subject: {subject}");
    assert!(lines.contains(&wanted), "{lines:#?}");
    for name in names {
        let kind = match name.rsplit('.').next() {
            Some("png") => "image/png",
            Some("pdf") => "application/pdf",
            _ => "text/plain",
        };
        has_part(&lines, kind, name, name.as_bytes());
    }
    // Characters that reorder a line, or are invisible, can hide the ending
    // .exe.
    for name in ["a\u{202e}gpj.exe", "a\u{2066}b", "a\u{feff}b", "a\u{200b}b"] {
        let path = folder.path().join(name);
        fs::write(&path, name).expect("written");
        let path = path.to_str().expect("text");
        refused(&["--attach", path], b"x", "its name has");
    }
}

#[test]
fn w_t4a_a_typed_text_outlives_a_failure() {
    // `script` gives the client a terminal.
    if !harness::installed("script", "bsdutils") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let read = |name| fs::read_to_string(folder.path().join(name));
    for name in ["dead.letter", "dead.letter.2"] {
        // No program listens on port 9.
        let mut words = vec![terminal::program_folder().join("mail-client")];
        words.extend(client("127.0.0.1", 9, &[]).iter().map(Into::into));
        let words: Vec<_> = words.iter().filter_map(|w| w.to_str()).collect();
        let line = shlex::try_join(words).expect("words");
        let mut command = Command::new("script");
        command.args(["-q", "-e", "-c", &line, "/dev/null"]);
        command.current_dir(folder.path()).env_remove("TRACE");
        let mut screen = Terminal::run(&mut command).expect("it starts");
        screen.wait_for("The message; Ctrl-D …").expect("a prompt");
        let mut keys = screen.take_input().expect("a keyboard");
        keys.write_all("Grüße\r.\r\x04".as_bytes()).expect("typed");
        screen
            .wait_for(&format!("your text is saved in {name}; …"))
            .expect(name);
        screen.wait_for("Error: connect(…").expect("why");
        let status = screen.wait_for_end().expect("it ends").code();
        assert_eq!(status, Some(1));
        assert_eq!(read(name).expect(name), "Grüße\n.\n");
    }
    // A text that came from a file is not saved a second time.
    let mut command = terminal::command("mail-client");
    command.args(client("127.0.0.1", 9, &[])).current_dir(folder.path());
    let output = command.output().expect("it ends");
    let screen = String::from_utf8_lossy(&output.stderr);
    assert!(screen.contains("warning: the text is empty"), "{screen}");
    assert!(read("dead.letter.3").is_err(), "{screen}");
}

/// The client refuses its command line with status 2, and does not connect.
#[track_caller]
fn refused(options: &[&str], body: &[u8], why: &str) {
    let mut command = terminal::command("mail-client");
    command.args(client("127.0.0.1", 9, options));
    command.env("MAIL_PASSWORD", "tanstaaf");
    let mut client = Terminal::run(&mut command).expect("it starts");
    if let Some(mut input) = client.take_input() {
        let _ = input.write_all(body);
    }
    let screen = client.read_to_end().expect("it ends");
    let screen = String::from_utf8_lossy(&screen).into_owned();
    assert!(screen.contains(why), "no {why:?} in\n{screen}");
    assert!(!screen.contains("connect("), "{screen}");
    let status = client.wait_for_end().expect("an end").code();
    assert_eq!(status, Some(2), "{screen}");
}

#[test]
fn w_t4a_a_line_end_in_a_header_or_address_is_refused() {
    for end in ["\n", "\r", "\r\n"] {
        let evil = format!("Hi{end}Bcc: all@example.com");
        refused(&["--subject", &evil], b"x", "has a newline");
        let evil = format!("ada@example.com{end}RCPT TO:<eve@example.com>");
        refused(&["--from", &evil], b"x", "--from: ");
        refused(&["--to", &evil], b"x", "--to: ");
        refused(&["--bcc", &evil], b"x", "--bcc: ");
        refused(&["--envelope-from", &evil], b"x", "--envelope-from: ");
        let evil = format!("Ada{end}Bcc: all@example.com <ada@example.com>");
        refused(&["--from", &evil], b"x", "--from: ");
        refused(&["--helo", &format!("x{end}y")], b"x", "--helo must");
        refused(&["--user", &format!("x{end}y")], b"x", "--user: ");
    }
    for evil in ["a>b@example.com", "<<a@example.com>>", "a b@example.com"] {
        refused(&["--to", evil], b"x", "--to: ");
    }
}

#[test]
fn w_t4a_what_makes_no_sense_is_refused_before_a_server_hears_of_it() {
    refused(&["--to", ""], b"x", "--to: ");
    refused(&["--cc", "bob"], b"x", "the address has no @");
    refused(&["--timeout", "0"], b"x", "out of range");
    refused(&["--tls", "maybe"], b"x", "not one of auto, starttls");
    refused(&["--auth", "plain"], b"x", "need --user");
    refused(&["--attach", "/no/such/file"], b"x", "No such file");
    refused(&["--attach", "/"], b"x", "/: ");
    refused(&[], b"caf\xe9\n", "not UTF-8");
    refused(&[], &vec![b'x'; 25_000_001], "longer than 25 MB");
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("fifo");
    harness::make_fifo(&fifo);
    refused(&["--attach", fifo.to_str().expect("text")], b"x", "not a file");
    let odd = folder.path().join("a\nb");
    fs::write(&odd, b"x").expect("written");
    refused(&["--attach", odd.to_str().expect("text")], b"x", "its name has");
    let big = folder.path().join("big");
    fs::File::create(&big).expect("a file").set_len(25_000_001).expect("big");
    refused(&["--attach", big.to_str().expect("text")], b"x", "25 MB");
}
