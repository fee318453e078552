//! TODO

pub mod batch;
pub mod hub;
pub mod log;
pub mod member;
pub mod names;
pub mod outbox;
pub mod window;
