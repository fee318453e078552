//! Proves that `web-client -o` saves one complete version of a file, or reports
//! that it did not, whatever a server replies to a request for the rest.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::thread;

use harness::terminal::Terminal;

use crate::clients::{download, origin};

/// The first response, which breaks off after four of ten bytes.
const FIRST: &str = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\n\
    Last-Modified: Sat, 21 Nov 2026 03:00:00 GMT\r\nContent-Length: 10\r\n\
    \r\n0123";

/// The same without an ETag.
const DATED: &str = "HTTP/1.1 200 OK\r\n\
    Last-Modified: Sat, 21 Nov 2026 03:00:00 GMT\r\nContent-Length: 10\r\n\
    \r\n0123";

/// The complete file in a new version.
const NEW: &str = "HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 11\r\n\
    \r\nnew version";

/// A 206 with these fields and this body.
fn part(fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\n\
         {fields}\r\n{body}"
    )
}

#[test]
fn w_t2h_a_part_that_does_not_fit_leads_to_one_request_for_all() {
    let same = "ETag: \"1\"\r\n";
    let whole = "Content-Range: bytes 4-9/10\r\n";
    for (name, first, answer) in [
        (
            "another ETag",
            FIRST,
            part(&format!("ETag: \"2\"\r\n{whole}"), "456789"),
        ),
        (
            "a weak ETag",
            FIRST,
            part(&format!("ETag: W/\"1\"\r\n{whole}"), "456789"),
        ),
        ("no ETag", FIRST, part(whole, "456789")),
        (
            "the ETag, and another date",
            FIRST,
            part(
                &format!(
                    "{same}Last-Modified: Sun, 22 Nov 2026 03:00:00 GMT\r\n\
                     {whole}"
                ),
                "456789",
            ),
        ),
        (
            "another date",
            DATED,
            part(
                &format!(
                    "Last-Modified: Sun, 22 Nov 2026 03:00:00 GMT\r\n{whole}"
                ),
                "456789",
            ),
        ),
        ("no date", DATED, part(whole, "456789")),
        (
            "an earlier beginning",
            FIRST,
            part(&format!("{same}Content-Range: bytes 2-9/10\r\n"), "23456789"),
        ),
        (
            "a later beginning",
            FIRST,
            part(&format!("{same}Content-Range: bytes 5-9/10\r\n"), "56789"),
        ),
        ("no Content-Range", FIRST, part(same, "456789")),
        (
            "another unit",
            FIRST,
            part(&format!("{same}Content-Range: lines 4-9/10\r\n"), "456789"),
        ),
        (
            "an unknown size",
            FIRST,
            part(&format!("{same}Content-Range: bytes 4-9/*\r\n"), "456789"),
        ),
        (
            "two lengths",
            FIRST,
            part(&format!("{same}Content-Range: bytes 4-8/10\r\n"), "456789"),
        ),
        (
            "416, another size",
            FIRST,
            "HTTP/1.1 416 No\r\nContent-Range: bytes */3\r\n\
             Content-Length: 0\r\n\r\n"
                .into(),
        ),
        (
            "416, another version of this size",
            FIRST,
            "HTTP/1.1 416 No\r\nETag: \"2\"\r\nContent-Range: bytes */4\r\n\
             Content-Length: 0\r\n\r\n"
                .into(),
        ),
        (
            "416 without a word",
            FIRST,
            "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n".into(),
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        let (port, origin) =
            origin(vec![first.into(), answer.into_bytes(), NEW.into()]);
        assert_eq!(download(port, &file).1, Some(1), "{name}: it was cut");
        let (client, status) = download(port, &file);
        assert_eq!(status, Some(0), "{name}");
        let content = fs::read(&file).expect("a file");
        assert_eq!(content, b"new version", "{name}");
        let count = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(count, 1, "{name}: nothing beside it");
        drop(client);
        let requests = origin.join().expect("an origin");
        assert!(requests[1].contains("Range: bytes=4-\r\n"), "{name}");
        assert!(!requests[2].contains("Range"), "{name}: {}", requests[2]);
    }
}

#[test]
fn w_t2h_a_part_of_the_same_version_is_joined() {
    for (first, fields) in [
        (FIRST, "ETag: \"1\"\r\nContent-Range: Bytes 4-9/10\r\n"),
        (
            DATED,
            "Last-Modified: Sat, 21 Nov 2026 03:00:00 GMT\r\n\
             Content-Range: bytes 4-9/10\r\n",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        let answers = vec![first.into(), part(fields, "456789").into_bytes()];
        let (port, origin) = origin(answers);
        assert_eq!(download(port, &file).1, Some(1), "it was cut");
        assert_eq!(download(port, &file).1, Some(0), "{fields}");
        assert_eq!(fs::read(&file).expect("a file"), b"0123456789");
        origin.join().expect("an origin");
    }
    // All bytes had arrived before; only the rename was missing.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(folder.path().join("file.part"), "0123456789").expect("a part");
    fs::write(folder.path().join("file.version"), "\"1\"")
        .expect("its version");
    let answer = "HTTP/1.1 416 No\r\nETag: \"1\"\r\n\
                  Content-Range: bytes */10\r\nContent-Length: 0\r\n\r\n";
    let (port, origin) = origin(vec![answer.into()]);
    assert_eq!(download(port, &file).1, Some(0));
    assert_eq!(fs::read(&file).expect("a file"), b"0123456789");
    origin.join().expect("an origin");
}

#[test]
fn w_t2h_a_part_that_is_too_short_is_not_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let short = part("ETag: \"1\"\r\nContent-Range: bytes 4-6/10\r\n", "456");
    let rest = part("ETag: \"1\"\r\nContent-Range: bytes 7-9/10\r\n", "789");
    let (port, origin) =
        origin(vec![FIRST.into(), short.into_bytes(), rest.into_bytes()]);
    assert_eq!(download(port, &file).1, Some(1), "it was cut");
    assert_eq!(download(port, &file).1, Some(1), "three bytes of six");
    assert!(!file.exists());
    assert_eq!(download(port, &file).1, Some(0));
    assert_eq!(fs::read(&file).expect("a file"), b"0123456789");
    let requests = origin.join().expect("an origin");
    assert!(requests[2].contains("Range: bytes=7-\r\n"), "{}", requests[2]);
}

#[test]
fn w_t2h_a_part_longer_or_shorter_than_it_says_leaves_nothing() {
    let chunked = |body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 206 Partial Content\r\nETag: \"1\"\r\n\
             Transfer-Encoding: chunked\r\nContent-Range: bytes 4-9/10\r\n\
             \r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
        )
    };
    for body in ["45678", "456789 and more"] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        let (port, origin) =
            origin(vec![FIRST.into(), chunked(body).into_bytes()]);
        assert_eq!(download(port, &file).1, Some(1), "it was cut");
        assert_eq!(download(port, &file).1, Some(1), "{body}");
        let count = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(count, 0, "{body}");
        origin.join().expect("an origin");
    }
}

