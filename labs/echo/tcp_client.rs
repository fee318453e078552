//! The echo client to use: it sends its input and prints the echo, both at
//! once. The other half is tcp_server.rs, or any other echo server.
//!
//! ```text
//! main ---------------- 1 socket 2 connect --> server
//! stdin --> thread "typing" ------- 3 send --> server       [E-T2]
//! stdout <----- main -------------- 4 recv <-- server
//! main --------------------------- 5 close --> server
//! ```
//!
//! Two threads use one socket, one for each direction, so the input may be
//! larger than all buffers on the path. A client that first writes everything
//! may deadlock with its server: see deadlock.rs. Byte-exact: `echo-client <
//! picture.png > copy.png` makes the same file.

use std::io::{self, IsTerminal, Read};
use std::mem;
use std::net::Shutdown;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use echo::command::CommandFinder;
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3600);
    let retry = args::in_range("--retry", args.retry, 0, 3600);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let server = net::try_each_for(retry, &addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // One endpoint in the kernel, which both threads will use.
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // Fails at once, before anything is typed, if no server runs; with
        // --retry the client waits for its server. [E-I5] (viva 5) On Linux
        // SO_SNDTIMEO also limits connect().
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        // If the server reads nothing for 30 s, the connection ends.
        socket.set_send_timeout(Some(net::SEND_TIMEOUT))?;
        socket.set_user_timeout(net::SEND_TIMEOUT)?;
        Ok(socket)
    })?;
    if io::stdin().is_terminal() {
        warn!("Each line comes back. stop or exit: leave.");
    }
    let (closed, has_closed) = mpsc::channel();
    start_typing(server.clone(), wait, closed)?;

    let mut screen = Screen::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // ---- 4 recv() ----------------------------------------------------
        // 0: the server has closed. The other thread may still wait for the
        // keyboard; it ends when main returns.
        let count = server.recv(&mut buffer)?;
        if count == 0 {
            break;
        }
        ECHOED.fetch_add(count as u64, Ordering::SeqCst);
        let bytes = buffer.get(..count).unwrap_or_default();
        if let Err(error) = screen.show(bytes) {
            // Nobody reads our output.
            return console::unless_closed(Err(error));
        }
        if ECHOED.load(Ordering::SeqCst) > SENT.load(Ordering::SeqCst) {
            let text = format!("more than we sent came back, {}", counts());
            return Err(Error::other(text));
        }
    }
    screen.end();
    if CLOSING.load(Ordering::SeqCst) {
        // The other thread is about to return from shutdown(); wait for its
        // last line of TRACE=1.
        let _ = has_closed.recv_timeout(Duration::from_secs(1));
    }

    // ---- 5 close() -------------------------------------------------------
    // After a command the server's FIN was the first, after end of input
    // ours. The side that closed first keeps TIME_WAIT.
    server.close();
    if ECHOED.load(Ordering::SeqCst) < SENT.load(Ordering::SeqCst) {
        return Err(Error::other(format!(
            "the server closed before all was echoed, {}",
            counts()
        )));
    }
    if !LEAVING.load(Ordering::Relaxed) {
        return Err(Error::other("the server has closed"));
    }
    Ok(())
}

/// Starts the thread that sends the input. It sends to `closed` when it has
/// ended our direction.
fn start_typing(
    server: TcpSocket,
    wait: u64,
    closed: mpsc::Sender<()>,
) -> Result<()> {
    let work = move || {
        let error = match send_input(&server) {
            Ok(()) => {
                let _ = closed.send(());
                not_closed_within(&server, wait)
            }
            Err(error) => error,
        };
        warn!("Error: {error}");
        process::exit(1);
    };
    thread::Builder::new()
        .name("typing".into())
        .spawn(work)
        .map_err(|error| Error::new("spawn", "typing", error))?;
    Ok(())
}

/// Waits until main has read the rest of the echo, which ends the program
/// and this thread. One deadline for the rest of the echo: a server that stays
/// silent, or sends single bytes, must not block the client without end.
fn not_closed_within(server: &TcpSocket, seconds: u64) -> Error {
    thread::sleep(Duration::from_secs(seconds));
    let peer = server.peer_addr();
    let peer = peer.map_or("?".into(), |peer| peer.to_string());
    let what = format!(
        "timed out: no end of the echo within {seconds} s after our FIN, {}",
        counts()
    );
    Error::timed_out("recv", peer, what)
}

