//! A member of the room, spoken for by a test over a raw socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use harness::{self, Server};

/// A pattern for `Server: time=10.01 …`.
pub fn event(what: &str) -> String {
    format!("Server: time=…… {what}")
}

/// Is it `Server: time=HH.MM ` and then this?
pub fn is_event(line: &str, what: &str) -> bool {
    let Some((time, rest)) =
        line.strip_prefix("Server: time=").and_then(|r| r.split_once(' '))
    else {
        return false;
    };
    let digit = |at: usize| time.as_bytes()[at].is_ascii_digit();
    let clock = time.len() == 5 && time.as_bytes()[2] == b'.';
    clock && [0, 1, 3, 4].into_iter().all(digit) && rest == what
}

pub struct Member {
    stream: BufReader<TcpStream>,
}

impl Member {
    /// A connection that has not said its name.
    #[track_caller]
    pub fn connect(server: &Server) -> Member {
        Member { stream: BufReader::new(server.connect()) }
    }

    /// Logs in and hears of it.
    #[track_caller]
    pub fn join(server: &Server, name: &str, count: usize) -> Member {
        let mut member = Member::connect(server);
        member.hears("Enter login name:");
        member.says(name);
        member.hears_event(&format!("{name} has joined. Member count={count}"));
        member
    }

    /// The same with a room that may ask otherwise, or not at all.
    #[track_caller]
    pub fn join_any(server: &Server, name: &str, count: usize) -> Member {
        let mut member = Member::connect(server);
        member.says(name);
        let wanted = format!("{name} has joined. Member count={count}");
        while !is_event(&member.next(), &wanted) {}
        member
    }

    /// Sends a line.
    #[track_caller]
    pub fn says(&mut self, line: &str) {
        self.sends(format!("{line}\n").as_bytes());
    }

    /// Sends bytes, as they are.
    #[track_caller]
    pub fn sends(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).expect("it takes bytes");
    }

    /// The next line, as bytes of UTF-8.
    #[track_caller]
    pub fn next(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line in time, in UTF-8");
        assert!(line.ends_with('\n'), "the server closed: {line:?}");
        line.pop();
        line
    }

    /// The next line is this one.
    #[track_caller]
    pub fn hears(&mut self, line: &str) {
        assert_eq!(self.next(), line);
    }

    /// The next line is this event.
    #[track_caller]
    pub fn hears_event(&mut self, what: &str) {
        let line = self.next();
        assert!(is_event(&line, what), "{line}\ninstead of: {what}");
    }

    /// All that comes until the server closes.
    #[track_caller]
    pub fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).expect("an end, in time");
        rest
    }

    /// Nothing more, and the connection is closed, not reset.
    #[track_caller]
    pub fn hears_the_end(&mut self) {
        let rest = self.stream.fill_buf().expect("an end, in time");
        assert_eq!(String::from_utf8_lossy(rest), "");
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.socket().local_addr().expect("an address")
    }

    pub fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// FIN.
    pub fn hangs_up(self) {}

    /// RST.
    pub fn resets(self) {
        harness::reset(self.stream.into_inner());
    }
}
