//! The proxy's own page, `http://proxy.local/`. It shows what the hub knows, as
//! HTML or as JSON (`/json`, or `Accept: application/json`).

use std::collections::VecDeque;
use std::sync::Arc;

use http::page::{escape, page};
use http::{Head, Request, date};
use serde::Serialize;

use crate::cache::freshness;
use crate::cache::memory::Cache;
use crate::cache::stored::Stored;
use crate::hub::pool::Pool;
use crate::record::{Record, Source};

/// Entries of the cache that the page shows.
const MOST_SHOWN: usize = 200;

/// Requests that the page shows.
const MOST_REMEMBERED: usize = 50;

/// The counters and the last requests.
#[derive(Default)]
pub struct History {
    counters: Counters,
    last: VecDeque<Record>, // the latest first
}

#[derive(Clone, Default, Serialize)]
struct Counters {
    requests: u64,
    hits: u64,
    misses: u64,
    revalidated: u64,
    tunnels: u64,
    refused: u64,
    bytes_sent: u64, // of bodies, to clients
}

impl History {
    /// Counts one more request.
    pub fn add(&mut self, record: Record) {
        let counters = &mut self.counters;
        counters.requests += 1;
        counters.bytes_sent += record.bytes;
        match record.source {
            Source::Hit => counters.hits += 1,
            Source::Miss => counters.misses += 1,
            Source::Revalidated => counters.revalidated += 1,
            Source::Tunnel => counters.tunnels += 1,
            Source::Refused => counters.refused += 1,
            Source::Origin | Source::Own => {}
        }
        self.last.truncate(MOST_REMEMBERED - 1);
        self.last.push_front(record);
    }
}

/// What the hub knows at one moment.
#[derive(Serialize)]
pub struct Report {
    counters: Counters,
    log_lines_dropped: u64,
    cache_objects: usize,
    cache_bytes: usize,
    cache: Vec<Object>,
    idle_connections: Vec<(String, usize)>, // for each origin
    last_requests: Vec<Record>,
}

/// An object in the cache.
#[derive(Serialize)]
struct Object {
    url: String,
    status: u16,
    bytes: usize,
    age: i64,      // in seconds
    lifetime: i64, // in seconds
    vary: String,
}

impl Object {
    /// What the page shows of one cached response.
    fn new(url: &str, stored: &Arc<Stored>, now: i64) -> Object {
        let names: Vec<&str> =
            stored.vary.iter().map(|(name, _)| name.as_str()).collect();
        Object {
            url: url.to_string(),
            status: stored.status,
            bytes: stored.body.len(),
            age: freshness::age(stored, now),
            lifetime: freshness::lifetime(stored),
            vary: names.join(", "),
        }
    }

    /// One line of the HTML page.
    fn line(&self) -> String {
        let Object { url, status, bytes, age, lifetime, vary } = self;
        let size = count(*bytes as u64, "byte", "bytes");
        format!("{url}: {status}, {size}, {age} of {lifetime} s {vary}")
    }
}

impl Report {
    /// Copies the state of the hub. A client thread makes the page from the
    /// copy, so that the hub does not spend its time on HTML.
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
            cache: shown.map(|(url, s)| Object::new(url, s, now)).collect(),
            idle_connections: idle.collect(),
            last_requests: history.last.iter().cloned().collect(),
        }
    }

    /// The response to a request for the proxy's own page: its status, its head
    /// without the fields of the hop, and its body.
    pub fn response(
        &self,
        request: &Request,
        path: &str,
    ) -> (u16, Head, String) {
        let accept = request.fields.text("Accept").unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        let (status, kind, body) = match path {
            _ if !matches!(request.method.as_str(), "GET" | "HEAD") => {
                (405, "text/plain", "Only GET and HEAD are supported.\n".into())
            }
            "/" if !accept.starts_with("application/json") => {
                (200, "text/html; charset=utf-8", self.html())
            }
            "/" | "/json" => {
                let json = serde_json::to_string_pretty(self);
                (200, "application/json", json.unwrap_or_default() + "\n")
            }
            _ => (404, "text/plain", "The proxy has / and /json.\n".into()),
        };
        let head = Head::response(status)
            .field("Date", date::now())
            .field("Content-Type", kind)
            .field("Cache-Control", "no-store");
        let head = match status {
            405 => head.field("Allow", "GET, HEAD"),
            _ => head,
        };
        (status, head, body)
    }

    /// The page. URLs come from clients, so list() escapes them.
    fn html(&self) -> String {
        let counters = &self.counters;
        let sums = [
            count(counters.requests, "request", "requests"),
            count(counters.hits, "hit", "hits"),
            count(counters.misses, "miss", "misses"),
            format!("{} revalidated", counters.revalidated),
            count(counters.tunnels, "tunnel", "tunnels"),
            format!("{} refused", counters.refused),
            count(counters.bytes_sent, "byte", "bytes") + " sent",
            count(self.log_lines_dropped, "log line", "log lines") + " dropped",
        ];
        let idle = self.idle_connections.iter();
        let content = format!(
            "<p>{}. <a href=\"json\">The same as JSON</a>.</p>\n{}{}{}",
            sums.join(", "),
            list("Last requests", self.last_requests.iter().map(Record::line)),
            list("Cache", self.cache.iter().map(Object::line)),
            list(
                "Idle connections",
                idle.map(|(name, n)| format!("{name}: {n}"))
            ),
        );
        page("socketlab proxy", &content)
    }
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn list(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: String =
        lines.map(|line| format!("<li>{}\n", escape(&line))).collect();
    format!("<h2>{title}</h2>\n<ul>\n{lines}</ul>\n")
}
