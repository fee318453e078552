//! A multi-threaded web proxy on two screens. Handout W (Week 5), task 3,
//! literally, in the companion's form: the URL is in the path.
//!
//! ```text
//! browser               proxy (this file)           origin server
//!   |                     |  1 socket 2 bind 3 listen     |
//!   |----- handshake ---->|  4 accept, a thread each      |
//!   | GET /host/x ------->|  5 recv                       |
//!   |                     |  6 connect -- handshake ----->|
//!   |                     |  7 send ---- GET /x --------->|
//!   |                     |  5 recv <------- the object --|
//!   |<------- the object -|  7 send                       |
//!   |<-------- FIN -------|  8 close                      |
//! ```
//!
//! A proxy is a server to the browser and a client to the origin: one program
//! with both lists of calls.  [W-T3a] [W-T3b] (viva 1)
//!
//! server.rs is the one to use. This one asks in HTTP/1.0, so that the origin
//! closes after the object, and the end of the body is the end of the stream.

use std::net::SocketAddr;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use http::{Fault, Head, Reader, Request, Target};
use http::{reason, target::split_authority};
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::Clients;
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;

    // ---- 1 socket() ------------------------------------------------------
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // A client that does not read is disconnected after 30 s: on Linux the
    // sockets that accept() returns inherit both limits from the listener.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(128)?;
    let clients = Clients::new(&listener, 256, NO_ROOM)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // A thread for each client: while one waits for a slow origin, the
        // others go on.                               [W-T3b] (viva 2)
        match listener.accept() {
            Ok((client, peer)) => clients.spawn(client, peer, converse),
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    clients.finish();
    Ok(())
}

/// One request, one object, close.
fn converse(client: TcpSocket, peer: SocketAddr) -> Result<()> {
    // ---- 5 recv() --------------------------------------------------------
    // Up to the empty line, however many segments it takes.
    let mut reader = Reader::new(client.clone());
    let outcome = match reader.read_request(PATIENCE) {
        Ok(Some(request)) => {
            let line = format!("{} {}", request.method, request.target);
            let outcome = fetch(&request, &client);
            say!("[{peer}] {}", console::escape_short(line.as_bytes(), 200));
            outcome
        }
        // Browsers open connections in advance, and close some unused.
        Ok(None) | Err(Fault::Idle) => Ok(0),
        Err(fault) => refuse(&client, 400, &fault.to_string()),
    };

    // ---- 8 close() -------------------------------------------------------
    // FIN ends the object, because its length was not announced.
    client.finish();
    say!("[{peer}] {} bytes passed on", outcome?);
    Ok(())
}

/// Gets the object from its origin and passes it on; counts its bytes.
fn fetch(request: &Request, client: &TcpSocket) -> Result<u64> {
    // The companion's form is /www.host.tld/path; a browser with a proxy in
    // its settings sends the complete URL.                      (viva 3)
    let (authority, path) = match request.target() {
        Target::Absolute { authority, path, .. } => (authority, path),
        Target::Origin(target) => {
            let rest = target.trim_start_matches('/');
            let rest = rest.strip_prefix("http://").unwrap_or(rest);
            rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()))
        }
        _ => return refuse(client, 501, "Use proxy-server for CONNECT."),
    };
    if request.method != "GET" {
        return refuse(client, 501, "Only GET is supported.");
    }
    let Some((host, port)) = split_authority(authority) else {
        return refuse(client, 400, "Write /www.host.tld/path.");
    };
    let slash = if path.starts_with('/') { "" } else { "/" };

    // ---- 6 connect() -----------------------------------------------------
    // Now this program is a client. If the origin cannot be reached, the
    // proxy says so itself: 502, never the origin's 404.        (viva 8)
    let found = net::resolve(host, port.unwrap_or(80));
    let connected = found.and_then(|addresses| {
        net::try_each(&addresses, |address| {
            let origin = TcpSocket::new(address)?;
            // SO_SNDTIMEO bounds connect() on Linux, too.
            origin.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
            origin.connect(address)?;
            // A server that does not read for 30 s is given up.
            origin.set_send_timeout(Some(net::SEND_TIMEOUT))?;
            origin.set_user_timeout(net::SEND_TIMEOUT)?;
            Ok(origin)
        })
    });
    let origin = match connected {
        Ok(origin) => origin,
        // What failed, without the advice, which is for our own clients.
        Err(error) => {
            let text = error.to_string();
            let what = text.split(". ").next().unwrap_or_default();
            return refuse(client, 502, what);
        }
    };

    // ---- 7 send() --------------------------------------------------------
    // A NEW request, not the browser's bytes: its Host is the proxy, its
    // Connection is this hop's. HTTP/1.0 and `close`: the origin ends the
    // object by closing.                               [W-T3a] (viva 4)
    let line = format!("GET {slash}{path} HTTP/1.0\r\n");
    let head = format!("{line}Host: {authority}\r\nConnection: close\r\n\r\n");
    origin.send_all(head.as_bytes())?;

    // The response, piece by piece: 5 recv() from the origin, 7 send() to
    // the browser, until the origin closes.
    origin.set_recv_timeout(Some(PATIENCE))?;
    let mut piece = vec![0; CHUNK];
    let mut total = 0;
    loop {
        let count = origin.recv(&mut piece)?;
        if count == 0 {
            origin.close();
            return Ok(total);
        }
        client.send_all(piece.get(..count).unwrap_or_default())?;
        total += count as u64;
    }
}

/// Sends a response of the proxy itself.
fn refuse(client: &TcpSocket, status: u16, why: &str) -> Result<u64> {
    let page = format!("{status} {}: {why}\n", reason(status));
    let head = Head::response(status)
        .field("Content-Type", "text/plain; charset=utf-8")
        .field("Connection", "close")
        .end();
    client.send_parts(&[&head, page.as_bytes()])?;
    Err(Error::other(page.trim_end()))
}

/// How long a browser, and an origin, may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes that one recv() may return: an object may be larger than the memory.
const CHUNK: usize = 64 * 1024;

/// The response to a client beyond 256.
const NO_ROOM: &str = "HTTP/1.0 503 Service Unavailable\r\n\r\n";

/// Fetches an object a connection: http://127.0.0.1:8888/www.host.tld/path
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 8888; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// allow a port below 1024
    #[argh(switch)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "proxy",
    role: Role::Server,
    port: 8888,
    steps: "socket bind listen accept recv connect send close",
    example: "proxy-once-server 127.0.0.1 8888",
};
