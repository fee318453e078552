//! Host names, addresses, ports and sockets: the vocabulary of handout T
//! (Terna) with the values of real sockets.
//!
//! Read plain.rs first, then names.rs. The words on the command line of
//! `names` choose one of three commands. Each uses the modules to its right:
//!
//! ```text
//! names.rs -+- lookup   names HOST [SERVICE]   resolver, hostname, files,
//!           |                                  order, sockaddr
//!           +- port     names port NUMBER      ranges, resolver, files
//!           +- show     names show [TOPIC]
//!                 +- tuple, kinds, diagram     live_sockets
//!
//! all of them use: constants (AF_INET, EADDRINUSE), page (printing)
//! ```
//!
//! * `resolver` asks the C library, with a deadline; `hostname` checks the
//!   host's name; `files` finds the line of /etc/hosts with the answer.
//! * `order` explains which address is first; `sockaddr` shows its bytes.
//! * `ranges` has IANA's ranges of ports and this kernel's own.
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
