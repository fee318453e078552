//! One service twice: a sentence goes out, and comes back with a to z as A
//! to Z. Over TCP it travels in a connection, over UDP as one datagram.
//!
//! The programs, in reading order; beside each other they show which calls
//! the two transports have in common:
//!
//! 1. `plain_udp_server.rs`, `plain_udp_client.rs`, `plain_tcp_server.rs`,
//!    `plain_tcp_client.rs`: handout W's skeletons, line by line.
//! 2. `udp_server.rs`, `udp_client.rs`: the same with loss and long sentences.
//! 3. `tcp_server.rs`, `tcp_client.rs`: many clients, and answers in pieces.
//!
//! The programs share nothing but the crate socketlab: the service is one
//! line, `make_ascii_uppercase()`, in each server.
