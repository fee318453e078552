//! Which datagrams a UDP server answers. The sender's address of a datagram
//! can be forged. If it is another server's address, the two servers answer
//! each other without end, at full speed, after a single datagram (CERT
//! advisory CA-1996-01). If it is the server's own, it answers itself.
//!
//! Nothing in the bytes of an echo tells a reply from a request, so the
//! protocol itself cannot stop such a loop. This guard does two things:
//!
//! * A server never answers its own address.
//! * Each reply adds to its receiver's debt, which decreases with time. A
//!   receiver whose debt is too large gets no reply. One missing reply ends a
//!   loop, because each datagram in a loop is the reply to the one before.
//!
//! A port below 32768 is mostly a server's, because kernels give clients higher
//! ports (Linux from 32768, others from 49152). Such a port gets 1,000 replies,
//! then 20 a second. Other ports get 100,000, then 2,000 a second, so that no
//! ordinary client is delayed.
//!
//! Limits: a loop that is slower than that does not end. Two servers on high
//! ports stop after 100,000 datagrams. Behind some routers (NAT) clients have
//! low ports, too. A protocol can do better when its replies are marked as such
//! and no program answers a reply: DNS has the QR bit for it.

use std::hash::{BuildHasher, RandomState};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::warn;

/// The largest debt that a receiver may have.
const CREDIT: Duration = Duration::from_secs(50);

/// What one reply costs a port that looks like a server's, and any other.
const SERVERS_PRICE: Duration = Duration::from_millis(50);
const CLIENTS_PRICE: Duration = Duration::from_micros(500);

/// The first port that kernels choose for clients.
const FIRST_CLIENT_PORT: u16 = 32_768;

/// How many debts the table holds. It never grows: a hash with a secret seed
/// chooses the place of a sender, and senders with the same place share its
/// debt.
const PLACES: usize = 4096;

/// How often the server reports that it does not answer a sender.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Counts the replies of one server, and says which to leave out.
pub struct LoopGuard {
    own: SocketAddr,
    hasher: RandomState,
    paid_off: Vec<Instant>, // when each debt is paid off
    complained: Option<Instant>,
}

impl LoopGuard {
    /// A guard without debts. `own` is the address of the server's socket.
    pub fn new(own: SocketAddr) -> LoopGuard {
        let paid_off = vec![Instant::now(); PLACES];
        let hasher = RandomState::new();
        LoopGuard { own, hasher, paid_off, complained: None }
    }

    /// May the server answer this sender now? If so, the reply is counted.
    pub fn allow(&mut self, peer: SocketAddr) -> bool {
        let now = Instant::now();
        let reason = match self.is_own(peer) {
            true => "its sender is our own address, so it is forged",
            false if self.charge(peer, now) => return true,
            false => "too many; is it a server that answers our answers?",
        };
        let recent = |said: Instant| now - said < COMPLAIN_EVERY;
        if !self.complained.is_some_and(recent) {
            self.complained = Some(now);
            warn!("[{peer}] not answered: {reason}");
        }
        false
    }

    /// Is this the server's own address? On 0.0.0.0 each address of the
    /// machine is, and an address is the machine's if it can be bound.
    fn is_own(&self, peer: SocketAddr) -> bool {
        let mut any_port = peer;
        any_port.set_port(0);
        peer == self.own
            || (peer.port() == self.own.port()
                && self.own.ip().is_unspecified()
                && UdpSocket::bind(any_port).is_ok())
    }

    /// Adds a reply to this sender's debt, unless that is too large then.
    fn charge(&mut self, peer: SocketAddr, now: Instant) -> bool {
        let price = match peer.port() < FIRST_CLIENT_PORT {
            true => SERVERS_PRICE,
            false => CLIENTS_PRICE,
        };
        let place = self.hasher.hash_one(peer) as usize % PLACES;
        let Some(paid_off) = self.paid_off.get_mut(place) else { return true };
        let then = (*paid_off).max(now) + price;
        let allowed = then - now <= CREDIT;
        if allowed {
            *paid_off = then;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn nobody_answers_himself() {
        let mut one = LoopGuard::new(at("127.0.0.1:12001"));
        assert!(!one.allow(at("127.0.0.1:12001")));
        assert!(one.allow(at("127.0.0.1:12000")), "another server");
        assert!(one.allow(at("192.0.2.1:12001")), "another machine");
        let mut every = LoopGuard::new(at("0.0.0.0:12001"));
        assert!(!every.allow(at("127.0.0.1:12001")));
        assert!(every.allow(at("192.0.2.1:12001")), "another machine");
    }

    #[test]
    fn a_servers_port_gets_a_thousand_answers_and_then_20_a_second() {
        let mut answers = LoopGuard::new(at("127.0.0.1:12001"));
        let (server, now) = (at("127.0.0.1:12000"), Instant::now());
        let count = |answers: &mut LoopGuard, now| {
            (0..5000).filter(|_| answers.charge(server, now)).count()
        };
        assert_eq!(count(&mut answers, now), 1000);
        assert_eq!(count(&mut answers, now + Duration::from_secs(1)), 20);
    }

    #[test]
    fn clients_of_a_benchmark_are_all_answered() {
        let mut answers = LoopGuard::new(at("127.0.0.1:12001"));
        let now = Instant::now();
        // Three seconds of 64 sockets at 100,000 datagrams a second.
        for turn in 0..4_687 {
            let now = now + Duration::from_micros(640) * turn;
            for port in 40_000..40_064 {
                let client = SocketAddr::from(([127, 0, 0, 1], port));
                assert!(answers.charge(client, now), "{client}, {turn}");
            }
        }
        // One socket, a second of a benchmark's ping-pong.
        let mut answers = LoopGuard::new(at("127.0.0.1:12001"));
        let one = at("127.0.0.1:50000");
        assert!((0..60_000).all(|_| answers.charge(one, now)));
    }
}
