//! The way to one member. The hub gives bytes to [`Outbox::deliver`], which
//! never blocks: bytes that the kernel does not accept at once are queued for
//! the member's writer thread. A member whose queue is full is dropped.
//!
//! ```text
//! hub --- send(MSG_DONTWAIT) ------------> socket    normally
//!  \---> queue ---> writer --- send() ---> socket    while bytes wait
//! ```
//!
//! It would be simpler to queue every line for the writer thread. But waking a
//! thread for each line and member costs more than sending the line. So the
//! hub sends itself, and the writer sleeps until a member reads too slowly.
//!                                                             (viva 5)
//!
//! ```
//! use std::io::Read;
//! use std::net::TcpListener;
//!
//! use chat::outbox::Outbox;
//! use socketlab::net::TcpSocket;
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let hub_end = TcpSocket::new(address)?;
//! hub_end.connect(address)?;
//! let (mut member, _) = listener.accept()?;
//!
//! let (outbox, writer) = Outbox::open(&hub_end, address)?;
//! outbox.deliver(b"Batman: hello\n")?; // returns at once
//! let mut line = [0; 14];
//! member.read_exact(&mut line)?;
//! assert_eq!(&line, b"Batman: hello\n");
//! drop(outbox); // the writer sends what waits, and ends
//! writer.join().expect("no panic");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use socketlab::net::TcpSocket;
use socketlab::{Error, Result};

/// Bytes that may wait for a member, beside those in its socket's buffer.
const QUEUE: usize = 1024 * 1024;

/// Bytes that a writer sends with one call. Sent bytes make room in the queue.
const AT_ONCE: usize = 64 * 1024;

/// A member that reads nothing for this time while bytes wait is stuck.
const STUCK: Duration = Duration::from_secs(5);

/// Memory of a writer's stack.
const STACK: usize = 64 * 1024;

/// The hub's end. Dropping it ends the writer, once the queue is sent.
pub struct Outbox {
    socket: TcpSocket,
    peer: SocketAddr,
    queue: Sender<Vec<u8>>, // bounded in bytes, by `waiting`
    /// Bytes in `queue` and in the writer. While there are any, all bytes go
    /// through the queue, because otherwise later lines would arrive first.
    waiting: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>, // by the writer: grows while the member reads
    taken: Option<(usize, Instant)>, // `sent` when it last grew, see is_slow
}

impl Outbox {
    /// Starts the writer of a client.
    pub fn open(
        socket: &TcpSocket,
        peer: SocketAddr,
    ) -> Result<(Outbox, JoinHandle<()>)> {
        let (queue, queued) = unbounded();
        let waiting = Arc::new(AtomicUsize::new(0));
        let sent = Arc::new(AtomicUsize::new(0));
        let client = socket.clone();
        let counts = (waiting.clone(), sent.clone());
        let writer = thread::Builder::new()
            .name(format!("to {peer}"))
            .stack_size(STACK)
            .spawn(move || write(&client, &queued, &counts.0, &counts.1))
            .map_err(|error| Error::new("spawn", peer, error))?;
        let socket = socket.clone();
        let taken = None;
        Ok((Outbox { socket, peer, queue, waiting, sent, taken }, writer))
    }

    /// Sends or queues bytes; an error says why the member must be dropped.
    /// [G-8d] (viva 2) (try 2)
    pub fn deliver(&self, bytes: &[u8]) -> Result<()> {
        let waiting = self.waiting.load(Ordering::Acquire);
        let mut rest = bytes;
        if waiting == 0 && !bytes.is_empty() {
            // ---- 6 send() ------------------------------------------------
            // Copies what fits into the kernel's buffer, perhaps nothing.
            // MSG_DONTWAIT: it returns at once instead of blocking.
            let taken = self.socket.send_now(bytes)?;
            rest = bytes.get(taken..).unwrap_or_default();
        }
        if rest.is_empty() {
            return Ok(());
        }
        if waiting + rest.len() > QUEUE {
            return Err(Error::other(format!(
                "did not read: {waiting} bytes are waiting"
            )));
        }
        self.waiting.fetch_add(rest.len(), Ordering::AcqRel);
        let queued = self.queue.send(rest.to_vec());
        queued.map_err(|_| Error::other("its writer has ended"))
    }

    /// Is this member slow? Many bytes wait for it, and it reads some of them.
    /// A member that has read nothing for five seconds counts as stuck: the hub
    /// does not wait for it, and drops it when its queue is full.
    pub fn is_slow(&mut self) -> bool {
        let waiting = self.waiting.load(Ordering::Acquire);
        if waiting <= QUEUE / 4 {
            self.taken = None;
            return false;
        }
        let sent = self.sent.load(Ordering::Acquire);
        match self.taken {
            Some((before, since)) if before == sent => since.elapsed() < STUCK,
            _ => {
                self.taken = Some((sent, Instant::now()));
                true
            }
        }
    }

    /// The member's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Ends the connection, whatever waits: wakes the reader and the writer.
    pub fn cut(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// The writer: sends what waits, up to 64 KiB at once; each send() may block
/// until the member reads. Ends when the hub drops the queue, or when the
/// client is gone.
fn write(
    client: &TcpSocket,
    queue: &Receiver<Vec<u8>>,
    waiting: &AtomicUsize,
    sent: &AtomicUsize,
) {
    let _ = client.set_send_timeout(None); // the hub decides when to give up
    for mut bytes in queue {
        while bytes.len() < AT_ONCE
            && let Ok(more) = queue.try_recv()
        {
            bytes.extend(more);
        }
        if client.send_all(&bytes).is_err() {
            // Wakes the reader, which tells the hub.
            let _ = client.shutdown(Shutdown::Both);
            return;
        }
        waiting.fetch_sub(bytes.len(), Ordering::AcqRel);
        sent.fetch_add(bytes.len(), Ordering::AcqRel); // may wrap around
    }
}
