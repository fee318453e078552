//! FAILS ON PURPOSE. Sends everything before it reads, as simple clients do.
//! This works for a few megabytes, because the buffers hold them; with more,
//! both ends wait for each other. [E-T2]
//!
//! ```text
//! client (this file)             echo server
//!   send: buffer full, waits       send: buffer full, waits
//!   until the server reads         until the client reads
//! ```
//!
//! Try it with any echo server: no server can prevent the deadlock.
//! tcp_client.rs avoids it. (viva 14)

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let total = args::in_range("--mib", args.mib, 1, 1024) * 1024 * 1024;
    let addresses = net::resolve(&args.host, args.port.0)?;
    let server = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // The kernel gives it two buffers, one for each direction, and they
        // will be full.
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // The handshake, for which the kernel chooses a free port. The next
        // line limits connect() and, on Linux, each send() to 10 s.
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    })?;

    // ---- 3 send() --------------------------------------------------------
    // The mistake: the client does not read the echo meanwhile.
    let chunk = vec![b'x'; 64 * 1024];
    server.set_send_timeout(Some(STUCK))?;
    let mut sent = 0;
    while sent < total {
        match server.send(&chunk) {
            Ok(count) => sent += count,
            Err(error) if error.is_timeout() => {
                return Err(Error::other(format!(
                    "deadlock, as promised: {sent} bytes sent, 0 read; the \
                     server waits in send() until we read, we wait in \
                     send() until it reads"
                )));
            }
            Err(error) => return Err(error),
        }
    }

    // ---- 4 recv() --------------------------------------------------------
    // Reached only if the buffers could hold everything.
    server.set_recv_timeout(Some(Duration::from_secs(10)))?;
    let mut buffer = vec![0; 64 * 1024];
    let mut back = 0;
    while back < sent {
        match server.recv(&mut buffer)? {
            0 => break,
            count => back += count,
        }
    }

    // ---- 5 close() -------------------------------------------------------
    // Everything has been read, so this sends FIN and not RST.
    say!("no deadlock: {sent} bytes sent, {back} came back; try more --mib");
    server.close();
    Ok(())
}

/// A send() that makes no progress for this time is stuck.
const STUCK: Duration = Duration::from_secs(2);

/// Sends everything, then reads: deadlocks on purpose with large data.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12001)
    #[argh(positional)]
    port: Port,
    /// mebibytes to send (default 64)
    #[argh(option, default = "64")]
    mib: usize,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Client { server: Some("echo-server") },
    port: 12001,
    steps: "socket connect send recv close",
    example: "echo-deadlock 127.0.0.1 12001 --mib 64",
};
