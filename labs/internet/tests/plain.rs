//! The first program, and Python's own modules: the same dialogue from both
//! sides, one run of each module against our servers, and what a first
//! program must survive.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use harness::terminal::{self, Terminal};
use harness::{installed, python, python_server};
use rustix::process::{Pid, Signal, kill_process};

use crate::parts::{Step, Then, line, peer, script};

/// `internet-plain-pop3` with this server.
fn plain(host: &str, port: u16, number: &str) -> Command {
    let mut command = terminal::command("internet-plain-pop3");
    command.args([host, &port.to_string(), number]);
    command.env("FETCH_PASSWORD", "lunch").stdin(Stdio::null());
    command
}

fn run(port: u16) -> Output {
    plain("127.0.0.1", port, "1").output().expect("it runs")
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into()
}

/// A message by POP3, as the steps of the dialogue.
fn steps() -> Vec<Step> {
    vec![
        ("", b"+OK ready\r\n"),
        ("USER ann", b"+OK\r\n"),
        ("PASS lunch", b"+OK\r\n"),
        ("STAT", b"+OK 1 9\r\n"),
        ("RETR 1", b"+OK\r\none\r\n..two\r\n...\r\n.\r\n"),
        ("QUIT", b"+OK bye\r\n"),
    ]
}

#[test]
fn t_m_the_plain_client_plays_the_dialogue() {
    let (address, heard) = script(steps(), Then::Close);
    let output = run(address.port());
    assert!(output.status.success(), "{}", errors(&output));
    assert_eq!(
        shown(&output),
        "S: +OK ready\nC: USER ann\nS: +OK\nC: PASS ****\nS: +OK\nC: STAT\n\
         S: +OK 1 9\nC: RETR 1\nS: +OK\none\n.two\n..\nC: QUIT\nS: +OK bye\n"
    );
    assert_eq!(heard.all().len(), 5);
}

#[test]
fn t_m_the_plain_client_survives_single_bytes_and_a_server_that_leaves() {
    // Each byte in a segment of its own.
    let address = peer(|mut client| {
        let _ = client.set_nodelay(true);
        for (wanted, answer) in steps() {
            if !wanted.is_empty() {
                line(&mut client);
            }
            for byte in answer {
                let _ = client.write_all(&[*byte]);
            }
        }
    });
    let output = run(address.port());
    assert!(output.status.success(), "{}", errors(&output));
    assert!(shown(&output).contains("\n.two\n..\n"), "{}", shown(&output));
    // It closes at any step, or says no, or ends half a line.
    for count in 0..steps().len() {
        for half in [&b""[..], b"+OK hal", b"-ERR no\r\n", b"\x1b[2J\r\n"] {
            let mut steps = steps()[..=count].to_vec();
            steps[count].1 = half;
            let (address, _) = script(steps, Then::Close);
            let output = run(address.port());
            let text = errors(&output);
            assert_eq!(output.status.code(), Some(1), "{count}: {text}");
            assert!(text.starts_with("Error: "), "{text}");
            assert!(!text.contains('\x1b'), "{text:?}");
        }
    }
    // Nobody is there.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("it").port();
    drop(listener);
    let text = errors(&run(port));
    assert!(text.contains("Connection refused"), "{text}");
    // No password leaves this machine in the clear.
    let far = plain("192.0.2.1", 110, "1").output().expect("it runs");
    assert!(errors(&far).contains("no TLS here"), "{}", errors(&far));
}

