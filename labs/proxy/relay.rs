//! The response to the client: a NEW response, with the origin's object.
//!
//! ```text
//!   origin says           client gets, HTTP/1.1     HTTP/1.0
//!   Content-Length: 5     Content-Length: 5         the same
//!   chunked, trailers     chunked, trailers         until close
//!   until close           chunked                   until close
//!   HEAD, 204, 304        no body                   no body
//! ```
//! Each piece is passed on when it arrives, because an object may be larger
//! than the memory, or never end. If the object may be cached, the proxy makes
//! a copy of each piece. [W-T3a]

use std::sync::Arc;

use http::{
    Body, Fault, Fields, Framing, Head, Reader, Request, Response, Version,
    chunk_line, date,
};
use socketlab::net;

use crate::cache::freshness;
use crate::cache::stored::Stored;
use crate::errors::Failure;
use crate::headers;
use crate::hit;
use crate::hub::handle::Hub;
use crate::hub::message::{Message, Miss, Permit};
use crate::record::Source;
use crate::target::Destination;
use crate::turn::Turn;
use crate::watch::{self, Ready};

/// Larger objects, in bytes, are passed on and not cached.
const LARGEST_CACHED: usize = 1024 * 1024;

/// After a transfer of more bytes the buffer of the connection may have grown
/// to 256 KiB. It is freed before the connection becomes idle.
const LONG: u64 = 64 * 1024;

/// What the proxy knows of the request that a response belongs to.
pub struct Fetch<'a> {
    /// The URL.
    pub destination: &'a Destination,
    /// The hub's reply: a permit to cache, a stale response.
    pub miss: Miss,
    /// When the request was sent, in seconds since 1970.
    pub requested: i64,
    /// Was the complete request sent?
    pub complete: bool,
}

/// Passes an origin's response on.
pub fn relay(
    turn: &mut Turn<'_>,
    mut origin: Reader,
    response: Response,
    mut fetch: Fetch<'_>,
) -> Result<(), Failure> {
    let destination = fetch.destination;
    let framing = response
        .framing(&turn.request.method)
        .map_err(|fault| Failure::of_origin(&destination.origin(), &fault))?;
    let times = (fetch.requested, freshness::now());
    let fields = new_fields(turn, &response);
    hit::invalidate(turn, &response, destination);
    // The pool remembers origins of HTTP/1.0, because they know no chunks.
    let http10 = response.version == Version::Http10;
    if http10 != fetch.miss.http10 {
        turn.hub.tell(Message::Http10(destination.origin(), http10));
    }
    // 304 to the proxy's own conditions: the cached object is still good.
    if response.status == 304
        && let Some(stale) = fetch.miss.stale.take()
    {
        let fresh = stale.updated(&fields, times);
        let permit = fetch.miss.permit.take();
        back_to_the_pool(turn, origin, &response, &fetch);
        return hit::revalidated(turn, fresh, permit, destination);
    }

    // ==== the new head. If FIN marks the end of the body, no further
    // request can follow on the client's connection.
    let new_framing = as_sent(framing, turn.request.version);
    turn.keep &= new_framing != Framing::UntilClose;
    let head = new_head(turn, &response, &fields, framing);
    let head = turn.end_head(head, new_framing);
    turn.record.status = response.status;

    // ==== the body, piece by piece, and its copy for the cache
    let mut transfer = Transfer {
        destination,
        body: Body::new(framing),
        framing: new_framing,
        head: Some(head),
        copy: copy(turn, &response, framing, &mut fetch, fields, times),
    };
    transfer.run(turn, &mut origin)?;
    // If the body ended with FIN, the origin's connection has ended, too.
    if framing != Framing::UntilClose {
        back_to_the_pool(turn, origin, &response, &fetch);
    }
    Ok(())
}

