//! Asks for the date or the time, again and again. Handout G (IIT Goa),
//! question 3. The other half is server.rs; the protocol is in answer.rs.
//!
//! ```text
//! client (this file)          server
//!   |  1 socket                 |
//!   |  2 sendto --- SEND_DATE ->|  } or SEND_TIME, at random
//!   |  3 recvfrom  2026-02-28 <-|  } or silence: counted as lost
//!   |    1 to 2 seconds         |  } again and again          [G-3c]
//!   |  4 close                  |
//! ```
//!
//! STATELESS: no request depends on an earlier one. Only the client counts,
//! for its summary.                                   [G-7a] (viva 3)

use std::net::SocketAddr;
use std::process;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use datetime::request::Request;
use datetime::tally::{self, Tally};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, UdpSocket};
use socketlab::{Error, Result, console, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let mut addresses = net::resolve(&args.host, args.port.0)?.into_iter();
    let Some(mut server) = addresses.next() else { return Ok(()) };

    // ---- 1 socket() ------------------------------------------------------
    // bind() is not needed, because the kernel chooses a port at the first
    // sendto().
    let mut socket = UdpSocket::new(server)?;

    let wait = args::in_range("--wait", args.wait, 1, 3_600_000);
    let wait = Duration::from_millis(wait);
    let seed = args.seed.unwrap_or_else(rand::random);
    let mut dice = StdRng::seed_from_u64(seed);
    let tally = Arc::new(Mutex::new(Tally::default()));
    let shared = tally.clone();
    signals::on_signal(move || {
        say!("{}", shared.lock());
        process::exit(0);
    })?;
    wait_for_server(&socket, server, wait, args.retry)?;
    let mut next = Instant::now();
    for turn in 0..args.count.unwrap_or(u64::MAX) {
        if turn > 0 {
            // Python: time.sleep(random.uniform(1, 2)). But the client also
            // receives meanwhile, so that it sees a late reply. [G-3c]
            listen_for_late(&socket, server, next, &tally)?;
        }
        if tally.lock().last_was_lost() {
            // A reply has no number. A late reply could be mistaken for the
            // reply to the next request. So the next request gets a new socket,
            // and the late reply goes to a closed port. (viva 9) No reply at
            // all? The name may have another address.
            if tally.lock().was_silent() {
                server = addresses.next().unwrap_or(server);
            }
            socket.close();
            socket = UdpSocket::new(server)?;
        }
        let request = match dice.random_bool(0.5) {
            true => Request::Date,
            false => Request::Time,
        };
        let asked = Instant::now();
        // The time from request to request, also when no reply comes. [G-3c]
        next = asked + args.gap.pick(&mut dice);
        let text = request.text();
        match ask(&socket, server, request, wait)? {
            Some(answer) => {
                // The response, unchanged.                       [G-3b]
                let took = asked.elapsed();
                tally.lock().answered(took);
                say!("{text}: {answer}   ({})", tally::show(took));
            }
            None => {
                tally.lock().lost();
                say!("{text}: no answer: lost, or no server");
            }
        }
        if console::is_closed() {
            return Ok(()); // `datetime-client | head -1`: nobody reads this
        }
    }

    // ---- 4 close() -------------------------------------------------------
    // Nothing is sent, and the server stores nothing about this client.
    socket.close();
    say!("{}", tally.lock());
    if tally.lock().was_silent() {
        let nobody = format!("{server} never answered. Does a server run?");
        return Err(Error::other(nobody));
    }
    Ok(())
}

/// `--retry`: asks until a server answers, for this many seconds at most. These
/// requests are not counted.
fn wait_for_server(
    socket: &UdpSocket,
    server: SocketAddr,
    wait: Duration,
    seconds: u64,
) -> Result<()> {
    let seconds = args::in_range("--retry", seconds, 0, 3600);
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        let again = end.min(Instant::now() + RETRY_PAUSE);
        if ask(socket, server, Request::Time, wait)?.is_some() {
            break;
        }
        let left = end.saturating_duration_since(Instant::now());
        warn!("no answer yet: {} s to go", left.as_secs());
        while receive(socket, server, again)?.is_some() {}
    }
    Ok(())
}

