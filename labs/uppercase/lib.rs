//! One service twice: a sentence goes out, and comes back with a to z as A
//! to Z. Over TCP it travels in a connection, over UDP as one datagram.
//!
//! The programs, in reading order; beside each other they show which calls
//! the two transports have in common:
//!
//! 1. `udp_server.rs`, `udp_client.rs`: handout W's UDPServer and UDPClient.
//! 2. `tcp_server.rs`, `tcp_client.rs`: its TCPServer and TCPClient.
//!
//! The programs share nothing but the crate socketlab: the service is one
//! line, `make_ascii_uppercase()`, and it stands in both servers.
