//! Proves that `--eml` checks a saved message and sends it unchanged, but
//! without private lines such as Bcc.

use std::fs;

use mail::client::eml::ReadyMessage;

use crate::script::{
    Done, EHLO, ENVELOPE, GREETING, MESSAGE, QUIT, client, play,
};

const READY: &str = "Date: Mon, 30 Nov 2026 21:00:00 +0000\n\
                     From: Ada <ada@example.com>\nSubject: folded\n\
                     \u{20}over two lines\n\n.a dot\nbody\n";

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), text).expect("written");
    file
}

fn send(text: &str, ehlo: &str) -> Done {
    let file = file(text);
    let path = file.path().to_str().expect("UTF-8");
    let envelope = match ehlo.contains("8BITMIME") {
        false => ENVELOPE.to_string(),
        true => "C: MAIL …\nS: 250 ok\nC: RCPT …\nS: 250 ok\n".to_string(),
    };
    let script = [GREETING, ehlo, &envelope, MESSAGE, QUIT].concat();
    play(&script, &["--eml", path])
}

#[test]
fn w_t4a_a_ready_message_is_sent_as_it_is() {
    for text in [READY.to_string(), READY.replace('\n', "\r\n")] {
        let done = send(&text, EHLO);
        let stuffed = READY.replace("\n.a", "\n..a");
        assert_eq!(done.followed(), stuffed);
        done.ended(0, &["sent to 1 of 1: bob@example.org"]);
    }
}

#[test]
fn w_t4a_bcc_and_similar_fields_are_removed_from_a_message() {
    for hidden in [
        "Bcc: eve@example.org",
        "BCC : eve@example.org,\n\thidden@example.org",
        "bcc:\n eve@example.org",
        "Resent-Bcc: eve@example.org",
        "Return-Path: <eve@example.org>",
        "X-Envelope-To: <eve@example.org>\nX-Envelope-To: <e@eve.org>",
    ] {
        for text in [
            format!("{hidden}\n{READY}"),
            READY.replace("Subject", &format!("{hidden}\nSubject")),
        ] {
            let done = send(&text, EHLO);
            assert_eq!(done.followed().replace("..a", ".a"), READY);
            done.ended(0, &[]);
            assert!(!done.screen.contains("eve"), "{}", done.screen);
        }
    }
    // In the text the word has no special meaning.
    let text = format!("{READY}Bcc: in the text\n");
    assert!(send(&text, EHLO).followed().ends_with("\nBcc: in the text\n"));
}

#[test]
fn w_t4a_bytes_above_127_need_what_the_server_offers() {
    let body = READY.replace("body", "Grüße");
    let header = READY.replace("Ada", "Ümit");
    let quit = |ehlo: &str, text: &str| {
        let file = file(text);
        let path = file.path().to_str().expect("UTF-8").to_string();
        play(&[GREETING, ehlo, QUIT].concat(), &["--eml", &path])
    };
    quit(EHLO, &body).not_sent(&["does not offer 8BITMIME"]);
    let eight = "C: EHLO …\nS: 250-mail.test\nS: 250 8BITMIME\n";
    quit(eight, &header).not_sent(&["does not offer SMTPUTF8"]);
    send(&body, eight).ended(0, &["BODY=8BITMIME\n"]);
    let utf8 = "C: EHLO …\nS: 250-mail.test\nS: 250-8BITMIME\n\
                S: 250 SMTPUTF8\n";
    send(&header, utf8).ended(0, &["BODY=8BITMIME SMTPUTF8\n"]);
}

#[test]
fn w_t4a_what_is_not_a_message_is_refused() {
    let long = format!("X: {}\n{READY}", "x".repeat(999));
    for (text, why) in [
        ("", "no from: field"),
        ("\nonly a text\n", "no from: field"),
        ("just a text\n", "line 1 is not a header line"),
        (&format!("From ada Mon Nov 30\n{READY}"), "line 1 is not a header"),
        (&format!("\u{feff}{READY}"), "line 1 is not a header line"),
        (&format!(" folded\n{READY}"), "begins with a blank"),
        (&READY.replace("\n\n", "\n"), "line 5 is not a header line"),
        (&READY.replace("Date", "X-Date"), "no date: field"),
        (&READY.replace("From", "X-From"), "no from: field"),
        (&format!("from: e@example.org\n{READY}"), "2 from: fields"),
        (&format!("SUBJECT: a\n{READY}"), "2 subject: fields"),
        (&format!(": no name\n{READY}"), "line 1 is not a header line"),
        (&READY.replace("body", "lone\rcr"), "a lone CR or a NUL"),
        (&READY.replace("body", "nul\0"), "a lone CR or a NUL"),
        (&long, "bytes, but SMTP allows 998"),
    ] {
        let found = ReadyMessage::check(text.as_bytes()).err();
        let found = found.unwrap_or_else(|| panic!("{text:?} was accepted"));
        assert!(found.contains(why), "{text:?}: {found}");
    }
}

#[test]
fn w_t4a_eml_is_checked_before_a_server_hears_of_it() {
    let (good, bad) = (file(READY), file("no header\n"));
    let path = |file: &tempfile::NamedTempFile| {
        file.path().to_str().expect("UTF-8").to_string()
    };
    for (options, why) in [
        (["--eml", &path(&bad), "-q", "-q"], "not a header line"),
        (["--eml", "/no/such/file", "-q", "-q"], "No such file"),
        (["--eml", "/", "-q", "-q"], "not a file"),
        (["--eml", &path(&good), "--subject", "x"], "cannot change it"),
        (["--eml", &path(&good), "--attach", "x"], "cannot change it"),
    ] {
        let options: Vec<&str> =
            options.iter().copied().filter(|word| *word != "-q").collect();
        let mut command = harness::terminal::command("mail-client");
        command.args(client("127.0.0.1", 9, &options));
        let output = command.output().expect("it ends");
        let screen = String::from_utf8_lossy(&output.stderr);
        assert!(screen.contains(why), "no {why:?} in\n{screen}");
        assert_eq!(output.status.code(), Some(2), "{screen}");
    }
}
