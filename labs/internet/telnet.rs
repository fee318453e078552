//! Telnet: bytes both ways, and OPTIONS negotiated between them. RFC 854,
//! RFC 855. `telnet://host:port/` is a line-by-line terminal for any port.
//!
//! ```text
//! fetch                           server
//!   |<------ 1 text ---------------|   to stdout, until FIN
//!   |------- 2 a line, CR LF ----->|   from stdin
//!   |<------ 3 IAC DO NAWS --------|   "tell me the size of your window"
//!   |------- 4 IAC WONT NAWS ----->|   "no"
//! ```
//!
//! IAC is the byte 255; two of them are one byte of data. Every option begins
//! switched off, and a program may refuse each one. So old and new programs
//! work together. (viva 16) (try 5) [T-M]

pub mod options;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{net, thread};

use socketlab::net::TcpSocket;
use socketlab::{Error, Result, console, warn};
use tls::Channel;

use crate::connection::Connection;
use crate::job::Job;
use crate::output::Output;
use crate::telnet::options::{IAC, Options};

/// A server that asks more often than this negotiates without an end.
const MOST_ANSWERS: usize = 1000;

/// How often fetch checks whether stdin has ended.
const TICK: Duration = Duration::from_secs(1);

/// After this silence the kernel checks whether the server still exists.
const KEEPALIVE: Duration = Duration::from_secs(120);

/// Stdin to the server and the server to stdout, until it closes.
pub fn fetch(job: &Job) -> Result<()> {
    if job.url.user.is_some() {
        warn!("(the user in the URL is not sent: type it when asked)");
    }
    let mut out = Output::open(job.output.as_deref())?;
    let channel = Connection::open(job)?.into_channel()?;
    let Channel::Clear(socket) = channel else {
        return Err(Error::other("telnet has no TLS here"));
    };
    let _ = socket.set_keepalive(KEEPALIVE);
    socket.set_recv_timeout(Some(TICK))?;
    let typed = Arc::new(AtomicBool::new(false)); // stdin has ended
    let (ours, flag) = (socket.clone(), typed.clone());
    thread::Builder::new()
        .name("stdin".into())
        .spawn(move || {
            if let Err(error) = send_lines(&ours) {
                warn!("{error}");
            }
            flag.store(true, Ordering::Relaxed);
        })
        .map_err(|error| Error::new("spawn", "stdin", error))?;

    let mut options = Options::new(&job.printer);
    let mut buffer = vec![0; 16 * 1024];
    let mut silent = Duration::ZERO; // since our FIN
    let mut closed = false; // our direction
    loop {
        // ---- 1 text ------------------------------------------------------
        let count = match socket.recv(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.is_timeout() => {
                // A person may pause for long. If stdin is a pipe that has
                // ended, FIN is sent only after the server is silent, too,
                // because many servers end at once at a FIN.
                if closed && silent >= job.wait {
                    warn!("(still open, and silent: leaving)");
                    break;
                }
                silent += TICK;
                if !closed && typed.load(Ordering::Relaxed) {
                    socket.shutdown(net::Shutdown::Write)?;
                    (closed, silent) = (true, Duration::ZERO);
                }
                continue;
            }
            Err(error) => return Err(error),
        };
        silent = Duration::ZERO;
        let arrived = buffer.get(..count).unwrap_or_default();
        let (text, answers) = options.take(arrived);
        if options.answered > MOST_ANSWERS {
            let what = "the server negotiates without an end: over 1000 times";
            return Err(Error::other(what));
        }
        if !closed {
            socket.send_all(&answers)?;
        }
        out.write(&text)?;
    }
    out.finish()
}

/// The typed lines, one at a time.
fn send_lines(socket: &TcpSocket) -> Result<()> {
    while let Some(line) = console::read_stdin_line()? {
        // ---- 2 lines -----------------------------------------------------
        // CR LF ends a line, and a byte 255 is sent twice.
        let mut bytes = Vec::with_capacity(line.len() + 2);
        for byte in line {
            bytes.extend(vec![byte; if byte == IAC { 2 } else { 1 }]);
        }
        bytes.extend(b"\r\n");
        socket.send_all(&bytes)?;
    }
    Ok(())
}
