//! Proves that the proxy refuses what two programs could read differently.

use crate::plain;
use crate::scripts::{Origin, Then, get, read_answer, sees_the_end};
use harness::{half_close, send};

#[test]
fn w_t3a_smuggling_forms_end_here() {
    let proxy = plain();
    let origin =
        Origin::says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", || {
            Then::Keep
        });
    let inner = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", origin.url("/"));
    for (fields, body) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
        ("Content-Length: 5\r\nContent-Length: 6", "hello"),
        ("Content-Length: 5, 5", "hello"),
        ("Content-Length: +5", "hello"),
        ("Content-Length: 0x5", "hello"),
        ("Content-Length:", ""),
        ("Content-Length: 99999999999999999999", ""),
        ("Transfer-Encoding: xchunked", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"),
        ("Transfer-Encoding:", "0\r\n\r\n"),
        ("Transfer-Encoding : chunked", "0\r\n\r\n"),
        ("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
        ("X: y\rContent-Length: 5", "hello"),
        ("X: y\nContent-Length: 5", "hello"),
        ("X: \0", ""),
        ("Host: other.example", ""),
    ] {
        let url = origin.url("/");
        let text = format!(
            "POST {url} HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n{body}{inner}"
        );
        let client = proxy.connect();
        send(&client, text.as_bytes());
        let status = read_answer(&client, "POST").status;
        assert!([400, 501].contains(&status), "{fields:?}: {status}");
        assert!(sees_the_end(&client), "{fields:?}: it closes");
        origin.no_more();
    }
}

#[test]
fn w_t3a_connection_cannot_name_the_framing_away() {
    let proxy = plain();
    let origin =
        Origin::says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", || {
            Then::Keep
        });
    for fields in [
        "Connection: content-length\r\nContent-Length: 5",
        "Connection: transfer-encoding, host, cookie\r\nCookie: a\r\n\
         Transfer-Encoding: chunked",
    ] {
        let body = match fields.contains("chunked") {
            true => "5\r\nhello\r\n0\r\n\r\n",
            false => "hello",
        };
        let url = origin.url("/");
        let head =
            format!("POST {url} HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n");
        let client = proxy.connect();
        send(&client, format!("{head}{body}").as_bytes());
        assert_eq!(read_answer(&client, "POST").status, 200);
        let asked = origin.asked();
        assert_eq!(asked.body, b"hello", "{fields}");
        assert!(asked.field("Host").is_some());
    }
}

#[test]
fn w_t3a_bad_chunks_of_a_client_are_not_passed_on() {
    let proxy = plain();
    for body in ["5\r\nhelloX\r\n", "g\r\n", "-1\r\n", "5\nhello\n0\n\n"] {
        let origin = Origin::says("", || Then::Close);
        let url = origin.url("/");
        let head = format!("POST {url} HTTP/1.1\r\nHost: x\r\n");
        let client = proxy.connect();
        let te = "Transfer-Encoding: chunked\r\n\r\n";
        send(&client, format!("{head}{te}{body}").as_bytes());
        half_close(&client);
        assert_eq!(read_answer(&client, "POST").status, 400, "{body:?}");
        origin.no_more(); // it never had a whole request
    }
}

#[test]
fn w_t3a_an_origins_doubtful_answers_are_502() {
    let proxy = plain();
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\
         Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n\r\n",
        "<html>",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nGZ",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\
         Content-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "\x16\x03\x01 garbage\r\n\r\n",
        "",
    ] {
        let answer = answer.to_string();
        let garbage = !answer.is_empty() && !answer.starts_with("HTTP/");
        let origin = Origin::start(move |_, stream| {
            send(stream, answer.as_bytes());
            Then::Close
        });
        let got = get(&proxy, &origin.url("/"), "");
        let asked = origin.asked();
        assert_eq!(got.status, 502, "{asked:?} {got:?}");
        assert!(got.text().contains("502 Bad Gateway"));
        let said = got.text().contains("does not begin with HTTP/");
        assert_eq!(said, garbage, "{}", got.text());
    }
}

#[test]
fn w_t3a_extra_bytes_of_an_origin_are_dropped() {
    // The origin says more than it was asked: poison for the next client.
    let proxy = plain();
    let origin = Origin::says(
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood\
         HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        || Then::Keep,
    );
    for connection in 1..=3 {
        assert_eq!(get(&proxy, &origin.url("/"), "").text(), "good");
        assert_eq!(origin.asked().connection, connection);
    }
}

#[test]
fn w_t3a_what_every_client_reads_is_passed_on() {
    let proxy = plain();
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
         5 ;a=b\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
         5  \r\nhello\r\n0  \r\n\r\n",
    ] {
        let text = answer.to_string();
        let origin = Origin::start(move |_, stream| {
            send(stream, text.as_bytes());
            Then::Close
        });
        let got = get(&proxy, &origin.url("/"), "");
        assert_eq!(got.text(), "hello", "{answer:?} {got:?}");
        assert!(got.head.matches("Content-Length").count() < 2);
        assert!(!got.head.contains("5, 5"), "{}", got.head);
    }
}
