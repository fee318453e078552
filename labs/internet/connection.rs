//! A connection to the URL's server, with or without TLS. It sends, receives
//! and prints lines. This file alone makes the socket calls of all protocols in
//! this lab.
//!
//! ```text
//! fetch                      server
//!   |  1 socket                |
//!   |  2 connect  handshake -->|   and TLS now, if the scheme has it
//!   |  4 recv <--- greeting ---|   S: …   most of these speak first
//!   |  3 send ---- command --->|   C: …   one line
//!   |  4 recv <---- reply -----|   S: …   a line, or lines, or a literal
//!   |  5 close ----- FIN ----->|
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use socketlab::dialogue::{Dialogue, Incoming, Limits};
use socketlab::net::{self, TcpSocket};
use socketlab::stream::Stream;
use socketlab::{Error, Result};
use tls::Channel;

use crate::job::Job;

/// The longest line that is read. RFC 5322 allows 998 bytes, but some programs
/// send longer lines.
const LONGEST_LINE: usize = 256 * 1024; // bytes

/// How many lines a reply may have. A list has no such limit, because each line
/// is printed at once and not stored.
pub const MOST_LINES: usize = 1000;

/// How much of a line is shown.
pub const SHOWN: usize = 300; // bytes

/// How long the server may take to close after the last dot of a text.
const CLOSES_WITHIN: Duration = Duration::from_secs(1);

/// Connects to the first of these addresses that answers.
pub fn dial(addresses: &[SocketAddr]) -> Result<TcpSocket> {
    net::try_each(addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // connect() waits at most ten seconds; a later send(), thirty. On Linux
        // SO_SNDTIMEO also limits connect().
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        // If the server reads nothing for 30 s, the connection ends.
        socket.set_send_timeout(Some(net::SEND_TIMEOUT))?;
        socket.set_user_timeout(net::SEND_TIMEOUT)?;
        let _ = socket.set_no_delay();
        Ok(socket)
    })
}

/// A connection to the URL's server.
pub struct Connection<'a> {
    /// What the user asked for.
    pub job: &'a Job,
    dialogue: Dialogue<Channel>,
    tls: Option<Arc<ClientConfig>>, // for FTP's second connection, too
}

