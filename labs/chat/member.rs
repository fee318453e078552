//! One member's reader, which is the client's thread: the login, then line by
//! line what the member says. hub.rs has the room, outbox.rs the other way.
//! [G-8b]
//!
//! ```text
//! client                        server
//!   |<- "Enter login name:\n" ----|
//!   |-- "Batman\n" -------------->|  reader -> hub: is it free?
//!   |<- "Server: … has joined" ---|  hub
//!   |-- "Anyone here?\n" -------->|  reader -> hub -> all others
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use socketlab::line::{LineReader, Received};
use socketlab::net::TcpSocket;
use socketlab::{Error, Result, console};

use crate::hub::{Event, Line};
use crate::names;
use crate::outbox::Outbox;

/// Longest line, in bytes.
const LONGEST: usize = 4096;

/// Names that a client may try.
const ATTEMPTS: usize = 10;

/// Lines that the hub is told at once: what one recv() brought, but no crowd.
const AT_ONCE: usize = 64;

/// What a reader waits after a batch while a third of those who listen cannot
/// follow.
const BREATHER: Duration = Duration::from_millis(50);

/// Silence that ends a name without a line end, and then that member's lines.
const NAME_PAUSE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(200);

/// What a member's reader needs.
#[derive(Clone)]
pub struct Room {
    pub events: Sender<Event>,
    pub crowded: Arc<AtomicBool>, // many are slow
    pub max_rate: usize,          // lines a second; 0: as many as you like
    pub login: Duration,          // to say a name that is accepted
    pub silence: Duration,        // of a machine, not of a person
}

/// Serves one client from the login to the end.
pub fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    room: &Room,
) -> Result<()> {
    client.set_no_delay()?;
    let mut lines = LineReader::new(client.clone(), LONGEST, room.login);
    // One deadline for all attempts: nobody gets a minute for each.
    lines.finish_within(Some(room.login));
    lines.accept_pause(NAME_PAUSE);
    let Some((id, writer)) = log_in(&client, &mut lines, room, peer)? else {
        client.finish();
        return Ok(());
    };
    // A person may be silent for hours. A machine that is gone says nothing
    // either: keepalive asks it, and ends the wait if it does not answer.
    // [G-8d] (viva 9) (try 10)
    lines.finish_within(None);
    lines.wait_for_ever();
    let why = match client
        .set_keepalive(room.silence)
        .and_then(|()| listen(&client, &mut lines, id, room))
    {
        Ok(why) => why.to_string(),
        Err(error) => error.to_string(),
    };
    let _ = room.events.send(Event::Left { id, why });
    // The hub drops the outbox, and then the writer ends: nothing is said to
    // this socket any more.
    let _ = writer.join();

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
) -> Result<Option<(u64, JoinHandle<()>)>> {
    for _ in 0..ATTEMPTS {
        client.send_all(b"Enter login name:\n")?;
        let received = lines.read();
        // The handouts' Python clients send no line end, and a pause stands
        // for it: a guess. Who sends one here sends lines, and half of a
        // line is then never taken for a whole one.
        let unended = matches!(received, Ok(Received::Unterminated(_)));
        if !unended {
            lines.expect_line_ends();
        }
        let name = match received {
            Ok(Received::Line(line) | Received::Unterminated(line)) => {
                if line == b"quit" {
                    return Ok(None);
                }
                names::check(&line)
            }
            Ok(Received::TooLong) => Err(names::TOO_LONG),
            Ok(Received::End) => return Ok(None),
            Err(error) if error.is_timeout() => {
                client.send_all(b"Server: no name came in time\n")?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let refused = match name {
            Err(why) => why.to_string(),
            Ok(name) => match ask_hub(client, name, room, peer)? {
                Ok(member) => {
                    if unended {
                        lines.accept_pause(PAUSE);
                    }
                    return Ok(Some(member));
                }
                Err(why) => why,
            },
        };
        client.send_all(format!("Server: {refused}\n").as_bytes())?;
    }
    client.send_all(b"Server: too many names were refused\n")?;
    Ok(None)
}

/// Offers the hub a member; the writer runs before the hub can need it.
fn ask_hub(
    client: &TcpSocket,
    name: String,
    room: &Room,
    peer: SocketAddr,
) -> Result<std::result::Result<(u64, JoinHandle<()>), String>> {
    let (outbox, writer) = Outbox::open(client, peer)?;
    let (answer, answered) = bounded(1);
    let join = Event::Join { name, outbox, answer };
    let closed = || Error::other("the room is closed");
    room.events.send(join).map_err(|_| closed())?;
    let answer = answered.recv().map_err(|_| closed())?;
    Ok(answer.map(|id| (id, writer)))
}

/// Reads lines and hands them to the hub until the member leaves; why it did.
fn listen(
    client: &TcpSocket,
    lines: &mut LineReader,
    id: u64,
    room: &Room,
) -> Result<&'static str> {
    let mut rate = Rate::new(room.max_rate);
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // Waits until the member says something, or is gone: 0 bytes, an
        // error. Several lines may come at once, or half of one.
        let first = lines.read()?;
        if let Some(pause) = rate.pause() {
            say(room, id, vec![Line::Refused("slow down, your lines wait")])?;
            // Not reading is enough: TCP's flow control stops the client.
            if client.hangs_up_within(pause)? {
                return Ok("hung up while its lines waited");
            }
            rate = Rate::new(room.max_rate);
        }
        let (batch, left) = gather(first, lines, rate.left().min(AT_ONCE));
        rate.count(batch.len());
        if !batch.is_empty() {
            say(room, id, batch)?;
        }
        if let Some(why) = left {
            return Ok(why);
        }
        if room.crowded.load(Ordering::Relaxed) {
            thread::sleep(BREATHER);
        }
    }
}

