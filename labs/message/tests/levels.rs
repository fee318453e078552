//! Task 2: who may talk, at each level.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;
use std::{fs, thread};

use harness::terminal::{self, Terminal};

use crate::foreign::{for_ever, foreign};
use crate::{
    SECRET, answers_to, client_with, dialogue, ends_with, guarded, wait,
    with_quota,
};
use harness::{Server, receive_all, receive_line, send, trickle};

#[test]
fn d_t2_1_allow_list_lets_in_addresses_and_nobody_else() {
    let list = ["--auth", "allow-list", "--allow", "127.0.0.1"];
    let server = Server::start("message-server", &list);
    assert_eq!(answers_to(&server, b"hello\n"), "OK\n");
    // The same address, as an IPv6 socket would write it.
    let list = ["--auth", "allow-list", "--allow", "::ffff:127.0.0.1"];
    let server = Server::start("message-server", &list);
    assert_eq!(answers_to(&server, b"hello\n"), "OK\n");
    let list = ["--auth", "allow-list", "--allow", "192.0.2.7"];
    let mut server = Server::start("message-server", &list);
    let refusal = "NO 127.0.0.1 is not on the list\n";
    assert_eq!(answers_to(&server, b"hello\n"), refusal);
    server.wait_for("[…] refused: NO 127.0.0.1 is not on the list");
    let mut none = Terminal::start(
        "message-server",
        ["127.0.0.1", "0", "--auth", "allow-list"],
    )
    .expect("it starts");
    wait(&mut none, "--auth allow-list and --allow ADDR belong together");
    ends_with(none, 2);
}

#[test]
fn d_t2_1_the_right_secret_gets_in_and_a_wrong_one_does_not() {
    for level in ["password", "challenge"] {
        let mut server = guarded(level, &[]);
        let mut owner = client_with(&server, SECRET, &["--auth", level]);
        owner.type_line("let me in").expect("it reads");
        wait(&mut owner, "server: OK logged in");
        wait(&mut owner, "server: OK");
        server.wait_for("[…] message 1 at …: let me in");
        owner.end_input();
        ends_with(owner, 0);
        let mut other = client_with(&server, "open barley", &["--auth", level]);
        wait(&mut other, "server: NO wrong secret");
        wait(&mut other, "Error: the server did not let us in");
        ends_with(other, 1);
        server.wait_for("[…] refused: NO wrong secret");
    }
}

#[test]
fn d_t2_1_nc_and_the_client_of_task_1_are_refused() {
    for level in ["password", "challenge"] {
        let mut server = guarded(level, &[]);
        let told = answers_to(&server, b"hello\nhello\n");
        let last = told.lines().last();
        assert_eq!(last, Some("NO log in first: LOGIN <answer>"), "{told}");
        let mut task_1 = client_with(&server, SECRET, &[]);
        wait(&mut task_1, &format!("server: AUTH {level}…"));
        wait(&mut task_1, "the server wants a login: see --auth in --help");
        task_1.type_line("hello").expect("it reads");
        wait(&mut task_1, "server: NO log in first: LOGIN <answer>");
        wait(&mut task_1, "Error: …");
        ends_with(task_1, 1);
        server.wait_for("[…] refused: NO log in first: LOGIN <answer>");
        // The same from a pipe, which ends before the refusal comes.
        let mut piped = client_with(&server, SECRET, &[]);
        piped.type_line("hello").expect("it reads");
        piped.end_input();
        wait(&mut piped, "server: NO log in first: LOGIN <answer>");
        wait(&mut piped, "Error: the server …");
        ends_with(piped, 1);
    }
}

/// A wire with an eavesdropper: the owner logs in through it, and its bytes are
/// forwarded to the server and recorded.
fn wiretap(server: &Server, level: &str) -> Vec<u8> {
    let tap = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = tap.local_addr().expect("an address");
    let place = [place.ip().to_string(), place.port().to_string()];
    let mut command = terminal::command("message-client");
    command.args(place).args(["--auth", level]);
    command.env("MESSAGE_SECRET", SECRET);
    let mut owner = Terminal::run(&mut command).expect("it starts");
    owner.type_line("my message").expect("it reads");
    owner.end_input();
    let (near, _) = tap.accept().expect("the owner");
    let far = server.connect();
    let pass = |mut from: TcpStream, mut to: TcpStream| {
        thread::spawn(move || {
            let (mut seen, mut chunk) = (Vec::new(), [0; 1024]);
            while let Ok(count @ 1..) = from.read(&mut chunk) {
                seen.extend_from_slice(&chunk[..count]);
                to.write_all(&chunk[..count]).expect("it takes bytes");
            }
            let _ = to.shutdown(Shutdown::Write);
            seen
        })
    };
    let handle = |stream: &TcpStream| stream.try_clone().expect("a handle");
    let sent = pass(handle(&near), handle(&far));
    pass(far, near).join().expect("no panic");
    ends_with(owner, 0);
    sent.join().expect("no panic")
}

