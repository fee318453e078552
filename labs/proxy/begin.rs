//! What a conversation asks the hub before it asks an origin, and what the
//! hub says: one question, because the parts belong together.
//!
//! ```text
//!   Wanted: this URL, for these fields ---> hub ---> Hit: a kept answer
//!                                               ---> Fetch: ask the origin
//! ```

use std::sync::Arc;

use http::{Fields, Reader};

use crate::cache::Stored;

/// What a conversation wants to know before it asks an origin.
pub struct Wanted {
    /// `host:port`.
    pub origin: String,
    /// Would a connection at rest do?
    pub rested: bool,
    /// The URL, if the cache may answer.
    pub url: Option<Arc<str>>,
    /// The request's fields, for the cache.
    pub fields: Fields,
    /// May the origin's answer be kept?
    pub keep: bool,
}

/// What the hub says to that.
pub enum Begun {
    /// This will do.
    Hit(Arc<Stored>),
    /// Ask the origin.
    Fetch(Fetch),
}

/// What to know when asking the origin.
#[derive(Default)]
pub struct Fetch {
    /// A connection at rest.
    pub idle: Option<Reader>,
    /// Others wait for what you find: the number of this flight.
    pub flight: Option<u64>,
    /// Is this still good?
    pub stale: Option<Arc<Stored>>,
    /// It answered as HTTP/1.0 before: no chunks for it.
    pub old: bool,
}
