//! The hub: one thread owns the room. It keeps the list of members and decides
//! the order of the lines. It needs no lock and never waits for a member.
//! [G-8b] (viva 1) (viva 2)
//!
//! Interface: send an [`Event`]. The hub replies to `Join` over the channel in
//! the event. It looks a name up and reserves it in one step, so that two
//! clients cannot both get it. The order of the channel is the order of the
//! room, so every member sees the same sequence. (viva 6)
//!
//! ```text
//! reader of Batman ----\                        /---> outbox of Batman
//! reader of Voldemort --> events (bounded) --> HUB --> outbox of Voldemort
//! main (Closing) ------/                        \---> log (bounded)
//! ```
//!
//! Dropping a sender ends the thread that receives:            (viva 8)
//! - the hub drops a member's outbox: its writer ends, then its reader
//! - main and the last reader drop theirs of events: the hub ends
//!
//! The hub never makes a blocking send, and never waits for the log.

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender};
use jiff::Zoned;
use socketlab::log::Log;

use crate::names::{self, Look};
use crate::outbox::Outbox;

/// A batch is sent after this many events, or this many bytes.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 64 * 1024;

/// Places in the log's queue that are reserved for joins and leaves, so that
/// the log shows them even while it drops lines of a flood.
const FOR_EVENTS: usize = 256;

const HELP: &str = "\
Server: quit leaves the room
Server: /who lists the members
Server: /me waves says that you wave
Server: /msg NAME text is for one member alone
Server: //text says text with one slash in front
";

/// The author of the room's own lines.
const ROOM: u64 = u64::MAX;

/// What a reader sends to the hub.
pub enum Event {
    /// A client asks for a name.
    Join {
        /// The name, checked, as it will be shown.
        name: String,
        /// The client's outbox.
        outbox: Outbox,
        /// Where the hub sends the member's id, or why it is refused.
        answer: Sender<Result<u64, String>>,
    },
    /// The lines of a member that one recv() returned.
    Lines {
        /// Whose lines they are.
        id: u64,
        /// The lines in their order.
        lines: Vec<ChatLine>,
    },
    /// A member is gone.
    Left {
        /// Who it was.
        id: u64,
        /// The reason, for the log.
        why: String,
    },
    /// The server stops: the hub announces it, and then no longer announces
    /// which members leave.
    Closing,
}

/// What a member's line asks for. The text is safe to print.
pub enum ChatLine {
    /// A line for all others.
    Say(String),
    /// `/me`, with the text that follows it.
    Act(String),
    /// `/msg`, with the name and the text that follow it.
    Whisper(String),
    /// `/who`
    Who,
    /// `/help`
    Help,
    /// A line that cannot be sent: its author alone gets the reason.
    Refused(&'static str),
}

struct Member {
    name: Arc<str>,
    look: Look, // of its name
    outbox: Outbox,
    since: usize, // bytes of the batch that were queued before it joined
}

/// The room and its members.
pub struct Hub {
    members: HashMap<u64, Member>,
    next: u64,
    batch: Batch,             // lines that are not yet sent
    gone: Vec<(u64, String)>, // found unreachable while sending
    echo: bool,               // authors get their own lines, too
    closing: bool,
    crowded: Arc<AtomicBool>, // see broadcast()
    log: Log,                 // what the server's operator sees
}

impl Hub {
    /// An empty room; `crowded` is for the readers.
    pub fn new(echo: bool, crowded: Arc<AtomicBool>, log: Log) -> Hub {
        Hub {
            members: HashMap::new(),
            next: 0,
            batch: Batch::default(),
            gone: Vec::new(),
            echo,
            closing: false,
            crowded,
            log,
        }
    }

