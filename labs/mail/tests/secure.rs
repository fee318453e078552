//! Proves what the client encrypts, and when it may send a password.

use std::io::Write;
use std::net::UdpSocket;

use harness::terminal::{self, Terminal};

use crate::script::{
    EHLO, ENVELOPE, GREETING, MESSAGE, QUIT, client, identity, play, play_with,
};

const OFFERS: &str = "C: EHLO …\nS: 250-mail.test\nS: 250 STARTTLS\n";
const STARTS: &str = "C: STARTTLS\nS: 220 go\ntls\n";
const PLAIN: &str = "C: EHLO …\nS: 250-mail.test\nS: 250 AUTH PLAIN LOGIN\n";

/// base64 of `\0tim\0tanstaaf`, of `tim`, and of `tanstaaf`.
const SECRETS: [&str; 3] = ["AHRpbQB0YW5zdGFhZg==", "dGFuc3RhYWY=", "tanstaaf"];

#[track_caller]
fn keeps_the_secret(screen: &str) {
    for secret in SECRETS {
        assert!(!screen.contains(secret), "{secret} in\n{screen}");
    }
}

#[test]
fn w_t4b_starttls_then_ehlo_again_then_the_log_in() {
    let here = identity(&["127.0.0.1"]);
    for options in
        [&["--user", "tim"][..], &["--user", "tim", "--tls", "starttls"]]
    {
        let login = "C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==\nS: 235 2.7.0 ok\n";
        let script =
            [GREETING, OFFERS, STARTS, PLAIN, login, ENVELOPE, MESSAGE, QUIT];
        let script = script.concat();
        let done = play_with(&script, "127.0.0.1", options, b"x\n", &here);
        done.followed();
        done.ended(0, &["TLS 1.3", "C: AUTH PLAIN ********\n"]);
        keeps_the_secret(&done.screen);
    }
}

#[test]
fn w_t4b_tls_before_the_first_word() {
    let here = identity(&["localhost"]);
    let script = ["tls\n", GREETING, EHLO, ENVELOPE, MESSAGE, QUIT].concat();
    let options = ["--tls", "implicit"];
    let done = play_with(&script, "localhost", &options, b"x\n", &here);
    done.followed();
    done.ended(0, &["TLS 1.3"]);
}

#[test]
fn w_t4b_a_certificate_without_trusted_authority_is_refused() {
    // The server uses its own certificate; the client trusts another one.
    let trusted = identity(&["127.0.0.1"]);
    let mut server = identity(&["127.0.0.1"]);
    server.file = trusted.file.clone();
    let script = [GREETING, OFFERS, STARTS].concat();
    let options = ["--user", "tim"];
    let done = play_with(&script, "127.0.0.1", &options, b"x\n", &server);
    assert!(done.server.is_err());
    done.not_sent(&["SSL_CERT_FILE"]);
    assert!(!done.screen.contains("AUTH"), "{}", done.screen);
    // The right authority, and a certificate for another name.
    let other = identity(&["mail.example.org"]);
    let done = play_with(&script, "127.0.0.1", &options, b"x\n", &other);
    done.not_sent(&["somebody else's"]);
}

#[test]
fn w_t4b_replies_injected_after_starttls_are_detected() {
    let here = identity(&["127.0.0.1"]);
    let injected = "C: STARTTLS\nraw 220 go\\r\\n250-mail.test\\r\\n\
                    250 AUTH PLAIN\\r\\n\nhang\n";
    let script = [GREETING, OFFERS, injected].concat();
    let options = ["--user", "tim"];
    let done = play_with(&script, "127.0.0.1", &options, b"x\n", &here);
    done.followed();
    done.not_sent(&["more bytes came in the clear, before TLS"]);
    assert!(!done.screen.contains("S: 250-mail.test\nS: 250 AUTH"));
    // If they arrive a moment later, they are read as a part of the handshake,
    // and are not TLS.
    let late = "C: STARTTLS\nS: 220 go\nraw 250 injected\\r\\n\nhang\n";
    let script = [GREETING, OFFERS, late].concat();
    let done = play_with(&script, "127.0.0.1", &options, b"x\n", &here);
    done.not_sent(&[]);
    assert!(!done.screen.contains("S: 250 injected"), "{}", done.screen);
}

