//! The kept answers, in memory: by URL, several of one URL where the origin
//! VARIES by a request field, the least recently used one thrown out first.
//! Owned by the hub's thread alone.
//!
//! ```text
//!   entries: "http://h/x" -> [ Accept-Encoding: gzip | #7 ]
//!                            [ Accept-Encoding: -    | #9 ]
//!   order:   #7 -> "http://h/x"   oldest use first: the next to go
//!            #8 -> "http://h/y"
//! ```
//! Whether an answer may be used is not decided here: see freshness.rs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::Fields;

/// Answers of one URL that differ by request fields.
const MOST_VARIANTS: usize = 8;

/// What an entry costs beside its bytes: maps, allocations.
const OVERHEAD: usize = 512;

/// A whole answer. It never changes, so that threads can send it while the
/// cache has thrown it out.
#[derive(Debug)]
pub struct Stored {
    pub status: u16,
    pub reason: String,
    pub fields: Fields, // end to end, with ours of Via
    pub body: Arc<[u8]>,
    /// The request fields that Vary names, as they were.
    pub vary: Vec<(String, Vec<u8>)>,
    pub requested: i64, // when, in seconds since 1970
    pub received: i64,
}

impl Stored {
    /// The values of the fields by which this answer was chosen.
    pub fn chosen_by(
        response: &Fields,
        request: &Fields,
    ) -> Vec<(String, Vec<u8>)> {
        let names = response.list("Vary");
        let names = names.map(|name| String::from_utf8_lossy(name).into());
        names
            .map(|name: String| (name.clone(), joined(request, &name)))
            .collect()
    }

    /// This answer with what a 304 says anew. Its length does not change, and
    /// the 304's own might be 0.
    pub fn updated(&self, news: &Fields, times: (i64, i64)) -> Stored {
        let mut fields = self.fields.clone();
        fields.remove("Age");
        let mut seen: Vec<&str> = vec!["Content-Length"];
        for (name, value) in news.iter() {
            let again = |old: &&str| old.eq_ignore_ascii_case(name);
            match seen.iter().any(again) {
                true if name.eq_ignore_ascii_case("Content-Length") => {}
                true => fields.push(name, value),
                false => fields.set(name, value),
            }
            seen.push(name);
        }
        Stored {
            status: self.status,
            reason: self.reason.clone(),
            fields,
            body: self.body.clone(),
            vary: self.vary.clone(),
            requested: times.0,
            received: times.1,
        }
    }

    fn suits(&self, request: &Fields) -> bool {
        self.vary.iter().all(|(name, value)| joined(request, name) == *value)
    }

    fn size(&self) -> usize {
        let fields: usize =
            self.fields.iter().map(|(n, v)| n.len() + v.len() + 24).sum();
        let vary: usize =
            self.vary.iter().map(|(n, v)| n.len() + v.len() + 48).sum();
        self.body.len() + fields + vary + OVERHEAD
    }
}

/// All values of a field as one: blanks and lines do not count.
fn joined(fields: &Fields, name: &str) -> Vec<u8> {
    let values: Vec<&[u8]> = fields.list(name).collect();
    values.join(&b","[..])
}

struct Variant {
    used: u64, // its place in `order`
    stored: Arc<Stored>,
}

/// The cache.
pub struct Cache {
    entries: HashMap<Arc<str>, Vec<Variant>>,
    order: BTreeMap<u64, Arc<str>>,
    clock: u64,
    bytes: usize,
    most: usize,
}

impl Cache {
    /// At most so many bytes.
    pub fn new(most: usize) -> Cache {
        Cache {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            clock: 0,
            bytes: 0,
            most,
        }
    }

    /// The answer that suits this request, if there is one.
    pub fn find(&mut self, url: &str, request: &Fields) -> Option<Arc<Stored>> {
        let (url, _) = self.entries.get_key_value(url)?;
        let url = url.clone();
        let variants = self.entries.get_mut(&url)?;
        // The latest one that suits: the origin may have changed its mind
        // about what it varies by.
        let mut latest = variants.iter_mut().rev();
        let found = latest.find(|variant| variant.stored.suits(request))?;
        self.order.remove(&found.used);
        self.clock += 1;
        found.used = self.clock;
        self.order.insert(self.clock, url);
        Some(found.stored.clone())
    }

