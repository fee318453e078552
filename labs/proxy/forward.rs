//! One request to its origin: a NEW request, with the old one's meaning.
//!
//! ```text
//!   hub.begin -- HIT ------------------------------------> relay::kept
//!      | Fetch: a connection at rest, or connect()
//!      v
//!   send head --> send body, piece by piece --> read answer --> relay
//!      ^               | the origin may answer before the end
//!      +-- once more, if a connection at rest was dead
//! ```

use socketlab::http::reader::HEAD_DEADLINE;
use socketlab::http::{
    Body, Fault, Framing, Reader, Response, Version, chunk_line,
};

use crate::begin::{Begun, Wanted};
use crate::errors::Problem;
use crate::flight::Flight;
use crate::freshness::{self, directive};
use crate::headers;
use crate::origin;
use crate::relay::{self, Asked};
use crate::session::{Failure, Turn};
use crate::target::Destination;
use crate::watch::{self, Seen};

/// Interim answers (1xx) that are taken from an origin.
const MOST_INTERIM: usize = 16;

type Outcome<T> = Result<T, Failure>;

/// Why an origin gave no answer.
enum Trouble {
    /// It closed before the first byte of one: if the connection had been at
    /// rest, the request may never have been seen.
    Dead,
    Other(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Other(failure)
    }
}

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
        Begun::Hit(kept) => {
            turn.leave_body();
            return relay::kept(turn, &kept, "HIT");
        }
        Begun::Fetch(fetch) => fetch,
    };
    let (idle, stale) = (fetch.idle, fetch.stale);
    let url = url.filter(|_| fetch.flight);
    let flight = url.map(|url| Flight::new(&turn.proxy.hub, url));
    if fetch.old && request.framing == Framing::Chunked {
        let why = "This origin speaks HTTP/1.0 and knows no chunks: send the \
                   body with a Content-Length.";
        return Err(Problem::new(411, why).into());
    }
    if looked && directive(&request.fields, "only-if-cached").is_some() {
        let why = "Only a kept answer was wanted, and there is none.";
        return Err(Problem::new(504, why).into());
    }
    let validators = stale.as_deref().map(freshness::validators);
    let validators = validators.unwrap_or_default();
    let via = &turn.proxy.via;
    let head = headers::request(request, destination, via, &validators);
    let requested = freshness::now();
    let rested = idle.is_some();
    let mut origin = match idle {
        Some(origin) => origin,
        None => dial(turn, destination)?,
    };
    let answer = match turn.ask(&mut origin, &head, destination) {
        Err(Trouble::Dead) if rested && repeatable => {
            origin = dial(turn, destination)?;
            turn.ask(&mut origin, &head, destination)
        }
        answer => answer,
    };
    let (response, whole) = answer.map_err(|trouble| match trouble {
        Trouble::Other(failure) => failure,
        Trouble::Dead => of_origin(destination, &Fault::Cut),
    })?;
    // What the client has not been asked for is still on its way.
    turn.keep &= whole;
    let asked = Asked { destination, flight, stale, requested, whole, looked };
    relay::answer(turn, origin, response, asked)
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
    let bodyless = request.framing == Framing::None;
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
        wait: true,
    }
}

fn of_origin(destination: &Destination, fault: &Fault) -> Failure {
    Problem::of_origin(&destination.origin(), fault).into()
}

fn too_large() -> Problem {
    Problem::new(413, "The body is larger than --max-body allows.")
}

