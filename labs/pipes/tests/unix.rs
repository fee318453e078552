//! Proves that the Unix-domain server echoes, knows its clients, and takes
//! no path away from anybody.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{self, Command};
use std::thread;

use harness::terminal::{self, Terminal};
use rustix::process::{Signal, getegid, geteuid};

use super::{end, place, rest, start, wait};
use harness::{DEADLINE, installed, python};

const SERVER: &str = "pipes-unix-server";
const CLIENT: &str = "pipes-unix-client";

/// A server of ours that listens.
#[track_caller]
fn listening(path: &Path, more: &[&str]) -> Terminal {
    let mut server = start(SERVER, path, more);
    wait(&mut server, &format!("listening on {}", path.display()));
    server
}

#[track_caller]
fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).expect("it accepts");
    stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
    stream.set_write_timeout(Some(DEADLINE)).expect("a deadline");
    stream
}

#[track_caller]
fn ask(mut stream: &UnixStream, words: &[u8]) {
    stream.write_all(words).expect("it takes bytes");
    let mut back = vec![0; words.len()];
    stream.read_exact(&mut back).expect("the echo");
    assert_eq!(back, words);
}

/// Everything until the server closes.
#[track_caller]
fn all(mut stream: &UnixStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("it closes");
    String::from_utf8_lossy(&bytes).into()
}

/// Ctrl-C: `bye`, status 0, and no file is left.
#[track_caller]
fn interrupt(mut server: Terminal, path: &Path) {
    server.signal(Signal::INT).expect("a signal");
    wait(&mut server, "unlink(…): removed");
    wait(&mut server, "bye");
    assert_eq!(end(&mut server), Some(0));
    assert!(!path.exists(), "the file is removed at a clean end");
}

#[test]
fn t_x3_unix_server_echoes_and_knows_its_client() {
    let (_folder, path) = place("sock");
    let mut server = listening(&path, &[]);
    let client = connect(&path);
    let (pid, uid, gid) = (process::id(), geteuid(), getegid());
    let (uid, gid) = (uid.as_raw(), gid.as_raw());
    let line = format!("[pid {pid}] connected: uid {uid}, gid {gid}");
    wait(&mut server, &line);
    ask(&client, b"hello\n");
    wait(&mut server, &format!("[pid {pid}] 6 bytes: hello\\n"));
    client.shutdown(Shutdown::Write).expect("a half-close");
    assert_eq!(all(&client), "");
    wait(&mut server, &format!("[pid {pid}] left: end of stream"));
    interrupt(server, &path);
}

#[test]
fn t_x3_unix_client_and_server_meet_pythons() {
    let (_folder, path) = place("sock");
    let mut server = listening(&path, &[]);
    let Some(mut command) = python("pipes/unix_client.py") else { return };
    command.arg(&path).args(["eins", "zwei"]);
    let mut peer = Terminal::run(&mut command).expect("it starts");
    wait(&mut server, &format!("[pid {}] connected: …", peer.pid()));
    wait(&mut peer, "echo: eins");
    wait(&mut peer, "echo: zwei");
    wait(&mut server, "[pid …] left: end of stream");
    interrupt(server, &path);

    let Some(mut command) = python("pipes/unix_server.py") else { return };
    let mut server = Terminal::run(command.arg(&path)).expect("it starts");
    wait(&mut server, "listening on …");
    let mut client = start(CLIENT, &path, &[]);
    let pid = server.pid();
    wait(&mut client, &format!("connected; the server is pid {pid}, …"));
    wait(&mut server, &format!("pid {}, uid …, gid …", client.pid()));
    client.type_line("trois").expect("it reads");
    wait(&mut client, "trois");
    client.end_input();
    assert_eq!(end(&mut client), Some(0));
}

#[test]
fn t_x3_unix_steps_are_those_of_the_banners() {
    let (_folder, path) = place("sock");
    let mut command = terminal::command(SERVER);
    command.arg(&path).env("TRACE", "1");
    let mut server = Terminal::run(&mut command).expect("it starts");
    for step in ["1 socket(AF_UNIX, SOCK_STREAM, 0)", "2 bind(…)", "3 listen"]
    {
        wait(&mut server, &format!("trace server {step}…"));
    }
    wait(&mut server, "listening on …");
    let client = connect(&path);
    ask(&client, b"x");
    drop(client);
    for step in ["4 accept(…)", "5 recv(…)", "6 send(…)", "7 close(…)"]
    {
        wait(&mut server, &format!("trace server {step} = …"));
    }
    server.signal(Signal::INT).expect("a signal");
    wait(&mut server, "trace server 8 unlink(…) = 0…");
}

