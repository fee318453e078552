//! The cached responses, in memory. A URL has several responses (variants) if
//! the origin chooses them by a request field (Vary). If the cache is full, the
//! least recently used response is dropped. Only the hub thread owns the cache.
//!
//! ```text
//!   entries: "http://h/x" -> [ Accept-Encoding: gzip | #7 ]
//!                            [ Accept-Encoding: -    | #9 ]
//!   order:   #7 -> "http://h/x"   least recently used: dropped next
//!            #8 -> "http://h/y"
//! ```
//!
//! During a slow GET another client may change the object with PUT. Then the
//! response to the GET is out of date when it arrives, and must not be cached.
//! So each fetch gets a number when it begins, and each change gets a number,
//! too. [`Cache::insert`] refuses a fetch with a lower number than the change.
//!
//! ```text
//!   GET /x: number 5 ... PUT /x: changed at 6 ... GET 5 ends: 5 < 6, refused
//! ```
//! freshness.rs decides whether a cached response may be used.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::Fields;

use crate::cache::stored::Stored;

/// Responses for one URL that differ by request fields.
const MOST_VARIANTS: usize = 8;

/// URLs whose last change is remembered.
const MOST_CHANGES: usize = 4096;

/// One response for a URL.
struct Variant {
    used: u64,  // its place in `order`
    begun: u64, // the number of the fetch that brought it
    stored: Arc<Stored>,
}

/// The cache.
#[derive(Default)]
pub struct Cache {
    entries: HashMap<Arc<str>, Vec<Variant>>,
    order: BTreeMap<u64, Arc<str>>,
    clock: u64, // counts uses, fetches and changes
    changed: HashMap<Box<str>, u64>,
    forgotten: u64, // changes before this are no longer in `changed`
    bytes: usize,
    most: usize,
}

impl Cache {
    /// A cache of at most this many bytes.
    pub fn new(most: usize) -> Cache {
        Cache { most, ..Cache::default() }
    }

    /// The response that suits this request, if there is one.
    pub fn find(&mut self, url: &str, request: &Fields) -> Option<Arc<Stored>> {
        let (url, _) = self.entries.get_key_value(url)?;
        let url = url.clone();
        let variants = self.entries.get_mut(&url)?;
        // The latest variant that matches, because the origin may have changed
        // its Vary.
        let mut latest = variants.iter_mut().rev();
        let found = latest.find(|variant| variant.stored.suits(request))?;
        self.order.remove(&found.used);
        self.clock += 1;
        found.used = self.clock;
        self.order.insert(self.clock, url);
        Some(found.stored.clone())
    }

    /// The number of a fetch that begins now.
    pub fn begin(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Stores the response of the fetch with this number. It replaces the
    /// variant with the same request fields. It is refused if the URL was
    /// changed after the fetch began, or if a later fetch ended earlier.
    pub fn insert(&mut self, url: &str, begun: u64, stored: Arc<Stored>) {
        if begun < self.forgotten
            || self.changed.get(url).is_some_and(|&at| begun < at)
        {
            return;
        }
        let url = match self.entries.get_key_value(url) {
            Some((url, _)) => url.clone(),
            None => Arc::from(url),
        };
        let variants = self.entries.entry(url.clone()).or_default();
        let same = |old: &&Variant| old.stored.vary == stored.vary;
        if variants.iter().filter(same).any(|old| begun < old.begun) {
            return;
        }
        let mut leaving: Vec<u64> =
            variants.iter().filter(same).map(|old| old.used).collect();
        if variants.len() >= MOST_VARIANTS && leaving.is_empty() {
            leaving.extend(variants.iter().map(|old| old.used).min());
        }
        for used in leaving {
            self.drop_one(used);
        }
        self.clock += 1;
        self.bytes += url.len() + stored.size();
        let new = Variant { used: self.clock, begun, stored };
        self.entries.entry(url.clone()).or_default().push(new);
        self.order.insert(self.clock, url);
        while self.bytes > self.most
            && let Some((&oldest, _)) = self.order.first_key_value()
        {
            self.drop_one(oldest);
        }
    }

    /// A URL was changed: drops all its responses. From now on insert() also
    /// refuses the fetches that are still running.
    pub fn invalidate(&mut self, url: &str) {
        let variants = self.entries.get(url).into_iter().flatten();
        let leaving: Vec<u64> = variants.map(|variant| variant.used).collect();
        for used in leaving {
            self.drop_one(used);
        }
        self.clock += 1;
        if self.changed.len() >= MOST_CHANGES {
            // The table is full and is cleared. To be safe, all fetches that
            // are running now are refused later.
            self.changed.clear();
            self.forgotten = self.clock;
        }
        self.changed.insert(url.into(), self.clock);
    }

    /// Drops the response with this place in `order`.
    fn drop_one(&mut self, used: u64) {
        let Some(url) = self.order.remove(&used) else { return };
        let Some(variants) = self.entries.get_mut(&url) else { return };
        let gone = variants.extract_if(.., |variant| variant.used == used);
        let gone: usize =
            gone.map(|variant| url.len() + variant.stored.size()).sum();
        self.bytes -= gone.min(self.bytes);
        if variants.is_empty() {
            self.entries.remove(&url);
        }
    }

    /// All responses with their URLs, the most recently used first.
    pub fn list(&self) -> impl Iterator<Item = (&str, &Arc<Stored>)> {
        self.order.iter().rev().filter_map(|(used, url)| {
            let variants = self.entries.get(url)?;
            let found = variants.iter().find(|v| v.used == *used)?;
            Some((&**url, &found.stored))
        })
    }

    /// How many responses, and how many bytes.
    pub fn size(&self) -> (usize, usize) {
        (self.order.len(), self.bytes)
    }
}
