//! A chat room: clients log in with a name, and all others see each line of a
//! member at once. Handout G (IIT Goa), question 8.
//!
//! Programs, in reading order: `plain_server.rs` and `plain_client.rs` (the
//! handout's room), `server.rs` (the room to use), `client.rs`.
//!
//! ```text
//! reader       one client's thread: its login, then its lines
//! hub          the thread that owns the room
//! outbox       the way to one member, which never blocks the hub
//! names        which names the room admits
//! text         what of a line is shown
//! screen       the client's keyboard and screen
//! completion   the names that Tab completes
//! ```

pub mod completion;
pub mod hub;
pub mod names;
pub mod outbox;
pub mod plain_hub;
pub mod reader;
pub mod screen;
pub mod text;
