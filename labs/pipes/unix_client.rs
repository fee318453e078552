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
use pipes::name;
use pipes::unix::{self, Credentials};
use socket2::{Domain, Socket, Type};
use socketlab::args::{self, Program, Role};
use socketlab::net::{self, step};
use socketlab::{Error, Result, console, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3600);
    let address = unix::address("connect", &args.path)?;

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
    if let Ok(peer) = Credentials::of(&server) {
        warn!("connected; the server is {peer}"); // who called listen()
    }
    let server = Arc::new(server);
    send_in_a_thread(server.clone(), Duration::from_secs(wait))?;
    let (mut received, mut unprinted) = (0, Vec::new());
    let mut buffer = vec![0; LINE];
    loop {
        // ---- 4 recv() ----------------------------------------------------
        // 0: the server has closed. A reply need not be a line.
        let count = step("recv", Some(&server), args.path.display(), || {
            (&*server).read(&mut buffer)
        })?;
        received += count as u64;
        unprinted.extend_from_slice(buffer.get(..count).unwrap_or_default());
        print_lines(&mut unprinted);
        if count == 0 || console::is_closed() {
            break;
        }
    }
    let in_a_line = !unprinted.is_empty();
    if in_a_line {
        say!("{}", console::escape(&unprinted));
    }

    // ---- 5 close() -------------------------------------------------------
    // The other thread may still hold the socket: the end of main closes it.
    if let Some(server) = Arc::into_inner(server) {
        net::close(server);
    }
    let sent = SENT.load(Ordering::Relaxed);
    match LEAVING.load(Ordering::Relaxed) {
        _ if console::is_closed() => Ok(()),
        _ if in_a_line && received < sent => Err(Error::other(format!(
            "the server closed in the middle of a line: {sent} bytes sent, \
             {received} came back"
        ))),
        true => Ok(()),
        false => Err(Error::other("the server has closed")),
    }
}

/// Sends the input while main receives. If the server has not closed `wait`
/// after the end of the input, the program ends with an error.
fn send_in_a_thread(server: Arc<Socket>, wait: Duration) -> Result<()> {
    let sending = thread::Builder::new().name("sending".into());
    let spawned = sending.spawn(move || {
        if let Err(error) = send_input(&server) {
            warn!("Error: {error}");
            process::exit(1);
        }
        thread::sleep(wait);
        warn!("Error: no end of the answers within {} s", wait.as_secs());
        process::exit(1);
    });
    spawned.map_err(|error| Error::new("spawn", "sending", error))?;
    Ok(())
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

/// Prints complete lines, and a line that is too long in pieces.
fn print_lines(unprinted: &mut Vec<u8>) {
    while let Some(at) = unprinted.iter().position(|&byte| byte == b'\n') {
        let line: Vec<u8> = unprinted.drain(..=at).collect();
        say!("{}", console::escape(line.trim_ascii_end()));
    }
    if unprinted.len() >= LINE {
        say!("{}", console::escape(unprinted));
        unprinted.clear();
    }
}

/// connect() says little; a look at the path says more.
fn explain(path: &Path, error: Error) -> Error {
    let kind = fs::symlink_metadata(path).map(|found| found.file_type());
    let why = match (error.kind(), kind) {
        (ErrorKind::ConnectionRefused, Ok(kind)) if !kind.is_socket() => {
            format!("The path is {}, not a socket", name::kind(kind))
        }
        (ErrorKind::ConnectionRefused, _) => "The socket's file is there, but \
            nobody listens: its server was killed, and the next one will \
            remove the file. Start it: make pipes-unix-server"
            .into(),
        (ErrorKind::PermissionDenied, _) => "Its permissions, or those of a \
            folder above it, keep you out: ls -l shows them"
            .into(),
        (ErrorKind::WouldBlock, _) => format!(
            "A server is there, but its queue is full, and for {PATIENCE:?} \
             it took nobody out: does it call accept()?"
        ),
        _ => return error,
    };
    Error::other(format!("{}. {why}", unix::without_hint(&error)))
}

/// How long connect() waits in a full queue, and send() for room.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest line that is kept together on the screen.
const LINE: usize = 64 * 1024;

/// We have sent all our input: then the server may close.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Bytes that we have sent.
static SENT: AtomicU64 = AtomicU64::new(0);

/// Sends its input to a Unix-domain socket and prints what comes back.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// path of the server's socket (default /tmp/socketlab.sock)
    #[argh(positional, default = "unix::DEFAULT.into()")]
    path: PathBuf,
    /// seconds for the rest of the answers once the input has ended
    /// (default 10)
    #[argh(option, default = "10")]
    wait: u64,
}

const PROGRAM: Program = Program {
    lab: "pipes",
    role: Role::Client { server: None },
    port: 0,
    steps: "socket connect send recv close",
    example: "pipes-unix-client /tmp/socketlab.sock",
};
