//! A web server that can process only one request. Handout W (Week 5),
//! task 2, literally: steps a) to f). The peer is any browser. [W-T2j] (try 1)
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

use std::path::{Path, PathBuf};
use std::{fs, time::Duration};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say, signals, warn};
use web::{kind, site};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    let root = args.root.unwrap_or_else(site::sample_folder);
    // ---- 1 socket() ------------------------------------------------------
    // C and Python: socket(AF_INET, SOCK_STREAM). It has no address yet.
    let listener = TcpSocket::new(address)?;
    // ---- 2 bind() --------------------------------------------------------
    // The address and port of the URL; browsers on other hosts need HOST
    // 0.0.0.0. Without SO_REUSEADDR a second run fails.   [W-T2h] (viva 16)
    listener.set_reuse_address()?;
    listener.bind(address)?;
    // ---- 3 listen() ------------------------------------------------------
    // The kernel answers handshakes from now on. Clients wait in its queue
    // while one is served: a browser likes to open two connections. (viva 3)
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.listen(1)?;
    signals::at_once_on_signal()?;
    net::announce(listener.local_addr()?);
    loop {
        // ---- 4 accept() --------------------------------------------------
        // ==== a) a connection socket, when contacted by a browser  [W-T2a]
        let (client, peer) = listener.accept()?;
        match converse(&client, &root) {
            Ok(line) => say!("[{peer}] {line}"),
            // It asked nothing, so that it was not the one request: browsers
            // open connections in advance and say nothing.        (viva 3)
            Err(error) => {
                warn!("[{peer}] {error}");
                continue;
            }
        }
        // ---- 7 close() ---------------------------------------------------
        // close() with unread input would send RST, and RST can destroy the
        // response: finish() sends FIN and reads to the end first. (viva 6)
        client.finish();
        if !args.again {
            return Ok(());
        }
    }
}

/// One request, one response; returns the line for the log.
fn converse(client: &TcpSocket, root: &Path) -> Result<String> {
    // ---- 5 recv() --------------------------------------------------------
    // ==== b) the HTTP request from this connection             [W-T2b]
    // An empty line ends it. One recv() may bring half of it, or a line that
    // a person typed into nc, without the CR of CRLF.             (viva 1)
    client.set_recv_timeout(Some(Duration::from_secs(10)))?;
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    let request = loop {
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        if text.contains("\n\n") {
            break text;
        }
        let count = client.recv(&mut piece)?;
        bytes.extend_from_slice(piece.get(..count).unwrap_or_default());
        if count == 0 || bytes.len() > 16 * 1024 {
            return Err(Error::other("no request"));
        }
    };
    // ==== c) which file? "GET /HelloWorld.html HTTP/1.1"        [W-T2c]
    let line = request.lines().next().unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    let (mut status, target) = match words.as_slice() {
        ["GET", path, v] if v.starts_with("HTTP/1.") => ("200 OK", *path),
        [_, _, v] if v.starts_with("HTTP/1.") => ("501 Not Implemented", ""),
        _ => ("400 Bad Request", ""),
    };
    let name = target.split('?').next().unwrap_or_default();
    let name = if name == "/" { "/index.html" } else { name };
    // ==== d) the file, from the server's file system            [W-T2d]
    // Never root + name as it is: /../../etc/passwd is a name too, and
    // reading a FIFO would never return.                (viva 4) (try 4)
    // Limit: follows symbolic links out of the root, knows neither %20 nor
    // HEAD, and calls all it cannot read 404; server.rs does better.
    let hidden = name.split('/').skip(1).any(|part| part.starts_with('.'));
    let file = root.join(name.trim_start_matches('/'));
    let wanted = name.starts_with('/') && !hidden && file.is_file();
    let content = if wanted { fs::read(&file).ok() } else { None };
    // ==== e) the response: header lines, an empty line, the file [W-T2e]
    if content.is_none() && status == "200 OK" {
        status = "404 Not Found"; // absent, or not to be given out [W-T2g]
    }
    let page = format!("<title>{status}</title><h1>{status}</h1>\n");
    let (kind, body) = match content {
        Some(content) => (kind::of_name(file.as_os_str()), content),
        None => ("text/html".to_string(), page.into_bytes()),
    };
    // The length tells the browser where the body ends. Too small a number
    // cuts the file; too large a one makes it wait.       (viva 1) (viva 2)
    let length = body.len();
    let mut response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    .into_bytes();
    if words.first() != Some(&"HEAD") {
        response.extend(body);
    }
    // ---- 6 send() --------------------------------------------------------
    // ==== f) the response, over the TCP connection              [W-T2f]
    client.send_all(&response)?;
    Ok(format!("{} -> {status}", console::escape_short(line.as_bytes(), 200)))
}

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
