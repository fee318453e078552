//! `http://proxy.local/`, as seen through the proxy: what the hub knows, as a
//! page and as JSON (`/json`, or `Accept: application/json`).

use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::Arc;

use http::page::{escape, page};
use http::{Head, Request, date};
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

/// A number in front, which does not break; a URL, which may.
const STYLE: &str = "<style>th,td{text-align:left;vertical-align:top;\
    padding:.2rem .8rem .2rem 0}th,td:first-child{overflow-wrap:normal}\
    small{display:block}</style>";

/// What has been done so far.
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
    /// One more request was answered.
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

    fn row(&self) -> String {
        let size = size(self.bytes as u64);
        let mut note = format!("{size}, {} of {} s", self.age, self.lifetime);
        if !self.vary.is_empty() {
            note = format!("{note}, varies by {}", self.vary);
        }
        row(self.status, &self.url, &note)
    }
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
            cache: shown.map(|(url, s)| Object::new(url, s, now)).collect(),
            idle_connections: idle.collect(),
            last_requests: history.last.iter().cloned().collect(),
        }
    }

    /// The response to a request for the proxy's own page: its status, its
    /// head without what belongs to the hop, and its body.
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
        let last: String = self.last_requests.iter().map(request_row).collect();
        let cache: String = self.cache.iter().map(Object::row).collect();
        let idle = self.idle_connections.iter();
        let idle: String =
            idle.map(|(origin, count)| row(*count, origin, "")).collect();
        let content = format!(
            "{STYLE}\n<p>{}. <a href=\"json\">The same as JSON</a>.</p>\n\
             <h2>Last requests</h2>\n{}\
             <h2>Cache: {}, {}</h2>\n{}\
             <h2>Idle connections</h2>\n{}",
            sums.join(", "),
            table(["Answer", "Request"], &last),
            count(self.cache_objects as u64, "object", "objects"),
            count(self.cache_bytes as u64, "byte", "bytes"),
            table(["Answer", "URL"], &cache),
            table(["Number", "Origin"], &idle),
        );
        page("socketlab proxy", &content)
    }
}

fn request_row(record: &Record) -> String {
    let source: &str = record.source.into();
    let mut note = format!(
        "{source}, {}, {} ms, {}",
        size(record.bytes),
        record.milliseconds,
        record.client,
    );
    if !record.note.is_empty() {
        note = format!("{note}. {}", record.note);
    }
    let asked = format!("{} {}", record.method, record.url);
    row(record.status, &asked, &note)
}

fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn table(heading: [&str; 2], rows: &str) -> String {
    if rows.is_empty() {
        return "<p>None.</p>\n".into();
    }
    let heading = heading.map(|cell| format!("<th>{cell}</th>")).concat();
    format!("<table>\n<tr>{heading}</tr>\n{rows}</table>\n")
}

/// A row; `note` is small, below the text.
fn row(number: impl Display, text: &str, note: &str) -> String {
    let (text, note) = (escape(text), escape(note));
    format!("<tr><td>{number}</td><td>{text}<small>{note}</small></td></tr>\n")
}
