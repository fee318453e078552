//! Proves that curl, Python and Chromium work with our server, and that our
//! client works with other servers.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use harness::terminal::{self, Terminal};

use crate::HELLO;
use crate::files::{serve, site};
use harness::{Server, installed, make_fifo};

fn url(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.address)
}

#[track_caller]
fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    output.unwrap_or_else(|error| panic!("{program}: {error}"))
}

#[test]
fn w_t2h_curl() {
    if !installed("curl", "curl") {
        return;
    }
    let server = Server::start("web-server", &[]);
    let hello = url(&server, "/HelloWorld.html");
    assert_eq!(run("curl", &["-s", &hello]).stdout, HELLO);
    // curl fetches two files on one connection.
    let form = "%{http_code} %{num_connects}\\n";
    let dots = url(&server, "/dots.png");
    let two = run(
        "curl",
        &[
            "-s",
            "-o",
            "/dev/null",
            "-o",
            "/dev/null",
            "-w",
            form,
            &hello,
            &dots,
        ],
    );
    assert_eq!(String::from_utf8_lossy(&two.stdout), "200 1\n200 0\n");
    let part = run("curl", &["-s", "-r", "0-14", &hello]);
    assert_eq!(part.stdout, b"<!DOCTYPE html>");
    let moved = run("curl", &["-sI", &url(&server, "/tiles")]);
    let moved = String::from_utf8_lossy(&moved.stdout).to_string();
    assert!(moved.contains("Location: /tiles/\r\n"), "{moved}");
    let post = run("curl", &["-s", "-w", "%{http_code}", "-d", "a=b", &hello]);
    assert!(post.stdout.ends_with(b"405"));
}

#[test]
fn w_t2h_python() {
    if !installed("python3", "python3") {
        return;
    }
    let server = Server::start("web-server", &[]);
    let (host, port) = server.host_and_port();
    let script = harness::source_tree::root().expect("the sources");
    let script = script.join("labs/web/python/client.py");
    let script = script.to_str().expect("a name");
    let output = run("python3", &[script, &host, &port]);
    let text = String::from_utf8_lossy(&output.stdout).to_string();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        text, "urllib 200 157\nkept 200 404 200\nhead 200 0\n",
        "{errors}"
    );
}

#[test]
fn w_t2h_another_host_reaches_it_on_every_interface() {
    let mut command = terminal::command("web-server");
    let mut server = Server::run(command.args(["0.0.0.0", "0"]));
    server.wait_for("warning: bound to 0.0.0.0, every interface: …");
    // The source address that this machine would use to reach another one.
    let probe = std::net::UdpSocket::bind("0.0.0.0:0").expect("a socket");
    if probe.connect("192.0.2.1:9").is_ok() {
        server.address.set_ip(probe.local_addr().expect("an address").ip());
    }
    assert_eq!(crate::get(&server, "/HelloWorld.html", "").body, HELLO);
}

/// Runs Chromium without a window. It fetches a page with its pictures and
/// stylesheets, and prints the page after loading.
pub fn chromium(profile: &Path, arguments: &[&str]) -> Output {
    let profile = format!("--user-data-dir={}", profile.display());
    let quiet = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        &profile,
    ];
    run("chromium", &[&quiet, arguments].concat())
}

#[test]
fn w_t2h_chromium_loads_every_object() {
    if !installed("chromium", "chromium") {
        return;
    }
    let mut server = Server::start("web-server", &[]);
    let profile = tempfile::tempdir().expect("a folder");
    let page = url(&server, "/twenty.html");
    let dom = chromium(profile.path(), &["--dump-dom", &page]);
    let dom = String::from_utf8_lossy(&dom.stdout).to_string();
    assert!(dom.contains("<h1>Twenty objects</h1>"), "{dom}");
    // The log says which objects the browser asked for, and each status.
    let mut missing: BTreeSet<String> =
        (1..=20).map(|number| format!("/tiles/{number:02}.svg")).collect();
    missing.extend(["/twenty.html", "/style.css"].map(String::from));
    while !missing.is_empty() {
        let line = server.wait_for("127.0.0.1 - - […] \"GET …");
        let request = line.split('"').nth(1).unwrap_or_default();
        let path = request.split(' ').nth(1).unwrap_or_default();
        if missing.remove(path) {
            assert!(line.contains("\" 200 "), "{line}");
        }
    }
}

