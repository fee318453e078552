//! An HTTP client: the browser's part of handout W, task 2, and the
//! companion's optional exercise. The other half is once.rs, server.rs, or
//! any web server that speaks without TLS.
//!
//! ```text
//! client (this file)          server
//!   |  1 socket                 |
//!   |  2 connect   handshake -->|
//!   |  3 send --- GET /path --->|
//!   |  4 recv <-- 200 OK, head -|   and the body, as its framing says:
//!   |  4 recv <---- body -------|   by length, in chunks, until FIN
//!   |  5 close ------ FIN ----->|
//! ```
//!
//! With `-o FILE` the body is saved, and a download that broke off goes on
//! where it ended: see download.rs.

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
            let socket = TcpSocket::new(address)?;

            // ---- 2 connect() ---------------------------------------------
            // On Linux connect() waits 10 s at most, and so does each send().
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
        say!("that is not the rest of the file: once more, all of it");
        file = unfit;
    }
}

/// One request and its answer. Returns the file if the answer does not fit
/// what an earlier try has left; all of it must be asked for then.
fn converse(
    socket: TcpSocket,
    host: &str,
    path: &str,
    file: Option<Destination>,
    rest: Option<Rest>,
) -> Result<Option<Destination>> {
    // ---- 3 send() --------------------------------------------------------
    // Host is the one field that HTTP/1.1 demands: many sites may live at
    // one address. Connection: close, because there is nothing more to ask.
    let mut head = Head::request("GET", path)
        .field("Host", host)
        .field("User-Agent", "socketlab-web-client")
        .field("Connection", "close");
    if let Some((range, version)) = rest.as_ref().map(Rest::fields) {
        head = head.field("Range", range).field("If-Range", version);
    }
    socket.send_all(&head.end())?;

    // ---- 4 recv() --------------------------------------------------------
    // Inside the reader: until the empty line, then as the head says how
    // the body ends.                                     (viva 1) (viva 2)
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
    drop(reader);
    socket.close();
    match answer {
        Answer::Saved => Ok(None),
        Answer::Unfit(to) => Ok(Some(to)),
        Answer::NotTheFile => {
            let status = response.status;
            Err(Error::other(format!("the server's answer is {status}")))
        }
    }
}

/// The path as a request line has it.
fn target(path: &str) -> String {
    let path = utf8_percent_encode(path, NOT_IN_A_PATH).to_string();
    match path.starts_with('/') {
        true => path,
        false => format!("/{path}"),
    }
}

/// `host:port` as a URL has it.
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
                let what = "the server closed without an answer";
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

/// Into a pipe or file: the bytes as they are. To a terminal: text, with what
/// would drive the terminal escaped, and of anything else its size.
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
        warn!("({count} bytes of {kind}: -o FILE saves them)");
    }
    Ok(())
}

/// Prints the lines that have come to their end; the rest stays in `line`.
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

/// How long the server may think before its first byte.
const PATIENCE: Duration = Duration::from_secs(60);

/// A longer line is printed in parts, however it goes on.
const LONGEST_LINE: usize = 4096;

/// What cannot stand in a request line as it is.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'"');

/// Asks a web server for one file and prints the answer.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 8080)
    #[argh(positional)]
    port: Port,
    /// what to ask for (default /)
    #[argh(positional, default = "String::from(\"/\")")]
    path: String,
    /// save the body in this file; goes on where an earlier try ended
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
