//! The hub: one thread that owns what all conversations share. It needs no
//! lock, and the order of the queue decides what happened first.
//!
//! ```text
//!  client threads                 hub                       owns
//!    look_up, tell       ==1024==> one message after the    the cache
//!                                  other, never waiting     idle connections
//!    the reply          <===1====  a channel for each       counters
//!                                   | try_send              the last requests
//!                                   ====1024====> log thread --> stdout
//! ```
//!
//! Interface: [`Hub::tell`] sends a [`Message`]; only [`Hub::look_up`],
//! [`Hub::report`] and [`Hub::finish`] wait for a reply, which comes at once.
//! The hub itself waits for no socket, no file and no reply. A log line that
//! finds no room is dropped and counted, so that a terminal that is stopped
//! (Ctrl-S) stops no transfer. (viva 9)
//!
//! Why not a lock? A look into the cache, the number of the fetch that begins
//! and the choice of a connection belong together. With locks that is two of
//! them, in an order that every thread must keep. message shows that way.

use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use socketlab::log::Log;
use socketlab::{Result, threads};

use crate::hub::message::{Found, Lookup, Message, Miss};
use crate::hub::report::Report;
use crate::hub::thread::HubThread;

/// Messages that may wait for the hub; one more makes its sender wait.
const QUEUE: usize = 1024;

/// Lines that may wait for the log thread.
const LOG_LINES: usize = 1024;

/// How long the hub may take for its last messages.
const LAST_MESSAGES: Duration = Duration::from_millis(500);

/// The hub, as conversations see it: a sender of messages.
#[derive(Clone)]
pub struct Hub {
    inbox: Sender<Message>,
    log: Log,
}

impl Hub {
    /// Starts the hub and the log. `cache`: how many bytes, 0 for none. If
    /// one of the two threads panics, the server ends.
    pub fn start(cache: usize, quiet: bool) -> Result<Hub> {
        let (sender, inbox) = bounded(QUEUE);
        let log = Log::start(quiet, LOG_LINES)?;
        let hub = HubThread::new(cache, log.clone());
        threads::spawn_essential("hub", move || hub.run(&inbox))?;
        Ok(Hub { inbox: sender, log })
    }

    /// Sends a message that needs no reply. It waits only while the queue is
    /// full.
    pub fn tell(&self, message: Message) {
        let _ = self.inbox.send(message); // fails only at the program's end
    }

    /// Before a request is passed on: is there a cached response, or an idle
    /// connection?
    pub fn look_up(&self, lookup: Lookup) -> Found {
        let (reply, found) = bounded(1);
        self.tell(Message::LookUp(lookup, reply));
        found.recv().unwrap_or_else(|_| Found::Miss(Miss::default()))
    }

    /// What there is to see; `None` when the program ends.
    pub fn report(&self) -> Option<Report> {
        let (reply, report) = bounded(1);
        self.tell(Message::Report(reply));
        report.recv().ok()
    }

    /// The program ends: waits until the log is written, a moment at most.
    pub fn finish(&self) {
        let (reply, handled) = bounded(1);
        self.tell(Message::Finish(reply));
        let _ = handled.recv_timeout(LAST_MESSAGES);
        self.log.flush();
    }
}
