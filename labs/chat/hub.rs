//! The room. One thread owns it: who is in, and in which order things are
//! said. No lock, and nothing here ever waits for a member.   [G-8b] (viva 3)
//!
//! ```text
//! reader of Batman ----\                        /---> socket of Batman
//! reader of Voldemort --> events (bounded) --> HUB --> socket of Voldemort
//! main (closing) ------/                        \---> console (bounded)
//!                                                |
//!              what a socket does not take now:  +--> queue --> its writer
//! ```
//!
//! Interface: send an [`Event`]. `Join` is answered over its own channel;
//! a name is looked up and taken in one go, here, so that two clients who ask
//! for it at once cannot both have it. The order of the queue is the order
//! of the room: every member sees the same sequence.
//!
//! Who ends what: a member's queue ends when the hub drops its sender, and
//! then the writer; the hub ends when the last reader and main have dropped
//! theirs. Never done: blocking send, waiting for a console.

use std::collections::HashMap;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender};
use jiff::Zoned;
use socketlab::net::TcpSocket;

use crate::names;

/// Bytes that may wait for a member beyond what its socket takes.
const QUEUE: usize = 1024 * 1024;

/// Events that are said in one go, if so many wait.
const BATCH: usize = 64;

const HELP: &str = "Server: quit leaves; /who lists the members; /me waves \
                    says that you wave; /msg NAME text is for one member; a \
                    line that begins with // is said with one slash\n";

/// What a reader tells the hub.
pub enum Event {
    /// Somebody asks for a name; the answer is the member's id, or why not.
    Join { name: String, outbox: Outbox, answer: Sender<Result<u64, String>> },
    /// Lines of a member, as one recv() brought them.
    Said { id: u64, lines: Vec<Line> },
    /// A member is gone.
    Left { id: u64, why: String },
    /// The server stops: say so, and do not announce who leaves.
    Closing,
}

/// A line of a member, understood. The text is safe to print.
pub enum Line {
    Say(String),
    Act(String),           // /me
    Whisper(String),       // /msg, what follows it
    Who,                   // /who
    Help,                  // /help
    Refused(&'static str), // told to the author alone
}

/// The hub's way to a member.
pub struct Outbox {
    /// The member's socket, for what it takes at once.
    pub socket: TcpSocket,
    /// For what it does not take: the writer sends it.
    pub queue: Sender<Vec<u8>>,
    /// Bytes in `queue` and in the writer's hands. While there are any, all
    /// goes through the queue, or lines would overtake each other.
    pub waiting: Arc<AtomicUsize>,
}

struct Member {
    name: String,
    key: String,
    outbox: Outbox,
}

/// The room and its members.
pub struct Hub {
    members: HashMap<u64, Member>,
    next: u64,
    batch: Vec<u8>,            // formatted, not yet sent
    pieces: Vec<(u64, usize)>, // whose lines end where in `batch`
    gone: Vec<(u64, String)>,  // found unreachable while sending
    echo: bool,                // authors get their own lines, too
    closing: bool,
    console: Option<Sender<String>>,
}

impl Hub {
    /// An empty room. `console` gets what the server's operator sees, if
    /// she wants to.
    pub fn new(echo: bool, console: Option<Sender<String>>) -> Hub {
        let (members, next, batch) = (HashMap::new(), 0, Vec::new());
        let (pieces, gone, closing) = (Vec::new(), Vec::new(), false);
        Hub { members, next, batch, pieces, gone, echo, closing, console }
    }

    /// Runs until every sender of events is gone.
    pub fn run(mut self, events: &Receiver<Event>) {
        for event in events {
            self.handle(event);
            // What came meanwhile is said in the same go: with a hundred
            // members, a hundred sends for many lines instead of for one.
            for event in events.try_iter().take(BATCH) {
                self.handle(event);
            }
            self.flush();
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Said { id, lines } => {
                for line in lines {
                    self.say(id, line);
                }
            }
            Event::Join { name, outbox, answer } => {
                self.flush(); // a newcomer does not hear earlier lines
                let _ = answer.send(self.join(name, outbox));
            }
            Event::Left { id, why } => {
                self.flush();
                self.leave(id, &why);
            }
            Event::Closing => {
                self.announce("the room is closed");
                self.flush();
                self.closing = true;
            }
        }
    }

    /// Looks the name up and takes it: nothing can come between.   (viva 6)
    fn join(&mut self, name: String, outbox: Outbox) -> Result<u64, String> {
        let key = names::key(&name);
        if self.members.values().any(|member| member.key == key) {
            return Err(format!("the name {name} is taken"));
        }
        let id = self.next;
        self.next += 1;
        self.members.insert(id, Member { name: name.clone(), key, outbox });
        self.announce_count(&format!("{name} has joined."));
        Ok(id)
    }

    fn leave(&mut self, id: u64, why: &str) {
        // Whoever was dropped for not reading has left already.
        let Some(member) = self.members.remove(&id) else { return };
        let _ = member.outbox.socket.shutdown(Shutdown::Both);
        self.log(&format!("({} left: {why})", member.name));
        if !self.closing {
            self.announce_count(&format!("{} has left.", member.name));
        }
    }

