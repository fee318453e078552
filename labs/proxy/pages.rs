//! `http://proxy.local/`, as seen through the proxy: what it has done, as a
//! page and as JSON (`/json`, or `Accept: application/json`).

use socketlab::http::{Head, Request, date};

use crate::errors::escape_html;
use crate::report::Report;

/// The answer as bytes: head and body.
pub fn answer(
    request: &Request,
    path: &str,
    report: &Report,
) -> (u16, Vec<u8>, usize) {
    let accept = request.fields.text("Accept").unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let (status, kind, body) = match path {
        _ if !matches!(request.method.as_str(), "GET" | "HEAD") => {
            (405, "text/plain", "GET and HEAD alone are done here.\n".into())
        }
        "/" if !accept.starts_with("application/json") => {
            (200, "text/html; charset=utf-8", page(report))
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
        .field("Content-Length", body.len())
        .field("Cache-Control", "no-store");
    if status == 405 {
        head = head.field("Allow", "GET, HEAD");
    }
    if !request.keeps_alive() {
        head = head.field("Connection", "close");
    }
    let mut bytes = head.end();
    if request.method == "HEAD" {
        return (status, bytes, 0);
    }
    bytes.extend_from_slice(body.as_bytes());
    (status, bytes, body.len())
}

fn page(report: &Report) -> String {
    let counters = &report.counters;
    let mut kept = String::new();
    for entry in &report.cache {
        kept.push_str(&row(&[
            &entry.url,
            &entry.status.to_string(),
            &entry.bytes.to_string(),
            &format!("{} of {} s", entry.age, entry.lifetime),
            &entry.vary,
        ]));
    }
    let mut last = String::new();
    for record in &report.last_requests {
        last.push_str(&row(&[
            &record.client.to_string(),
            &record.method,
            &record.url,
            &record.status.to_string(),
            &record.bytes.to_string(),
            record.how,
            &format!("{} ms", record.milliseconds),
            &record.note,
        ]));
    }
    let mut resting = String::new();
    for (origin, count) in &report.origins_at_rest {
        resting.push_str(&row(&[origin, &count.to_string()]));
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n\
         <title>socketlab proxy</title>\n\
         <style>td, th {{ padding-right: 1em; text-align: left }}</style>\n\
         <h1>socketlab proxy</h1>\n\
         <p>{} requests: {} hits, {} misses, {} revalidated, {} tunnels, \
         {} refused. {} bytes sent. {} log lines dropped. \
         <a href=\"json\">The same as JSON</a>.</p>\n\
         <h2>Last requests</h2>\n<table>\n{}{last}</table>\n\
         <h2>Cache: {} objects, {} bytes</h2>\n<table>\n{}{kept}</table>\n\
         <h2>Connections at rest</h2>\n<table>\n{}{resting}</table>\n\
         </html>\n",
        counters.requests,
        counters.hits,
        counters.misses,
        counters.revalidated,
        counters.tunnels,
        counters.refused,
        counters.bytes_sent,
        report.log_lines_dropped,
        heading(&[
            "Client", "Method", "URL", "Status", "Bytes", "How", "Time",
            "Note",
        ]),
        report.cache_objects,
        report.cache_bytes,
        heading(&["URL", "Status", "Bytes", "Age", "Vary"]),
        heading(&["Origin", "Connections"]),
    )
}

fn heading(cells: &[&str]) -> String {
    row(cells).replace("td>", "th>")
}

fn row(cells: &[&str]) -> String {
    let mut row = String::from("<tr>");
    for cell in cells {
        row.push_str("<td>");
        row.push_str(&escape_html(cell));
        row.push_str("</td>");
    }
    row.push_str("</tr>\n");
    row
}