#[test]
fn t_x3_unix_stream_has_no_messages() {
    let (_folder, path) = place("sock");
    let server = listening(&path, &["--quiet"]);
    let client = connect(&path);
    for byte in b"one byte at a time" {
        ask(&client, &[*byte]);
    }
    // A megabyte, written and read at the same time.
    let data: Vec<u8> = (0..1 << 20).map(|n| (n % 251) as u8).collect();
    let (mut writer, sent) = (client.try_clone().expect("dup"), data.clone());
    let writing = thread::spawn(move || {
        writer.write_all(&sent).and_then(|()| writer.shutdown(Shutdown::Write))
    });
    let mut back = Vec::new();
    (&client).read_to_end(&mut back).expect("the echo");
    writing.join().expect("the writer").expect("it takes all");
    assert!(back == data, "every byte comes back, in order");
    interrupt(server, &path);
}

#[test]
fn t_x3_unix_clients_are_served_at_once_up_to_a_limit() {
    let (_folder, path) = place("sock");
    let mut server = listening(&path, &["--max-clients", "50"]);
    let clients: Vec<_> = (0..50).map(|_| connect(&path)).collect();
    for client in clients.iter().rev() {
        ask(client, b"all at once");
    }
    let late = connect(&path);
    assert_eq!(all(&late), "no room, try again later\n");
    wait(&mut server, "no room: 50 clients; new clients are refused");
    drop(clients.into_iter().next());
    wait(&mut server, "[pid …] left: end of stream");
    // A place is free now, or in a moment.
    let mut tries = 0;
    loop {
        let mut client = connect(&path);
        let mut byte = [0];
        let asked = client.write_all(b"?");
        if asked.and_then(|()| client.read_exact(&mut byte)).is_ok()
            && &byte == b"?"
        {
            break;
        }
        tries += 1;
        assert!(tries < 10_000, "no place becomes free");
    }
    interrupt(server, &path);
}

#[test]
fn t_x3_unix_server_outlives_rude_clients_and_ends_with_silent_ones() {
    let (_folder, path) = place("sock");
    let mut server = listening(&path, &[]);
    for _ in 0..20 {
        // Leaves its echo unread.
        let mut rude = connect(&path);
        rude.write_all(b"bye").expect("it takes bytes");
    }
    let silent = connect(&path);
    ask(&silent, b"still there");
    wait(&mut server, "[pid …] 11 bytes: still there");
    interrupt(server, &path);
    assert_eq!(all(&silent), "", "it was told");
}

#[test]
fn t_x3_unix_server_without_descriptors_goes_on_when_clients_leave() {
    let (_folder, path) = place("sock");
    let mut command = harness::limited("ulimit -n 14", SERVER);
    command.arg(&path).arg("--quiet");
    let mut server = Terminal::run(&mut command).expect("it starts");
    wait(&mut server, "listening on …");
    let many: Vec<_> = (0..20).map(|_| connect(&path)).collect();
    wait(&mut server, "accept(…): Too many open files (EMFILE). …");
    drop(many);
    ask(&connect(&path), b"again");
    interrupt(server, &path);
}

#[test]
fn t_x3_unix_path_in_use_is_left_to_its_server() {
    let (_folder, path) = place("sock");
    let first = listening(&path, &[]);
    let mut second = start(SERVER, &path, &[]);
    let text = format!("(pid {}, uid …)", first.pid());
    wait(
        &mut second,
        &format!(
            "Error: bind(…): … (EADDRINUSE). A program listens there {text}…"
        ),
    );
    assert_eq!(end(&mut second), Some(1));
    ask(&connect(&path), b"still mine");
    interrupt(first, &path);

    // connect() says EPROTOTYPE: it lives, and takes datagrams.
    let _other = UnixDatagram::bind(&path).expect("a socket");
    let mut second = start(SERVER, &path, &[]);
    wait(
        &mut second,
        "Error: bind(…): … (EADDRINUSE). A program has a socket of …",
    );
    assert!(path.exists());
}

