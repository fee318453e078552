//! TODO

pub mod begin;
pub mod cache;
pub mod desk;
pub mod errors;
pub mod exchange;
pub mod flight;
pub mod forward;
pub mod freshness;
pub mod headers;
pub mod hub;
pub mod kept;
pub mod log;
pub mod origin;
pub mod pages;
pub mod pool;
pub mod proxy;
pub mod relay;
pub mod report;
pub mod session;
pub mod target;
pub mod tunnel;
pub mod watch;
