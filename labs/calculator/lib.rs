//! A session over TCP: a client sends its name, then calculations, and the
//! server replies to each of them until `q`. Handout G (IIT Goa), questions 4
//! to 8.
//!
//! Programs, in reading order: `template_server.rs` and `template_client.rs`
//! (one message, one reply), `plain_server.rs` and `plain_client.rs` (question
//! 6, literally), `sequential_server.rs` (one client at a time), `server.rs` (a
//! thread for each client), `client.rs`.
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
