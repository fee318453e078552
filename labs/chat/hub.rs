//! The room. One thread owns it: who is in, and in which order things are
//! said. No lock, and nothing here ever waits for a member.
//! [G-8b] (viva 1) (viva 2)
//!
//! ```text
//! reader of Batman ----\                        /---> outbox of Batman
//! reader of Voldemort --> events (bounded) --> HUB --> outbox of Voldemort
//! main (closing) ------/                        \---> console (bounded)
//! ```
//!
//! Interface: send an [`Event`]. `Join` is answered over its own channel;
//! a name is looked up and taken in one go, here, so that two clients who ask
//! for it at once cannot both have it. The order of the queue is the order
//! of the room: every member sees the same sequence.           (viva 6)
//!
//! Who ends what, by dropping which sender:                    (viva 8)
//! - the hub drops a member's outbox: its writer ends, then its reader
//! - the hub drops the console at `Closing`: the console's thread ends
//! - main and the last reader drop theirs of events: the hub ends
//!
//! Never done: a blocking send, waiting for the console.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender};
use jiff::Zoned;

use crate::names;
use crate::outbox::Outbox;

/// Events that are said in one go, if so many wait, and bytes of them.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 64 * 1024;

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
    crowded: Arc<AtomicBool>, // see flush()
    console: Option<Sender<String>>,
}

impl Hub {
    /// An empty room. `console` gets what the server's operator sees, if
    /// she wants to; `crowded` is for the readers.
    pub fn new(
        echo: bool,
        crowded: Arc<AtomicBool>,
        console: Option<Sender<String>>,
    ) -> Hub {
        Hub {
            members: HashMap::new(),
            next: 0,
            batch: Vec::new(),
            pieces: Vec::new(),
            gone: Vec::new(),
            echo,
            closing: false,
            crowded,
            console,
        }
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
                self.console = None;
            }
        }
        if self.batch.len() > BATCH_BYTES {
            self.flush();
        }
    }

    /// Looks the name up and takes it: nothing can come between.
    /// [G-8d] (viva 3) (try 3)
    fn join(&mut self, name: String, outbox: Outbox) -> Result<u64, String> {
        let key = names::key(&name);
        if self.members.values().any(|member| member.key == key) {
            return Err(format!("the name {name} is taken"));
        }
        let id = self.next;
        self.next += 1;
        self.log(&format!("({name} comes from {})", outbox.peer()));
        self.members.insert(id, Member { name: name.clone(), key, outbox });
        self.announce_count(&format!("{name} has joined."));
        Ok(id)
    }

    fn leave(&mut self, id: u64, why: &str) {
        // Whoever was dropped for not reading has left already.
        let Some(member) = self.members.remove(&id) else { return };
        if self.closing {
            return; // the writer may still send what waits
        }
        member.outbox.cut();
        self.log(&format!("({} left: {why})", member.name));
        self.announce_count(&format!("{} has left.", member.name));
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
    /// where it ends; the longest name that fits is meant.  [G-8e] (try 6)
    fn whisper(&mut self, id: u64, rest: &str) {
        let fits = self.members.iter().filter_map(|(to, member)| {
            let (name, text) = rest.split_at_checked(member.name.len())?;
            let text = text.strip_prefix(' ')?;
            (names::key(name) == member.key).then_some((name.len(), *to, text))
        });
        let Some((_, to, text)) = fits.max() else {
            return self.tell(id, "Server: /msg NAME text: no such member\n");
        };
        // Nobody's name has a colon, so nobody can write another's name here.
        let from = self.members.get(&id).map(|member| member.name.as_str());
        let text = format!("{}: (to you) {text}\n", from.unwrap_or("?"));
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
    /// [G-8c] (viva 7) (try 9)
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
            && let Err(why) = member.outbox.deliver(line.as_bytes())
        {
            self.gone.push((id, why.to_string()));
            self.flush();
        }
    }

    /// Says the batch: formatted once, one send a member. Whoever cannot be
    /// reached leaves, which is said in turn. If a third of all lag, it is not
    /// they who are slow but somebody who floods the room: the readers then
    /// pause for a moment after each batch.              (viva 4) (try 8)
    fn flush(&mut self) {
        while !self.batch.is_empty() || !self.gone.is_empty() {
            let batch = mem::take(&mut self.batch);
            let pieces = mem::take(&mut self.pieces);
            let mut lagging = 0;
            for (id, Member { outbox, .. }) in &self.members {
                let own = pieces.iter().any(|(author, _)| author == id);
                let sent = match own && !self.echo {
                    true => outbox.deliver(&without(&batch, &pieces, *id)),
                    false => outbox.deliver(&batch),
                };
                lagging += usize::from(outbox.lags());
                if let Err(why) = sent {
                    self.gone.push((*id, why.to_string()));
                }
            }
            let crowded = 3 * lagging > self.members.len();
            self.crowded.store(crowded, Ordering::Relaxed);
            for (id, why) in mem::take(&mut self.gone) {
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
