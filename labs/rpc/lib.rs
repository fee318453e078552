//! Remote procedure calls: what lies between a caller and a procedure on
//! another machine, and what "as if it were local" hides. Handout T (Terna).
//!
//! Three programs, in reading order: rpc-client (client.rs), rpc-server
//! (server.rs), and rpc-compare (compare.rs), which calls the same procedure
//! here and there.
//!
//! ```text
//! client.rs  compare.rs                 server.rs
//!     |  command                            |
//!     v                                     v
//!   stub ----> wire <------------------ skeleton ---> replies
//!     |         JSON-RPC messages           |
//!     v                                     v
//!   connection                          procedures -> arguments
//!     socket connect send recv              |
//!                                           v
//!                                       calculator, table
//! ```
//!
//! * `stub` is what the client calls; `connection` has its sockets.
//! * `wire` writes and reads the messages of both ends.
//! * `skeleton` finds and calls the procedure; `replies` remembers what was
//!   done (at most once); `procedures` lists what can be called, and
//!   `arguments` brings the arguments into order.
//! * `calculator` and `table` are the procedures. They know of no network.
//! * `command` reads what the user types.

pub mod arguments;
pub mod calculator;
pub mod command;
pub mod connection;
pub mod procedures;
pub mod replies;
pub mod skeleton;
pub mod stub;
pub mod table;
pub mod wire;