fn counts() -> String {
    let (sent, echoed) =
        (SENT.load(Ordering::SeqCst), ECHOED.load(Ordering::SeqCst));
    format!("{echoed} bytes back for {sent} sent")
}

/// Sends stdin to its end, then closes our direction only.
fn send_input(server: &TcpSocket) -> Result<()> {
    let mut finder = CommandFinder::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // A terminal returns a line at a time, a file a full buffer.
        let count = io::stdin()
            .read(&mut buffer)
            .map_err(|error| Error::new("read", "stdin", error))?;
        if count == 0 {
            break;
        }

        // ---- 3 send() ----------------------------------------------------
        // Blocks while the buffers are full; main reads the echo meanwhile.
        let bytes = buffer.get(..count).unwrap_or_default();
        if finder.feed(bytes).1.is_some() {
            LEAVING.store(true, Ordering::Relaxed);
        }
        SENT.fetch_add(count as u64, Ordering::SeqCst);
        match server.send_all(bytes) {
            // The server has closed; main reads the rest and ends.
            Err(error) if error.is_peer_gone() => return Ok(()),
            sent => sent?,
        }
    }
    LEAVING.store(true, Ordering::Relaxed);
    CLOSING.store(true, Ordering::SeqCst);
    // Half-close: FIN means that no more bytes follow; the echo still comes.
    match server.shutdown(Shutdown::Write) {
        Err(error) if error.is_peer_gone() => Ok(()),
        done => done,
    }
}

/// Writes the echo to stdout: byte for byte into a file or a pipe, but with
/// control characters escaped for a person's terminal. The server decides what
/// comes back; it may differ from what was typed.
struct Screen {
    is_terminal: bool,
    begun: Vec<u8>, // a character whose other bytes have not arrived
}

impl Screen {
    fn new() -> Screen {
        let is_terminal = io::stdout().is_terminal();
        Screen { is_terminal, begun: Vec::new() }
    }

    /// Prints the bytes of one recv().
    fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.is_terminal {
            return console::print_bytes(bytes);
        }
        self.begun.extend_from_slice(bytes);
        let complete = self.begun.len() - unfinished(&self.begun);
        let rest = self.begun.split_off(complete);
        let text = mem::replace(&mut self.begun, rest);
        console::print_bytes(escape_lines(&text).as_bytes())
    }

    /// No more bytes will come, so prints an incomplete character, too.
    fn end(&mut self) {
        let _ = console::print_bytes(escape_lines(&self.begun).as_bytes());
        self.begun.clear();
    }
}

/// Length of the character at the end whose last bytes are missing: 0 to 3.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = bytes.utf8_chunks().last().map_or(&[][..], |c| c.invalid());
    match std::str::from_utf8(tail) {
        Err(error) if error.error_len().is_none() => tail.len(),
        _ => 0,
    }
}

/// [`console::escape`], except that newlines remain newlines.
fn escape_lines(text: &[u8]) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                shown.push_str(&console::escape(line));
                shown.push('\n');
            }
            None => shown.push_str(&console::escape(line)),
        }
    }
    shown
}

/// Bytes passed to send(), and bytes that came back. The first is counted
/// before the call, so that an echo cannot come before its bytes are counted.
static SENT: AtomicU64 = AtomicU64::new(0);
static ECHOED: AtomicU64 = AtomicU64::new(0);

/// The client has sent `exit` or `stop`, or all its input, so the server may
/// close.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// The input has ended, and the client closes its direction.
static CLOSING: AtomicBool = AtomicBool::new(false);

/// Sends its input to an echo server and prints what comes back.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12001)
    #[argh(positional)]
    port: Port,
    /// seconds for the rest of the echo after the input has ended (default 60,
    /// because a sequential server may serve others first)
    #[argh(option, default = "60")]
    wait: u64,
    /// seconds to try again while no server listens there (default 0)
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Client { server: Some("echo-server") },
    port: 12001,
    steps: "socket connect send recv close",
    example: "echo-client 127.0.0.1 12001",
};
