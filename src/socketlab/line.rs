//! Bytes to lines. TCP carries a stream of bytes: two lines may arrive in one
//! segment, one line in a hundred. [`LineReader`] splits the stream at
//! newlines. It limits how many bytes a peer can make it store, and for how
//! long.
//!
//! ```
//! use std::io::Write;
//! use std::net::TcpListener;
//! use std::time::Duration;
//!
//! use socketlab::line::{LineReader, Received};
//! use socketlab::net::TcpSocket;
//!
//! fn main() -> socketlab::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let address = listener.local_addr()?;
//!     let socket = TcpSocket::new(address)?;
//!     socket.connect(address)?;
//!
//!     // The server sends two lines in one segment, and a third without end.
//!     for server in listener.incoming().take(1) {
//!         server?.write_all(b"one\r\ntwo\nthr")?;
//!     }
//!
//!     let longest = 1000; // bytes of a line
//!     let silence = Duration::from_secs(10);
//!     let mut lines = LineReader::new(socket, longest, silence);
//!     assert_eq!(lines.read()?, Received::Line(b"one".to_vec()));
//!     assert_eq!(lines.read()?, Received::Line(b"two".to_vec()));
//!     assert_eq!(lines.read()?, Received::Line(b"thr".to_vec()));
//!     assert!(!lines.ended_with_line_end());
//!     assert_eq!(lines.read()?, Received::End);
//!
//!     let (socket, unread) = lines.into_parts(); // the socket comes back
//!     assert!(unread.is_empty());
//!     socket.close();
//!     Ok(())
//! }
//! ```

use std::time::{Duration, Instant};

use memchr::memchr;

use crate::net::TcpSocket;
use crate::stream::Stream;
use crate::{Error, Result};

/// A line must be complete within this time after its first byte. A time limit
/// for each `recv` is not enough, because a peer that sends a byte every few
/// seconds would never exceed it.
const LINE_DEADLINE: Duration = Duration::from_secs(30);

/// Bytes that one recv() may return.
const CHUNK: usize = 4096;

/// What [`LineReader::read`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A line, without its `\n` or `\r\n`. At end of stream also a last line
    /// without a newline.
    Line(Vec<u8>),
    /// Bytes without a newline, after which the peer paused. Whether they are a
    /// complete message is a guess: see [`LineReader::accept_pause`].
    Unterminated(Vec<u8>),
    /// A line longer than the cap. The reader has discarded it up to its end.
    TooLong,
    /// The peer has closed its direction.
    End,
}

/// Reads lines from a stream: a TCP socket, or TLS over one.
pub struct LineReader<S = TcpSocket> {
    stream: S,
    cap: usize, // longest line in bytes, line end not counted
    idle: Option<Duration>, // longest wait for a line's first byte
    pause: Option<Duration>, // silence that ends an unterminated message
    buffer: Vec<u8>,
    taken: usize,   // bytes of `buffer` that were given out as lines
    skipping: bool, // inside a line that was too long
    strict: bool,   // only \r\n ends a line
    whole: bool,    // \r\n ended the last line
    ended: bool,    // so did that, or a lone \n
    limit: Option<Duration>, // SO_RCVTIMEO as it is now
    last: Option<Last>, // see finish_by
}

/// A limit on several lines together.
struct Last {
    at: Instant,
    given: Duration, // for the error's text
}

impl<S: Stream> LineReader<S> {
    /// A reader that fails after `idle` without a byte, and refuses lines of
    /// more than `cap` bytes, without the newline.
    pub fn new(stream: S, cap: usize, idle: Duration) -> LineReader<S> {
        let (buffer, taken) = (Vec::new(), 0);
        let (idle, pause, skipping) = (Some(idle), None, false);
        let limit = Some(Duration::ZERO); // none that could be set
        let last = None;
        LineReader {
            stream,
            cap,
            idle,
            pause,
            buffer,
            taken,
            skipping,
            strict: false,
            whole: false,
            ended: false,
            limit,
            last,
        }
    }

