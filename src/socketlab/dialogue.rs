//! A dialogue of lines with a server, printed as it happens. This is what SMTP,
//! POP3, FTP and similar protocols share. The order of commands and the end of
//! a reply are in the labs.
//!
//! ```text
//! send("STAT")          C: STAT          ->   one line, CR LF
//! begin_reply(30 s)                           one deadline for all of it
//! reply_line()          S: +OK 2 320     <-   the protocol says whether
//!                                             another line follows
//! ```
//!
//! A server cannot make the client wait or store without a bound: each reply
//! has a deadline, a longest line, and a largest number of lines.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::line::{LineReader, Received};
use crate::stream::Stream;
use crate::{Error, Result, console};

/// Bytes of unexpected data that an error shows.
const SHOWN_IN_ERROR: usize = 100;

/// Prints the lines of both sides, without secrets and escape codes.
///
/// ```
/// use socketlab::dialogue::Printer;
///
/// let mut printer = Printer::new(None, 80);
/// printer.hide(["sesame".to_string()]);
/// let shown = printer.shown(b"-ERR sesame is wrong\x1b[2J", 80);
/// assert_eq!(shown, r"-ERR ******** is wrong\x1b[2J");
/// ```
#[derive(Clone)]
pub struct Printer {
    print: Option<fn(&str)>,
    longest: usize, // bytes of a line that are printed
    secrets: Arc<Mutex<Vec<String>>>, // never printed, by no copy of it
}

impl Printer {
    /// `print` gets each line; with `None` the dialogue is not printed. Of a
    /// line, at most `longest` bytes are.
    pub fn new(print: Option<fn(&str)>, longest: usize) -> Printer {
        Printer { print, longest, secrets: Arc::default() }
    }

    /// Masks these texts from now on, also if the server repeats them, and also
    /// in copies of this printer. Texts of up to three letters are not masked,
    /// because they would be found inside other words.
    pub fn hide(&mut self, secrets: impl IntoIterator<Item = String>) {
        let secrets = secrets.into_iter().filter(|text| text.len() > 3);
        self.secrets.lock().extend(secrets);
    }

    /// Prints a line of either side after its mark, `C: ` or `S: `.
    pub fn show(&self, mark: &str, line: &[u8]) {
        if self.print.is_some() {
            let line = format!("{mark}{}", self.shown(line, self.longest));
            self.note(line.trim_end());
        }
    }

    /// Prints a line that neither side has sent.
    pub fn note(&self, text: &str) {
        if let Some(print) = self.print {
            print(&self.masked(text));
        }
    }

    /// The text with stars instead of secrets.
    pub fn masked(&self, text: &str) -> String {
        let mut text = text.to_string();
        for secret in self.secrets.lock().iter() {
            text = text.replace(secret.as_str(), "********");
        }
        text
    }

    /// A deadline passed inside a line. The received part explains more than
    /// the deadline: for example, a line that ends with a lone LF where CR LF
    /// is needed.
    fn with_half_a_line(&self, error: Error, came: &[u8]) -> Error {
        let shown = self.shown(came, SHOWN_IN_ERROR);
        let why = match came.ends_with(b"\n") {
            true => " It ends with LF alone, and a line ends with CR LF here",
            false => "",
        };
        let what = format!("{error}. This had come: {shown}{why}");
        io::Error::new(io::ErrorKind::TimedOut, what).into()
    }

    /// At most `most` bytes of a line, safe to print. It is masked before it is
    /// cut, because otherwise half of a secret could be printed.
    pub fn shown(&self, line: &[u8], most: usize) -> String {
        if self.secrets.lock().is_empty() {
            return console::escape_short(line, most);
        }
        let text = self.masked(&String::from_utf8_lossy(line));
        console::escape_short(text.as_bytes(), most)
    }
}

/// Limits for what a server may send.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Longest line, in bytes without its newline.
    pub line: usize,
    /// Most lines of one reply.
    pub lines: usize,
    /// Longest silence outside of a reply, in a list for example. `None`: the
    /// client reads nothing but replies, and these have their own deadline.
    pub silence: Option<Duration>,
}

/// The next line, or why it is not complete.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A complete line, without its newline.
    Line(Vec<u8>),
    /// The server closed inside this line: `250` may be half of `2500`.
    Partial(Vec<u8>),
    /// The line is longer than the limit, and was discarded.
    TooLong,
    /// The reply has more lines than the limit.
    TooMany,
    /// The server closed before the line began.
    End,
}

/// The client's end of a dialogue, over TCP or TLS.
pub struct Dialogue<S> {
    /// Prints the dialogue.
    pub printer: Printer,
    reader: Option<LineReader<S>>, // None: the connection is over
    limits: Limits,
    lines: usize,    // of the reply that is being read
    only_crlf: bool, // ends a line
    sent: String,    // our last command, as it was printed
}

