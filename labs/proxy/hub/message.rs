//! What a conversation says to the hub, and what the hub replies. A look-up is
//! one question, because its parts belong together.

use std::sync::Arc;

use crossbeam_channel::Sender;
use http::{Fields, Reader};

use crate::cache::stored::Stored;
use crate::hub::report::Report;
use crate::record::Record;

/// A request to the hub thread; thread.rs says what it does then.
pub enum Message {
    /// Reply with a cached response, or with what a fetch needs.
    LookUp(Lookup, Sender<Found>),
    /// A fetch has ended: cache what it brought.
    Store(Permit, Arc<Stored>),
    /// These URLs were changed.
    Invalidate(Vec<String>),
    /// This origin, `host:port`, speaks HTTP/1.0, or does so no more.
    Http10(String, bool),
    /// A request was answered. Its connection to an origin, if it can be used
    /// again, returns to the pool.
    Done(Record, Option<(String, Reader)>),
    /// Reply with what there is to see.
    Report(Sender<Report>),
    /// Reply when all earlier messages are handled.
    Finish(Sender<()>),
}

/// What a conversation asks before it asks an origin.
pub struct Lookup {
    /// `host:port`.
    pub origin: String,
    /// Would an idle connection do?
    pub reuse: bool,
    /// The URL, if the cache may answer.
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

/// What to know when asking the origin.
#[derive(Default)]
pub struct Miss {
    /// An idle connection.
    pub idle: Option<Reader>,
    /// The right to cache the response.
    pub permit: Option<Permit>,
    /// Ask whether this is still good.
    pub stale: Option<Arc<Stored>>,
    /// The origin has answered as HTTP/1.0 before: it knows no chunks.
    pub http10: bool,
}

/// The right to cache the response to one request. The hub gives out few at a
/// time, because each means a copy of up to a mebibyte; dropping it gives it
/// back.
pub struct Permit {
    /// What is fetched.
    pub url: Arc<str>,
    /// The fetch's number: see [`Cache`](crate::cache::memory::Cache).
    pub begun: u64,
    /// The hub counts these handles.
    pub slot: Arc<()>,
}