#[test]
fn w_t2h_our_client_prints_status_fields_and_body() {
    let server = Server::start("web-server", &[]);
    let mut client = server.client("web-client", &["/HelloWorld.html"]);
    client.wait_for("HTTP/1.1 200 OK").expect("a status");
    client.wait_for("Content-Length: 157").expect("a field");
    client.wait_for("<h1>Hello, World!</h1>").expect("the page");
    assert_eq!(client.wait_for_end().expect("an end").code(), Some(0));
    let mut client = server.client("web-client", &["/a b"]);
    client.wait_for("HTTP/1.1 404 Not Found").expect("a status");
    client.wait_for("…the server's response is 404").expect("an error");
    assert_eq!(client.wait_for_end().expect("an end").code(), Some(1));
}

/// A server that answers one connection after the other with these bytes and
/// closes it. The thread returns the requests.
pub fn origin(answers: Vec<Vec<u8>>) -> (u16, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let thread = thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut client, _) = listener.accept().expect("a client");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.extend(harness::receive(&client, 1));
            }
            requests.push(String::from_utf8_lossy(&request).to_string());
            client.write_all(&answer).expect("sent");
        }
        requests
    });
    (port, thread)
}

#[test]
fn w_t2h_text_is_printed_line_by_line_with_control_characters_escaped() {
    if !installed("python3", "python3") {
        return;
    }
    let long = "x".repeat(5000);
    let body = format!("one\r\n\x1b[31mred\n{long}\nthe end");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
    let picture = "HTTP/1.1 200 OK\r\nContent-Type: image/x\r\n\r\n\x1b[31m";
    let answers = [format!("{head}{body}"), picture.to_string()];
    let (port, origin) = origin(answers.map(String::into_bytes).into());
    // Python's pty gives the client a terminal, which prints CR LF for LF.
    let pty = "import pty, sys; pty.spawn(sys.argv[1:])";
    let client = || {
        let mut command = Command::new("python3");
        command
            .args(["-c", pty])
            .arg(terminal::program_folder().join("web-client"))
            .args(["127.0.0.1", &port.to_string()]);
        Terminal::run(&mut command).expect("it starts")
    };
    let mut text = client();
    for line in ["one", "\\x1b[31mred", "x…x", "the end"] {
        text.wait_for(&format!("{line}\r")).expect(line);
    }
    let mut picture = client();
    let why = "(5 bytes of image/x, not shown; -o FILE saves them)\r";
    picture.wait_for(why).expect("why");
    origin.join().expect("an origin");
}

#[track_caller]
pub fn download(port: u16, file: &Path) -> (Terminal, Option<i32>) {
    let (port, file) = (port.to_string(), file.display().to_string());
    let words = ["127.0.0.1", &port, "/file", "-o", &file];
    let mut client = Terminal::start("web-client", words).expect("it starts");
    let status = client.wait_for_end().expect("an end");
    (client, status.code())
}

#[test]
fn w_t2h_a_download_that_broke_off_is_resumed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let head = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 10\r\n\r\n";
    let rest = "HTTP/1.1 206 Partial Content\r\nETag: \"1\"\r\n\
        Content-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n";
    let (port, origin) = origin(vec![
        format!("{head}0123").into_bytes(),
        format!("{rest}456789").into_bytes(),
    ]);
    assert_eq!(download(port, &file).1, Some(1), "it was cut");
    assert!(!file.exists(), "FILE exists only when it is complete");
    assert_eq!(download(port, &file).1, Some(0));
    assert_eq!(fs::read(&file).expect("a file"), b"0123456789");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    let requests = origin.join().expect("an origin");
    assert!(!requests[0].contains("Range"), "{}", requests[0]);
    assert!(requests[1].contains("Range: bytes=4-\r\nIf-Range: \"1\"\r\n"));
}