#[test]
fn w_t2h_only_a_response_with_the_file_is_saved() {
    for (answer, status) in [
        ("HTTP/1.1 206 Part\r\nContent-Length: 1\r\n\r\nx", 1),
        ("HTTP/1.1 204 No Content\r\n\r\n", 0),
        ("HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nlater", 1),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        let (port, origin) = origin(vec![answer.into()]);
        assert_eq!(download(port, &file).1, Some(status), "{answer}");
        let count = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(count, 0, "{answer}");
        origin.join().expect("an origin");
    }
}

#[test]
fn w_t2h_a_second_download_into_the_same_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let name = file.display().to_string();
    let words = ["127.0.0.1", &port.to_string(), "/file", "-o", &name];
    let mut first = Terminal::start("web-client", words).expect("it starts");
    let (mut client, _) = listener.accept().expect("the first client");
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234";
    client.write_all(head).expect("sent");
    // The first client has connected, so it has locked its file before. The
    // second one does not connect at all.
    let (_second, status) = download(port, &file);
    assert_eq!(status, Some(1));
    client.write_all(b"56789").expect("sent");
    drop(client);
    assert_eq!(first.wait_for_end().expect("an end").code(), Some(0));
    assert_eq!(fs::read(&file).expect("a file"), b"0123456789");
    drop(listener);
}

#[test]
fn w_t2h_downloads_into_one_file_at_once_leave_one_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let body = |letter: char| letter.to_string().repeat(100_200);
    let answer = |letter| {
        let body = body(letter);
        format!("HTTP/1.1 200 OK\r\nContent-Length: 100200\r\n\r\n{body}")
    };
    let servers: Vec<u16> = ['a', 'b', 'c', 'd']
        .map(|letter| origin(vec![answer(letter).into_bytes()]).0)
        .into();
    let statuses: Vec<_> = thread::scope(|scope| {
        let run = |port| {
            let file = file.clone();
            scope.spawn(move || download(port, &file).1)
        };
        let running: Vec<_> = servers.into_iter().map(run).collect();
        running.into_iter().map(|run| run.join().expect("a run")).collect()
    });
    assert!(statuses.contains(&Some(0)), "{statuses:?}");
    let content = fs::read_to_string(&file).expect("a file");
    let first = content.chars().next().expect("a byte");
    assert!(content == body(first), "of one server, complete");
}