impl<'a> Connection<'a> {
    /// Connects to the server of the URL.
    pub fn open(job: &'a Job) -> Result<Connection<'a>> {
        let url = &job.url;
        let socket = dial(&net::resolve(&url.host, url.port)?)?;
        let limits = Limits {
            line: LONGEST_LINE,
            lines: MOST_LINES,
            silence: Some(job.wait),
        };
        let channel = Channel::Clear(socket);
        let dialogue = Dialogue::new(channel, limits, job.printer.clone());
        let mut connection = Connection { job, dialogue, tls: None };
        if url.scheme.is_tls() {
            // Before this has succeeded, no byte is sent or trusted.
            connection.start_tls()?;
        }
        Ok(connection)
    }

    /// Only CR LF ends a line from now on. A text may contain a lone LF. If
    /// that ended a line, `\n.\n` in the text would end it early, and the rest
    /// would look like the server's next reply. (viva 6)
    pub fn only_crlf(&mut self) {
        self.dialogue.only_crlf();
    }

    /// Sends one command.
    pub fn send(&mut self, command: &str) -> Result<()> {
        self.send_masked(command, command)
    }

    /// Sends a command, and prints `shown`, which contains no secret.
    pub fn send_masked(&mut self, command: &str, shown: &str) -> Result<()> {
        // ---- 3 send() ----------------------------------------------------
        // A command is one line in one segment. It ends with CR LF, as lines
        // do in Telnet, on which these protocols were built.
        self.dialogue.send_masked(command, shown)
    }

    /// Sends a head of several lines, for HTTP.
    pub fn send_head(&mut self, head: &[u8]) -> Result<()> {
        for line in head.split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                self.job.printer.show("C: ", line);
            }
        }
        self.dialogue.send_bytes(head)
    }

    /// The first line of a reply, printed. A reply may come one byte at a
    /// time: all lines of it together have one deadline, `--wait`.
    pub fn reply(&mut self) -> Result<String> {
        self.reply_within(self.job.wait)
    }

    /// The same with a deadline of its own.
    pub fn reply_within(&mut self, limit: Duration) -> Result<String> {
        self.dialogue.begin_reply(limit);
        self.next_reply_line()
    }

    /// The next line of a reply that has several.
    pub fn next_reply_line(&mut self) -> Result<String> {
        let line = self.dialogue.reply_line()?;
        let line = self.complete(line)?;
        Ok(String::from_utf8_lossy(&line).into())
    }

    /// The next line of a list or message, not printed.
    pub fn line(&mut self) -> Result<Vec<u8>> {
        // ---- 4 recv() ----------------------------------------------------
        // Calls recv() until the line is complete, with at most --wait seconds
        // without a byte.
        let line = self.dialogue.data_line()?;
        self.complete(line)
    }

    /// The same for a protocol in which the server ends a text by closing.
    pub fn line_or_end(&mut self) -> Result<Option<Vec<u8>>> {
        match self.dialogue.data_line()? {
            Incoming::Line(line) | Incoming::Partial(line) => Ok(Some(line)),
            Incoming::End => Ok(None),
            other => self.complete(other).map(Some),
        }
    }

    /// Everything but a complete line is an error. A dot before FIN is not a
    /// last line, because more bytes may have been lost.
    fn complete(&self, line: Incoming) -> Result<Vec<u8>> {
        Err(self.incomplete(match line {
            Incoming::Line(line) => return Ok(line),
            Incoming::Partial(_) | Incoming::End => "the server closed",
            Incoming::TooLong => "a line of over 256 KiB, or without an end",
            Incoming::TooMany => "a reply of over 1000 lines",
        }))
    }

    /// Exactly `size` bytes, in pieces.
    pub fn exactly(
        &mut self,
        size: u64,
        mut each: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            let piece = self.bytes(most)?;
            if piece.is_empty() {
                let came = size - left;
                let what = format!("{came} of {size} bytes, then the end");
                return Err(self.incomplete(&what));
            }
            left -= piece.len() as u64;
            each(&piece)?;
        }
        Ok(())
    }

    /// The bytes that have arrived, at most `most`; none at the end.
    pub fn bytes(&mut self, most: usize) -> Result<Vec<u8>> {
        self.dialogue.data_bytes(most)
    }

    /// The lines of a list or message, until the line with a single dot. The
    /// server has put one more dot before each line that begins with one
    /// ("stuffed"), and it is removed here.              (viva 5) (try 2)
    pub fn dotted(
        &mut self,
        mut each: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut count = 0;
        loop {
            let line = self.line()?;
            match line.strip_prefix(b".") {
                Some([]) => break,
                Some(rest) => each(rest)?,
                None => each(&line)?,
            }
            count += 1;
        }
        let end = format!(". (lines: {count})");
        self.job.printer.show("S: ", end.as_bytes());
        Ok(())
    }

    /// Ends a dialogue whose texts end with a single dot. If a server does not
    /// double a dot, the text seems to end there, and the rest looks like the
    /// next reply. So no byte may arrive before QUIT is sent, and the reply
    /// must look like one (`is_reply`). A server may also close without a
    /// reply, because the text is complete then. (viva 5)
    pub fn quit(&mut self, is_reply: fn(&str) -> bool) -> Result<()> {
        let asked = self.dialogue.sent().to_string();
        let out_of_step = |what: &[u8], job: &Job| {
            let shown = job.printer.shown(what, SHOWN);
            Error::other(format!(
                "after {asked}: out of step: what should be the reply to \
                 QUIT is: {shown}. Perhaps the single dot was not the end, \
                 because the server has not doubled it. It is not complete"
            ))
        };
        if self.dialogue.has_unread() {
            let rest = self.bytes(SHOWN)?;
            return Err(out_of_step(&rest, self.job));
        }
        if self.send("QUIT").is_err() {
            return Ok(());
        }
        self.dialogue.begin_reply(self.job.wait);
        let rest = match self.dialogue.reply_line() {
            Ok(Incoming::Line(line))
                if !is_reply(&String::from_utf8_lossy(&line)) =>
            {
                line
            }
            Ok(Incoming::Partial(line)) => line,
            Ok(Incoming::TooLong) => b"a line without an end".to_vec(),
            _ if self.dialogue.has_unread() => self.bytes(SHOWN)?,
            _ => return Ok(()),
        };
        Err(out_of_step(&rest, self.job))
    }

    /// Checks the end of a text in a protocol where the server closes after the
    /// dot. If more comes instead, the dot was a line of the text.
    pub fn expect_end(&mut self) -> Result<()> {
        let limit = self.job.wait.min(CLOSES_WITHIN);
        let Some(more) = self.dialogue.unasked(limit) else { return Ok(()) };
        let shown = self.job.printer.shown(&more, SHOWN);
        let what = format!("more comes after the single dot: {shown}");
        Err(self.incomplete(&what))
    }

    /// TLS, at once or after the server has agreed to begin it. If bytes were
    /// received but not read before TLS, the connection ends, because anybody
    /// may have sent them in clear. (viva 7)
    pub fn start_tls(&mut self) -> Result<()> {
        let (host, wait) = (&self.job.url.host, self.job.wait);
        self.tls = Some(tls::start_tls(&mut self.dialogue, host, wait)?);
        let how = self.dialogue.stream()?.description();
        self.job.printer.show("-- ", how.as_bytes());
        Ok(())
    }

    /// Is the connection safe from readers on the path?
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// The configuration of TLS, if this connection has it.
    pub fn tls(&self) -> Option<Arc<ClientConfig>> {
        self.tls.clone()
    }

    /// The address of the server.
    pub fn peer_addr(&mut self) -> Result<SocketAddr> {
        self.dialogue.stream()?.peer_addr()
    }

    /// The error for a reply that ends the dialogue, with its command.
    pub fn refused(&self, reply: &str) -> Error {
        let reply = match reply.is_empty() {
            true => "an empty line".to_string(),
            false => self.job.printer.shown(reply.as_bytes(), SHOWN),
        };
        Error::other(format!("after {}: {reply}", self.dialogue.sent()))
    }

    fn incomplete(&self, what: &str) -> Error {
        let sent = self.dialogue.sent();
        Error::other(format!("after {sent}: {what}. It is not complete"))
    }

    /// Returns the connection, for a protocol with its own reader.
    pub fn into_channel(self) -> Result<Channel> {
        self.dialogue.into_stream()
    }

    /// Ends the connection.
    pub fn close(mut self) {
        // ---- 5 close() ---------------------------------------------------
        // With TLS, close_notify is sent first; then FIN.
        self.dialogue.close();
    }
}
