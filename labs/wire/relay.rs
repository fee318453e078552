//! A poor network between two programs of one machine. Everything that the
//! client sends passes through here on its way to the server, and every reply
//! on its way back. TCP promises a stream of bytes, and this program keeps the
//! promise. It breaks everything else that a program may take for granted, such
//! as that one send() arrives as one recv().   [X-CHAOS] (viva 5) (try 6)
//!
//! ```text
//! client            wire-relay (this file)            server
//!   |---- connect --->|  1 socket 2 bind 3 listen 4 accept
//!   |                 |  5 connect --------------------->|
//!   |---- "hello" --->|  6 recv                          |
//!   |                 |  7 send "h" "e" "l" "l" "o" ---->|  --split 1
//!   |                 |  8 close                         |
//! ```

use std::mem;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socket2::SockRef;
use socketlab::args::{self, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, say};
use wire::chance::Chance;
use wire::poor_stream::{Both, Habits};
use wire::udp_relay;
use wire::units::{Place, Share, Size, Time};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let (here, target) = args.places()?;

    // ---- 1 socket() ------------------------------------------------------
    // SOCK_STREAM: a stream of bytes. Datagrams (--udp) have no
    // connections, so udp_relay.rs relays them.
    if args.udp {
        return udp_relay::run(here, target, args.delay.0, args.chance());
    }
    let listener = TcpSocket::new(here)?;

    // ---- 2 bind() --------------------------------------------------------
    // The client connects to this address, and not to the server's.
    listener.set_reuse_address()?;
    listener.bind(here)?;

    // ---- 3 listen() ------------------------------------------------------
    listener.listen(BACKLOG)?;
    let clients = Clients::new(&listener, clients::MAX_CLIENTS, "")?;
    net::announce(listener.local_addr()?);
    let habits = Arc::new(args.habits());
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
    let both = Arc::new(Both::new(habits.clone()));
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
        // FIN: a half-close passes through; the other direction stays open.
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
    listen: Place,
    /// where the server listens, HOST:PORT
    #[argh(positional)]
    target: Place,
    /// pass on pieces of this many bytes, a send() each
    #[argh(option)]
    split: Option<usize>,
    /// how long to wait between the pieces (default 1ms)
    #[argh(option, hidden_help, default = "Time(Duration::from_millis(1))")]
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
    /// reset both connections after this many bytes, such as 1k
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
    /// the seed of the random numbers (default 1)
    #[argh(option, hidden_help, default = "1")]
    seed: u64,
}

impl Args {
    /// Where the relay listens, and where the server does. An option that
    /// makes no sense for the protocol is a usage error.
    fn places(&self) -> Result<(SocketAddr, SocketAddr)> {
        let for_udp = [self.loss, self.duplicate, self.reorder];
        let for_udp = for_udp.iter().any(Option::is_some);
        let for_tcp = self.split.is_some() || self.reset_after.is_some();
        let for_tcp = for_tcp || self.glue || self.half_close;
        if self.udp && for_tcp {
            args::usage(
                "--split, --glue, --half-close and --reset-after are about \
                 streams; UDP has datagrams",
            );
        }
        if for_udp && !self.udp {
            args::usage(
                "--loss, --duplicate and --reorder need --udp. To lose what \
                 is below TCP, see wire-hosts.",
            );
        }
        Ok((self.listen.resolve()?, self.target.resolve()?))
    }

    fn habits(&self) -> Habits {
        Habits {
            split: self.split.map(|bytes| bytes.max(1)),
            pause: self.pause.0,
            glue: self.glue,
            delay: self.delay.0,
            half_close: self.half_close,
            reset_after: self.reset_after.map(|Size(size)| size),
        }
    }

    fn chance(&self) -> Chance {
        let mut chance = Chance::new(self.seed);
        chance.loss = self.loss.unwrap_or(Share(0.0));
        chance.duplicate = self.duplicate.unwrap_or(Share(0.0));
        chance.reorder = self.reorder.unwrap_or(Share(0.0));
        chance
    }
}
