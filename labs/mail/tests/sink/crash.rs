//! Proves that a message with a 250 is not lost, after kill -9 at any moment
//! and with full disks.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use harness::terminal;
use rustix::process::{Pid, Signal, kill_process};

use super::{Sink, TO_DATA, dialogue, leftovers, messages, reply};
use harness::{DEADLINE, Server, installed, make_fifo, send};

/// The number of deliveries, and of clients that deliver at the same time.
const DELIVERIES: u32 = 200;
const CLIENTS: u32 = 4;

/// A message of about 40 KiB that shows whether it is complete.
fn body(number: u32) -> String {
    let mut text = format!("X-Number: {number}\r\n\r\n");
    for line in 0..600 {
        text.push_str(&format!("{number} {line} {}\r\n", "x".repeat(60)));
    }
    text.push_str("end\r\n");
    text
}

/// Delivers one message; `None` if the connection broke before the 250.
fn deliver(sink: &Server, number: u32) -> Option<()> {
    let stream = TcpStream::connect(sink.address).ok()?;
    stream.set_read_timeout(Some(DEADLINE)).ok()?;
    stream.set_write_timeout(Some(DEADLINE)).ok()?;
    let mut replies = BufReader::new(stream.try_clone().ok()?);
    let text = format!(
        "HELO me\r\nMAIL FROM:<a@b.org>\r\nRCPT TO:<c@d.org>\r\nDATA\r\n\
         {}.\r\nQUIT\r\n",
        body(number)
    );
    (&stream).write_all(text.as_bytes()).ok()?;
    for wanted in ["220", "250", "250", "250", "354", "250"] {
        let mut line = String::new();
        replies.read_line(&mut line).ok()?;
        if !line.ends_with('\n') {
            return None; // the connection broke
        }
        assert!(line.starts_with(wanted), "{line}");
    }
    Some(())
}

#[test]
fn w_t4a_kill_9_at_any_moment_breaks_no_promise_and_no_message() {
    // In memory if possible, because this test does not check the disk.
    let new =
        || tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let mut folder = new().expect("a folder");
    let next = AtomicU32::new(0);
    let mut promised = Vec::new();
    let mut kills = 0;
    while next.load(Ordering::SeqCst) < DELIVERIES {
        let mut sink = Sink::start_in(folder, &["--quiet"]);
        let pid = sink.server.console().pid();
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let (server, next, tell) = (&sink.server, &next, tell.clone());
                scope.spawn(move || {
                    loop {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        match deliver(server, number) {
                            Some(()) => tell.send(number).expect("it hears"),
                            None => break,
                        }
                    }
                });
            }
            drop(tell);
            // kill comes a little after this many 250s, so it can be at any
            // moment of a delivery.
            for _ in 0..rand::random_range(0..20) {
                let number = told.recv_timeout(DEADLINE).expect("a 250");
                promised.push(number);
            }
            let moment = Duration::from_micros(rand::random_range(0..20_000));
            thread::park_timeout(moment);
            let pid = i32::try_from(pid).expect("a pid");
            let pid = Pid::from_raw(pid).expect("a pid");
            kill_process(pid, Signal::KILL).expect("killed");
            promised.extend(told.iter());
        });
        kills += 1;
        folder = sink.folder;
    }
    // Files that the kills left in tmp/ do no harm: a new sink ignores them,
    // and mail programs read only new/. Each kill leaves at most one file for
    // each client.
    let sink = Sink::start_in(folder, &["--quiet"]);
    let left = leftovers(sink.folder.path()).len();
    assert!(left <= kills * CLIENTS as usize, "{left} after {kills} kills");
    let mut kept: BTreeMap<u32, u32> = BTreeMap::new();
    for message in sink.messages() {
        let (_, rest) = message.split_once("X-Number: ").expect("a head");
        let (number, _) = rest.split_once("\r\n").expect("a line");
        let number: u32 = number.parse().expect("a number");
        assert!(message.ends_with(&body(number)), "half of {number}");
        *kept.entry(number).or_default() += 1;
    }
    for number in &promised {
        assert_eq!(kept.get(number), Some(&1), "the 250 of {number}");
    }
    eprintln!(
        "{} tried, {} promised, {} kept, {left} unfinished, {kills} kills",
        next.load(Ordering::SeqCst),
        promised.len(),
        kept.len()
    );
}

/// After kill -9 the kernel still has the written bytes, but a power cut would
/// lose them. So the test also checks the order of the system calls.
#[test]
fn w_t4a_the_250_leaves_after_both_fsyncs() {
    if !installed("strace", "strace") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let outer = tempfile::tempdir().expect("a folder");
    // A FIFO, because reading it ends when strace has ended.
    let log = outer.path().join("log");
    make_fifo(&log);
    let mut command = Command::new("strace");
    let calls = "trace=fsync,rename,renameat,renameat2,sendto";
    command.args(["-D", "-f", "-y", "-s", "60", "-e", calls, "-o"]).arg(&log);
    command.arg(terminal::program_folder().join("mail-sink"));
    command.args(["127.0.0.1", "0", "--dir"]).arg(folder.path());
    let reading = thread::spawn(move || fs::read_to_string(&log));
    let mut server = Server::run(&mut command);
    let client = server.connect();
    assert!(reply(&client).starts_with("220"));
    dialogue(&client, &[("HELO me", "250")]);
    dialogue(&client, TO_DATA);
    dialogue(&client, &[("hi\r\n.", "250")]);
    server.console().signal(Signal::TERM).expect("a signal");
    server.console().read_to_end().expect("it ends");
    let text = reading.join().expect("a reader").expect("the log");
    let mut rest = text.as_str();
    for step in [
        "354 ",
        "fsync(",
        "/tmp/",
        "rename",
        "/new/",
        "fsync(",
        "/new>",
        "250 2.0.0",
    ] {
        let at = rest.find(step);
        let at = at.unwrap_or_else(|| panic!("no {step} in order:\n{text}"));
        rest = &rest[at + step.len()..];
    }
}

