//! Host names, addresses, ports, and what a socket is: the vocabulary of
//! handout T (Terna) beside the values of live sockets.
//!
//! One program, `names` (names.rs). Read it first: its words choose one of
//! three commands. Each command may use the modules to its right:
//!
//! ```text
//! names.rs -+- lookup   names HOST [SERVICE]   resolver, hostname, files,
//!           |                                  order, sockaddr
//!           +- port     names port NUMBER      ranges, resolver, files
//!           +- show     names show [TOPIC]
//!                 +- tuple, kinds, diagram     live_sockets
//!
//! below all of them: constants (AF_INET, EADDRINUSE), page (printing)
//! ```
//!
//! * `resolver` asks the C library, with a deadline; `hostname` reads the word
//!   in place of a host; `files` finds the responsible line of /etc/hosts.
//! * `order` says which address goes first; `sockaddr` shows its bytes.
//! * `ranges` knows IANA's ranges of ports and this kernel's own.
//! * `live_sockets` has steps 4 to 10, `socket()` to `close()`; the topics of
//!   `names show` are built from them.

pub mod constants;
pub mod diagram;
pub mod files;
pub mod hostname;
pub mod kinds;
pub mod live_sockets;
pub mod lookup;
pub mod order;
pub mod page;
pub mod port;
pub mod ranges;
pub mod resolver;
pub mod show;
pub mod sockaddr;
pub mod tuple;
