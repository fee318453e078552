//! One request to its origin: a NEW request, with the old one's meaning.
//! [W-T3a] [W-T3b]
//!
//! ```text
//!   hub.begin -- HIT ------------------------------------> relay::kept
//!      | Fetch: a connection at rest, or connect()
//!      v
//!   send head --> send body, piece by piece --> read answer --> relay
//!      ^               | the origin may answer before the end
//!      +-- once more, if a connection at rest was dead
//! ```

use http::reader::HEAD_DEADLINE;
use http::{Fault, Framing, Reader};

use crate::begin::{Begun, Wanted};
use crate::errors::Problem;
use crate::exchange::{Trouble, of_origin, too_large};
use crate::flight::Flight;
use crate::freshness::{self, directive};
use crate::headers;
use crate::kept;
use crate::origin;
use crate::relay::{self, Asked};
use crate::session::{Failure, Turn};
use crate::target::Destination;

type Outcome<T> = Result<T, Failure>;

/// Answers a request from the cache or from its origin.
pub fn forward(turn: &mut Turn<'_>, destination: &Destination) -> Outcome<()> {
    let request = turn.request;
    if let Framing::Length(length) = request.framing
        && length > turn.proxy.max_body
    {
        return Err(too_large().into());
    }
    let wanted = wanted(turn, destination);
    // Only what may be sent again may take a connection that rested.
    let repeatable = wanted.rested;
    let url = wanted.url.clone().filter(|_| wanted.keep);
    let looked = wanted.url.is_some();
    if looked {
        turn.record.how = "MISS";
    }
    let fetch = match turn.proxy.hub.begin(wanted) {
        Begun::Hit(kept) => return kept::kept(turn, &kept, "HIT"),
        Begun::Fetch(fetch) => fetch,
    };
    let (mut idle, mut stale, old) = (fetch.idle, fetch.stale, fetch.old);
    let hub = &turn.proxy.hub;
    let flight = url.zip(fetch.flight);
    let flight = flight.map(|(url, number)| Flight::new(hub, url, number));
    if old && request.framing == Framing::Chunked {
        let why = "This origin speaks HTTP/1.0 and knows no chunks: send the \
                   body with a Content-Length.";
        return Err(Problem::new(411, why).into());
    }
    if looked && directive(&request.fields, "only-if-cached").is_some() {
        let why = "Only a kept answer was wanted, and there is none.";
        return Err(Problem::new(504, why).into());
    }
    // Three times at most: each repetition takes its own reason away.
    loop {
        let validators = stale.as_deref().map(freshness::validators);
        let validators = validators.unwrap_or_default();
        let via = &turn.proxy.via;
        let head = headers::request(request, destination, via, &validators);
        let requested = freshness::now();
        let rested = idle.is_some();
        let mut origin = match idle.take() {
            Some(origin) => origin,
            None => dial(turn, destination)?,
        };
        let answer = turn.ask(&mut origin, &head, destination);
        let (response, whole) = match answer {
            Ok(answer) => answer,
            Err(Trouble::Dead) if rested && repeatable => continue,
            Err(Trouble::Dead) => {
                return Err(of_origin(destination, &Fault::Cut));
            }
            Err(Trouble::Other(failure)) => return Err(failure),
        };
        // "Not modified", but it speaks of another object than ours: ask for
        // that one, without conditions.
        if response.status == 304
            && let Some(kept) = &stale
            && !freshness::is_of(&response.fields, kept)
        {
            stale = None;
            continue;
        }
        // What the client has not been asked for is still on its way.
        turn.keep &= whole;
        let asked =
            Asked { destination, flight, stale, requested, whole, looked, old };
        return relay::answer(turn, origin, response, asked);
    }
}

fn dial(turn: &Turn<'_>, destination: &Destination) -> Outcome<Reader> {
    let socket = origin::connect(destination, &turn.proxy.rules)?;
    let mut origin = Reader::new(socket);
    origin.set_head_deadline(HEAD_DEADLINE.min(turn.proxy.patience));
    Ok(origin)
}

/// What the hub is asked.
fn wanted(turn: &Turn<'_>, destination: &Destination) -> Wanted {
    let (proxy, request) = (turn.proxy, turn.request);
    let fields = &request.fields;
    let bodyless = !request.has_body();
    let get = request.method == "GET";
    let readable = (get || request.method == "HEAD") && bodyless;
    // A part of an object is neither looked for nor kept: it passes.
    let cache = proxy.cache && readable && !fields.has("Range");
    let conditional = headers::CONDITIONS.iter().any(|name| fields.has(name));
    // Conditions beyond these two cannot be judged from a kept answer.
    let odd = ["If-Match", "If-Unmodified-Since", "If-Range"];
    let cache = cache && !odd.iter().any(|name| fields.has(name));
    let no_store = directive(fields, "no-store").is_some();
    Wanted {
        origin: destination.origin(),
        rested: headers::is_idempotent(request) && bodyless,
        url: cache.then(|| destination.url().into()),
        fields: if cache { fields.clone() } else { Default::default() },
        keep: cache && get && !no_store && !conditional,
    }
}