#[test]
fn d_t2_1_a_recorded_login_replayed_is_good_only_at_the_password_level() {
    for (level, answer) in
        [("password", "OK logged in\nOK\n"), ("challenge", "NO wrong secret\n")]
    {
        let server = guarded(level, &[]);
        let recorded = wiretap(&server, level);
        let seen = String::from_utf8_lossy(&recorded).contains(SECRET);
        assert_eq!(seen, level == "password", "the secret on the wire");
        let told = answers_to(&server, &recorded);
        let (greeting, told) = told.split_once('\n').expect("a greeting");
        assert!(greeting.starts_with(&format!("AUTH {level}")), "{greeting}");
        assert_eq!(told, answer, "{level}");
    }
}

#[test]
fn d_t2_1_silence_before_the_login_is_cut() {
    let mut server = guarded("password", &["--login-limit", "1"]);
    let told = receive_all(&server.connect());
    let told = String::from_utf8(told).expect("text");
    assert_eq!(told, "AUTH password\nNO you are too slow: good bye\n");
    server.wait_for("[…] refused: NO you are too slow: good bye");
    // Logged in, it may be silent; but the ID belongs to the same limit.
    let mut server = with_quota("alice 1", &["--login-limit", "1"]);
    let told = receive_all(&server.connect());
    assert_eq!(told, b"NO you are too slow: good bye\n");
    let alice = server.connect();
    assert_eq!(dialogue(&alice, &["ID alice"]), ["OK 1 left"]);
    let silent = server.connect();
    receive_all(&silent); // longer than the limit
    assert_eq!(dialogue(&alice, &["late"]), ["OK 0 left"]);
    server.wait_for("[…] alice 1 at …: late");
}

#[test]
fn d_t2_1_a_byte_now_and_then_does_not_stretch_the_limit() {
    let server = guarded("password", &["--login-limit", "0.5"]);
    let stream = server.connect();
    assert_eq!(receive_line(&stream), "AUTH password");
    // The wait for an answer is the pause between two bytes.
    let gap = Some(Duration::from_millis(50));
    stream.set_read_timeout(gap).expect("a deadline");
    let mut told = Vec::new();
    for _ in 0..200 {
        let _ = (&stream).write_all(b"x");
        let mut chunk = [0; 100];
        match (&stream).read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => told.extend_from_slice(&chunk[..count]),
            Err(_) => {}
        }
    }
    assert_eq!(told, b"NO you are too slow: good bye\n");
}

#[test]
fn d_t2_1_an_empty_secret_is_refused_at_the_start() {
    let start = |secret: Option<&str>| {
        let mut command = terminal::command("message-server");
        command.args(["127.0.0.1", "0", "--auth", "challenge"]);
        command.env_remove("MESSAGE_SECRET");
        if let Some(secret) = secret {
            command.env("MESSAGE_SECRET", secret);
        }
        Terminal::run(&mut command).expect("it starts")
    };
    for (secret, problem) in [
        (None, "Error: this needs a secret: --secret-file FILE, or …"),
        (Some(""), "Error: MESSAGE_SECRET: the secret is empty, …"),
        (Some("\n"), "Error: MESSAGE_SECRET: the secret is empty, …"),
        (Some("a\nb"), "Error: MESSAGE_SECRET: the secret must be one line…"),
    ] {
        let mut server = start(secret);
        wait(&mut server, problem);
        ends_with(server, 1);
    }
    let server = guarded("password", &[]);
    let told = answers_to(&server, b"LOGIN\nhello\n");
    assert_eq!(told, "AUTH password\nNO wrong secret\n");
    let told = answers_to(&server, b"LOGIN \nhello\n");
    assert_eq!(told, "AUTH password\nNO wrong secret\n");
}

