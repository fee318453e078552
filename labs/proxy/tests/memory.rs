//! Proves the cache's own rules, without sockets: what suits a request, what is
//! dropped first, and that nothing old is stored after a change.

use std::sync::Arc;

use http::Fields;
use proxy::cache::memory::Cache;
use proxy::cache::stored::Stored;

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

/// A fetch that begins and ends at once.
fn fetch(cache: &mut Cache, url: &str, stored: Arc<Stored>) {
    let number = cache.begin();
    cache.insert(url, number, stored);
}

fn length(cache: &mut Cache, url: &str, encoding: &str) -> Option<usize> {
    cache.find(url, &asking(encoding)).map(|found| found.body.len())
}

#[test]
fn variants_and_the_least_recently_used() {
    let mut cache = Cache::new(5000);
    fetch(&mut cache, "a", stored(1000, "gzip, br"));
    fetch(&mut cache, "a", stored(1001, ""));
    assert_eq!(length(&mut cache, "a", "gzip"), None);
    fetch(&mut cache, "b", stored(1002, ""));
    assert_eq!(length(&mut cache, "a", "gzip,br"), Some(1000));
    // The one without gzip was used least recently.
    fetch(&mut cache, "c", stored(1003, ""));
    assert_eq!(length(&mut cache, "a", ""), None);
    assert_eq!(length(&mut cache, "a", "gzip, br"), Some(1000));
    fetch(&mut cache, "c", stored(1004, "")); // in the place of the other
    assert_eq!(cache.size().0, 3);
    for url in ["a", "b", "c"] {
        cache.invalidate(url);
    }
    assert_eq!(cache.size(), (0, 0));
    fetch(&mut cache, "d", stored(9000, "")); // larger than the cache
    assert_eq!(cache.size(), (0, 0));
}

#[test]
fn the_latest_counts_after_the_origin_drops_vary() {
    let mut cache = Cache::new(5000);
    fetch(&mut cache, "a", stored(1000, "gzip"));
    let latest = Stored {
        status: 200,
        reason: "OK".into(),
        fields: Fields::new(),
        body: Arc::from(vec![0; 1001]),
        vary: Vec::new(),
        requested: 0,
        received: 0,
    };
    fetch(&mut cache, "a", Arc::new(latest));
    for encoding in ["gzip", "br"] {
        assert_eq!(length(&mut cache, "a", encoding), Some(1001));
    }
}

#[test]
fn what_was_requested_before_a_change_is_refused_after_it() {
    let mut cache = Cache::new(5000);
    let (before, other) = (cache.begin(), cache.begin());
    cache.invalidate("a");
    cache.insert("a", before, stored(1000, ""));
    assert_eq!(length(&mut cache, "a", ""), None);
    cache.insert("b", other, stored(1001, "")); // not changed
    assert_eq!(length(&mut cache, "b", ""), Some(1001));
    fetch(&mut cache, "a", stored(1002, ""));
    assert_eq!(length(&mut cache, "a", ""), Some(1002));
    // More changes than are remembered: rather nothing than the wrong.
    let before = cache.begin();
    cache.invalidate("c");
    for number in 0..4096 {
        cache.invalidate(&number.to_string());
    }
    cache.insert("c", before, stored(1003, ""));
    assert_eq!(length(&mut cache, "c", ""), None);
    fetch(&mut cache, "c", stored(1004, ""));
    assert_eq!(length(&mut cache, "c", ""), Some(1004));
}

#[test]
fn a_slow_fetch_does_not_replace_a_later_one() {
    let mut cache = Cache::new(5000);
    let slow = cache.begin();
    fetch(&mut cache, "a", stored(1001, ""));
    cache.insert("a", slow, stored(1000, ""));
    assert_eq!(length(&mut cache, "a", ""), Some(1001));
    cache.insert("a", slow, stored(1002, "gzip")); // another variant
    assert_eq!(length(&mut cache, "a", "gzip"), Some(1002));
}

#[test]
fn a_304_changes_fields_and_not_the_body() {
    let old = Stored {
        status: 200,
        reason: "OK".into(),
        fields: Fields::new(),
        body: Arc::from(&b"abc"[..]),
        vary: Vec::new(),
        requested: 0,
        received: 0,
    };
    let mut news = Fields::new();
    news.push("Content-Length", "0");
    news.push("Warning", "one");
    news.push("warning", "two");
    let new = old.updated(&news, (1, 2));
    assert_eq!(new.fields.get_all("Warning").count(), 2);
    assert!(!new.fields.has("Content-Length"));
    assert_eq!((new.body.len(), new.received), (3, 2));
}
