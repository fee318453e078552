//! From a request to a response: which method, which file, which part of it;
//! and the pages that are not files, errors and lists of folders.
//!
//! Interface: `respond(site, request)` returns a [`Response`] for every
//! request. It reads the disk through files.rs and waits for no peer; send.rs
//! sends the response.
//!
//! What comes from a request or a file name is escaped: as HTML where a page
//! shows it, as a URL where it is a link.

use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use http::page::{escape, page};
use http::{Head, Request, Target, date, reason};
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::conditional::{Precondition, check, range_counts};
use crate::files::{Found, Listed, Missing, Resource};
use crate::path::{self, NoPath, SitePath};
use crate::range::{self, Ranges};
use crate::send::{Body, Response};
use crate::site::Site;

/// Names that a folder's list shows at most.
const MOST_LISTED: usize = 10_000;

/// What a URL may show as it is: RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Answers a request whose syntax is in order.
pub fn respond(site: &Site, request: &Request) -> Response {
    match request.method.as_str() {
        "GET" | "HEAD" => {}
        // What can be done here? Asked of `*`, it means the whole server.
        "OPTIONS" => {
            let head = head(204).field("Allow", "GET, HEAD, OPTIONS");
            return Response { status: 204, head, body: Body::None };
        }
        "POST" | "PUT" | "DELETE" | "PATCH" | "TRACE" | "CONNECT" => {
            let mut response = error(405, "Files can only be read here.");
            response.head = response.head.field("Allow", "GET, HEAD, OPTIONS");
            return response;
        }
        _ => return error(501, "This method is not known here."),
    }
    // A client that takes us for its proxy sends http://host/path: the path
    // counts. (The parser lets * and host:port pass for other methods only.)
    let target = match request.target() {
        Target::Origin(path) => path,
        Target::Absolute { path, .. } if path.starts_with('/') => path,
        _ => "/",
    };
    let path = match path::parse(target, site.dotfiles) {
        Ok(path) => path,
        Err(NoPath::Bad(why)) => return error(400, why),
        Err(NoPath::Nowhere) => return not_found(site, target),
    };
    match site.files.find(&path.name) {
        Ok(Found::File(_)) if path.folder => not_found(site, target),
        Ok(Found::File(file)) => send_file(request, file),
        Ok(Found::Folder) if !path.folder => moved(&path, target),
        Ok(Found::Folder) => folder(site, request, &path),
        Err(missing) => failed(site, missing, target),
    }
}

/// A file: all of it, a part, or 304 because the client has it already.
///                                                             [W-T2e]
fn send_file(request: &Request, file: Arc<Resource>) -> Response {
    match check(&request.fields, &file) {
        Precondition::Holds => {}
        Precondition::NotModified => {
            // The client has the other fields already (RFC 9110, 15.4.5).
            let head = head(304).field("ETag", &file.etag);
            return Response { status: 304, head, body: Body::None };
        }
        Precondition::Failed => return error(412, "It has changed since."),
    }
    // Ranges are for GET; with HEAD the field means nothing.
    let range = request.fields.get("Range");
    let range = range.filter(|_| request.method == "GET");
    let wanted = match range {
        Some(field) if range_counts(&request.fields, &file) => {
            range::parse(field, file.size)
        }
        _ => Ranges::All,
    };
    match wanted {
        Ranges::All => {
            let head = head(200).field("Content-Type", &file.kind);
            let head = head.lines(&file.fields);
            Response { status: 200, head, body: Body::File(file) }
        }
        Ranges::Unsatisfiable => {
            let mut response = error(416, "The file has no such part.");
            let all = format!("bytes */{}", file.size);
            response.head = response.head.field("Content-Range", all);
            response
        }
        Ranges::Some(parts) => partial(file, parts),
    }
}

/// Status 206: one part is the body itself; several are a message of
/// messages, each with a head of its own.
fn partial(file: Arc<Resource>, parts: Vec<Range<u64>>) -> Response {
    let of = |part: &Range<u64>| {
        format!("bytes {}-{}/{}", part.start, part.end - 1, file.size)
    };
    let (head, parts, end) = match parts.as_slice() {
        [only] => {
            let head = head(206)
                .field("Content-Type", &file.kind)
                .lines(&file.fields)
                .field("Content-Range", of(only));
            (head, vec![(String::new(), only.clone())], String::new())
        }
        parts => {
            // What separates the parts must not be in the file. 128 bits that
            // were drawn after it was written are not, unless by chance once
            // in 10^38 times. A file whose writer could know them, because
            // they are its size or its date, could forge a part.
            let boundary = format!("{:032x}", rand::random::<u128>());
            let kind = format!("multipart/byteranges; boundary={boundary}");
            let head =
                head(206).field("Content-Type", kind).lines(&file.fields);
            let part = |part: &Range<u64>| {
                let (kind, range) = (&file.kind, of(part));
                let before = format!(
                    "\r\n--{boundary}\r\nContent-Type: {kind}\r\n\
                     Content-Range: {range}\r\n\r\n"
                );
                (before, part.clone())
            };
            let parts = parts.iter().map(part).collect();
            (head, parts, format!("\r\n--{boundary}--\r\n"))
        }
    };
    Response { status: 206, head, body: Body::Parts(file, parts, end) }
}

