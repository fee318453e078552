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
//! there. The hub itself waits for nobody: no socket, no file, no reply. A
//! log line that the writer has no room for is dropped and counted, so that a
//! terminal that is stopped (Ctrl-S) stops no transfer. (viva 9)
//!
//! Why not a lock? A look into the cache, the choice of a connection and the
//! start of a flight belong together: under locks that is three of them, in
//! an order that every thread must keep. message shows the other way.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use socketlab::http::Reader;
use socketlab::{Error, Result};

use crate::begin::{Begun, Fetch, Wanted};
use crate::cache::{Cache, Stored};
use crate::freshness::{self, Use};
use crate::log::{Log, Record};
use crate::pool::Pool;
use crate::report::{Counters, Report};

/// Messages that may wait; whoever sends one more waits a moment.
const QUEUE: usize = 1024;

/// How often idle connections are looked through.
const TICK: Duration = Duration::from_secs(1);

/// Objects being fetched for the cache at once: each may grow to the largest
/// that is kept. What comes beyond is passed on and not kept.
const MOST_FLIGHTS: usize = 32;

/// How long to wait for somebody else's fetch of the same object.
const FLIGHT_PATIENCE: Duration = Duration::from_secs(10);

/// A flight of which nothing has been heard for so long is forgotten.
const FLIGHT_LIMIT: Duration = Duration::from_secs(600);

/// URLs remembered as not to be kept, so that nobody waits for them.
const MOST_HOPELESS: usize = 4096;

enum Message {
    Begin(Wanted, Sender<Begun>),
    Landed(Arc<str>, Option<Arc<Stored>>),
    Hopeless(Arc<str>),
    Changed(Vec<String>),
    Park(String, Reader),
    Old(String),
    Done(Record),
    Report(Sender<Report>),
}

/// The hub, as conversations see it.
#[derive(Clone)]
pub struct Hub(Sender<Message>);

impl Hub {
    /// Starts the hub and the log's writer. `cache`: how many bytes, 0 for
    /// none.
    pub fn start(cache: usize, quiet: bool) -> Result<Hub> {
        let (sender, inbox) = bounded(QUEUE);
        let desk = Desk {
            cache: Cache::new(cache),
            pool: Pool::default(),
            flights: HashMap::new(),
            hopeless: HashSet::new(),
            hasher: RandomState::new(),
            log: Log::start(quiet)?,
            counters: Counters::default(),
            looked: Instant::now(),
        };
        thread::Builder::new()
            .name("hub".into())
            .spawn(move || desk.serve(&inbox))
            .map_err(|error| Error::new("spawn", "hub", error))?;
        Ok(Hub(sender))
    }

    /// Before a request is passed on.
    pub fn begin(&self, wanted: Wanted) -> Begun {
        let (reply, answer) = bounded(1);
        self.tell(Message::Begin(wanted, reply));
        // Somebody else fetches it, and slowly: go alone.
        let begun = answer.recv_timeout(FLIGHT_PATIENCE);
        begun.unwrap_or_else(|_| Begun::Fetch(Fetch::default()))
    }

    /// A connection to an origin comes to rest.
    pub fn park(&self, origin: String, connection: Reader) {
        self.tell(Message::Park(origin, connection));
    }

    /// An origin answered as HTTP/1.0.
    pub fn old(&self, origin: String) {
        self.tell(Message::Old(origin));
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

    /// A fetch that others wait for has ended, with an object or without.
    pub fn landed(&self, url: Arc<str>, stored: Option<Arc<Stored>>) {
        self.tell(Message::Landed(url, stored));
    }

    /// The same: it is of a kind that is not kept.
    pub fn hopeless(&self, url: Arc<str>) {
        self.tell(Message::Hopeless(url));
    }

    fn tell(&self, message: Message) {
        let _ = self.0.send(message); // fails only at the program's end
    }
}

struct Waiting {
    since: Instant,
    others: Vec<(Wanted, Sender<Begun>)>, // as many as there are clients
}

/// The hub's own side.
struct Desk {
    cache: Cache,
    pool: Pool,
    flights: HashMap<Arc<str>, Waiting>,
    hopeless: HashSet<u64>, // hashes of URLs
    hasher: RandomState,
    log: Log,
    counters: Counters,
    looked: Instant,
}

impl Desk {
    fn serve(mut self, inbox: &Receiver<Message>) {
        loop {
            match inbox.recv_timeout(TICK) {
                Ok(message) => self.handle(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.looked.elapsed() >= TICK {
                self.looked = Instant::now();
                self.pool.close_old();
            }
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Begin(wanted, reply) => self.begin(wanted, reply),
            Message::Landed(url, stored) => {
                if let Some(stored) = stored {
                    self.hopeless.remove(&self.hasher.hash_one(&*url));
                    self.cache.insert(&url, stored);
                }
                self.release(&url);
            }
            Message::Hopeless(url) => {
                self.cache.remove(&url);
                if self.hopeless.len() >= MOST_HOPELESS {
                    self.hopeless.clear();
                }
                self.hopeless.insert(self.hasher.hash_one(&*url));
                self.release(&url);
            }
            Message::Changed(urls) => {
                for url in urls {
                    self.cache.remove(&url);
                }
            }
            Message::Park(origin, connection) => {
                self.pool.park(origin, connection);
            }
            Message::Old(origin) => self.pool.set_old(origin),
            Message::Done(record) => {
                self.counters.count(&record);
                self.log.add(record);
            }
            Message::Report(reply) => {
                let report = Report::new(
                    &self.counters,
                    &self.cache,
                    &self.pool,
                    &self.log,
                );
                let _ = reply.try_send(report);
            }
        }
    }

    /// Whoever waited for this URL tries again, and then does not wait.
    fn release(&mut self, url: &str) {
        let waiting = self.flights.remove(url);
        for (mut wanted, reply) in waiting.into_iter().flat_map(|w| w.others) {
            wanted.wait = false;
            self.begin(wanted, reply);
        }
    }

    fn begin(&mut self, wanted: Wanted, reply: Sender<Begun>) {
        let mut stale = None;
        let mut flight = false;
        if let Some(url) = &wanted.url {
            if let Some(kept) = self.cache.find(url, &wanted.fields) {
                let now = freshness::now();
                if freshness::usable(&wanted.fields, &kept, now) == Use::Fresh {
                    let _ = reply.try_send(Begun::Hit(kept));
                    return;
                }
                stale = wanted.keep.then_some(kept);
            }
            if wanted.keep {
                if let Some(ahead) = self.flights.get_mut(url)
                    && ahead.since.elapsed() < FLIGHT_LIMIT
                {
                    let hash = self.hasher.hash_one(&**url);
                    if wanted.wait && !self.hopeless.contains(&hash) {
                        ahead.others.push((wanted, reply));
                        return;
                    }
                } else if self.flights.len() < MOST_FLIGHTS {
                    let (since, others) = (Instant::now(), Vec::new());
                    self.flights.insert(url.clone(), Waiting { since, others });
                    flight = true;
                }
            }
        }
        let origin = &wanted.origin;
        let old = self.pool.is_old(origin);
        let idle = wanted.rested.then(|| self.pool.take(origin)).flatten();
        let fetch = Fetch { idle, flight, stale, old };
        if reply.try_send(Begun::Fetch(fetch)).is_err()
            && flight
            && let Some(url) = &wanted.url
        {
            // Nobody listens any more.
            self.release(url);
        }
    }
}
