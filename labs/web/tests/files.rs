//! Proves which files the server sends and which it never sends: files outside
//! the root, FIFOs and devices, files that change while they are sent.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::talk::{get, read_reply, request};
use harness::{DEADLINE, Server, installed, make_fifo, receive, send};

/// A folder `www` with a site, and secrets beside it.
pub fn site() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, text).expect("written");
    };
    write("secret", "secret");
    write("www-secret/secret", "secret");
    write("www/index.html", "index");
    write("www/a b.txt", "a blank");
    write("www/é.txt", "accent");
    write("www/%2e%2e", "percent");
    write("www/empty.bin", "");
    write("www/sub/index.html", "sub");
    write("www/bare/<b>&.txt", "odd name");
    write("www/bare/.hidden", "hidden");
    write("www/.git/config", "hidden");
    folder
}

pub fn serve(folder: &TempDir, options: &[&str]) -> Server {
    let root = folder.path().join("www");
    let root = root.to_str().expect("a name");
    Server::start("web-server", &[&["--root", root], options].concat())
}

#[test]
fn w_t2d_names_are_decoded_once() {
    let folder = site();
    let server = serve(&folder, &["--dotfiles"]);
    for (target, body) in [
        ("/", "index"),
        ("/?x=/../y", "index"),
        ("/%69ndex.html", "index"),
        ("/a%20b.txt", "a blank"),
        ("/%C3%A9.txt", "accent"),
        ("/%252e%252e", "percent"),
        ("/sub/", "sub"),
        ("/empty.bin", ""),
        ("/.git/config", "hidden"),
    ] {
        let reply = get(&server, target, "");
        assert_eq!((reply.status, reply.text().as_str()), (200, body));
    }
}

#[test]
fn w_t2d_no_path_leads_out_of_the_root() {
    let folder = site();
    let www = folder.path().join("www");
    symlink("../secret", www.join("link")).expect("a link");
    symlink(folder.path().join("secret"), www.join("absolute"))
        .expect("a link");
    symlink("..", www.join("up")).expect("a link");
    symlink("/", www.join("root")).expect("a link");
    symlink("loop", www.join("loop")).expect("a link");
    symlink("sub/index.html", www.join("inside")).expect("a link");
    let server = serve(&folder, &["--list"]);
    for target in [
        "/../secret",
        "/sub/../../secret",
        "/..",
        "/../",
        "/%2e%2e/secret",
        "/%2E%2E/secret",
        "/.%2e/secret",
        "/%2e%2e%2fsecret",
        "/..%2fsecret",
        "/..%5csecret",
        "/..\\secret",
        "/%252e%252e/secret",
        "/%c0%ae%c0%ae/secret", // overlong UTF-8 for ..
        "/%uff0e%uff0e/secret",
        "//secret",
        "//etc/passwd",
        "/sub//../../secret",
        "/./secret",
        "/%00",
        "/index.html%00.txt",
        "/../www-secret/secret",
        "/-secret/secret",
        "/link",
        "/absolute",
        "/up/secret",
        "/up/www-secret/secret",
        "/root/etc/passwd",
        "/loop",
        "/.git/config",
        "/%2egit/config",
        "/bare/.hidden",
        "/index.html/",
        "/index.html/x",
    ] {
        let reply = get(&server, target, "");
        let status = reply.status;
        assert!([400, 403, 404].contains(&status), "{target}: {status}");
        assert!(!reply.text().contains("root:"), "{target}");
        assert_ne!(reply.text(), "secret", "{target}");
    }
    let long = format!("/{}", "a".repeat(3000)); // no file has such a name
    assert_eq!(get(&server, &long, "").status, 404);
    // A link to a file inside the root is harmless.
    assert_eq!(get(&server, "/inside", "").text(), "sub");
}

#[test]
fn w_t2d_fifos_sockets_and_devices_are_not_served() {
    let folder = site();
    let www = folder.path().join("www");
    make_fifo(&www.join("fifo"));
    let _socket = UnixListener::bind(www.join("socket")).expect("a socket");
    let server = serve(&folder, &[]);
    for target in ["/fifo", "/socket"] {
        let reply = get(&server, target, "");
        assert_eq!(reply.status, 403, "{target}");
        assert!(reply.text().contains("not a regular file"));
    }
}

