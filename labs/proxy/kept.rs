//! Answers out of the cache, and what becomes of them when the origin has
//! news.
//!
//! ```text
//!   HIT           kept, fresh ---------------------------> client
//!   REVALIDATED   kept + what the origin's 304 says anew -> client
//!                   |-- may be kept: in the old one's place
//!                   `-- may not (private, Set-Cookie): forgotten
//!   POST, PUT, …  changed -------------------------------> forgotten
//! ```

use std::sync::Arc;

use http::{Fields, Framing, Head, Response};

use crate::cache::Stored;
use crate::flight::Flight;
use crate::freshness;
use crate::session::{Failure, Turn};
use crate::target::Destination;

/// Gives a kept answer.
pub fn kept(
    turn: &mut Turn<'_>,
    kept: &Stored,
    how: &'static str,
) -> Result<(), Failure> {
    let request = turn.request;
    let unchanged = freshness::client_has_it(&request.fields, kept);
    let status = if unchanged { 304 } else { kept.status };
    let (mut head, body) = match unchanged {
        true => (Head::response(304), Framing::None),
        false => (
            Head::response_with(status, &kept.reason),
            Framing::Length(kept.body.len() as u64),
        ),
    };
    let mut fields: Fields = kept.fields.clone();
    let age = freshness::age(kept, freshness::now());
    fields.set("Age", age.to_string());
    head = head.fields(&fields).field("X-Cache", how);
    let body = if status == 204 { Framing::None } else { body };
    let head = turn.finish(head, body);
    let body: &[u8] = match body {
        Framing::Length(_) if request.method != "HEAD" => &kept.body,
        _ => &[],
    };
    turn.record.how = how;
    turn.client.socket().send_parts(&[&head, body])?;
    turn.record.status = status;
    turn.record.bytes = body.len() as u64;
    Ok(())
}

/// The origin's 304: ours is still good, with these fields anew. They may be
/// for this one client: whether anything is kept is judged once more.
pub fn revalidated(
    turn: &mut Turn<'_>,
    fresh: Stored,
    flight: Option<Flight>,
    destination: &Destination,
) -> Result<(), Failure> {
    let fresh = Arc::new(fresh);
    let storable =
        freshness::storable(turn.request, fresh.status, &fresh.fields);
    match flight {
        Some(flight) if storable => flight.land(fresh.clone()),
        Some(flight) => flight.hopeless(),
        None if storable => {}
        None => turn.proxy.hub.changed(vec![destination.url()]),
    }
    kept(turn, &fresh, "REVALIDATED")
}

/// Something was changed: what is kept of it is out of date (RFC 9111, 4.4).
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
            // Only of the same origin: others are none of its business.
            match place.strip_prefix('/') {
                Some(path) => urls.push(format!("{origin}{path}")),
                None if place.starts_with(&origin) => urls.push(place.into()),
                None => {}
            }
        }
    }
    turn.proxy.hub.changed(urls);
}
