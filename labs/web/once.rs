//! A web server that can process only one request. Handout W (Week 5),
//! task 2, literally: steps a) to f). The peer is any browser.
//!
//! ```text
//! browser                 server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept   a) the connection socket
//!   |--- GET /x HTTP/1.1 -->|  5 recv     b) the request
//!   |                       |             c) parse  d) the file
//!   |<-- HTTP/1.1 200 OK ---|  6 send     e) build  f) the response
//!   |<-------- FIN ---------|  7 close
//! ```
//!
//! `server.rs` is the one to use: this one spells HTTP out instead, as far as
//! the handout needs it.                                   [W-T2j] (try 1)

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say, signals, warn};
use web::site;

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    let root = match args.root {
        Some(root) => root,
        None => site::sample_folder(),
    };

    // ---- 1 socket() ------------------------------------------------------
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // One waits while one is served: a browser likes to open two. (viva 3)
    // A client that does not read is disconnected after 30 s: on Linux the
    // sockets that accept() returns inherit both limits from the listener.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(1)?;
    signals::at_once_on_signal()?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // ==== a) a connection socket, when contacted by a browser  [W-T2a]
        let (client, peer) = listener.accept()?;
        match converse(&client, &root) {
            Ok(line) => {
                say!("[{peer}] {line}");
                // ---- 7 close() -------------------------------------------
                // The response has its length, so the browser need not wait
                // for FIN; but a close with unread input would send RST, and
                // that can eat the response: finish() reads first. (viva 6)
                client.finish();
                if !args.again {
                    return Ok(());
                }
            }
            // It asked nothing, so that it was not the one request: browsers
            // open connections in advance and say nothing.        (viva 3)
            Err(error) => warn!("[{peer}] {error}"),
        }
    }
}

/// One request, one response: what is said about it in the log.
fn converse(client: &TcpSocket, root: &Path) -> Result<String> {
    // ---- 5 recv() --------------------------------------------------------
    // ==== b) the HTTP request from this connection             [W-T2b]
    // An empty line ends it. One recv() may bring half of it.     (viva 1)
    // A line ends with CRLF, and with LF alone if a person types into nc.
    client.set_recv_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while !has(&request, b"\r\n\r\n") && !has(&request, b"\n\n") {
        let count = client.recv(&mut piece)?;
        request.extend_from_slice(piece.get(..count).unwrap_or_default());
        if count == 0 || request.len() > LARGEST_HEAD {
            return Err(socketlab::Error::other("no request"));
        }
    }

    // ==== c) which file? "GET /HelloWorld.html HTTP/1.1"        [W-T2c]
    let text = String::from_utf8_lossy(&request);
    let line = text.lines().next().unwrap_or_default();
    let mut words = line.split(' ');
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    let name = target.split('?').next().unwrap_or_default();
    let name = if name == "/" { "/index.html" } else { name };

    // ==== d) the file, from the server's file system            [W-T2d]
    // Never root + name as it is: /../../etc/passwd is a name too, and
    // reading a FIFO would never return.                (viva 4) (try 4)
    // Limit: follows symbolic links out of the root, knows no %20 and no
    // HEAD, and calls all it cannot read 404; server.rs does better.
    let hidden = name.split('/').skip(1).any(|part| part.starts_with('.'));
    let file = root.join(name.trim_start_matches('/'));
    let wanted = method == Some("GET") && name.starts_with('/') && !hidden;
    let content = match wanted && file.is_file() {
        true => fs::read(&file).ok(),
        false => None,
    };

    // ==== e) the response: header lines, an empty line, the file [W-T2e]
    let (status, kind, body) = match content {
        Some(content) => ("200 OK", kind_of(name), content),
        // Absent, or not to be given out: the same words.         [W-T2g]
        None => {
            let page = "<title>404</title><h1>404 Not Found</h1>\n";
            ("404 Not Found", "text/html", page.as_bytes().to_vec())
        }
    };
    // The length tells the browser where the body ends. Too small a number
    // cuts the file; too large a one makes it wait.       (viva 1) (viva 2)
    let length = body.len();
    let mut response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    .into_bytes();
    response.extend(body);

    // ---- 6 send() --------------------------------------------------------
    // ==== f) the response, over the TCP connection              [W-T2f]
    client.send_all(&response)?;
    Ok(format!("{} -> {status}", console::escape_short(line.as_bytes(), 200)))
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|found| found == wanted)
}

/// Without the kind, a browser shows the page's source, or asks to save it.
fn kind_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

/// The longest request head that is read, and how long a client may be silent.
const LARGEST_HEAD: usize = 16 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers one HTTP request, then ends.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 6789; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// folder with the files (default labs/web/www)
    #[argh(option)]
    root: Option<PathBuf>,
    /// go on after the first request, one at a time
    #[argh(switch)]
    again: bool,
    /// allow a port below 1024
    #[argh(switch)]
    allow_privileged: bool,
}

/// 80 is the web's port, but it is privileged and may be taken.    [W-T2i]
const PROGRAM: Program = Program {
    lab: "web",
    role: Role::Server,
    port: 6789,
    steps: "socket bind listen accept recv send close",
    example: "web-once-server 127.0.0.1 6789",
};
