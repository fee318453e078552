//! A poor network between two programs of one machine. Everything that the
//! client sends passes through here on its way to the server, and every reply
//! on its way back. TCP promises a stream of bytes, and this program keeps the
//! promise. It breaks everything else that a program may take for granted,
//! such as that one send() arrives as one recv().                 [X-CHAOS]
//!
//! ```text
//! client            wire-relay (this file)            server
//!   |                 |  1 socket  2 bind  3 listen      |
//!   |---- connect --->|  4 accept                        |
//!   |                 |  5 connect --------------------->|
//!   |---- "hello" --->|  6 recv                          |
//!   |                 |  7 send "h" "e" "l" "l" "o" ---->|  --split 1
//!   |<--------------- both directions, a thread each --->|
//!   |                 |  8 close                         |
//! ```
//!
//! A server that answers each recv() with one reply works with a client that
//! sends each message by one send(), on one machine, on most days. With
//! --split 1 or --glue it fails on all days, so that the mistake can be found.
//!                                                         (viva 5) (try 6)

use std::mem;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socket2::SockRef;
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::net::{self, TcpSocket, UdpSocket};
use socketlab::{Error, Result, say};
use wire::chance::Chance;
use wire::udp_relay::UdpRelay;
use wire::units::{Share, Size, Time};

/// Connections that may wait for accept().
const BACKLOG: i32 = 128;

/// What recv() can return at once.
const BUFFER: usize = 64 * 1024;

