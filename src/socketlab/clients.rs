//! A thread per client: named after the peer, at most so many at once, a
//! panic contained, all ended when the server stops.
//!
//! ```text
//!  lab's accept loop                  Clients
//!    accept() -> Ok(client) --------> spawn()  -> thread "127.0.0.1:48437"
//!                                        | too many: told so, and closed a
//!                                        | moment later by the doorman
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

use std::collections::HashMap;
use std::io;
use std::mem;
use std::net::{Shutdown, SocketAddr};
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::{Condvar, Mutex};

use crate::net::{TcpSocket, WeakTcpSocket};
use crate::{Error, Result, args, console, say, signals, threads, warn};

/// Clients served at once unless `--max-clients` says otherwise.
pub const MAX_CLIENTS: usize = 1024;

/// Memory of a client's stack. Only pages that are touched cost anything.
const STACK: usize = 256 * 1024;

/// How long clients may go on after the signal, and after being cut: together
/// less than what [`signals`] allows.
const LAST_WORDS: Duration = Duration::from_millis(1200);
const AFTER_CUT: Duration = Duration::from_millis(300);

/// How long a thread without a client waits for the next one.
const KEPT: Duration = Duration::from_secs(2);

/// How long to wait when descriptors or threads have run out. Trying again
/// at once would keep a processor busy and help nobody.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(100);

/// How often it is said that they have run out.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Newcomers that were told that there is no room, and are not closed yet.
const AT_THE_DOOR: usize = 256;

/// How long they keep their connection. A close with bytes of theirs unread
/// sends RST, and the RST could overtake the sentence.
const AT_THE_DOOR_FOR: Duration = Duration::from_secs(1);

