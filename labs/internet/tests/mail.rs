//! POP3 and IMAP against Dovecot, beside poplib and imaplib.

use std::fs;
use std::path::Path;

use crate::parts::{PASSWORD, command, failure, fetch, result, said, text};
use crate::peers::{Dovecot, write};
use harness::python;

/// Letters that are hard on a protocol of lines.
fn letters() -> Vec<Vec<u8>> {
    let head = "From: a@example.org\r\nSubject: Caf\u{e9} = =?utf-8?q?x?=\r\n";
    let with = |body: &str| format!("{head}\r\n{body}").into_bytes();
    let long = "x".repeat(9000);
    let mut large = with("");
    for number in 0..40_000 {
        large.extend(format!(".{number} of many lines\r\n").bytes());
    }
    vec![
        with("one line\r\n"),
        with(".\r\n..\r\n...\r\n.x\r\n\r\n.\r\n"),
        with("no line end"),
        with(&format!("{long}\r\n{long}.\r\n")),
        with("a3 OK done\r\n+OK\r\n) {99}\r\n* BYE\r\n-ERR\r\n"),
        with(""),
        with("\u{1b}[2J and \u{9b}31m and \u{202e}\r\n"),
        large,
    ]
}

#[test]
fn t_m_pop3_and_imap_agree_with_pythons_modules_byte_for_byte() {
    let letters = letters();
    let Some(server) = Dovecot::start(&letters) else { return };
    let Some(mut python) = python("internet/mailbox_dump.py") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let [pop3, _, imap, _] = server.ports.map(|port| port.to_string());
    let output = python
        .args([&pop3, &imap, "ann", PASSWORD])
        .arg(folder.path())
        .output()
        .expect("Python runs");
    let errors = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(output.status.success(), "{errors}");
    let theirs = |name: &str| fs::read(folder.path().join(name)).expect(name);

    let listed = text(&fetch(&["-q", &server.url("imap", "INBOX")]));
    let uids: Vec<&str> =
        listed.lines().filter_map(|l| l.split_whitespace().next()).collect();
    assert_eq!(uids.len(), letters.len(), "{listed}");
    assert!(listed.contains("Caf\u{e9} = x\n"), "{listed}");
    for (index, uid) in uids.iter().enumerate() {
        let number = index + 1;
        let one = fetch(&[&server.url("pop3", &number.to_string())]);
        let same = result(&one) == theirs(&format!("pop3-{number}"));
        assert!(same, "message {number} by POP3");
        let path = format!("INBOX/;UID={uid}");
        let one = fetch(&[&server.url("imap", &path)]);
        let same = result(&one) == theirs(&format!("imap-{uid}"));
        assert!(same, "UID {uid} by IMAP");
        // Dovecot, too, gives out what is in the maildir.
        if letters[index].ends_with(b"\r\n") {
            assert!(result(&one) == letters[index], "UID {uid} as it was");
        }
    }
    let list = text(&fetch(&[&server.url("pop3", "")]));
    let first = format!("1 {}", letters[0].len());
    assert_eq!(list.lines().next(), Some(first.as_str()), "{list}");
    assert_eq!(list.lines().count(), letters.len());
}

#[test]
fn t_m_mailboxes_have_names_in_any_language() {
    let Some(server) = Dovecot::start(&[]) else { return };
    let list = text(&fetch(&[&server.url("imap", "")]));
    assert!(list.lines().any(|name| name == "INBOX"), "{list}");
    assert!(list.lines().any(|name| name == "Entwürfe"), "{list}");
    let drafts = text(&fetch(&[&server.url("imap", "Entw%C3%BCrfe")]));
    assert!(drafts.trim_end().ends_with("a draft"), "{drafts}");
    assert_eq!(text(&fetch(&[&server.url("imap", "INBOX")])), "");
    let none = failure(&fetch(&[&server.url("imap", "Nowhere")]));
    assert!(none.contains("Error: after a2 EXAMINE"), "{none}");
    let none = failure(&fetch(&[&server.url("imap", "INBOX;UID=9")]));
    assert!(none.contains("no message has the UID 9"), "{none}");
    assert_eq!(text(&fetch(&[&server.url("pop3", "")])), "");
    let none = failure(&fetch(&[&server.url("pop3", "1")]));
    assert!(none.contains("after RETR 1: -ERR"), "{none}");
}

/// By Python's imaplib: STATUS of INBOX with RECENT, and the files.
const STATUS: &str = "import imaplib, sys
imap = imaplib.IMAP4('127.0.0.1', int(sys.argv[1]), timeout=10)
imap.login('ann', sys.argv[2])
items = '(MESSAGES RECENT UNSEEN UIDNEXT UIDVALIDITY)'
print(imap.status('INBOX', items)[1])
imap.logout()";

