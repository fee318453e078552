//! What the proxy records of one request: a line of the log, and a row of the
//! proxy's own page.

use std::net::SocketAddr;

use serde::Serialize;
use socketlab::console;

/// Longer methods and URLs are shortened in the log.
const LONGEST_METHOD: usize = 20;
const LONGEST_URL: usize = 200;

/// Where a response came from.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(into = "&'static str")]
pub enum Source {
    /// The cache.
    Hit,
    /// The origin, because the cache had nothing.
    Miss,
    /// The cache, after the origin has confirmed the copy with a 304.
    Revalidated,
    /// The origin; the cache was not asked.
    Origin,
    /// The origin, through a tunnel.
    Tunnel,
    /// The proxy's own pages.
    Own,
    /// The proxy: a page that says what went wrong.
    Refused,
}

impl From<Source> for &'static str {
    fn from(source: Source) -> &'static str {
        match source {
            Source::Hit => "HIT",
            Source::Miss => "MISS",
            Source::Revalidated => "REVALIDATED",
            Source::Origin => "-",
            Source::Tunnel => "tunnel",
            Source::Own => "own",
            Source::Refused => "refused",
        }
    }
}

/// One request and its result.
#[derive(Clone, Serialize)]
pub struct Record {
    /// The client's address.
    pub client: SocketAddr,
    /// `GET`, as the client wrote it.
    pub method: String,
    /// The URL; for a tunnel `host:port`.
    pub url: String,
    /// The status that the client got; 0 if the client left before.
    pub status: u16,
    /// Bytes of the body that were sent to the client.
    pub bytes: u64,
    /// Where the response came from.
    #[serde(rename = "how")]
    pub source: Source,
    /// From the end of the request's head to the end of the response.
    pub milliseconds: u128,
    /// What went wrong, if anything did.
    pub note: String,
}

impl Record {
    /// The record of a request before anything is known of its response.
    pub fn new(client: SocketAddr, method: &str, url: &str) -> Record {
        Record {
            client,
            method: method.into(),
            url: url.into(),
            status: 0,
            bytes: 0,
            source: Source::Origin,
            milliseconds: 0,
            note: String::new(),
        }
    }

    /// The line of the log, without a newline.
    pub fn line(&self) -> String {
        let note = match self.note.is_empty() {
            true => String::new(),
            false => format!(": {}", console::escape(self.note.as_bytes())),
        };
        let source: &str = self.source.into();
        format!(
            "[{}] {} {} -> {} {} bytes {source} {} ms{note}",
            self.client,
            console::escape_short(self.method.as_bytes(), LONGEST_METHOD),
            console::escape_short(self.url.as_bytes(), LONGEST_URL),
            self.status,
            self.bytes,
            self.milliseconds,
        )
    }
}