impl<S: Stream> Dialogue<S> {
    /// A dialogue over a connected stream.
    pub fn new(stream: S, limits: Limits, printer: Printer) -> Dialogue<S> {
        Dialogue {
            printer,
            reader: Some(new_reader(stream, limits)),
            limits,
            lines: 0,
            only_crlf: false,
            sent: "the connect".to_string(),
        }
    }

    /// From now on only CR LF ends a line; a lone LF is a byte like others.
    pub fn only_crlf(&mut self) {
        self.only_crlf = true;
        if let Some(reader) = &mut self.reader {
            reader.only_crlf();
        }
    }

    /// Sends one command, and prints it.
    pub fn send(&mut self, command: &str) -> Result<()> {
        self.send_masked(command, command)
    }

    /// Sends a command, and prints `shown`, which contains no secret.
    pub fn send_masked(&mut self, command: &str, shown: &str) -> Result<()> {
        self.printer.show("C: ", shown.as_bytes());
        self.sent = shown.to_string();
        self.send_bytes(format!("{command}\r\n").as_bytes())
    }

    /// Sends unchanged bytes, and prints nothing.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream()?.send_all(bytes)
    }

    /// The last command as it was printed, for an error.
    pub fn sent(&self) -> &str {
        &self.sent
    }

    /// A reply begins. All its lines together may take `limit`.
    pub fn begin_reply(&mut self, limit: Duration) {
        self.lines = 0;
        if let Some(reader) = &mut self.reader {
            reader.finish_within(Some(limit));
        }
    }

    /// The next line of the reply, and prints it. An error is a deadline that
    /// passed, or a connection that broke.
    pub fn reply_line(&mut self) -> Result<Incoming> {
        if self.lines >= self.limits.lines {
            return Ok(Incoming::TooMany);
        }
        self.lines += 1;
        let line = self.next_line()?;
        if let Incoming::Line(line) = &line {
            self.printer.show("S: ", line);
        }
        Ok(line)
    }

    /// The next line of a list or message, which is not printed. The server
    /// may be silent as long as the limits say.
    pub fn data_line(&mut self) -> Result<Incoming> {
        self.reader()?.finish_within(None);
        self.next_line()
    }

    /// Bytes without lines: those that have arrived, at most `most`; none if
    /// the server has closed.
    pub fn data_bytes(&mut self, most: usize) -> Result<Vec<u8>> {
        let reader = self.reader()?;
        reader.finish_within(None);
        reader.read_bytes(most)
    }

    fn next_line(&mut self) -> Result<Incoming> {
        let reader = self.reader.as_mut().ok_or_else(is_over)?;
        let received = reader.read().map_err(|error| {
            let came = reader.unread();
            match error.is_timeout() && !came.is_empty() {
                true => self.printer.with_half_a_line(error, came),
                false => error,
            }
        })?;
        let complete = reader.ended_with_line_end();
        Ok(match received {
            Received::Line(line) if complete => Incoming::Line(line),
            Received::Line(line) | Received::Unterminated(line) => {
                Incoming::Partial(line)
            }
            Received::TooLong => Incoming::TooLong,
            Received::End => Incoming::End,
        })
    }

    /// Unexpected bytes that the server sends within `limit`, at most 100.
    /// `None`: nothing came, or the server has closed.
    pub fn unasked(&mut self, limit: Duration) -> Option<Vec<u8>> {
        let reader = self.reader.as_mut()?;
        reader.finish_within(Some(limit));
        let bytes = reader.read_bytes(SHOWN_IN_ERROR).ok()?;
        (!bytes.is_empty()).then_some(bytes)
    }

    /// Has the server sent more than was read? Before the next command it
    /// should send nothing, because the bytes would look like the next reply.
    pub fn has_unread(&self) -> bool {
        self.reader.as_ref().is_some_and(LineReader::has_unread)
    }

    /// TLS begins, at once or after the server has agreed to it (STARTTLS);
    /// `handshake` turns the clear stream into the encrypted one.
    ///
    /// Bytes received before the handshake came in clear, perhaps from an
    /// attacker on the path. Read later, they would look like replies of the
    /// encrypted server. So they end the dialogue.
    pub fn start_tls(
        &mut self,
        handshake: impl FnOnce(S) -> Result<S>,
    ) -> Result<()> {
        let reader = self.reader.take().ok_or_else(is_over)?;
        let (stream, unread) = reader.into_parts();
        if !unread.is_empty() {
            stream.finish();
            return Err(Error::other(format!(
                "after {}: {} more bytes came in the clear, before TLS: {}. \
                 Somebody on the way may have put them there. Nothing of it \
                 is believed",
                self.sent,
                unread.len(),
                self.printer.shown(&unread, SHOWN_IN_ERROR)
            )));
        }
        let mut reader = new_reader(handshake(stream)?, self.limits);
        if self.only_crlf {
            reader.only_crlf();
        }
        self.reader = Some(reader);
        Ok(())
    }

    /// The stream itself. An error: the connection is over.
    pub fn stream(&mut self) -> Result<&mut S> {
        Ok(self.reader()?.stream())
    }

    /// Returns the stream, for a protocol with its own reader.
    pub fn into_stream(mut self) -> Result<S> {
        let reader = self.reader.take().ok_or_else(is_over)?;
        Ok(reader.into_parts().0)
    }

    /// Ends the connection, if it is not over yet.
    pub fn close(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.into_parts().0.finish();
        }
    }

    fn reader(&mut self) -> Result<&mut LineReader<S>> {
        self.reader.as_mut().ok_or_else(is_over)
    }
}

