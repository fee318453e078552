//! What the dialogues have alike: a connection, perhaps with TLS on it, over
//! which lines go and come, and are printed as they do. The five calls under
//! every protocol of this lab are here and nowhere else.
//!
//! ```text
//! fetch                      server
//!   |  1 socket                |
//!   |  2 connect  handshake -->|   and TLS now, if the scheme says so
//!   |  4 recv <--- greeting ---|   S: …   most of these speak first
//!   |  3 send ---- command --->|   C: …   one line
//!   |  4 recv <---- reply -----|   S: …   a line, or lines, or a literal
//!   |  5 close ----- FIN ----->|
//! ```

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::stream::Stream;
use socketlab::{Error, Result, console, warn};
use tls::Channel;

use crate::job::Job;

/// The longest line that is read. RFC 5322 allows 998 bytes; what programs
/// send has been seen to be longer, and must end somewhere.
const LONGEST_LINE: usize = 256 * 1024; // bytes

/// How much of a line is shown.
const SHOWN: usize = 300; // bytes

/// Connects to the first of these addresses that answers.
pub fn dial(addresses: &[SocketAddr]) -> Result<TcpSocket> {
    net::try_each(addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // Ten seconds at most; a send later on, thirty.
        socket.connect(address)?;
        let _ = socket.set_no_delay();
        Ok(socket)
    })
}

/// A connection to the URL's server, and what was said on it last.
pub struct Dialogue<'a> {
    /// What the user asked for.
    pub job: &'a Job,
    reader: LineReader<Channel>,
    only_crlf: bool,                // see below
    tls: Option<Arc<ClientConfig>>, // for FTP's second connection, too
    last: String,                   // our last command, as shown
}

impl<'a> Dialogue<'a> {
    /// Connects to the server of the URL.
    pub fn open(job: &'a Job) -> Result<Dialogue<'a>> {
        let url = &job.url;
        let socket = dial(&net::resolve(&url.host, url.port)?)?;
        let channel = Channel::Clear(socket);
        let last = "the connect".to_string();
        let mut dialogue = Dialogue::over(channel, job, last);
        if url.scheme.tls {
            // Not a byte is sent or believed before this has succeeded.
            dialogue = dialogue.start_tls()?;
        }
        Ok(dialogue)
    }

    fn over(channel: Channel, job: &'a Job, last: String) -> Dialogue<'a> {
        let reader = LineReader::new(channel, LONGEST_LINE, job.wait);
        Dialogue { job, reader, only_crlf: false, tls: None, last }
    }

    /// Only CR LF ends a line from now on. Where a text may hold a bare LF,
    /// `\n.\n` in it would else end it early, and what follows would be taken
    /// for the server's next reply.                              (viva 6)
    pub fn only_crlf(&mut self) {
        self.only_crlf = true;
        self.reader.only_crlf();
    }

    /// Sends one command.
    pub fn send(&mut self, command: &str) -> Result<()> {
        self.send_as(command, command)
    }

    /// Sends a command that is shown without its secret.
    pub fn send_as(&mut self, shown: &str, command: &str) -> Result<()> {
        self.job.show("C: ", shown.as_bytes());
        self.last = shown.to_string();

        // ---- 3 send() ----------------------------------------------------
        // A command is one line in one segment: Telnet's habit, CR LF.
        self.reader.stream().send_all(format!("{command}\r\n").as_bytes())
    }

    /// Sends a head of several lines, for HTTP.
    pub fn send_head(&mut self, head: &[u8]) -> Result<()> {
        for line in head.split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                self.job.show("C: ", line);
            }
        }
        self.reader.stream().send_all(head)
    }

    /// The next line of a reply, shown.
    pub fn reply(&mut self) -> Result<String> {
        // A reply may drip: all of the line has one deadline.
        self.reader.finish_within(Some(self.job.wait));
        let line = self.line();
        self.reader.finish_within(None);
        let line = line?;
        self.job.show("S: ", &line);
        Ok(String::from_utf8_lossy(&line).into())
    }

    /// The next line of a list or message, not shown.
    pub fn line(&mut self) -> Result<Vec<u8>> {
        // ---- 4 recv() ----------------------------------------------------
        // As often as it takes until a whole line is there, and no longer
        // than --wait without a byte.
        // A dot and FIN are no last line: more may have been meant.
        let line = self.line_or_end()?;
        let line = line.filter(|_| self.reader.ended_with_line_end());
        line.ok_or_else(|| self.broken("the server closed"))
    }

