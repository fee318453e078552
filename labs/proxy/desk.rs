//! The hub's own side: what each message does to the cache, the pool, the
//! flights and the log. One thread runs it and never waits; see hub.rs.
//!
//! ```text
//!   begin ----> kept and fresh? ----------------------> Hit
//!          `--> somebody fetches it? --> wait, until:
//!                                          landed, changed ---> begin again
//!                                          too slow ----------> overtake
//!          `--> a connection at rest, a flight -------> Fetch
//! ```

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};

use crate::begin::{Begun, Fetch, Wanted};
use crate::cache::Cache;
use crate::flight::Landing;
use crate::freshness::{self, Use};
use crate::hub::Message;
use crate::log::Log;
use crate::pool::Pool;
use crate::report::{Counters, Report};

/// How often idle connections are looked through.
const TICK: Duration = Duration::from_secs(1);

/// Objects being fetched for the cache at once: each may grow to the largest
/// that is kept. What comes beyond is passed on and not kept.
const MOST_FLIGHTS: usize = 32;

/// URLs remembered as not to be kept, so that nobody waits for them.
const MOST_HOPELESS: usize = 4096;

/// Whoever asks, and perhaps waits for somebody else's fetch.
pub struct Follower {
    pub wanted: Arc<Wanted>,
    pub since: Instant,
    pub reply: Sender<Begun>,
}

/// An object that is being fetched.
struct Flight {
    first: u64,  // those before it left before the object was changed
    number: u64, // of the fetch that is waited for
    since: Instant,
    others: Vec<Follower>, // as many as there are clients
}

/// The hub's own side.
pub struct Desk {
    cache: Cache,
    pool: Pool,
    flights: HashMap<Arc<str>, Flight>,
    flying: usize, // those that were overtaken, too
    started: u64,
    patience: Duration,
    hopeless: HashSet<u64>, // hashes of URLs
    hasher: RandomState,
    log: Log,
    counters: Counters,
    looked: Instant,
}

impl Desk {
    /// `cache`: how many bytes; `patience`: with somebody else's fetch.
    pub fn new(cache: usize, patience: Duration, log: Log) -> Desk {
        Desk {
            cache: Cache::new(cache),
            pool: Pool::default(),
            flights: HashMap::new(),
            flying: 0,
            started: 0,
            patience,
            hopeless: HashSet::new(),
            hasher: RandomState::new(),
            log,
            counters: Counters::default(),
            looked: Instant::now(),
        }
    }

    /// Until nobody is left who could send a message.
    pub fn serve(mut self, inbox: &Receiver<Message>) {
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
            Message::Begin(follower) => self.begin(follower, true),
            Message::Landed(url, number, landing) => {
                self.landed(&url, number, landing);
            }
            Message::Changed(urls) => {
                for url in urls {
                    self.cache.remove(&url);
                    // What is on its way left before the change.
                    self.release(&url);
                }
            }
            Message::Park(origin, connection) => {
                self.pool.park(origin, connection);
            }
            Message::Old(origin, old) => self.pool.set_old(origin, old),
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
            Message::Finish(reply) => {
                self.log.finish();
                let _ = reply.try_send(());
            }
        }
    }

    fn hash(&self, url: &str) -> u64 {
        self.hasher.hash_one(url)
    }

    /// A fetch has ended. It counts for nothing if its object was changed, or
    /// brought by another, while it was on its way.
    fn landed(&mut self, url: &str, number: u64, landing: Landing) {
        self.flying = self.flying.saturating_sub(1);
        let Some(flight) = self.flights.get(url) else { return };
        if number < flight.first {
            return;
        }
        match landing {
            Landing::Object(stored) => {
                self.hopeless.remove(&self.hash(url));
                self.cache.insert(url, stored);
            }
            Landing::Hopeless => {
                self.cache.remove(url);
                if self.hopeless.len() >= MOST_HOPELESS {
                    self.hopeless.clear();
                }
                self.hopeless.insert(self.hash(url));
            }
            // One that was overtaken; they wait for the other.
            Landing::Nothing if number < flight.number => return,
            Landing::Nothing => {}
        }
        self.release(url);
    }

    /// Whoever waited for this URL tries again, and then does not wait.
    fn release(&mut self, url: &str) {
        let flight = self.flights.remove(url);
        for follower in flight.into_iter().flat_map(|flight| flight.others) {
            self.begin(follower, false);
        }
    }

    /// A fetch of this URL begins, or overtakes a slow one. Who had patience
    /// with that one has asked again by now.
    fn fly(&mut self, url: &Arc<str>) -> u64 {
        self.started += 1;
        self.flying += 1;
        let (number, since) = (self.started, Instant::now());
        let (first, mut others) = match self.flights.remove(url) {
            Some(before) => (before.first, before.others),
            None => (number, Vec::new()),
        };
        others.retain(|other| other.since.elapsed() < self.patience);
        let flight = Flight { first, number, since, others };
        self.flights.insert(url.clone(), flight);
        number
    }

    fn begin(&mut self, follower: Follower, wait: bool) {
        let wanted = &follower.wanted;
        let kept = wanted
            .url
            .as_ref()
            .and_then(|url| self.cache.find(url, &wanted.fields));
        if let Some(kept) = &kept {
            let now = freshness::now();
            if freshness::usable(&wanted.fields, kept, now) == Use::Fresh {
                let _ = follower.reply.try_send(Begun::Hit(kept.clone()));
                return;
            }
        }
        let for_the_cache = wanted.url.clone().filter(|_| wanted.keep);
        let stale = kept.filter(|_| wanted.keep);
        let mut flight = None;
        if let Some(url) = &for_the_cache {
            let hopeless = self.hopeless.contains(&self.hash(url));
            let ahead = self.flights.get_mut(url);
            match ahead.filter(|f| f.since.elapsed() < self.patience) {
                Some(ahead) if wait && !hopeless => {
                    ahead.others.push(follower);
                    return;
                }
                Some(_) => {} // goes alone
                None if self.flying < MOST_FLIGHTS => {
                    flight = Some(self.fly(url));
                }
                None => {}
            }
        }
        let origin = &wanted.origin;
        let old = self.pool.is_old(origin);
        let idle = wanted.rested.then(|| self.pool.take(origin)).flatten();
        let fetch = Fetch { idle, flight, stale, old };
        let sent = follower.reply.try_send(Begun::Fetch(fetch));
        let Err(TrySendError::Disconnected(Begun::Fetch(fetch))) = sent else {
            return;
        };
        // Nobody listens any more: back with what was taken.
        if let Some(idle) = fetch.idle {
            self.pool.park(origin.clone(), idle);
        }
        if let (Some(number), Some(url)) = (fetch.flight, &wanted.url) {
            self.landed(url, number, Landing::Nothing);
        }
    }
}
