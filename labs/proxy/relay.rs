//! The answer to the client: a NEW response, with the origin's object.
//!
//! ```text
//!   origin says           client gets, HTTP/1.1     HTTP/1.0
//!   Content-Length: 5     Content-Length: 5         the same
//!   chunked, trailers     chunked, trailers         until close
//!   until close           chunked                   until close
//!   HEAD, 204, 304        no body                   no body
//! ```
//! Each piece goes on as it comes: an object may be larger than the memory,
//! or never end. What may be kept is copied on the way. [W-T3a]

use std::sync::Arc;

use socketlab::http::{
    Body, Fault, Framing, Reader, Response, Version, chunk_line,
};

use crate::cache::Stored;
use crate::errors::Problem;
use crate::flight::Flight;
use crate::freshness;
use crate::headers;
use crate::kept;
use crate::session::{Failure, Turn};
use crate::target::Destination;
use crate::watch::{self, Seen};

/// A larger object is passed on and not kept.
const LARGEST_KEPT: usize = 1024 * 1024;

/// A transfer that went beyond this gives its buffer back before it rests.
const LONG: u64 = 64 * 1024;

/// What is known from the asking.
pub struct Asked<'a> {
    pub destination: &'a Destination,
    /// Others wait for this object.
    pub flight: Option<Flight>,
    /// Asked whether this is still good.
    pub stale: Option<Arc<Stored>>,
    pub requested: i64,
    /// Was the whole request sent?
    pub whole: bool,
    /// Was the cache looked into?
    pub looked: bool,
    /// Did it answer as HTTP/1.0 before?
    pub old: bool,
}

type Outcome<T> = Result<T, Failure>;

/// Passes an origin's answer on.
pub fn answer(
    turn: &mut Turn<'_>,
    mut origin: Reader,
    response: Response,
    mut asked: Asked<'_>,
) -> Outcome<()> {
    let method = &turn.request.method;
    let of = asked.destination.origin();
    let bad = |fault: &Fault| Problem::of_origin(&of, fault);
    let framing = response.framing(method).map_err(|fault| bad(&fault))?;
    let received = freshness::now();
    let times = (asked.requested, received);
    let mut fields = headers::end_to_end(&response.fields);
    if asked.looked {
        fields.remove("X-Cache"); // another cache's: ours follows
    }
    kept::invalidate(turn, &response, asked.destination);
    let old = response.version == Version::Http10;
    if old != asked.old {
        turn.proxy.hub.old(asked.destination.origin(), old);
    }

    if response.status == 304
        && let Some(stale) = asked.stale.take()
    {
        fields.push("Via", via(turn, &response));
        let (fresh, flight) =
            (stale.updated(&fields, times), asked.flight.take());
        park(turn, origin, &response, &asked, 0);
        return kept::revalidated(turn, fresh, flight, asked.destination);
    }

    // ==== what the client is told
    let version = turn.request.version;
    let body = match framing {
        Framing::Chunked | Framing::UntilClose => match version {
            Version::Http11 => Framing::Chunked,
            Version::Http10 => Framing::UntilClose,
        },
        known => known,
    };
    turn.keep &= body != Framing::UntilClose;
    let mut head = headers::response(&response, &fields, &turn.proxy.via);
    if asked.looked {
        head = head.field("X-Cache", "MISS");
    }
    if !fields.has("Date") {
        head = head.field("Date", socketlab::http::date::now());
    }
    // The length that GET would bring.
    let announced = response.fields.get("Content-Length");
    if framing == Framing::None
        && response.status != 204
        && let Some(length) = announced
    {
        head = head.raw_field("Content-Length", length);
    }
    let head = turn.finish(head, body);

    // ==== what is kept
    let keep =
        freshness::storable(turn.request, response.status, &response.fields)
            && !matches!(framing, Framing::Length(length)
            if length > LARGEST_KEPT as u64);
    let flight = match asked.flight.take() {
        // Whoever waits need not wait longer; an error of today says nothing
        // about tomorrow.
        Some(flight) if !keep && response.status < 500 => {
            flight.hopeless();
            None
        }
        Some(_) if !keep => None,
        flight => flight,
    };
    let mut copy = flight.map(|flight| (flight, Vec::new()));

    let mut source = Body::new(framing);
    turn.record.status = response.status;
    pieces(turn, &mut origin, &mut source, head, body, &mut copy, &bad)?;
    if let Some((flight, bytes)) = copy {
        if !fields.has("Date") {
            fields.push("Date", socketlab::http::date::now());
        }
        fields.push("Via", via(turn, &response));
        flight.land(Arc::new(Stored {
            status: response.status,
            reason: response.reason.clone(),
            vary: Stored::chosen_by(&fields, &turn.request.fields),
            fields,
            body: bytes.into(),
            requested: times.0,
            received: times.1,
        }));
    }
    if framing != Framing::UntilClose {
        let length = turn.record.bytes;
        park(turn, origin, &response, &asked, length);
    }
    Ok(())
}

