//! A thread for each client: it has the peer's address as its name, their
//! number is bounded, a panic ends only its own conversation, and all end when
//! the server stops. This works for TCP and Unix-domain sockets; the trait
//! [`Connection`] has what both need. [X-THREAD]
//!
//! ```text
//!  lab's accept loop                  Clients
//!    accept() -> Ok(client) --------> spawn()  -> thread "127.0.0.1:48437"
//!                                        | no slot free: refused with a
//!                                        | sentence, closed a second later
//!    accept() -> Err(error) --------> keep_accepting()  -> false: stopping
//!    finish()   <- SIGINT, SIGTERM
//! ```
//!
//! A server for one client, which ends after it has served it:
//!
//! ```
//! use std::io::Read;
//! use std::net::TcpStream;
//!
//! use socketlab::clients::Clients;
//! use socketlab::net::{self, TcpSocket};
//!
//! # fn main() -> socketlab::Result<()> {
//! let address = net::resolve_one("127.0.0.1", 0)?;
//! let listener = TcpSocket::new(address)?;
//! listener.bind(address)?;
//! listener.listen(5)?;
//! let clients = Clients::new(&listener, 100, "no room\n")?;
//! let stop = clients.stopper(&listener);
//!
//! let mut peer = TcpStream::connect(listener.local_addr()?)?;
//! loop {
//!     match listener.accept() {
//!         Ok((client, peer)) => {
//!             let stop = stop.clone();
//!             clients.spawn(client, peer, move |client, _| {
//!                 client.send_all(b"hello\n")?;
//!                 stop(); // accept() fails from now on
//!                 Ok(())
//!             });
//!         }
//!         Err(error) if clients.keep_accepting(&error) => {}
//!         Err(_) => break,
//!     }
//! }
//! clients.finish(); // ends whoever is left, and prints `bye`
//! let mut heard = String::new();
//! peer.read_to_string(&mut heard)?;
//! assert_eq!(heard, "hello\n");
//! # Ok(())
//! # }
//! ```
//!
//! A thread whose client has left waits a moment for the next client, because a
//! new thread costs more than a short conversation. The two clients share
//! nothing but the stack.
//!
//! When the server stops, a conversation that waits for its client gets end of
//! stream at once. One that works on a request, see [`request`], may finish it
//! first. What is not finished by then is cut, and the log has `cut by the
//! stop`, because the client did not leave.
//!
//! One lock guards the table of clients. A hub thread is not needed, because
//! threads only add and remove entries, and no thread waits for a peer while it
//! holds the lock.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Display;
use std::io;
use std::mem;
use std::net::Shutdown;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::{Condvar, Mutex};
use rustix::net::{SendFlags, send};
use socket2::Socket;

use crate::net::{self, TcpSocket};
use crate::{Error, Result, args, console, say, signals, threads, warn};

/// Clients served at once unless `--max-clients` says otherwise.
pub const MAX_CLIENTS: usize = 1024;

/// Memory of a client's stack. Only pages that are used cost memory.
const STACK: usize = 256 * 1024;

/// How long clients may still work after the signal, and how long their threads
/// may after the connections are cut: two seconds together, which is less than
/// [`signals`] allows.
const LAST_WORDS: Duration = Duration::from_millis(1700);
const AFTER_CUT: Duration = Duration::from_millis(300);

/// How long a thread without a client waits for the next one.
const IDLE_THREAD: Duration = Duration::from_secs(2);

/// How long to wait without a free descriptor or thread. Trying again at once
/// would only keep a processor busy.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(100);

/// How often the server prints that they have run out.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Refused clients whose connections are not closed yet.
const MAX_LINGERING: usize = 256;

/// How long a refused client keeps its connection. close() with unread bytes
/// sends RST, which could destroy the sentence before the client reads it.
const LINGERING: Duration = Duration::from_secs(1);

/// What [`Clients`] needs of a socket, a client's or the listener's. A clone
/// is a second handle to the same kernel socket, which is closed with the
/// last handle.
pub trait Connection: Clone + Send + Sync + 'static {
    /// Sends a sentence, and then FIN. It never waits, because the sentence
    /// fits into an empty send buffer.
    fn refuse(&self, sentence: &str);

    /// `shutdown()`: wakes a thread that waits in `recv` or `send` on this
    /// socket; its call returns end of stream or an error.
    fn end(&self, how: Shutdown);

    /// A function that does the same without a handle, so that the client's own
    /// thread decides when the socket is closed.
    fn ender(&self) -> Ender;

    /// Makes `accept` on this listener fail, now and from now on.
    fn stop_listening(&self);

    /// `close()`, if this is the last handle.
    fn close(self);
}