#[test]
fn t_m_the_plain_client_ends_at_ctrl_c() {
    let (address, _) = script(vec![("", b"+OK")], Then::Hang);
    let mut child = plain("127.0.0.1", address.port(), "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).expect("a signal");
    assert!(!child.wait().expect("it ends").success());
}

#[test]
fn t_m_plain_clients_at_once_and_poplib_see_the_same_message() {
    let Some(server) = python_server("internet/pop3_server.py", &[]) else {
        return;
    };
    let port = server.address.port();
    let texts: Vec<String> = thread::scope(|scope| {
        let running = [(); 3].map(|()| scope.spawn(move || shown(&run(port))));
        running.map(|run| run.join().expect("a run")).into()
    });
    let poplib = module("use_poplib.py", &port.to_string());
    let (_, message) = poplib.split_once('\n').expect("a first line");
    for text in texts {
        assert!(text.contains(&format!("octets\n{message}C: QUIT")), "{text}");
    }
}

/// What one of Python's modules prints with this server.
fn module(file: &str, port: &str) -> String {
    let mut python = python(&format!("internet/{file}")).expect("Python");
    python.args(["127.0.0.1", port]);
    let output = python.output().expect("it runs");
    assert!(output.status.success(), "{file}: {}", errors(&output));
    shown(&output)
}

#[test]
fn t_m2_pythons_ftplib_lists_fetches_and_stores() {
    let Some(server) = python_server("internet/ftp_server.py", &[]) else {
        return;
    };
    let port = server.address.port().to_string();
    assert_eq!(
        module("use_ftplib.py", &port),
        "list: pub readme.txt\ngot: Two connections, one file.\n\
         put: 226 stored\nsize: 11\n"
    );
}

#[test]
fn t_m2_pythons_poplib_and_imaplib_read_the_mailbox() {
    let Some(server) = python_server("internet/pop3_server.py", &[]) else {
        return;
    };
    let port = server.address.port().to_string();
    let text = module("use_poplib.py", &port);
    assert!(text.starts_with("2 messages, 180 bytes\nFrom: Ann "), "{text}");
    assert!(text.contains("\n.\nA dot alone"), "{text}");

    let Some(server) = python_server("internet/imap_server.py", &[]) else {
        return;
    };
    let port = server.address.port().to_string();
    let text = module("use_imaplib.py", &port);
    assert!(text.starts_with("messages: 2\nfound: 2\nFrom: Bob "), "{text}");
    assert!(text.ends_with("\n\nYes.\n"), "{text}");
}

#[test]
fn t_m2_pythons_smtplib_hands_a_message_to_our_sink() {
    if !installed("python3", "python3") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().to_str().expect("a name");
    let words = ["127.0.0.1", "0", "--dir", name];
    let mut sink = Terminal::start("mail-sink", words).expect("it starts");
    let line = sink.wait_for("listening on …").expect("it listens");
    let port = line.rsplit(':').next().expect("a port");
    assert_eq!(module("use_smtplib.py", port), "refused: {}\n221\n");
    let new = folder.path().join("new").read_dir().expect("a folder");
    assert_eq!(new.count(), 1);
}

/// The IMAP server with words in quotes, without, and as literals.
#[test]
fn t_m2_the_small_imap_server_takes_every_kind_of_string() {
    let Some(server) = python_server("internet/imap_server.py", &[]) else {
        return;
    };
    let limit = Some(Duration::from_secs(10));
    for login in [
        &["a LOGIN ann lunch\r\n"][..],
        &["a LOGIN \"ann\" \"lunch\"\r\n"],
        &["a LOGIN ann \"lunch\"\r\n"],
        &["a login \"a\\nn\" lunch\r\n"],
        &["a LOGIN {3}\r\n", "ann {5}\r\n", "lunch\r\n"],
        &["a LOGIN ann {5}\r\n", "lunch\r\n"],
        &["a LOGIN {3+}\r\nann lunch\r\n"],
    ] {
        let mut client =
            std::net::TcpStream::connect(server.address).expect("it listens");
        client.set_read_timeout(limit).expect("a limit");
        assert!(line(&mut client).starts_with("* OK [CAPABILITY IMAP4rev1]"));
        for (index, part) in login.iter().enumerate() {
            if index > 0 {
                assert_eq!(line(&mut client), "+ go on", "{login:?}");
            }
            client.write_all(part.as_bytes()).expect("it reads");
        }
        assert_eq!(line(&mut client), "a OK LOGIN done", "{login:?}");
    }
    if installed("curl", "curl") {
        let url = format!("imap://{}/INBOX;UID=8", server.address);
        let output = Command::new("curl")
            .args(["-sS", "--max-time", "10", "-u", "ann:lunch", &url])
            .output()
            .expect("curl runs");
        assert!(shown(&output).ends_with("Yes.\r\n"), "{}", errors(&output));
    }
}
