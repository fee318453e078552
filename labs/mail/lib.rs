//! The mail lab: SMTP from both ends. It shows a protocol of lines and reply
//! codes, which side answers for a message at which moment, and how
//! encryption and log-ins were added to a protocol of 1982.
//!
//! The programs, in reading order: `client.rs` hands in one message and shows
//! the dialogue; `sink.rs` is a mail server that stores messages in a folder
//! and delivers none.

pub mod smtp {
    //! What both ends share: verbs, replies, addresses, and the dots.

    pub mod address;
    pub mod dot_stuffing;
    pub mod reply;
    pub mod verb;
}

pub mod client {
    //! What only the client needs: `message` is what it sends, `wire` carries
    //! the dialogue, `outcome` tells what became of it.

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
    //! What only the sink needs: `session` is what it remembers of a client,
    //! `commands` and `data` are what it does, `maildir` stores messages.

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
