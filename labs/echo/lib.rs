//! The echo: what a client sends comes back. Each task of handout E is a
//! program of its own, and each program adds one thing to the one before.
//!
//! The programs, in reading order:
//!
//! 1. `task1_server.rs`, `task1_client.rs`: one client, and the server prints.
//! 2. `task2_server.rs`, `task2_client.rs`: the server replies.
//! 3. `task3_server.rs`, `task3_client.rs`: many messages, until a command.
//! 4. `threads_server.rs`: a thread per client.
//! 5. `tcp_server.rs`, `tcp_client.rs`: the programs that one would use.
//! 6. `udp_server.rs`, `udp_client.rs`: task 4, the echo over UDP.
//! 7. `deadlock.rs`: fails on purpose, because it reads too late.
//!
//! What they share:
//!
//! | module       | what it is                                          |
//! | ------------ | --------------------------------------------------- |
//! | [`converse`] | one conversation of task 3: echo until a command    |
//! | [`command`]  | `exit` and `stop` in a stream without messages      |

pub mod command;
pub mod converse;
