//! What the labs share. A lab's lesson is never here: `accept()` is always
//! called in `labs/`, and so is every line of a protocol's dialogue.
//!
//! From the bottom up: a module imports only modules above it in this table.
//!
//! | module           | what it is                                           |
//! | ---------------- | ---------------------------------------------------- |
//! | [`program`]      | what the running program says of itself              |
//! | [`Error`]        | which call failed, where and why; what to try        |
//! | [`console`]      | what is printed, and how bytes of a peer are shown   |
//! | [`threads`]      | their names; whose panic ends what                   |
//! | [`log`]          | the log thread                                       |
//! | [`signals`]      | Ctrl-C and SIGTERM                                   |
//! | [`socket_table`] | what the kernel knows of a socket: state, queues     |
//! | [`trace`]        | `TRACE=1`: each socket step as it happens            |
//! | [`secret`]       | passwords: from a file, the environment or a prompt  |
//! | [`args`]         | `PROGRAM [HOST] [PORT] [options]`, alike everywhere  |
//! | [`net`]          | the handouts' vocabulary: one method, one call       |
//! | [`stream`]       | what carries a dialogue: TCP, or TLS over it         |
//! | [`mod@line`]     | bytes to lines, with a cap and a deadline            |
//! | [`loop_guard`]   | whom a UDP server answers: no loops between servers  |
//! | [`dialogue`]     | commands and replies, printed; deadlines; STARTTLS   |
//! | [`secret`]       | passwords: from a file, the environment or a prompt  |
//! | [`clients`]      | a thread per client: bounded, contained, ended       |
//!
//! Invariants, wherever you read:
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