impl Turn<'_> {
    /// Sends the request, and gives the final answer's head; also, whether
    /// the whole body was sent.
    fn ask(
        &mut self,
        origin: &mut Reader,
        head: &[u8],
        destination: &Destination,
    ) -> Result<(Response, bool), Trouble> {
        // ---- 7 send() ----------------------------------------------------
        // The new request. That send() succeeds says only that the kernel
        // has it: a connection that rested may be dead.        (viva 10)
        if origin.socket().send_all(head).is_err() {
            return Err(Trouble::Dead);
        }
        let mut body = Body::new(self.request.framing);
        let (mut sent, mut interim, mut reads) = (0, 0, true);
        while !body.is_done() && reads {
            match self.wait(origin, true)? {
                Seen::Client => {
                    reads = self.pass(origin, &mut body, &mut sent)?
                }
                // It need not wait for the end of a body that it refuses.
                Seen::Origin => {
                    let answer =
                        self.read(origin, destination, &mut interim)?;
                    if let Some(response) = answer {
                        return Ok((response, false));
                    }
                }
                Seen::Nothing => {
                    let why = "The body of the request stopped coming.";
                    return Err(Failure::from(Problem::new(408, why)).into());
                }
            }
        }
        loop {
            match self.wait(origin, false)? {
                Seen::Origin => {
                    let answer =
                        self.read(origin, destination, &mut interim)?;
                    if let Some(response) = answer {
                        return Ok((response, reads));
                    }
                }
                // Dropping the connection tells the origin to stop.
                Seen::Client => {
                    let why = "the client left before the answer";
                    return Err(Failure::Cut(why.into()).into());
                }
                Seen::Nothing => {
                    return Err(of_origin(destination, &Fault::Idle).into());
                }
            }
        }
    }

    /// Who is to be heard next?
    fn wait(&self, origin: &Reader, sending: bool) -> Outcome<Seen> {
        let limit = self.proxy.patience;
        let (from, to) = (self.client.socket(), origin.socket());
        if sending && !self.client.buffered().is_empty() {
            return Ok(Seen::Client);
        }
        if !origin.buffered().is_empty() {
            return Ok(Seen::Origin);
        }
        Ok(match sending {
            true => watch::either(to, from, limit)?,
            false => watch::origin_or_farewell(to, from, limit)?,
        })
    }

    /// A piece of the body, from the client to the origin. False: the origin
    /// takes no more, and may have said why.
    fn pass(
        &mut self,
        origin: &Reader,
        body: &mut Body,
        sent: &mut u64,
    ) -> Outcome<bool> {
        let chunked = self.request.framing == Framing::Chunked;
        let origin = origin.socket();
        let done = match body.next(self.client) {
            Ok(Some(piece)) => {
                *sent += piece.len() as u64;
                if *sent > self.proxy.max_body {
                    return Err(too_large().into());
                }
                match chunked {
                    true => origin.send_parts(&[
                        chunk_line(piece.len()).as_bytes(),
                        piece,
                        b"\r\n",
                    ]),
                    false => origin.send_all(piece),
                }
            }
            Ok(None) if chunked => {
                origin.send_all(&headers::trailers(body.trailers()))
            }
            Ok(None) => Ok(()),
            Err(fault) => {
                return Err(match Problem::of_client(&fault) {
                    Some(problem) => problem.into(),
                    None => Failure::Cut("the client left in mid-body".into()),
                });
            }
        };
        Ok(done.is_ok())
    }

    /// The head of an answer; `None` if it was an interim one.
    fn read(
        &mut self,
        origin: &mut Reader,
        destination: &Destination,
        interim: &mut usize,
    ) -> Result<Option<Response>, Trouble> {
        let found = origin.read_response(self.proxy.patience);
        let response = match found {
            Ok(Some(response)) => response,
            Ok(None) if *interim == 0 => return Err(Trouble::Dead),
            Ok(None) => return Err(of_origin(destination, &Fault::Cut).into()),
            // A reset before the first byte.
            Err(Fault::Cut)
                if *interim == 0 && origin.buffered().is_empty() =>
            {
                return Err(Trouble::Dead);
            }
            Err(fault) => return Err(of_origin(destination, &fault).into()),
        };
        if response.status >= 200 {
            return Ok(Some(response));
        }
        *interim += 1;
        if response.status == 101 || *interim > MOST_INTERIM {
            let why = "It sent interim answers that nobody asked for.";
            return Err(of_origin(destination, &Fault::bad(why)).into());
        }
        // 100, 103: the client's business, if it knows of such things.
        if self.request.version == Version::Http11 {
            let fields = headers::end_to_end(&response.fields);
            let head =
                headers::response(&response, &fields, &self.proxy.via).end();
            self.client.socket().send_all(&head).map_err(Failure::from)?;
        }
        Ok(None)
    }
}
