//! Orders to the cable, one a line: from its options, from its stdin or from a
//! FIFO. `lose first SYN`, `delay 50ms`, `unplug`.

use std::str::FromStr;
use std::time::Duration;

use crate::packet_name::PacketName;
use crate::units::{Share, Time};

/// What the cable understands, for `help`.
pub const HELP: &str = "\
lose NAME           lose a packet: lose first SYN, lose second data from server
duplicate NAME      deliver it twice
delay NAME by TIME  hold it back: delay next data by 300ms
cut NAME            reset the connection when this packet comes; cut: now
delay TIME          all packets take this long; jitter TIME: up to so much more
loss SHARE          lose 10% at random; also duplicate SHARE, reorder SHARE
unplug, plug        nothing crosses, until the cable is plugged in again
unplug after TIME   counted from the first frame
status, help        what has crossed; this list
end                 end, when the connections have had time to close";

/// One order.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Lose the packets of this name.
    Lose(PacketName),
    /// Deliver them twice.
    Duplicate(PacketName),
    /// Deliver them later by this time.
    Hold(PacketName, Duration),
    /// Reset the connection of the packet of this name.
    CutAt(PacketName),
    /// Reset all connections now.
    Cut,
    /// From now on lose everything.
    Unplug,
    /// Carry frames again.
    Plug,
    /// Unplug so long after the first frame.
    UnplugAfter(Duration),
    /// Every frame takes this long.
    Delay(Duration),
    /// And up to this much longer, at random.
    Jitter(Duration),
    /// Lose this share, at random.
    Loss(Share),
    /// Deliver this share twice.
    DuplicateShare(Share),
    /// Let later frames pass this share.
    Reorder(Share),
    /// Say what has crossed.
    Status,
    /// Print [`HELP`].
    Help,
    /// End, after the connections have had time to close.
    End,
}

impl FromStr for Order {
    type Err = String;

    fn from_str(line: &str) -> Result<Order, String> {
        let (verb, rest) = line.trim().split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        let verb = verb.trim().to_ascii_lowercase();
        let time = || rest.parse::<Time>().map(|Time(time)| time);
        Ok(match (verb.as_str(), rest) {
            ("lose", name) => Order::Lose(name.parse()?),
            ("duplicate", share) if share.ends_with('%') => {
                Order::DuplicateShare(share.parse()?)
            }
            ("duplicate" | "double", name) => Order::Duplicate(name.parse()?),
            ("delay", rest) => match rest.rsplit_once(" by ") {
                Some((name, time)) => {
                    Order::Hold(name.parse()?, time.parse::<Time>()?.0)
                }
                None => Order::Delay(time()?),
            },
            ("cut", "") => Order::Cut,
            ("cut", name) => {
                Order::CutAt(name.strip_prefix("at ").unwrap_or(name).parse()?)
            }
            ("unplug", "") => Order::Unplug,
            ("unplug", after) => {
                let time = after.strip_prefix("after ").unwrap_or(after);
                Order::UnplugAfter(time.parse::<Time>()?.0)
            }
            ("plug", "") => Order::Plug,
            ("jitter", _) => Order::Jitter(time()?),
            ("loss", share) => Order::Loss(share.parse()?),
            ("reorder", share) => Order::Reorder(share.parse()?),
            ("status", "") => Order::Status,
            ("help" | "?", "") => Order::Help,
            ("end" | "quit" | "exit", "") => Order::End,
            _ => {
                return Err(format!(
                    "'{}' is not an order; help lists them",
                    line.trim()
                ));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_help_begins_with_orders_that_are_understood() {
        for order in [
            "lose first SYN",
            "duplicate next datagram",
            "duplicate 5%",
            "delay next data by 300ms",
            "delay 50ms",
            "jitter 5ms",
            "cut",
            "cut second data from client",
            "cut at FIN",
            "loss 10%",
            "reorder 3%",
            "unplug",
            "unplug after 2s",
            "plug",
            " status ",
            "help",
            "END",
        ] {
            let verb = order.trim().to_ascii_lowercase();
            let verb = verb.split(' ').next().unwrap_or_default();
            assert!(HELP.contains(verb), "{order} is not in the help");
            assert!(order.parse::<Order>().is_ok(), "{order}");
        }
    }

    #[test]
    fn what_is_not_an_order_is_refused_with_the_reason() {
        for (wrong, reason) in [
            ("", "is not an order"),
            ("explode", "is not an order"),
            ("lose", "does not name a packet"),
            ("lose 10%", "does not name a packet"),
            ("loss 10", "is not a share"),
            ("delay 50", "is not a time"),
            ("delay next data by soon", "is not a time"),
            ("plug in", "is not an order"),
        ] {
            let problem = wrong.parse::<Order>().expect_err(wrong);
            assert!(problem.contains(reason), "{wrong}: {problem}");
        }
    }
}