#[test]
fn w_t4b_what_was_offered_in_the_clear_is_forgotten() {
    let here = identity(&["127.0.0.1"]);
    let clear = "C: EHLO …\nS: 250-mail.test\nS: 250-PIPELINING\n\
                 S: 250-SIZE 1\nS: 250-AUTH PLAIN\nS: 250 STARTTLS\n";
    let script = [GREETING, clear, STARTS, EHLO, ENVELOPE, MESSAGE, QUIT];
    let done = play_with(&script.concat(), "127.0.0.1", &[], b"x\n", &here);
    done.followed();
    done.ended(0, &[]);
    let script = [GREETING, clear, STARTS, EHLO, QUIT].concat();
    let options = ["--user", "tim"];
    let done = play_with(&script, "127.0.0.1", &options, b"x\n", &here);
    done.followed();
    done.not_sent(&["does not offer a log-in"]);
}

#[test]
fn w_t4b_a_stripped_starttls_is_an_error() {
    let options = ["--tls", "starttls"];
    let done = play(&[GREETING, EHLO, QUIT].concat(), &options);
    done.followed();
    done.not_sent(&["does not offer STARTTLS", "removed the offer"]);
    // If STARTTLS is refused, even temporarily, the client sends nothing in
    // clear.
    let refused = "C: STARTTLS\nS: 454 4.7.0 not now\n";
    let done = play(&[GREETING, OFFERS, refused, QUIT].concat(), &[]);
    done.followed();
    done.not_sent(&["454"]);
}

/// This machine's address in its network, if it has one.
fn address_in_the_network() -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?; // no packet is sent
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback()).then(|| address.to_string())
}

#[test]
fn w_t4b_beyond_this_machine_nothing_goes_in_the_clear_unasked() {
    let Some(host) = address_in_the_network() else {
        return eprintln!("skipped: this machine has no network");
    };
    let nobody = identity(&["localhost"]);
    let ehlo = EHLO.replace("[127.0.0.1]", "…");
    let script = format!("at {host}\n{GREETING}{ehlo}{QUIT}");
    let done = play_with(&script, &host, &[], b"x\n", &nobody);
    done.followed();
    done.not_sent(&["does not offer STARTTLS", "--tls off"]);
    // Asked for, it does; but not with a password.
    let off = ["--tls", "off"];
    let all = [&ehlo, ENVELOPE, MESSAGE, QUIT].concat();
    let script = format!("at {host}\n{GREETING}{all}");
    let done = play_with(&script, &host, &off, b"x\n", &nobody);
    done.followed();
    done.ended(0, &["sent to 1 of 1"]);
    let script = format!("at {host}\n{GREETING}{PLAIN}{QUIT}");
    let off = ["--tls", "off", "--user", "tim"];
    let done = play_with(&script, &host, &off, b"x\n", &nobody);
    done.followed();
    done.not_sent(&["does not log in on an unencrypted connection"]);
    keeps_the_secret(&done.screen);
}

#[test]
fn w_t4b_auth_login_asks_twice() {
    let ehlo = "C: EHLO …\nS: 250-mail.test\nS: 250 AUTH LOGIN\n";
    let login = "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dGlt\n\
                 S: 334 UGFzc3dvcmQ6\nC: dGFuc3RhYWY=\nS: 235 ok\n";
    let script = [GREETING, ehlo, login, ENVELOPE, MESSAGE, QUIT].concat();
    let done = play(&script, &["--user", "tim"]);
    done.followed();
    done.ended(0, &["(Username:)", "(the password)"]);
    keeps_the_secret(&done.screen);
}

