//! What the labs share. A lab's lesson is never here: `accept()` is always
//! called in `labs/`, and so is every line of a protocol's dialogue.
//!
//! From the bottom up: a module imports only modules above it in this table.
//!
//! | module           | what it is                                           |
//! | ---------------- | ---------------------------------------------------- |
//! | [`program`]      | the description of the running program                |
//! | [`Error`]        | which call failed, where and why; what to try        |
//! | [`console`]      | printing; how bytes of a peer are shown              |
//! | [`threads`]      | their names; what a panic ends                       |
//! | [`log`]          | the log thread                                       |
//! | [`signals`]      | Ctrl-C and SIGTERM                                   |
//! | [`socket_table`] | the kernel's table of sockets: states, queues        |
//! | [`trace`]        | `TRACE=1`: each socket step as it happens            |
//! | [`args`]         | `PROGRAM [HOST] [PORT] [options]`                    |
//! | [`net`]          | the handouts' vocabulary: one method, one call       |
//! | [`stream`]       | the stream under a dialogue: TCP, or TLS over it     |
//! | [`mod@line`]     | splits bytes into lines, with a limit and a deadline |
//! | [`loop_guard`]   | which datagrams a UDP server answers: it ends loops  |
//! | [`dialogue`]     | commands and replies, printed; deadlines; STARTTLS   |
//! | [`secret`]       | passwords: from a file, the environment or a prompt  |
//! | [`clients`]      | a thread for each client, in a bounded number        |
//!
//! Invariants:
//!
//! * A setup error ends the program with one line that says what to try. A
//!   client's error ends that client's thread and nothing else.
//! * A panic ends one conversation. In a thread that the program needs it ends
//!   the program: see [`threads::spawn_essential`].
//! * Each buffer, queue, line and wait that a peer controls has a limit.
//! * What a peer sent is never printed raw: see [`console::escape`].
//! * No `unsafe`; no `unwrap` on anything a peer or a user can influence.

pub mod args;
pub mod clients;
pub mod console;
pub mod dialogue;
mod error;
pub mod line;
pub mod log;
pub mod loop_guard;
pub mod net;
pub mod program;
pub mod secret;
pub mod signals;
pub mod socket_table;
pub mod stream;
pub mod threads;
pub mod trace;

pub use error::{Error, Result};