/// Ends one connection, as long as it is open: see [`Connection::ender`].
pub type Ender = Arc<dyn Fn(Shutdown) + Send + Sync>;

/// TCP.
impl Connection for TcpSocket {
    fn refuse(&self, sentence: &str) {
        let _ = self.send_now(sentence.as_bytes());
        let _ = self.shutdown(Shutdown::Write);
    }

    fn end(&self, how: Shutdown) {
        let _ = self.shutdown(how);
    }

    fn ender(&self) -> Ender {
        let weak = self.downgrade();
        Arc::new(move |how| {
            if let Some(socket) = weak.upgrade() {
                socket.end(how);
            }
        })
    }

    fn stop_listening(&self) {
        TcpSocket::stop_listening(self);
    }

    fn close(self) {
        TcpSocket::close(self);
    }
}

/// A Unix-domain socket, or any other stream that socket2 has.
impl Connection for Arc<Socket> {
    fn refuse(&self, sentence: &str) {
        let data = sentence.as_bytes();
        let _ = net::step("send", Some(self), "…, MSG_DONTWAIT", || {
            Ok(send(&**self, data, SendFlags::DONTWAIT)?)
        });
        self.end(Shutdown::Write);
    }

    fn end(&self, how: Shutdown) {
        let _ = Socket::shutdown(self, how);
    }

    fn ender(&self) -> Ender {
        let weak = Arc::downgrade(self);
        Arc::new(move |how| {
            if let Some(socket) = weak.upgrade() {
                socket.end(how);
            }
        })
    }

    /// On Linux this ends a waiting `accept`; on other systems the next client
    /// does.
    fn stop_listening(&self) {
        self.end(Shutdown::Both);
    }

    fn close(self) {
        if let Some(socket) = Arc::into_inner(self) {
            net::close(socket);
        }
    }
}

/// The clients of one server.
pub struct Clients {
    table: Arc<Table>,
    max: usize,
    no_room: &'static str,
    lingering: Sender<(Close, Instant)>,
    /// Not a queue: a job is passed only to a thread that waits for one.
    jobs: (Sender<Job>, Receiver<Job>),
}

/// Closes a refused client's connection.
type Close = Box<dyn FnOnce() + Send>;

/// A client to serve, and the function that serves it.
struct Job {
    name: String, // the peer's, and the thread's
    hold: Box<dyn FnOnce() + Send>,
}

struct Table {
    entries: Mutex<Entries>,
    changed: Condvar,
    stopping: AtomicBool,
}

/// A client that is served.
struct Live {
    end: Ender,
    in_request: AtomicBool,
    cut: AtomicBool, // by the stop, because it was not done in time
}

#[derive(Default)]
struct Entries {
    live: HashMap<u64, Arc<Live>>,
    slots: usize, // taken; a client in `live` may have freed its own already
    next: u64,
    refused: u64, // since the server was last not full
    complained: Option<Instant>, // when resources were last said to be out
}

impl Clients {
    /// Serves at most `max` clients at once; a client beyond that is sent
    /// `no_room`, a sentence in the lab's own protocol, and closed. From now on
    /// SIGINT and SIGTERM make `accept` on `listener` fail, and then
    /// [`keep_accepting`](Self::keep_accepting) returns false.
    pub fn new(
        listener: &impl Connection,
        max: usize,
        no_room: &'static str,
    ) -> Result<Clients> {
        if max == 0 {
            args::usage("--max-clients 0 would serve nobody: give 1 or more");
        }
        let table = Arc::new(Table::new());
        let (lingering, refused) = bounded(MAX_LINGERING);
        thread::Builder::new()
            .name("lingering".into())
            .spawn(move || close_in_time(&refused))
            .map_err(|error| Error::new("spawn", "lingering", error))?;
        signals::on_signal(stopper(&table, listener))?;
        threads::report_panics();
        Ok(Clients { table, max, no_room, lingering, jobs: bounded(0) })
    }

