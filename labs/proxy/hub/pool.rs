//! Idle connections to origins. All clients share them, because each handshake
//! that is saved is a round trip that is saved. (viva 10)

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use http::Reader;

use crate::watch;

/// An idle connection expires after 15 s. Most origins close it later, so it is
/// probably still open when the proxy uses it again.
const EXPIRES: Duration = Duration::from_secs(15);

/// Idle connections to one origin, and to all.
const MOST_EACH: usize = 64;
const MOST: usize = 256;

/// Origins remembered as speaking HTTP/1.0.
const MOST_HTTP10: usize = 1024;

/// The idle connections by origin (`host:port`), and the origins of HTTP/1.0.
#[derive(Default)]
pub struct Pool {
    idle: HashMap<String, Vec<(Instant, Reader)>>, // the latest last
    count: usize,
    http10: HashSet<String>,
}

impl Pool {
    /// Takes the connection that was idle for the shortest time, if it is still
    /// open. A connection with something to read cannot be used: it is the FIN,
    /// or bytes that belong to no request.
    pub fn take(&mut self, origin: &str) -> Option<Reader> {
        let idle = self.idle.get_mut(origin)?;
        while let Some((since, connection)) = idle.pop() {
            self.count -= 1;
            if is_good(since, &connection) {
                return Some(connection);
            }
        }
        None
    }

    /// Puts a connection into the pool. If the pool is full, it is closed.
    pub fn put(&mut self, origin: String, connection: Reader) {
        if self.count >= MOST {
            return; // dropping it closes it
        }
        let idle = self.idle.entry(origin).or_default();
        if idle.len() < MOST_EACH {
            idle.push((Instant::now(), connection));
            self.count += 1;
        }
    }

    /// Closes the connections that have expired or that the origin has closed.
    pub fn close_expired(&mut self) {
        self.idle.retain(|_, idle| {
            idle.retain(|(since, connection)| is_good(*since, connection));
            !idle.is_empty()
        });
        self.count = self.idle.values().map(Vec::len).sum();
    }

    /// Notes whether an origin speaks HTTP/1.0. This may change, because
    /// somebody may update the origin.
    pub fn set_http10(&mut self, origin: String, http10: bool) {
        if !http10 {
            self.http10.remove(&origin);
            return;
        }
        if self.http10.len() >= MOST_HTTP10 {
            self.http10.clear();
        }
        self.http10.insert(origin);
    }

    /// Was the last response of this origin HTTP/1.0?
    pub fn is_http10(&self, origin: &str) -> bool {
        self.http10.contains(origin)
    }

    /// Origins, and how many idle connections there are to each.
    pub fn list(&self) -> impl Iterator<Item = (&str, usize)> {
        self.idle.iter().map(|(origin, idle)| (&**origin, idle.len()))
    }
}

/// May a request still use this connection?
fn is_good(since: Instant, connection: &Reader) -> bool {
    since.elapsed() < EXPIRES && !watch::has_something(connection.socket())
}
