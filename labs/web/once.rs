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

use std::{fs, net::SocketAddr, time::Duration};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say, signals, warn};
use web::{kind, site};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.for_server(false))?;
    // ---- 1 socket() ------------------------------------------------------
    // C and Python: socket(AF_INET, SOCK_STREAM). It has no address yet.
    let listener = TcpSocket::new(address)?;
    // ---- 2 bind() --------------------------------------------------------
    // Not port 80, which is privileged; so the URL names the port. Browsers on
    // other hosts need HOST 0.0.0.0.       [W-T2h] [W-T2i] (viva 8) (viva 16)
    listener.set_reuse_address()?;
    listener.bind(address)?;
    // ---- 3 listen() ------------------------------------------------------
    // From now on the kernel answers handshakes and queues clients. (viva 3)
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.listen(1)?;
    signals::at_once_on_signal()?;
    net::announce(listener.local_addr()?);
    loop {
        // ---- 4 accept() --------------------------------------------------
        // ==== a) a connection socket, when contacted by a browser  [W-T2a]
        let (client, peer) = listener.accept()?;
        if let Err(error) = converse(&client, peer) {
            warn!("[{peer}] {error}"); // a browser's connection in advance
            continue;
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

/// One request, one response.
fn converse(client: &TcpSocket, peer: SocketAddr) -> Result<()> {
    // ---- 5 recv() --------------------------------------------------------
    // ==== b) the HTTP request from this connection             [W-T2b]
    // An empty line ends it. One recv() may bring half of it.     (viva 1)
    client.set_recv_timeout(Some(Duration::from_secs(10)))?;
    let mut request = String::new();
    while !request.contains("\n\n") {
        let mut piece = [0; 4096];
        let count = client.recv(&mut piece)?;
        let piece = piece.get(..count).unwrap_or_default();
        request += &String::from_utf8_lossy(piece).replace('\r', "");
        if count == 0 || request.len() > 16 * 1024 {
            return Err(Error::other("no request"));
        }
    }
    // ==== c) which file? "GET /HelloWorld.html HTTP/1.1"        [W-T2c]
    let line = request.lines().next().unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    let (failure, path) = match words[..] {
        ["GET", path, v] if v.starts_with("HTTP/1.") => ("404 Not Found", path),
        [_, _, v] if v.starts_with("HTTP/1.") => ("501 Not Implemented", ""),
        _ => ("400 Bad Request", ""),
    };
    let name = path.split('?').next().unwrap_or_default();
    let name = if name == "/" { "/index.html" } else { name };
    // ==== d) the file, from the server's file system            [W-T2d]
    // Never root + name as it is: /../../etc/passwd is a name too, and
    // reading a FIFO would never return.                (viva 4) (try 4)
    // Limit: symbolic links lead out of the root; neither %20 nor HEAD.
    let hidden = name.split('/').skip(1).any(|part| part.starts_with('.'));
    let file = site::sample_folder().join(name.trim_start_matches('/'));
    let wanted = name.starts_with('/') && !hidden && file.is_file();
    let content = if wanted { fs::read(file).ok() } else { None };
    // ==== e) the response: header lines, an empty line, the file [W-T2e]
    let page = format!("<title>{failure}</title><h1>{failure}</h1>\n");
    let (status, kind, body) = match content {
        Some(file) => ("200 OK", kind::of_name(name.as_ref()), file),
        None => (failure, "text/html".into(), page.into_bytes()), // [W-T2g]
    };
    // The length tells the browser where the body ends. Too small a number
    // cuts the file; too large a one makes it wait.       (viva 1) (viva 2)
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    // ---- 6 send() --------------------------------------------------------
    // ==== f) the response, over the TCP connection              [W-T2f]
    let body = if line.starts_with("HEAD ") { &[][..] } else { &body };
    client.send_parts(&[head.as_bytes(), body])?;
    let line = console::escape_short(line.as_bytes(), 200);
    say!("[{peer}] {line} -> {status}");
    Ok(())
}

/// Answers one HTTP request, then ends.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    #[argh(positional, description = "address to bind (default 127.0.0.1)")]
    host: String,
    #[argh(positional, description = "port to bind (default 6789)")]
    port: Port,
    #[argh(switch, description = "go on after the first request")]
    again: bool,
}

const PROGRAM: Program = Program {
    lab: "web",
    role: Role::Server,
    port: 6789,
    steps: "socket bind listen accept recv send close",
    example: "web-once-server 127.0.0.1 6789",
};