    /// Runs `converse` in a thread of its own, unless all slots are in use or
    /// the system cannot create a thread. `peer` is the client's name, as the
    /// server prints it.
    pub fn spawn<S, P, F>(&self, client: S, peer: P, converse: F)
    where
        S: Connection,
        P: Display + Send + 'static,
        F: FnOnce(S, P) -> Result<()> + Send + 'static,
    {
        let Some(slot) = self.enter(&client) else {
            if self.is_stopping() {
                return; // it closes, as all others do now
            }
            let mut entries = self.table.entries.lock();
            entries.refused += 1;
            let first = entries.refused == 1;
            drop(entries);
            self.refuse(client, self.no_room);
            if first {
                say!("no room: {} clients; new clients are refused", self.max);
            }
            return;
        };
        // The thread takes the client; without a thread this one takes it back.
        let client = Arc::new(Mutex::new(Some(client)));
        let (handle, name) = (client.clone(), peer.to_string());
        let job = Job {
            name: name.clone(),
            hold: Box::new(move || {
                // Leaves the table even if `converse` panics.
                let mut slot = slot;
                let Some(client) = handle.lock().take() else { return };
                slot.make_current();
                let result = converse(client, peer);
                slot.free(); // the console may be stuck
                if slot.live.cut.load(Ordering::SeqCst) {
                    say!("[{name}] {CUT}");
                } else if let Err(error) = result {
                    // While the server stops, it has caused the end of stream
                    // itself.
                    match error.errno() {
                        None if is_stopping() => say!("[{name}] {CUT}"),
                        _ => say!("[{name}] lost: {error}"),
                    }
                }
            }),
        };
        if let Err(error) = self.hold(job) {
            self.complain(&error);
            if let Some(client) = client.lock().take() {
                self.refuse(client, self.no_room);
            }
            return self.pause();
        }
        let refused = mem::take(&mut self.table.entries.lock().refused);
        if refused > 0 {
            say!("room again: {refused} turned away meanwhile");
        }
    }

    /// Gives the job to a thread that waits for one, or to a new thread.
    fn hold(&self, job: Job) -> Result<()> {
        let (idle, next) = &self.jobs;
        let (Err(TrySendError::Full(job))
        | Err(TrySendError::Disconnected(job))) = idle.try_send(job)
        else {
            return Ok(());
        };
        let (name, next) = (job.name.clone(), next.clone());
        thread::Builder::new()
            .name(name.clone())
            .stack_size(STACK)
            .spawn(move || hold_conversations(job, &next))
            .map_err(|error| Error::new("spawn", name, error))?;
        Ok(())
    }

    /// Refuses a client that may not be served: sends the reason, a sentence
    /// in the lab's own protocol, and closes the connection a second later.
    /// Never waits.
    pub fn refuse(&self, client: impl Connection, reason: &str) {
        client.refuse(reason);
        let close: Close = Box::new(move || client.close());
        // If too many refused clients are still open, this one is closed at
        // once.
        let _ = self.lingering.try_send((close, Instant::now() + LINGERING));
    }

    /// After a failed `accept`: whether to call it again. False only when
    /// the server is stopping. A client that went away while it was queued
    /// (ECONNABORTED) costs nothing. When descriptors or memory ran out
    /// (EMFILE, ENFILE, ENOBUFS, ENOMEM), the server prints this from time to
    /// time and waits until a client leaves.
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
    fn is_stopping(&self) -> bool {
        self.table.stopping.load(Ordering::SeqCst)
    }

    /// Makes the server stop as a signal does: for a lab whose protocol has
    /// a command for it.
    pub fn stopper<L: Connection>(
        &self,
        listener: &L,
    ) -> impl Fn() + Clone + Send + use<L> {
        stopper(&self.table, listener)
    }

    /// Ends every conversation: each thread's next `recv` returns end of stream
    /// (bytes that arrived before are still read and answered); inside a
    /// [`request`] only after it. Connections that are still open after 1.7 s
    /// are cut. Then prints `bye`.
    pub fn finish(self) {
        self.finish_with(|| {});
    }

