//! An HTTP client: it does the browser's part of handout W, task 2. The
//! companion has such a client as an optional exercise. The server is once.rs,
//! server.rs, or any other web server that does not demand TLS.
//!
//! ```text
//! client (this file)          server
//!   |  1 socket                 |
//!   |  2 connect   handshake -->|
//!   |  3 send --- GET /path --->|
//!   |  4 recv <-- 200 OK, head -|   The head says how the body ends:
//!   |  4 recv <---- body -------|   by length, by chunks, or by FIN
//!   |  5 close ------ FIN ----->|
//! ```
//!
//! With `-o FILE` the client saves the body. If a download broke off, the next
//! run asks only for the missing part: see download.rs.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use http::download::Destination;
use http::{Body, Head, Reader, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say, warn};
use web::download::{self, Answer, Rest};

fn main() -> Result<()> {
    let mut args: Args = args::parse(&PROGRAM);
    let mut file = args.output.take().map(Destination::new).transpose()?;
    let mut rest = file.as_ref().and_then(Rest::of);
    let addresses = net::resolve(&args.host, args.port.0)?;
    loop {
        let socket = net::try_each(&addresses, |address| {
            // ---- 1 socket() ----------------------------------------------
            // Python: socket(AF_INET, SOCK_STREAM)
            // C: socket(AF_INET, SOCK_STREAM, 0)
            // A name may have several addresses. Each try needs a new socket.
            let socket = TcpSocket::new(address)?;

            // ---- 2 connect() ---------------------------------------------
            // Python: s.connect((host, port))
            // C: connect(s, &address, sizeof address)
            // The kernel does the handshake (SYN, SYN-ACK, ACK). On Linux the
            // send timeout limits connect() too: to 10 s, and so each send().
            socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
            socket.connect(address)?;
            Ok(socket)
        })?;
        let host = authority(&args.host, args.port);
        let path = target(&args.path);
        let unfit = converse(socket, &host, &path, file, rest.take())?;
        if unfit.is_none() {
            return Ok(());
        }
        say!("the server did not send the rest of the file: asking for all");
        file = unfit;
    }
}

/// Sends one request and reads its response. Returns the file if the response
/// does not fit the part that an earlier run has saved. The caller must then
/// ask for the complete file.
fn converse(
    socket: TcpSocket,
    host: &str,
    path: &str,
    file: Option<Destination>,
    rest: Option<Rest>,
) -> Result<Option<Destination>> {
    // ---- 3 send() --------------------------------------------------------
    // Python: s.sendall(head)  C: send(s, head, length, 0) in a loop
    // HTTP/1.1 demands one field, Host, because many sites may share an
    // address. "Connection: close" asks the server to close after its
    // response, because this client has only one request.
    let mut head = Head::request("GET", path)
        .field("Host", host)
        .field("User-Agent", "socketlab-web-client")
        .field("Connection", "close");
    if let Some((range, version)) = rest.as_ref().map(Rest::fields) {
        head = head.field("Range", range).field("If-Range", version);
    }
    socket.send_all(&head.end())?;

    // ---- 4 recv() --------------------------------------------------------
    // Python: s.recv(4096)  C: recv(s, piece, sizeof piece, 0)
    // The reader calls recv() until it has the empty line that ends the head.
    // The head then says where the body ends.            (viva 1) (viva 2)
    let mut reader = Reader::new(socket.clone());
    let response = read_head(&mut reader)?;
    print_head(&response);
    let mut body = Body::new(response.framing("GET")?);
    let rest = rest.as_ref();
    let answer = match file {
        Some(to) => {
            download::save(to, rest, &response, &mut body, &mut reader)?
        }
        None => {
            print_body(&response, &mut body, &mut reader)?;
            match response.status < 400 {
                true => Answer::Saved,
                false => Answer::NotTheFile,
            }
        }
    };

    // ---- 5 close() -------------------------------------------------------
    // Python: s.close()  C: close(s)
    // The kernel sends FIN, so the server's recv() returns 0.
    drop(reader);
    socket.close();
    match answer {
        Answer::Saved => Ok(None),
        Answer::Unfit(to) => Ok(Some(to)),
        Answer::NotTheFile => {
            let status = response.status;
            Err(Error::other(format!("the server's response is {status}")))
        }
    }
}

/// The path in the form that a request line needs: `/a b` becomes `/a%20b`.
fn target(path: &str) -> String {
    let path = utf8_percent_encode(path, NOT_IN_A_PATH).to_string();
    match path.starts_with('/') {
        true => path,
        false => format!("/{path}"),
    }
}

/// `host:port` as in a URL, where an IPv6 address has brackets.
fn authority(host: &str, port: Port) -> String {
    match host.contains(':') && !host.starts_with('[') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// The final response: a server may send interim ones (1xx) first.
fn read_head(reader: &mut Reader) -> Result<Response> {
    loop {
        match reader.read_response(PATIENCE)? {
            Some(response) if response.status >= 200 => return Ok(response),
            Some(_) => {}
            None => {
                let what = "the server closed without a response";
                return Err(Error::other(what));
            }
        }
    }
}

fn print_head(response: &Response) {
    let (version, status) = (response.version.text(), response.status);
    let reason = console::escape(response.reason.as_bytes());
    say!("{version} {status} {reason}");
    for (name, value) in response.fields.iter() {
        say!("{name}: {}", console::escape(value));
    }
    say!("");
}

/// Prints the body. A pipe or a file gets the unchanged bytes. A terminal gets
/// text only, with control characters escaped, because these could change the
/// terminal's settings. For any other kind it shows the size.
fn print_body(
    response: &Response,
    body: &mut Body,
    reader: &mut Reader,
) -> Result<()> {
    let kind = response.fields.text("Content-Type").unwrap_or_default();
    let terminal = io::stdout().is_terminal();
    let text = kind.starts_with("text/");
    let mut count = 0;
    let mut line = Vec::new();
    while let Some(piece) = body.next(reader)? {
        count += piece.len();
        if !terminal {
            if let Err(error) = console::print_bytes(piece) {
                return console::unless_closed(Err(error));
            }
        } else if text {
            print_lines(&mut line, piece);
        }
    }
    if !line.is_empty() {
        say!("{}", console::escape(&line));
    }
    if terminal && !text {
        let kind = console::escape(kind.as_bytes());
        warn!("({count} bytes of {kind}, not shown; -o FILE saves them)");
    }
    Ok(())
}

/// Prints each line whose newline has arrived; the rest stays in `line`.
fn print_lines(line: &mut Vec<u8>, piece: &[u8]) {
    for part in piece.split_inclusive(|byte| *byte == b'\n') {
        line.extend_from_slice(part);
        if line.ends_with(b"\n") || line.len() > LONGEST_LINE {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            say!("{}", console::escape(text));
            line.clear();
        }
    }
}

/// How long the client waits for each part of the response.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes. A longer line is printed in parts, so that an endless line does not
/// fill the memory.
const LONGEST_LINE: usize = 4096;

/// Characters that a request line must not contain; they become %XX.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'"');

/// Asks a web server for one file and prints the response.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 8080)
    #[argh(positional)]
    port: Port,
    /// path of the file on the server (default /)
    #[argh(positional, default = "String::from(\"/\")")]
    path: String,
    /// save the body in this file; continues an interrupted download
    #[argh(option, short = 'o')]
    output: Option<PathBuf>,
}

const PROGRAM: Program = Program {
    lab: "web",
    role: Role::Client { server: Some("web-server") },
    port: 8080,
    steps: "socket connect send recv close",
    example: "web-client 127.0.0.1 8080 /HelloWorld.html",
};
