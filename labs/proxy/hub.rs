//! The hub: one thread that owns what all conversations share. No lock is
//! needed, and what happened first is a matter of the queue's order.
//!
//! ```text
//!  client threads                 hub                       owns
//!    begin, park, land,  ==1024==> one message after the    the cache
//!    done, …                       other, never waiting     origins at rest
//!    the answer         <===1====  a channel for each       flights, counters
//!                                   | try_send              the last requests
//!                                   ====1024====> writer thread --> stdout
//! ```
//!
//! Interface: the functions of [`Hub`]. Only [`Hub::begin`] and
//! [`Hub::report`] wait, for an answer that the hub gives at once; or, for a
//! `begin` while somebody else fetches the same object, when that one is
//! there, or has taken too long. The hub itself waits for nobody, before the
//! end ([`Hub::finish`]): no socket, no file, no reply. A log line that the
//! writer has no room for is dropped and counted, so that a terminal that is
//! stopped (Ctrl-S) stops no transfer. (viva 9)
//!
//! Why not a lock? A look into the cache, the choice of a connection and the
//! start of a flight belong together: under locks that is three of them, in
//! an order that every thread must keep. message shows the other way.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use http::Reader;
use socketlab::{Error, Result};

use crate::begin::{Begun, Fetch, Wanted};
use crate::desk::{Desk, Follower};
use crate::flight::Landing;
use crate::log::{Log, Record};
use crate::report::Report;

/// Messages that may wait; whoever sends one more waits a moment.
const QUEUE: usize = 1024;

/// How long to wait for somebody else's fetch of the same object, at most.
const FLIGHT_PATIENCE: Duration = Duration::from_secs(10);

/// How long the last lines of the log may take at the end.
const LAST_LINES: Duration = Duration::from_millis(500);

/// What the hub is told; see desk.rs for what it does then.
pub enum Message {
    Begin(Follower),
    Landed(Arc<str>, u64, Landing),
    Changed(Vec<String>),
    Park(String, Reader),
    Old(String, bool),
    Done(Record),
    Report(Sender<Report>),
    Finish(Sender<()>),
}

/// The hub, as conversations see it.
#[derive(Clone)]
pub struct Hub {
    inbox: Sender<Message>,
    patience: Duration, // for somebody else's fetch
}

impl Hub {
    /// Starts the hub and the log's writer. `cache`: how many bytes, 0 for
    /// none. `patience`: how long an origin may be silent.
    pub fn start(cache: usize, patience: Duration, quiet: bool) -> Result<Hub> {
        let (sender, inbox) = bounded(QUEUE);
        let patience = patience.min(FLIGHT_PATIENCE);
        let desk = Desk::new(cache, patience, Log::start(quiet)?);
        thread::Builder::new()
            .name("hub".into())
            .spawn(move || desk.serve(&inbox))
            .map_err(|error| Error::new("spawn", "hub", error))?;
        Ok(Hub { inbox: sender, patience })
    }

    /// Before a request is passed on. Waits for somebody else's fetch and, if
    /// that one is slow, asks again: to fly itself, or because another one
    /// does by now. A second slow one is enough: it goes alone.
    pub fn begin(&self, wanted: Wanted) -> Begun {
        let wanted = Arc::new(wanted);
        for _ in 0..2 {
            let (reply, answer) = bounded(1);
            let (wanted, since) = (wanted.clone(), Instant::now());
            self.tell(Message::Begin(Follower { wanted, since, reply }));
            if let Ok(begun) = answer.recv_timeout(self.patience) {
                return begun;
            }
        }
        Begun::Fetch(Fetch::default())
    }

    /// A connection to an origin comes to rest.
    pub fn park(&self, origin: String, connection: Reader) {
        self.tell(Message::Park(origin, connection));
    }

    /// An origin answered as HTTP/1.0, or does so no more.
    pub fn old(&self, origin: String, old: bool) {
        self.tell(Message::Old(origin, old));
    }

    /// These URLs have changed.
    pub fn changed(&self, urls: Vec<String>) {
        self.tell(Message::Changed(urls));
    }

    /// A request has been answered.
    pub fn done(&self, record: Record) {
        self.tell(Message::Done(record));
    }

    /// What there is to see.
    pub fn report(&self) -> Option<Report> {
        let (reply, answer) = bounded(1);
        self.tell(Message::Report(reply));
        answer.recv_timeout(FLIGHT_PATIENCE).ok()
    }

    /// A fetch that others may wait for has ended.
    pub fn landed(&self, url: Arc<str>, number: u64, landing: Landing) {
        self.tell(Message::Landed(url, number, landing));
    }

    /// The program ends: waits until the log is written, a moment at most.
    pub fn finish(&self) {
        let (reply, written) = bounded(1);
        self.tell(Message::Finish(reply));
        let _ = written.recv_timeout(LAST_LINES);
    }

    fn tell(&self, message: Message) {
        let _ = self.inbox.send(message); // fails only at the program's end
    }
}