/// One request and its reply; `None` if no reply came in time.
fn ask(
    socket: &UdpSocket,
    server: SocketAddr,
    request: Request,
    wait: Duration,
) -> Result<Option<String>> {
    // ---- 2 sendto() ------------------------------------------------------
    // Request and reply take one round trip. TCP would need one more, for the
    // handshake. (viva 4)
    if let Err(error) = socket.sendto(request.text().as_bytes(), server) {
        // The network may be down for a while; the next request may pass.
        warn!("{error}");
        return Ok(None);
    }

    let deadline = Instant::now() + wait;
    loop {
        // ---- 3 recvfrom() ------------------------------------------------
        // Any program that knows our port can send to it. So the client checks
        // the sender, and the form: a date is not a time.      (viva 10)
        let Some(answer) = receive(socket, server, deadline)? else {
            return Ok(None);
        };
        let shown = console::message(&answer);
        if !request.is_contradicted_by(&answer) {
            return Ok(Some(shown));
        }
        let text = request.text();
        say!("({shown} does not answer {text}: ignored)");
    }
}

/// The next datagram from the server; `None` if there is none in time.
fn receive(
    socket: &UdpSocket,
    server: SocketAddr,
    deadline: Instant,
) -> Result<Option<Vec<u8>>> {
    let mut buffer = [0; 1024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        socket.set_recv_timeout(Some(left))?;
        match socket.recvfrom(&mut buffer) {
            Ok((count, sender)) if sender == server => {
                let answer = buffer.get(..count).unwrap_or_default();
                return Ok(Some(answer.to_vec()));
            }
            Ok((_, sender)) => say!("(a datagram of {sender}: ignored)"),
            Err(error) if error.is_timeout() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

/// Waits until the next request is due, and prints replies that arrive too late
/// or twice.
fn listen_for_late(
    socket: &UdpSocket,
    server: SocketAddr,
    end: Instant,
    tally: &Mutex<Tally>,
) -> Result<()> {
    while let Some(late) = receive(socket, server, end)? {
        tally.lock().late();
        say!("({}: too late, or twice)", console::message(&late));
    }
    Ok(())
}

/// How long --retry waits between two requests.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The time from one request to the next: a range of seconds.
struct Gap(f64, f64);

impl Gap {
    /// Any length in the range, equally likely, as Python's random.uniform().
    fn pick(&self, dice: &mut StdRng) -> Duration {
        Duration::from_secs_f64(dice.random_range(self.0..=self.1))
    }
}

impl FromStr for Gap {
    type Err = String;

    fn from_str(word: &str) -> std::result::Result<Gap, String> {
        let (least, most) = word.split_once("..").unwrap_or((word, word));
        match (least.parse(), most.parse()) {
            (Ok(least), Ok(most))
                if (0.0..=3600.0).contains(&least)
                    && (least..=3600.0).contains(&most) =>
            {
                Ok(Gap(least, most))
            }
            _ => Err(format!(
                "'{word}' is not a gap: write seconds as LEAST..MOST, such \
                 as 1..2 or 0.1..0.5, at most 3600"
            )),
        }
    }
}

/// Asks for date and time at random, until Ctrl-C.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12003)
    #[argh(positional)]
    port: Port,
    /// how many requests (default: until Ctrl-C)
    #[argh(option)]
    count: Option<u64>,
    /// seconds between requests, at random from LEAST..MOST (default 1..2)
    #[argh(option, default = "Gap(1.0, 2.0)")]
    gap: Gap,
    /// the seed: the same number repeats the same requests and gaps (default:
    /// random)
    #[argh(option, hidden_help)]
    seed: Option<u64>,
    /// milliseconds to wait for an answer (default 1000)
    #[argh(option, default = "1000")]
    wait: u64,
    /// seconds to ask again until a server answers for the first time
    /// (default 0), so that the client may be started first
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
}

const PROGRAM: Program = Program {
    lab: "datetime",
    role: Role::Client { server: Some("datetime-server") },
    port: 12003,
    steps: "socket sendto recvfrom close",
    example: "datetime-client 127.0.0.1 12003 --count 5",
};