    /// Runs until every sender of events is gone.
    pub fn run(mut self, events: &Receiver<Event>) {
        for event in events {
            self.handle(event);
            // Events that came meanwhile join the batch: with a hundred
            // members, a hundred sends are enough for many lines.
            for event in events.try_iter().take(BATCH) {
                self.handle(event);
            }
            self.broadcast();
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Lines { id, lines } => {
                for line in lines {
                    self.handle_line(id, line);
                }
            }
            Event::Join { name, outbox, answer } => {
                let _ = answer.send(self.join(&name, outbox));
            }
            Event::Left { id, why } => {
                // It may still read the lines that were sent before.
                let without = (!self.echo).then_some(id);
                if let Some(member) = self.members.get_mut(&id) {
                    let text = member.part(&self.batch, without);
                    let _ = member.outbox.deliver(&text);
                }
                self.leave(id, &why);
            }
            Event::Closing => {
                self.announce("the room is closed");
                self.broadcast();
                self.closing = true;
            }
        }
        if self.batch.len() > BATCH_BYTES {
            self.broadcast();
        }
    }

    /// Looks the name up and reserves it in one step. [G-8d] (viva 3) (try 3)
    fn join(&mut self, name: &str, outbox: Outbox) -> Result<u64, String> {
        let look = Look::of(name);
        let mut all = self.members.values();
        if let Some(other) = all.find(|other| other.look.is_like(&look)) {
            return Err(match other.look.is_same(&look) {
                true => format!("the name {name} is taken"),
                false => format!(
                    "the name {name} looks like {}, who is here",
                    other.name
                ),
            });
        }
        let id = self.next;
        self.next += 1;
        self.log.line(format!("({name} comes from {})", outbox.peer()));
        let since = self.batch.len();
        self.members
            .insert(id, Member { name: name.into(), look, outbox, since });
        self.announce_count(&format!("{name} has joined."));
        Ok(id)
    }

    fn leave(&mut self, id: u64, why: &str) {
        // The hub may have dropped this member already.
        let Some(member) = self.members.remove(&id) else { return };
        if self.closing {
            return; // the writer may still send what waits
        }
        member.outbox.cut();
        self.log.line(format!("({} left: {why})", member.name));
        self.announce_count(&format!("{} has left.", member.name));
    }

    fn handle_line(&mut self, id: u64, line: ChatLine) {
        let Some(member) = self.members.get(&id) else { return };
        let name = member.name.clone();
        match line {
            ChatLine::Say(text) => self.enqueue(id, &[&name, ": ", &text]),
            ChatLine::Act(text) => self.enqueue(id, &["* ", &name, " ", &text]),
            ChatLine::Whisper(text) => self.whisper(id, &text),
            ChatLine::Refused(why) => {
                self.tell(id, &format!("Server: {why}\n"))
            }
            ChatLine::Help => self.tell(id, HELP),
            ChatLine::Who => {
                let mut names: Vec<&str> =
                    self.members.values().map(|m| &*m.name).collect();
                names.sort_unstable();
                let names = names.join(", ");
                let count = self.members.len();
                let text = format!("Server: {count} here: {names}\n");
                self.tell(id, &text);
            }
        }
    }

    /// `/msg NAME text`: a name may have spaces, so the longest member's name
    /// that fits is used. [G-8e] (try 6)
    fn whisper(&mut self, id: u64, rest: &str) {
        let spaces = rest.match_indices(' ').take(names::LONGEST);
        let fits = spaces.filter_map(|(end, _)| {
            let (name, text) = rest.split_at_checked(end)?;
            let text = text.strip_prefix(' ').unwrap_or(text);
            let key = names::key(name);
            let same = |member: &Member| names::key(&member.name) == key;
            let found = self.members.iter().find(|(_, m)| same(m));
            found.map(|(to, _)| (*to, text))
        });
        let said = |(_, text): &(_, &str)| !text.trim().is_empty();
        let Some((to, text)) = fits.last().filter(said) else {
            return self.tell(
                id,
                "Server: /msg NAME text: no such member, or no text\n",
            );
        };
        // A public line begins with a name and a colon, and a name cannot
        // contain a parenthesis. So a public line cannot look like this one.
        let from = self.members.get(&id).map(|member| &*member.name);
        let text = format!("{} (to you): {text}\n", from.unwrap_or("?"));
        self.tell(to, &text);
    }

