//! NNTP against sn, Gopher against Gophernicus, Telnet against telnetd and
//! a peer with a script.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::parts::{command, failure, fetch, peer, result, said, text};
use crate::peers::{Inetd, every_byte, folder, is_there, write};

/// An article as news servers are given one.
const ARTICLE: &str = "From: ann@example.org\r\nNewsgroups: local.test\r\n\
    Subject: Hello\r\nMessage-ID: <1@example.org>\r\n\
    Date: Sat, 21 Nov 2026 03:00:00 +0000\r\n\r\nfirst\r\n..dot\r\n..\r\n\
    last\r\n.\r\n";

#[test]
fn t_m_news_from_sn() {
    if !is_there("snntpd", "sn") {
        return;
    }
    let spool = tempfile::tempdir().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{path}:/usr/sbin");
    let run = |arguments: &[&str], input: &[u8]| {
        let mut command = Command::new(arguments[0]);
        command.args(&arguments[1..]).env("SNROOT", spool.path());
        command.env("PATH", &path).stdin(Stdio::piped());
        command.stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
        assert!(child.wait().expect("it ends").success(), "{arguments:?}");
    };
    run(&["snnewgroup", "local.test"], b"");
    run(&["snstore"], ARTICLE.as_bytes());
    let root = spool.path().to_path_buf();
    // It needs no user but the owner of the spool.
    let server = Inetd::start_as_we_are("snntpd.bin", move |command, _| {
        command.env("SNROOT", &root).env("TCPREMOTEIP", "127.0.0.1");
    });
    let url = |path: &str| format!("nntp://{}/{path}", server.address);
    let groups = text(&fetch(&[&url("")]));
    assert!(groups.starts_with("local.test "), "{groups}");
    let output = fetch(&[&url("local.test")]);
    let list = text(&output);
    assert!(list.contains("\tHello\tann@example.org\n"), "{list}");
    // It is old, and knows OVER as XOVER.
    assert!(said(&output).contains("C: XOVER "), "{}", said(&output));
    let number = list.split_whitespace().next().expect("a number");
    let article = text(&fetch(&[&url(&format!("local.test/{number}"))]));
    let body = "\r\n\r\nfirst\r\n.dot\r\n.\r\nlast\r\n";
    assert!(article.ends_with(body), "{article:?}");
    assert_eq!(text(&fetch(&[&url("1@example.org")])), article);
    let none = failure(&fetch(&[&url("no.such.group")]));
    assert!(none.contains("after GROUP no.such.group: 411"), "{none}");
    let none = failure(&fetch(&[&url("local.test/4711")]));
    assert!(none.contains("after ARTICLE 4711: 4"), "{none}");
}

#[test]
fn t_m_menus_from_gophernicus() {
    if !is_there("gophernicus", "gophernicus") {
        return;
    }
    let files = folder();
    let root = files.path().to_path_buf();
    write(&root, "about.txt", b"Before the web.\n..\nlast\n");
    write(&root, "dot.txt", b"Before the dot.\n.\nafter it\n");
    write(&root, "every.bin", &every_byte());
    let server = Inetd::start("gophernicus", move |command, port| {
        command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-r"]);
        command.arg(&root);
    });
    let place = server.address;
    let menu = text(&fetch(&[&format!("gopher://{place}/")]));
    let about = format!("gopher://{place}/0/about.txt");
    let binary = format!("gopher://{place}/9/every.bin");
    assert!(menu.contains("[0]  about.txt"), "{menu}");
    assert!(menu.contains(&about) && menu.contains(&binary), "{menu}");
    // The addresses that the menu prints can be fetched.
    let page = text(&fetch(&[&about]));
    assert!(page.starts_with("Before the web.\n"), "{page}");
    assert!(result(&fetch(&[&binary])) == every_byte());
    // It does not double a dot. So the text seems to end there.
    let cut = failure(&fetch(&[&format!("gopher://{place}/0/dot.txt")]));
    assert!(cut.contains("more comes after the single dot: after"), "{cut}");
    let none = text(&fetch(&[&format!("gopher://{place}/1/nothing")]));
    assert!(none.contains("rror: "), "{none}");
    let said = format!("gopher://{place}/0/nothing");
    assert!(text(&fetch(&[&said])).contains("rror: "));
}

/// A Telnet server: says these bytes, and notes what it gets.
fn telnet(says: &'static [u8]) -> (String, Arc<Mutex<Vec<u8>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ours = heard.clone();
    let address = peer(move |mut client| {
        client.write_all(says).expect("it takes bytes");
        let mut all = Vec::new();
        let _ = std::io::Read::read_to_end(&mut client, &mut all);
        ours.lock().expect("no panic").extend(all);
    });
    (format!("telnet://{address}"), heard)
}

#[test]
fn t_m_telnet_refuses_every_option_and_no_refusal() {
    // Asked, told, refused, data of an option, a byte 255, CR NUL, cut off.
    let says = b"\xff\xfd\x1fa\xff\xfb\x01b\xff\xfc\x03\xff\xfe\x03c\
                 \xff\xfa\x18\x01\xff\xff\xff\xf0d\xff\xffe\r\0f\xff\xf1g\xff";
    let (url, heard) = telnet(says);
    let output = fetch(&[&url, "--wait", "5"]);
    assert_eq!(result(&output), b"abcd\xffe\rfg");
    let heard = heard.lock().expect("no panic").clone();
    assert_eq!(heard, b"\xff\xfc\x1f\xff\xfe\x01");
}

#[test]
fn t_m_telnet_to_telnetd() {
    if !is_there("telnetd", "inetutils-telnetd") {
        return;
    }
    // In the place of login, which only root may run.
    let server = Inetd::start("telnetd", |command, _| {
        command.args(["-h", "-n", "-E", "/bin/cat"]);
    });
    let url = format!("telnet://{}/", server.address);
    let (output, said) = typed(&url, b"hello\n");
    assert!(output.contains("hello"), "{output} {said}");
    // It asks for more than a dozen options, and takes no for an answer.
    let refused = said.matches("C: IAC WONT ").count();
    assert!(refused > 5, "{said}");
}

/// What comes of typing this: stdout, stderr.
fn typed(url: &str, input: &[u8]) -> (String, String) {
    let mut command = command(&[url, "--wait", "5"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("fetch runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    (text(&output), said(&output))
}

#[test]
fn t_m_telnet_from_a_pipe() {
    let (url, heard) = telnet(b"Hello\r\n");
    let (output, _) = typed(&url, b"one\ntwo \xff");
    assert_eq!(output, "Hello\r\n");
    let heard = heard.lock().expect("no panic").clone();
    assert_eq!(heard, b"one\r\ntwo \xff\xff\r\n");
}

#[test]
fn t_m_telnet_negotiation_without_an_end() {
    let address =
        peer(
            |mut client| {
                while client.write_all(&[255, 253, 1].repeat(1000)).is_ok() {}
            },
        );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("log");
    let name = file.to_str().expect("a name");
    let url = format!("telnet://{address}");
    let text = failure(&fetch(&["-q", &url, "-o", name]));
    assert!(text.contains("negotiates without an end"), "{text}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
