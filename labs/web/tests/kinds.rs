//! Proves that Content-Type is right: charset=utf-8 only for a text that is
//! UTF-8 and does not declare its encoding. Chromium then shows the accents.

use std::fs;

use crate::clients::chromium;
use crate::files::{serve, site};
use crate::talk::get;
use harness::installed;

const LATIN_1: &[u8] = b"<!DOCTYPE html>\n<html><head>\
    <meta charset=\"iso-8859-1\"><title>x</title></head>\n\
    <body><p>gr\xfcne \xc4pfel</p></body></html>\n";

#[test]
fn w_t2e_the_charset_is_sent_only_if_it_is_right() {
    let folder = site();
    let write = |name: &str, bytes: &[u8]| {
        fs::write(folder.path().join("www").join(name), bytes).expect(name);
    };
    let utf8 = "; charset=utf-8";
    let long = |end: &[u8]| [&[b'x'; 100_000], end].concat();
    let (long, long_1) = (long("\u{fc}".as_bytes()), long(b"\xfc"));
    let files: [(&str, &[u8], &str, &str); 17] = [
        ("utf8.html", "<p>gr\u{fc}n".as_bytes(), "text/html", utf8),
        ("latin1.html", LATIN_1, "text/html", ""),
        ("says.html", b"<meta charset=utf-8><p>a", "text/html", ""),
        (
            "old.htm",
            b"<META HTTP-EQUIV=\"Content-Type\" \
              CONTENT=\"text/html; charset=windows-1252\"><p>a",
            "text/html",
            "",
        ),
        ("wrong.html", b"<p>gr\xfcn", "text/html", ""),
        ("utf8.txt", "gr\u{fc}n".as_bytes(), "text/plain", utf8),
        ("latin1.txt", b"gr\xfcn", "text/plain", ""),
        ("utf16.txt", b"\xff\xfea\0", "text/plain", ""),
        ("empty.txt", b"", "text/plain", utf8),
        ("a.css", b"p { }", "text/css", utf8),
        ("b.css", b"@charset \"iso-8859-1\"; p { }", "text/css", ""),
        ("a.xml", b"<?xml version='1.0'?><a/>", "text/xml", ""),
        ("a.svg", b"<svg/>", "image/svg+xml", ""),
        ("a.json", b"{}", "application/json", utf8),
        ("b.json", b"\"\xfc\"", "application/json", ""),
        ("long.txt", &long, "text/plain", utf8),
        ("long1.txt", &long_1, "text/plain", ""),
    ];
    for (name, bytes, _, _) in files {
        write(name, bytes);
    }
    let server = serve(&folder, &[]);
    for (name, bytes, kind, charset) in files {
        let reply = get(&server, &format!("/{name}"), "");
        assert_eq!(reply.body, bytes, "{name}");
        let expected = format!("{kind}{charset}");
        let found = reply.field("Content-Type");
        assert_eq!(found, Some(expected.as_str()), "{name}");
        // A part of a file has the same kind as the file.
        let part = get(&server, &format!("/{name}"), "Range: bytes=0-0\r\n");
        assert_eq!(part.field("Content-Type"), Some(expected.as_str()));
    }
    // A text above 1 MiB is not read for this, so it has no charset.
    write("huge.txt", "x".repeat(2_000_000).as_bytes());
    let reply = get(&server, "/huge.txt", "");
    assert_eq!(reply.field("Content-Type"), Some("text/plain"));
}

#[test]
fn w_t2h_chromium_shows_a_page_in_latin_1() {
    if !installed("chromium", "chromium") {
        return;
    }
    let folder = site();
    let www = folder.path().join("www");
    fs::write(www.join("latin1.html"), LATIN_1).expect("written");
    let utf8 = "<title>x</title><p>gr\u{fc}ne \u{c4}pfel</p>";
    fs::write(www.join("utf8.html"), utf8).expect("written");
    let server = serve(&folder, &[]);
    for name in ["latin1.html", "utf8.html"] {
        let (host, port) = server.host_and_port();
        let page = format!("http://{host}:{port}/{name}");
        let profile = tempfile::tempdir().expect("a folder");
        let dom = chromium(profile.path(), &["--dump-dom", &page]);
        let dom = String::from_utf8_lossy(&dom.stdout).to_string();
        assert!(dom.contains("gr\u{fc}ne \u{c4}pfel"), "{name}: {dom}");
    }
}
