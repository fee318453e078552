//! A server of remote procedures. Handout T (Terna), RPC: the part that the
//! figure calls server and server stub. The other half is client.rs.
//! skeleton.rs reads and runs the calls.                 [T-X2] (viva 1)
//!
//! ```text
//! client                     server (this file)
//!   |                          |  1 socket   2 bind   3 listen
//!   |------- handshake ------->|  4 accept, then at once the next one
//!   |-- {"method":"add", …} -->|  5 recv   a line
//!   |                          |    skeleton -> procedure -> skeleton
//!   |<--- {"result":5, …} -----|  6 send   a line
//!   |---------- FIN ---------->|  7 close
//! ```
//!
//! With --lose-reply 1 the server does the work but sends no response.
//! --lose-connection 1 closes the connection instead.     (try 1) (try 2)

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use rpc::skeleton::Skeleton;
use rpc::wire::{
    self, INVALID_REQUEST, LONGEST_REQUEST, NO_ID, RpcError, TOO_SLOW,
};
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    let service = Arc::new(Service::new(&args));

    // ---- 1 socket() ------------------------------------------------------
    // TCP, because a call may be longer than a datagram, and TCP retransmits
    // lost segments. A RESPONSE can still be lost: see converse(). (viva 6)
    // Python: socket.socket()  C: socket()
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Clients must know this port beforehand. In Sun's RPC they ask another
    // server for it, the portmapper on port 111.                (viva 15)
    // Python: s.bind()  C: bind()
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // From now on the kernel completes handshakes. The server disconnects a
    // client that does not read for 30 s, because accept()'s sockets inherit
    // both limits from the listener. Python: s.listen()  C: listen()
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?;
    net::allow_many_sockets();
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // Returns a new socket for each client. A thread serves it, so that
        // a slow call delays only its own client.
        // Python: s.accept()  C: accept()
        match listener.accept() {
            Ok((client, peer)) => {
                let service = service.clone();
                clients.spawn(client, peer, move |client, peer| {
                    say!("[{peer}] connected");
                    converse(client, peer, &service)
                });
            }
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    clients.finish();
    Ok(())
}

/// The state that all client threads share.
struct Service {
    skeleton: Skeleton,
    replies_to_lose: AtomicU64,
    connections_to_lose: AtomicU64,
    idle: Duration,
}

impl Service {
    fn new(args: &Args) -> Service {
        let delay = args::in_range("--delay", args.delay, 0, 60_000);
        let idle = args::in_range("--idle", args.idle, 1, 86_400);
        let delay = Duration::from_millis(delay);
        Service {
            skeleton: Skeleton::new(args.at_most_once, delay),
            replies_to_lose: AtomicU64::new(args.lose_reply),
            connections_to_lose: AtomicU64::new(args.lose_connection),
            idle: Duration::from_secs(idle),
        }
    }
}

/// Responds to one client's lines in their order until it leaves.
fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    service: &Service,
) -> Result<()> {
    // The second of two responses in a row must not wait until the peer has
    // acknowledged the first (Nagle).
    client.set_no_delay()?;
    let mut reader =
        LineReader::new(client.clone(), LONGEST_REQUEST, service.idle);
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // The reader calls recv() until a newline arrives, because TCP has
        // no messages. After a line that is not JSON, the newline shows
        // where the next call begins.                (viva 11) (try 5)
        // Python: s.recv()  C: recv()
        let answer = match reader.read() {
            Ok(Received::Line(line) | Received::Unterminated(line)) => {
                service.skeleton.respond(&line, peer)
            }
            Ok(Received::TooLong) => {
                say!("[{peer}] refused: a line that is too long");
                let why = format!("a line has {LONGEST_REQUEST} bytes at most");
                let error = RpcError::new(INVALID_REQUEST, why);
                Some(wire::response(&Err(error), NO_ID))
            }
            Ok(Received::End) => {
                say!("[{peer}] left");
                break;
            }
            Err(error) => {
                if error.is_timeout() {
                    // The client may have forgotten the newline. The error
                    // of send_all() is ignored, because we close anyway.
                    let why = "no complete line in time: end it with \\n";
                    let slow = RpcError::new(TOO_SLOW, why);
                    let line = wire::response(&Err(slow), NO_ID) + "\n";
                    let _ = client.send_all(line.as_bytes());
                }
                return Err(error);
            }
        };
        let Some(answer) = answer else { continue }; // notifications
        if take_one(&service.replies_to_lose) {
            // The work is done. To the client this looks like a request
            // that never arrived.                       (viva 6) (try 1)
            say!("[{peer}] this response is lost, on purpose");
            continue;
        }
        if take_one(&service.connections_to_lose) {
            say!("[{peer}] this response is lost with the connection");
            break;
        }

        // ---- 6 send() ----------------------------------------------------
        // Response and newline in one write. When send() returns, our kernel
        // has the bytes. We do not learn whether the client reads them.
        // Python: s.sendall()  C: send() in a loop
        client.send_all(format!("{answer}\n").as_bytes())?;
    }

    // ---- 7 close() -------------------------------------------------------
    // The kernel sends FIN. finish() first reads and drops the bytes that
    // the client still sends, because close() with unread bytes sends RST.
    // Python: s.close()  C: close()
    drop(reader); // it holds a handle of the socket as well
    client.finish();
    Ok(())
}

/// Subtracts 1, but not below 0. Returns whether there was one left.
fn take_one(count: &AtomicU64) -> bool {
    let one_less = |left: u64| left.checked_sub(1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
}

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// The response to a further client when `--max-clients` are connected.
const NO_ROOM: &str = concat!(
    r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Server error","#,
    r#""data":"no room: try again later"},"id":null}"#,
    "\n"
);

/// Runs procedures for clients on other machines (JSON-RPC 2.0, a line each).
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12006; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// remember the ids of calls that were done, and do no call twice
    #[argh(switch)]
    at_most_once: bool,
    /// do the work but do not send the first N responses (default 0)
    #[argh(option, default = "0")]
    lose_reply: u64,
    /// do the work, but close instead of sending the first N responses
    /// (default 0)
    #[argh(option, default = "0")]
    lose_connection: u64,
    /// milliseconds that each procedure takes (default 0)
    #[argh(option, default = "0")]
    delay: u64,
    /// clients served at once (default 1024)
    #[argh(option, hidden_help, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
    /// seconds without a request that end a connection (default 600)
    #[argh(option, hidden_help, default = "600")]
    idle: u64,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "rpc",
    role: Role::Server,
    port: 12006,
    steps: "socket bind listen accept recv send close",
    example: "rpc-server 127.0.0.1 12006 --at-most-once",
};
