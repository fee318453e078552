//! The response to the client: a NEW response, with the origin's object.
//!
//! ```text
//!   origin says           client gets, HTTP/1.1     HTTP/1.0
//!   Content-Length: 5     Content-Length: 5         the same
//!   chunked, trailers     chunked, trailers         until close
//!   until close           chunked                   until close
//!   HEAD, 204, 304        no body                   no body
//! ```
//! Each piece is forwarded at once, because an object may be larger than the
//! memory, or never end. A response that may be cached is also copied. [W-T3a]

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

/// A larger object is passed on and not cached.
const LARGEST_CACHED: usize = 1024 * 1024;

/// A transfer of more bytes gives its buffer back before its connection
/// becomes idle.
const LONG: u64 = 64 * 1024;

/// What is known of the fetch that brought a response.
pub struct Fetch<'a> {
    /// What was asked for.
    pub destination: &'a Destination,
    /// What the hub had replied: a permit, a stale response.
    pub miss: Miss,
    /// When the request left, in seconds since 1970.
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
    let http10 = response.version == Version::Http10;
    if http10 != fetch.miss.http10 {
        turn.hub.tell(Message::Http10(destination.origin(), http10));
    }
    if response.status == 304
        && let Some(stale) = fetch.miss.stale.take()
    {
        let fresh = stale.updated(&fields, times);
        let permit = fetch.miss.permit.take();
        back_to_the_pool(turn, origin, &response, &fetch);
        return hit::revalidated(turn, fresh, permit, destination);
    }

    // ==== the head that the client gets
    let new_framing = as_sent(framing, turn.request.version);
    turn.keep &= new_framing != Framing::UntilClose;
    let head = new_head(turn, &response, &fields, framing);
    let head = turn.end_head(head, new_framing);
    turn.record.status = response.status;

    // ==== the body, and a copy of what may be cached
    let mut transfer = Transfer {
        destination,
        body: Body::new(framing),
        framing: new_framing,
        head: Some(head),
        copy: copy(turn, &response, framing, &mut fetch, fields, times),
    };
    transfer.run(turn, &mut origin)?;
    if framing != Framing::UntilClose {
        back_to_the_pool(turn, origin, &response, &fetch);
    }
    Ok(())
}

/// The complete response to one request of once.rs, whose origin closes after
/// it: the new head, and how the body comes.
pub fn answer(
    request: &Request,
    url: &Destination,
    origin: &mut Reader,
    client: &Reader,
) -> Result<(Vec<u8>, Framing), Failure> {
    let failed = |fault| Failure::of_origin(&url.origin(), &fault);
    let first = watch::origin_or_client_gone(origin, client, net::SEND_TIMEOUT);
    if first? == Ready::Client {
        return Err(Failure::left("before the answer"));
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

/// The fields that go on to the client, and into the cache.
fn new_fields(turn: &Turn<'_>, response: &Response) -> Fields {
    let mut fields = headers::response(response, &turn.settings.via);
    if turn.record.source == Source::Miss {
        fields.remove("X-Cache"); // another cache's: ours follows
    }
    // A cache or proxy adds the date if the origin did not.
    if !fields.has("Date") {
        fields.push("Date", date::now());
    }
    fields
}

/// The framing on the connection to a client of this version.
fn as_sent(came: Framing, version: Version) -> Framing {
    match (came, version) {
        (Framing::Chunked | Framing::UntilClose, Version::Http11) => {
            Framing::Chunked
        }
        (Framing::Chunked, Version::Http10) => Framing::UntilClose,
        (known, _) => known,
    }
}

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
    // The length that GET would bring.
    if framing == Framing::None
        && response.status != 204
        && let Some(length) = response.fields.get("Content-Length")
    {
        head = head.raw_field("Content-Length", length);
    }
    head
}

/// A copy to be made for the cache, if the response may be cached. If not, it
/// takes the place of what was cached; but an error (5xx) does not.
fn copy(
    turn: &Turn<'_>,
    response: &Response,
    framing: Framing,
    fetch: &mut Fetch<'_>,
    fields: Fields,
    (requested, received): (i64, i64),
) -> Option<Copy> {
    let permit = fetch.miss.permit.take(); // or back, before a long transfer
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

/// A response on its way into the cache.
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

    fn store(self, hub: &Hub) {
        let stored = Stored { body: self.bytes.into(), ..self.stored };
        hub.tell(Message::Store(self.permit, Arc::new(stored)));
    }
}

/// A body on its way from the origin to the client.
struct Transfer<'a> {
    destination: &'a Destination,
    body: Body,            // as received
    framing: Framing,      // as forwarded
    head: Option<Vec<u8>>, // leaves together with the first piece
    copy: Option<Copy>,
}

impl Transfer<'_> {
    fn run(
        &mut self,
        turn: &mut Turn<'_>,
        origin: &mut Reader,
    ) -> Result<(), Failure> {
        let client = turn.client.socket().clone();
        loop {
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
                // Nothing was sent yet, so that a page can say it.
                Err(fault) => {
                    let origin = self.destination.origin();
                    return Err(Failure::of_origin(&origin, &fault));
                }
            };
            if let Some(piece) = piece {
                let copy = self.copy.take();
                self.copy = copy.and_then(|copy| copy.with(piece));
            }
            // Into the cache before the last byte reaches the client, so that
            // whoever has seen the end finds the object there.
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

/// Waits for the next bytes of the body.
fn wait(turn: &Turn<'_>, origin: &Reader) -> Result<(), Failure> {
    let limit = turn.settings.patience;
    match watch::origin_or_client_gone(origin, turn.client, limit)? {
        Ready::Origin => Ok(()),
        Ready::Client => Err(Failure::left("")),
        Ready::Neither => Err(Failure::Cut("the origin fell silent".into())),
    }
}

/// The connection to the origin can be used again if it is certain where the
/// next response would begin.
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
        true => Reader::new(origin.socket().clone()), // a page, not 256 KiB
        false => origin,
    };
    turn.idle = Some((fetch.destination.origin(), origin));
}