    fn announce_count(&mut self, what: &str) {
        let count = self.members.len();
        let time = Zoned::now().strftime("%H.%M").to_string();
        self.announce(&format!("time={time} {what} Member count={count}"));
    }

    fn announce(&mut self, text: &str) {
        self.enqueue(ROOM, &["Server: ", text]);
    }

    /// Adds a line to the batch, for all but its author.
    /// [G-8c] (viva 7) (try 9)
    fn enqueue(&mut self, author: u64, line: &[&str]) {
        self.batch.add(author, line);
        if !self.closing && !self.log.is_quiet() {
            let reserve = if author == ROOM { 0 } else { FOR_EVENTS };
            self.log.line_if_room(line.concat(), reserve);
        }
    }

    /// Sends a line to one member, after all earlier lines.
    fn tell(&mut self, id: u64, line: &str) {
        self.broadcast();
        if let Some(member) = self.members.get(&id)
            && let Err(why) = member.outbox.deliver(line.as_bytes())
        {
            self.gone.push((id, why.to_string()));
            self.broadcast();
        }
    }

    /// Sends the batch, one send() for each member. If that fails, the member
    /// leaves, which adds a line. If a third of the members are slow, the
    /// likely reason is one member that floods the room, so the readers pause
    /// after each batch. (viva 4) (try 8)
    fn broadcast(&mut self) {
        while !self.batch.is_empty() || !self.gone.is_empty() {
            let batch = mem::take(&mut self.batch);
            let (mut listening, mut slow) = (0, 0);
            for (id, member) in &mut self.members {
                let text = member.part(&batch, (!self.echo).then_some(*id));
                if text.is_empty() {
                    continue; // all of it is its own
                }
                listening += 1;
                if let Err(why) = member.outbox.deliver(&text) {
                    self.gone.push((*id, why.to_string()));
                }
                slow += usize::from(member.outbox.is_slow());
            }
            let crowded = slow > 0 && 3 * slow >= listening;
            self.crowded.store(crowded, Ordering::Relaxed);
            for (id, why) in mem::take(&mut self.gone) {
                self.leave(id, &why);
            }
        }
    }
}

impl Member {
    /// This member's part of the batch: the lines since it joined, without its
    /// own.
    fn part<'a>(
        &mut self,
        batch: &'a Batch,
        without: Option<u64>,
    ) -> Cow<'a, [u8]> {
        batch.after(mem::take(&mut self.since), without)
    }
}

/// Lines in the order of the room. Each is formatted once and sent to all
/// members. Only its author does not get it.
#[derive(Default)]
struct Batch {
    text: Vec<u8>,
    pieces: Vec<(u64, usize)>, // whose lines end where in `text`
}

impl Batch {
    /// Adds a line, given in parts.
    fn add(&mut self, author: u64, parts: &[&str]) {
        for part in parts {
            self.text.extend_from_slice(part.as_bytes());
        }
        self.text.push(b'\n');
        let end = self.text.len();
        match self.pieces.last_mut() {
            Some((last, until)) if *last == author => *until = end,
            _ => self.pieces.push((author, end)),
        }
    }

    fn len(&self) -> usize {
        self.text.len()
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The lines after the first `since` bytes; without the lines of one
    /// author, if given.
    fn after(&self, since: usize, without: Option<u64>) -> Cow<'_, [u8]> {
        let wrote = |id| self.pieces.iter().any(|(author, _)| *author == id);
        let Some(id) = without.filter(|id| wrote(*id)) else {
            return self.text.get(since..).unwrap_or_default().into();
        };
        let mut others = Vec::with_capacity(self.text.len());
        let mut start = since;
        for (author, end) in &self.pieces {
            if *author != id {
                let piece = self.text.get(start..*end);
                others.extend_from_slice(piece.unwrap_or_default());
            }
            start = start.max(*end);
        }
        others.into()
    }
}