#[test]
fn t_x3_unix_path_that_is_stale_is_taken_over() {
    let (_folder, path) = place("sock");
    let killed = listening(&path, &[]);
    killed.signal(Signal::KILL).expect("a signal");
    drop(killed);
    assert!(path.exists(), "the kernel does not remove it");
    let mut client = start(CLIENT, &path, &[]);
    wait(
        &mut client,
        "Error: connect(…): Connection refused (ECONNREFUSED). The socket's …",
    );
    assert_eq!(end(&mut client), Some(1));
    let mut server = start(SERVER, &path, &[]);
    wait(&mut server, "…: stale, nobody listens there …");
    wait(&mut server, "listening on …");
    ask(&connect(&path), b"new");
    interrupt(server, &path);
}

#[test]
fn t_x3_unix_servers_that_race_for_a_stale_path_leave_one() {
    let (_folder, path) = place("sock");
    drop(UnixListener::bind(&path).expect("a stale socket"));
    let racers: Vec<_> = (0..6).map(|_| start(SERVER, &path, &[])).collect();
    let mut alive = Vec::new();
    for mut racer in racers {
        let line = wait(&mut racer, "…");
        let line = match line.contains(": stale") {
            true => wait(&mut racer, "…"),
            false => line,
        };
        if line.starts_with("listening on ") {
            alive.push(racer);
        } else {
            assert!(line.contains("EADDRINUSE"), "{line}");
        }
    }
    assert_eq!(alive.len(), 1, "one of them listens");
    ask(&connect(&path), b"who?");
    interrupt(alive.pop().expect("one"), &path);
}

#[test]
fn t_x3_unix_path_that_is_something_else_is_never_removed() {
    let (folder, path) = place("something");
    let refuse = |expected: &str| {
        let mut server = start(SERVER, &path, &[]);
        let line = format!("Error: bind(…): … (EADDRINUSE). …{expected}…");
        wait(&mut server, &line);
        assert_eq!(end(&mut server), Some(1));
        assert!(path.symlink_metadata().is_ok(), "it stays");
    };
    fs::write(&path, "thesis").expect("a file");
    refuse("a regular file, not a socket, and is never removed");
    assert_eq!(fs::read(&path).expect("the file"), b"thesis");
    let mut client = start(CLIENT, &path, &[]);
    wait(&mut client, "Error: connect(…): … The path is a regular file, …");
    fs::remove_file(&path).expect("it goes");
    symlink("nowhere", &path).expect("a link");
    refuse("a symbolic link, not a socket");
    fs::remove_file(&path).expect("it goes");
    fs::create_dir(&path).expect("a folder");
    refuse("a folder, not a socket");

    let missing = folder.path().join("no").join("sock");
    let mut server = start(SERVER, &missing, &[]);
    wait(&mut server, "Error: bind(…): … (ENOENT). A folder in this path …");
    let mut client = start(CLIENT, &missing, &[]);
    wait(&mut client, "Error: connect(…): … (ENOENT). There is no socket …");
}

#[test]
fn t_x3_unix_path_that_was_replaced_is_left_at_the_end() {
    let (_folder, path) = place("sock");
    let mut server = listening(&path, &[]);
    fs::remove_file(&path).expect("somebody removes it");
    fs::write(&path, "thesis").expect("and puts a file there");
    server.signal(Signal::TERM).expect("a signal");
    wait(&mut server, "… is another file by now; it stays as it is");
    assert_eq!(end(&mut server), Some(0));
    assert_eq!(fs::read(&path).expect("the file"), b"thesis");
}

#[test]
fn t_x3_unix_path_has_107_bytes_at_most() {
    let (folder, _) = place("");
    let base = folder.path().as_os_str().len() + 1;
    let longest = folder.path().join("x".repeat(107 - base));
    let server = listening(&longest, &[]);
    ask(&connect(&longest), b"just fits");
    interrupt(server, &longest);
    let longer = folder.path().join("x".repeat(108 - base));
    for program in [SERVER, CLIENT] {
        let mut program = start(program, &longer, &[]);
        wait(&mut program, "Error: …(): a socket's path has 1 to 107 bytes, …");
        assert_eq!(end(&mut program), Some(1));
    }
    // The advice: a short name in a far folder.
    let deep = folder.path().join("d".repeat(120));
    fs::create_dir(&deep).expect("a folder");
    let mut command = terminal::command(SERVER);
    command.current_dir(&deep).arg("sock");
    let server = Terminal::run(&mut command);
    let mut server = server.expect("it starts");
    wait(&mut server, "listening on sock");
    interrupt(server, &deep.join("sock"));
}

