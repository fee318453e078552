//! The client of handout D (Durham), tasks 1 to 3, as short as possible. The
//! other half is open_server.rs, password_server.rs, quota_server.rs, or the
//! server of any other student. client.rs is the one to use. [D-T1.3]
//!
//! ```text
//! client (this file)                     server
//!   |  1 socket                            |
//!   |  2 connect -------- handshake ------>|
//!   |  main:   keyboard ---- 3 send ------>|  one by one     [D-T1.1]
//!   |  thread: screen <----- 4 recv -------|  OK, STOP, NO
//!   |  5 close -------------- FIN -------->|
//! ```

use std::net::Shutdown;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.0)?;

    // ---- 1 socket() ------------------------------------------------------
    // TCP, as the server's socket. bind() is not needed, because connect()
    // chooses a free port. Python: socket.socket() C: socket()
    let server = TcpSocket::new(address)?;

    // ---- 2 connect() -----------------------------------------------------
    // ==== 1.3 host and port are enough: ask another student [D-T1.3]
    // The handshake. If no server listens there: ECONNREFUSED.
    server.connect(address)?;
    let reading = server.clone(); // a second handle of the same socket
    let screen = thread::Builder::new()
        .name("screen".into())
        .spawn(move || show(reading))
        .map_err(|error| Error::new("spawn", "screen", error))?;

    // ---- 3 send() --------------------------------------------------------
    // ==== 3.2 the ID before any other communication                [D-T3.2]
    if let Some(id) = &args.id {
        server.send_all(format!("ID {id}\n").as_bytes())?;
    }
    // ==== 1.1 many messages, until the user stops: Ctrl-D [D-T1.1]
    // A newline ends each message, because TCP keeps no boundaries. The client
    // does not count, so it may exceed its quota, as a test. [D-T3.4] (viva 3)
    while let Some(mut line) = console::read_stdin_line()? {
        line.push(b'\n');
        server.send_all(&line)?;
    }

    // ---- 5 close() -------------------------------------------------------
    // shutdown() sends FIN, but the client can still receive the last replies.
    // The server's FIN then ends the other thread.
    LEAVING.store(true, Ordering::Relaxed);
    server.shutdown(Shutdown::Write)?;
    let _ = screen.join();
    server.close();
    Ok(())
}

/// Set when the user leaves; the server's FIN is then not an error.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Prints the server's lines whenever they come.
fn show(server: TcpSocket) {
    let mut lines = LineReader::new(server, 128 * 1024, Duration::MAX);
    lines.wait_for_ever();
    lines.accept_pause(Duration::from_millis(200)); // for lines without end
    loop {
        // ---- 4 recv() ----------------------------------------------------
        // Blocks until bytes arrive. 0 bytes mean that the server has closed.
        match lines.read() {
            Ok(Received::Line(line) | Received::Unterminated(line)) => {
                say!("server: {}", console::message(&line));
            }
            Ok(Received::TooLong) => {}
            Ok(Received::End) => break,
            Err(error) => {
                say!("{error}");
                process::exit(1);
            }
        }
    }
    // If the server closed first, the other thread waits for the keyboard.
    if !LEAVING.load(Ordering::Relaxed) {
        say!("Error: the server has closed");
        process::exit(1);
    }
}

/// Sends each line of its input as a message.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12002)
    #[argh(positional)]
    port: Port,
    /// client ID to send first
    #[argh(option)]
    id: Option<String>,
}

const PROGRAM: Program = Program {
    lab: "message",
    role: Role::Client { server: Some("message-open-server") },
    port: 12002,
    steps: "socket connect send recv close",
    example: "message-plain-client 127.0.0.1 12002",
};
