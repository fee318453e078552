//! What the labs share. A lab's lesson is never here: `accept()` is always
//! called in `labs/`, and so is every line of a protocol's dialogue.
//!
//! | module         | what it is                                             |
//! | -------------- | ------------------------------------------------------ |
//! | [`net`]        | the handouts' vocabulary: one method, one system call  |
//! | [`mod@line`]   | bytes to lines, with a cap and a deadline              |
//! | [`stream`]     | what carries a dialogue: TCP, or TLS over it           |
//! | [`dialogue`]   | commands and replies, printed; deadlines; STARTTLS     |
//! | [`secret`]     | passwords: from a file, the environment or a prompt    |
//! | [`clients`]    | a thread per client: bounded, contained, ended         |
//! | [`reflection`] | whom a UDP server answers: no loops between servers    |
//! | [`stop`]       | Ctrl-C and SIGTERM                                     |
//! | [`args`]       | `PROGRAM [HOST] [PORT] [options]`, alike everywhere    |
//! | [`console`]    | what is printed, and how bytes of a peer are shown     |
//! | [`trace`]      | `TRACE=1`: each socket step as it happens              |
//! | [`tcp_table`]  | the kernel's own list of sockets, for `trace`, `ports` |
//!
//! Invariants, wherever you read:
//!
//! * A setup error ends the program with one line that teaches. A client's
//!   error ends that client's thread and nothing else.
//! * No buffer, queue, line or wait that a peer controls is without a bound.
//! * What a peer sent is never printed raw: see [`console::escape`].
//! * No `unsafe`; no `unwrap` on anything a peer or a user can influence.

pub mod args;
pub mod clients;
pub mod console;
pub mod dialogue;
mod error;
pub mod line;
pub mod net;
pub mod reflection;
pub mod secret;
pub mod stop;
pub mod stream;
pub mod tcp_table;
pub mod trace;

pub use error::{Error, Result};
