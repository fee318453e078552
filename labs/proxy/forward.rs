//! One request to its origin, unless the cache has the response.
//! [W-T3a] [W-T3b]

use http::reader::HEAD_DEADLINE;
use http::{Fault, Framing, Reader, Request};

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
    // Only what may be sent again may take a connection that was idle.
    let repeatable = lookup.reuse;
    if lookup.url.is_some() {
        turn.record.source = Source::Miss;
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
    // Three times at most: each repetition removes its own reason.
    loop {
        let requested = freshness::now();
        let reused = miss.idle.is_some();
        let mut origin = match miss.idle.take() {
            Some(origin) => origin,
            None => connect(turn, destination)?,
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
        // "Not modified", but it is about another object than ours: ask for
        // that one, without conditions.
        if response.status == 304
            && let Some(stored) = &miss.stale
            && !freshness::is_of(&response.fields, stored)
        {
            miss.stale = None;
            continue;
        }
        // The rest of the request's body may still be on its way.
        turn.keep &= complete;
        let fetch = Fetch { destination, miss, requested, complete };
        return relay(turn, origin, response, fetch);
    }
}

/// What need not even be asked.
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
        let why = "Only a cached response was wanted, and there is none.";
        return Err(ErrorPage::new(504, why).into());
    }
    Ok(())
}

fn connect(
    turn: &Turn<'_>,
    destination: &Destination,
) -> Result<Reader, Failure> {
    let (rules, patience) = (&turn.settings.rules, turn.settings.patience);
    let mut origin =
        origin::connect(destination, Some(rules), patience, turn.client)?;
    origin.set_head_deadline(HEAD_DEADLINE.min(patience));
    Ok(origin)
}

/// What the hub is asked.
fn lookup(turn: &Turn<'_>, destination: &Destination) -> Lookup {
    let request = turn.request;
    let fields = &request.fields;
    let bodyless = !request.has_body();
    let get = request.method == "GET";
    let readable = (get || request.method == "HEAD") && bodyless;
    // A part of an object is neither looked up nor cached: it passes.
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

/// May it be sent twice with the effect of once? RFC 9110, section 9.2.2.
fn is_idempotent(request: &Request) -> bool {
    ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]
        .contains(&request.method.as_str())
}