    /// Keeps an answer, in the place of one for the same requests.
    pub fn insert(&mut self, url: &str, stored: Arc<Stored>) {
        let url = match self.entries.get_key_value(url) {
            Some((url, _)) => url.clone(),
            None => Arc::from(url),
        };
        let variants = self.entries.entry(url.clone()).or_default();
        let mut leaving: Vec<u64> = variants
            .iter()
            .filter(|old| old.stored.vary == stored.vary)
            .map(|old| old.used)
            .collect();
        if variants.len() >= MOST_VARIANTS && leaving.is_empty() {
            leaving.extend(variants.iter().map(|old| old.used).min());
        }
        for used in leaving {
            self.drop_one(used);
        }
        self.clock += 1;
        self.bytes += url.len() + stored.size();
        let new = Variant { used: self.clock, stored };
        self.entries.entry(url.clone()).or_default().push(new);
        self.order.insert(self.clock, url);
        while self.bytes > self.most
            && let Some((&oldest, _)) = self.order.first_key_value()
        {
            self.drop_one(oldest);
        }
    }

    /// Forgets all answers of a URL: it was changed.
    pub fn remove(&mut self, url: &str) {
        let variants = self.entries.get(url).into_iter().flatten();
        let leaving: Vec<u64> = variants.map(|variant| variant.used).collect();
        for used in leaving {
            self.drop_one(used);
        }
    }

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

    /// All answers with their URLs, the most recently used first.
    pub fn list(&self) -> impl Iterator<Item = (&str, &Arc<Stored>)> {
        self.order.iter().rev().filter_map(|(used, url)| {
            let variants = self.entries.get(url)?;
            let found = variants.iter().find(|v| v.used == *used)?;
            Some((&**url, &found.stored))
        })
    }

    /// How many answers, and how many bytes.
    pub fn size(&self) -> (usize, usize) {
        (self.order.len(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(body: usize, encoding: &str) -> Arc<Stored> {
        let mut asked = Fields::new();
        asked.push("Accept-Encoding", encoding);
        let mut fields = Fields::new();
        fields.push("Vary", "Accept-Encoding");
        Arc::new(Stored {
            status: 200,
            reason: "OK".into(),
            vary: Stored::chosen_by(&fields, &asked),
            fields,
            body: Arc::from(vec![0; body]),
            requested: 0,
            received: 0,
        })
    }

    fn asking(encoding: &str) -> Fields {
        let mut fields = Fields::new();
        fields.push("accept-encoding", encoding);
        fields
    }

    #[test]
    fn variants_and_the_least_recently_used() {
        let mut cache = Cache::new(5000);
        cache.insert("a", stored(1000, "gzip, br"));
        cache.insert("a", stored(1001, ""));
        assert!(cache.find("a", &asking("gzip")).is_none());
        cache.insert("b", stored(1002, ""));
        let found = cache.find("a", &asking("gzip,br"));
        assert_eq!(found.map(|kept| kept.body.len()), Some(1000));
        // The one without gzip is the oldest now.
        cache.insert("c", stored(1003, ""));
        assert!(cache.find("a", &asking("")).is_none());
        assert!(cache.find("a", &asking("gzip, br")).is_some());
        cache.insert("c", stored(1004, "")); // in the place of the other
        assert_eq!(cache.size().0, 3);
        for url in ["a", "b", "c"] {
            cache.remove(url);
        }
        assert_eq!(cache.size(), (0, 0));
        cache.insert("d", stored(9000, "")); // larger than the cache
        assert_eq!(cache.size(), (0, 0));
    }

    #[test]
    fn the_latest_counts_when_the_origin_varies_no_more() {
        let mut cache = Cache::new(5000);
        cache.insert("a", stored(1000, "gzip"));
        let latest = Stored {
            status: 200,
            reason: "OK".into(),
            fields: Fields::new(),
            body: Arc::from(vec![0; 1001]),
            vary: Vec::new(),
            requested: 0,
            received: 0,
        };
        cache.insert("a", Arc::new(latest));
        for encoding in ["gzip", "br"] {
            let found = cache.find("a", &asking(encoding));
            assert_eq!(found.map(|kept| kept.body.len()), Some(1001));
        }
    }

    #[test]
    fn a_304_changes_fields_and_not_the_body() {
        let old = stored(3, "");
        let mut news = Fields::new();
        news.push("Content-Length", "0");
        news.push("Warning", "one");
        news.push("warning", "two");
        let new = old.updated(&news, (1, 2));
        assert_eq!(new.fields.get_all("Warning").count(), 2);
        assert!(!new.fields.has("Content-Length"));
        assert_eq!((new.body.len(), new.received), (3, 2));
    }
}
