//! TODO

pub mod dialogue;
pub mod encoded_word;
pub mod ftp;
pub mod ftp_data;
pub mod gopher;
pub mod http;
pub mod imap;
pub mod imap_list;
pub mod imap_reply;
pub mod job;
pub mod login;
pub mod mailbox;
pub mod nntp;
pub mod output;
pub mod pop3;
pub mod telnet;
pub mod telnet_options;
pub mod url;
