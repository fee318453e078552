//! What the hub knows, copied out for the proxy's own page.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;

use crate::cache::freshness;
use crate::cache::memory::Cache;
use crate::cache::stored::Stored;
use crate::hub::pool::Pool;
use crate::record::{Record, Source};

/// Entries of the cache that are shown.
const MOST_SHOWN: usize = 200;

/// Requests that are remembered.
const MOST_REMEMBERED: usize = 50;

/// What has been done so far.
#[derive(Default)]
pub struct History {
    counters: Counters,
    last: VecDeque<Record>, // the latest first
}

impl History {
    /// One more request was answered.
    pub fn add(&mut self, record: Record) {
        self.counters.count(&record);
        self.last.truncate(MOST_REMEMBERED - 1);
        self.last.push_front(record);
    }
}

/// Sums since the start.
#[derive(Clone, Default, Serialize)]
pub struct Counters {
    /// All requests.
    pub requests: u64,
    /// Responses out of the cache.
    pub hits: u64,
    /// Responses that the cache did not have.
    pub misses: u64,
    /// Responses out of the cache, after the origin was asked.
    pub revalidated: u64,
    /// Tunnels that were opened.
    pub tunnels: u64,
    /// Responses of the proxy's own that say what went wrong.
    pub refused: u64,
    /// Bytes of bodies that clients got.
    pub bytes_sent: u64,
}

impl Counters {
    fn count(&mut self, record: &Record) {
        self.requests += 1;
        self.bytes_sent += record.bytes;
        match record.source {
            Source::Hit => self.hits += 1,
            Source::Miss => self.misses += 1,
            Source::Revalidated => self.revalidated += 1,
            Source::Tunnel => self.tunnels += 1,
            Source::Refused => self.refused += 1,
            Source::Origin | Source::Own => {}
        }
    }
}

/// An object in the cache.
#[derive(Serialize)]
pub struct Cached {
    /// What it is.
    pub url: String,
    /// The status of the response.
    pub status: u16,
    /// Bytes of the body.
    pub bytes: usize,
    /// Seconds since it was made.
    pub age: i64,
    /// Seconds that it is good for.
    pub lifetime: i64,
    /// The request fields by which the origin varies it.
    pub vary: String,
}

impl Cached {
    fn new(url: &str, stored: &Arc<Stored>, now: i64) -> Cached {
        let names: Vec<&str> =
            stored.vary.iter().map(|(name, _)| name.as_str()).collect();
        Cached {
            url: url.to_string(),
            status: stored.status,
            bytes: stored.body.len(),
            age: freshness::age(stored, now),
            lifetime: freshness::lifetime(stored),
            vary: names.join(", "),
        }
    }
}

/// What the proxy's own page shows.
#[derive(Serialize)]
pub struct Report {
    /// Sums since the start.
    pub counters: Counters,
    /// Lines of the log that found no room.
    pub log_lines_dropped: u64,
    /// Responses in the cache.
    pub cache_objects: usize,
    /// Bytes that they take.
    pub cache_bytes: usize,
    /// The most recently used of them.
    pub cache: Vec<Cached>,
    /// Origins, and how many idle connections there are to each.
    pub idle_connections: Vec<(String, usize)>,
    /// The last requests, the latest first.
    pub last_requests: Vec<Record>,
}

impl Report {
    /// Copies what there is at this moment.
    pub fn new(
        history: &History,
        cache: &Cache,
        pool: &Pool,
        log_lines_dropped: u64,
    ) -> Report {
        let now = freshness::now();
        let (cache_objects, cache_bytes) = cache.size();
        let shown = cache.list().take(MOST_SHOWN);
        let idle = pool.list().map(|(name, n)| (name.to_string(), n));
        Report {
            counters: history.counters.clone(),
            log_lines_dropped,
            cache_objects,
            cache_bytes,
            cache: shown.map(|(url, s)| Cached::new(url, s, now)).collect(),
            idle_connections: idle.collect(),
            last_requests: history.last.iter().cloned().collect(),
        }
    }
}