/// For once.rs: reads the head of the response and makes the new head. Returns
/// it with the framing of the body. The browser may leave while the origin
/// prepares its response, so this function watches both sockets.
pub fn answer(
    request: &Request,
    url: &Destination,
    origin: &mut Reader,
    client: &Reader,
) -> Result<(Vec<u8>, Framing), Failure> {
    let failed = |fault| Failure::of_origin(&url.origin(), &fault);
    let first = watch::origin_or_client_gone(origin, client, net::SEND_TIMEOUT);
    if first? == Ready::Client {
        return Err(Failure::left("before the response"));
    }
    let came = origin.read_response(net::SEND_TIMEOUT).map_err(failed)?;
    let response = came.ok_or(Fault::Cut).map_err(failed)?;
    let framing = response.framing(&request.method).map_err(failed)?;
    let mut fields = headers::response(&response, "once");
    if request.target.starts_with('/') {
        url.lead_back(&mut fields);
    }
    let head = Head::response_with(response.status, &response.reason)
        .fields(&fields)
        .field("Connection", "close")
        .framing(as_sent(framing, Version::Http10));
    Ok((head.end(), framing))
}

/// The fields for the client and for the cache.
fn new_fields(turn: &Turn<'_>, response: &Response) -> Fields {
    let mut fields = headers::response(response, &turn.settings.via);
    if turn.record.source == Source::Miss {
        fields.remove("X-Cache"); // of another cache; new_head() adds ours
    }
    // Without a Date nobody could compute the age of a cached response. So a
    // proxy adds the date if the origin did not (RFC 9110, 6.6.1).
    if !fields.has("Date") {
        fields.push("Date", date::now());
    }
    fields
}

/// How the end of the body is marked for a client of this version: see the
/// table at the top.
fn as_sent(came: Framing, version: Version) -> Framing {
    match (came, version) {
        (Framing::Chunked | Framing::UntilClose, Version::Http11) => {
            Framing::Chunked
        }
        (Framing::Chunked, Version::Http10) => Framing::UntilClose,
        (known, _) => known,
    }
}

/// The new head, without the fields of the hop.
fn new_head(
    turn: &Turn<'_>,
    response: &Response,
    fields: &Fields,
    framing: Framing,
) -> Head {
    let mut fields = fields.clone();
    if let Some(url) = &turn.in_path {
        url.lead_back(&mut fields);
    }
    let mut head =
        Head::response_with(response.status, &response.reason).fields(&fields);
    if turn.record.source == Source::Miss {
        head = head.field("X-Cache", "MISS");
    }
    // The response to HEAD announces the length that GET would send.
    if framing == Framing::None
        && response.status != 204
        && let Some(length) = response.fields.get("Content-Length")
    {
        head = head.raw_field("Content-Length", length);
    }
    head
}

/// Begins a copy for the cache, if the response may be cached. If it may not,
/// the cached response is out of date and must be dropped. An error (5xx) says
/// nothing about the object, so the cached response stays.
fn copy(
    turn: &Turn<'_>,
    response: &Response,
    framing: Framing,
    fetch: &mut Fetch<'_>,
    fields: Fields,
    (requested, received): (i64, i64),
) -> Option<Copy> {
    // Without a copy the permit is dropped here, before a long transfer, so
    // that another request can have it.
    let permit = fetch.miss.permit.take();
    let (status, said) = (response.status, &response.fields);
    let too_large = match framing {
        Framing::Length(length) => length > LARGEST_CACHED as u64,
        _ => false, // not known yet
    };
    if too_large || !freshness::storable(turn.request, status, said) {
        if fetch.miss.stale.is_some() && status < 500 {
            let urls = vec![fetch.destination.url()];
            turn.hub.tell(Message::Invalidate(urls));
        }
        return None;
    }
    let vary = Stored::chosen_by(&fields, &turn.request.fields);
    let (reason, body) = (response.reason.clone(), Arc::default());
    let stored =
        Stored { status, reason, fields, body, vary, requested, received };
    Some(Copy { permit: permit?, stored, bytes: Vec::new() })
}

/// The copy of a response that is still being received.
struct Copy {
    permit: Permit,
    stored: Stored,
    bytes: Vec<u8>,
}

