//! What HTTP adds to a socket: a request is a few lines of text; a response is
//! a few lines of text and a file. Read the programs in this order:
//!
//! * `once.rs`, the handout's server: one request, with HTTP spelled out.
//! * `client.rs`, the browser's part; it saves files with [`download`].
//! * `server.rs`, the server for real browsers. It uses all other modules.
//!
//! The modules, in the order in which a request passes them:
//!
//! | module          | what it is                                          |
//! | --------------- | --------------------------------------------------- |
//! | [`session`]     | one connection: requests and responses in turn      |
//! | [`respond`]     | from a request to a response                        |
//! | [`path`]        | from the URL's path to plain names                  |
//! | [`files`]       | from names to a file below the root                 |
//! | [`kind`]        | the value of Content-Type                           |
//! | [`conditional`] | `If-…`: 304 and 412                                 |
//! | [`range`]       | parts of a file: 206 and 416                        |
//! | [`send`]        | sends the response                                  |
//! | [`log`]         | writes a line to the access log                     |
//! | [`site`]        | the options that all conversations share            |
//!
//! Heads, bodies and their framing are in `src/http`, which the proxy uses too.

pub mod conditional;
pub mod download;
pub mod files;
pub mod kind;
pub mod log;
pub mod path;
pub mod range;
pub mod respond;
pub mod send;
pub mod session;
pub mod site;