fn is_over() -> Error {
    Error::other("the connection is over")
}

fn new_reader<S: Stream>(stream: S, limits: Limits) -> LineReader<S> {
    let silence = limits.silence.unwrap_or_default();
    let mut reader = LineReader::new(stream, limits.line, silence);
    if limits.silence.is_none() {
        reader.wait_for_ever(); // but for the deadline of each reply
    }
    reader
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::TcpSocket;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    const SOON: Duration = Duration::from_millis(50);
    const LATE: Duration = Duration::from_secs(20);

    fn pair() -> Result<(Dialogue<TcpSocket>, TcpStream)> {
        let any = crate::net::resolve_one("127.0.0.1", 0)?;
        let listener = TcpSocket::new(any)?;
        listener.bind(any)?;
        listener.listen(1)?;
        let server = TcpStream::connect(listener.local_addr()?)?;
        let (client, _) = listener.accept()?;
        let limits = Limits { line: 10, lines: 2, silence: None };
        Ok((Dialogue::new(client, limits, Printer::new(None, 80)), server))
    }

    fn line(text: &str) -> Incoming {
        Incoming::Line(text.into())
    }

    #[test]
    fn a_reply_has_a_deadline_and_a_largest_size() -> Result<()> {
        let (mut dialogue, mut server) = pair()?;
        dialogue.send_masked("PASS secret", "PASS ****")?;
        let mut command = [0; 13];
        server.read_exact(&mut command)?;
        assert_eq!(&command, b"PASS secret\r\n");
        assert_eq!(dialogue.sent(), "PASS ****");

        server.write_all(b"one\r\ntwo\r\nthree\r\nfour\r\n")?;
        dialogue.begin_reply(LATE);
        assert_eq!(dialogue.reply_line()?, line("one"));
        assert!(dialogue.has_unread());
        assert_eq!(dialogue.reply_line()?, line("two"));
        assert_eq!(dialogue.reply_line()?, Incoming::TooMany);
        dialogue.begin_reply(LATE);
        assert_eq!(dialogue.reply_line()?, line("three"));
        assert_eq!(dialogue.data_line()?, line("four"));

        dialogue.begin_reply(SOON);
        server.write_all(b"half")?;
        let error = dialogue.reply_line().expect_err("a deadline");
        assert!(error.is_timeout(), "{error}");
        assert!(error.to_string().contains("had come: half"), "{error}");
        server.write_all(b" and far too long\r\nlast")?;
        assert_eq!(dialogue.data_line()?, Incoming::TooLong);
        drop(server);
        assert_eq!(dialogue.data_line()?, Incoming::Partial("last".into()));
        assert_eq!(dialogue.data_line()?, Incoming::End);
        dialogue.close();
        assert!(dialogue.send("more").is_err());
        Ok(())
    }

    #[test]
    fn what_came_before_tls_ends_the_dialogue() -> Result<()> {
        let (mut dialogue, mut server) = pair()?;
        server.write_all(b"go on\r\n")?;
        dialogue.begin_reply(LATE);
        assert_eq!(dialogue.reply_line()?, line("go on"));
        dialogue.start_tls(Ok)?;
        server.write_all(b"250 go on\r\n250 injected\r\n")?;
        dialogue.begin_reply(LATE);
        assert_eq!(dialogue.reply_line()?, line("250 go on"));
        let error = dialogue.start_tls(Ok).expect_err("refused").to_string();
        assert!(error.contains("14 more bytes came in the clear"), "{error}");
        assert!(error.contains("250 injected"), "{error}");
        assert!(dialogue.stream().is_err());
        Ok(())
    }

    #[test]
    fn no_part_of_a_secret_is_printed() {
        let mut printer = Printer::new(None, 10);
        printer.hide(["c2VzYW1l".to_string(), "abc".to_string()]);
        assert_eq!(printer.shown(b"no c2VzYW1l", 80), "no ********");
        assert_eq!(printer.shown(b"no c2VzYW1l", 5), "no **… (11 bytes)");
        assert_eq!(printer.masked("abc"), "abc", "too short to be found");
        assert_eq!(printer.shown(b"\x1b[2J", 80), "\\x1b[2J");
    }
}
