//! Connections to origins that have nothing to do at the moment. A handshake
//! saved is a round trip saved, and all clients share them. (viva 10)

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use http::Reader;

use crate::watch;

/// A connection at rest is closed after so long; most origins wait longer.
const REST: Duration = Duration::from_secs(15);

/// At rest, for one origin and for all.
const MOST_EACH: usize = 64;
const MOST: usize = 256;

/// Origins remembered as old.
const MOST_OLD: usize = 1024;

#[derive(Default)]
pub struct Pool {
    idle: HashMap<String, Vec<(Instant, Reader)>>, // the latest last
    count: usize,
    old: HashSet<String>, // origins that speak HTTP/1.0
}

impl Pool {
    /// Takes the one that rested for the shortest time, if it still lives:
    /// an idle connection on which there is something to read has ended, or
    /// its origin speaks without being asked.
    pub fn take(&mut self, origin: &str) -> Option<Reader> {
        let resting = self.idle.get_mut(origin)?;
        while let Some((since, connection)) = resting.pop() {
            self.count -= 1;
            if since.elapsed() < REST
                && !watch::has_something(connection.socket())
            {
                return Some(connection);
            }
        }
        None
    }

    pub fn park(&mut self, origin: String, connection: Reader) {
        if self.count >= MOST {
            return; // dropping it closes it
        }
        let resting = self.idle.entry(origin).or_default();
        if resting.len() < MOST_EACH {
            resting.push((Instant::now(), connection));
            self.count += 1;
        }
    }

    /// Closes those that have rested too long, or were closed by the origin.
    pub fn close_old(&mut self) {
        self.idle.retain(|_, resting| {
            resting.retain(|(since, connection)| {
                since.elapsed() < REST
                    && !watch::has_something(connection.socket())
            });
            !resting.is_empty()
        });
        self.count = self.idle.values().map(Vec::len).sum();
    }

    /// An origin that speaks HTTP/1.0 does not know chunks. The next answer
    /// may say that it has learned: somebody updated it.
    pub fn set_old(&mut self, origin: String, old: bool) {
        if !old {
            self.old.remove(&origin);
            return;
        }
        if self.old.len() >= MOST_OLD {
            self.old.clear();
        }
        self.old.insert(origin);
    }

    pub fn is_old(&self, origin: &str) -> bool {
        self.old.contains(origin)
    }

    /// Origins, and how many connections to each.
    pub fn list(&self) -> impl Iterator<Item = (&str, usize)> {
        self.idle.iter().map(|(origin, resting)| (&**origin, resting.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use socketlab::net::TcpSocket;
    use std::net::SocketAddr;
    use watch::Seen;

    /// Long enough for any machine.
    const DEADLINE: Duration = Duration::from_secs(60);

    #[test]
    fn who_speaks_unasked_is_not_asked_again() -> socketlab::Result<()> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpSocket::new(any)?;
        listener.bind(any)?;
        listener.listen(1)?;
        let socket = TcpSocket::new(any)?;
        socket.connect(listener.local_addr()?)?;
        let (origin, _) = listener.accept()?;

        let mut pool = Pool::default();
        pool.park("origin".into(), Reader::new(socket.clone()));
        let connection = pool.take("origin");
        assert!(connection.is_some_and(|found| found.buffered().is_empty()));
        pool.park("origin".into(), Reader::new(socket.clone()));
        // Poison: it would be read as the answer to the next request.
        origin.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        let arrived = watch::either(&socket, &origin, DEADLINE)?;
        assert_eq!(arrived, Seen::Origin);
        assert!(pool.take("origin").is_none());
        assert_eq!(pool.count, 0);
        Ok(())
    }
}
