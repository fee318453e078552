//! May a response be cached, and may a cached response be sent again? The rules
//! of RFC 9111, as functions of fields and times. (viva 6)
//!
//! ```text
//!  response --storable?--> cached --usable?--> yes: send it, HIT
//!               | no                  |------> no: ask the origin if it
//!               v                                        is still good:
//!           pass it on                                 304 REVALIDATED,
//!                                                      200 MISS
//!
//!  |<-------- lifetime: max-age, Expires, or a tenth of the -------->|
//!  |           time since Last-Modified                              |
//!  |<-- Age on arrival -->|<---- time in this cache ---->| now       | stale
//! ```
//! Times are seconds since 1970.

use http::{Fields, Request, date};
use jiff::Timestamp;

use crate::cache::stored::Stored;

/// The status codes that are cacheable by default (RFC 9110, 15.1), without
/// 206, because parts are passed on and not cached.
const BY_DEFAULT: [u16; 11] =
    [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];

/// If the origin gives no lifetime, it is a tenth of the time since the last
/// change, and at most this many seconds (the RFC's heuristic freshness).
const LONGEST_HEURISTIC: i64 = 3600;

/// The time in seconds since 1970.
pub fn now() -> i64 {
    Timestamp::now().as_second()
}

/// A directive of Cache-Control: `None` if absent, else its argument, which
/// is "" for a directive without one.
pub fn directive<'a>(fields: &'a Fields, name: &str) -> Option<&'a [u8]> {
    fields.get_all("Cache-Control").flat_map(directives).find_map(|entry| {
        let mut parts = entry.splitn(2, |&byte| byte == b'=');
        let found = parts.next()?.trim_ascii();
        let argument = parts.next().unwrap_or_default().trim_ascii();
        let argument = match argument {
            [b'"', inside @ .., b'"'] => inside,
            bare => bare,
        };
        found.eq_ignore_ascii_case(name.as_bytes()).then_some(argument)
    })
}

/// Splits at commas, but not inside `"…"`.
fn directives(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    line.split(move |&byte| {
        quoted ^= byte == b'"';
        byte == b',' && !quoted
    })
    .map(<[u8]>::trim_ascii)
}

fn has(fields: &Fields, name: &str) -> bool {
    directive(fields, name).is_some()
}

/// The seconds of a directive. An invalid number counts as 0, because it is
/// better to ask the origin once too often than to send an old object.
fn seconds(fields: &Fields, name: &str) -> Option<i64> {
    Some(number(directive(fields, name)?).unwrap_or(0))
}

/// A number of digits only. A number above 2^31 - 1 counts as 2^31 - 1 (RFC
/// 9111, 1.2.2).
fn number(digits: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok()?;
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let most = i64::from(i32::MAX);
    digits.then(|| text.parse().map_or(most, |number: i64| number.min(most)))
}

/// May this response be cached, and sent to other clients?
pub fn storable(request: &Request, status: u16, said: &Fields) -> bool {
    let asked = &request.fields;
    let public = has(said, "public") || has(said, "s-maxage");
    let explicit = public
        || has(said, "max-age")
        || (said.has("Expires") && !said.has("Set-Cookie"));
    let code = BY_DEFAULT.contains(&status)
        || (explicit && matches!(status, 302 | 307));
    // A response to a log-in is for one user, unless the origin says otherwise.
    let for_one =
        asked.has("Authorization") && !public && !has(said, "must-revalidate");
    request.method == "GET"
        && code
        && !for_one
        && !has(asked, "no-store")
        && !has(said, "no-store")
        && !has(said, "private")
        && (public || !said.has("Set-Cookie"))
        && !said.list("Vary").any(|name| name == b"*")
        && !said.has("Content-Range")
        // Without a lifetime and a validator it could never be used again.
        && (explicit || said.has("ETag") || said.has("Last-Modified"))
}

/// For how many seconds the response is fresh, counted from its Date. s-maxage
/// counts first, because it is meant for shared caches such as this one.
pub fn lifetime(stored: &Stored) -> i64 {
    let fields = &stored.fields;
    if let Some(limit) = seconds(fields, "s-maxage") {
        return limit;
    }
    if let Some(limit) = seconds(fields, "max-age") {
        return limit;
    }
    let mut expires = fields.get_all("Expires");
    if let Some(first) = expires.next() {
        // "0", a second Expires, or an invalid date: the response is stale.
        let at = time(first).filter(|_| expires.next().is_none());
        return at.map_or(0, |at| (at - made(stored)).max(0));
    }
    let changed = fields.get("Last-Modified").and_then(time);
    let since = changed.map_or(0, |at| (made(stored) - at).max(0));
    (since / 10).min(LONGEST_HEURISTIC)
}

