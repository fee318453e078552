//! The network itself as a lab.
pub mod capture;
pub mod chance;
pub mod connections;
pub mod finish;
pub mod network;
pub mod orders;
pub mod packet;
pub mod packet_name;
pub mod rules;
pub mod schedule;
pub mod units;
pub mod udp_relay;