    /// The stream itself, to send on, or to close.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Gives the stream back, with the bytes that were received and not yet
    /// read. Before TLS begins on the stream, the caller must discard these
    /// bytes, because an attacker on the path may have inserted them.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        let unread = self.unread().to_vec();
        (self.stream, unread)
    }

    /// From now on only `\r\n` ends a line, and a lone `\n` is an ordinary
    /// byte. If two mail servers disagree about newlines, one of them may read
    /// two messages where the other sent one.
    pub fn only_crlf(&mut self) {
        self.strict = true;
    }

    /// From now on a lone `\n` ends a line, too. A new reader begins so.
    pub fn any_line_end(&mut self) {
        self.strict = false;
    }

    /// Was it `\r\n` that ended the last line? Not so if it was a lone `\n`,
    /// or the end of the stream.
    pub fn ended_with_crlf(&self) -> bool {
        self.whole
    }

    /// Did the last line have a newline of either kind? If not, the stream
    /// ended, and the line may be incomplete.
    pub fn ended_with_line_end(&self) -> bool {
        self.ended
    }

    /// Does the buffer hold bytes that were not read yet?
    pub fn has_unread(&self) -> bool {
        !self.unread().is_empty()
    }

    /// From now on all reads together may take `limit`: a dialogue of several
    /// lines, such as a login, has one deadline. `None` removes it.
    pub fn finish_within(&mut self, limit: Option<Duration>) {
        self.last =
            limit.map(|given| Last { at: Instant::now() + given, given });
    }

    /// Counts bytes without a newline as a message when the peer has been
    /// silent for `pause`. The handouts' Python clients need this, because they
    /// send no newline and then wait. It is a guess: if a message comes in two
    /// segments with a longer pause between them, it becomes two messages.
    pub fn accept_pause(&mut self, pause: Duration) {
        self.pause = Some(pause);
    }

    /// From now on only newlines end a message, for a peer that has sent one.
    pub fn expect_line_ends(&mut self) {
        self.pause = None;
    }

    /// Removes the deadlines, for a person who may be silent for hours.
    /// Keepalive must then find a machine that is gone. The longest line stays
    /// limited.
    pub fn wait_for_ever(&mut self) {
        self.idle = None;
    }

    /// A line that has already arrived with the last `recv`, so that lines
    /// that came together can be handled together. Never blocks.
    pub fn read_ready(&mut self) -> Option<Received> {
        self.line_end(0).map(|end| self.take_line(end))
    }

    /// The bytes that have arrived, at least one and at most `most`; none at
    /// end of stream. Waits as for a line.
    pub fn read_bytes(&mut self, most: usize) -> Result<Vec<u8>> {
        if self.unread().is_empty() {
            self.fill(false, None)?;
        }
        let bytes = self.unread();
        let bytes = bytes.get(..most).unwrap_or(bytes).to_vec();
        self.taken += bytes.len();
        Ok(bytes)
    }

    /// The next line. Waits `idle` for each `recv`, and 30 s at most from its
    /// first byte to its end. Fails like `recv`; `is_timeout()` tells a
    /// deadline.
    pub fn read(&mut self) -> Result<Received> {
        let mut searched = 0; // bytes known to hold no line end
        let mut deadline = None; // from the line's first byte on
        loop {
            if let Some(end) = self.line_end(searched) {
                return Ok(self.take_line(end));
            }
            searched = self.unread().len();
            if searched > self.cap + 1 {
                // Discard it, because its end may be gigabytes away. But a part
                // of its `\r\n` may be here.
                let half = self.unread().last() == Some(&b'\r');
                self.clear();
                self.buffer.extend(half.then_some(b'\r'));
                self.skipping = true;
                searched = 0;
            }
            let begun = self.skipping || searched > 0;
            if begun && deadline.is_none() {
                deadline = self.idle.map(|_| Instant::now() + LINE_DEADLINE);
            }
            match self.fill(begun, deadline) {
                Ok(0) if self.skipping => return Ok(self.skipped()),
                Ok(0) if searched > 0 => {
                    return Ok(self.take_rest(Received::Line));
                }
                Ok(0) => return Ok(Received::End),
                Ok(_) => {}
                Err(error) => {
                    let last = self.last.as_ref().map(|last| last.at);
                    let now = Instant::now();
                    let mut limits = deadline.into_iter().chain(last);
                    let expired = !begun || limits.any(|at| at <= now);
                    if !error.is_timeout() || self.pause.is_none() || expired {
                        return Err(error);
                    }
                    return Ok(match self.skipping {
                        true => self.skipped(),
                        false => self.take_rest(Received::Unterminated),
                    });
                }
            }
        }
    }

    /// One `recv` into the buffer, with the current time limit.
    fn fill(
        &mut self,
        begun: bool,
        deadline: Option<Instant>,
    ) -> Result<usize> {
        let mut limit = match deadline {
            None if begun => self.pause, // wait_for_ever()
            None => self.idle,
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(self.too_slow(LINE_DEADLINE));
                }
                let longest = self.pause.or(self.idle);
                Some(longest.map_or(left, |longest| longest.min(left)))
            }
        };
        if let Some(last) = &self.last {
            let left = last.at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.too_slow(last.given));
            }
            limit = Some(limit.map_or(left, |limit| limit.min(left)));
        }
        if self.limit != limit {
            self.stream.set_recv_timeout(limit)?;
            self.limit = limit;
        }
        // The lines that were taken go here, once for all of them.
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let mut chunk = [0; CHUNK];
        match self.stream.recv(&mut chunk) {
            Ok(count) => {
                let data = chunk.get(..count).unwrap_or_default();
                self.buffer.extend_from_slice(data);
                Ok(count)
            }
            // Without a limit here, keepalive ends the wait.
            Err(error) if error.is_timeout() && limit.is_some() => {
                let last = self.last.as_ref();
                let over = last.filter(|last| last.at <= Instant::now());
                let given = over.map(|last| last.given).or(limit);
                Err(self.too_slow(given.unwrap_or_default()))
            }
            Err(error) => Err(error),
        }
    }

    fn too_slow(&self, limit: Duration) -> Error {
        let peer = self.stream.peer_addr();
        let peer = peer.map_or("?".into(), |peer| peer.to_string());
        let seconds = limit.as_secs_f64();
        let what = format!("timed out: no whole line within {seconds} s");
        Error::timed_out("recv", peer, what)
    }

    /// Where the first unread line ends, looking from byte `from` on.
    fn line_end(&self, mut from: usize) -> Option<usize> {
        let unread = self.unread();
        loop {
            let end = from + memchr(b'\n', unread.get(from..)?)?;
            let before = end.checked_sub(1).and_then(|at| unread.get(at));
            if !self.strict || before == Some(&b'\r') {
                return Some(end);
            }
            from = end + 1;
        }
    }

    /// The bytes that have arrived and were not read: after a deadline, the
    /// beginning of the line that is still to come.
    pub fn unread(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    fn clear(&mut self) {
        self.buffer.clear();
        self.taken = 0;
    }

    /// Takes the unread line that ends at `end`.
    fn take_line(&mut self, end: usize) -> Received {
        let line = self.unread().get(..end).unwrap_or_default();
        let crlf = line.strip_suffix(b"\r");
        let whole = crlf.is_some();
        let line = crlf.unwrap_or(line);
        let too_long = self.skipping || line.len() > self.cap;
        let line = if too_long { Vec::new() } else { line.to_vec() };
        self.taken += end + 1; // the \n, too
        (self.skipping, self.whole, self.ended) = (false, whole, true);
        match too_long {
            true => Received::TooLong,
            false => Received::Line(line),
        }
    }

    /// The end of a line that was too long.
    fn skipped(&mut self) -> Received {
        (self.skipping, self.whole, self.ended) = (false, false, false);
        self.clear();
        Received::TooLong
    }

    /// Everything in the buffer, as a message.
    fn take_rest(&mut self, kind: fn(Vec<u8>) -> Received) -> Received {
        let rest = self.unread().to_vec();
        self.clear();
        (self.whole, self.ended) = (false, false);
        if rest.len() > self.cap {
            return Received::TooLong;
        }
        kind(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{Shutdown, TcpStream};

    const SOON: Duration = Duration::from_millis(50);
    const LATE: Duration = Duration::from_secs(20);

    /// A reader and the peer that writes to it.
    fn pair(cap: usize) -> Result<(LineReader, TcpStream)> {
        let any = crate::net::resolve_one("127.0.0.1", 0)?;
        let listener = TcpSocket::new(any)?;
        listener.bind(any)?;
        listener.listen(1)?;
        let peer = TcpStream::connect(listener.local_addr()?)?;
        let (client, _) = listener.accept()?;
        Ok((LineReader::new(client, cap, LATE), peer))
    }

    fn line(text: &str) -> Received {
        Received::Line(text.into())
    }

    #[test]
    fn two_lines_in_one_segment_are_two() -> Result<()> {
        let (mut reader, mut peer) = pair(100)?;
        peer.write_all(b"one\r\n\ntwo\nrest")?;
        peer.shutdown(Shutdown::Write)?;
        assert_eq!(reader.read()?, line("one"));
        assert_eq!(reader.read()?, line(""));
        assert_eq!(reader.read()?, line("two"));
        assert_eq!(reader.read()?, line("rest"));
        assert_eq!(reader.read()?, Received::End);
        Ok(())
    }

    #[test]
    fn a_line_over_the_cap_is_refused_and_the_next_is_read() -> Result<()> {
        let (mut reader, mut peer) = pair(4)?;
        let long = vec![b'x'; 3 * CHUNK];
        let writer = std::thread::spawn(move || {
            peer.write_all(b"four\n")
                .and_then(|()| peer.write_all(b"fives\n"))?;
            peer.write_all(b"four\r\n").and_then(|()| peer.write_all(&long))?;
            peer.write_all(b"\nok\n")
        });
        assert_eq!(reader.read()?, line("four"));
        assert_eq!(reader.read()?, Received::TooLong);
        assert_eq!(reader.read()?, line("four"));
        assert_eq!(reader.read()?, Received::TooLong);
        assert_eq!(reader.read()?, line("ok"));
        writer.join().expect("the writer")?;
        Ok(())
    }

    #[test]
    fn a_lone_line_feed_may_count_as_a_byte() -> Result<()> {
        let (mut reader, mut peer) = pair(100)?;
        reader.only_crlf();
        peer.write_all(b"a\nb\r\n\r\nfour bytes")?;
        assert_eq!(reader.read()?, line("a\nb"));
        assert_eq!(reader.read()?, line(""));
        assert_eq!(reader.read_bytes(4)?, b"four");
        assert_eq!(reader.read_bytes(99)?, b" bytes");
        drop(peer);
        assert_eq!(reader.read_bytes(1)?, b"");
        Ok(())
    }

    #[test]
    fn how_a_line_ended_can_be_asked() -> Result<()> {
        let (mut reader, mut peer) = pair(100)?;
        reader.only_crlf();
        peer.write_all(b"a\nb\r\nc\n.")?;
        drop(peer);
        assert_eq!(reader.read()?, line("a\nb"));
        assert!(reader.ended_with_crlf());
        reader.any_line_end();
        assert_eq!(reader.read()?, line("c"));
        assert!(!reader.ended_with_crlf());
        assert!(reader.ended_with_line_end());
        assert_eq!(reader.read()?, line("."));
        assert!(!reader.ended_with_crlf());
        assert!(!reader.ended_with_line_end());
        Ok(())
    }

    #[test]
    fn a_line_that_is_thrown_away_ends_at_its_crlf_all_the_same() -> Result<()>
    {
        // Whatever recv() takes at once, one of these is cut inside \r\n.
        for length in [CHUNK - 1, CHUNK, CHUNK + 1] {
            let (mut reader, mut peer) = pair(4)?;
            reader.only_crlf();
            let mut text = vec![b'x'; length];
            text.extend(b"\r\nnext\r\n");
            peer.write_all(&text)?;
            assert_eq!(reader.read()?, Received::TooLong);
            assert!(reader.ended_with_crlf());
            assert_eq!(reader.read()?, line("next"), "after {length}");
        }
        Ok(())
    }

    #[test]
    fn a_pause_ends_an_unterminated_message() -> Result<()> {
        let (mut reader, mut peer) = pair(100)?;
        reader.accept_pause(SOON);
        peer.write_all(b"no line end")?;
        let guessed = Received::Unterminated(b"no line end".to_vec());
        assert_eq!(reader.read()?, guessed);
        peer.write_all(b"with one\n")?;
        assert_eq!(reader.read()?, line("with one"));
        reader.wait_for_ever();
        peer.write_all(b"no deadline")?;
        let guessed = Received::Unterminated(b"no deadline".to_vec());
        assert_eq!(reader.read()?, guessed);
        reader.expect_line_ends();
        peer.write_all(b"in ")?;
        let rest = std::thread::spawn(move || {
            std::thread::sleep(4 * SOON);
            peer.write_all(b"two\n")
        });
        assert_eq!(reader.read()?, line("in two"));
        rest.join().expect("the writer")?;
        Ok(())
    }

    #[test]
    fn a_limit_on_several_lines_is_not_a_limit_on_each() -> Result<()> {
        let (mut reader, mut peer) = pair(100)?;
        reader.accept_pause(LATE);
        reader.finish_within(Some(SOON));
        peer.write_all(b"one\ntw")?;
        assert_eq!(reader.read()?, line("one"));
        let error = reader.read().expect_err("the deadline of both");
        assert!(error.is_timeout(), "{error}");
        reader.finish_within(None);
        peer.write_all(b"o\n")?;
        assert_eq!(reader.read()?, line("two"));
        Ok(())
    }

    #[test]
    fn silence_ends_the_wait() -> Result<()> {
        let (mut reader, mut peer) = pair(100)?;
        reader.idle = Some(SOON);
        let error = reader.read().expect_err("a timeout");
        assert!(error.is_timeout(), "{error}");
        peer.write_all(b"late\nhalf a")?;
        assert_eq!(reader.read()?, line("late"));
        let error = reader.read().expect_err("a timeout");
        assert!(error.is_timeout(), "{error}");
        peer.write_all(b" line\n")?;
        assert_eq!(reader.read()?, line("half a line"));
        Ok(())
    }
}