#[test]
fn d_t2_1_the_secret_may_come_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    fs::write(&file, format!("{SECRET}\n")).expect("a file");
    let name = file.display().to_string();
    let arguments = ["--auth", "challenge", "--secret-file", &name];
    let server = Server::start("message-server", &arguments);
    let mut owner = server.client("message-client", &arguments);
    wait(&mut owner, "server: OK logged in");
    let mut reader = client_with(&server, SECRET, &["--auth", "challenge"]);
    wait(&mut reader, "server: OK logged in");
    // As editors on Windows may write it: a byte order mark, CR LF.
    fs::write(&file, format!("\u{feff}{SECRET}\r\n")).expect("a file");
    let mut owner = server.client("message-client", &arguments);
    wait(&mut owner, "server: OK logged in");
    // Others can read the file, as umask made it; the program warns.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&file, mode).expect("a mode");
    let mut warned = server.client("message-client", &arguments);
    wait(&mut warned, "warning: others may read …: chmod 600 …");
}

#[test]
fn d_t2_1_the_blanks_of_a_password_belong_to_it() {
    for secret in [" led by a blank", "followed by two  ", "\u{a0}odd\u{a0}"] {
        let mut command = terminal::command("message-server");
        command.args(["127.0.0.1", "0", "--auth", "password"]);
        let server = Server::run(command.env("MESSAGE_SECRET", secret));
        let mut owner = client_with(&server, secret, &["--auth", "password"]);
        wait(&mut owner, "server: OK logged in");
        let trimmed = format!("LOGIN {}\n", secret.trim());
        let told = answers_to(&server, trimmed.as_bytes());
        assert_eq!(told, "AUTH password\nNO wrong secret\n");
    }
    let server = guarded("password", &[]);
    let told = answers_to(&server, format!("LOGIN{SECRET}\n").as_bytes());
    assert_eq!(told, "AUTH password\nNO log in first: LOGIN <answer>\n");
}

#[test]
fn d_t2_1_a_challenge_client_does_not_give_the_secret_away() {
    let server = guarded("password", &[]);
    let mut owner = client_with(&server, SECRET, &["--auth", "challenge"]);
    wait(
        &mut owner,
        "Error: the server does not ask for challenge, it sent 'AUTH \
         password': nothing was sent",
    );
    ends_with(owner, 1);
}

#[test]
fn d_t2_1_no_greeting_in_time_is_told_as_what_it_is() {
    let silent = |client: TcpStream| (&client).read(&mut [0]).map(drop);
    let silent = foreign(silent);
    let flood = foreign(|client| for_ever(client, &[b'x'; 1000]));
    let login = ["--auth", "password"];
    for mut owner in [&silent, &flood].map(|s| client_with(s, SECRET, &login)) {
        wait(
            &mut owner,
            "Error: no complete greeting within 3 s: this server asks for no \
             login, or it hangs; nothing was sent",
        );
        ends_with(owner, 1);
    }
}

#[test]
fn d_t2_1_two_clients_at_once_and_a_login_in_pieces() {
    let server = guarded("password", &[]);
    let (one, two) = (server.connect(), server.connect());
    for stream in [&two, &one] {
        assert_eq!(receive_line(stream), "AUTH password");
        trickle(stream, format!("LOGIN {SECRET}\n").as_bytes());
        assert_eq!(receive_line(stream), "OK logged in");
    }
    assert_eq!(dialogue(&one, &["hello"]), ["OK"]);
    assert_eq!(dialogue(&two, &["hello"]), ["OK"]);
    let together = format!("LOGIN {SECRET}\r\nhello\r\nyou");
    let told = answers_to(&server, together.as_bytes());
    assert_eq!(told, "AUTH password\nOK logged in\nOK\nOK\n");
}

#[test]
fn d_t2_1_an_answer_longer_than_any_secret_is_refused_before_it_is_checked() {
    for level in ["password", "challenge"] {
        let server = guarded(level, &[]);
        for length in [1025, 2000, 100_000] {
            let stream = server.connect();
            harness::receive_line(&stream);
            send(&stream, format!("LOGIN {}\n", "x".repeat(length)).as_bytes());
            let told = harness::receive_line(&stream);
            assert_eq!(told, "NO wrong secret: longer than 1024 bytes");
        }
        // Nobody had to look at those, so the owner need not wait.
        let mut owner = client_with(&server, SECRET, &["--auth", level]);
        wait(&mut owner, "server: OK logged in");
    }
}
