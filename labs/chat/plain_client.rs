//! The chat client of handout G (IIT Goa), question 8, as short as possible.
//! The other half is plain_server.rs; client.rs is the one to use.
//!
//! ```text
//! client (this file)                     server       [G-8b] [G-8c]
//!   |  1 socket                            |
//!   |  2 connect -------- handshake ------>|
//!   |  main:   keyboard ---- 3 send ------>|
//!   |  thread: screen <----- 4 recv -------|  at any moment
//!   |  5 close -------------- FIN -------->|
//! ```

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
    // The handshake. If no server listens there: ECONNREFUSED.
    server.connect(address)?;

    // Two things may happen next, in any order: the user types a line, or a
    // line of somebody else arrives. A thread waits for each, because
    // recv() and the keyboard both block.                        (viva 10)
    let reading = server.clone(); // a second handle of the same socket
    let screen = thread::Builder::new()
        .name("screen".into())
        .spawn(move || show(reading))
        .map_err(|error| Error::new("spawn", "screen", error))?;

    // ---- 3 send() --------------------------------------------------------
    // The first line is the name: the login request. The newline ends each
    // message, because TCP keeps no boundaries between two send() calls.
    while let Some(mut line) = console::read_stdin_line()? {
        let quit = line == b"quit";
        line.push(b'\n');
        LEAVING.store(quit, Ordering::Relaxed); // the room closes after quit
        server.send_all(&line)?;
        if quit {
            break;
        }
    }

    // ---- 5 close() -------------------------------------------------------
    // shutdown() sends FIN, but the client can still receive the last lines.
    // The server's FIN then ends the other thread.
    LEAVING.store(true, Ordering::Relaxed);
    server.shutdown(std::net::Shutdown::Write)?;
    let _ = screen.join();
    server.close();
    Ok(())
}

/// Set when the user leaves; the server's FIN is then not an error.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Prints each line as it arrives, until the server closes. Limit: it is
/// printed into the middle of the text that the user types. screen.rs separates
/// the two. (try 1)
fn show(server: TcpSocket) {
    let mut lines = LineReader::new(server, 64 * 1024, Duration::MAX);
    lines.wait_for_ever(); // nobody may speak for hours
    loop {
        // ---- 4 recv() ----------------------------------------------------
        // Blocks until bytes arrive. read() calls it until a line is
        // complete. 0 bytes mean that the server has closed.
        match lines.read() {
            Ok(Received::Line(line)) => say!("{}", console::message(&line)),
            Ok(Received::End) => break,
            Ok(_) => {}
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

/// A chat client, as short as possible.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12005)
    #[argh(positional)]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "chat",
    role: Role::Client { server: Some("chat-plain-server") },
    port: 12005,
    steps: "socket connect send recv close",
    example: "chat-plain-client 127.0.0.1 12005",
};