    /// The same where the end of the stream is an answer, too.
    pub fn line_or_end(&mut self) -> Result<Option<Vec<u8>>> {
        match self.reader.read()? {
            Received::Line(line) => Ok(Some(line)),
            Received::End => Ok(None),
            _ => Err(self.broken("a line of over 256 KiB, or without an end")),
        }
    }

    /// Exactly so many bytes, in pieces.
    pub fn exactly(
        &mut self,
        size: u64,
        mut each: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            let piece = self.reader.read_bytes(most)?;
            if piece.is_empty() {
                let came = size - left;
                let what = format!("{came} of {size} bytes, then the end");
                return Err(self.broken(&what));
            }
            left -= piece.len() as u64;
            each(&piece)?;
        }
        Ok(())
    }

    /// Bytes, whatever they are; none at the end.
    pub fn bytes(&mut self, most: usize) -> Result<Vec<u8>> {
        self.reader.read_bytes(most)
    }

    /// The lines of a list or message, until the line with a single dot.
    /// A line that begins with a dot has been given one more ("stuffed"),
    /// which is taken away.                               (viva 5) (try 2)
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
        self.job.show("S: ", end.as_bytes());
        Ok(())
    }

    /// TLS, at once or after the server has agreed to begin it. What had been
    /// received and not read by then came in the clear, from anybody. (viva 7)
    pub fn start_tls(self) -> Result<Dialogue<'a>> {
        let (job, last, only_crlf) = (self.job, self.last, self.only_crlf);
        let (channel, unread) = self.reader.into_parts();
        if !unread.is_empty() {
            return Err(Error::other(format!(
                "after {last}: {} more bytes came in the clear, before TLS: \
                 somebody on the way may have put them there. Nothing of it \
                 is believed",
                unread.len()
            )));
        }
        let Channel::Clear(socket) = channel else {
            return Err(Error::other("TLS has begun already"));
        };
        let host = &job.url.host;
        let (config, wait) = (tls::client_config()?, job.wait);
        let ours = config.clone();
        let channel = Channel::connect_tls(socket, ours, host, wait)?;
        job.show("-- ", channel.description().as_bytes());
        let mut dialogue = Dialogue::over(channel, job, last);
        dialogue.tls = Some(config);
        if only_crlf {
            dialogue.only_crlf();
        }
        Ok(dialogue)
    }

    /// Can nobody on the way read this?
    pub fn is_secure(&mut self) -> bool {
        self.reader.stream().is_secure()
    }

    /// Both for a second connection: where the server is, and the TLS to use.
    pub fn peer(&mut self) -> Result<(SocketAddr, Option<Arc<ClientConfig>>)> {
        Ok((self.reader.stream().peer_addr()?, self.tls.clone()))
    }

    /// A reply that ends the dialogue, with the command that it answers.
    pub fn refused(&self, reply: &str) -> Error {
        let reply = console::escape_short(reply.as_bytes(), SHOWN);
        Error::other(format!("after {}: {reply}", self.last))
    }

    fn broken(&self, what: &str) -> Error {
        let last = &self.last;
        Error::other(format!("after {last}: {what}. It is not complete"))
    }

    /// Gives the connection away, for a protocol with a reader of its own.
    pub fn into_channel(self) -> Channel {
        self.reader.into_parts().0
    }

    /// Ends the connection.
    pub fn close(self) {
        // ---- 5 close() ---------------------------------------------------
        // With TLS, close_notify first; then FIN.
        self.reader.into_parts().0.finish();
    }
}

impl Job {
    /// The numbered line above what one step says and hears: the number and
    /// name of the banner in the protocol's file.
    pub fn step(&self, step: &str) {
        if !self.quiet {
            warn!("-- {step}");
        }
    }

    /// A line of the dialogue, on stderr, unless `--quiet`.
    pub fn show(&self, mark: &str, line: &[u8]) {
        if !self.quiet {
            let line = format!("{mark}{}", console::escape_short(line, SHOWN));
            warn!("{}", line.trim_end());
        }
    }
}

/// How many lines a reply may have. A list has no such limit: it is printed
/// as it comes, and never gathered.
pub const MOST_LINES: usize = 1000;
