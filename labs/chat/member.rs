//! One member's two threads: the reader, which is the client's thread, and
//! the writer, which only runs when the socket is full. hub.rs has the rest.
//!
//!     client                        server
//!       |<- "Enter login name:\n" ----|
//!       |-- "Batman\n" -------------->|  reader -> hub: is it free?
//!       |<- "Server: … has joined" ---|  hub
//!       |-- "Anyone here?\n" -------->|  reader -> hub -> all others

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use socketlab::line::{LineReader, Received};
use socketlab::net::TcpSocket;
use socketlab::{Error, Result, console};

use crate::hub::{Event, Line, Outbox};
use crate::names;

/// Longest line, in bytes.
const LONGEST: usize = 4096;

/// A connection that has not said its name by then is closed.
const LOGIN: Duration = Duration::from_secs(60);

/// Names that a client may try.
const ATTEMPTS: usize = 10;

/// What a member's reader needs.
#[derive(Clone)]
pub struct Room {
    pub events: Sender<Event>,
    pub max_rate: u32, // lines a second; 0: as many as you like
    pub silence: Duration, // of a machine, not of a person
}

/// Serves one client from the login to the end.
pub fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    room: &Room,
) -> Result<()> {
    client.set_no_delay()?;
    let mut lines = LineReader::new(client.clone(), LONGEST, LOGIN);
    let Some(id) = log_in(&client, &mut lines, room, peer)? else {
        client.finish();
        return Ok(());
    };
    // A person may be silent for hours. A machine that is gone says nothing
    // either: keepalive asks it, and ends the wait if it does not answer.
    client.set_keepalive(room.silence)?;
    lines.wait_for_ever();
    let why = match listen(&mut lines, id, room) {
        Ok(why) => why.to_string(),
        Err(error) => error.to_string(),
    };
    let _ = room.events.send(Event::Left { id, why });

    // ---- 7 close() -------------------------------------------------------
    client.finish();
    Ok(())
}

/// Asks for a name until the hub accepts one; `None` if the client leaves.
fn log_in(
    client: &TcpSocket,
    lines: &mut LineReader,
    room: &Room,
    peer: SocketAddr,
) -> Result<Option<u64>> {
    for _ in 0..ATTEMPTS {
        client.send_all(b"Enter login name:\n")?;
        let line = match lines.read()? {
            Received::Line(line) | Received::Unterminated(line) => line,
            Received::TooLong => Vec::new(),
            Received::End => return Ok(None),
        };
        if line == b"quit" {
            return Ok(None);
        }
        let refused = match names::check(&line) {
            Err(why) => why.to_string(),
            Ok(name) => match ask_hub(client, name, room, peer)? {
                Ok(id) => return Ok(Some(id)),
                Err(why) => why,
            },
        };
        client.send_all(format!("Server: {refused}\n").as_bytes())?;
    }
    client.send_all(b"Server: too many names were refused\n")?;
    Ok(None)
}

/// Offers the hub a member; starts the writer before the hub can use it.
fn ask_hub(
    client: &TcpSocket,
    name: String,
    room: &Room,
    peer: SocketAddr,
) -> Result<std::result::Result<u64, String>> {
    // Bounded in bytes, by the hub: see QUEUE there.
    let (queue, queued) = unbounded();
    let waiting = Arc::new(AtomicUsize::new(0));
    let (socket, sent) = (client.clone(), waiting.clone());
    thread::Builder::new()
        .name(format!("to {peer}"))
        .stack_size(64 * 1024)
        .spawn(move || write(&socket, &queued, &sent))
        .map_err(|error| Error::new("spawn", peer, error))?;
    let outbox = Outbox { socket: client.clone(), queue, waiting };
    let (answer, answered) = bounded(1);
    let hub_is_gone = || Error::other("the room is closed");
    let join = Event::Join { name, outbox, answer };
    room.events.send(join).map_err(|_| hub_is_gone())?;
    answered.recv().map_err(|_| hub_is_gone())
}