/// The clients of one server.
pub struct Clients {
    table: Arc<Table>,
    max: usize,
    no_room: &'static str,
    door: Sender<(TcpSocket, Instant)>,
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
    places: usize, // taken; whoever is in `live` may have vacated its own
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
        if max == 0 {
            args::usage("--max-clients 0 would serve nobody: give 1 or more");
        }
        let table = Arc::new(Table {
            entries: Mutex::new(Entries::default()),
            changed: Condvar::new(),
        });
        let (door, newcomers) = bounded(AT_THE_DOOR);
        thread::Builder::new()
            .name("doorman".into())
            .spawn(move || close_in_time(&newcomers))
            .map_err(|error| Error::new("spawn", "doorman", error))?;
        signals::on_signal(stopper(&table, listener))?;
        threads::report_panics();
        Ok(Clients { table, max, no_room, door, jobs: bounded(0) })
    }

    /// Runs `converse` in a thread of its own, unless there is no room or
    /// the system has no thread to give.
    pub fn spawn<F>(&self, client: TcpSocket, peer: SocketAddr, converse: F)
    where
        F: FnOnce(TcpSocket, SocketAddr) -> Result<()> + Send + 'static,
    {
        let Some(place) = self.enter(&client) else {
            let mut entries = self.table.entries.lock();
            if entries.stopping {
                return; // it closes, as all others do now
            }
            entries.refused += 1;
            let first = entries.refused == 1;
            drop(entries);
            self.turn_away(client);
            if first {
                say!("no room: {} clients, newcomers are told so", self.max);
            }
            return;
        };
        let handle = client.clone();
        let job = Job {
            peer,
            hold: Box::new(move || {
                // Leaves the table even if `converse` panics.
                let mut place = place;
                let talked = converse(handle, peer);
                place.vacate(); // the console may be stuck
                if let Err(error) = talked {
                    say!("[{peer}] lost: {error}");
                }
            }),
        };
        // From here on the client's thread holds the only handle.
        match self.hold(job) {
            Ok(()) => {
                let refused = mem::take(&mut self.table.entries.lock().refused);
                if refused > 0 {
                    say!("room again: {refused} turned away meanwhile");
                }
            }
            Err(error) => {
                self.complain(&Error::new("spawn", peer, error));
                self.turn_away(client);
                self.pause();
            }
        }
    }

    /// Gives the job to a thread that waits for one, or to a new thread.
    fn hold(&self, job: Job) -> io::Result<()> {
        let (kept, next) = &self.jobs;
        let (Err(TrySendError::Full(job))
        | Err(TrySendError::Disconnected(job))) = kept.try_send(job)
        else {
            return Ok(());
        };
        let next = next.clone();
        thread::Builder::new()
            .name(job.peer.to_string())
            .stack_size(STACK)
            .spawn(move || hold_conversations(job, &next))
            .map(drop)
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
            self.pause();
        }
        !self.is_stopping()
    }

    /// Waits a moment, or until a client leaves.
    fn pause(&self) {
        let mut entries = self.table.entries.lock();
        let pause = Instant::now() + OUT_OF_RESOURCES;
        self.table.changed.wait_until(&mut entries, pause);
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
    /// after a second or so is cut. Then says `bye`.
    pub fn finish(self) {
        self.finish_with(|| {});
    }

    /// The same; `last` is called when the clients have gone, before `bye`.
    pub fn finish_with(self, last: impl FnOnce()) {
        self.shut_down(Shutdown::Read);
        if self.wait_until_empty(LAST_WORDS).is_continue() {
            self.shut_down(Shutdown::Both);
            let _ = self.wait_until_empty(AFTER_CUT);
        }
        last();
        console::last_line("bye");
    }

    fn enter(&self, client: &TcpSocket) -> Option<Place> {
        let mut entries = self.table.entries.lock();
        if entries.places >= self.max || entries.stopping {
            return None;
        }
        entries.places += 1;
        let id = entries.next;
        entries.next += 1;
        entries.live.insert(id, client.downgrade());
        Some(Place { table: self.table.clone(), id, vacated: false })
    }

    /// Tells a newcomer that there is no room. Nothing here waits: the
    /// sentence fits into an empty send buffer, and the doorman closes.
    fn turn_away(&self, client: TcpSocket) {
        let _ = client.send_now(self.no_room.as_bytes());
        let _ = client.shutdown(Shutdown::Write);
        // With a crowd at the door this one is closed at once.
        let _ = self.door.try_send((client, Instant::now() + AT_THE_DOOR_FOR));
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
        threads::rename(job.peer.to_string());
        (job.hold)();
        match next.recv_timeout(KEPT) {
            Ok(next) => job = next,
            Err(_) => return,
        }
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
    vacated: bool,
}

impl Place {
    /// Makes room for the next client, while the last words about this one
    /// may still have to be said.
    fn vacate(&mut self) {
        if !mem::replace(&mut self.vacated, true) {
            self.table.entries.lock().places -= 1;
            self.table.changed.notify_all();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.vacate();
        self.table.entries.lock().live.remove(&self.id);
        self.table.changed.notify_all();
    }
}

/// The doorman: closes those who were turned away, when their time is up.
fn close_in_time(newcomers: &Receiver<(TcpSocket, Instant)>) {
    for (client, until) in newcomers {
        thread::sleep(until.saturating_duration_since(Instant::now()));
        client.close();
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
    fn a_stuck_console_keeps_no_place() -> Result<()> {
        let any = net::resolve_one("127.0.0.1", 0)?;
        let listener = TcpSocket::new(any)?;
        listener.bind(any)?;
        listener.listen(5)?;
        let clients = Clients::new(&listener, 1, "no room\n")?;
        // As long as this test holds stdout, nobody can print.
        let stuck = io::stdout().lock();
        let _peer = TcpStream::connect(listener.local_addr()?)?;
        let (client, address) = listener.accept()?;
        let lost = || Err(Error::other("a conversation that is told of"));
        clients.spawn(client, address, move |_, _| lost());
        let mut entries = clients.table.entries.lock();
        while entries.places > 0 {
            let soon = Duration::from_secs(10);
            let wait = clients.table.changed.wait_for(&mut entries, soon);
            assert!(!wait.timed_out(), "the place is not free");
        }
        drop((entries, stuck));
        let gone = clients.wait_until_empty(Duration::from_secs(10));
        assert!(gone.is_break(), "the thread has ended");
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
            no_room: "",
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
                assert_eq!(threads::name(), peer.to_string());
                let _ = told.send(thread::current().id());
                Ok(())
            });
            ids.insert(seen.recv().expect("a conversation"));
        }
        Ok(())
    }
}
