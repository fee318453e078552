//! The cable's decisions, without any socket. A packet goes in. How often and
//! how late it leaves comes out, with the reason.
//!
//! The dice are seeded, so that a run with `--loss 10%` loses the same frames
//! each time in which the hosts send the same.

use std::time::Duration;

use crate::chance::{Chance, Lot};
use crate::connections::{Connections, Role};
use crate::orders::Order;
use crate::packet::{End, Packet};
use crate::packet_name::PacketName;

/// How much later a frame leaves that is to be overtaken. At 20 ms the frames
/// of one burst pass it, and TCP does not yet send it again (200 ms).
const OVERTAKEN: Duration = Duration::from_millis(20);

/// Orders by name that can be open at once.
const MOST_NAMED: usize = 1000;

/// What happens to a packet that has a name.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Action {
    Lose,
    Duplicate,
    Hold(Duration),
    Cut,
}

/// What becomes of a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fate {
    /// After which time each copy leaves the cable. No copy means lost.
    pub copies: Vec<Duration>,
    /// Why it was lost, doubled or held back: the order that did it.
    pub reason: Option<String>,
    /// The number of the handshake's packet, and whether it is the last ACK.
    pub role: Role,
    /// What the cable forges: the RSTs of a `cut`, and for which end.
    pub forged: Vec<(End, Vec<u8>)>,
}

/// The orders that are in force, and the connections that they speak of.
pub struct Rules {
    delay: Duration,
    jitter: Duration,
    chance: Chance,
    named: Vec<(PacketName, Action)>,
    unplugged: bool,
    connections: Connections,
}

impl Rules {
    /// A cable that carries everything, at once.
    pub fn new(seed: u64) -> Rules {
        Rules {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            chance: Chance::new(seed),
            named: Vec::new(),
            unplugged: false,
            connections: Connections::default(),
        }
    }

    /// Takes an order about frames to come. The orders that concern the cable
    /// as a program (status, help, end, and those with a time) are not here.
    pub fn obey(&mut self, order: Order) -> Result<(), String> {
        match order {
            Order::Lose(name) => return self.add(name, Action::Lose),
            Order::Duplicate(name) => return self.add(name, Action::Duplicate),
            Order::Hold(name, by) => return self.add(name, Action::Hold(by)),
            Order::CutAt(name) => return self.add(name, Action::Cut),
            Order::Delay(time) => self.delay = time,
            Order::Jitter(time) => self.jitter = time,
            Order::Loss(share) => self.chance.loss = share,
            Order::DuplicateShare(share) => {
                self.chance.duplicate = share;
            }
            Order::Reorder(share) => self.chance.reorder = share,
            Order::Unplug => self.unplugged = true,
            Order::Plug => self.unplugged = false,
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, name: PacketName, action: Action) -> Result<(), String> {
        self.named.retain(|(name, _)| !name.is_used_up());
        if self.named.len() >= MOST_NAMED {
            return Err("too many orders are open".into());
        }
        self.named.push((name, action));
        Ok(())
    }

    /// Decides about a packet that has entered the cable.
    pub fn decide(&mut self, packet: &Packet) -> Fate {
        let role = self.connections.see(packet);
        let mut fate = Fate { role, ..Fate::default() };
        let mut delay = self.delay;
        if !self.jitter.is_zero() {
            delay += self.jitter.mul_f64(self.chance.part());
        }
        fate.copies.push(delay);
        if self.unplugged {
            fate.lose("unplugged");
            return fate;
        }
        for (name, action) in &mut self.named {
            if name.names(packet, role.is_last_ack) {
                fate.apply(*action, name);
            }
        }
        if let Some(reason) = &fate.reason
            && reason.starts_with("cut")
        {
            fate.forged = self.connections.cut(Some(packet));
        }
        if !fate.copies.is_empty() {
            self.roll(&mut fate);
        }
        if !fate.copies.is_empty() {
            self.connections.passed(packet, role);
        }
        fate
    }

    /// Lets the dice decide, for the orders that name a share.
    fn roll(&mut self, fate: &mut Fate) {
        match self.chance.draw() {
            Lot::Passes => {}
            Lot::Lost => fate.lose(&format!("loss {}", self.chance.loss)),
            Lot::Twice => {
                fate.copies.extend(fate.copies.first().copied());
                let share = self.chance.duplicate;
                fate.reason = Some(format!("duplicate {share}"));
            }
            Lot::Overtaken => {
                fate.copies.iter_mut().for_each(|delay| *delay += OVERTAKEN);
                let share = self.chance.reorder;
                fate.reason = Some(format!("reorder {share}"));
            }
        }
    }

    /// Resets all connections.
    pub fn cut(&mut self) -> Vec<(End, Vec<u8>)> {
        self.connections.cut(None)
    }

    /// From which side a packet comes, if only one interface is listened to.
    pub fn side_of(&self, packet: &Packet) -> End {
        self.connections.side_of(packet)
    }

    /// How many connections are not closed yet.
    pub fn open_connections(&self) -> usize {
        self.connections.open_count()
    }
}

impl Fate {
    fn lose(&mut self, reason: &str) {
        self.copies.clear();
        self.reason = Some(reason.to_string());
    }