/// Sends what the socket did not take at once: all that waits, in one go.
/// Ends when the hub drops the queue, or the client is gone.
fn write(client: &TcpSocket, queue: &Receiver<Vec<u8>>, waiting: &AtomicUsize) {
    let _ = client.set_send_timeout(None); // the hub decides when to give up
    for mut bytes in queue {
        for more in queue.try_iter() {
            bytes.extend(more);
        }
        if client.send_all(&bytes).is_err() {
            // Wakes the reader, which tells the hub.
            let _ = client.shutdown(std::net::Shutdown::Both);
            return;
        }
        waiting.fetch_sub(bytes.len(), Ordering::AcqRel);
    }
}

/// Reads lines and hands them to the hub until the member leaves; why it did.
fn listen(
    lines: &mut LineReader,
    id: u64,
    room: &Room,
) -> Result<&'static str> {
    let mut rate = Rate::new(room.max_rate);
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // All whole lines of one recv() are one event.
        let mut batch = Vec::new();
        let mut next = Some(lines.read()?);
        let mut left = None;
        while let Some(received) = next {
            match received {
                Received::End => left = Some("closed by the client"),
                Received::Line(line) if line == b"quit" => left = Some("quit"),
                Received::TooLong => batch.push(Line::Refused(
                    "that line is longer than 4096 bytes, nobody saw it",
                )),
                Received::Line(line) | Received::Unterminated(line) => {
                    batch.extend(understand(&line));
                }
            }
            if left.is_some() || batch.len() >= rate.most_at_once() {
                break;
            }
            next = lines.read_ready();
        }
        let too_fast = rate.count(batch.len());
        if too_fast.is_some() {
            batch.push(Line::Refused("slow down: your lines are delayed"));
        }
        if !batch.is_empty() {
            let said = Event::Said { id, lines: batch };
            let sent = room.events.send(said);
            sent.map_err(|_| Error::other("the room is closed"))?;
        }
        if let Some(why) = left {
            return Ok(why);
        }
        // Not reading is enough: TCP's flow control stops the client.
        if let Some(pause) = too_fast {
            thread::sleep(pause);
        }
    }
}

/// A line as the room sees it. Control characters are escaped here, once, so
/// that no member can drive another's terminal.                [G-8d]
fn understand(line: &[u8]) -> Option<Line> {
    let text = console::escape(String::from_utf8_lossy(line).as_bytes());
    let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
    Some(match word {
        "" if rest.trim().is_empty() => return None, // Enter, and nothing else
        "/who" => Line::Who,
        "/help" => Line::Help,
        "/me" => Line::Act(rest.to_string()),
        "/msg" => Line::Whisper(rest.to_string()),
        word if word.starts_with("//") => {
            Line::Say(text.get(1..).unwrap_or_default().to_string())
        }
        word if word.starts_with('/') => {
            Line::Refused("no such command; /help lists them, // says a slash")
        }
        _ => Line::Say(text),
    })
}

/// Counts lines a second.
struct Rate {
    most: u32, // lines a second, 0: no limit
    since: Instant,
    count: usize,
}

impl Rate {
    fn new(most: u32) -> Rate {
        Rate { most, since: Instant::now(), count: 0 }
    }

    /// Lines that may be taken in one go.
    fn most_at_once(&self) -> usize {
        if self.most == 0 { usize::MAX } else { self.most as usize }
    }

    /// Adds lines; how long to wait if this second has had its share.
    fn count(&mut self, lines: usize) -> Option<Duration> {
        let elapsed = self.since.elapsed();
        if elapsed >= Duration::from_secs(1) {
            *self = Rate::new(self.most);
        }
        self.count = self.count.saturating_add(lines);
        let pause = Duration::from_secs(1).saturating_sub(elapsed);
        (self.count > self.most_at_once()).then_some(pause)
    }
}
