//! The messages that client threads send to the hub, and its replies. A look-up
//! is one message, so that nothing changes between its parts.

use std::sync::Arc;

use crossbeam_channel::Sender;
use http::{Fields, Reader};

use crate::cache::stored::Stored;
use crate::hub::report::Report;
use crate::record::Record;

/// A message to the hub thread. thread.rs shows what the hub does with it.
pub enum Message {
    /// Reply with a cached response, or with a [`Miss`].
    LookUp(Lookup, Sender<Found>),
    /// A fetch has ended: cache its response.
    Store(Permit, Arc<Stored>),
    /// These URLs were changed.
    Invalidate(Vec<String>),
    /// Does this origin, `host:port`, speak HTTP/1.0?
    Http10(String, bool),
    /// A request was answered: log it. If its connection to the origin can be
    /// used again, put it into the pool.
    Done(Record, Option<(String, Reader)>),
    /// Reply with the content of the proxy's own page.
    Report(Sender<Report>),
    /// Reply when all earlier messages are handled.
    Finish(Sender<()>),
}

/// What a client thread asks the hub before it asks an origin.
pub struct Lookup {
    /// `host:port`.
    pub origin: String,
    /// May the request use an idle connection?
    pub reuse: bool,
    /// The URL, if a cached response may be used.
    pub url: Option<Arc<str>>,
    /// The request's fields, for the cache.
    pub fields: Fields,
    /// May the origin's response be cached?
    pub store: bool,
}

/// What the hub replies to a look-up.
pub enum Found {
    /// Send this.
    Hit(Arc<Stored>),
    /// Ask the origin.
    Miss(Miss),
}

/// What the hub has for a request to the origin.
#[derive(Default)]
pub struct Miss {
    /// An idle connection.
    pub idle: Option<Reader>,
    /// The right to cache the response.
    pub permit: Option<Permit>,
    /// A stale response: ask whether it is still good.
    pub stale: Option<Arc<Stored>>,
    /// The origin's last response was HTTP/1.0, so it does not know chunks.
    pub http10: bool,
}

/// The right to cache one response. There are at most 32 permits at a time,
/// because each one means a copy of up to a mebibyte. To drop it returns it.
pub struct Permit {
    /// The URL of the fetch.
    pub url: Arc<str>,
    /// The fetch's number: see [`Cache`](crate::cache::memory::Cache).
    pub begun: u64,
    /// The hub counts the permits by the copies of this handle.
    pub slot: Arc<()>,
}
