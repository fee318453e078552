//! The web proxy lab.

pub mod cache {
    //! The cache.
    pub mod freshness;
    pub mod memory;
    pub mod stored;
}
pub mod dispatch;
pub mod errors;
pub mod exchange;
pub mod forward;
pub mod headers;
pub mod hit;
pub mod hops;
pub mod hub {
    //! The hub.
    pub mod handle;
    pub mod message;
    pub mod pool;
    pub mod report;
    pub mod thread;
}
pub mod origin;
pub mod pages;
pub mod record;
pub mod relay;
pub mod session;
pub mod settings;
pub mod target;
pub mod tunnel;
pub mod turn;
pub mod watch;