    fn say(&mut self, id: u64, line: Line) {
        let Some(member) = self.members.get(&id) else { return };
        let name = &member.name;
        match line {
            Line::Say(text) => self.publish(id, &format!("{name}: {text}")),
            Line::Act(text) => self.publish(id, &format!("* {name} {text}")),
            Line::Whisper(text) => self.whisper(id, &text),
            Line::Refused(why) => self.tell(id, &format!("Server: {why}\n")),
            Line::Help => self.tell(id, HELP),
            Line::Who => {
                let mut names: Vec<&str> =
                    self.members.values().map(|m| m.name.as_str()).collect();
                names.sort_unstable();
                let names = names.join(", ");
                let count = self.members.len();
                let text = format!("Server: {count} here: {names}\n");
                self.tell(id, &text);
            }
        }
    }

    /// `/msg NAME text`: the name may have spaces, so the members decide
    /// where it ends.
    fn whisper(&mut self, id: u64, rest: &str) {
        let addressee = self.members.iter().find_map(|(to, member)| {
            let text = rest.get(member.name.len()..)?.strip_prefix(' ')?;
            let name = rest.get(..member.name.len())?;
            (names::key(name) == member.key).then_some((*to, text))
        });
        let Some((to, text)) = addressee else {
            return self.tell(id, "Server: /msg NAME text: no such member\n");
        };
        let from = self.members.get(&id).map(|member| member.name.as_str());
        let text = format!("{} (to you): {text}\n", from.unwrap_or("?"));
        self.tell(to, &text);
    }

    fn announce_count(&mut self, what: &str) {
        let count = self.members.len();
        let time = Zoned::now().strftime("%H.%M").to_string();
        self.announce(&format!("time={time} {what} Member count={count}"));
    }

    fn announce(&mut self, text: &str) {
        self.publish(u64::MAX, &format!("Server: {text}"));
    }

    /// Adds a line to what is about to be said to all but its author.
    fn publish(&mut self, author: u64, line: &str) {
        self.batch.extend_from_slice(line.as_bytes());
        self.batch.push(b'\n');
        let end = self.batch.len();
        match self.pieces.last_mut() {
            Some((last, until)) if *last == author => *until = end,
            _ => self.pieces.push((author, end)),
        }
        self.log(line);
    }

    /// A line for one member, after all that was said before.
    fn tell(&mut self, id: u64, line: &str) {
        self.flush();
        if let Some(member) = self.members.get(&id)
            && let Err(why) = deliver(&member.outbox, line.as_bytes())
        {
            self.gone.push((id, why));
            self.flush();
        }
    }

    /// Says the batch: formatted once, one send a member. Whoever cannot be
    /// reached leaves, which is said in turn.
    fn flush(&mut self) {
        while !self.batch.is_empty() || !self.gone.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            let pieces = std::mem::take(&mut self.pieces);
            for (id, member) in &self.members {
                let own = pieces.iter().any(|(author, _)| author == id);
                let sent = if own && !self.echo {
                    let others = without(&batch, &pieces, *id);
                    deliver(&member.outbox, &others)
                } else {
                    deliver(&member.outbox, &batch)
                };
                if let Err(why) = sent {
                    self.gone.push((*id, why));
                }
            }
            for (id, why) in std::mem::take(&mut self.gone) {
                self.leave(id, &why);
            }
        }
    }

    fn log(&self, line: &str) {
        // A console that nobody reads must not hold up the room.
        if let Some(console) = &self.console {
            let _ = console.try_send(line.to_string());
        }
    }
}

/// The batch less the lines of one author.
fn without(batch: &[u8], pieces: &[(u64, usize)], author: u64) -> Vec<u8> {
    let mut others = Vec::with_capacity(batch.len());
    let mut start = 0;
    for (who, end) in pieces {
        if *who != author {
            others.extend(batch.get(start..*end).unwrap_or_default());
        }
        start = *end;
    }
    others
}

/// Gives bytes to a member without ever waiting: what the socket does not
/// take is queued, and a queue that is full is the end. [G-8d] (viva 5)
fn deliver(outbox: &Outbox, bytes: &[u8]) -> Result<(), String> {
    let waiting = outbox.waiting.load(Ordering::Acquire);
    let mut rest = bytes;
    if waiting == 0 && !bytes.is_empty() {
        // ---- 6 send() ----------------------------------------------------
        let taken = outbox.socket.send_now(bytes);
        let taken = taken.map_err(|error| error.to_string())?;
        rest = bytes.get(taken..).unwrap_or_default();
    }
    if rest.is_empty() {
        return Ok(());
    }
    if waiting + rest.len() > QUEUE {
        return Err(format!("did not read: {waiting} bytes are waiting"));
    }
    outbox.waiting.fetch_add(rest.len(), Ordering::AcqRel);
    let queued = outbox.queue.send(rest.to_vec());
    queued.map_err(|_| "its writer has ended".to_string())
}