/// What one recv() brought, up to so many lines, is one event. And why the
/// member leaves, if it does.
fn gather(
    first: Received,
    lines: &mut LineReader,
    most: usize,
) -> (Vec<Line>, Option<&'static str>) {
    let mut batch = Vec::new();
    let mut next = Some(first);
    while let Some(received) = next {
        match received {
            Received::End => return (batch, Some("closed by the client")),
            Received::TooLong => batch.push(Line::Refused(
                "that line is longer than 4096 bytes, nobody saw it",
            )),
            Received::Line(line) | Received::Unterminated(line) => {
                if line == b"quit" {
                    return (batch, Some("quit"));
                }
                batch.extend(understand(&line));
            }
        }
        if batch.len() >= most {
            break;
        }
        next = lines.read_ready();
    }
    (batch, None)
}

/// Tells the hub; waits while its queue is full.
fn say(room: &Room, id: u64, lines: Vec<Line>) -> Result<()> {
    let said = room.events.send(Event::Said { id, lines });
    said.map_err(|_| Error::other("the room is closed"))
}

/// A line as the room sees it. Control characters are escaped here, once, so
/// that no member can drive another's terminal.           [G-8d] (try 7)
fn understand(line: &[u8]) -> Option<Line> {
    let text = console::escape(String::from_utf8_lossy(line).as_bytes());
    let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
    // The case of a command does not count; of all else it is kept.
    Some(match word.to_ascii_lowercase().as_str() {
        "" if rest.trim().is_empty() => return None, // Enter, and nothing else
        "/who" => Line::Who,
        "/help" => Line::Help,
        "/me" if rest.trim().is_empty() => {
            Line::Refused("/me TEXT: say what you do, as in /me waves")
        }
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

const SECOND: Duration = Duration::from_secs(1);

/// At most so many lines a second.
struct Rate {
    most: usize, // 0: no limit
    since: Instant,
    count: usize,
}

impl Rate {
    fn new(most: usize) -> Rate {
        Rate { most, since: Instant::now(), count: 0 }
    }

    /// Lines that this second has left.
    fn left(&self) -> usize {
        match self.most {
            0 => usize::MAX,
            most => most.saturating_sub(self.count),
        }
    }

    /// How long to wait, if this second has had its share.
    fn pause(&mut self) -> Option<Duration> {
        let rest = SECOND.saturating_sub(self.since.elapsed());
        if rest.is_zero() {
            *self = Rate::new(self.most);
        }
        (self.left() == 0).then_some(rest)
    }

    fn count(&mut self, lines: usize) {
        self.count = self.count.saturating_add(lines);
    }
}
