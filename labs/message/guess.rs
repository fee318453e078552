//! Guessing made slow, for task 2 of handout D: after three failures from
//! an address it must wait, and longer after each further one. server.rs
//! asks here before it looks at a secret.
//!
//!     failures   1   2   3   4   5   6   7   8   9  and more       [D-T2.1]
//!     then wait  -   -   1   2   4   8  16  32  60  seconds
//!
//! Nobody is kept waiting on a thread: whoever comes too early is told so
//! and sent home, whatever he brought. So a thousand connections at once
//! are no way around it. The rest is not served more slowly.
//!                                                       (viva 11) (try 7)
//!
//! Limit: people behind one NAT wait for each other, and who has a thousand
//! addresses has three thousand free tries. A long secret cures that.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Failures that cost no wait: anybody mistypes.
const FREE: u32 = 2;

/// The wait grows no further: an honest user can always come back.
const LONGEST: Duration = Duration::from_secs(60);

/// Addresses remembered. The one that was quiet longest makes room.
const ADDRESSES: usize = 1024;

/// An address that has been quiet so long after its wait starts afresh.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Right: the address starts afresh.
    Right,
    /// Wrong, and so long the address has to wait now.
    Wrong(Duration),
    /// Not looked at: the address has still so long to wait.
    TooEarly(Duration),
}

/// How long an address waits after so many failures.           (viva 11)
pub fn delay(failures: u32) -> Duration {
    match failures.checked_sub(FREE + 1) {
        None => Duration::ZERO,
        Some(doublings) => {
            let seconds = 1u64.checked_shl(doublings).unwrap_or(u64::MAX);
            Duration::from_secs(seconds).min(LONGEST)
        }
    }
}

/// The failures of each address, shared by all threads.
#[derive(Default)]
pub struct Guesses(Mutex<HashMap<IpAddr, Failures>>);

struct Failures {
    count: u32,
    not_before: Instant,
}

impl Guesses {
    /// Lets an address try once, at the time `now`. The look at the clock,
    /// `check` and the counting are one step under the lock: if `check` came
    /// after it, all tries of one moment would be looked at. `check` takes
    /// microseconds and never waits for a peer.
    pub fn attempt(
        &self,
        address: IpAddr,
        now: Instant,
        check: impl FnOnce() -> bool,
    ) -> Outcome {
        let address = block(address);
        let mut table = self.0.lock();
        let mut count = 0;
        if let Some(failures) = table.get(&address) {
            let left = failures.not_before.saturating_duration_since(now);
            if !left.is_zero() {
                return Outcome::TooEarly(left);
            }
            if now.duration_since(failures.not_before) < FORGOTTEN {
                count = failures.count;
            }
        }
        if check() {
            table.remove(&address);
            return Outcome::Right;
        }
        let count = count.saturating_add(1);
        let wait = delay(count);
        if table.len() >= ADDRESSES && !table.contains_key(&address) {
            let quiet = table.iter().min_by_key(|(_, f)| f.not_before);
            if let Some(quiet) = quiet.map(|(&address, _)| address) {
                table.remove(&quiet);
            }
        }
        let not_before = now + wait;
        table.insert(address, Failures { count, not_before });
        Outcome::Wrong(wait)
    }
}

/// One subscriber has a whole /64 of IPv6 addresses: they count as one.
fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 => v4,
    }
}
