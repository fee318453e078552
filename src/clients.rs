//! A thread per client: named after the peer, at most so many at once, a
//! panic contained, all ended when the server stops.
//!
//! ```text
//!  lab's accept loop                  Clients
//!    accept() -> Ok(client) --------> spawn()  -> thread "127.0.0.1:48437"
//!                                        | too many: told so and closed by
//!                                        |           the doorman's thread
//!    accept() -> Err(error) --------> keep_accepting()  -> false: stopping
//!    finish()   <- SIGINT, SIGTERM
//! ```
//!
//! A thread whose client has left waits a moment for the next one: to make a
//! thread costs more than many a short conversation. Nothing passes from one
//! client to the other but the stack.
//!
//! The table of clients is behind one lock, not owned by a hub: threads only
//! enter and leave it, and nobody waits for a peer while holding it.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::ops::ControlFlow::{self, Break, Continue};
use std::panic;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::{Condvar, Mutex};

use crate::net::{TcpSocket, WeakTcpSocket};
use crate::{Error, Result, say, stop, warn};

/// Clients served at once unless `--max-clients` says otherwise.
pub const MAX_CLIENTS: usize = 1024;

/// Memory of a client's stack. Only pages that are touched cost anything.
const STACK: usize = 256 * 1024;

/// How long clients may go on after the signal, and after being cut.
const LAST_WORDS: Duration = Duration::from_millis(1500);
const AFTER_CUT: Duration = Duration::from_millis(400);

/// How long a thread without a client waits for the next one.
const KEPT: Duration = Duration::from_secs(2);

/// How long to wait when descriptors or threads have run out. Trying again
/// at once would keep a processor busy and help nobody.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(100);

/// How often it is said that they have run out.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Newcomers that wait to be told that there is no room.
const DOORMAN_QUEUE: usize = 64;

/// The clients of one server.
pub struct Clients {
    table: Arc<Table>,
    max: usize,
    door: Sender<TcpSocket>,
    /// No queue: a job is handed over only to a thread that waits for one.
    jobs: (Sender<Job>, Receiver<Job>),
}

/// A conversation to be held.
struct Job {
    peer: SocketAddr,
    hold: Box<dyn FnOnce() + Send>,
}

struct Table {
    entries: Mutex<Entries>,
    changed: Condvar,
}

#[derive(Default)]
struct Entries {
    live: HashMap<u64, WeakTcpSocket>,
    next: u64,
    stopping: bool,
    refused: u64, // since the server was last not full
    complained: Option<Instant>, // when resources were last said to be out
}

impl Clients {
    /// Serves at most `max` clients at once; a newcomer beyond that is sent
    /// `no_room`, a sentence in the lab's own protocol, and closed. From now
    /// on SIGINT and SIGTERM make `accept` on `listener` fail, upon which
    /// [`keep_accepting`](Self::keep_accepting) says no.
    pub fn new(
        listener: &TcpSocket,
        max: usize,
        no_room: &'static str,
    ) -> Result<Clients> {
        let table = Arc::new(Table {
            entries: Mutex::new(Entries::default()),
            changed: Condvar::new(),
        });
        let (door, newcomers) = bounded(DOORMAN_QUEUE);
        thread::Builder::new()
            .name("doorman".into())
            .spawn(move || turn_away(&newcomers, no_room))
            .map_err(|error| Error::new("spawn", "doorman", error))?;
        stop::on_signal(stopper(&table, listener))?;
        panic::set_hook(Box::new(|panic| {
            warn!(
                "[{}] {panic}: a bug; this conversation alone ends",
                thread_name()
            );
        }));
        Ok(Clients { table, max, door, jobs: bounded(0) })
    }

