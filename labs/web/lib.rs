//! TODO

pub mod conditional;
pub mod download;
pub mod files;
pub mod log;
pub mod page;
pub mod path;
pub mod range;
pub mod respond;
pub mod send;
pub mod session;
pub mod site;
