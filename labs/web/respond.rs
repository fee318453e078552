//! From a request to a response: which method, which file, which part of it?
//! It also composes the pages that are not files: errors and lists of folders.
//!
//! Interface: `respond(site, request)` returns a [`Response`] for every
//! request. It reads files through files.rs and never waits for the client.
//! send.rs sends the response.
//!
//! Text from a request or a file name is escaped: as HTML if a page shows it,
//! as a URL if it is a link. Otherwise a file name could contain a script.

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

/// A folder's list shows at most this many names.
const MOST_LISTED: usize = 10_000;

/// All characters but these: a URL may contain RFC 3986's unreserved
/// characters without `%`, and `/` between the names.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// Returns the response to a request whose syntax is correct.
pub fn respond(site: &Site, request: &Request) -> Response {
    match request.method.as_str() {
        "GET" | "HEAD" => {}
        // The client asks which methods we support. The target `*` means the
        // server itself. The response is the same for every target.
        "OPTIONS" => {
            let head = head(204).field("Allow", "GET, HEAD, OPTIONS");
            return Response { status: 204, head, body: Body::None };
        }
        // Methods that HTTP defines but that this server does not support.
        // RFC 9110 demands the field Allow in a response with 405.
        "POST" | "PUT" | "DELETE" | "PATCH" | "TRACE" | "CONNECT" => {
            let why = "This server only reads files: use GET or HEAD.";
            let mut response = error(405, why);
            response.head = response.head.field("Allow", "GET, HEAD, OPTIONS");
            return response;
        }
        _ => return error(501, "This server does not know this method."),
    }
    // A client that uses us as its proxy sends http://host/path. We use only
    // the path. (The parser allows * and host:port for other methods only.)
    let target = match request.target() {
        Target::Origin(path) => path,
        Target::Absolute { path, .. } if path.starts_with('/') => path,
        _ => "/",
    };
    // From here on the name is safe: no `..`, no NUL, no leading slash.
    let path = match path::parse(target, site.dotfiles) {
        Ok(path) => path,
        Err(NoPath::Bad(why)) => return error(400, why),
        Err(NoPath::Nowhere) => return not_found(site, target),
    };
    // A slash at the end means a folder: `/a.html/` is not the file a.html,
    // and `/tiles` must become `/tiles/` before its links work.
    match site.files.find(&path.name) {
        Ok(Found::File(_)) if path.folder => not_found(site, target),
        Ok(Found::File(file)) => send_file(request, file),
        Ok(Found::Folder) if !path.folder => moved(&path, target),
        Ok(Found::Folder) => folder(site, request, &path),
        Err(missing) => failed(site, missing, target),
    }
}

/// The response for a file: all of it, a part, or 304 without a body if the
/// client's copy is still good.
///                                                             [W-T2e]
fn send_file(request: &Request, file: Arc<Resource>) -> Response {
    match check(&request.fields, &file) {
        Precondition::Holds => {}
        Precondition::NotModified => {
            // The client has the other fields already (RFC 9110, 15.4.5).
            let head = head(304).field("ETag", &file.etag);
            return Response { status: 304, head, body: Body::None };
        }
        Precondition::Failed => {
            return error(412, "The file has changed since you read it.");
        }
    }
    // Range is defined for GET only. With HEAD the field is ignored.
    let range = request.fields.get("Range");
    let range = range.filter(|_| request.method == "GET");
    // If-Range may say that Range counts only for an older version of the
    // file. Then the client gets all of the new version.
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
        // Content-Range tells the client how long the file really is.
        Ranges::Unsatisfiable => {
            let mut response = error(416, "The file has no such part.");
            let all = format!("bytes */{}", file.size);
            response.head = response.head.field("Content-Range", all);
            response
        }
        Ranges::Some(parts) => partial(file, parts),
    }
}

