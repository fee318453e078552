//! The mail lab, black box: the sink, over sockets and with other people's
//! mail clients.

mod support;

#[path = "mail/sink.rs"]
mod sink;