/// How many seconds old the response is. Its age on arrival is the larger one
/// of two: the Age field of other caches, and the difference of the clocks. The
/// time in this cache is added.
pub fn age(stored: &Stored, now: i64) -> i64 {
    // If Age is a list, the first number counts (RFC 9111, 5.1).
    let said = stored.fields.text("Age").unwrap_or_default();
    let said = said.split(',').next().unwrap_or_default().trim();
    let said = number(said.as_bytes()).unwrap_or(0);
    let delay = (stored.received - stored.requested).max(0);
    let apparent = (stored.received - made(stored)).max(0);
    let on_arrival = apparent.max(said + delay);
    on_arrival + (now - stored.received).max(0)
}

/// When the origin made the response.
fn made(stored: &Stored) -> i64 {
    stored.fields.get("Date").and_then(time).unwrap_or(stored.received)
}

fn time(value: &[u8]) -> Option<i64> {
    date::parse(value).map(Timestamp::as_second)
}

/// May the proxy send this cached response without asking the origin? If not,
/// it must ask whether the response is still good (validation).
pub fn usable(asked: &Fields, stored: &Stored, now: i64) -> bool {
    let said = &stored.fields;
    let reload = match asked.has("Cache-Control") {
        true => has(asked, "no-cache"),
        false => asked.lists("Pragma", "no-cache"), // of HTTP/1.0
    };
    if reload || has(said, "no-cache") {
        return false;
    }
    let age = age(stored, now);
    // A browser's reload sends max-age=0. It must reach the origin even if the
    // cached response is less than a second old.
    let most = seconds(asked, "max-age");
    if most.is_some_and(|most| most == 0 || age > most) {
        return false;
    }
    let left = lifetime(stored) - age;
    if left > seconds(asked, "min-fresh").unwrap_or(0) {
        return true;
    }
    // max-stale: this client accepts a stale response. The origin may forbid
    // it, for example with must-revalidate.
    let strict = ["must-revalidate", "proxy-revalidate", "s-maxage"];
    let tolerated = match directive(asked, "max-stale") {
        None => return false,
        Some(b"") => i64::MAX,
        Some(_) => seconds(asked, "max-stale").unwrap_or(0),
    };
    left + tolerated >= 0 && !strict.iter().any(|name| has(said, name))
}

/// The conditional fields that ask the origin whether a cached response is
/// still good. If it is, the origin sends 304 without a body.
pub fn validators(stored: &Stored) -> Vec<(&'static str, Vec<u8>)> {
    [("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")]
        .into_iter()
        .filter_map(|(name, of)| Some((name, stored.fields.get(of)?.to_vec())))
        .collect()
}

/// Is this 304 about the cached response? Another ETag means another object,
/// and another Vary another variant (RFC 9111, 4.3.4). The mark W/ (weak) does
/// not count, because nginx writes it into a compressed response and not into
/// its 304.
pub fn is_of(news: &Fields, stored: &Stored) -> bool {
    let same = |name| {
        let new = news.get(name).map(opaque);
        new.is_none() || new == stored.fields.get(name).map(opaque)
    };
    same("ETag") && same("Vary")
}

/// An ETag without the mark W/.
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// Does the client have this response already? Then a 304 is enough.
pub fn client_has_it(asked: &Fields, stored: &Stored) -> bool {
    if stored.status != 200 {
        return false;
    }
    if asked.has("If-None-Match") {
        let Some(own) = stored.fields.get("ETag").map(opaque) else {
            return asked.lists("If-None-Match", "*");
        };
        return asked
            .list("If-None-Match")
            .any(|tag| tag == b"*" || opaque(tag) == own);
    }
    let since = asked.get("If-Modified-Since").and_then(time);
    let changed = stored.fields.get("Last-Modified").and_then(time);
    since.zip(changed).is_some_and(|(since, changed)| changed <= since)
}
