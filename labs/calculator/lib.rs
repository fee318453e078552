//! A session over TCP: a client says its name, then sums, and the server
//! answers each of them until `q`. Handout G (IIT Goa), questions 4 to 8.
//!
//! Programs, in reading order: `template_server.rs` and `template_client.rs`
//! (one message, one answer), `plain_server.rs` and `plain_client.rs`
//! (question 6 by its letter), `sequential_server.rs` (one client at a time),
//! `server.rs` (a thread for each client), `client.rs`.
//!
//! ```text
//! session      one client's conversation, for both servers
//! protocol     the messages: the name, the sums, q
//! expr         a sum as text: number, operator, number
//! number       a sum's value, and how it is printed
//! ```

pub mod expr;
pub mod number;
pub mod protocol;
pub mod session;
