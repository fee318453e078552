//! Compares strace with TRACE=2: does a program make exactly the system calls
//! that its trace shows?

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::process::Command;
use std::thread::{self, JoinHandle};

use rustix::process::Signal;
use socketlab::{Error, Result};
use tempfile::TempDir;

use crate::bytes::{receive_all, send};
use crate::peers::installed;
use crate::programs;
use crate::server::Server;
use crate::terminal::Terminal;
use crate::world::make_fifo;

/// The calls that are counted, each on a socket of TCP or UDP.
const COUNTED: [&str; 11] = [
    "socket",
    "bind",
    "listen",
    "accept",
    "connect",
    "send",
    "recv",
    "sendto",
    "setsockopt",
    "close",
    "shutdown",
];

/// How often each call was made.
type Count = BTreeMap<String, usize>;

/// A program under strace, and the log that strace writes.
pub(crate) struct Watched {
    pub(crate) command: Command,
    log: JoinHandle<io::Result<String>>,
    _folder: TempDir,
}

impl Watched {
    /// Returns `None`, with a message, if strace is not installed.
    pub(crate) fn new(program: &str) -> Result<Option<Watched>> {
        if !installed("strace", "strace") {
            return Ok(None);
        }
        // A FIFO for the log: reading it ends when strace, too, has ended.
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log");
        make_fifo(&path);
        let mut command = Command::new("strace");
        // -D: the program is our child and strace is the program's child, so
        // that signals reach the program.
        // -yy: strace shows the protocol of each socket.
        command.args(["-D", "-f", "-yy", "-e", "trace=network,close", "-o"]);
        command.arg(&path).arg(programs::folder().join(program));
        let log = thread::spawn(move || fs::read_to_string(&path));
        Ok(Some(Watched { command, log, _folder: folder }))
    }

    /// What strace has written when the program has ended.
    pub(crate) fn log(self) -> Result<String> {
        let read = self.log.join();
        let log = read.map_err(|_| Error::other("the reader panicked"))?;
        Ok(log?)
    }
}

/// Runs a TCP server under strace with TRACE=2, lets it serve one client who
/// sends `input`, and compares the calls.
#[track_caller]
pub fn server_calls_are_traced(program: &str, input: &[u8]) -> Result<()> {
    let Some(mut watched) = Watched::new(program)? else { return Ok(()) };
    watched.command.args(["127.0.0.1", "0"]).env("TRACE", "2");
    let mut terminal = Terminal::run(&mut watched.command)?;
    let mut said = String::new();
    let address: SocketAddr = loop {
        let Some(line) = terminal.read_line()? else {
            return Err(Error::other(format!("it does not listen:\n{said}")));
        };
        said.push_str(&format!("{line}\n"));
        let address = line.strip_prefix("listening on ");
        if let Some(Ok(address)) = address.map(str::parse) {
            break address;
        }
    };
    let client = Server::at(address).connect();
    send(&client, input);
    let _ = client.shutdown(Shutdown::Write);
    let _ = receive_all(&client);
    // The client has FIN before the server prints its close(). A signal in
    // between would end the server without this line.
    while let Some(line) = terminal.read_line()? {
        said.push_str(&format!("{line}\n"));
        if line.contains(" close(") {
            break;
        }
    }
    let _ = terminal.signal(Signal::TERM); // it may have ended by itself
    let rest = terminal.read_to_end()?;
    said.push_str(&String::from_utf8_lossy(&rest));
    compare(&said, &watched.log()?);
    Ok(())
}

/// Runs a client of `server` under strace with TRACE=2, types `line`, ends
/// its input, and compares the calls.
#[track_caller]
pub fn client_calls_are_traced(
    program: &str,
    server: &Server,
    line: &str,
) -> Result<()> {
    let Some(mut watched) = Watched::new(program)? else { return Ok(()) };
    let (host, port) = server.host_and_port();
    watched.command.args([host, port]).env("TRACE", "2");
    let mut client = Terminal::run(&mut watched.command)?;
    let _ = client.type_line(line); // a client may read no input
    client.end_input();
    let said = client.read_to_end()?;
    compare(&String::from_utf8_lossy(&said), &watched.log()?);
    Ok(())
}

#[track_caller]
fn compare(said: &str, log: &str) {
    let (traced, made) = (count_traced(said), count_made(log));
    assert!(traced.len() >= 4, "too few calls for a test:\n{said}");
    assert_eq!(
        traced, made,
        "TRACE=2 (left) and strace (right) differ:\n{said}\n{log}"
    );
}

/// `trace server 4 accept(3) = 4, …`
fn count_traced(said: &str) -> Count {
    let calls = said.lines().filter_map(|line| {
        let rest = line.strip_prefix("trace ")?;
        let (before, _) = rest.split_once('(')?;
        before.rsplit(' ').next()
    });
    count(calls)
}

/// `4711 accept4(3<TCP:[127.0.0.1:12345]>, …) = 4<TCP:…>`, perhaps in two
/// lines: `… <unfinished ...>` and `4711 <... accept4 resumed> …) = 4<…>`.
fn count_made(log: &str) -> Count {
    let mut pending = HashMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let Some((pid, line)) = line.split_once(' ') else { continue };
        let line = line.trim_start();
        let call = match line.starts_with("<... ") {
            true => pending.remove(pid),
            false => line.split_once('(').and_then(|(name, arguments)| {
                let internet = match name {
                    "socket" => arguments.starts_with("AF_INET"),
                    _ => ["<TCP", "<UDP"].iter().any(|protocol| {
                        let first = arguments.split([',', ')']).next();
                        first.is_some_and(|first| first.contains(protocol))
                    }),
                };
                internet.then_some(name)
            }),
        };
        let Some(call) = call else { continue };
        if line.ends_with("<unfinished ...>") {
            // The arguments of a sendto are in this half of the line.
            let is_send = line.contains(", NULL, 0 <unfinished");
            pending.insert(pid, if is_send { "sendmsg" } else { call });
        } else if !line.contains(") = ?") {
            // "= ?": the program ended during the call, or the kernel repeats
            // the call after a signal.
            calls.push(match call {
                "accept4" => "accept",
                "sendmsg" => "send",
                "sendto" if line.contains(", NULL, 0)") => "send",
                "recvfrom" if line.contains(", NULL, NULL)") => "recv",
                other => other,
            });
        }
    }
    count(calls)
}

fn count<'a>(calls: impl IntoIterator<Item = &'a str>) -> Count {
    let mut count = Count::new();
    for call in calls {
        if COUNTED.contains(&call) {
            *count.entry(call.into()).or_default() += 1;
        }
    }
    count
}
