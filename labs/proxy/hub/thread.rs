//! The hub thread: what each message does to the cache, the pool of idle
//! connections, the counters and the log. It never waits for anything but
//! the next message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use socketlab::log::Log;

use crate::cache::freshness::{self, Use};
use crate::cache::memory::Cache;
use crate::hub::message::{Found, Lookup, Message, Miss, Permit};
use crate::hub::pool::Pool;
use crate::hub::report::{History, Report};
use crate::record::Record;

/// How often the pool is searched for connections that have expired.
const TICK: Duration = Duration::from_secs(1);

/// Objects being fetched for the cache at once: each may grow to the largest
/// that is cached. Further ones are passed on and not cached.
const MOST_PERMITS: usize = 32;

/// What the hub thread owns.
pub struct HubThread {
    cache: Cache,
    pool: Pool,
    slots: Arc<()>, // each permit that is out has a handle, too
    history: History,
    log: Log,
    looked: Instant, // through the pool
}

impl HubThread {
    /// A hub with an empty cache of `cache` bytes.
    pub fn new(cache: usize, log: Log) -> HubThread {
        HubThread {
            cache: Cache::new(cache),
            pool: Pool::default(),
            slots: Arc::default(),
            history: History::default(),
            log,
            looked: Instant::now(),
        }
    }

    /// Handles messages until nobody is left who could send one.
    pub fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            match inbox.recv_timeout(TICK) {
                Ok(message) => self.handle(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.looked.elapsed() >= TICK {
                self.looked = Instant::now();
                self.pool.close_expired();
            }
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::LookUp(lookup, reply) => {
                let _ = reply.try_send(self.look_up(lookup));
            }
            Message::Store(permit, stored) => {
                self.cache.insert(&permit.url, permit.begun, stored);
            }
            Message::Invalidate(urls) => {
                urls.iter().for_each(|url| self.cache.invalidate(url));
            }
            Message::Http10(origin, http10) => {
                self.pool.set_http10(origin, http10);
            }
            Message::Done(record, idle) => {
                if let Some((origin, connection)) = idle {
                    self.pool.put(origin, connection);
                }
                self.record(record);
            }
            Message::Report(reply) => {
                let dropped = self.log.left_out();
                let (cache, pool) = (&self.cache, &self.pool);
                let report = Report::new(&self.history, cache, pool, dropped);
                let _ = reply.try_send(report);
            }
            Message::Finish(reply) => {
                let _ = reply.try_send(());
            }
        }
    }

    /// If two clients miss the same URL at once, both fetch it. (viva 11)
    fn look_up(&mut self, lookup: Lookup) -> Found {
        let Lookup { origin, reuse, url, fields, store } = lookup;
        let cached = url.as_ref().and_then(|u| self.cache.find(u, &fields));
        if let Some(cached) = &cached
            && freshness::usable(&fields, cached, freshness::now())
                == Use::Fresh
        {
            return Found::Hit(cached.clone());
        }
        Found::Miss(Miss {
            idle: reuse.then(|| self.pool.take(&origin)).flatten(),
            permit: url.filter(|_| store).and_then(|url| self.permit(url)),
            stale: cached.filter(|_| store),
            http10: self.pool.is_http10(&origin),
        })
    }

    fn permit(&mut self, url: Arc<str>) -> Option<Permit> {
        let out = Arc::strong_count(&self.slots) - 1;
        if out >= MOST_PERMITS {
            return None;
        }
        let (begun, slot) = (self.cache.begin(), self.slots.clone());
        Some(Permit { url, begun, slot })
    }

    fn record(&mut self, record: Record) {
        if !self.log.is_quiet() {
            self.log.line(record.line());
        }
        self.history.add(record);
    }
}
