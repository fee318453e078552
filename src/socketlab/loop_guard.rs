//! Whom a UDP server answers. The sender of a datagram can be forged: if it
//! is another server's address, or our own, the two answer each other for
//! ever, at full speed, after one datagram (CERT advisory CA-1996-01).
//!
//! Nothing in an echo tells an answer from a request, so the remedy is
//! outside of the protocol: never answer oneself, and let each answer put
//! its receiver in debt, which time pays off. Whoever owes too much is not
//! answered, and one such refusal ends a loop: each datagram in it is the
//! answer to the last.
//!
//! A port below 32768 is mostly a server's, because kernels give clients
//! higher ones (Linux from 32768, others from 49152). It gets 1,000 answers,
//! then 20 a second; other ports get 100,000, then 2,000 a second, which is
//! meant to stand in no client's way.
//!
//! Limit: a loop slower than that goes on; two servers on high ports stop
//! after 100,000 datagrams. Behind some routers (NAT) clients have low ports
//! too. A protocol of one's own does better: it marks answers as such, and
//! nobody answers an answer (the QR bit of DNS).

use std::hash::{BuildHasher, RandomState};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::warn;

/// Nobody may owe more.
const CREDIT: Duration = Duration::from_secs(50);

/// What one answer costs a port that looks like a server's, and any other.
const SERVERS_PRICE: Duration = Duration::from_millis(50);
const CLIENTS_PRICE: Duration = Duration::from_micros(500);

/// The first port that kernels choose for clients.
const FIRST_CLIENT_PORT: u16 = 32_768;

/// Places for debts. The table never grows: senders are dealt out to the
/// places by a hash with a secret seed, and those who share one share its
/// debt.
const PLACES: usize = 4096;

/// How often it is said that somebody is not answered.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Counts the answers of one server, and says which to leave out.
pub struct LoopGuard {
    own: SocketAddr,
    hasher: RandomState,
    paid_off: Vec<Instant>, // when nothing is owed any more
    complained: Option<Instant>,
}

impl LoopGuard {
    /// Nothing is owed yet. `own` is where the server's socket is bound.
    pub fn new(own: SocketAddr) -> LoopGuard {
        let paid_off = vec![Instant::now(); PLACES];
        let hasher = RandomState::new();
        LoopGuard { own, hasher, paid_off, complained: None }
    }

    /// May this sender be answered, now? If so, the answer is counted.
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

    /// Adds an answer to what this sender owes, unless that is too much.
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
