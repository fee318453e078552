//! The network itself as a lab: two hosts and a cable on one machine, captured,
//! with losses by name; and a relay that is a poor network.
//!
//! The programs, in reading order:
//!
//! | program      | what it shows                                            |
//! | ------------ | -------------------------------------------------------- |
//! | `wire-cable` | raw sockets: complete frames in, complete frames out     |
//! | `wire-hosts` | two hosts for an ordinary user, by namespaces            |
//! | `wire-relay` | what TCP and UDP do not promise                          |
//!
//! One frame goes through the cable like this:
//!
//! ```text
//! 1 cable.rs, listen     recvfrom() returns the frame, for hub.rs
//! 2 finish.rs            its checksums, and segments of 1,514 bytes
//! 3 packet.rs            what its headers say
//! 4 connections.rs       is it part of a handshake? the last ACK?
//! 5 rules.rs             which orders concern it: packet_name.rs, chance.rs
//! 6 capture.rs           written down, with a comment
//! 7 schedule.rs          waits until its time has come
//! 8 cable.rs, send       sendto() at the other end
//! ```

pub mod af_packet;
pub mod capture;
pub mod chance;
pub mod connections;
pub mod finish;
pub mod hub;
pub mod network;
pub mod order_reader;
pub mod orders;
pub mod packet;
pub mod packet_name;
pub mod poor_stream;
pub mod rules;
pub mod running;
pub mod schedule;
pub mod tmux;
pub mod udp_relay;
pub mod units;
