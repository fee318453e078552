//! greet: the smallest TCP server and client, in the system's own calls.
//!
//! Read server.rs, then plain_client.rs; client.rs is the same with time
//! limits, for mail servers. Each is complete in one file and calls
//! `socket`, `bind`, `listen`, `accept`, `connect`, `send` and `recv` by their
//! real names, so this lab has no modules. The later labs call the same
//! functions through `socketlab::net`.
