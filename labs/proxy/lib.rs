//! A web proxy: a server to browsers, a client to origins. Read the programs
//! in this order:
//!
//! * `once.rs`, what the handout asks for, literally: one object a connection.
//! * `server.rs`, the proxy to use, with the modules below.
//!
//! In the order of a request (the README's "The path"); each module imports
//! only modules that stand below it here:
//!
//! | module       | what it is                                             |
//! | ------------ | ------------------------------------------------------ |
//! | [`session`]  | one client's connection: requests in turn              |
//! | [`dispatch`] | from a request to whoever answers it                   |
//! | [`forward`]  | from the cache, or else from the origin                |
//! | [`tunnel`]   | CONNECT                                                |
//! | [`relay`]    | the response of an origin, to the client               |
//! | [`hit`]      | a response out of the cache                            |
//! | [`exchange`] | the request to an origin, until its response begins    |
//! | [`turn`]     | one request and its response, as all these share it    |
//! | [`hub`]      | the thread that owns the cache and the idle connections |
//! | [`origin`]   | from a name to a connection                            |
//! | [`rules`]    | which addresses may be reached                         |
//! | [`headers`]  | which fields are forwarded                             |
//! | [`cache`]    | the cached responses, and RFC 9111's rules             |
//! | [`target`]   | where a request goes                                   |
//! | [`errors`]   | pages that say what went wrong                         |
//! | [`hops`]     | Via and Max-Forwards: they end a loop of proxies       |
//! | [`record`]   | what is known of a request afterwards: a line of log   |
//! | [`users`]    | who may use the proxy                                  |
//! | [`watch`]    | which of two sockets is ready first: poll()            |

pub mod cache {
    //! The cache, which the hub thread owns.

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
    //! The hub thread, and how conversations talk to it: see [`handle`].

    pub mod handle;
    pub mod message;
    pub mod pool;
    pub mod report;
    pub mod thread;
}
pub mod origin;
pub mod record;
pub mod relay;
pub mod rules;
pub mod session;
pub mod target;
pub mod tunnel;
pub mod turn;
pub mod users;
pub mod watch;
