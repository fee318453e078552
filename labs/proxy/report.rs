//! What the hub knows, copied out for the proxy's own page.

use std::sync::Arc;

use serde::Serialize;

use crate::cache::{Cache, Stored};
use crate::freshness;
use crate::log::{Log, Record};
use crate::pool::Pool;

/// Entries of the cache that are shown.
const MOST_SHOWN: usize = 200;

#[derive(Clone, Default, Serialize)]
pub struct Counters {
    pub requests: u64,
    pub hits: u64,
    pub misses: u64,
    pub revalidated: u64,
    pub tunnels: u64,
    /// Answers of the proxy's own that say what went wrong.
    pub refused: u64,
    pub bytes_sent: u64,
}

impl Counters {
    pub fn count(&mut self, record: &Record) {
        self.requests += 1;
        self.bytes_sent += record.bytes;
        match record.how {
            "HIT" => self.hits += 1,
            "MISS" => self.misses += 1,
            "REVALIDATED" => self.revalidated += 1,
            "tunnel" => self.tunnels += 1,
            "refused" => self.refused += 1,
            _ => {}
        }
    }
}

/// An object in the cache.
#[derive(Serialize)]
pub struct Kept {
    pub url: String,
    pub status: u16,
    pub bytes: usize,
    pub age: i64,
    pub lifetime: i64,
    pub vary: String,
}

impl Kept {
    fn new(url: &str, stored: &Arc<Stored>, now: i64) -> Kept {
        let names: Vec<&str> =
            stored.vary.iter().map(|(name, _)| name.as_str()).collect();
        Kept {
            url: url.to_string(),
            status: stored.status,
            bytes: stored.body.len(),
            age: freshness::age(stored, now),
            lifetime: freshness::lifetime(stored),
            vary: names.join(", "),
        }
    }
}

#[derive(Serialize)]
pub struct Report {
    pub counters: Counters,
    pub log_lines_dropped: u64,
    pub cache_objects: usize,
    pub cache_bytes: usize,
    pub cache: Vec<Kept>,
    pub origins_at_rest: Vec<(String, usize)>,
    pub last_requests: Vec<Record>,
}

impl Report {
    pub fn new(
        counters: &Counters,
        cache: &Cache,
        pool: &Pool,
        log: &Log,
    ) -> Report {
        let now = freshness::now();
        let (cache_objects, cache_bytes) = cache.size();
        let kept = cache.list().take(MOST_SHOWN);
        let resting = pool.list().map(|(name, n)| (name.to_string(), n));
        Report {
            counters: counters.clone(),
            log_lines_dropped: log.dropped(),
            cache_objects,
            cache_bytes,
            cache: kept.map(|(url, kept)| Kept::new(url, kept, now)).collect(),
            origins_at_rest: resting.collect(),
            last_requests: log.recent().cloned().collect(),
        }
    }
}
