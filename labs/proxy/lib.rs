//! A web proxy: a server to browsers, and a client to origins. Read the
//! programs in this order:
//!
//! * `once.rs`: what the handout asks for, literally.
//! * `server.rs`: the proxy for daily use, with the modules below.
//!
//! The modules are in the order of a request (the README's "The path"). Each
//! module imports only modules below it in this table:
//!
//! | module       | what it is                                             |
//! | ------------ | ------------------------------------------------------ |
//! | [`session`]  | one client's connection, request by request            |
//! | [`dispatch`] | chooses the module that answers a request              |
//! | [`forward`]  | the response: from the cache, or from the origin       |
//! | [`tunnel`]   | CONNECT                                                |
//! | [`relay`]    | the response of an origin, to the client               |
//! | [`hit`]      | a response from the cache                              |
//! | [`exchange`] | the request to an origin, until its response begins    |
//! | [`turn`]     | one request and its response, as all these share it    |
//! | [`hub`]      | the thread that owns the cache and the idle connections |
//! | [`origin`]   | from a name to a connection                            |
//! | [`rules`]    | which addresses are allowed                            |
//! | [`headers`]  | which header fields are passed on                      |
//! | [`cache`]    | the cached responses, and RFC 9111's rules             |
//! | [`target`]   | where a request goes                                   |
//! | [`errors`]   | pages that say what went wrong                         |
//! | [`hops`]     | Via and Max-Forwards, against forwarding loops         |
//! | [`record`]   | one request and its result: a line of the log          |
//! | [`users`]    | the users and their passwords                          |
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
    //! The hub thread, and how client threads use it: see [`handle`].

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
