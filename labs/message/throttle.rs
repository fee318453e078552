//! Slows guessing, for task 2 of handout D. After three failures an address
//! must wait, and longer after each further failure. server.rs asks this table
//! before it compares a secret.
//!
//! ```text
//! failures   1   2   3   4   5   6   7   8   9  and more       [D-T2.1]
//! then wait  -   -   1   2   4   8  16  32  60  seconds
//! ```
//!
//! No thread waits: if a client comes too early, the server refuses it and
//! closes, even if its secret is right. So a thousand connections at once do
//! not help an attacker, and other addresses are served as fast as before.
//! (viva 11) (try 7)
//!
//! The table of addresses is bounded, and a full table forgets no address. All
//! addresses that are not in it then count as one, the crowd. If the oldest row
//! were deleted instead, a thousand addresses in turn would never wait.
//!
//! Limit: people behind one NAT wait for each other. An attacker with a
//! thousand addresses has three thousand free tries in ten minutes, and new
//! addresses have to wait with them. A long secret makes the tries worthless; a
//! real program also lets in known addresses first.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Failures without a wait, because anybody makes typing errors.
const FREE: u32 = 2;

/// The longest wait, so that an honest user can always come back.
const LONGEST: Duration = Duration::from_secs(60);

/// Addresses that have a row of their own.
const ADDRESSES: usize = 1024;

/// If an address sends nothing for this time after its wait, its row is
/// deleted.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// The result of one try to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Right: the address's row is deleted.
    Right,
    /// Wrong, and the address has to wait this long now.
    Wrong(Duration),
    /// Refused, right or wrong: the address still has to wait this long.
    TooEarly(Duration),
}

/// How long an address waits after this many failures.           (viva 11)
fn delay(failures: u32) -> Duration {
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
pub struct Throttle(Mutex<Table>);

#[derive(Default)]
struct Table {
    rows: HashMap<IpAddr, Failures>,
    crowd: Option<Failures>, // of all addresses without a row
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    not_before: Instant,
}

impl Failures {
    fn are_forgotten(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.not_before) >= FORGOTTEN
    }
}

impl Table {
    /// Is there no row for this address, and no room for one?
    fn is_full_for(&mut self, address: IpAddr, now: Instant) -> bool {
        if self.rows.len() < ADDRESSES || self.rows.contains_key(&address) {
            return false;
        }
        self.rows.retain(|_, failures| !failures.are_forgotten(now));
        self.rows.len() >= ADDRESSES
    }
}

impl Throttle {
    /// Lets an address try once, at the time `now`. `right`: whether the secret
    /// was right. The caller has computed this before, because all threads need
    /// this lock. An address that must wait does not learn it. Reading the
    /// clock and counting are one step under the lock. Otherwise all tries of
    /// one moment would count as the first.
    pub fn attempt(
        &self,
        address: IpAddr,
        now: Instant,
        right: bool,
    ) -> Attempt {
        let address = block(address);
        let mut table = self.0.lock();
        let in_crowd = table.is_full_for(address, now);
        let failures = match in_crowd {
            true => table.crowd,
            false => table.rows.get(&address).copied(),
        };
        let failures = failures.filter(|before| !before.are_forgotten(now));
        let before = failures.map_or(now, |before| before.not_before);
        let left = before.saturating_duration_since(now);
        if !left.is_zero() {
            return Attempt::TooEarly(left);
        }
        if right {
            // Only this address of the crowd was right; the crowd's count
            // stays.
            table.rows.remove(&address);
            return Attempt::Right;
        }
        let count = failures.map_or(0, |before| before.count).saturating_add(1);
        let wait = delay(count);
        let failures = Failures { count, not_before: now + wait };
        if in_crowd {
            table.crowd = Some(failures);
        } else {
            table.rows.insert(address, failures);
        }
        Attempt::Wrong(wait)
    }
}

/// One subscriber has all of a /64 of IPv6 addresses, so they count as one.
fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 => v4,
    }
}
