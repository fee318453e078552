//! The protocols of handout T's table in one program, `fetch`. Each is a
//! dialogue of short lines. They differ in which side speaks first, how a reply
//! ends, and how a secret is protected.
//!
//! Reading order:
//!
//! | module         | what it is                                             |
//! | -------------- | ------------------------------------------------------ |
//! | `plain_pop3.rs` | a message by POP3, in one file: read this one first   |
//! | `fetch.rs`     | the program: from a URL to one of the protocols        |
//! | [`pop3`]       | the simplest dialogue                                  |
//! | [`connection`] | socket, connect, send, recv, close; and TLS            |
//! | [`nntp`]       | news: replies with numbers, lists until a dot          |
//! | [`gopher`]     | one line is the request, FIN ends the reply            |
//! | [`ftp`]        | two connections: its replies, its data, storing files  |
//! | [`imap`]       | tags, literals, searches, mailboxes                    |
//! | [`telnet`]     | bytes both ways, and options negotiated between them   |
//! | [`http`]       | a head describes the body                              |
//! | [`login`]      | user, password, and when it may be sent                |
//! | [`output`]     | where the result is written                            |
//! | [`job`]        | what the user asked for                                |
//! | [`url`]        | a URL in its parts, and the table of schemes           |
//!
//! ```text
//! fetch -> pop3 nntp gopher ftp imap telnet http
//!            -> login -> connection -> job -> url
//!            -> output
//! ```

pub mod connection;
pub mod ftp;
pub mod gopher;
pub mod http;
pub mod imap;
pub mod job;
pub mod login;
pub mod nntp;
pub mod output;
pub mod pop3;
pub mod telnet;
pub mod url;
