//! Many messages, who may send them, and how many. Handout D (Durham), tasks
//! 1 to 3.
//!
//! Programs, in reading order: `open_server.rs` (task 1: every client may
//! send), `plain_client.rs`, `password_server.rs` (task 2) and
//! `quota_server.rs` (task 3), each as short as possible. Then the programs to
//! use: `server.rs` (a login and a quota), `client.rs`, `intruder.rs`
//! (attacks).
//!
//! ```text
//! messages     limits and time of a message, for both servers
//! auth         the levels of authentication, the secret, both ends' part
//! login        who gets in: the server's dialogue with a new client
//! throttle     failed logins make an address wait
//! quota        the table of task 3: how many messages an ID may send
//! answers      what the client does with the server's answers
//! attacks      what the intruder tries, and how it ended
//! ```

pub mod answers;
pub mod attacks;
pub mod auth;
pub mod login;
pub mod messages;
pub mod quota;
pub mod throttle;
