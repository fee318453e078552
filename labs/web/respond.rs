//! From a request to an answer: which method, which file, which part of it.
//! Nothing is sent here; send.rs does that.
//!
//! Interface: `respond(site, request)` gives an [`Answer`], whatever the
//! request; it touches the disk through files.rs and waits for nobody.

use std::ops::Range;
use std::sync::Arc;

use http::{Head, Request, Target, date};

use crate::conditional::{Verdict, judge, range_counts};
use crate::files::{Found, Missing, Resource};
use crate::page;
use crate::path::{self, SitePath, Wrong};
use crate::range::{self, Parts};
use crate::site::Site;

/// Names that a folder's list shows at most.
const MOST_LISTED: usize = 10_000;

/// An answer: its head as far as it does not depend on the connection, and
/// the body.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The head, without Connection and the empty line.
    pub head: Head,
    /// What follows the head.
    pub body: Body,
}

/// The body of an answer.
pub enum Body {
    /// None, not even of length 0: 204, 304.
    None,
    /// A page.
    Page(Vec<u8>),
    /// All of a file.
    File(Arc<Resource>),
    /// Parts of a file, each with what stands before it, and an end.
    Parts(Arc<Resource>, Vec<(String, Range<u64>)>, String),
}

impl Body {
    /// Bytes that Content-Length announces.
    pub fn length(&self) -> Option<u64> {
        match self {
            Body::None => None,
            Body::Page(page) => Some(page.len() as u64),
            Body::File(file) => Some(file.size),
            Body::Parts(_, parts, end) => {
                let part = |(before, part): &(String, Range<u64>)| {
                    before.len() as u64 + part.end - part.start
                };
                Some(parts.iter().map(part).sum::<u64>() + end.len() as u64)
            }
        }
    }
}

/// Answers a request whose syntax is in order.
pub fn respond(site: &Site, request: &Request) -> Answer {
    match request.method.as_str() {
        "GET" | "HEAD" => {}
        // What can be done here? Asked of `*`, it means the whole server.
        "OPTIONS" => {
            let head = head(204).field("Allow", "GET, HEAD, OPTIONS");
            return Answer { status: 204, head, body: Body::None };
        }
        "POST" | "PUT" | "DELETE" | "PATCH" | "TRACE" | "CONNECT" => {
            let mut answer = error(405, "Files can only be read here.");
            answer.head = answer.head.field("Allow", "GET, HEAD, OPTIONS");
            return answer;
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
        Err(Wrong::Bad(why)) => return error(400, why),
        Err(Wrong::Nowhere) => return not_found(target),
    };
    match site.files.find(&path.name) {
        Ok(Found::File(_)) if path.folder => not_found(target),
        Ok(Found::File(file)) => send_file(request, file),
        Ok(Found::Folder) if !path.folder => moved(&path, target),
        Ok(Found::Folder) => folder(site, request, &path),
        Err(missing) => failed(missing, target),
    }
}

/// A file: all of it, a part, or the news that the client has it already.
///                                                             [W-T2e]
fn send_file(request: &Request, file: Arc<Resource>) -> Answer {
    match judge(&request.fields, &file) {
        Verdict::Send => {}
        Verdict::NotModified => {
            let head = head(304).lines(&file.fields);
            return Answer { status: 304, head, body: Body::None };
        }
        Verdict::Failed => return error(412, "It has changed since."),
    }
    // Ranges are for GET; with HEAD the field means nothing.
    let range = request.fields.get("Range");
    let range = range.filter(|_| request.method == "GET");
    let wanted = match range {
        Some(field) if range_counts(&request.fields, &file) => {
            range::parse(field, file.size)
        }
        _ => Parts::Whole,
    };
    match wanted {
        Parts::Whole => {
            let head = head(200).lines(&file.fields);
            Answer { status: 200, head, body: Body::File(file) }
        }
        Parts::Unsatisfiable => {
            let mut answer = error(416, "The file has no such part.");
            let all = format!("bytes */{}", file.size);
            answer.head = answer.head.field("Content-Range", all);
            answer
        }
        Parts::Some(parts) => partial(file, parts),
    }
}

/// Status 206: one part is the body itself; several are a message of
/// messages, each with a head of its own.
fn partial(file: Arc<Resource>, parts: Vec<Range<u64>>) -> Answer {
    let of = |part: &Range<u64>| {
        format!("bytes {}-{}/{}", part.start, part.end - 1, file.size)
    };
    let (head, parts, end) = match parts.as_slice() {
        [only] => {
            let head = head(206).lines(&file.fields);
            let head = head.field("Content-Range", of(only));
            (head, vec![(String::new(), only.clone())], String::new())
        }
        parts => {
            // What separates the parts must not be in the file: no file has
            // its own time of change in it.
            let boundary = file.etag.trim_matches('"');
            // The fields without Content-Type: the parts have it.
            let fields = file.fields.split_once("\r\n");
            let kind = format!("multipart/byteranges; boundary={boundary}");
            let head = head(206)
                .field("Content-Type", kind)
                .lines(fields.map_or("", |(_, rest)| rest));
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
    Answer { status: 206, head, body: Body::Parts(file, parts, end) }
}

/// A folder without its slash: relative links on its page would be read as
/// if they belonged to the folder above. The slash comes by a redirect.
fn moved(path: &SitePath, target: &str) -> Answer {
    let query = target.find('?').and_then(|at| target.get(at..));
    let place = format!("/{}/{}", page::url(&path.name), query.unwrap_or(""));
    let mut answer = error(301, "A folder's address ends with a slash.");
    answer.head = answer.head.field("Location", place);
    answer
}

/// A folder: its index.html, or its list if that is wanted.
fn folder(site: &Site, request: &Request, path: &SitePath) -> Answer {
    let index = match path.name.as_str() {
        "" => "index.html".to_string(),
        name => format!("{name}/index.html"),
    };
    match site.files.find(&index) {
        Ok(Found::File(file)) => return send_file(request, file),
        Ok(Found::Folder) | Err(Missing::NotFound) => {}
        Err(missing) => return failed(missing, &index),
    }
    if !site.list {
        return error(403, "No index.html, and lists of folders are off.");
    }
    match site.files.list(&path.name, MOST_LISTED) {
        Ok((mut names, more)) => {
            names.retain(|name| site.dotfiles || !name.starts_with('.'));
            let page = page::listing(&path.name, &names, more);
            let head = head(200).lines(HTML);
            Answer { status: 200, head, body: Body::Page(page) }
        }
        Err(_) => error(403, "This server may not read the folder."),
    }
}

const HTML: &str = "Content-Type: text/html; charset=utf-8\r\n";

fn failed(missing: Missing, target: &str) -> Answer {
    match missing {
        Missing::NotFound => not_found(target),
        Missing::Forbidden(why) => error(403, why),
        Missing::Trouble => error(503, "The server is short of something."),
    }
}

/// An absent file.                                   [W-T2g] (viva 15)
fn not_found(target: &str) -> Answer {
    let path = target.split('?').next().unwrap_or_default();
    error(404, &format!("There is no {path} here."))
}

/// An answer that says what happened, in a sentence.
pub fn error(status: u16, sentence: &str) -> Answer {
    let head = head(status).lines(HTML);
    Answer { status, head, body: Body::Page(page::error(status, sentence)) }
}

fn head(status: u16) -> Head {
    Head::response(status).field("Date", date::now())
}
