//! TODO

pub mod address;
pub mod auth;
pub mod data;
pub mod message;
pub mod offer;
pub mod options;
pub mod password;
pub mod pipeline;
pub mod policy;
pub mod reply;
pub mod report;
pub mod sink_auth;
pub mod sink_command;
pub mod sink_data;
pub mod sink_envelope;
pub mod sink_faults;
pub mod sink_mbox;
pub mod sink_session;
pub mod sink_store;
pub mod sink_talk;
pub mod sink_tls;
pub mod sink_verbs;
pub mod smtp;
pub mod text;