    /// Runs `converse` in a thread of its own, unless there is no room or
    /// the system has no thread to give.
    pub fn spawn<F>(&self, client: TcpSocket, peer: SocketAddr, converse: F)
    where
        F: FnOnce(TcpSocket, SocketAddr) -> Result<()> + Send + 'static,
    {
        let Some(place) = self.enter(&client) else {
            return self.refuse(client);
        };
        let handle = client.clone();
        let job = Job {
            peer,
            hold: Box::new(move || {
                // Leaves the table even if `converse` panics.
                let _place = place;
                match converse(handle, peer) {
                    Ok(()) => {}
                    Err(error) => say!("[{peer}] lost: {error}"),
                }
            }),
        };
        let (kept, next) = &self.jobs;
        let (Err(TrySendError::Full(job))
        | Err(TrySendError::Disconnected(job))) = kept.try_send(job)
        else {
            return; // a thread had waited for it
        };
        let next = next.clone();
        let spawned = thread::Builder::new()
            .name(peer.to_string())
            .stack_size(STACK)
            .spawn(move || hold_conversations(job, &next));
        // From here on the client's thread holds the only handle.
        if let Err(error) = spawned {
            self.complain(&Error::new("spawn", peer, error));
            self.refuse(client);
        }
    }

    /// After a failed `accept`: whether to call it again. False only when
    /// the server is stopping. A client that went away while it was queued
    /// (ECONNABORTED) costs nothing; when descriptors or memory ran out
    /// (EMFILE, ENFILE, ENOBUFS, ENOMEM) it is said once in a while, and the
    /// server pauses, because only a client that leaves can help.
    pub fn keep_accepting(&self, error: &Error) -> bool {
        if self.is_stopping() {
            return false;
        }
        if error.kind() != io::ErrorKind::ConnectionAborted {
            self.complain(error);
            let mut entries = self.table.entries.lock();
            let pause = Instant::now() + OUT_OF_RESOURCES;
            self.table.changed.wait_until(&mut entries, pause);
        }
        !self.is_stopping()
    }

    /// Has SIGINT or SIGTERM arrived?
    pub fn is_stopping(&self) -> bool {
        self.table.entries.lock().stopping
    }

    /// Makes the server stop as a signal does: for a lab whose protocol has
    /// a command for it.
    pub fn stopper(
        &self,
        listener: &TcpSocket,
    ) -> impl Fn() + Clone + Send + use<> {
        stopper(&self.table, listener)
    }

    /// Ends every conversation: each client's next `recv` says end of stream
    /// (what it sent before is still read and answered); who is not done
    /// after a second and a half is cut. Then says `bye`.
    pub fn finish(self) {
        self.shut_down(Shutdown::Read);
        if self.wait_until_empty(LAST_WORDS).is_continue() {
            self.shut_down(Shutdown::Both);
            let _ = self.wait_until_empty(AFTER_CUT);
        }
        say!("bye");
    }

    fn enter(&self, client: &TcpSocket) -> Option<Place> {
        let mut entries = self.table.entries.lock();
        if entries.live.len() >= self.max || entries.stopping {
            return None;
        }
        let refused = std::mem::take(&mut entries.refused);
        let id = entries.next;
        entries.next += 1;
        entries.live.insert(id, client.downgrade());
        drop(entries);
        if refused > 0 {
            say!("room again: {refused} refused meanwhile");
        }
        Some(Place { table: self.table.clone(), id })
    }