#[test]
fn w_t4b_a_token_for_google() {
    let ehlo = "C: EHLO …\nS: 250-mail.test\nS: 250 AUTH PLAIN XOAUTH2\n";
    let options = ["--user", "tim", "--auth", "xoauth2"];
    let login = "C: AUTH XOAUTH2 dXNlcj10aW0BYXV0aD1CZWFyZXIgdGFuc3RhYWYBAQ==\n\
                 S: 235 2.7.0 Accepted\n";
    let script = [GREETING, ehlo, login, ENVELOPE, MESSAGE, QUIT].concat();
    let done = play(&script, &options);
    done.followed();
    done.ended(0, &["AUTH XOAUTH2 ********"]);
    // The token has expired. The server sends the error as a 334, and waits for
    // a line.
    let login = "C: AUTH XOAUTH2 …\nS: 334 eyJzdGF0dXMiOiI0MDAifQ==\nC: \n\
                 S: 535 5.7.8 Username and Password not accepted\n";
    let done = play(&[GREETING, ehlo, login, QUIT].concat(), &options);
    done.followed();
    done.not_sent(&["({\"status\":\"400\"})", "535", "app password"]);
    keeps_the_secret(&done.screen);
}

#[test]
fn w_t4b_refused_log_ins_are_reported_without_the_secret() {
    let login = "C: AUTH PLAIN …\nS: 535 5.7.8 no: AHRpbQB0YW5zdGFhZg==\n";
    let done =
        play(&[GREETING, PLAIN, login, QUIT].concat(), &["--user", "tim"]);
    done.followed();
    done.not_sent(&["535 5.7.8", "user name or password is wrong"]);
    keeps_the_secret(&done.screen); // what the server repeats, too
    // PLAIN has only one line, so the client does not answer another 334.
    let login = "C: AUTH PLAIN …\nS: 334 UGFzc3dvcmQ6\nC: *\nS: 501 ok\n";
    let done =
        play(&[GREETING, PLAIN, login, QUIT].concat(), &["--user", "tim"]);
    done.followed();
    done.not_sent(&["501"]);
}

#[test]
fn w_t4b_the_way_to_log_in_must_be_offered() {
    let options = ["--user", "tim", "--auth", "xoauth2"];
    let done = play(&[GREETING, PLAIN, QUIT].concat(), &options);
    done.followed();
    done.not_sent(&["offers AUTH PLAIN LOGIN, not XOAUTH2"]);
    let done = play(&[GREETING, EHLO, QUIT].concat(), &["--user", "tim"]);
    done.followed();
    done.not_sent(&["587"]);
}

#[test]
fn w_t4b_the_answers_are_those_of_the_standards() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    let path = file.to_str().expect("text");
    for (mechanism, user, secret, answer) in [
        // The example of RFC 4616, in base64.
        ("PLAIN", "tim", "tanstaaftanstaaf", "AHRpbQB0YW5zdGFhZnRhbnN0YWFm"),
        // This example is in Google's documentation of XOAUTH2.
        (
            "XOAUTH2",
            "someuser@example.com",
            "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5Ln\
             ZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==",
        ),
    ] {
        std::fs::write(&file, secret).expect("written");
        let ehlo =
            format!("C: EHLO …\nS: 250-mail.test\nS: 250 AUTH {mechanism}\n");
        let login = format!("C: AUTH {mechanism} {answer}\nS: 235 ok\n");
        let script = [GREETING, &ehlo, &login, ENVELOPE, MESSAGE, QUIT];
        let auth = mechanism.to_lowercase();
        let options =
            ["--user", user, "--auth", &auth, "--password-file", path];
        let done = play(&script.concat(), &options);
        done.followed();
        done.ended(0, &["********"]);
        assert!(!done.screen.contains(secret), "{}", done.screen);
    }
}

#[test]
fn w_t4b_a_long_token_is_sent_on_a_separate_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{}\nnot this\n", "t".repeat(2000)))
        .expect("written");
    let ehlo = "C: EHLO …\nS: 250-mail.test\nS: 250 AUTH XOAUTH2\n";
    let login = "C: AUTH XOAUTH2\nS: 334 \nC: dXNlcj10aW0BYXV0aD1CZWFyZXIg…\n\
                 S: 235 ok\n";
    let script = [GREETING, ehlo, login, ENVELOPE, MESSAGE, QUIT].concat();
    let path = file.to_str().expect("text");
    let options =
        ["--user", "tim", "--auth", "xoauth2", "--password-file", path];
    let done = play(&script, &options);
    done.followed();
    done.ended(0, &["others may read"]);
    assert!(!done.screen.contains("tttt"), "{}", done.screen);
}

