//! A multi-threaded web proxy. Handout W (Week 5), task 3, literally. The
//! peers are any browser and any origin server; server.rs is the one to use.
//!
//! ```text
//! browser               proxy (this file)             origin server
//!   | handshake --------->|  4 accept  b) a thread each     |
//!   | GET /host/x ------->|  5 recv    a) the request       |
//!   |                     |  6 connect ---- handshake ----->|
//!   |                     |  7 send    a) a new request --->|
//!   |<----- the object ---|  7 send    a) a new response <--|
//!   |<------- FIN --------|  8 close                        |
//! ```

use argh::{ArgsInfo, FromArgs};
use http::{Body, Fault, Reader, Request};
use proxy::errors::{self, ErrorPage, Failure};
use proxy::{origin, relay, target};
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::net::{self, SEND_TIMEOUT, TcpSocket};
use std::net::SocketAddr;

fn main() -> socketlab::Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    // ---- 1 socket() ------------------------------------------------------
    // Python: socket(AF_INET, SOCK_STREAM)  C: socket(AF_INET, SOCK_STREAM, 0)
    // A proxy is a server to the browser and a client to the origin, so it
    // makes the calls of both.                                  (viva 1)
    let listener = TcpSocket::new(address)?;
    // ---- 2 bind() --------------------------------------------------------
    // Python: s.bind((host, port))  C: bind(). The browser's settings name
    // this address and port.                                    (viva 7)
    listener.set_reuse_address()?;
    listener.bind(address)?;
    // ---- 3 listen() ------------------------------------------------------
    // Python: s.listen(128)  C: listen(s, 128). A browser that does not read
    // is cut off after 30 s: on Linux its socket inherits both limits.
    listener.set_send_timeout(Some(SEND_TIMEOUT))?;
    listener.set_user_timeout(SEND_TIMEOUT)?;
    listener.listen(128)?;
    let clients = Clients::new(&listener, 256, "HTTP/1.0 503 Full\r\n\r\n")?;
    net::announce(listener.local_addr()?);
    loop {
        // ---- 4 accept() --------------------------------------------------
        // ==== b) many requests at the same time: a thread each    [W-T3b]
        // While one waits for its origin, the others work.      (viva 2)
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
fn converse(client: TcpSocket, peer: SocketAddr) -> socketlab::Result<()> {
    // ---- 5 recv() --------------------------------------------------------
    // ==== a) a request for an object, up to its empty line        [W-T3a]
    // Python: client.recv(4096)  C: recv(client, piece, 4096, 0), in a loop.
    let mut browser = Reader::new(client.clone());
    let asked = browser.read_request(SEND_TIMEOUT);
    let to_head = errors::is_head(&asked, &browser);
    let _stop_waits = clients::request(); // Ctrl-C waits for its end
    let end = fetch(asked, &browser)
        .unwrap_or_else(|failure| failure.tell(&client, to_head));
    // ---- 8 close() -------------------------------------------------------
    // Without Content-Length the browser takes FIN as the end. Limit: also if
    // the object is incomplete; server.rs then sends RST. (try 1)
    client.finish();
    socketlab::say!("[{peer}] {end}");
    Ok(())
}

/// Gets the object from its origin, and sends it to the browser.
fn fetch(
    asked: Result<Option<Request>, Fault>,
    browser: &Reader,
) -> Result<String, Failure> {
    let Some(request) = asked? else { return Ok("no request".into()) };
    if request.method != "GET" {
        return Err(ErrorPage::new(501, "Only GET: use proxy-server.").into());
    }
    // A browser whose settings name this proxy sends the complete URL. In any
    // other browser, type /host/x after the proxy's address. [W-T3c] (viva 3)
    let url = target::destination(&request.target)?;
    // ---- 6 connect() -----------------------------------------------------
    // Python: s.connect((host, 80))  C: connect(). Now this program is a
    // client. If the origin cannot be reached, the status is 502. (viva 8)
    let mut origin = origin::connect(&url, None, SEND_TIMEOUT, browser)?;
    // ---- 7 send() --------------------------------------------------------
    // ==== a) a NEW request for the same object. Host is the origin's name.
    // With HTTP/1.0 the origin closes after the object.         (viva 4)
    let (path, host) = (&url.path, url.authority());
    let head = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    let _ = origin.socket().send_all(head.as_bytes());
    // ==== a) a NEW response with the object, piece by piece
    let (head, framing) = relay::answer(&request, &url, &mut origin, browser)?;
    browser.socket().send_all(&head)?;
    let (mut object, mut count) = (Body::new(framing), 0);
    while let Some(piece) = object.next(&mut origin).map_err(Failure::broken)? {
        browser.socket().send_all(piece)?;
        count += piece.len();
    }
    Ok(format!("GET {}: {count} bytes passed on", url.url()))
}

/// Fetches one object per connection: http://127.0.0.1:8888/www.host.tld/path
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 8888; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    #[argh(switch, hidden_help, description = "allow a port below 1024")]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "proxy",
    role: Role::Server,
    port: 8888,
    steps: "socket bind listen accept recv connect send close",
    example: "proxy-once-server 127.0.0.1 8888",
};