/// Status 206. If there is one part, it is the body. If there are several,
/// the body is a sequence of parts, each with a head of its own.
fn partial(file: Arc<Resource>, parts: Vec<Range<u64>>) -> Response {
    // Rust's ranges end before `end`, but HTTP names the last byte: 0-99.
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
            // The boundary separates the parts, so it must not occur in the
            // file. We draw 128 random bits for each response and do not
            // search the file: even if it has 2^40 bytes, it contains these
            // 32 digits with a probability below 2^-88. If they came from the
            // file's size or date, the author of the file could put the
            // boundary into it and so forge a part.
            let boundary = format!("{:032x}", rand::random::<u128>());
            let kind = format!("multipart/byteranges; boundary={boundary}");
            let head =
                head(206).field("Content-Type", kind).lines(&file.fields);
            // Each part begins with the boundary and a small head of its own.
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

/// A folder that was asked for without its slash: redirect to the address
/// with the slash. Otherwise the browser would resolve the relative links on
/// its page against the folder above.
fn moved(path: &SitePath, target: &str) -> Response {
    // The query stays after the slash: `/tiles?a` becomes `/tiles/?a`.
    let query = target.find('?').and_then(|at| target.get(at..));
    let location = format!("/{}/{}", url(&path.name), query.unwrap_or(""));
    let mut response = error(301, "A folder's address ends with a slash.");
    response.head = response.head.field("Location", location);
    response
}

/// A folder: its index.html, or its list if the server has `--list`.
fn folder(site: &Site, request: &Request, path: &SitePath) -> Response {
    // "" is the root, so no slash may come before its index.html.
    let mut index = path.name.clone();
    index.push(if index.is_empty() { "index.html" } else { "/index.html" });
    match site.files.find(&index) {
        Ok(Found::File(file)) => return send_file(request, file),
        Ok(Found::Folder) | Err(Missing::NotFound) => {}
        Err(missing) => return failed(site, missing, "/index.html"),
    }
    if !site.list {
        let why = "The folder has no index.html, and --list is not set.";
        return error(403, why);
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

/// The field for each page that the server has composed.
const HTML: &str = "Content-Type: text/html; charset=utf-8\r\n";

/// The response if a path leads to nothing that can be sent.
fn failed(site: &Site, missing: Missing, target: &str) -> Response {
    match missing {
        Missing::NotFound => not_found(site, target),
        Missing::Forbidden(why) => error(403, why),
        Missing::Trouble => {
            error(503, "The server cannot open the file now. Try again later.")
        }
    }
}

/// An absent file. The site may have its own page for this: 404.html.
///                                                   [W-T2g] (viva 15)
fn not_found(site: &Site, target: &str) -> Response {
    if let Ok(Found::File(page)) = site.files.find(OsStr::new("404.html")) {
        let head = head(404).field("Content-Type", &page.kind);
        return Response { status: 404, head, body: Body::File(page) };
    }
    let path = target.split('?').next().unwrap_or_default();
    error(404, &format!("This server has no file {path}."))
}

/// An error response, with a page that says in a sentence what happened.
pub fn error(status: u16, sentence: &str) -> Response {
    let head = head(status).lines(HTML);
    Response { status, head, body: Body::Page(error_page(status, sentence)) }
}

/// The beginning of every head: the status line and the date.
fn head(status: u16) -> Head {
    Head::response(status).field("Date", date::now())
}

/// An error page: the number, its name, and what happened.
fn error_page(status: u16, sentence: &str) -> Vec<u8> {
    let sentence = format!("<p>{}</p>", escape(sentence));
    page(&format!("{status} {}", reason(status)), &sentence).into_bytes()
}

/// The list of a folder. `path` is decoded, and "" for the root. `more`: the
/// folder has more entries than the list shows.
fn listing(path: &OsStr, entries: &[Listed], more: bool) -> Vec<u8> {
    let mut list = String::from(
        "<style>th{text-align:left}td+td{text-align:right;padding-left:2rem}\
         </style>\n<table>\n<tr><th>Name<th>Bytes<th>Changed (UTC)\n",
    );
    // The root has no folder above it that a client may see.
    if !path.is_empty() {
        list.push_str("<tr><td><a href=\"../\">../</a>\n");
    }
    for Listed { name, size, modified } in entries {
        // A folder has no size. Its link ends with a slash, so that the
        // browser needs no redirect.
        let slash = if size.is_none() { "/" } else { "" };
        // The link begins with "./". Without it, a browser would run a file
        // called "javascript:x" as a script.
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
        let note = format!("<p>The list shows only {count} names.</p>\n");
        list.push_str(&note);
    }
    page(&format!("/{}", path.to_string_lossy()), &list).into_bytes()
}

/// A path as a URL: `a b/ü` becomes `a%20b/%C3%BC`.
fn url(path: &OsStr) -> String {
    percent_encode(path.as_bytes(), UNRESERVED).to_string()
}
