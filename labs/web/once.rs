//! A web server that processes one request: handout W (Week 5), task 2, steps
//! a) to f), literally. The client is any browser.        [W-T2j] (try 1)
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

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say, signals, warn};
use std::{fs, net::SocketAddr, time::Duration};
use web::{kind, site};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.for_server(false))?;
    // ---- 1 socket() ------------------------------------------------------
    // Python: socket(AF_INET, SOCK_STREAM)  C: socket(AF_INET, SOCK_STREAM, 0)
    let listener = TcpSocket::new(address)?;
    // ---- 2 bind() --------------------------------------------------------
    // Python: s.bind((host, port))  C: bind(). The URL must name this port.
    // For other hosts: HOST 0.0.0.0        [W-T2h] [W-T2i] (viva 8) (viva 16)
    listener.set_reuse_address()?;
    listener.bind(address)?;
    // ---- 3 listen() ------------------------------------------------------
    // Python: s.listen(1)  C: listen(s, 1). Now the kernel queues connections.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.listen(1)?;
    signals::at_once_on_signal()?;
    net::announce(listener.local_addr()?);
    loop {
        // ---- 4 accept() --------------------------------------------------
        // ==== a) a connection socket, when contacted by a browser  [W-T2a]
        // Python: client, peer = s.accept()  C: client = accept(s, &peer, &n)
        let (client, peer) = listener.accept()?;
        if let Err(error) = converse(&client, peer) {
            warn!("[{peer}] {error}");
            continue; // a connection without a request         (viva 3)
        }
        // ---- 7 close() ---------------------------------------------------
        // With unread input close() sends RST, and the response might be lost.
        // So finish() sends FIN, reads the rest, and calls close(). (viva 6)
        client.finish();
        if !args.again {
            return Ok(()); // one request, as the handout asks [W-T2j]
        }
    }
}

fn converse(client: &TcpSocket, peer: SocketAddr) -> Result<()> {
    // ---- 5 recv() --------------------------------------------------------
    // ==== b) the HTTP request from this connection             [W-T2b]
    // Python: client.recv(4096)  C: recv(client, piece, 4096, 0). It may return
    // a part of the request, which ends with an empty line.     (viva 1)
    client.set_recv_timeout(Some(Duration::from_secs(10)))?;
    let mut request = String::new();
    while !request.contains("\n\n") {
        let mut piece = [0; 4096];
        let count = client.recv(&mut piece)?;
        let piece = piece.get(..count).unwrap_or_default();
        request += &String::from_utf8_lossy(piece).replace('\r', "");
        if count == 0 || request.len() > 16 * 1024 {
            return Err(Error::other("the client sent no complete request"));
        }
    }
    // ==== c) which file? "GET /HelloWorld.html HTTP/1.1"        [W-T2c]
    // Method, path, version. `failure` is the status if there is no file.
    let line = request.lines().next().unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    let (failure, path) = match words[..] {
        ["GET", path, v] if v.starts_with("HTTP/1.") => ("404 Not Found", path),
        [_, _, v] if v.starts_with("HTTP/1.") => ("501 Not Implemented", ""),
        _ => ("400 Bad Request", ""),
    };
    let name = path.split('?').next().unwrap_or_default(); // without query
    let name = if name == "/" { "/index.html" } else { name };
    // ==== d) the file, from the server's file system [W-T2d]
    // "/../../etc/passwd" is a name, too, so a part with a dot first is
    // refused. Limit: symbolic links may lead out of the root. (viva 4) (try 4)
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
    // Content-Length shows where the body ends.                   (viva 2)
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // ---- 6 send() --------------------------------------------------------
    // ==== f) the response, over the TCP connection              [W-T2f]
    // Python: client.sendall(head + body)  C: send() in a loop
    let body = if line.starts_with("HEAD ") { &[][..] } else { &body };
    client.send_parts(&[head.as_bytes(), body])?;
    let line = console::escape_short(line.as_bytes(), 200);
    say!("[{peer}] {line} -> {status}, {} bytes", body.len());
    Ok(())
}

/// Answers one HTTP request, then ends
#[derive(FromArgs, ArgsInfo)]
struct Args {
    #[argh(positional, description = "address to bind (default 127.0.0.1)")]
    host: String,
    #[argh(positional, description = "port to bind (default 6789)")]
    port: Port,
    #[argh(switch, description = "accept further requests, one by one")]
    again: bool,
}

const PROGRAM: Program = Program {
    lab: "web",
    role: Role::Server,
    port: 6789,
    steps: "socket bind listen accept recv send close",
    example: "web-once-server 127.0.0.1 6789",
};
