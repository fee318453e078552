//! A chat room: clients log in with a name, and all others see each line of a
//! member at once. Handout G (IIT Goa), question 8.
//!
//! Programs, in reading order: `server.rs` (the room), `client.rs`.
//!
//! ```text
//! reader       one client's thread: its login, then its lines
//! hub          the thread that owns the room
//! outbox       the way to one member, which never blocks the hub
//! names        which names the room admits
//! screen       the client's keyboard and screen
//! ```

pub mod hub;
pub mod names;
pub mod outbox;
pub mod reader;
pub mod screen;
