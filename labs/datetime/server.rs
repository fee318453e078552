//! Sends the date and the time over UDP. Handout G (IIT Goa), question 3. The
//! other half is client.rs; the protocol is in answer.rs.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind
//!   |----- SEND_TIME ------>|  3 recvfrom
//!   |<---- 09:05:03 --------|  4 sendto     then again from 3  [G-3a]
//! ```
//!
//! STATELESS: a request contains everything that its reply needs, and the
//! server stores nothing about a client. Stop the server and start it again
//! between two requests: no client notices. [G-7a] (viva 3) (try 3)

use argh::{ArgsInfo, FromArgs};
use datetime::answer::answer;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use socketlab::args::{self, Port, Program, Role};
use socketlab::loop_guard::LoopGuard;
use socketlab::net::{self, UdpSocket};
use socketlab::{Result, console, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    // One socket for all clients. The kernel keeps a queue of datagrams for it,
    // but nothing for a client, so UDP is stateless. TCP keeps numbers, windows
    // and timers for each connection. [G-7c] [G-7d] (viva 8)
    let socket = UdpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // 127.0.0.1 is reached from this machine only. For a client on another
    // one bind this machine's address, or 0.0.0.0.   [G-2] (viva 6) (try 8)
    socket.bind(address)?;
    let own = socket.local_addr()?;
    net::announce(own);
    say!("time zone: {}", zone_name(&zone(args.utc)));

    let mut guard = LoopGuard::new(own);
    let mut buffer = [0; BUFFER];
    loop {
        // ---- 3 recvfrom() ------------------------------------------------
        // A request is one datagram, so no newline is needed. The server knows
        // only the sender's address, and that may be forged.
        //                    (viva 2) (viva 10)
        let (count, client) = match socket.recvfrom(&mut buffer) {
            Ok(received) => received,
            Err(error) => {
                warn!("{error}");
                continue;
            }
        };
        // Not to this server itself, nor to another server in a loop. answer.rs
        // ends such a loop between two servers of this kind.
        if !guard.allow(client) {
            continue;
        }
        let datagram = buffer.get(..count).unwrap_or_default();
        let shown = console::message(datagram);
        // Reads the clock for each request, so nothing must be remembered.
        let now = Timestamp::now().to_zoned(zone(args.utc)).datetime();
        let Some(answer) = answer(datagram, now) else {
            say!("[{client}] {shown} -> not answered");
            continue;
        };
        say!("[{client}] {shown} -> {answer}");

        // ---- 4 sendto() --------------------------------------------------
        // If the reply is lost, the client waits until its time limit, and the
        // server does not learn of it. A failure concerns only this client.
        // (viva 7)
        if let Err(error) = socket.sendto(answer.as_bytes(), client) {
            warn!("{error}");
        }
    }
}

/// The zone of the variable TZ, or of this machine. The standard library
/// counts seconds since 1970; the crate jiff has the rules of local time.
fn zone(utc: bool) -> TimeZone {
    match utc {
        true => TimeZone::UTC,
        false => TimeZone::system(),
    }
}

fn zone_name(zone: &TimeZone) -> String {
    if zone.is_unknown() {
        return match std::env::var("TZ") {
            Ok(name) if !name.is_empty() => {
                let name = console::escape_short(name.as_bytes(), 40);
                format!("no zone is called {name} (TZ), so UTC")
            }
            _ => "unknown, so UTC (set TZ to name one)".into(),
        };
    }
    let now = Timestamp::now().to_zoned(zone.clone());
    now.strftime("%Q, UTC%:z").to_string()
}

/// Longer than any request, so that a cut datagram cannot look like one.
const BUFFER: usize = 1024; // bytes

/// Answers SEND_DATE with YYYY-MM-DD and SEND_TIME with HH:MM:SS.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1; 0.0.0.0: every interface)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12003; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// tell universal time instead of this machine's local time
    #[argh(switch)]
    utc: bool,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "datetime",
    role: Role::Server,
    port: 12003,
    steps: "socket bind recvfrom sendto",
    example: "datetime-server 127.0.0.1 12003",
};
