//! The mail lab: an SMTP client and an SMTP server. It shows a protocol of
//! lines and reply codes, which side is responsible for a message at which
//! moment, and how encryption and log-in were added to a protocol of 1982.
//!
//! The programs, in reading order: `plain_client.rs` is the handout's client;
//! `client.rs` sends one message to any server and shows the dialogue;
//! `sink.rs` is a mail server that stores messages in a folder and delivers
//! none.

pub mod smtp {
    //! What client and sink share: verbs, replies, addresses, doubled dots.

    pub mod address;
    pub mod dot_stuffing;
    pub mod reply;
    pub mod verb;
}

pub mod client {
    //! What only the client needs: `message` is what it sends, `wire` sends
    //! commands and reads replies, `outcome` reports the result.

    pub mod auth;
    pub mod body;
    pub mod eml;
    pub mod extensions;
    pub mod mailbox;
    pub mod message;
    pub mod options;
    pub mod outcome;
    pub mod pipeline;
    pub mod tls_policy;
    pub mod wire;
}

pub mod sink {
    //! What only the sink needs: `session` is its state for a client,
    //! `commands` and `data` carry out commands, `maildir` stores messages.

    pub mod auth;
    pub mod certificate;
    pub mod commands;
    pub mod data;
    pub mod envelope;
    pub mod faults;
    pub mod maildir;
    pub mod parse;
    pub mod session;
    pub mod wire;
}