#[test]
fn w_t4a_two_sinks_in_one_folder_leave_each_others_messages_alone() {
    let mut first = Sink::start(&[]);
    let client = first.after(TO_DATA);
    send(&client, b"half\r\n");
    let path = first.folder.path().to_path_buf();
    // The files that a killed program has left.
    fs::write(path.join("tmp/dead"), "half").expect("written");
    let arguments = ["--dir", path.to_str().expect("UTF-8")];
    let mut second = Server::start("mail-sink", &arguments);
    assert_eq!(leftovers(&path).len(), 2);
    // Both sinks store messages, and no two names are the same.
    let other = second.connect();
    assert!(reply(&other).starts_with("220"));
    dialogue(&other, &[("EHLO me", "250")]);
    dialogue(&other, TO_DATA);
    dialogue(&other, &[("the second's\r\n.", "250")]);
    dialogue(&client, &[("the rest\r\n.", "250")]);
    let texts = first.messages();
    assert_eq!(texts.len(), 2);
    assert!(texts[0].ends_with("\r\nhalf\r\nthe rest\r\n"));
    assert!(texts[1].ends_with("\r\nthe second's\r\n"));
    assert_eq!(leftovers(&path), ["dead"]);
    second.interrupt();
    first.server.interrupt();
}

/// A message of 100 kB, with space for 20 kB: the sink replies with 452 and
/// frees the space.
fn full_disk(server: &Server) {
    let client = server.connect();
    assert!(reply(&client).starts_with("220"));
    dialogue(&client, &[("EHLO me", "250")]);
    let line = "12345678\r\n";
    for _ in 0..3 {
        dialogue(&client, TO_DATA);
        let small = format!("{}.", line.repeat(100));
        dialogue(&client, &[(&small, "250")]);
        dialogue(&client, TO_DATA);
        let big = format!("{}.", line.repeat(10_000));
        dialogue(
            &client,
            &[(&big, "452 4.3.1 the disk is full"), ("NOOP", "250")],
        );
    }
}

#[test]
fn w_t4a_a_disk_that_is_full_costs_a_message_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = "mount -t tmpfs -o size=48k none \"$1\" && exec \"$2\" \
                 127.0.0.1 0 --dir \"$1\"";
    if !installed("unshare", "util-linux") {
        return;
    }
    let begin = |last: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", last, "sh"]).arg(folder.path());
        command
    };
    let probe = "mount -t tmpfs -o size=48k none \"$1\"";
    if !begin(probe).output().is_ok_and(|done| done.status.success()) {
        eprintln!("skipped: no small disk can be had here");
        return;
    }
    let mut command = begin(world);
    command.arg(terminal::program_folder().join("mail-sink"));
    let mut server = Server::run(&mut command);
    full_disk(&server);
    server.wait_for("cannot store a message: No space left on device…");
    // Seen from inside, through the process.
    let pid = server.console().pid();
    let inside = format!("/proc/{pid}/root{}", folder.path().display());
    let inside = std::path::Path::new(&inside);
    if fs::read_dir(inside).is_ok() {
        assert_eq!(messages(inside).len(), 3);
        assert_eq!(leftovers(inside), [""; 0]);
    }
    server.interrupt();
}

#[test]
fn w_t4a_a_limit_on_file_sizes_costs_a_message_and_not_the_sink() {
    let folder = tempfile::tempdir().expect("a folder");
    // The shell's unit is a block of 512 or 1024 bytes.
    let arguments = ["--dir", folder.path().to_str().expect("UTF-8")];
    let mut server =
        Server::start_limited("ulimit -f 20", "mail-sink", &arguments);
    full_disk(&server);
    assert_eq!(messages(folder.path()).len(), 3);
    assert_eq!(leftovers(folder.path()), [""; 0]);
    server.interrupt();
}

#[test]
fn w_t4a_a_folder_that_is_gone_is_451() {
    let outer = tempfile::tempdir().expect("a folder");
    let inner = outer.path().join("mail");
    let arguments = ["--dir", inner.to_str().expect("UTF-8")];
    let mut server = Server::start("mail-sink", &arguments);
    let client = server.connect();
    assert!(reply(&client).starts_with("220"));
    dialogue(&client, &[("EHLO me", "250")]);
    dialogue(&client, TO_DATA);
    fs::remove_dir_all(&inner).expect("removed");
    dialogue(&client, &[("hi\r\n.", "451 4.3.0")]);
    dialogue(&client, &TO_DATA[..2]);
    dialogue(&client, &[("DATA", "451 4.3.0")]);
    server.wait_for("cannot store a message: …");
    server.interrupt();
}
