//! The options of one proxy, as its conversations need them.

use std::time::Duration;

use crate::rules::Rules;

/// What does not change after the start, so that all threads read it without
/// a lock.
pub struct Settings {
    /// Which origins may be reached.
    pub rules: Rules,
    /// The ports to which CONNECT may lead.
    pub tunnel_ports: Vec<u16>,
    /// Is there a cache?
    pub cache: bool,
    /// Our name in Via fields, unlike any other proxy's.
    pub via: String,
    /// How long an origin may be silent.
    pub patience: Duration,
    /// How long a client may stay without a request.
    pub idle: Duration,
    /// How long both ends of a tunnel may be silent.
    pub tunnel_idle: Duration,
    /// Bytes that a request's body may have.
    pub max_body: u64,
}