#[test]
fn t_m_imap_changes_nothing_in_the_mailbox() {
    let Some(server) = Dovecot::start(&letters()[..2]) else { return };
    if !harness::installed("python3", "python3") {
        return;
    }
    // Two messages that no program has seen yet.
    for name in ["8.M8.host", "9.M9.host"] {
        let name = format!("ann/Maildir/new/{name}");
        write(server.daemon.folder.path(), &name, b"Subject: new\r\n\r\nx\r\n");
    }
    let status = || {
        let output = std::process::Command::new("python3")
            .args(["-c", STATUS, &server.ports[2].to_string(), PASSWORD])
            .output()
            .expect("Python runs");
        String::from_utf8_lossy(&output.stdout).to_string()
    };
    let before = status();
    assert!(before.contains("UNSEEN 2"), "{before}");
    assert!(!before.contains("RECENT 0"), "{before}");
    for path in ["", "INBOX", "INBOX;UID=1", "INBOX?SUBJECT%20new"] {
        result(&fetch(&[&server.url("imap", path)]));
        assert_eq!(status(), before, "after {path}");
    }
    let found = text(&fetch(&[&server.url("imap", "INBOX?SUBJECT%20new")]));
    assert_eq!(found.lines().count(), 2, "{found}");
    let none = fetch(&[&server.url("imap", "INBOX?SUBJECT%20nowhere")]);
    assert_eq!(text(&none), "");
    let bad = failure(&fetch(&[&server.url("imap", "INBOX?NONSENSE%207")]));
    assert!(bad.contains("after a3 UID SEARCH NONSENSE 7: a3 BAD"), "{bad}");
}

fn trusting(server: &Dovecot, arguments: &[&str]) -> std::process::Output {
    let mut command = command(arguments);
    command.env("SSL_CERT_FILE", server.certificate());
    command.output().expect("fetch runs")
}

/// Nothing is sent to a server that is not trusted.
#[track_caller]
fn nobody_is_named(dialogue: &str) {
    let mut ours = dialogue.lines().filter(|line| line.starts_with("C: "));
    assert!(ours.all(|line| line.contains("TLS")), "{dialogue}");
}

#[test]
fn t_m_tls_by_url_and_by_command() {
    let letters = letters();
    let Some(server) = Dovecot::start(&letters[..2]) else { return };
    for (scheme, arguments) in [
        ("pop3s", &[][..]),
        ("imaps", &[]),
        ("pop3", &["--starttls"]),
        ("imap", &["--starttls"]),
    ] {
        let path = if scheme.starts_with("pop3") { "2" } else { "INBOX;UID=2" };
        let url = server.url(scheme, path);
        let whole = [arguments, &[&url]].concat();
        let output = trusting(&server, &whole);
        assert_eq!(result(&output), letters[1], "{url} {arguments:?}");
        let said = said(&output);
        let tls = said.find("-- TLS 1.3, ").expect("TLS");
        let user = said.find("ann").expect("the user");
        assert!(tls < user, "TLS before any name: {said}");
        assert!(!said.contains("lun"), "the password is not shown: {said}");
        // Nobody vouches for it without SSL_CERT_FILE.
        let text = failure(&fetch(&whole));
        assert!(text.contains("TLS: "), "{text}");
        nobody_is_named(&text);
        // The certificate is for localhost and 127.0.0.1.
        let other = url.replace("localhost", "127.0.0.2");
        let text =
            failure(&trusting(&server, &[arguments, &[&other]].concat()));
        assert!(text.contains("is somebody else's: connect to"), "{text}");
        nobody_is_named(&text);
    }
}

#[test]
fn t_m_a_wrong_password_and_a_saved_message() {
    let letters = letters();
    let Some(server) = Dovecot::start(&letters) else { return };
    for scheme in ["pop3", "imap"] {
        let url = server.url(scheme, "");
        let mut wrong = command(&[&url]);
        let wrong = wrong.env("FETCH_PASSWORD", "wrong").output();
        let text = failure(&wrong.expect("fetch runs"));
        assert!(text.contains("****: "), "{text}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a letter.eml");
    let name = file.to_str().expect("a name");
    for (scheme, path) in [("pop3", "8"), ("imap", "INBOX/;UID=8")] {
        let url = server.url(scheme, path);
        let output = fetch(&[&url, "-o", name]);
        assert_eq!(result(&output), b"", "{url}");
        assert!(fs::read(&file).expect("a file") == letters[7], "{url}");
        only(folder.path(), "a letter.eml");
        // What fails leaves the old file as it was, and nothing beside it.
        let url = server.url(scheme, &path.replace('8', "99"));
        failure(&fetch(&[&url, "-o", name]));
        assert!(fs::read(&file).expect("a file") == letters[7], "{url}");
        only(folder.path(), "a letter.eml");
    }
}

/// The folder has this file and no other.
#[track_caller]
pub fn only(folder: &Path, name: &str) {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into())
        .collect();
    let wanted: Vec<&str> = name.split_terminator(',').collect();
    assert_eq!(names, wanted);
}
