//! The echo: what a client sends comes back. Each task of handout E is a
//! program of its own, and each program adds one thing to the one before.
//!
//! The programs, in reading order:
//!
//! 1. `task1_server.rs`, `task1_client.rs`: one client, and the server prints.
//! 2. `task2_server.rs`, `task2_client.rs`: the server replies.
//! 3. `task3_server.rs`, `task3_client.rs`: many messages, until a command.
//! 4. `task4_server.rs`, `task4_client.rs`: the echo over UDP.
//! 5. `threads_server.rs`: a thread per client.
//! 6. `poll_server.rs`: many clients in one thread, with poll(2).
//! 7. `tcp_server.rs`, `tcp_client.rs`: the programs that one would use.
//! 8. `udp_server.rs`, `udp_client.rs`: the same over UDP.
//! 9. `deadlock.rs`: fails on purpose, because it reads too late.
//!
//! What they share:
//!
//! | module       | what it is                                          |
//! | ------------ | --------------------------------------------------- |
//! | [`converse`] | one conversation in a thread: echo until a command  |
//! | [`command`]  | `stop` and `exit` in a stream without messages      |

pub mod command;
pub mod converse;