impl Copy {
    /// This copy with one more piece; `None` if it has become too large.
    fn with(mut self, piece: &[u8]) -> Option<Copy> {
        self.bytes.extend_from_slice(piece);
        (self.bytes.len() <= LARGEST_CACHED).then_some(self)
    }

    /// The copy is complete: sends it to the hub.
    fn store(self, hub: &Hub) {
        let stored = Stored { body: self.bytes.into(), ..self.stored };
        hub.tell(Message::Store(self.permit, Arc::new(stored)));
    }
}

/// A body on its way from the origin to the client.
struct Transfer<'a> {
    destination: &'a Destination,
    body: Body,            // from the origin
    framing: Framing,      // for the client
    head: Option<Vec<u8>>, // not sent yet
    copy: Option<Copy>,
}

impl Transfer<'_> {
    /// Passes the body on until its end. The head is sent together with the
    /// first piece, because one send() makes one segment of a small object.
    fn run(
        &mut self,
        turn: &mut Turn<'_>,
        origin: &mut Reader,
    ) -> Result<(), Failure> {
        let client = turn.client.socket().clone();
        loop {
            // Nothing to send together with the head: send it now, because
            // the client should not wait for a slow body.
            if origin.buffered().is_empty() && !self.body.is_done() {
                if let Some(head) = self.head.take() {
                    client.send_all(&head)?;
                }
                wait(turn, origin)?;
            }
            let piece = match self.body.next(origin) {
                Ok(piece) => piece,
                Err(fault) if self.head.is_none() => {
                    return Err(Failure::broken(fault));
                }
                // Nothing was sent yet, so the client can still get a page
                // with status 502.
                Err(fault) => {
                    let origin = self.destination.origin();
                    return Err(Failure::of_origin(&origin, &fault));
                }
            };
            if let Some(piece) = piece {
                let copy = self.copy.take();
                self.copy = copy.and_then(|copy| copy.with(piece));
            }
            // The copy is stored before the client gets the last byte. So a
            // client that has the object and asks again gets a hit.
            if self.body.is_done() || piece.is_none() {
                self.copy.take().into_iter().for_each(|c| c.store(turn.hub));
            }
            let head = self.head.take().unwrap_or_default();
            let Some(piece) = piece else {
                let end = match self.framing {
                    Framing::Chunked => headers::trailers(self.body.trailers()),
                    _ => Vec::new(),
                };
                client.send_parts(&[&head, &end])?;
                return Ok(());
            };
            if self.framing == Framing::Chunked {
                let line = chunk_line(piece.len());
                let line = line.as_bytes();
                client.send_parts(&[&head, line, piece, b"\r\n"])?;
            } else {
                client.send_parts(&[&head, piece])?;
            }
            turn.record.bytes += piece.len() as u64;
        }
    }
}

/// Waits for the next bytes of the body, or until the client leaves.
fn wait(turn: &Turn<'_>, origin: &Reader) -> Result<(), Failure> {
    let limit = turn.settings.patience;
    match watch::origin_or_client_gone(origin, turn.client, limit)? {
        Ready::Origin => Ok(()),
        Ready::Client => Err(Failure::left("")),
        Ready::Neither => {
            Err(Failure::Cut("the origin stopped sending".into()))
        }
    }
}

/// Returns the connection to the pool, unless the origin closes it. It must be
/// certain where the next response begins: the request was sent completely, and
/// nothing is unread.
fn back_to_the_pool(
    turn: &mut Turn<'_>,
    origin: Reader,
    response: &Response,
    fetch: &Fetch<'_>,
) {
    let in_step = fetch.complete && origin.buffered().is_empty();
    if !in_step || !response.keeps_alive() {
        return;
    }
    let origin = match turn.record.bytes > LONG {
        true => Reader::new(origin.socket().clone()), // a new, small buffer
        false => origin,
    };
    turn.idle = Some((fetch.destination.origin(), origin));
}
