//! What the tests of all labs share: servers on free ports, raw sockets with
//! a deadline on every read, peers in Python.
//!
//! `CHECK=host:port cargo test --test echo` points the tests that start with
//! [`Server::start_or_check`] at somebody else's server.

use std::io::{ErrorKind, Read, Write};
use std::net::{
    Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket,
};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::calls::Watched;
use crate::house;
use crate::terminal::{self, Terminal};
use crate::transcript;
use nix::sys::stat::Mode;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use socketlab::console;

/// How long a peer may take to answer before a test fails.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Bytes of an answer that a failed test shows.
const SHOWN: usize = 100;

/// A server of ours under control, or (CHECK) somebody's at an address.
pub struct Server {
    terminal: Option<Terminal>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts `PROGRAM 127.0.0.1 0 arguments…` and waits until it listens.
    pub fn start(program: &str, arguments: &[&str]) -> Server {
        let mut command = terminal::command(program);
        command.args(["127.0.0.1", "0"]).args(arguments);
        Server::run(&mut command)
    }

    /// The same on another address of this machine than 127.0.0.1.
    pub fn start_at(host: &str, program: &str) -> Server {
        Server::run(terminal::command(program).args([host, "0"]))
    }

    /// The same where a shell has said `limit`, such as `ulimit -n 24`.
    pub fn start_limited(
        limit: &str,
        program: &str,
        arguments: &[&str],
    ) -> Server {
        let mut command = limited(limit, program);
        command.args(["127.0.0.1", "0"]).args(arguments);
        Server::run(&mut command)
    }

    /// Starts a prepared command and waits until it says where it listens.
    pub fn run(command: &mut Command) -> Server {
        let mut terminal = Terminal::run(command).expect("it starts");
        let line = terminal.wait_for("listening on …").expect("it listens");
        let address = line.trim_start_matches("listening on ");
        let address = address.parse().expect("an address");
        Server { terminal: Some(terminal), address }
    }

    /// The server that CHECK names, else ours: for tests that only look at
    /// bytes on sockets.
    pub fn start_or_check(program: &str, arguments: &[&str]) -> Server {
        let Ok(place) = std::env::var("CHECK") else {
            return Server::start(program, arguments);
        };
        let mut found = place.to_socket_addrs().expect("CHECK=host:port");
        let address = found.next().expect("CHECK names an address");
        Server { terminal: None, address }
    }

    /// A place where a test itself is the server, or nobody is.
    pub fn at(address: SocketAddr) -> Server {
        Server { terminal: None, address }
    }

    /// Its console.
    pub fn console(&mut self) -> &mut Terminal {
        self.terminal.as_mut().expect("a server of ours, not CHECK's")
    }

    /// Waits until its console shows a line like this (`…` for anything).
    #[track_caller]
    pub fn wait_for(&mut self, pattern: &str) -> String {
        self.console().wait_for(pattern).unwrap_or_else(|e| panic!("{e}"))
    }

    /// A raw TCP connection to it, with a deadline on every read and write,
    /// and every write a segment of its own.
    #[track_caller]
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it accepts");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        stream.set_write_timeout(Some(DEADLINE)).expect("a deadline");
        stream.set_nodelay(true).expect("no delay");
        stream
    }

    /// A UDP socket that talks to it, with a deadline.
    #[track_caller]
    pub fn datagrams(&self) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(self.address).expect("an address");
        socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        socket
    }

    /// Starts `PROGRAM HOST PORT arguments…`: a client of this server.
    #[track_caller]
    pub fn client(&self, program: &str, arguments: &[&str]) -> Terminal {
        let (host, port) = self.host_and_port();
        let mut command = terminal::command(program);
        command.args([&host, &port]).args(arguments);
        Terminal::run(&mut command).expect("it starts")
    }

    /// Starts `python3 labs/LAB/python/FILE HOST PORT arguments…`; `None` where
    /// there is no Python.
    #[track_caller]
    pub fn python(&self, file: &str, arguments: &[&str]) -> Option<Terminal> {
        let (host, port) = self.host_and_port();
        let mut command = python(file)?;
        command.args([&host, &port]).args(arguments);
        Some(Terminal::run(&mut command).expect("it starts"))
    }

    /// Where it listens, as two arguments.
    pub fn host_and_port(&self) -> (String, String) {
        (self.address.ip().to_string(), self.address.port().to_string())
    }

    /// Ctrl-C: it says `bye` and ends with status 0.
    #[track_caller]
    pub fn interrupt(&mut self) {
        let console = self.console();
        console.signal(Signal::INT).expect("a signal");
        console.wait_for("bye").unwrap_or_else(|e| panic!("{e}"));
        let status = console.wait_for_end().expect("it ends");
        assert_eq!(status.code(), Some(0), "after Ctrl-C");
    }
}

