//! Frames on their way. Each leaves the cable when its time has come.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use crate::packet::End;

/// Frames that can be on their way at once. At 1,514 bytes each they are 30 MB,
/// which is 50 ms of a link of 5 Gbit/s. Those beyond are lost, as in a router.
const MOST: usize = 20_000;

/// A frame that waits: when it leaves, and its number, so that frames of the
/// same moment leave in the order in which they came.
type Waiting = Reverse<(Instant, u64, usize, Vec<u8>)>;

/// The frames that wait.
#[derive(Default)]
pub struct Schedule {
    heap: BinaryHeap<Waiting>,
    count: u64,
}

impl Schedule {
    /// Sends a frame on its way; `false` if there are too many.
    pub fn add(&mut self, due: Instant, to: End, frame: Vec<u8>) -> bool {
        if self.heap.len() >= MOST {
            return false;
        }
        self.count += 1;
        self.heap.push(Reverse((due, self.count, to.index(), frame)));
        true
    }

    /// When the next frame leaves.
    pub fn next_due(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((due, ..))| *due)
    }

    /// The next frame whose time has come, and the end where it leaves.
    pub fn pop(&mut self, now: Instant) -> Option<(End, Vec<u8>)> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse((_, _, to, frame)) = self.heap.pop()?;
        let to = End::BOTH.into_iter().find(|end| end.index() == to)?;
        Some((to, frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn frames_leave_by_their_time_then_by_their_order() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut schedule = Schedule::default();
        schedule.add(later, End::Client, vec![1]);
        schedule.add(now, End::Server, vec![2]);
        schedule.add(now, End::Client, vec![3]);
        assert_eq!(schedule.pop(now), Some((End::Server, vec![2])));
        assert_eq!(schedule.pop(now), Some((End::Client, vec![3])));
        assert_eq!(schedule.pop(now), None);
        assert_eq!(schedule.next_due(), Some(later));
        assert_eq!(schedule.pop(later), Some((End::Client, vec![1])));
    }

    #[test]
    fn the_queue_has_a_bound() {
        let mut schedule = Schedule::default();
        let now = Instant::now();
        let added = (0..MOST + 5)
            .filter(|_| schedule.add(now, End::Client, Vec::new()));
        assert_eq!(added.count(), MOST);
    }
}