#[test]
fn t_x3_unix_permissions_say_who_may_connect() {
    for (words, mode) in [(&[][..], 0o600), (&["--mode", "666"][..], 0o666)] {
        let (_folder, path) = place("sock");
        let mut server = listening(&path, words);
        if mode == 0o666 {
            wait(&mut server, "warning: mode 666: other users …");
        }
        let found = fs::symlink_metadata(&path).expect("the file");
        assert!(found.file_type().is_socket());
        assert_eq!(found.permissions().mode() & 0o777, mode);
        interrupt(server, &path);
    }
    if !geteuid().is_root() {
        return; // only root can be somebody else
    }
    for (words, answer) in [
        (&[][..], "PermissionError: …"),
        (&["--mode", "666"][..], "hi"),
        (&["--mode", "666", "--only-me"][..], "only for the user who …"),
    ] {
        let (folder, path) = place("sock");
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("a folder for all");
        let server = listening(&path, words);
        let Some(mut stranger) = stranger(&path) else { return };
        wait(&mut stranger, answer);
        interrupt(server, &path);
    }
    // Somebody else's server, and one of that user who wants its path.
    let (folder, path) = place("sock");
    let open = fs::Permissions::from_mode(0o1777); // as /tmp has
    fs::set_permissions(folder.path(), open).expect("a folder for all");
    drop(UnixListener::bind(&path).expect("a stale socket of ours"));
    let program = terminal::program_folder().join(SERVER);
    let script = "import os, sys; os.setgid(4242); os.setuid(4242); \
                  os.execv(sys.argv[1], sys.argv[1:])";
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(program).arg(&path);
    let mut second = Terminal::run(&mut command).expect("it starts");
    let refused = "Error: … (EADDRINUSE). Is it in use? … (EACCES)";
    let line = second.wait_for("…Error: …").expect("a refusal");
    if !line.starts_with("PermissionError") {
        assert!(harness::terminal::matches(refused, &line), "{line}");
    }
    assert!(path.exists());
}

/// A client that is user 4242.
fn stranger(path: &Path) -> Option<Terminal> {
    let script = "import os, socket, sys; os.setgid(4242); os.setuid(4242); \
                  s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); \
                  s.sendall(b'hi'); print(s.recv(99).decode())";
    installed("python3", "python3").then(|| {
        let mut command = Command::new("python3");
        command.args(["-c", script]).arg(path);
        Terminal::run(&mut command).expect("it starts")
    })
}

#[test]
fn t_x3_unix_client_does_not_wait_for_ever() {
    let (_folder, path) = place("sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let mut client = start(CLIENT, &path, &["--wait", "1"]);
    let (mut silent, _) = listener.accept().expect("it connects");
    client.type_line("anybody?").expect("it reads");
    client.end_input();
    let mut heard = String::new();
    silent.read_to_string(&mut heard).expect("its words, and the end");
    assert_eq!(heard, "anybody?\n");
    wait(&mut client, "Error: no end of the answers within 1 s");
    assert_eq!(end(&mut client), Some(1));

    // What a server says is shown, and cannot drive the terminal.
    let mut client = start(CLIENT, &path, &[]);
    let (mut server, _) = listener.accept().expect("it connects");
    server.write_all(b"\x1b[2Jone\ntwo").expect("it takes bytes");
    drop(server);
    let printed = rest(&mut client);
    let expected = "\\x1b[2Jone\ntwo\nError: the server has closed\n";
    assert!(printed.ends_with(expected), "{printed}");
    assert_eq!(end(&mut client), Some(1));
}

#[test]
fn t_x3_unix_server_prints_complete_messages_and_who_ended_it() {
    let (_folder, path) = place("sock");
    let mut server = listening(&path, &[]);
    let client = connect(&path);
    let line = "abcdefgh".repeat(512);
    ask(&client, line.as_bytes());
    wait(&mut server, &format!("[pid …] 4096 bytes: {line}"));
    server.signal(Signal::TERM).expect("a signal");
    wait(&mut server, "[pid …] cut by the stop");
}
