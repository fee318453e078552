//! Proves conditional requests and ranges: 304, 412, 206, 416.

use std::fs;
use std::time::{Duration, SystemTime};

use http::date;

use crate::files::{serve, site};
use crate::talk::get;
use harness::Server;

#[test]
fn w_t2e_a_copy_that_is_still_good_is_not_sent_again() {
    let server = Server::start("web-server", &[]);
    let first = get(&server, "/HelloWorld.html", "");
    let etag = first.field("ETag").expect("an ETag").to_string();
    let date = first.field("Last-Modified").expect("a date").to_string();
    let ask = |fields: String| get(&server, "/HelloWorld.html", &fields);
    let old = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (fields, status) in [
        (format!("If-None-Match: {etag}\r\n"), 304),
        (format!("If-None-Match: \"x\", W/{etag}\r\n"), 304),
        ("If-None-Match: *\r\n".into(), 304),
        ("If-None-Match: \"x\"\r\n".into(), 200),
        (format!("If-Modified-Since: {date}\r\n"), 304),
        (format!("If-Modified-Since: {old}\r\n"), 200),
        ("If-Modified-Since: yesterday\r\n".into(), 200),
        // If a request has an ETag and a date, the ETag counts.
        (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}\r\n"), 200),
        (format!("If-Match: {etag}\r\n"), 200),
        ("If-Match: \"x\"\r\n".into(), 412),
        (format!("If-Match: W/{etag}\r\n"), 412),
        (format!("If-Unmodified-Since: {date}\r\n"), 200),
        (format!("If-Unmodified-Since: {old}\r\n"), 412),
    ] {
        let reply = ask(fields.clone());
        assert_eq!(reply.status, status, "{fields}");
        if status == 304 {
            assert_eq!(reply.field("ETag"), Some(etag.as_str()));
            // No field that the client already has (RFC 9110, 15.4.5).
            for name in [
                "Content-Length",
                "Content-Type",
                "Last-Modified",
                "Accept-Ranges",
            ] {
                assert_eq!(reply.field(name), None, "{name}");
            }
            assert!(reply.field("Date").is_some());
            assert_eq!(reply.body, b"");
        }
    }
}

#[test]
fn w_t2e_a_file_dated_in_the_future_counts_as_changed_now() {
    let folder = site();
    let file = fs::File::create(folder.path().join("www/new.txt"));
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    file.and_then(|f| f.set_modified(tomorrow)).expect("a file");
    let server = serve(&folder, &[]);
    let reply = get(&server, "/new.txt", "");
    let date = |name| {
        let value = reply.field(name).unwrap_or_default();
        date::parse(value.as_bytes()).expect(name)
    };
    assert!(date("Last-Modified") <= date("Date"), "{}", reply.head);
}

#[test]
fn w_t2e_a_part_of_a_file() {
    let folder = site();
    let small: Vec<u8> = (0..=99).collect();
    let large: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
    fs::write(folder.path().join("www/small.bin"), &small).expect("written");
    fs::write(folder.path().join("www/large.bin"), &large).expect("written");
    let server = serve(&folder, &[]);
    for (name, bytes) in [("/small.bin", &small), ("/large.bin", &large)] {
        let size = bytes.len();
        for (range, part) in [
            ("0-0", 0..1),
            ("10-19", 10..20),
            ("90-", 90..size),
            ("-5", size - 5..size),
            ("-999999999", 0..size),
            ("50-999999999", 50..size),
        ] {
            let reply =
                get(&server, name, &format!("Range: bytes={range}\r\n"));
            assert_eq!(reply.status, 206, "{name} {range}");
            assert_eq!(reply.body, bytes[part.clone()], "{name} {range}");
            let (first, last) = (part.start, part.end - 1);
            let range = format!("bytes {first}-{last}/{size}");
            assert_eq!(reply.field("Content-Range"), Some(range.as_str()));
        }
        for odd in ["bytes=5-1", "bytes=a-b", "lines=1-2", "bytes="] {
            let reply = get(&server, name, &format!("Range: {odd}\r\n"));
            assert_eq!((reply.status, reply.body.len()), (200, size), "{odd}");
        }
        let behind = format!("Range: bytes={size}-\r\n");
        let reply = get(&server, name, &behind);
        assert_eq!(reply.status, 416);
        let all = format!("bytes */{size}");
        assert_eq!(reply.field("Content-Range"), Some(all.as_str()));
    }
    // An empty file has no parts, so the server sends it completely.
    for range in ["0-", "-5", "0-0", "7-9", "0-,-1"] {
        let fields = format!("Range: bytes={range}\r\n");
        let reply = get(&server, "/empty.bin", &fields);
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{range}");
        assert_eq!(reply.field("Content-Range"), None);
    }
}

#[test]
fn w_t2e_several_parts_of_a_file() {
    let folder = site();
    let large: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
    fs::write(folder.path().join("www/large.bin"), &large).expect("written");
    let server = serve(&folder, &[]);
    let reply = get(&server, "/large.bin", "Range: bytes=0-4,-3\r\n");
    assert_eq!(reply.status, 206);
    let kind = reply.field("Content-Type").unwrap_or_default();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=");
    let boundary = boundary.expect("several parts");
    let mut expected = Vec::new();
    for (range, part) in [("0-4", 0..5), ("199997-199999", 199_997..200_000)] {
        expected.extend(
            format!(
                "\r\n--{boundary}\r\n\
                 Content-Type: application/octet-stream\r\n\
                 Content-Range: bytes {range}/200000\r\n\r\n"
            )
            .bytes(),
        );
        expected.extend(&large[part]);
    }
    expected.extend(format!("\r\n--{boundary}--\r\n").bytes());
    assert_eq!(reply.body, expected);
    // The boundary is random, so the file's author cannot know it.
    let etag = reply.field("ETag").unwrap_or_default().trim_matches('"');
    assert!(boundary.len() >= 16 && !boundary.contains(etag));
    let again = get(&server, "/large.bin", "Range: bytes=0-4,-3\r\n");
    let again = again.field("Content-Type").unwrap_or_default();
    assert_ne!(again, kind, "another one for each response");
    // Many parts would cost the server much work for one small request.
    let many = format!("Range: bytes={}\r\n", "0-,".repeat(100));
    assert_eq!(get(&server, "/large.bin", &many).status, 200);
}

#[test]
fn w_t2e_a_part_of_an_old_version_is_not_resumed() {
    let server = Server::start("web-server", &[]);
    let first = get(&server, "/HelloWorld.html", "");
    let etag = first.field("ETag").expect("an ETag");
    let date = first.field("Last-Modified").expect("a date");
    for (version, status) in [
        (etag, 206),
        (date, 206),
        ("\"x\"", 200),
        (&format!("W/{etag}"), 200),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 200),
    ] {
        let fields = format!("Range: bytes=5-\r\nIf-Range: {version}\r\n");
        let reply = get(&server, "/HelloWorld.html", &fields);
        assert_eq!(reply.status, status, "{version}");
    }
}