#[test]
fn w_t4b_the_password_is_never_on_the_command_line() {
    for option in ["--password", "--pass", "-p"] {
        let mut command = terminal::command("mail-client");
        command.args(client("127.0.0.1", 9, &[option, "tanstaaf"]));
        let mut client = Terminal::run(&mut command).expect("it starts");
        client.wait_for(&format!("…no option {option}")).expect("refused");
        assert_eq!(client.wait_for_end().expect("an end").code(), Some(2));
    }
    // Without a terminal the client cannot ask for the password.
    let mut command = std::process::Command::new("setsid");
    command.arg("-w").arg(terminal::program_folder().join("mail-client"));
    command.args(client("127.0.0.1", 9, &["--user", "tim"]));
    command.env_remove("MAIL_PASSWORD");
    let mut client = Terminal::run(&mut command).expect("it starts");
    client.wait_for("…no terminal to ask…MAIL_PASSWORD…").expect("refused");
    assert_eq!(client.wait_for_end().expect("an end").code(), Some(2));
}

#[test]
fn w_t4b_the_prompt_shows_nothing() {
    // `script` gives the client a terminal; the message is a file.
    if !harness::installed("script", "bsdutils") {
        return;
    }
    let login = "C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==\nS: 235 2.7.0 ok\n";
    let script = [GREETING, PLAIN, login, ENVELOPE, MESSAGE, QUIT].concat();
    let nobody = identity(&["localhost"]);
    let (port, server) = crate::script::serve(&script, nobody.config.clone());
    let program = terminal::program_folder().join("mail-client");
    let words = client("127.0.0.1", port, &["--user", "tim"]);
    let line = format!(
        "echo hello | {} {}",
        program.display(),
        shlex::try_join(words.iter().map(String::as_str)).expect("words")
    );
    let mut command = std::process::Command::new("script");
    command.args(["-q", "-e", "-c", &line, "/dev/null"]);
    command.env_remove("MAIL_PASSWORD").env_remove("TRACE");
    let mut screen = Terminal::run(&mut command).expect("it starts");
    let prompt = "password of tim (not shown): ";
    screen.read_prompt(prompt).expect("a prompt");
    let mut keys = screen.take_input().expect("a keyboard");
    // The user corrects one character, and then deletes the complete line.
    keys.write_all(b"wrong\x15tansx\x7ftaaf\r").expect("typed");
    let rest = screen.read_to_end().expect("it ends");
    let rest = String::from_utf8_lossy(&rest).replace('\r', "");
    drop(keys);
    assert_eq!(server.join().expect("a thread").map(|_| ()), Ok(()), "{rest}");
    assert!(rest.contains("sent to 1 of 1"), "{rest}");
    keeps_the_secret(&rest);
    assert!(!rest.contains("wrong") && !rest.contains("tans"), "{rest}");
}

/// After `kill` at the prompt the terminal shows typed text again.
#[test]
fn w_t4b_a_kill_at_the_prompt_restores_the_terminal() {
    if !harness::installed("script", "bsdutils") {
        return;
    }
    let program = terminal::program_folder().join("mail-client");
    let words = client("127.0.0.1", 9, &["--user", "tim"]);
    let words = shlex::try_join(words.iter().map(String::as_str));
    let line = format!(
        "sh -c 'echo $$; exec {} {}'; echo status $?; stty -a",
        program.display(),
        words.expect("words")
    );
    let mut command = std::process::Command::new("script");
    command.args(["-q", "-e", "-c", &line, "/dev/null"]);
    command.env_remove("MAIL_PASSWORD").env_remove("TRACE");
    let mut screen = Terminal::run(&mut command).expect("it starts");
    let keys = screen.take_input().expect("a keyboard");
    let pid = screen.read_line().expect("a line").expect("its pid");
    let pid = pid.trim().parse().expect("a number");
    let prompt = "password of tim (not shown): ";
    screen.read_prompt(prompt).expect("a prompt");
    let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
    let signal = rustix::process::Signal::TERM;
    rustix::process::kill_process(pid, signal).expect("killed");
    let rest = screen.read_to_end().expect("it ends");
    let rest = String::from_utf8_lossy(&rest);
    drop(keys);
    assert!(rest.contains("status 130"), "{rest}");
    assert!(rest.contains(" echo ") && !rest.contains(" -echo "), "{rest}");
}
