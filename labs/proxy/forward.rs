//! Gets the response to one request: from the cache, or from its origin.
//! [W-T3a] [W-T3b]
//!
//! ```text
//!   look_up -> Hit  -> hit.rs
//!           -> Miss -> connect, or an idle connection
//!                      exchange.rs: the new request, the response's head
//!                        idle connection dead: again, with connect
//!                        304 about another object: again, unconditionally
//!                      relay.rs: the new response
//! ```

use http::{Fault, Framing, Request};

use crate::cache::freshness::{self, directive};
use crate::errors::{ErrorPage, Failure};
use crate::exchange::{exchange, too_large};
use crate::headers;
use crate::hit;
use crate::hub::message::{Found, Lookup, Miss};
use crate::origin;
use crate::record::Source;
use crate::relay::{Fetch, relay};
use crate::target::Destination;
use crate::turn::Turn;

/// Answers a request from the cache or from its origin.
pub fn forward(
    turn: &mut Turn<'_>,
    destination: &Destination,
) -> Result<(), Failure> {
    if let Framing::Length(length) = turn.request.framing
        && length > turn.settings.max_body
    {
        return Err(too_large().into());
    }
    let lookup = lookup(turn, destination);
    // The origin may have closed an idle connection meanwhile. So only a
    // request that may be sent twice can use one.                (viva 10)
    let repeatable = lookup.reuse;
    if lookup.url.is_some() {
        turn.record.source = Source::Miss; // unless it is found
    }
    match turn.hub.look_up(lookup) {
        Found::Hit(stored) => hit::send(turn, &stored, Source::Hit),
        Found::Miss(miss) => fetch(turn, destination, miss, repeatable),
    }
}

/// Asks the origin and passes its response on.
fn fetch(
    turn: &mut Turn<'_>,
    destination: &Destination,
    mut miss: Miss,
    repeatable: bool,
) -> Result<(), Failure> {
    refuse_in_vain(turn, miss.http10)?;
    let settings = turn.settings;
    // At most three rounds: the idle connection is used once, and the
    // conditions are removed once.
    loop {
        let requested = freshness::now();
        let reused = miss.idle.is_some();
        let mut origin = match miss.idle.take() {
            Some(origin) => origin,
            None => {
                let rules = Some(&settings.rules);
                let patience = settings.patience;
                origin::connect(destination, rules, patience, turn.client)?
            }
        };
        let stale = miss.stale.as_deref();
        let answer = exchange(turn, &mut origin, destination, stale)?;
        let Some((response, complete)) = answer else {
            if reused && repeatable {
                continue; // with a new connection
            }
            let origin = destination.origin();
            return Err(Failure::of_origin(&origin, &Fault::Cut));
        };
        // 304, but its ETag is not that of the cached response: the proxy
        // does not have this object. So it asks again, without conditions.
        if response.status == 304
            && let Some(stored) = &miss.stale
            && !freshness::is_of(&response.fields, stored)
        {
            miss.stale = None;
            continue;
        }
        // If the origin responded before the end of the request's body, the
        // rest of that body is still to come. No request can follow it.
        turn.keep &= complete;
        let fetch = Fetch { destination, miss, requested, complete };
        return relay(turn, origin, response, fetch);
    }
}

/// Refuses a request that the origin could not answer, or must not see.
fn refuse_in_vain(turn: &Turn<'_>, http10: bool) -> Result<(), Failure> {
    let request = turn.request;
    if http10 && request.framing == Framing::Chunked {
        let why = "This origin speaks HTTP/1.0 and knows no chunks: send the \
                   body with a Content-Length.";
        return Err(ErrorPage::new(411, why).into());
    }
    if turn.record.source == Source::Miss
        && directive(&request.fields, "only-if-cached").is_some()
    {
        let why = "The client asked for a cached response only \
                   (only-if-cached), and there is none.";
        return Err(ErrorPage::new(504, why).into());
    }
    Ok(())
}

/// The question for the hub: what may the cache and the pool do for this
/// request?
fn lookup(turn: &Turn<'_>, destination: &Destination) -> Lookup {
    let request = turn.request;
    let fields = &request.fields;
    let bodyless = !request.has_body();
    let get = request.method == "GET";
    let readable = (get || request.method == "HEAD") && bodyless;
    // A Range asks for a part of an object. Parts are passed on; the cache
    // is not asked.
    let cache = turn.settings.cache > 0 && readable && !fields.has("Range");
    let mut conditions = headers::CONDITIONS.split(' ');
    let conditional = conditions.any(|name| fields.has(name));
    // A cached response cannot decide conditions other than these two.
    let odd = ["If-Match", "If-Unmodified-Since", "If-Range"];
    let cache = cache && !odd.iter().any(|name| fields.has(name));
    let no_store = directive(fields, "no-store").is_some();
    Lookup {
        origin: destination.origin(),
        reuse: is_idempotent(request) && bodyless,
        url: cache.then(|| destination.url().into()),
        fields: if cache { fields.clone() } else { Default::default() },
        store: cache && get && !no_store && !conditional,
    }
}

/// Does the request have the same effect if it is sent twice? (RFC 9110,
/// section 9.2.2) A second POST could order a second time.
fn is_idempotent(request: &Request) -> bool {
    ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]
        .contains(&request.method.as_str())
}
