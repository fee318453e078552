//! Proves that freshness.rs decides as RFC 9111 says, fields and times in,
//! a decision out: no sockets here.

use std::sync::Arc;

use http::{Request, Response};
use proxy::cache::freshness::{age, client_has_it, lifetime, storable, usable};
use proxy::cache::stored::Stored;

/// Received at second 1,000,000, at once.
fn cached(fields: &str) -> Stored {
    let response = answer(fields);
    Stored {
        status: response.status,
        reason: response.reason,
        fields: response.fields,
        body: Arc::from(&b""[..]),
        vary: Vec::new(),
        requested: 1_000_000,
        received: 1_000_000,
    }
}

fn answer(fields: &str) -> Response {
    let head = head("HTTP/1.1 200 OK", fields);
    match Response::parse(head.as_bytes()) {
        Ok(response) => response,
        Err(fault) => panic!("{head}: {fault}"),
    }
}

fn get(fields: &str) -> Request {
    let head = head("GET / HTTP/1.1\nHost: h", fields);
    match Request::parse(head.as_bytes()) {
        Ok(request) => request,
        Err(fault) => panic!("{head}: {fault}"),
    }
}

/// Lines that end with `\n` here, or nowhere.
fn head(line: &str, fields: &str) -> String {
    let lines = format!("{line}\n{fields}");
    format!("{}\r\n\r\n", lines.trim_end().replace('\n', "\r\n"))
}

