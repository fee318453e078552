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

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender};
use jiff::Zoned;

use crate::batch::Batch;
use crate::log::Log;
use crate::names;
use crate::outbox::Outbox;

/// Events that are said in one go, if so many wait, and bytes of them.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 64 * 1024;

const HELP: &str = "\
Server: quit leaves the room
Server: /who lists the members
Server: /me waves says that you wave
Server: /msg NAME text is for one member alone
Server: //text says text with one slash in front
";

/// The author of what the room itself says.
const ROOM: u64 = u64::MAX;

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
    name: Arc<str>,
    key: String,
    outbox: Outbox,
    since: usize, // bytes of the batch that were said before it came
}

/// The room and its members.
pub struct Hub {
    members: HashMap<u64, Member>,
    next: u64,
    batch: Batch,             // said, not yet sent
    gone: Vec<(u64, String)>, // found unreachable while sending
    echo: bool,               // authors get their own lines, too
    closing: bool,
    crowded: Arc<AtomicBool>, // see flush()
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
                let _ = answer.send(self.join(&name, outbox));
            }
            Event::Left { id, why } => {
                // It may still read what was said before.
                let without = (!self.echo).then_some(id);
                if let Some(member) = self.members.get_mut(&id) {
                    let text = member.part(&self.batch, without);
                    let _ = member.outbox.deliver(&text);
                }
                self.leave(id, &why);
            }
            Event::Closing => {
                self.announce("the room is closed");
                self.flush();
                self.closing = true;
                self.log.close();
            }
        }
        if self.batch.len() > BATCH_BYTES {
            self.flush();
        }
    }

    /// Looks the name up and takes it: nothing can come between.
    /// [G-8d] (viva 3) (try 3)
    fn join(&mut self, name: &str, outbox: Outbox) -> Result<u64, String> {
        let key = names::key(name);
        if self.members.values().any(|member| member.key == key) {
            return Err(format!("the name {name} is taken"));
        }
        let id = self.next;
        self.next += 1;
        self.log.event(&format!("({name} comes from {})", outbox.peer()));
        let since = self.batch.len();
        self.members
            .insert(id, Member { name: name.into(), key, outbox, since });
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
        self.log.event(&format!("({} left: {why})", member.name));
        self.announce_count(&format!("{} has left.", member.name));
    }

    fn say(&mut self, id: u64, line: Line) {
        let Some(member) = self.members.get(&id) else { return };
        let name = member.name.clone();
        match line {
            Line::Say(text) => self.publish(id, &[&name, ": ", &text]),
            Line::Act(text) => self.publish(id, &["* ", &name, " ", &text]),
            Line::Whisper(text) => self.whisper(id, &text),
            Line::Refused(why) => self.tell(id, &format!("Server: {why}\n")),
            Line::Help => self.tell(id, HELP),
            Line::Who => {
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

    /// `/msg NAME text`: the name may have spaces, so the members decide
    /// where it ends; the longest name that fits is meant.  [G-8e] (try 6)
    fn whisper(&mut self, id: u64, rest: &str) {
        let spaces = rest.match_indices(' ').take(names::LONGEST);
        let fits = spaces.filter_map(|(end, _)| {
            let (name, text) = rest.split_at_checked(end)?;
            let text = text.strip_prefix(' ').unwrap_or(text);
            let key = names::key(name);
            let found = self.members.iter().find(|(_, m)| m.key == key);
            found.map(|(to, _)| (*to, text))
        });
        let said = |(_, text): &(_, &str)| !text.trim().is_empty();
        let Some((to, text)) = fits.last().filter(said) else {
            return self.tell(
                id,
                "Server: /msg NAME text: no such member, or no text\n",
            );
        };
        // No name has a parenthesis, and whatever is said in public follows
        // a name and a colon: nobody can say what looks like this.
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
        self.publish(ROOM, &["Server: ", text]);
    }

    /// Adds a line to what is about to be said to all but its author.
    /// [G-8c] (viva 7) (try 9)
    fn publish(&mut self, author: u64, line: &[&str]) {
        self.batch.add(author, line);
        match author {
            ROOM => self.log.event(&line.concat()),
            _ => self.log.talk(line),
        }
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
    /// reached leaves, which is said in turn. If a third of those who listen
    /// are slow, it is not their fault but that of somebody who floods the
    /// room: the readers then pause after each batch.    (viva 4) (try 8)
    fn flush(&mut self) {
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
    /// Its part of the batch: what was said since it came, and not by itself.
    fn part<'a>(
        &mut self,
        batch: &'a Batch,
        without: Option<u64>,
    ) -> Cow<'a, [u8]> {
        batch.after(mem::take(&mut self.since), without)
    }
}
