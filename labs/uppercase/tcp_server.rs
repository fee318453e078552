//! Replies to each sentence in upper case. Handout W (Week 5), task 1 over TCP:
//! its TCPServer [W-K4] and more [W-E4]. The other half is tcp_client.rs.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept   one NEW socket per client
//!   |------- "hello" ------>|  5 recv     }
//!   |<------ "HELLO" -------|  6 send     } in a thread per client
//!   |-------- FIN --------->|             }
//!   |<------- FIN ----------|  7 close    }             [W-T1.2]
//! ```
//!
//! Stateless: the reply to a byte depends only on that byte. So the server need
//! not find the end of a message. It replies at once to whatever recv()
//! returned, until the client closes, and a sentence may have any length.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say, signals, warn};

fn main() -> Result<()> {
    // HOST and PORT come from the command line; the printed skeletons have
    // them in the code.                                        [W-T1.3]
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;

    // ---- 1 socket() ------------------------------------------------------
    // SOCK_STREAM means TCP; udp_server.rs differs here first.    (viva 5)
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // The port that clients connect to. A UDP server may use the same number,
    // because the port spaces are separate. In C the port needs htons(); in
    // Rust the address type does this. (viva 9) (viva 11)
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // The skeleton's listen(1) does not mean "one client at a time", but how
    // many complete connections may WAIT; on Linux one more than that. (try 5)
    // If a client acknowledges nothing for 30 s, the kernel ends its
    // connection. On Linux accept()'s sockets inherit the two limits below.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(if args.once { 1 } else { BACKLOG })?;
    if args.once {
        signals::at_once_on_signal()?;
        net::announce(listener.local_addr()?);
        say!("The server is ready to receive");
        return serve_as_the_skeleton(&listener);
    }
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;
    net::announce(listener.local_addr()?);
    say!("The server is ready to receive");

    loop {
        // ---- 4 accept() --------------------------------------------------
        // A second socket, only for this client. A thread serves it, so that
        // this loop can accept the next client.
        match listener.accept() {
            Ok((client, peer)) => {
                clients.spawn(client, peer, move |client, peer| {
                    say!("[{peer}] connected");
                    converse(client, peer, !args.quiet)
                });
            }
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    clients.finish();
    Ok(())
}

/// Answers one client until it closes. [W-T1.1a] [W-T1.1b]
fn converse(client: TcpSocket, peer: SocketAddr, show: bool) -> Result<()> {
    // Small replies are sent at once instead of waiting for an acknowledgement.
    client.set_no_delay()?;
    client.set_recv_timeout(Some(IDLE))?;
    let mut buffer = vec![0; CHUNK];
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // Returns what has arrived, at most 64 KiB; the next call returns the
        // rest. The skeleton calls it once, for 1024 bytes. (viva 7)
        let count = client.recv(&mut buffer)?;
        if count == 0 {
            break;
        }
        let bytes = buffer.get_mut(..count).unwrap_or_default();
        if show {
            let shown = console::message(bytes);
            let s = if count == 1 { "" } else { "s" };
            say!("[{peer}] {count} byte{s}: {shown}");
        }

        // ---- 6 send() ----------------------------------------------------
        // The bytes 97 to 122, a to z, lose 32; all others stay as they are,
        // also both bytes of é. Python: bytes.upper(). A piece may end inside a
        // character, and it does not matter. (viva 1) (viva 10)
        bytes.make_ascii_uppercase();
        client.send_all(bytes)?;
    }
    say!("[{peer}] {}", clients::end_of_stream());

    // ---- 7 close() -------------------------------------------------------
    // The client has closed first, so the client's side has TIME_WAIT.
    client.finish();
    Ok(())
}

/// `--once`: the loop as the handout prints it. For a sentence of more than
/// 1024 bytes only a part comes back, and a silent client makes all others
/// wait. [W-K4] (try 4)
fn serve_as_the_skeleton(listener: &TcpSocket) -> Result<()> {
    loop {
        match listener.accept() {
            Ok((client, peer)) => match answer_once(client) {
                Ok(count) => say!("[{peer}] {count} bytes answered"),
                Err(error) => say!("[{peer}] lost: {error}"),
            },
            // Wait a moment, because the error may repeat at once.
            Err(error) => {
                warn!("{error}");
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// One recv, one send, close: with bytes left unread, close sends RST.
fn answer_once(client: TcpSocket) -> Result<usize> {
    let mut buffer = [0; 1024];
    let count = client.recv(&mut buffer)?;
    let bytes = buffer.get_mut(..count).unwrap_or_default();
    bytes.make_ascii_uppercase();
    client.send_all(bytes)?;
    client.close();
    Ok(count)
}

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// A client that stays silent for this time is disconnected.
const IDLE: Duration = Duration::from_secs(600);

/// Bytes that one recv() may return. Memory pages that stay empty cost nothing.
const CHUNK: usize = 64 * 1024;

/// The reply when all slots are in use. It is in lower case, so that it differs
/// from a normal reply.
const NO_ROOM: &str = "no room, try again later\n";

/// Answers every byte, a to z in upper case, to many clients at once.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12000; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// as the handout's skeleton: listen(1), then one client at a time:
    /// recv(1024) once, one reply, close (try 4)
    #[argh(switch)]
    once: bool,
    /// clients served at once (default 1024)
    #[argh(option, hidden_help, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
    /// do not print what is received
    #[argh(switch, hidden_help)]
    quiet: bool,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "uppercase",
    role: Role::Server,
    port: 12000,
    steps: "socket bind listen accept recv send close",
    example: "uppercase-tcp-server 127.0.0.1 12000",
};
