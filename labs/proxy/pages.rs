//! `http://proxy.local/`, as seen through the proxy: what it has done, as a
//! page and as JSON (`/json`, or `Accept: application/json`).

use std::fmt::Display;

use http::page::{escape, page};
use http::{Head, Request, date};

use crate::hub::report::{Cached, Report};
use crate::record::Record;

/// A number in front, which does not break; a URL, which may.
const STYLE: &str = "<style>th,td{text-align:left;vertical-align:top;\
    padding:.2rem .8rem .2rem 0}th,td:first-child{overflow-wrap:normal}\
    small{display:block}</style>";

/// The response: its status, its head without what belongs to the hop, and its
/// body.
pub fn response(
    request: &Request,
    path: &str,
    report: &Report,
) -> (u16, Head, String) {
    let accept = request.fields.text("Accept").unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let (status, kind, body) = match path {
        _ if !matches!(request.method.as_str(), "GET" | "HEAD") => {
            (405, "text/plain", "GET and HEAD alone are done here.\n".into())
        }
        "/" if !accept.starts_with("application/json") => {
            (200, "text/html; charset=utf-8", overview(report))
        }
        "/" | "/json" => {
            let json = serde_json::to_string_pretty(report);
            (200, "application/json", json.unwrap_or_default() + "\n")
        }
        _ => (404, "text/plain", "The proxy has / and /json.\n".into()),
    };
    let mut head = Head::response(status)
        .field("Date", date::now())
        .field("Content-Type", kind)
        .field("Cache-Control", "no-store");
    if status == 405 {
        head = head.field("Allow", "GET, HEAD");
    }
    (status, head, body)
}

fn overview(report: &Report) -> String {
    let counters = &report.counters;
    let sums = [
        count(counters.requests, "request", "requests"),
        count(counters.hits, "hit", "hits"),
        count(counters.misses, "miss", "misses"),
        format!("{} revalidated", counters.revalidated),
        count(counters.tunnels, "tunnel", "tunnels"),
        format!("{} refused", counters.refused),
        count(counters.bytes_sent, "byte", "bytes") + " sent",
        count(report.log_lines_dropped, "log line", "log lines") + " dropped",
    ];
    let last: String = report.last_requests.iter().map(request).collect();
    let cache: String = report.cache.iter().map(object).collect();
    let idle = report.idle_connections.iter();
    let idle: String =
        idle.map(|(origin, count)| row(*count, origin, "")).collect();
    let content = format!(
        "{STYLE}\n<p>{}. <a href=\"json\">The same as JSON</a>.</p>\n\
         <h2>Last requests</h2>\n{}\
         <h2>Cache: {}, {}</h2>\n{}\
         <h2>Idle connections</h2>\n{}",
        sums.join(", "),
        table(["Answer", "Request"], &last),
        count(report.cache_objects as u64, "object", "objects"),
        count(report.cache_bytes as u64, "byte", "bytes"),
        table(["Answer", "URL"], &cache),
        table(["Number", "Origin"], &idle),
    );
    page("socketlab proxy", &content)
}

fn request(record: &Record) -> String {
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

fn object(cached: &Cached) -> String {
    let size = size(cached.bytes as u64);
    let mut note = format!("{size}, {} of {} s", cached.age, cached.lifetime);
    if !cached.vary.is_empty() {
        note = format!("{note}, varies by {}", cached.vary);
    }
    row(cached.status, &cached.url, &note)
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

/// A row; `note` stands small below the text.
fn row(number: impl Display, text: &str, note: &str) -> String {
    let (text, note) = (escape(text), escape(note));
    format!("<tr><td>{number}</td><td>{text}<small>{note}</small></td></tr>\n")
}