    /// The same; `last` is called when the clients have gone, before `bye`.
    pub fn finish_with(self, last: impl FnOnce()) {
        // From now on each client that enters or begins a request is seen.
        self.table.stopping.store(true, Ordering::SeqCst);
        for live in self.live() {
            if !live.in_request.load(Ordering::SeqCst) {
                (live.end)(Shutdown::Read);
            }
        }
        if self.wait_until_empty(LAST_WORDS).is_continue() {
            for live in self.live() {
                live.cut.store(true, Ordering::SeqCst);
                (live.end)(Shutdown::Both);
            }
            let _ = self.wait_until_empty(AFTER_CUT);
        }
        last();
        console::last_line("bye");
    }

    fn enter(&self, client: &impl Connection) -> Option<Slot> {
        let mut entries = self.table.entries.lock();
        if entries.slots >= self.max || self.is_stopping() {
            return None;
        }
        entries.slots += 1;
        let id = entries.next;
        entries.next += 1;
        let live = Arc::new(Live {
            end: client.ender(),
            in_request: AtomicBool::new(false),
            cut: AtomicBool::new(false),
        });
        entries.live.insert(id, live.clone());
        Some(Slot { table: self.table.clone(), live, id, is_free: false })
    }

    /// Prints an error, unless one was printed a moment ago, because without a
    /// free descriptor every accept fails.
    fn complain(&self, error: &Error) {
        let mut entries = self.table.entries.lock();
        let recent = |said: Instant| said.elapsed() < COMPLAIN_EVERY;
        if !entries.complained.is_some_and(recent) {
            entries.complained = Some(Instant::now());
            drop(entries);
            warn!("{error}");
        }
    }

    fn live(&self) -> Vec<Arc<Live>> {
        self.table.entries.lock().live.values().cloned().collect()
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

/// The words in the log for a conversation that the server itself ended.
const CUT: &str = "cut by the stop";

thread_local! {
    /// The conversation that this thread holds.
    static CURRENT: RefCell<Option<(Arc<Table>, Arc<Live>)>> =
        const { RefCell::new(None) };
}

/// Is the server stopping whose client this thread serves? Then the client did
/// not send the end of stream that `recv` reports. Always false in a thread
/// that serves no client.
pub fn is_stopping() -> bool {
    CURRENT.with_borrow(|current| {
        current
            .as_ref()
            .is_some_and(|(table, _)| table.stopping.load(Ordering::SeqCst))
    })
}

/// Why `recv` reported end of stream, for the log: `left: end of stream` when
/// the client closed, `cut by the stop` when this server is stopping.
pub fn end_of_stream() -> &'static str {
    if is_stopping() { CUT } else { "left: end of stream" }
}

/// From now on this thread's conversation works on a request, until the value
/// is dropped. When the server stops meanwhile, it still reads and answers
/// this request, if that takes less than 1.7 s.
pub fn request() -> InRequest {
    CURRENT.with_borrow(|current| {
        let current = current.clone();
        if let Some((_, live)) = &current {
            live.in_request.store(true, Ordering::SeqCst);
        }
        InRequest(current)
    })
}

/// A request in work: see [`request`].
pub struct InRequest(Option<(Arc<Table>, Arc<Live>)>);

impl Drop for InRequest {
    fn drop(&mut self) {
        let Some((table, live)) = &self.0 else { return };
        live.in_request.store(false, Ordering::SeqCst);
        // The stop did not end this conversation, so it ends itself.
        if table.stopping.load(Ordering::SeqCst) {
            (live.end)(Shutdown::Read);
        }
    }
}

/// The work of a thread: one client, then others if they come soon enough. A
/// panic ends the thread and one conversation.
fn hold_conversations(first: Job, next: &Receiver<Job>) {
    let mut job = first;
    loop {
        threads::rename(job.name);
        (job.hold)();
        threads::rename("idle".into());
        match next.recv_timeout(IDLE_THREAD) {
            Ok(next) => job = next,
            Err(_) => return,
        }
    }
}

/// Marks the server as stopping, and wakes `accept` and pauses.
fn stopper<L: Connection>(
    table: &Arc<Table>,
    listener: &L,
) -> impl Fn() + Clone + Send + use<L> {
    let (table, listener) = (table.clone(), listener.clone());
    move || {
        table.stopping.store(true, Ordering::SeqCst);
        // A thread that is about to wait for `changed` holds this lock.
        drop(table.entries.lock());
        table.changed.notify_all();
        listener.stop_listening();
    }
}

/// A client's entry in the table, for as long as its thread runs.
struct Slot {
    table: Arc<Table>,
    live: Arc<Live>,
    id: u64,
    is_free: bool,
}

impl Table {
    fn new() -> Table {
        Table {
            entries: Mutex::new(Entries::default()),
            changed: Condvar::new(),
            stopping: AtomicBool::new(false),
        }
    }
}

impl Slot {
    /// This thread serves the client from now on.
    fn make_current(&self) {
        CURRENT.set(Some((self.table.clone(), self.live.clone())));
    }