#[test]
fn what_may_be_kept() {
    for (asked, said, expected) in [
        ("", "Cache-Control: max-age=5", true),
        ("", "ETag: \"a\"", true),
        ("", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", true),
        ("", "Server: x", false), // neither a time nor a way to ask
        ("", "Cache-Control: No-Store, max-age=5", false),
        ("", "Cache-Control: private=\"a, b\", max-age=5", false),
        ("", "Cache-Control: foo=\"private\", max-age=5", true),
        ("", "Cache-Control: max-age=5\nVary: *", false),
        ("", "Cache-Control: max-age=5\nSet-Cookie: a=b", false),
        ("", "Cache-Control: max-age=5, public\nSet-Cookie: a=b", true),
        ("Cache-Control: no-store", "Cache-Control: max-age=5", false),
        ("Authorization: x", "Cache-Control: max-age=5", false),
        ("Authorization: x", "Cache-Control: s-maxage=5", true),
        ("Authorization: x", "Cache-Control: public, max-age=5", true),
    ] {
        let cached = storable(&get(asked), 200, &answer(said).fields);
        assert_eq!(cached, expected, "{asked} / {said}");
    }
}

#[test]
fn which_codes_may_be_kept() {
    let (changed, five) = (
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
        "Cache-Control: max-age=5",
    );
    for (status, untold, told) in [
        (200, true, true),
        (206, false, false), // a part
        (301, true, true),
        (302, false, true),
        (404, true, true),
        (500, false, false),
        (501, true, true),
    ] {
        let cached = |said| storable(&get(""), status, &answer(said).fields);
        assert_eq!((cached(changed), cached(five)), (untold, told), "{status}");
    }
}

#[test]
fn how_long_it_lives() {
    let date = "Date: Mon, 12 Jan 1970 13:46:40 GMT"; // second 1,000,000
    for (fields, expected) in [
        ("Cache-Control: max-age=5, s-maxage=7", 7),
        ("Cache-Control: max-age=\"5\"", 5),
        ("Cache-Control: max-age=-5", 0),
        ("Cache-Control: max-age=99999999999", i64::from(i32::MAX)),
        ("Expires: 0", 0),
        ("Expires: Mon, 12 Jan 1970 13:46:50 GMT", 10),
        ("Cache-Control: max-age=5\nExpires: 0", 5),
        ("Last-Modified: Mon, 12 Jan 1970 13:45:00 GMT", 10),
        ("Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT", 3600),
        ("ETag: \"a\"", 0),
    ] {
        let cached = cached(&format!("{fields}\n{date}"));
        assert_eq!(lifetime(&cached), expected, "{fields}");
    }
}

#[test]
fn how_old_it_is() {
    let mut stored = cached("Age: 3");
    assert_eq!(age(&stored, 1_000_004), 7);
    stored.requested -= 2; // it was two seconds on its way
    assert_eq!(age(&stored, 1_000_004), 9);
    let stored = cached("Date: Mon, 12 Jan 1970 13:45:00 GMT\nAge: 3");
    assert_eq!(age(&stored, 1_000_000), 100, "the clocks say more");
}

#[test]
fn of_a_list_of_ages_the_first_counts() {
    for (fields, seconds) in [
        ("Age: 7200, 0", 7200),
        ("Age: 0, 7200", 0),
        ("Age: 7200,0", 7200),
        ("Age: 7200\nAge: 0", 7200),
        ("Age: 0\nAge: 7200", 0),
        ("Age: 2147483648", 2_147_483_647), // too large
        ("Age: 99999999999999999999", 2_147_483_647),
        ("Age: -7200", 0), // not digits
        ("Age: +7200", 0),
        ("Age: 7200.0", 0),
        ("Age: 7200;x=1", 0),
        ("Age: \"7200\"", 0),
        ("Age: abc", 0),
        ("Age: , 7200", 0),
    ] {
        assert_eq!(age(&cached(fields), 1_000_000), seconds, "{fields}");
    }
}

#[test]
fn an_invalid_expires_is_the_past() {
    let day = "Mon, 12 Jan 1970 13:46:50 GMT"; // 10 s later
    for (expires, seconds) in [
        (format!("Expires: {day}"), 10),
        (format!("Expires: {}", day.to_lowercase()), 10),
        // A wrong weekday in a right date is a date.
        (format!("Expires: {}", day.replace("Mon", "Fri")), 10),
        ("Expires: Fri Jan 12 13:46:50 1970".into(), 10),
        // One digit of an hour, runs of blanks, a list, another zone.
        ("Expires: Tue, 12 Jan 2038 3:46:50 GMT".into(), 0),
        ("Expires: Tue,  12 Jan 2038 13:46:50 GMT".into(), 0),
        ("Expires: Tue, 12  Jan 2038 13:46:50 GMT".into(), 0),
        ("Expires: Tue, 12 Jan 2038 13:46:50  GMT".into(), 0),
        ("Expires: Tue, 12 Jan 2038 13:46:50 UTC".into(), 0),
        ("Expires: Tue, 12 Jan 2038 13:46:50".into(), 0),
        ("Expires: 12 Jan 2038 13:46:50 GMT".into(), 0),
        (format!("Expires: {day}, {day}"), 0),
        (format!("Expires: 0, {day}"), 0),
        (format!("Expires: {day}\nExpires: {day}"), 0),
        ("Expires:".into(), 0),
        ("Expires: never".into(), 0),
    ] {
        assert_eq!(lifetime(&cached(&expires)), seconds, "{expires}");
    }
}

#[test]
fn when_it_may_be_used() {
    let ten = "Cache-Control: max-age=10";
    for (asked, said, after, fresh) in [
        ("", ten, 9, true),
        ("", ten, 10, false),
        ("Cache-Control: no-cache", ten, 0, false),
        ("Pragma: no-cache", ten, 0, false),
        ("Cache-Control: max-age=0", ten, 1, false),
        ("Cache-Control: min-fresh=5", ten, 6, false),
        ("Cache-Control: max-stale=5", ten, 12, true),
        ("Cache-Control: max-stale=5", ten, 16, false),
        ("Cache-Control: max-stale", ten, 9999, true),
        ("", "Cache-Control: max-age=10, no-cache", 0, false),
        (
            "Cache-Control: max-stale",
            "Cache-Control: max-age=10, must-revalidate",
            12,
            false,
        ),
    ] {
        let found =
            usable(&get(asked).fields, &cached(said), 1_000_000 + after);
        assert_eq!(found, fresh, "{asked} / {said} / {after}");
    }
}

#[test]
fn what_the_client_has() {
    let stored = cached("ETag: W/\"a\"");
    for (asked, expected) in [
        ("If-None-Match: \"b\", \"a\"", true),
        ("If-None-Match: *", true),
        ("If-None-Match: \"b\"", false),
        ("", false),
    ] {
        assert_eq!(client_has_it(&get(asked).fields, &stored), expected);
    }
}
