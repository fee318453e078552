//! Proves that the proxy works with real clients and real origins.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use harness::terminal::Terminal;
use tempfile::TempDir;

use crate::PROXY;
use crate::scripts::{Origin, Then, get, report};
use harness::{Server, installed, send};

fn curl(proxy: &Server, arguments: &[&str]) -> Option<Output> {
    if !installed("curl", "curl") {
        return None;
    }
    let through = format!("http://{}", proxy.address);
    let mut command = Command::new("curl");
    command
        .args(["-sS", "--max-time", "10", "--noproxy", "", "-x", &through])
        .args(arguments);
    Some(command.output().expect("curl runs"))
}

#[track_caller]
fn text(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into()
}

fn site() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        fs::write(folder.path().join(name), bytes).expect("a file");
    };
    let images: String =
        (0..20).map(|n| format!("<img src=\"{n}.svg\">\n")).collect();
    file("index.html", format!("<title>twenty</title>{images}").as_bytes());
    for number in 0..20 {
        let kind = "xmlns=\"http://www.w3.org/2000/svg\"";
        let text = format!("<svg {kind} width=\"9\" height=\"{number}\"/>");
        file(&format!("{number}.svg"), text.as_bytes());
    }
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    file("bytes.bin", &bytes);
    folder
}

/// Python's own web server for a folder.
fn python_origin(folder: &Path) -> Option<(Terminal, String)> {
    if !installed("python3", "python3") {
        return None;
    }
    let mut command = Command::new("python3");
    command
        .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
        .arg("--directory")
        .arg(folder);
    let mut server = Terminal::run(&mut command).expect("it starts");
    let line = server.wait_for("Serving HTTP on …").expect("it listens");
    let port = line.split(' ').nth(5).expect("a port");
    Some((server, format!("http://127.0.0.1:{port}")))
}

#[test]
fn w_t3c_curl_through_the_proxy() {
    let origin = Origin::start(|asked, stream| {
        let body = String::from_utf8_lossy(&asked.body).to_string();
        let text = format!("{} {body}", asked.line());
        let (head, size) = ("HTTP/1.1 200 OK\r\n", text.len());
        let text = format!("{head}Content-Length: {size}\r\n\r\n{text}");
        send(stream, text.as_bytes());
        Then::Keep
    });
    let proxy = Server::start(PROXY, &[]);
    let url = origin.url("/x");
    let Some(output) = curl(&proxy, &[&url, &url, "-d", "a=b"]) else { return };
    let once = "POST /x HTTP/1.1 a=b";
    assert_eq!(text(&output), format!("{once}{once}"));
    let chunked = ["-H", "Transfer-Encoding: chunked", "-H", "Expect:"];
    let chunked = [&chunked[..], &["-T", "Cargo.toml"]].concat();
    let output = curl(&proxy, &[&[&*url], &chunked[..]].concat());
    let output = text(&output.expect("curl"));
    assert!(output.contains("[package]"), "{output}");
    let output = curl(&proxy, &["-I", &url]).expect("curl");
    assert!(text(&output).starts_with("HTTP/1.1 200 OK"));
    let output = curl(&proxy, &["-p", &url]).expect("curl");
    assert_eq!(output.status.code(), Some(56), "a tunnel to such a port: 403");
    // The companion's form needs no set-up at all.
    let path = format!("http://{}/{}/x", proxy.address, origin.address);
    let output = Command::new("curl")
        .args(["-s", "--noproxy", "*", &path])
        .output()
        .expect("curl runs");
    let output = text(&output);
    assert_eq!(output, "GET /x HTTP/1.1 ");
}

#[test]
fn w_t3c_python_urllib_through_the_proxy() {
    if !installed("python3", "python3") {
        return;
    }
    let folder = site();
    let Some((_server, url)) = python_origin(folder.path()) else { return };
    let proxy = Server::start(PROXY, &[]);
    let script = "import sys, urllib.request as u, urllib.error\n\
        o = u.build_opener(u.ProxyHandler({'http': sys.argv[1]}))\n\
        b = o.open(sys.argv[2] + '/bytes.bin', timeout=10).read()\n\
        assert b == (bytes(range(256)) * 1200)[:300000]\n\
        try: o.open(sys.argv[2] + '/nothing')\n\
        except urllib.error.HTTPError as e: print(e.code)\n";
    let through = format!("http://{}", proxy.address);
    let output = Command::new("python3")
        .args(["-c", script, &through, &url])
        .env("no_proxy", "")
        .output()
        .expect("Python runs");
    assert_eq!(text(&output).trim(), "404", "the origin's own");
}

#[test]
fn w_t3c_nginx_as_the_origin() {
    if !installed("nginx", "nginx") {
        return;
    }
    let folder = site();
    let at = folder.path().display();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    drop(socket);
    let config = format!(
        "daemon off; master_process off; pid {at}/pid; error_log stderr \
         notice; events {{}} http {{ access_log off; \
         client_body_temp_path {at}/a; proxy_temp_path {at}/b; \
         fastcgi_temp_path {at}/c; uwsgi_temp_path {at}/d; \
         scgi_temp_path {at}/e; server {{ listen 127.0.0.1:{port}; \
         root {at}; gzip on; gzip_types *; gzip_vary on; \
         gzip_proxied any; }} }}"
    );
    fs::write(folder.path().join("conf"), config).expect("a file");
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder.path()).arg("-c");
    command.arg(folder.path().join("conf")).args(["-e", "stderr"]);
    let mut nginx = Terminal::run(&mut command).expect("it starts");
    nginx.wait_for("…using the \"epoll\" event method").expect("it runs");
    nginx.wait_for("…getrlimit…").expect("it listens");
    let proxy = Server::start(PROXY, &[]);
    let url = format!("http://127.0.0.1:{port}/bytes.bin");
    let plain = get(&proxy, &url, "");
    assert_eq!((plain.status, plain.body.len()), (200, 300_000));
    let gzip = "Accept-Encoding: gzip\r\n";
    let small = get(&proxy, &url, gzip); // chunked, and varies
    assert!(small.body.len() < 30_000, "{}", small.body.len());
    for fields in ["", gzip] {
        let again = get(&proxy, &url, fields);
        assert!(["HIT", "REVALIDATED"].contains(&&*again.cache()));
    }
    let part = get(&proxy, &url, "Range: bytes=0-9\r\n");
    assert_eq!((part.status, part.body.len()), (206, 10));
}

