//! The hub: one thread that owns what all client threads share. It needs no
//! lock, because it handles one message after the other.
//!
//! ```text
//!  client threads                 hub                       owns
//!    look_up, tell       ==1024==> one message after the    the cache
//!                                  other                    idle connections
//!    the reply          <===1====  a channel for each       counters
//!                                   | try_send              the last requests
//!                                   ====1024====> log thread --> stdout
//! ```
//!
//! [`Hub::tell`] sends a [`Message`] and does not wait for a reply.
//! [`Hub::look_up`], [`Hub::report`] and [`Hub::finish`] wait for a reply. It
//! comes at once, because the hub waits for no socket and no file. If the log's
//! channel is full, the hub drops the line and counts it. So a terminal that is
//! stopped with Ctrl-S does not stop a transfer. (viva 9)
//!
//! Why not locks? One look-up uses the cache, gives the fetch a number, and
//! chooses an idle connection. That would need two locks, which all threads
//! must lock in the same order. Lab message uses locks.

use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use socketlab::log::Log;
use socketlab::{Result, threads};

use crate::hub::message::{Found, Lookup, Message, Miss};
use crate::hub::report::Report;
use crate::hub::thread::HubThread;

/// Messages that may wait for the hub. If the channel is full, send() blocks.
const QUEUE: usize = 1024;

/// Lines that may wait for the log thread.
const LOG_LINES: usize = 1024;

/// How long the hub may take for its last messages.
const LAST_MESSAGES: Duration = Duration::from_millis(500);

/// The hub, as client threads see it: a sender of messages.
#[derive(Clone)]
pub struct Hub {
    inbox: Sender<Message>,
    log: Log,
}

impl Hub {
    /// Starts the hub and the log. `cache`: its size in bytes; 0: no cache. If
    /// one of the two threads panics, the server ends.
    pub fn start(cache: usize, quiet: bool) -> Result<Hub> {
        let (sender, inbox) = bounded(QUEUE);
        let log = Log::start(quiet, LOG_LINES)?;
        let hub = HubThread::new(cache, log.clone());
        threads::spawn_essential("hub", move || hub.run(&inbox))?;
        Ok(Hub { inbox: sender, log })
    }

    /// Sends a message that needs no reply. It blocks only if the channel is
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

    /// The content of the proxy's own page; `None` when the program ends.
    pub fn report(&self) -> Option<Report> {
        let (reply, report) = bounded(1);
        self.tell(Message::Report(reply));
        report.recv().ok()
    }

    /// The program ends: waits until the log is written, at most 0.5 s.
    pub fn finish(&self) {
        let (reply, handled) = bounded(1);
        self.tell(Message::Finish(reply));
        let _ = handled.recv_timeout(LAST_MESSAGES);
        self.log.flush();
    }
}
