//! The hub thread: what each message changes in the cache, in the pool of idle
//! connections, in the counters and in the log. It waits for nothing but the
//! next message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use socketlab::log::Log;

use crate::cache::freshness;
use crate::cache::memory::Cache;
use crate::hub::message::{Found, Lookup, Message, Miss, Permit};
use crate::hub::pool::Pool;
use crate::hub::report::{History, Report};
use crate::record::Record;

/// How often the hub closes the connections that have expired.
const TICK: Duration = Duration::from_secs(1);

/// Objects that are being copied for the cache at the same time. Each copy may
/// grow to 1 MiB. Further objects are passed on and not cached.
const MOST_PERMITS: usize = 32;

/// What the hub thread owns.
pub struct HubThread {
    cache: Cache,
    pool: Pool,
    slots: Arc<()>, // each permit has a copy of this handle
    history: History,
    log: Log,
    looked: Instant, // when the pool was last searched
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

    /// Handles messages until the last sender is dropped.
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

    /// One message. A reply uses try_send(), because its channel has room for
    /// it, and because the client thread may have ended.
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

    /// A permit to cache, if there are fewer than 32.
    fn permit(&mut self, url: Arc<str>) -> Option<Permit> {
        let out = Arc::strong_count(&self.slots) - 1;
        if out >= MOST_PERMITS {
            return None;
        }
        let (begun, slot) = (self.cache.begin(), self.slots.clone());
        Some(Permit { url, begun, slot })
    }

    /// A request has ended: a line for the log thread, and the counters.
    fn record(&mut self, record: Record) {
        if !self.log.is_quiet() {
            self.log.line(record.line());
        }
        self.history.add(record);
    }
}
