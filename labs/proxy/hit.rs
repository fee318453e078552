//! Sends cached responses, and updates or drops them when the origin reports a
//! change.
//!
//! ```text
//!   HIT           cached, fresh ---------------------------> client
//!   REVALIDATED   cached, with the fields of the 304 ------> client
//!                   |-- storable: replaces the old one
//!                   `-- not (private, Set-Cookie): the old one is dropped
//!   POST, PUT, …  the object has changed: the cached one is dropped
//! ```

use std::sync::Arc;

use http::{Framing, Head, Response};

use crate::cache::freshness;
use crate::cache::stored::Stored;
use crate::errors::Failure;
use crate::hub::message::{Message, Permit};
use crate::record::Source;
use crate::target::Destination;
use crate::turn::Turn;

/// The fields that describe the body. A 304 has no body, so a 304 to the client
/// leaves them out (RFC 9110, 15.4.5).
const OF_BODY: [&str; 5] = [
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Range",
    "Content-Type",
];

/// Sends a cached response, or 304 if the client has the same one already.
pub fn send(
    turn: &mut Turn<'_>,
    stored: &Stored,
    source: Source,
) -> Result<(), Failure> {
    let request = turn.request;
    let unchanged = freshness::client_has_it(&request.fields, stored);
    let (status, head) = match unchanged {
        true => (304, Head::response(304)),
        false => {
            (stored.status, Head::response_with(stored.status, &stored.reason))
        }
    };
    let framing = match status {
        204 | 304 => Framing::None,
        _ => Framing::Length(stored.body.len() as u64),
    };
    let mut fields = stored.fields.clone();
    // Other caches add this age to their own time, so that the object expires
    // everywhere at the same moment.
    let age = freshness::age(stored, freshness::now());
    fields.set("Age", age.to_string());
    if let Some(url) = &turn.in_path {
        url.lead_back(&mut fields);
    }
    if status == 304 {
        for name in OF_BODY {
            fields.remove(name);
        }
    }
    let name: &str = source.into();
    let head = head.fields(&fields).field("X-Cache", name);
    let head = turn.end_head(head, framing);
    let body: &[u8] = match framing {
        Framing::Length(_) if request.method != "HEAD" => &stored.body,
        _ => &[],
    };
    turn.record.source = source;
    turn.client.socket().send_parts(&[&head, body])?;
    turn.record.status = status;
    turn.record.bytes = body.len() as u64;
    Ok(())
}

/// The origin has sent 304: the cached response is still good, and `fresh` has
/// the new fields. They may be for this one client only (Set-Cookie), so
/// storable() must decide again.
pub fn revalidated(
    turn: &mut Turn<'_>,
    fresh: Stored,
    permit: Option<Permit>,
    destination: &Destination,
) -> Result<(), Failure> {
    let fresh = Arc::new(fresh);
    match freshness::storable(turn.request, fresh.status, &fresh.fields) {
        true => permit.into_iter().for_each(|permit| {
            turn.hub.tell(Message::Store(permit, fresh.clone()));
        }),
        false => turn.hub.tell(Message::Invalidate(vec![destination.url()])),
    }
    send(turn, &fresh, Source::Revalidated)
}

/// A successful POST, PUT or DELETE has probably changed the object. So its
/// cached response is out of date and is dropped (RFC 9111, 4.4).
pub fn invalidate(
    turn: &Turn<'_>,
    response: &Response,
    destination: &Destination,
) {
    let safe = ["GET", "HEAD", "OPTIONS", "TRACE"];
    if safe.contains(&turn.request.method.as_str())
        || !(200..400).contains(&response.status)
    {
        return;
    }
    let mut urls = vec![destination.url()];
    let origin = format!("http://{}/", destination.authority());
    for name in ["Location", "Content-Location"] {
        if let Some(place) = response.fields.text(name) {
            // Only URLs of the same origin. Otherwise an origin could drop
            // the cached objects of others.
            match place.strip_prefix('/') {
                Some(path) => urls.push(format!("{origin}{path}")),
                None if place.starts_with(&origin) => urls.push(place.into()),
                None => {}
            }
        }
    }
    turn.hub.tell(Message::Invalidate(urls));
}
