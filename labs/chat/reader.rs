//! The reader of one client, in a thread of its own: the login, then every
//! line of the member. hub.rs owns the room, outbox.rs sends to the client.
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
use socketlab::{Error, Result};

use crate::hub::{ChatLine, Event};
use crate::names;
use crate::outbox::Outbox;
use crate::text;

/// Longest line, in bytes.
const LONGEST: usize = 4096;

/// Names that a client may try.
const ATTEMPTS: usize = 10;

/// Lines that the hub gets in one event, at most.
const AT_ONCE: usize = 64;

/// A reader's pause after each batch while a third of the members are slow.
const BREATHER: Duration = Duration::from_millis(50);

/// Silence that ends a name without a newline, and then that member's lines.
const NAME_PAUSE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(200);

/// What every reader needs from the room.
#[derive(Clone)]
pub struct Room {
    /// The channel to the hub.
    pub events: Sender<Event>,
    /// Set by the hub while a third of the members are slow.
    pub crowded: Arc<AtomicBool>,
    /// Lines a second that a member may send; 0: no limit.
    pub max_rate: usize,
    /// Time for a client to send a name that is accepted.
    pub login: Duration,
    /// Silence after which a machine counts as gone; a person may be silent.
    pub silence: Duration,
}

/// Serves one client from the login to the end.
pub fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    room: &Room,
) -> Result<()> {
    client.set_no_delay()?;
    let mut lines = LineReader::new(client.clone(), LONGEST, room.login);
    // One deadline for all attempts together.
    lines.finish_within(Some(room.login));
    lines.accept_pause(NAME_PAUSE);
    let Some((id, writer)) = log_in(&client, &mut lines, room, peer)? else {
        client.finish();
        return Ok(());
    };
    // A person may be silent for hours. Keepalive probes find a machine that is
    // gone, because its kernel does not reply, and end the wait. [G-8d] (viva
    // 9) (try 10)
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
    // The hub drops the outbox, then the writer ends. After that no other
    // thread sends to this socket.
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
        // The handouts' Python clients send no newline, so a pause ends their
        // messages. This is a guess. If a client's name has a newline, half a
        // line never counts as complete from then on.
        let unterminated = matches!(received, Ok(Received::Unterminated(_)));
        if !unterminated {
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
                    if unterminated {
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

/// Sends the hub a new member. The writer runs before the hub can need it.
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

/// Reads lines and passes them to the hub until the member leaves. Returns why.
fn listen(
    client: &TcpSocket,
    lines: &mut LineReader,
    id: u64,
    room: &Room,
) -> Result<&'static str> {
    let mut rate = Rate::new(room.max_rate);
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // Blocks until bytes of the member arrive, or it is gone: 0 bytes, or
        // an error. Several lines may arrive at once, or half of one.
        let first = lines.read()?;
        if let Some(pause) = rate.pause() {
            send(
                room,
                id,
                vec![ChatLine::Refused("slow down, your lines wait")],
            )?;
            // While the reader does not read, TCP's flow control stops the
            // client.
            if client.hangs_up_within(pause)? {
                return Ok("hung up while its lines waited");
            }
            rate = Rate::new(room.max_rate);
        }
        let (batch, left) = gather(first, lines, rate.left().min(AT_ONCE));
        rate.count(batch.len());
        if !batch.is_empty() {
            send(room, id, batch)?;
        }
        if let Some(why) = left {
            return Ok(why);
        }
        if room.crowded.load(Ordering::Relaxed) {
            thread::sleep(BREATHER);
        }
    }
}

/// The lines that one recv() returned, at most `most`, for one event; and the
/// reason if the member leaves.
fn gather(
    first: Received,
    lines: &mut LineReader,
    most: usize,
) -> (Vec<ChatLine>, Option<&'static str>) {
    let mut batch = Vec::new();
    let mut next = Some(first);
    while let Some(received) = next {
        match received {
            Received::End => return (batch, Some("closed by the client")),
            Received::TooLong => batch.push(ChatLine::Refused(
                "that line has more than 4096 bytes and was not sent",
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

/// Sends lines to the hub; blocks while the channel is full.
fn send(room: &Room, id: u64, lines: Vec<ChatLine>) -> Result<()> {
    let sent = room.events.send(Event::Lines { id, lines });
    sent.map_err(|_| Error::other("the room is closed"))
}

/// What a line asks for. Control characters are escaped here, once, so
/// that no member can drive another's terminal.           [G-8d] (try 7)
fn understand(line: &[u8]) -> Option<ChatLine> {
    let text = text::readable(String::from_utf8_lossy(line).as_bytes());
    let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
    // Upper and lower case count, but not in a command.
    Some(match word.to_ascii_lowercase().as_str() {
        "" if rest.trim().is_empty() => return None, // Enter, and nothing else
        "/who" => ChatLine::Who,
        "/help" => ChatLine::Help,
        "/me" if rest.trim().is_empty() => {
            ChatLine::Refused("/me TEXT: say what you do, as in /me waves")
        }
        "/me" => ChatLine::Act(rest.to_string()),
        "/msg" => ChatLine::Whisper(rest.to_string()),
        word if word.starts_with("//") => {
            ChatLine::Say(text.get(1..).unwrap_or_default().to_string())
        }
        word if word.starts_with('/') => ChatLine::Refused(
            "no such command; /help lists them, // sends a slash",
        ),
        _ => ChatLine::Say(text),
    })
}

const SECOND: Duration = Duration::from_secs(1);

/// Counts the lines of the current second.
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

    /// How long to wait if this second's lines are used up.
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
