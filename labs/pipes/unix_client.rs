//! Types to a Unix-domain socket and prints what comes back, both at once.
//! Beside the pipes of handout T [T-X3]. Peer: unix_server.rs, or `nc -lU`.
//!
//! ```text
//! client (this file)        server
//!   |  1 socket               |
//!   |  2 connect ------------>|  by a path; no port, no packet
//!   |  3 send ---- "hello" -->|
//!   |  4 recv <--- "hello" ---|  by main, while a thread sends
//!   |  5 close                |
//! ```

use pipes::{kind, unix_path};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use pipes::peer::Peer;
use socket2::{Domain, Socket, Type};
use socketlab::args::{self, Program};
use socketlab::net::{self, step};
use socketlab::{Error, Result, console, say, warn};

/// How long connect() waits in a full queue, and send() for room.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest line that is kept together on the screen.
const LINE: usize = 64 * 1024;

/// We have said all: then the server may close.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Bytes that we have sent.
static SENT: AtomicU64 = AtomicU64::new(0);

const PROGRAM: Program = Program {
    lab: "pipes",
    role: "client",
    port: 0,
    steps: "socket connect send recv close",
    example: "pipes-unix-client /tmp/socketlab.sock",
};

/// Sends its input to a Unix-domain socket and prints what comes back.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// path of the server's socket (default /tmp/socketlab.sock)
    #[argh(positional, default = "unix_path::DEFAULT.into()")]
    path: PathBuf,
    /// seconds for the rest of the answers once the input has ended
    /// (default 10)
    #[argh(option, default = "10")]
    wait: u64,
}

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3600);
    let address = unix_path::address("connect", &args.path)?;

    // ---- 1 socket() ------------------------------------------------------
    // As in unix_server.rs: the family must be the same on both sides.
    let server = step("socket", None, "AF_UNIX, SOCK_STREAM, 0", || {
        Socket::new(Domain::UNIX, Type::STREAM, None)
    })?;
    server.set_write_timeout(Some(PATIENCE))?;

    // ---- 2 connect() -----------------------------------------------------
    // The kernel follows the path to the socket that is bound there. Needs
    // permission to write to that file, which a FIFO wants, too. (viva 15)
    let shown = args.path.display();
    step("connect", Some(&server), shown, || server.connect(&address))
        .map_err(|error| explain(&args.path, error))?;
    if let Ok(peer) = Peer::of(&server) {
        warn!("connected; the server is {peer}"); // who called listen()
    }
    let server = Arc::new(server);
    let writer = server.clone();
    thread::Builder::new()
        .name("typing".into())
        .spawn(move || {
            if let Err(error) = send_input(&writer) {
                warn!("Error: {error}");
                process::exit(1);
            }
            thread::sleep(Duration::from_secs(wait));
            warn!("Error: no end of the answers within {wait} s");
            process::exit(1);
        })
        .map_err(|error| Error::new("spawn", "typing", error))?;
    let (mut came, mut whole) = (0, true);
    let mut unshown = Vec::new();
    let mut buffer = vec![0; LINE];
    loop {
        // ---- 4 recv() ----------------------------------------------------
        // 0: the server has closed. What is answered need not be a line.
        let count = step("recv", Some(&server), args.path.display(), || {
            (&*server).read(&mut buffer)
        })?;
        unshown.extend_from_slice(buffer.get(..count).unwrap_or_default());
        came += count as u64;
        if let Some(last) = unshown.last() {
            whole = *last == b'\n';
        }
        show_lines(&mut unshown, count == 0);
        if count == 0 || console::is_closed() {
            break;
        }
    }

    // ---- 5 close() -------------------------------------------------------
    // The other thread may still hold the socket: the end of main closes it.
    if let Some(server) = Arc::into_inner(server) {
        net::close(server);
    }
    let sent = SENT.load(Ordering::Relaxed);
    if !whole && came < sent && !console::is_closed() {
        return Err(Error::other(format!(
            "the server closed in the middle of a line: {sent} bytes sent, \
             {came} came back"
        )));
    }
    match LEAVING.load(Ordering::Relaxed) || console::is_closed() {
        true => Ok(()),
        false => Err(Error::other("the server has closed")),
    }
}

/// Sends stdin to its end, then closes our direction only.
fn send_input(server: &Socket) -> Result<()> {
    while let Some(mut line) = console::read_stdin_line()? {
        line.push(b'\n');
        let mut rest = line.as_slice();
        while !rest.is_empty() {
            // ---- 3 send() ------------------------------------------------
            // Straight into the receive buffer of the other end. A FIFO's
            // writer ends here; we read the answer from the same socket.
            let sent =
                step("send", Some(server), "…", || (&*server).write(rest));
            match sent {
                // It closed: main reads what it still said, and ends.
                Err(error) if error.is_peer_gone() => return Ok(()),
                sent => {
                    let sent = sent?;
                    SENT.fetch_add(sent as u64, Ordering::Relaxed);
                    rest = rest.get(sent..).unwrap_or_default();
                }
            }
        }
    }
    LEAVING.store(true, Ordering::Relaxed);
    // Half-close, as with TCP: the answers still come.
    let _ = server.shutdown(Shutdown::Write);
    Ok(())
}

/// Prints whole lines, and at the end, or if it is much, the rest.
fn show_lines(unshown: &mut Vec<u8>, end: bool) {
    while let Some(at) = unshown.iter().position(|&byte| byte == b'\n') {
        let line: Vec<u8> = unshown.drain(..=at).collect();
        say!("{}", console::escape(line.trim_ascii_end()));
    }
    if !unshown.is_empty() && (end || unshown.len() >= LINE) {
        say!("{}", console::escape(unshown));
        unshown.clear();
    }
}

/// connect() says little; a look at the path says more.
fn explain(path: &Path, error: Error) -> Error {
    let kind = fs::symlink_metadata(path).map(|found| found.file_type());
    let why = match (error.kind(), kind) {
        (ErrorKind::ConnectionRefused, Ok(kind)) if !kind.is_socket() => {
            format!("The path is {}, not a socket", kind::name(kind))
        }
        (ErrorKind::ConnectionRefused, _) => {
            "The socket's file is there, but nobody listens: its server was \
             killed, and the next one will remove the file. Start it: make \
             pipes-unix-server"
                .into()
        }
        (ErrorKind::PermissionDenied, _) => {
            "Its permissions, or those of a folder above it, keep you out: \
             ls -l shows them"
                .into()
        }
        (ErrorKind::WouldBlock, _) => format!(
            "A server is there, but its queue is full, and for {PATIENCE:?} \
             it took nobody out: does it call accept()?"
        ),
        _ => return error,
    };
    Error::other(format!("{}. {why}", unix_path::without_hint(&error)))
}