#[test]
fn w_t2h_a_download_of_a_changed_file_begins_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let head = |etag, length: u32| {
        format!(
            "HTTP/1.1 200 OK\r\nETag: \"{etag}\"\r\n\
             Content-Length: {length}\r\n\r\n"
        )
    };
    let chunked = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\
        Transfer-Encoding: chunked\r\n\r\n3\r\nnew\r\n0\r\n\r\n";
    let (port, origin) = origin(vec![
        format!("{}0123", head("1", 10)).into_bytes(),
        format!("{}ab", head("2", 4)).into_bytes(),
        chunked.into(),
    ]);
    assert_eq!(download(port, &file).1, Some(1));
    assert_eq!(download(port, &file).1, Some(1));
    assert_eq!(download(port, &file).1, Some(0));
    assert_eq!(fs::read(&file).expect("a file"), b"new");
    let requests = origin.join().expect("an origin");
    assert!(requests[2].contains("Range: bytes=2-\r\nIf-Range: \"2\"\r\n"));
}

#[test]
fn w_t2h_a_download_replaces_no_fifo_and_follows_no_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew";
    let (port, origin) = origin(vec![answer.into(), answer.into()]);

    let fifo = folder.path().join("fifo");
    make_fifo(&fifo);
    let name = fifo.clone();
    let reader = thread::spawn(move || fs::read(name).expect("read"));
    assert_eq!(download(port, &fifo).1, Some(0));
    assert_eq!(reader.join().expect("a reader"), b"new");
    assert!(!fifo.symlink_metadata().expect("it is there").is_file());

    // Links that another user has put into a shared folder.
    let (file, others) = (folder.path().join("file"), folder.path().join("o"));
    fs::write(&others, "old").expect("a file");
    for ending in ["part", "version"] {
        let link = folder.path().join(format!("file.{ending}"));
        std::os::unix::fs::symlink(&others, link).expect("a link");
    }
    assert_eq!(download(port, &file).1, Some(0));
    assert_eq!(fs::read(&file).expect("a file"), b"new");
    assert!(file.symlink_metadata().expect("it is there").is_file());
    assert_eq!(fs::read(&others).expect("a file"), b"old");
    let requests = origin.join().expect("an origin");
    assert!(!requests[1].contains("Range"), "{}", requests[1]);

    // The client reports it before it connects: no server runs any more.
    let words = ["127.0.0.1", "1", "/", "-o"];
    let path = folder.path().to_str().expect("a name");
    let output = Command::new(terminal::program_folder().join("web-client"))
        .args([&words[..], &[path]].concat())
        .output()
        .expect("it starts");
    let error = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(error.contains("is a folder: -o FILE"), "{error}");
}

#[test]
fn w_t2h_our_client_and_pythons_server() {
    if !installed("python3", "python3") {
        return;
    }
    let folder = site();
    let mut command = Command::new("python3");
    command
        .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
        .current_dir(folder.path().join("www"));
    let mut python = Terminal::run(&mut command).expect("it starts");
    let line = python.wait_for("Serving HTTP on …").expect("it listens");
    let port = line.split(' ').nth(5).expect("a port").to_string();
    let words = ["127.0.0.1", &port, "/a b.txt"];
    let mut client = Terminal::start("web-client", words).expect("it starts");
    client.wait_for("HTTP/1.0 200 OK").expect("a status");
    client.wait_for("a blank").expect("the text");
    // Our server sends the same file.
    let ours = serve(&folder, &[]);
    assert_eq!(crate::get(&ours, "/a%20b.txt", "").text(), "a blank");
}