    /// Frees the slot for the next client, before the last line about this one
    /// is printed.
    fn free(&mut self) {
        if !mem::replace(&mut self.is_free, true) {
            self.table.entries.lock().slots -= 1;
            self.table.changed.notify_all();
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.free();
        CURRENT.take();
        self.table.entries.lock().live.remove(&self.id);
        self.table.changed.notify_all();
    }
}

/// Closes the connections of refused clients, when their time is up.
fn close_in_time(refused: &Receiver<(Close, Instant)>) {
    for (close, until) in refused {
        thread::sleep(until.saturating_duration_since(Instant::now()));
        close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::os::unix::net::UnixStream;

    fn listener() -> Result<TcpSocket> {
        let any = net::resolve_one("127.0.0.1", 0)?;
        let listener = TcpSocket::new(any)?;
        listener.bind(any)?;
        listener.listen(5)?;
        Ok(listener)
    }

    /// A client, and the server's end of its connection.
    fn connected(
        listener: &TcpSocket,
    ) -> Result<(TcpStream, TcpSocket, SocketAddr)> {
        let peer = TcpStream::connect(listener.local_addr()?)?;
        let (client, address) = listener.accept()?;
        Ok((peer, client, address))
    }

    #[track_caller]
    fn assert_all_leave(clients: &Clients) {
        let gone = clients.wait_until_empty(Duration::from_secs(10));
        assert!(gone.is_break(), "the slot is free");
    }

    #[test]
    fn a_panic_ends_one_conversation_and_frees_its_place() -> Result<()> {
        let listener = listener()?;
        let clients = Clients::new(&listener, 1, "no room\n")?;
        let mut told = Vec::new();
        for turn in 0..2 {
            let (mut peer, client, address) = connected(&listener)?;
            clients.spawn(client, address, move |client, _| {
                assert!(turn > 0, "a bug in the conversation");
                client.send_all(b"served")
            });
            peer.read_to_end(&mut told)?; // the panic closed its socket
            assert_all_leave(&clients);
        }
        assert_eq!(told, b"served");
        Ok(())
    }

    #[test]
    fn a_stuck_console_keeps_no_place() -> Result<()> {
        let listener = listener()?;
        let clients = Clients::new(&listener, 1, "no room\n")?;
        // As long as this test holds stdout, nobody can print.
        let stuck = io::stdout().lock();
        let (_peer, client, address) = connected(&listener)?;
        let lost = || Err(Error::other("a conversation that fails"));
        clients.spawn(client, address, move |_, _| lost());
        let mut entries = clients.table.entries.lock();
        while entries.slots > 0 {
            let soon = Duration::from_secs(10);
            let wait = clients.table.changed.wait_for(&mut entries, soon);
            assert!(!wait.timed_out(), "the slot is not free");
        }
        drop((entries, stuck));
        assert_all_leave(&clients);
        Ok(())
    }

    #[test]
    fn a_thread_is_kept_for_the_next_client() -> Result<()> {
        let clients = Clients {
            table: Arc::new(Table::new()),
            max: 10,
            no_room: "",
            lingering: bounded(1).0,
            jobs: bounded(0),
        };
        let listener = listener()?;
        let (told, seen) = bounded(1);
        let mut ids = std::collections::HashSet::new();
        // A thread is back in time for the next client mostly, not always.
        let mut count = 0;
        while ids.len() == count {
            count += 1;
            assert!(count < 10_000, "a new thread for every client");
            let (_peer, client, address) = connected(&listener)?;
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

    /// What a client hears whose conversation was in a request, or was not,
    /// when the server stopped; and what the conversation saw.
    fn at_the_stop(in_request: bool) -> Result<(Vec<u8>, &'static str)> {
        let listener = listener()?;
        let clients = Clients::new(&listener, 1, "no room\n")?;
        let (mut peer, client, address) = connected(&listener)?;
        let ((ready, begun), (told, seen)) = (bounded(1), bounded(1));
        clients.spawn(client, address, move |client, _| {
            assert_eq!(end_of_stream(), "left: end of stream");
            let busy = in_request.then(request);
            let _ = ready.send(());
            let mut piece = [0; 4];
            let mut count = client.recv(&mut piece)?;
            if count > 0 {
                client.send_all(&piece[..count])?;
                drop(busy);
                count = client.recv(&mut piece)?;
            }
            assert_eq!(count, 0, "the stop ends the conversation");
            let _ = told.send(end_of_stream());
            Ok(())
        });
        begun.recv().expect("it begins");
        stopper(&clients.table, &listener)();
        let finish = thread::spawn(move || clients.finish());
        thread::sleep(Duration::from_millis(300));
        let _ = peer.write_all(b"late");
        let mut heard = Vec::new();
        let _ = peer.read_to_end(&mut heard); // it may be a reset by now
        finish.join().expect("it ends");
        Ok((heard, seen.recv().expect("a reason")))
    }

    #[test]
    fn a_request_in_flight_is_finished_after_the_stop() -> Result<()> {
        assert_eq!(at_the_stop(true)?, (b"late".to_vec(), "cut by the stop"));
        Ok(())
    }

    #[test]
    fn a_client_that_waits_is_ended_by_the_stop_at_once() -> Result<()> {
        assert_eq!(at_the_stop(false)?, (Vec::new(), "cut by the stop"));
        assert!(!is_stopping(), "this thread serves no client");
        drop(request()); // calling it has no effect here
        Ok(())
    }

    #[test]
    fn a_request_that_takes_too_long_is_cut() -> Result<()> {
        let listener = listener()?;
        let clients = Clients::new(&listener, 1, "no room\n")?;
        let (mut peer, client, address) = connected(&listener)?;
        let (ready, begun) = bounded(1);
        let live = clients.live();
        assert!(live.is_empty());
        clients.spawn(client, address, move |client, _| {
            let _busy = request();
            let _ = ready.send(());
            client.recv(&mut [0; 4])?;
            Ok(())
        });
        begun.recv().expect("it begins");
        let live = clients.live();
        let began = Instant::now();
        clients.finish();
        let took = began.elapsed();
        assert!(took >= LAST_WORDS && took < LAST_WORDS * 2, "{took:?}");
        assert!(live.iter().all(|live| live.cut.load(Ordering::SeqCst)));
        peer.read_to_end(&mut Vec::new())?;
        Ok(())
    }

    #[test]
    fn unix_clients_are_served_refused_and_ended_too() -> Result<()> {
        let pair = || -> Result<(UnixStream, Arc<Socket>)> {
            let (peer, client) = UnixStream::pair()?;
            peer.set_read_timeout(Some(Duration::from_secs(10)))?;
            Ok((peer, Arc::new(Socket::from(client))))
        };
        let clients = Clients::new(&listener()?, 1, "no room\n")?;
        let echo = |client: Arc<Socket>, peer: &str| {
            assert_eq!(threads::name(), peer);
            let mut buffer = [0; 100];
            loop {
                match (&*client).read(&mut buffer)? {
                    0 => return Ok(()),
                    count => (&*client).write_all(&buffer[..count])?,
                }
            }
        };
        let (mut first, client) = pair()?;
        clients.spawn(client, "pid 1", echo);
        first.write_all(b"hello")?;
        let mut back = [0; 5];
        first.read_exact(&mut back)?;
        assert_eq!(&back, b"hello");

        // The first one says nothing more, and still has the only slot.
        let (mut second, client) = pair()?;
        clients.spawn(client, "pid 2", echo);
        let mut told = String::new();
        second.read_to_string(&mut told)?;
        assert_eq!(told, "no room\n");

        for live in clients.live() {
            (live.end)(Shutdown::Read);
        }
        assert_all_leave(&clients);
        first.read_to_end(&mut Vec::new())?;
        Ok(())
    }
}