    fn apply(&mut self, action: Action, name: &PacketName) {
        match action {
            Action::Lose => self.lose(&name.to_string()),
            Action::Cut => self.lose(&format!("cut {name}")),
            Action::Duplicate => {
                self.copies.extend(self.copies.first().copied());
                self.reason = Some(format!("duplicate {name}"));
            }
            Action::Hold(by) => {
                self.copies.iter_mut().for_each(|delay| *delay += by);
                self.reason = Some(format!("delay {name} by {by:?}"));
            }
        }
    }

    /// Does the packet not leave the cable?
    pub fn is_lost(&self) -> bool {
        self.copies.is_empty()
    }

    /// What the capture says about the packet.
    pub fn comment(&self) -> Option<String> {
        let handshake = match self.role.handshake {
            Some(1) => "handshake 1 of 3: SYN, sent by connect()",
            Some(2) => "handshake 2 of 3: SYN and ACK, sent by the kernel",
            Some(_) => "handshake 3 of 3: ACK, accept() can return now",
            None => "",
        };
        let reason = match &self.reason {
            Some(reason) if self.is_lost() => {
                format!("lost by the cable ({reason})")
            }
            Some(reason) => format!("changed by the cable ({reason})"),
            None => String::new(),
        };
        let parts = [reason.as_str(), handshake];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        let text = parts.collect::<Vec<_>>().join("; ");
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;

    fn datagram(from: End) -> Packet {
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .udp(40000, 12000);
        let mut frame = Vec::new();
        builder.write(&mut frame, b"hi").expect("memory");
        Packet::read(from, &frame)
    }

    fn syn() -> Packet {
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(40000, 12001, 7, 100)
            .syn();
        let mut frame = Vec::new();
        builder.write(&mut frame, &[]).expect("memory");
        Packet::read(End::Client, &frame)
    }

    fn rules(orders: &[&str]) -> Rules {
        let mut rules = Rules::new(1);
        for order in orders {
            rules.obey(order.parse().expect("an order")).expect("obeyed");
        }
        rules
    }

    #[test]
    fn without_orders_everything_passes_once_and_at_once() {
        let fate = rules(&[]).decide(&datagram(End::Client));
        assert_eq!(fate.copies, [Duration::ZERO]);
        assert_eq!(fate.comment(), None);
    }

    #[test]
    fn the_first_syn_is_lost_and_the_second_is_not() {
        let mut rules = rules(&["lose first SYN"]);
        let fate = rules.decide(&syn());
        assert!(fate.is_lost());
        let comment = fate.comment().expect("a comment");
        assert!(comment.starts_with("lost by the cable (first SYN); handsh"));
        assert!(!rules.decide(&syn()).is_lost());
    }

    #[test]
    fn a_name_can_double_and_hold_a_packet() {
        let mut rules = rules(&[
            "delay 10ms",
            "duplicate first datagram",
            "delay second datagram by 1s",
        ]);
        let milliseconds = |fate: Fate| {
            fate.copies.iter().map(Duration::as_millis).collect::<Vec<_>>()
        };
        let mut next = || milliseconds(rules.decide(&datagram(End::Server)));
        assert_eq!(
            [next(), next(), next()],
            [vec![10, 10], vec![1010], vec![10]]
        );
    }

    #[test]
    fn a_share_of_everything_is_lost() {
        let mut rules = rules(&["loss 100%"]);
        let fate = rules.decide(&datagram(End::Client));
        assert!(fate.is_lost());
        let comment = fate.comment();
        assert_eq!(comment.as_deref(), Some("lost by the cable (loss 100%)"));
    }

    #[test]
    fn nothing_crosses_an_unplugged_cable() {
        let mut rules = rules(&["unplug"]);
        assert!(rules.decide(&syn()).is_lost());
        rules.obey(Order::Plug).expect("obeyed");
        assert!(!rules.decide(&syn()).is_lost());
    }

    #[test]
    fn a_cut_loses_the_packet_and_forges_resets() {
        let fate = rules(&["cut first SYN"]).decide(&syn());
        assert!(fate.is_lost());
        let to: Vec<End> = fate.forged.iter().map(|(to, _)| *to).collect();
        assert_eq!(to, [End::Client], "the server has not heard of it");
    }
}