    fn refuse(&self, client: TcpSocket) {
        let mut entries = self.table.entries.lock();
        entries.refused += 1;
        let first = entries.refused == 1;
        drop(entries);
        if first {
            say!("no room: {} clients, newcomers are told so", self.max);
        }
        match self.door.try_send(client) {
            // A crowd at the door: closed without a word.
            Ok(()) | Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    /// Says an error, unless that was done a moment ago: while descriptors
    /// are short, every accept fails.
    fn complain(&self, error: &Error) {
        let mut entries = self.table.entries.lock();
        let recent = |said: Instant| said.elapsed() < COMPLAIN_EVERY;
        if !entries.complained.is_some_and(recent) {
            entries.complained = Some(Instant::now());
            drop(entries);
            warn!("{error}");
        }
    }

    fn shut_down(&self, how: Shutdown) {
        let entries = self.table.entries.lock();
        let clients: Vec<TcpSocket> =
            entries.live.values().filter_map(WeakTcpSocket::upgrade).collect();
        drop(entries);
        for client in clients {
            let _ = client.shutdown(how);
        }
    }

    fn wait_until_empty(&self, limit: Duration) -> ControlFlow<()> {
        let deadline = Instant::now() + limit;
        let mut entries = self.table.entries.lock();
        while !entries.live.is_empty() {
            let wait = self.table.changed.wait_until(&mut entries, deadline);
            if wait.timed_out() {
                return Continue(());
            }
        }
        Break(())
    }
}

/// The life of a thread: one client, and then others as long as they come
/// soon enough. A panic ends it, and with it one conversation only.
fn hold_conversations(first: Job, next: &Receiver<Job>) {
    let mut job = first;
    loop {
        PEER.set(Some(job.peer));
        (job.hold)();
        match next.recv_timeout(KEPT) {
            Ok(next) => job = next,
            Err(_) => return,
        }
        // For `top -H` and debuggers; the first name came with the thread.
        #[cfg(target_os = "linux")]
        if let Ok(name) = std::ffi::CString::new(job.peer.to_string()) {
            let _ = rustix::thread::set_name(&name);
        }
    }
}

thread_local! {
    static PEER: Cell<Option<SocketAddr>> = const { Cell::new(None) };
}

/// Whose conversation this thread holds: the peer's address. For other
/// threads, their own name.
pub fn thread_name() -> String {
    match PEER.get() {
        Some(peer) => peer.to_string(),
        None => thread::current().name().unwrap_or("?").into(),
    }
}

/// Marks the server as stopping and wakes whoever waits: `accept`, a pause.
fn stopper(
    table: &Arc<Table>,
    listener: &TcpSocket,
) -> impl Fn() + Clone + Send + use<> {
    let (table, listener) = (table.clone(), listener.clone());
    move || {
        table.entries.lock().stopping = true;
        table.changed.notify_all();
        listener.stop_listening();
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

/// The doorman: one thread tells all who find no room, so that the accept
/// loop never waits for them.
fn turn_away(newcomers: &Receiver<TcpSocket>, no_room: &str) {
    for client in newcomers {
        // Fits into an empty send buffer, so this does not wait.
        let _ = client.send_all(no_room.as_bytes());
        client.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net;
    use std::io::Read;
    use std::net::TcpStream;

    #[test]
    fn a_panic_ends_one_conversation_and_frees_its_place() -> Result<()> {
        let any = net::resolve_one("127.0.0.1", 0)?;
        let listener = TcpSocket::new(any)?;
        listener.bind(any)?;
        listener.listen(5)?;
        let clients = Clients::new(&listener, 1, "no room\n")?;
        let mut told = Vec::new();
        for turn in 0..2 {
            let mut peer = TcpStream::connect(listener.local_addr()?)?;
            let (client, address) = listener.accept()?;
            clients.spawn(client, address, move |client, _| {
                assert!(turn > 0, "a bug in the conversation");
                client.send_all(b"served")
            });
            peer.read_to_end(&mut told)?; // the panic closed its socket
            let gone = clients.wait_until_empty(Duration::from_secs(10));
            assert!(gone.is_break(), "the place is free");
        }
        assert_eq!(told, b"served");
        Ok(())
    }

    #[test]
    fn a_thread_is_kept_for_the_next_client() -> Result<()> {
        let clients = Clients {
            table: Arc::new(Table {
                entries: Mutex::new(Entries::default()),
                changed: Condvar::new(),
            }),
            max: 10,
            door: bounded(1).0,
            jobs: bounded(0),
        };
        let any = net::resolve_one("127.0.0.1", 0)?;
        let listener = TcpSocket::new(any)?;
        listener.bind(any)?;
        listener.listen(5)?;
        let (told, seen) = bounded(1);
        let mut ids = std::collections::HashSet::new();
        // A thread is back in time for the next client mostly, not always.
        let mut count = 0;
        while ids.len() == count {
            count += 1;
            assert!(count < 10_000, "a new thread for every client");
            let _peer = TcpStream::connect(listener.local_addr()?)?;
            let (client, address) = listener.accept()?;
            let told = told.clone();
            clients.spawn(client, address, move |_, peer| {
                assert_eq!(thread_name(), peer.to_string());
                let _ = told.send(thread::current().id());
                Ok(())
            });
            ids.insert(seen.recv().expect("a conversation"));
        }
        Ok(())
    }
}
