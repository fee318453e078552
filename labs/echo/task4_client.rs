//! Task 4 of handout E (ELEN4017): task3_client.rs over UDP. The other half
//! is task4_server.rs. Step 1 chooses UDP, and step 2 of task 3, connect(),
//! is gone: each datagram names its receiver.                [E-T4]
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |
//!   |  2 sendto --datagram->|   }  for each line of the user
//!   |  3 recvfrom <---------|   }  or silence: one of them was lost
//!   |  4 close              |      nothing is sent
//! ```
//!
//! Limit: it accepts the next datagram as the echo, also a late echo of another
//! sentence, or a stranger's datagram; udp_client.rs compares.

use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, UdpSocket};
use socketlab::{Result, console, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let retry = args::in_range("--retry", args.retry, 0, 3600);
    let retry = Duration::from_secs(retry);
    let server = net::resolve_one(&args.host, args.port.0)?;

    // ---- 1 socket() ------------------------------------------------------
    // The argument SOCK_DGRAM instead of SOCK_STREAM makes it UDP. No packet
    // is sent; the first sendto() gives the socket a port.
    let socket = UdpSocket::new(server)?;
    socket.set_recv_timeout(Some(WAIT))?;

    let mut missing = 0;
    let mut buffer = vec![0; 65_536];
    loop {
        console::prompt_person("datagram (stop or exit: leave): ");
        let Some(sentence) = console::read_stdin_line()? else { break };
        let begun = Instant::now();
        let echo = loop {
            // ---- 2 sendto() ----------------------------------------------
            // One datagram, complete or not at all: more than 65,507 bytes
            // fail with EMSGSIZE. It works without a server, too: nobody
            // has to be there. (viva 5) (viva 11)
            socket.sendto(&sentence, server)?;

            // ---- 3 recvfrom() --------------------------------------------
            // One datagram, and its sender. If our datagram or the echo was
            // lost, or no server runs, nothing comes, and only the time limit
            // ends the wait. A client without a limit would hang.
            match socket.recvfrom(&mut buffer) {
                Ok((count, _)) => break buffer.get(..count),
                Err(error) if !error.is_timeout() => return Err(error),
                Err(_) if begun.elapsed() < retry => {}
                Err(_) => break None,
            }
        };
        match echo {
            Some(echo) => say!("{}", console::escape(echo)),
            None => {
                missing += 1;
                warn!("no echo within {WAIT:?}: lost, or nobody is there");
            }
        }
        if sentence == b"stop" || sentence == b"exit" {
            break;
        }
    }

    // ---- 4 close() -------------------------------------------------------
    // Gives the port back. No packet tells the server.
    socket.close();
    match missing {
        0 => Ok(()),
        count => Err(socketlab::Error::other(format!("{count} without echo"))),
    }
}

/// An echo on a local network is back within milliseconds.
const WAIT: Duration = Duration::from_secs(2);

/// Task 4: sends each line as a datagram, prints its echo.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12001)
    #[argh(positional)]
    port: Port,
    /// seconds to send a datagram again while no echo comes (default 0)
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Client { server: Some("echo-task4-server") },
    port: 12001,
    steps: "socket sendto recvfrom close",
    example: "echo-task4-client 127.0.0.1 12001",
};