/// A server in Python, by LAB/FILE, on a free port.
pub fn python_server(file: &str, arguments: &[&str]) -> Option<Server> {
    let mut command = python(file)?;
    command.args(["127.0.0.1", "0"]).args(arguments);
    Some(Server::run(&mut command))
}

/// `python3 -u labs/LAB/python/FILE`, if there is a Python 3.
pub fn python(file: &str) -> Option<Command> {
    if !installed("python3", "python3") {
        return None;
    }
    let mut command = Command::new("python3");
    command.arg("-u").arg(script(file));
    Some(command)
}

/// `labs/LAB/python/FILE`, from LAB/FILE.
#[track_caller]
pub fn script(file: &str) -> PathBuf {
    let (lab, file) = file.split_once('/').expect("LAB/FILE");
    let labs = house::root().expect("the sources").join("labs");
    labs.join(lab).join("python").join(file)
}

/// Is this program there? If not, the test says so and passes; under
/// `REQUIRE_PEERS=1`, as in CI, it fails.
pub fn installed(program: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .any(|file: PathBuf| file.is_file());
    found || skipped(package)
}

/// Says that a test is skipped for want of a package, and gives false.
///
/// # Panics
///
/// With `REQUIRE_PEERS` in the environment: there, nothing may be missing.
#[track_caller]
pub fn skipped(package: &str) -> bool {
    eprintln!("skipped: install {package}");
    let required = std::env::var_os("REQUIRE_PEERS").is_some();
    assert!(!required, "REQUIRE_PEERS is set: install {package}");
    false
}

/// Sends each byte in a segment of its own.
#[track_caller]
pub fn trickle(mut stream: &TcpStream, bytes: &[u8]) {
    for byte in bytes {
        stream.write_all(&[*byte]).expect("it takes a byte");
    }
}

/// Sends all bytes.
#[track_caller]
pub fn send(mut stream: &TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("it takes bytes");
}

/// Exactly `count` bytes of the peer.
#[track_caller]
pub fn receive(mut stream: &TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    let mut arrived = 0;
    while arrived < count {
        match stream.read(&mut bytes[arrived..]) {
            Ok(0) => panic!(
                "the peer closed after {arrived} of {count} bytes, as one \
                 does that calls recv() only once: {}",
                console::escape_short(&bytes[..arrived], SHOWN)
            ),
            Ok(more) => arrived += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!(
                "only {arrived} of {count} bytes came ({error}); a peer that \
                 waits for a line end, or for the close, looks like this: {}",
                console::escape_short(&bytes[..arrived], SHOWN)
            ),
        }
    }
    bytes
}

/// One line of the peer, without its line end.
#[track_caller]
pub fn receive_line(stream: &TcpStream) -> String {
    let mut line = Vec::new();
    loop {
        match receive(stream, 1)[0] {
            b'\n' => break,
            byte => line.push(byte),
        }
    }
    String::from_utf8_lossy(&line).trim_end_matches('\r').to_string()
}

/// Everything until the peer closes.
#[track_caller]
pub fn receive_all(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("it closes in time");
    bytes
}

/// Half-close: FIN now, the answers still come.
#[track_caller]
pub fn half_close(stream: &TcpStream) {
    stream.shutdown(Shutdown::Write).expect("a half-close");
}

/// Ends the connection with RST instead of FIN.
pub fn reset(stream: TcpStream) {
    let socket = socket2::SockRef::from(&stream);
    socket.set_linger(Some(Duration::ZERO)).expect("SO_LINGER 0");
}

/// Lets this test process, and the servers that it starts, have `wanted`
/// descriptors: a thousand clients need more than the usual 1024.
pub fn allow_descriptors(wanted: u64) {
    let now = getrlimit(Resource::Nofile);
    if now.current.is_some_and(|current| current < wanted) {
        let current = now.maximum.map_or(wanted, |most| most.min(wanted));
        let raised = Rlimit { current: Some(current), maximum: now.maximum };
        let _ = setrlimit(Resource::Nofile, raised);
        assert!(current >= wanted, "raise `ulimit -Hn` to {wanted}");
    }
}

/// A program of ours where a shell has said `limit`, such as `ulimit -n 24`.
pub fn limited(limit: &str, program: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limit} && exec \"$@\""), "sh"]);
    command.arg(terminal::program_folder().join(program));
    command
}

