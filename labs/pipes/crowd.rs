//! A thread per client of a Unix-domain socket, bounded, and ended when the
//! server stops: src/socketlab/clients.rs in small, which is made for TCP.
//!
//! ```text
//! accept loop -- spawn() --> thread: converse(client)
//!     | full: false, and the loop turns the client away
//! SIGINT, SIGTERM -> shutdown(listener): accept() fails, and the loop
//! calls finish(): end of stream for all, cut off a second later
//! ```

use std::collections::{HashMap, VecDeque};
use std::io::ErrorKind::ConnectionAborted;
use std::io::Write;
use std::net::Shutdown;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use socket2::Socket;
use socketlab::{Error, Result, say, signals, warn};

/// Memory of a client's stack. Only pages that are touched cost anything.
const STACK: usize = 256 * 1024;

/// How long clients may go on after the signal, and after being cut.
const LAST_WORDS: Duration = Duration::from_millis(1200);
const AFTER_CUT: Duration = Duration::from_millis(300);

/// How long to wait when descriptors or threads have run out.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(100);

/// How often it is said that they have run out.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Newcomers that were turned away and are not closed yet, and how long they
/// are kept: one that speaks first would die of EPIPE before it reads why.
const AT_THE_DOOR: usize = 256;
const AT_THE_DOOR_FOR: Duration = Duration::from_secs(1);

/// The clients of one server.
pub struct Crowd {
    table: Arc<Table>,
    max: usize,
}

struct Table {
    entries: Mutex<Entries>,
    changed: Condvar,
}

#[derive(Default)]
struct Entries {
    /// Weak: who closes a client's socket is its thread, and nobody else.
    live: HashMap<u64, Weak<Socket>>,
    next: u64,
    stopping: bool,
    complained: Option<Instant>,
    door: VecDeque<(Socket, Instant)>,
}

impl Crowd {
    /// At most `max` clients at once. From now on SIGINT and SIGTERM make
    /// accept() on `listener` fail (Linux).
    pub fn new(listener: &Arc<Socket>, max: usize) -> Result<Crowd> {
        let table = Arc::new(Table {
            entries: Mutex::new(Entries::default()),
            changed: Condvar::new(),
        });
        let (at_signal, listener) = (table.clone(), listener.clone());
        signals::on_signal(move || {
            at_signal.entries.lock().stopping = true;
            at_signal.changed.notify_all();
            let _ = listener.shutdown(Shutdown::Both);
        })?;
        Ok(Crowd { table, max })
    }

    /// Is there a place for one more?
    pub fn has_room(&self) -> bool {
        self.table.entries.lock().live.len() < self.max
    }

    /// Tells a newcomer why not, which fits into an empty buffer, and ends
    /// our direction. Closed it is when later ones come.
    pub fn turn_away(&self, client: Socket, why: &str) {
        let _ = client.set_nonblocking(true);
        let _ = (&client).write(why.as_bytes());
        let _ = client.shutdown(Shutdown::Write);
        let mut entries = self.table.entries.lock();
        let door = &mut entries.door;
        while door.front().is_some_and(|(_, since)| {
            door.len() >= AT_THE_DOOR || since.elapsed() > AT_THE_DOOR_FOR
        }) {
            door.pop_front();
        }
        door.push_back((client, Instant::now()));
    }

    /// Runs `converse` in a thread of its own, which then closes the socket.
    pub fn spawn<F>(&self, client: Socket, peer: String, converse: F)
    where
        F: FnOnce(Arc<Socket>, &str) -> Result<()> + Send + 'static,
    {
        let client = Arc::new(client);
        let place = self.enter(&client);
        let name = peer.clone();
        let spawned = thread::Builder::new()
            .name(peer)
            .stack_size(STACK)
            .spawn(move || {
                // Leaves the table even if `converse` panics.
                let (_place, peer) = (place, name);
                if let Err(error) = converse(client, &peer) {
                    say!("[{peer}] lost: {error}");
                }
            });
        if let Err(error) = spawned {
            self.complain(&Error::new("spawn", "client", error));
        }
    }

    /// After a failed accept(): whether to call it again.
    pub fn keep_accepting(&self, error: &Error) -> bool {
        if !self.is_stopping() && error.kind() != ConnectionAborted {
            self.complain(error); // no descriptors left, for instance
        }
        !self.is_stopping()
    }

    /// Ends every conversation. A client's next recv() says end of stream;
    /// what it sent before is still read and answered.
    pub fn finish(self) {
        self.shut_down(Shutdown::Read);
        if !self.is_empty_within(LAST_WORDS) {
            self.shut_down(Shutdown::Both);
            self.is_empty_within(AFTER_CUT);
        }
    }

    fn is_stopping(&self) -> bool {
        self.table.entries.lock().stopping
    }

    /// Says an error, not too often, and waits a moment, or until a client
    /// leaves: nothing else can help.
    fn complain(&self, error: &Error) {
        let mut entries = self.table.entries.lock();
        let recent = |said: Instant| said.elapsed() < COMPLAIN_EVERY;
        if !entries.complained.is_some_and(recent) {
            entries.complained = Some(Instant::now());
            drop(entries); // a stuck console must not hold the table
            warn!("{error}");
            entries = self.table.entries.lock();
        }
        let until = Instant::now() + OUT_OF_RESOURCES;
        self.table.changed.wait_until(&mut entries, until);
    }

    fn enter(&self, client: &Arc<Socket>) -> Place {
        let mut entries = self.table.entries.lock();
        let id = entries.next;
        entries.next += 1;
        entries.live.insert(id, Arc::downgrade(client));
        Place { table: self.table.clone(), id }
    }

    fn shut_down(&self, how: Shutdown) {
        let entries = self.table.entries.lock();
        for client in entries.live.values().filter_map(Weak::upgrade) {
            let _ = client.shutdown(how);
        }
    }

    fn is_empty_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut entries = self.table.entries.lock();
        while !entries.live.is_empty() {
            if self.table.changed.wait_until(&mut entries, deadline).timed_out()
            {
                return false;
            }
        }
        true
    }
}

/// A client's entry in the table, for as long as its thread runs.
struct Place {
    table: Arc<Table>,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.table.entries.lock().live.remove(&self.id);
        self.table.changed.notify_all();
    }
}