/// How often a direction looks whether the connection has been reset. With
/// --glue, a silence of this length ends what is sent together.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long the receiver may take to read before the connection ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// --glue: more than this is not held back.
const MOST_GLUED: usize = 1024 * 1024;

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let here = place(&args.listen)?;
    let target = place(&args.target)?;
    if args.udp {
        return relay_datagrams(&args, here, target);
    }
    args.check_for_tcp();

    // ---- 1 socket() ------------------------------------------------------
    let listener = TcpSocket::new(here)?;

    // ---- 2 bind() --------------------------------------------------------
    // The client connects to this address, and not to the server's.
    listener.set_reuse_address()?;
    listener.bind(here)?;

    // ---- 3 listen() ------------------------------------------------------
    listener.listen(BACKLOG)?;
    let clients = Clients::new(&listener, clients::MAX_CLIENTS, "")?;
    net::announce(listener.local_addr()?);
    let habits = Arc::new(Habits::from(&args));
    loop {
        // ---- 4 accept() --------------------------------------------------
        match listener.accept() {
            Ok((client, peer)) => {
                let habits = habits.clone();
                clients.spawn(client, peer, move |client, peer| {
                    converse(client, peer, target, &habits)
                });
            }
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    clients.finish();
    Ok(())
}

/// Carries one client's bytes there and back, until both have closed.
fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    target: SocketAddr,
    habits: &Arc<Habits>,
) -> Result<()> {
    // ---- 5 connect() -----------------------------------------------------
    // A second connection, which the server takes for the client's. If it is
    // refused, the client sees its connection close without a byte.
    let server = TcpSocket::new(target)?;
    server.connect(target)?;
    for socket in [&client, &server] {
        // What is split must not be joined again by Nagle's algorithm.
        socket.set_no_delay()?;
        socket.set_recv_timeout(Some(LOOK_EVERY))?;
        socket.set_send_timeout(Some(PATIENCE))?;
    }
    say!("[{peer}] connected, and so are we to {target}");
    let both = Arc::new(Both {
        habits: habits.clone(),
        bytes: AtomicU64::new(0),
        is_reset: AtomicBool::new(false),
    });
    let (from, to, shared) = (client.clone(), server.clone(), both.clone());
    let there = thread::Builder::new().name(format!("{peer} there"));
    let there = there
        .spawn(move || carry(&from, &to, true, &shared))
        .map_err(|error| Error::new("clone", peer, error))?;
    let back = carry(&server, &client, false, &both);
    let there = there.join().unwrap_or(Ok(()));
    if both.is_reset.load(Ordering::Relaxed) {
        // With a linger of 0 s close() throws away what is unsent and sends
        // RST instead of FIN.
        for socket in [&client, &server] {
            let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
        say!("[{peer}] reset both connections");
    }

    // ---- 8 close() -------------------------------------------------------
    server.close();
    client.close();
    say!("[{peer}] {} bytes", both.bytes.load(Ordering::Relaxed));
    there.and(back)
}

/// One direction: from one socket to the other, until it ends.
fn carry(
    from: &TcpSocket,
    to: &TcpSocket,
    is_to_server: bool,
    both: &Both,
) -> Result<()> {
    let carried = carry_all(from, to, is_to_server, both);
    match &carried {
        // An RST on one side becomes an RST on the other.
        Err(error) if error.is_peer_gone() => {
            both.is_reset.store(true, Ordering::Relaxed);
        }
        // No FIN: converse() sends RST.
        _ if both.is_reset.load(Ordering::Relaxed) => {}
        // FIN: a half-close passes through, and the other direction goes on.
        _ => drop(to.shutdown(Shutdown::Write)),
    }
    carried
}

/// Passes on what comes, by the relay's habits, until the end of the stream.
fn carry_all(
    from: &TcpSocket,
    to: &TcpSocket,
    is_to_server: bool,
    both: &Both,
) -> Result<()> {
    let habits = &both.habits;
    let mut buffer = vec![0; BUFFER];
    let mut held = Vec::new(); // --glue
    loop {
        // ---- 6 recv() ----------------------------------------------------
        // Whatever has arrived. Where one send() of the peer ended and the
        // next began, TCP does not say.
        let received = from.recv(&mut buffer);
        if both.is_reset.load(Ordering::Relaxed) {
            return Ok(());
        }
        let data = match received {
            Ok(0) => return both.send(to, &held), // the peer has closed
            Ok(count) => buffer.get(..count).unwrap_or_default(),
            Err(error) if error.is_timeout() => {
                both.send(to, &mem::take(&mut held))?;
                continue;
            }
            Err(error) => return Err(error),
        };
        held.extend_from_slice(data);
        if habits.glue && held.len() <= MOST_GLUED {
            continue; // until recv() times out
        }
        both.send(to, &mem::take(&mut held))?;
        if habits.half_close && is_to_server {
            // FIN after the first piece. The server reads end of stream, and
            // may still answer. What the client sends later is not passed on.
            return Ok(());
        }
    }
}

/// What the two directions of a connection share.
struct Both {
    habits: Arc<Habits>,
    bytes: AtomicU64,
    is_reset: AtomicBool,
}

impl Both {
    /// Passes on what was received at once, by the relay's habits.
    fn send(&self, to: &TcpSocket, data: &[u8]) -> Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        thread::sleep(self.habits.delay);
        for piece in data.chunks(self.habits.split.unwrap_or(data.len())) {
            if self.is_reset.load(Ordering::Relaxed) {
                return Ok(());
            }
            let (piece, is_last) = self.allowed(piece);

            // ---- 7 send() ------------------------------------------------
            // One send() for each piece. A pause lets it leave, and arrive,
            // alone; otherwise the receiver's kernel joins them again.
            to.send_all(piece)?;
            if is_last {
                self.is_reset.store(true, Ordering::Relaxed);
                return Ok(());
            }
            if self.habits.split.is_some() {
                thread::sleep(self.habits.pause);
            }
        }
        Ok(())
    }

    /// As much of the piece as may pass before --reset-after, and whether
    /// that is all that may.
    fn allowed<'a>(&self, piece: &'a [u8]) -> (&'a [u8], bool) {
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let before = self.bytes.fetch_add(length, Ordering::Relaxed);
        let Some(most) = self.habits.reset_after else { return (piece, false) };
        let left = usize::try_from(most.saturating_sub(before));
        let left = left.unwrap_or(usize::MAX);
        (piece.get(..left).unwrap_or(piece), before + length >= most)
    }
}

/// What the relay does to a stream.
struct Habits {
    split: Option<usize>,
    pause: Duration,
    glue: bool,
    delay: Duration,
    half_close: bool,
    reset_after: Option<u64>,
}