/// Makes a FIFO, for its owner.
#[track_caller]
pub fn make_fifo(path: &Path) {
    nix::unistd::mkfifo(path, Mode::S_IRWXU).expect("a FIFO");
}

/// The most memory that a process has had, in MiB. Linux only.
#[track_caller]
pub fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") / 1024
}

/// A server that drips: a byte every fifth of a second, without an end.
pub fn dripping_server() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            thread::spawn(move || {
                while client.write_all(b"x").is_ok() {
                    thread::park_timeout(Duration::from_millis(200));
                }
            });
        }
    });
    Server::at(address)
}

/// Plays another UDP server, on a port below the clients' ones, whose
/// address somebody forged as the sender of `first`: it answers each answer,
/// with the same bytes or with `always`. Returns how long that went on.
#[track_caller]
pub fn answer_each_other(
    server: &Server,
    first: &[u8],
    always: Option<&[u8]>,
) -> usize {
    let other = (20_000..32_000)
        .find_map(|port| UdpSocket::bind(("127.0.0.1", port)).ok())
        .expect("a free port");
    other.connect(server.address).expect("an address");
    let silence = Duration::from_millis(700);
    other.set_read_timeout(Some(silence)).expect("a limit");
    other.send(first).expect("it is sent");
    let mut buffer = [0; 1024];
    for answers in 0..5000 {
        let Ok(count) = other.recv(&mut buffer) else { return answers };
        other.send(always.unwrap_or(&buffer[..count])).expect("it is sent");
    }
    panic!("after 5000 answers they still answer each other");
}

/// Starts a client in a world where `two.test` is 127.0.0.1 and 127.0.0.9, in
/// this order; `None` where a test may not make such a world.
pub fn client_of_two_addresses(program: &str, port: u16) -> Option<Terminal> {
    let world = "mount -t tmpfs none /mnt && cd /mnt &&
        printf '127.0.0.1 two.test\\n127.0.0.9 two.test\\n' > hosts &&
        mount --bind hosts /etc/hosts && exec \"$@\"";
    let begin = || {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", world, "world"]);
        command
    };
    let known = begin().args(["getent", "ahosts", "two.test"]).output().ok()?;
    let known = String::from_utf8_lossy(&known.stdout).into_owned();
    if !known.starts_with("127.0.0.1") || !known.contains("127.0.0.9") {
        eprintln!("skipped: no name with two addresses can be had here");
        return None;
    }
    let mut command = begin();
    command.arg(terminal::program_folder().join(program));
    command.args(["two.test", &port.to_string()]);
    Some(Terminal::run(&mut command).expect("it starts"))
}

/// Plays every transcript of a lab's README.
#[track_caller]
pub fn play_readme(lab: &str) {
    let page = house::root().expect("the sources").join("labs").join(lab);
    let page = house::read(&page.join("README.md")).expect("a README");
    let blocks = transcript::blocks(&page);
    assert!(!blocks.is_empty(), "labs/{lab}/README.md has no transcript");
    for (line, block) in blocks {
        let mut played = String::new();
        let mut show = |text: &str| played.push_str(&format!("{text}\n"));
        if let Err(error) = transcript::play(&block, &mut show) {
            panic!("labs/{lab}/README.md, line {line}: {error}\n{played}");
        }
    }
}

/// Runs a TCP server under strace, connects once, and checks that the system
/// calls of its sockets come in this order, as the step banners promise.
#[track_caller]
pub fn strace_shows(program: &str, calls: &[&str]) {
    let path = terminal::program_folder().join(program);
    let Some(mut watched) = Watched::new(&path) else { return };
    watched.command.args(["127.0.0.1", "0"]);
    let mut server = Server::run(&mut watched.command);
    let client = server.connect();
    let _ = client.shutdown(Shutdown::Write);
    let _ = receive_all(&client);
    // It may have ended by itself.
    let _ = server.console().signal(Signal::TERM);
    server.console().read_to_end().expect("it ends");
    let text = watched.log();
    // From the listener's socket() on: the runtime made calls before it.
    let start = text.find("socket(AF_INET, SOCK_STREAM").unwrap_or(0);
    let mut rest = &text[start..];
    for call in calls {
        let needle = format!("{call}(");
        let at = rest.find(&needle);
        let at = at.unwrap_or_else(|| panic!("no {call}() in order:\n{text}"));
        rest = &rest[at + needle.len()..];
    }
}
