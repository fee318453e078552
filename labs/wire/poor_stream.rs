//! What the relay does to the bytes of a stream: cut, delay, end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use socketlab::Result;
use socketlab::net::TcpSocket;

/// What the two directions of a connection share.
pub struct Both {
    /// What is done to the stream.
    pub habits: Arc<Habits>,
    /// How many bytes have passed, in both directions.
    pub bytes: AtomicU64,
    /// Whether the connection has been reset, or is to be.
    pub is_reset: AtomicBool,
}

impl Both {
    /// A new connection.
    pub fn new(habits: Arc<Habits>) -> Both {
        let (bytes, is_reset) = (AtomicU64::new(0), AtomicBool::new(false));
        Both { habits, bytes, is_reset }
    }

    /// Passes on what was received at once, by the relay's habits.
    pub fn send(&self, to: &TcpSocket, data: &[u8]) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        thread::sleep(self.habits.delay);
        for piece in data.chunks(self.habits.split.unwrap_or(data.len())) {
            if self.is_reset.load(Ordering::Relaxed) {
                return Ok(());
            }
            let (piece, is_last) = self.allowed(piece);

            // ---- 7 send() ------------------------------------------------
            // One send() for each piece. A pause lets it leave, and arrive,
            // alone; otherwise the receiver's kernel joins them again.
            to.send_all(piece)?;
            if is_last {
                self.is_reset.store(true, Ordering::Relaxed);
                return Ok(());
            }
            if self.habits.split.is_some() {
                thread::sleep(self.habits.pause);
            }
        }
        Ok(())
    }

    /// As much of the piece as may pass before --reset-after, and whether
    /// that is all that may.
    fn allowed<'a>(&self, piece: &'a [u8]) -> (&'a [u8], bool) {
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let before = self.bytes.fetch_add(length, Ordering::Relaxed);
        let Some(most) = self.habits.reset_after else { return (piece, false) };
        let left = usize::try_from(most.saturating_sub(before));
        let left = left.unwrap_or(usize::MAX);
        (piece.get(..left).unwrap_or(piece), before + length >= most)
    }
}

/// What the relay does to a stream.
pub struct Habits {
    /// The length of the pieces that are sent, if they are cut.
    pub split: Option<usize>,
    /// How long to wait between these pieces.
    pub pause: Duration,
    /// Whether to send together what comes before a silence.
    pub glue: bool,
    /// How long to hold back what was received.
    pub delay: Duration,
    /// Whether to send FIN to the server after the client's first piece.
    pub half_close: bool,
    /// After how many bytes to reset both connections.
    pub reset_after: Option<u64>,
}