impl From<&Args> for Habits {
    fn from(args: &Args) -> Habits {
        Habits {
            split: args.split.map(|bytes| bytes.max(1)),
            pause: args.pause.0,
            glue: args.glue,
            delay: args.delay.0,
            half_close: args.half_close,
            reset_after: args.reset_after.map(|Size(size)| size),
        }
    }
}

/// `127.0.0.1:12001`, `[::1]:12001`, `localhost:12001`.
fn place(text: &str) -> Result<SocketAddr> {
    let parts = text.rsplit_once(':');
    let (host, port) = parts
        .unwrap_or_else(|| args::usage(&format!("'{text}' is not HOST:PORT")));
    let Port(port) = port.parse().unwrap_or_else(|problem: String| {
        args::usage(&problem);
    });
    net::resolve_one(host.trim_matches(['[', ']']), port)
}

/// UDP: datagrams are lost, doubled and overtaken, but never split.
fn relay_datagrams(
    args: &Args,
    here: SocketAddr,
    target: SocketAddr,
) -> Result<()> {
    let for_tcp = args.split.is_some()
        || args.glue
        || args.half_close
        || args.reset_after.is_some();
    if for_tcp {
        args::usage(
            "--split, --glue, --half-close and --reset-after are about \
             streams; UDP has datagrams",
        );
    }
    let socket = UdpSocket::new(here)?;
    socket.bind(here)?;
    socketlab::signals::at_once_on_signal()?;
    net::announce(socket.local_addr()?);
    let mut chance = Chance::new(args.seed);
    chance.loss = args.loss.unwrap_or(Share(0.0));
    chance.duplicate = args.duplicate.unwrap_or(Share(0.0));
    chance.reorder = args.reorder.unwrap_or(Share(0.0));
    UdpRelay::new(socket, target, args.delay.0, chance).run()
}

const PROGRAM: Program = Program {
    lab: "wire",
    role: Role::Other("relay"),
    port: 0,
    steps: "socket bind listen accept connect recv send close",
    example: "wire-relay 127.0.0.1:9000 127.0.0.1:12001 --split 1",
};

/// Stands between a client and a server of this machine, and is a poor network.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// where the client connects, HOST:PORT; port 0: the kernel chooses
    #[argh(positional)]
    listen: String,
    /// where the server listens, HOST:PORT
    #[argh(positional)]
    target: String,
    /// pass on pieces of so many bytes, a send() each
    #[argh(option)]
    split: Option<usize>,
    /// how long to wait between the pieces (default 1ms)
    #[argh(option, default = "Time(Duration::from_millis(1))")]
    pause: Time,
    /// pass on everything that comes before a silence of 50 ms as one piece
    #[argh(switch)]
    glue: bool,
    /// how long each piece, or each datagram, is held back (default 0ms)
    #[argh(option, default = "Time(Duration::ZERO)")]
    delay: Time,
    /// send FIN to the server after the client's first piece
    #[argh(switch)]
    half_close: bool,
    /// reset both connections after so many bytes, such as 1k
    #[argh(option)]
    reset_after: Option<Size>,
    /// relay datagrams
    #[argh(switch)]
    udp: bool,
    /// with --udp: lose this share, such as 10%
    #[argh(option)]
    loss: Option<Share>,
    /// with --udp: deliver this share twice
    #[argh(option)]
    duplicate: Option<Share>,
    /// with --udp: let the next datagram overtake this share
    #[argh(option)]
    reorder: Option<Share>,
    /// number from which all chance is made (default 1)
    #[argh(option, default = "1")]
    seed: u64,
}

impl Args {
    fn check_for_tcp(&self) {
        let shares = [self.loss, self.duplicate, self.reorder];
        if shares.iter().any(Option::is_some) {
            args::usage(
                "--loss, --duplicate and --reorder need --udp: a relay of TCP \
                 has bytes that TCP has put in order. wire-hosts can lose \
                 segments below TCP.",
            );
        }
    }
}