/// A folder without its slash: relative links on its page would be read as
/// if they belonged to the folder above. The slash comes by a redirect.
fn moved(path: &SitePath, target: &str) -> Response {
    let query = target.find('?').and_then(|at| target.get(at..));
    let place = format!("/{}/{}", url(&path.name), query.unwrap_or(""));
    let mut response = error(301, "A folder's address ends with a slash.");
    response.head = response.head.field("Location", place);
    response
}

/// A folder: its index.html, or its list if that is wanted.
fn folder(site: &Site, request: &Request, path: &SitePath) -> Response {
    let mut index = path.name.clone();
    index.push(if index.is_empty() { "index.html" } else { "/index.html" });
    match site.files.find(&index) {
        Ok(Found::File(file)) => return send_file(request, file),
        Ok(Found::Folder) | Err(Missing::NotFound) => {}
        Err(missing) => return failed(site, missing, "/index.html"),
    }
    if !site.list {
        return error(403, "No index.html, and lists of folders are off.");
    }
    match site.files.list(&path.name, MOST_LISTED) {
        Ok((mut entries, more)) => {
            let hidden = |name: &OsString| name.as_bytes().starts_with(b".");
            entries.retain(|entry| site.dotfiles || !hidden(&entry.name));
            let page = listing(&path.name, &entries, more);
            let head = head(200).lines(HTML);
            Response { status: 200, head, body: Body::Page(page) }
        }
        Err(_) => error(403, "This server may not read the folder."),
    }
}

const HTML: &str = "Content-Type: text/html; charset=utf-8\r\n";

fn failed(site: &Site, missing: Missing, target: &str) -> Response {
    match missing {
        Missing::NotFound => not_found(site, target),
        Missing::Forbidden(why) => error(403, why),
        Missing::Trouble => error(503, "The server is short of something."),
    }
}

/// An absent file. The site may have a page of its own for this: 404.html.
///                                                   [W-T2g] (viva 15)
fn not_found(site: &Site, target: &str) -> Response {
    if let Ok(Found::File(page)) = site.files.find(OsStr::new("404.html")) {
        let head = head(404).field("Content-Type", &page.kind);
        return Response { status: 404, head, body: Body::File(page) };
    }
    let path = target.split('?').next().unwrap_or_default();
    error(404, &format!("There is no {path} here."))
}

/// A response that says in a sentence what happened.
pub fn error(status: u16, sentence: &str) -> Response {
    let head = head(status).lines(HTML);
    Response { status, head, body: Body::Page(error_page(status, sentence)) }
}

fn head(status: u16) -> Head {
    Head::response(status).field("Date", date::now())
}

/// An error page: the number, its name, and what happened.
fn error_page(status: u16, sentence: &str) -> Vec<u8> {
    let sentence = format!("<p>{}</p>", escape(sentence));
    page(&format!("{status} {}", reason(status)), &sentence).into_bytes()
}

/// The list of a folder; `path` is decoded, and "" for the root. `more`: the
/// folder holds more entries than were looked at.
fn listing(path: &OsStr, entries: &[Listed], more: bool) -> Vec<u8> {
    let mut list = String::from(
        "<style>th{text-align:left}td+td{text-align:right;padding-left:2rem}\
         </style>\n<table>\n<tr><th>Name<th>Bytes<th>Changed (UTC)\n",
    );
    if !path.is_empty() {
        list.push_str("<tr><td><a href=\"../\">../</a>\n");
    }
    for Listed { name, size, modified } in entries {
        let slash = if size.is_none() { "/" } else { "" };
        // "./" in front, or a file called "javascript:x" would be a script.
        let (link, shown) = (url(name), escape(&name.to_string_lossy()));
        let size = size.map(|size| size.to_string()).unwrap_or_default();
        let modified = modified.map(|time| {
            let time = time.to_zoned(TimeZone::UTC);
            time.strftime("%Y-%m-%d %H:%M").to_string()
        });
        let modified = modified.unwrap_or_default();
        list.push_str(&format!(
            "<tr><td><a href=\"./{link}{slash}\">{shown}{slash}</a>\
             <td>{size}<td>{modified}\n"
        ));
    }
    list.push_str("</table>\n");
    if more {
        let count = entries.len();
        list.push_str(&format!("<p>And more: {count} names are shown.</p>\n"));
    }
    page(&format!("/{}", path.to_string_lossy()), &list).into_bytes()
}

/// A path as a URL: `a b/ü` gives `a%20b/%C3%BC`.
fn url(path: &OsStr) -> String {
    percent_encode(path.as_bytes(), UNRESERVED).to_string()
}