/// An HTTPS origin: its port, and the certificate to trust.
fn tls_origin(folder: &Path) -> Option<(Terminal, String, String)> {
    if !installed("openssl", "openssl") {
        return None;
    }
    let (key, certificate) = (folder.join("key"), folder.join("certificate"));
    let made = Command::new("openssl")
        .args("req -x509 -newkey rsa:2048 -nodes -days 2".split(' '))
        .args(["-subj", "/CN=localhost", "-keyout"])
        .arg(&key)
        .args(["-addext", "subjectAltName=DNS:localhost", "-out"])
        .arg(&certificate)
        .output()
        .expect("openssl runs");
    assert!(made.status.success());
    let mut command = Command::new("openssl");
    command.args("s_server -www -accept 127.0.0.1:0 -cert".split(' '));
    command.arg(&certificate).arg("-key").arg(&key);
    let mut server = Terminal::run(&mut command).expect("it starts");
    let line = server.wait_for("ACCEPT 127.0.0.1:…").expect("it listens");
    let port = line.rsplit(':').next().expect("a port").to_string();
    Some((server, port, certificate.display().to_string()))
}

#[test]
fn w_t3c_https_through_a_tunnel() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((_server, port, trusted)) = tls_origin(folder.path()) else {
        return;
    };
    let mut proxy = Server::start(PROXY, &["--connect-port", &port]);
    let url = format!("https://localhost:{port}/");
    let output = curl(&proxy, &["--cacert", &trusted, &url]);
    let Some(output) = output else { return };
    assert!(text(&output).contains("s_server"));
    // The proxy must not see what the tunnel carries.
    let line = proxy.wait_for("[…] CONNECT localhost:… -> 200 …");
    assert!(!line.contains("s_server"));
}

#[test]
fn w_t3c_pythons_http_client_through_the_proxy() {
    let folder = tempfile::tempdir().expect("a folder");
    if !installed("python3", "python3") {
        return;
    }
    let Some((_server, port, trusted)) = tls_origin(folder.path()) else {
        return;
    };
    let origin = Origin::says(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        || Then::Keep,
    );
    let proxy = Server::start(PROXY, &["--connect-port", &port]);
    let script = "import http.client as h, ssl, sys\n\
        host, port, url, tls, trusted = sys.argv[1:]\n\
        c = h.HTTPConnection(host, int(port), timeout=10)\n\
        for n in range(3):\n \
          c.request('GET', url)\n \
          assert c.getresponse().read() == b'hello'\n \
          s = s if n else c.sock\n \
          assert c.sock is s, 'kept alive'\n\
        s = ssl.create_default_context(cafile=trusted)\n\
        c = h.HTTPSConnection(host, int(port), context=s, timeout=10)\n\
        c.set_tunnel('localhost', int(tls))\n\
        c.request('GET', '/')\n\
        assert b's_server' in c.getresponse().read()\n";
    let (host, at) = proxy.host_and_port();
    let output = Command::new("python3")
        .args(["-c", script, &host, &at, &origin.url("/"), &port, &trusted])
        .output()
        .expect("Python runs");
    text(&output);
    assert_eq!(origin.asked().connection, 1);
}

#[test]
fn w_t3c_curl_obeys_the_environment() {
    if !installed("curl", "curl") {
        return;
    }
    let origin = Origin::says(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        || Then::Keep,
    );
    let mut proxy = Server::start(PROXY, &[]);
    let output = Command::new("curl")
        .args(["-sS", "--max-time", "10", &origin.url("/")])
        .env("http_proxy", format!("http://{}", proxy.address))
        .env("no_proxy", "")
        .output()
        .expect("curl runs");
    assert_eq!(text(&output), "hello");
    assert!(origin.asked().field("Via").is_some());
    proxy.wait_for("[…] GET … -> 200 5 bytes MISS …");
}

#[test]
fn w_t3c_a_browser_through_the_proxy() {
    if !installed("chromium", "chromium") {
        return;
    }
    let folder = site();
    let Some((_server, url)) = python_origin(folder.path()) else { return };
    let proxy = Server::start(PROXY, &[]);
    let profile = tempfile::tempdir().expect("a folder");
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .args(["--disable-background-networking", "--no-first-run"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--proxy-server=http://{}", proxy.address))
        .args(["--proxy-bypass-list=<-loopback>", "--timeout=8000"])
        .arg(format!("{url}/index.html"))
        .output()
        .expect("Chromium runs");
    assert!(String::from_utf8_lossy(&output.stdout).contains("twenty"));
    report(&proxy, |report| {
        let last = report["last_requests"].as_array().expect("a list");
        (0..20).all(|number| {
            let url = format!("{url}/{number}.svg");
            last.iter().any(|r| r["url"] == *url && r["status"] == 200)
        })
    });
}
