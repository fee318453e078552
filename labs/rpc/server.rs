//! A server of remote procedures. Handout T (Terna), RPC: the part that the
//! figure calls server and server stub. The other half is client.rs; what a
//! line means is skeleton.rs's work.                     [T-X2] (viva 1)
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
//! --lose-reply 1 does the work and sends no response, --lose-connection 1
//! closes instead. --at-most-once remembers what was done. (try 1) (try 2)

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
    // TCP: a call may be longer than a datagram, and lost segments are sent
    // again. TCP does not prevent lost RESPONSES: see converse().  (viva 6)
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Clients must know this port beforehand. Sun's RPC had a server for that
    // question alone, the portmapper on port 111.                (viva 15)
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // A client that does not read is disconnected after 30 s: on Linux the
    // sockets that accept() returns inherit both limits from the listener.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?;
    net::allow_many_sockets();
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // A thread per client: a call that takes long delays its caller, who
        // waits anyway, and nobody else.
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

/// What all conversations share.
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
        // Inside the reader, as often as a line needs. JSON shows its own
        // end, but only to a parser that has read all of it. The newline
        // shows it without a parser, and puts both ends in step again after
        // a line that is not JSON at all.            (viva 11) (try 5)
        let answer = match reader.read() {
            Ok(Received::Line(line) | Received::Unterminated(line)) => {
                service.skeleton.answer(&line, peer)
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
                    // The client's author may have forgotten the newline.
                    // Nothing depends on whether this arrives.
                    let why = "no whole line in time: end it with \\n";
                    let slow = RpcError::new(TOO_SLOW, why);
                    let line = wire::response(&Err(slow), NO_ID) + "\n";
                    let _ = client.send_all(line.as_bytes());
                }
                return Err(error);
            }
        };
        let Some(answer) = answer else { continue }; // notifications
        if take_one(&service.replies_to_lose) {
            // The work is done. The client cannot tell this from a request
            // that never arrived.                       (viva 6) (try 1)
            say!("[{peer}] that answer is lost, on purpose");
            continue;
        }
        if take_one(&service.connections_to_lose) {
            say!("[{peer}] that answer is lost with the connection");
            break;
        }

        // ---- 6 send() ----------------------------------------------------
        // Response and newline in one write. When send() has returned, the
        // kernel has the bytes. We are not told whether the client ever reads
        // them.
        client.send_all(format!("{answer}\n").as_bytes())?;
    }

    // ---- 7 close() -------------------------------------------------------
    // FIN; what the client still sends is read and dropped first, because
    // close() with unread bytes answers with RST.
    drop(reader); // it holds a handle of the socket as well
    client.finish();
    Ok(())
}

/// Counts down, but not below 0: was there one left?
fn take_one(count: &AtomicU64) -> bool {
    let one_less = |left: u64| left.checked_sub(1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
}

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// What a further client reads when `--max-clients` are served.
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
    /// remember which calls were done, by their ids, and do none twice
    #[argh(switch)]
    at_most_once: bool,
    /// do the work but keep the first N answers to yourself (default 0)
    #[argh(option, default = "0")]
    lose_reply: u64,
    /// do the work, then close instead of sending the first N answers
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