fn via(turn: &Turn<'_>, response: &Response) -> String {
    let version = response.version.text().trim_start_matches("HTTP/");
    format!("{version} {}", turn.proxy.via)
}

/// The body, piece by piece.
fn pieces(
    turn: &mut Turn<'_>,
    origin: &mut Reader,
    source: &mut Body,
    head: Vec<u8>,
    body: Framing,
    copy: &mut Option<(Flight, Vec<u8>)>,
    bad: &dyn Fn(&Fault) -> Problem,
) -> Outcome<()> {
    let client = turn.client.socket().clone();
    let mut head = Some(head); // leaves together with the first piece
    loop {
        if origin.buffered().is_empty() && !source.is_done() {
            if let Some(head) = head.take() {
                client.send_all(&head)?;
            }
            let limit = turn.proxy.patience;
            let seen =
                watch::origin_or_farewell(origin.socket(), &client, limit)?;
            match seen {
                Seen::Origin => {}
                Seen::Client => {
                    return Err(Failure::Cut("the client left".into()));
                }
                Seen::Nothing => {
                    return Err(Failure::Cut("the origin fell silent".into()));
                }
            }
        }
        let first = head.as_deref().unwrap_or_default();
        match source.next(origin) {
            Ok(Some(piece)) => {
                let count = piece.len();
                if body == Framing::Chunked {
                    let line = chunk_line(count);
                    let line = line.as_bytes();
                    client.send_parts(&[first, line, piece, b"\r\n"])?;
                } else {
                    client.send_parts(&[first, piece])?;
                }
                turn.record.bytes += count as u64;
                if let Some((_, bytes)) = copy {
                    if bytes.len() + count <= LARGEST_KEPT {
                        bytes.extend_from_slice(piece);
                    } else if let Some((flight, _)) = copy.take() {
                        flight.hopeless();
                    }
                }
                head = None;
            }
            Ok(None) => {
                let last = match body {
                    Framing::Chunked => headers::trailers(source.trailers()),
                    _ => Vec::new(),
                };
                client.send_parts(&[first, &last])?;
                return Ok(());
            }
            // Before anything was sent it can still be said.
            Err(fault) if head.is_some() => return Err(bad(&fault).into()),
            Err(fault) => {
                let why = format!("the origin broke off: {fault}");
                return Err(Failure::Cut(why));
            }
        }
    }
}

/// The connection to the origin rests until somebody needs it, if it is
/// certain where the next answer would begin.
fn park(
    turn: &Turn<'_>,
    origin: Reader,
    response: &Response,
    asked: &Asked<'_>,
    length: u64,
) {
    let in_step = asked.whole && origin.buffered().is_empty();
    if !in_step || !response.keeps_alive() {
        return;
    }
    let origin = match length > LONG {
        true => Reader::new(origin.socket().clone()), // a page, not 256 KiB
        false => origin,
    };
    turn.proxy.hub.park(asked.destination.origin(), origin);
}
