//! Proves the log-in of --user-file: 407, Basic, and the right passwords only.

use std::fs;

use tempfile::tempdir;

use crate::PROXY;
use crate::scripts::{Origin, Then, ask, get, read_answer};
use harness::{Server, send};

/// A proxy for these users, and an origin.
fn closed(users: &str) -> (Server, Origin) {
    let folder = tempdir().expect("a folder");
    let file = folder.path().join("users");
    fs::write(&file, users).expect("a file");
    let file = file.to_str().expect("a name");
    let origin =
        Origin::says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", || {
            Then::Keep
        });
    (Server::start(PROXY, &["--user-file", file]), origin)
}

#[test]
fn w_t3a_only_a_user_of_the_file_gets_in() {
    let (proxy, origin) = closed("A:b\n\nbob:pass:word\r\nJ\u{fc}rgen:x\n");
    for (field, status) in [
        ("", 407),
        ("Proxy-Authorization: Basic QTpi\r\n", 200), // A:b
        ("Proxy-Authorization: basic QTpi\r\n", 200),
        ("Proxy-Authorization: Basic   QTpi\r\n", 200),
        ("Proxy-Authorization: Basic Ym9iOnBhc3M6d29yZA==\r\n", 200),
        ("Proxy-Authorization: Basic SsO8cmdlbjp4\r\n", 200),
        ("Proxy-Authorization: Basic QTpj\r\n", 407), // A:c
        ("Proxy-Authorization: Basic QTo=\r\n", 407), // A:
        ("Proxy-Authorization: Basic \r\n", 407),
        ("Proxy-Authorization: Basic\r\n", 407),
        ("Proxy-Authorization: Bearer QTpi\r\n", 407),
        ("Proxy-Authorization: QTpi\r\n", 407),
        ("Authorization: Basic QTpi\r\n", 407), // for the origin
    ] {
        let answer = get(&proxy, &origin.url("/"), field);
        assert_eq!(answer.status, status, "{field}");
        let challenge = answer.field("Proxy-Authenticate");
        assert_eq!(challenge.is_some(), status == 407, "{field}");
        if let Some(challenge) = challenge {
            assert!(challenge.starts_with("Basic realm="), "{challenge}");
        } else {
            // The password is not for the origin.
            assert_eq!(origin.asked().field("Proxy-Authorization"), None);
        }
    }
    origin.no_more();
}

#[test]
fn w_t3a_each_request_needs_a_log_in() {
    let (proxy, origin) = closed("A:b");
    let at = origin.address;
    for (method, target) in [
        ("CONNECT", at.to_string()),
        ("GET", "http://proxy.local/".into()),
        ("GET", "http://proxy.local/json".into()),
        ("POST", origin.url("/")),
        ("OPTIONS", "*".into()),
        ("TRACE", origin.url("/")),
    ] {
        let status = ask(&proxy, method, &target, "").status;
        assert_eq!(status, 407, "{method} {target}");
    }
    // A browser that does not know of the proxy cannot log in.
    for target in ["/".to_string(), format!("/{at}/"), "/json".into()] {
        let client = proxy.connect();
        let own = proxy.address;
        let request = format!("GET {target} HTTP/1.1\r\nHost: {own}\r\n\r\n");
        send(&client, request.as_bytes());
        let answer = read_answer(&client, "GET");
        assert_eq!(answer.status, 403, "{target}");
        assert!(answer.text().contains("--user-file"), "{}", answer.text());
    }
    origin.no_more();
}

#[test]
fn w_t3a_after_407_the_connection_stays_open() {
    let (proxy, origin) = closed("A:b");
    let client = proxy.connect();
    let url = origin.url("/");
    for (field, status) in
        [("", 407), ("Proxy-Authorization: Basic QTpi\r\n", 200)]
    {
        let text = format!("GET {url} HTTP/1.1\r\nHost: x\r\n{field}\r\n");
        send(&client, text.as_bytes());
        assert_eq!(read_answer(&client, "GET").status, status);
    }
}

#[test]
fn w_t3a_a_file_without_users_is_an_error() {
    let folder = tempdir().expect("a folder");
    for (text, expected) in [
        (Some(""), "name:password"),
        (Some("alice\n"), "name:password"),
        (Some("alice:a\nbob\n"), "name:password"),
        (None, "No such file"),
    ] {
        let file = folder.path().join("users");
        let _ = fs::remove_file(&file);
        if let Some(text) = text {
            fs::write(&file, text).expect("a file");
        }
        let file = file.to_str().expect("a name");
        let mut command = harness::programs::command(PROXY);
        command.args(["127.0.0.1", "0", "--user-file", file]);
        let output = command.output().expect("it starts");
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(expected), "{text:?}: {said}");
    }
}
