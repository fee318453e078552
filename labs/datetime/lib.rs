//! Requests and responses over UDP: a client asks for the date or the time,
//! again and again, and the server reads the clock and stores nothing.
//!
//! The programs, in reading order:
//!
//! 1. `template_server.rs`, `template_client.rs`: UDP, as short as possible.
//! 2. `plain_server.rs`, `plain_client.rs`: SEND_DATE and SEND_TIME, and
//!    nothing else.
//! 3. `server.rs`: the same, with forged senders in mind.
//! 4. `client.rs`: asks at random, and copes with loss.
//!
//! What they share:
//!
//! | module      | what it is                                           |
//! | ----------- | ---------------------------------------------------- |
//! | [`answer`]  | the protocol, and the server's side of it            |
//! | [`request`] | the client's side of the protocol                    |
//! | [`tally`]   | what the client counts for its summary               |

pub mod answer;
pub mod request;
pub mod tally;