#[test]
fn w_t2d_an_unreadable_file_is_403() {
    let folder = site();
    let file = folder.path().join("www/locked.txt");
    fs::write(&file, "locked").expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000))
        .expect("locked");
    let server = match rustix::process::geteuid().is_root() {
        false => serve(&folder, &[]),
        // root may read every file, so the user "nobody" runs the server.
        true if installed("setpriv", "util-linux") => serve_as_nobody(&folder),
        true => return,
    };
    assert_eq!(get(&server, "/locked.txt", "").status, 403);
    assert_eq!(get(&server, "/", "").status, 200);
}

fn serve_as_nobody(folder: &TempDir) -> Server {
    let open = |path: &Path| {
        let all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(path, all).expect("permissions");
    };
    open(folder.path());
    let program = folder.path().join("web-server");
    let ours = harness::terminal::program_folder().join("web-server");
    fs::copy(ours, &program).expect("a copy");
    open(&program);
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let mut command = Command::new("setpriv");
    command.args(nobody).arg(&program).args(["127.0.0.1", "0", "--root"]);
    Server::run(command.arg(folder.path().join("www")))
}

#[test]
fn w_t2d_a_folder_is_redirected_and_listed_only_on_request() {
    let folder = site();
    let server = serve(&folder, &[]);
    let reply = get(&server, "/sub?x=1", "");
    assert_eq!(reply.status, 301);
    assert_eq!(reply.field("Location"), Some("/sub/?x=1"));
    assert_eq!(get(&server, "/bare/", "").status, 403);
    let server = serve(&folder, &["--list"]);
    let page = get(&server, "/bare/", "").text();
    assert!(page.contains("href=\"./%3Cb%3E%26.txt\""), "{page}");
    assert!(page.contains(">&lt;b&gt;&amp;.txt</a>"), "{page}");
    assert!(!page.contains("hidden"), "{page}");
    assert_eq!(get(&server, "/bare/%3Cb%3E%26.txt", "").text(), "odd name");
}

#[test]
fn w_t2d_a_list_that_is_too_long_says_that_it_is_cut() {
    let folder = site();
    let bare = folder.path().join("www/bare");
    for number in 0..10_000 {
        fs::write(bare.join(format!("{number}.txt")), "").expect("written");
    }
    let server = serve(&folder, &["--list"]);
    let page = get(&server, "/bare/", "").text();
    assert!(page.contains("The list shows only"), "10,000 names and one");
    let page = get(&server, "/sub/", "").text();
    assert!(!page.contains("The list shows only"), "{page}");
}

#[test]
fn w_t2d_a_changed_file_is_noticed() {
    let folder = site();
    let server = serve(&folder, &[]);
    let before = get(&server, "/index.html", "");
    assert_eq!(before.text(), "index");
    let file = folder.path().join("www/index.html");
    fs::write(&file, "new content").expect("written");
    until(|| get(&server, "/index.html", "").text() == "new content");
    let after = get(&server, "/index.html", "");
    assert_ne!(before.field("ETag"), after.field("ETag"));
    fs::remove_file(&file).expect("removed");
    until(|| get(&server, "/index.html", "").status == 404);
}

/// Repeats a request until this holds: the server uses a cached file for up to
/// a second.
#[track_caller]
fn until(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < DEADLINE, "this never holds");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn w_t2f_a_file_that_shrinks_while_it_is_sent_ends_the_connection() {
    let folder = site();
    let file = folder.path().join("www/large.bin");
    let made = fs::File::create(&file).expect("a file");
    made.set_len(64 << 20).expect("sparse");
    let mut server = serve(&folder, &[]);
    let client = server.connect();
    send(&client, &request("GET", "/large.bin", ""));
    let head = b"HTTP/1.1 200 OK";
    assert_eq!(receive(&client, head.len()), head);
    made.set_len(1 << 20).expect("cut");
    // The head has announced a length, so the server can only close.
    let rest = std::io::copy(&mut &client, &mut std::io::sink());
    assert!(rest.unwrap_or(0) < 64 << 20);
    server.wait_for("[…] lost: the file became shorter while it was sent");
    assert_eq!(get(&server, "/", "").status, 200);
}

#[test]
fn w_t2f_head_of_a_large_file_sends_none_of_it() {
    let folder = site();
    let file = folder.path().join("www/large.bin");
    let made = fs::File::create(&file).expect("a file");
    made.set_len(64 << 20).expect("sparse");
    let server = serve(&folder, &[]);
    let client = server.connect();
    send(&client, &request("HEAD", "/large.bin", ""));
    let reply = read_reply(&client, true);
    assert_eq!(reply.field("Content-Length"), Some("67108864"));
    send(&client, &request("GET", "/", ""));
    assert_eq!(read_reply(&client, false).text(), "index");
}
