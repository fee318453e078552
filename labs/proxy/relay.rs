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

use http::{Body, Framing, Head, Reader, Response, Version, chunk_line, date};

use crate::cache::Stored;
use crate::exchange::of_origin;
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
    let destination = asked.destination;
    let framing = response
        .framing(&turn.request.method)
        .map_err(|fault| of_origin(destination, &fault))?;
    let times = (asked.requested, freshness::now());
    let mut fields = headers::response(&response, &turn.proxy.via);
    if asked.looked {
        fields.remove("X-Cache"); // another cache's: ours follows
    }
    // Who passes an answer on, or keeps it, dates it if the origin did not.
    if !fields.has("Date") {
        fields.push("Date", date::now());
    }
    kept::invalidate(turn, &response, destination);
    let old = response.version == Version::Http10;
    if old != asked.old {
        turn.proxy.hub.old(destination.origin(), old);
    }

    let flight = asked.flight.take();
    if response.status == 304
        && let Some(stale) = asked.stale.take()
    {
        let fresh = stale.updated(&fields, times);
        park(turn, origin, &response, &asked, 0);
        return kept::revalidated(turn, fresh, flight, destination);
    }

    // ==== what the client is told
    let body = as_sent(framing, turn.request.version);
    turn.keep &= body != Framing::UntilClose;
    let mut head =
        Head::response_with(response.status, &response.reason).fields(&fields);
    if asked.looked {
        head = head.field("X-Cache", "MISS");
    }
    // The length that GET would bring.
    if framing == Framing::None
        && response.status != 204
        && let Some(length) = response.fields.get("Content-Length")
    {
        head = head.raw_field("Content-Length", length);
    }
    let head = turn.finish(head, body);
    turn.record.status = response.status;

    // ==== the body, and a copy of what may be kept
    let flight = flight.and_then(|f| if_kept(f, turn, &response, framing));
    let mut copy = flight.map(|flight| (flight, Vec::new()));
    pieces(turn, &mut origin, framing, head, body, &mut copy, destination)?;
    if let Some((flight, bytes)) = copy {
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

/// The body that came so goes on so, to a client of this version.
fn as_sent(came: Framing, version: Version) -> Framing {
    match (came, version) {
        (Framing::Chunked | Framing::UntilClose, Version::Http11) => {
            Framing::Chunked
        }
        (Framing::Chunked, Version::Http10) => Framing::UntilClose,
        (known, _) => known,
    }
}

/// The flight, if its object may be kept. If not, whoever waits for it need
/// wait no longer; but an error of today says nothing about tomorrow.
fn if_kept(
    flight: Flight,
    turn: &Turn<'_>,
    response: &Response,
    framing: Framing,
) -> Option<Flight> {
    let (status, fields) = (response.status, &response.fields);
    let too_large = match framing {
        Framing::Length(length) => length > LARGEST_KEPT as u64,
        _ => false, // not known yet
    };
    if freshness::storable(turn.request, status, fields) && !too_large {
        return Some(flight);
    }
    if status < 500 {
        flight.hopeless();
    }
    None
}

/// The body, piece by piece.
fn pieces(
    turn: &mut Turn<'_>,
    origin: &mut Reader,
    framing: Framing,
    head: Vec<u8>,
    body: Framing,
    copy: &mut Option<(Flight, Vec<u8>)>,
    destination: &Destination,
) -> Outcome<()> {
    let client = turn.client.socket().clone();
    let mut source = Body::new(framing);
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
            Err(fault) if head.is_some() => {
                return Err(of_origin(destination, &fault));
            }
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
