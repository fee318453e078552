//! A server for a test: ours on a free port, or another one at an address.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::peers::python;
use crate::programs;
use crate::terminal::Terminal;
use crate::world::limited;

/// A test fails if the peer does not reply within this time.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// A server that the test has started, or the one that CHECK names.
pub struct Server {
    terminal: Option<Terminal>,
    /// The address where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts `PROGRAM 127.0.0.1 0 arguments…` and waits until it listens.
    pub fn start(program: &str, arguments: &[&str]) -> Server {
        let mut command = programs::command(program);
        command.args(["127.0.0.1", "0"]).args(arguments);
        Server::run(&mut command)
    }

    /// The same, on an address of this machine other than 127.0.0.1.
    pub fn start_at(host: &str, program: &str) -> Server {
        Server::run(programs::command(program).args([host, "0"]))
    }

    /// The same after the shell command `limit`, such as `ulimit -n 24`.
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

    /// The server that CHECK names, otherwise ours. It is for tests that look
    /// only at the bytes on the connection.
    pub fn start_or_check(program: &str, arguments: &[&str]) -> Server {
        let Ok(place) = std::env::var("CHECK") else {
            return Server::start(program, arguments);
        };
        let mut found = place.to_socket_addrs().expect("CHECK=host:port");
        let address = found.next().expect("CHECK names an address");
        Server { terminal: None, address }
    }

    /// An address at which the test itself listens, or no program listens.
    pub fn at(address: SocketAddr) -> Server {
        Server { terminal: None, address }
    }

    /// Its console.
    pub fn console(&mut self) -> &mut Terminal {
        self.terminal.as_mut().expect("a server of ours, not CHECK's")
    }

    /// Waits until the server prints a line that matches this (`…` is any
    /// text).
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
        let mut command = programs::command(program);
        command.args([&host, &port]).args(arguments);
        Terminal::run(&mut command).expect("it starts")
    }

    /// Starts `python3 labs/LAB/python/FILE HOST PORT arguments…`. Returns
    /// `None` if Python is not installed.
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

    /// Sends Ctrl-C: the server prints `bye` and ends with status 0.
    #[track_caller]
    pub fn interrupt(&mut self) {
        let console = self.console();
        console.signal(Signal::INT).expect("a signal");
        console.wait_for("bye").unwrap_or_else(|e| panic!("{e}"));
        let status = console.wait_for_end().expect("it ends");
        assert_eq!(status.code(), Some(0), "after Ctrl-C");
    }
}

/// A server that sends a byte every fifth of a second and never ends.
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

/// A server in Python, by LAB/FILE, on a free port.
pub fn python_server(file: &str, arguments: &[&str]) -> Option<Server> {
    let mut command = python(file)?;
    command.args(["127.0.0.1", "0"]).args(arguments);
    Some(Server::run(&mut command))
}
