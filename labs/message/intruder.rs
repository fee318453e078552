//! Tries to talk to a server without being allowed to, in every wrong way,
//! and prints what came of it: task 2's "ask a student to verify". [D-T2.2]
//! With HOST PORT it attacks that server; without, server.rs on each rung.
//!
//! ```text
//! intruder (this file)    server
//!   |  1 socket             |
//!   |  2 connect handshake->|  nothing stops anybody here
//!   |  3 send -- a lie ---->|
//!   |  4 recv <---- NO -----|  or OK: the server is open
//!   |  5 close --- FIN ---->|
//! ```
//!
//! Attack only what is yours, or whose owner asked you to.

use message::{auth, prove, verdict};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use harness::terminal::{self, Terminal};
use message::auth::{Rung, Secret};
use message::verdict::{ATTACKS, Attack, Said, Verdict};
use socketlab::args::{self, Port, Program};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, say};

const LONGEST: usize = 4096; // bytes of an answer
const MOST_ANSWERS: usize = 100;
const WAIT: Duration = Duration::from_secs(3); // for all answers to an attack
const GREETING: Duration = Duration::from_secs(2); // for an AUTH
const GUESSES: u32 = 20;

/// What gets through if anything does. It has spaces, so no ID.
const MESSAGE: &[u8] = b"the intruder was here\n";

const PROGRAM: Program = Program {
    lab: "message",
    role: "intruder",
    port: 0, // without HOST it starts servers of its own
    steps: "socket connect send recv close",
    example: "message-intruder 127.0.0.1 12002",
};

/// Attacks a message server in every wrong way. Without HOST it starts a
/// server on each rung and prints the table of rungs and attacks.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// HOST and PORT of the server to attack (default: servers of our own)
    #[argh(positional)]
    target: Vec<String>,
    /// file with the server's secret, to record a real login for the replay
    /// (default: environment variable MESSAGE_SECRET; without: no replay)
    #[argh(option)]
    secret_file: Option<String>,
    /// seconds of silence to see whether the server cuts it (default 12)
    #[argh(option, default = "12.0")]
    patience: f64,
}

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let patience = args::in_range("--patience", args.patience, 0.1, 600.0);
    let (host, port) = match args.target.as_slice() {
        [] => return every_rung(),
        [host] => (host, Ok(Port(12002))),
        [host, port] => (host, port.parse()),
        _ => args::usage("HOST and PORT are all it takes"),
    };
    let port = port.unwrap_or_else(|text: String| args::usage(&text)).0;
    let known = args.secret_file.is_some()
        || std::env::var_os(auth::VARIABLE).is_some();
    let secret = match known {
        true => Some(Secret::load(args.secret_file.as_deref())?),
        false => None,
    };
    let patience = Duration::from_secs_f64(patience);
    // Nobody there is an error, not a server that refuses. The attacks go to
    // the first address of this name where somebody is.
    let address = net::try_each(&net::resolve(host, port)?, |address| {
        let (socket, _) = open(address, None)?;
        socket.finish();
        Ok(address)
    })?;
    let target = Target { address, secret, patience };
    say!("{:<28}{:<18}its last words", "attack", "result");
    for (attack, title) in ATTACKS {
        let (verdict, words) = verdict::of(target.attack(attack));
        say!("{title:<28}{:<18}{words}", verdict.to_string());
    }
    Ok(())
}

/// A fresh server of ours for each attack on each rung: the failures of one
/// attack must not delay the next.
fn every_rung() -> Result<()> {
    let rungs = [Rung::None, Rung::AllowList, Rung::Password, Rung::Challenge];
    let head: String = rungs.iter().map(|rung| format!("{rung:<16}")).collect();
    say!("{:<28}{}", "attack", head.trim_end());
    // All at once: most of the time goes into waiting for silent servers.
    thread::scope(|scope| {
        let rows = ATTACKS.map(|(attack, title)| {
            let try_it = |rung| scope.spawn(move || on_rung(rung, attack));
            (title, rungs.map(try_it))
        });
        for (title, row) in rows {
            let mut line = format!("{title:<28}");
            for cell in row {
                let died = |_| Err(Error::other("an attack panicked"));
                let verdict = cell.join().unwrap_or_else(died)?.to_string();
                line.push_str(&format!("{verdict:<16}"));
            }
            say!("{}", line.trim_end());
        }
        Ok(())
    })
}

fn on_rung(rung: Rung, attack: Attack) -> Result<Verdict> {
    let secret = format!("{:032x}", rand::random::<u128>());
    let mut command = terminal::command("message-server");
    command.args(["127.0.0.1", "0", "--login-limit", "1", "--auth"]);
    command.arg(rung.to_string()).env(auth::VARIABLE, &secret);
    if rung == Rung::AllowList {
        command.args(["--allow", "127.0.0.1"]);
    }
    let mut server = Terminal::run(&mut command)?;
    let line = server.wait_for("listening on …")?;
    let address = line.trim_start_matches("listening on ").parse();
    let target = Target {
        address: address.map_err(|_| Error::other(line.clone()))?,
        secret: Some(Secret::new(secret.as_bytes())?),
        patience: Duration::from_secs(3),
    };
    verdict::of_ours(target.attack(attack))
}

/// The server under attack.
struct Target {
    address: SocketAddr,
    secret: Option<Secret>,
    patience: Duration,
}

impl Target {
    fn attack(&self, attack: Attack) -> Result<Verdict> {
        let said = match attack {
            Attack::Owner => self.owner()?.map(|(said, _)| said),
            Attack::NoLogin => Some(self.say(MESSAGE)?),
            // It sends one message after the other and reads nothing.
            Attack::TaskOne => Some(self.say(&MESSAGE.repeat(3))?),
            Attack::Elsewhere => self.elsewhere()?,
            Attack::EmptySecret => Some(self.log_in(b"")?),
            Attack::WrongSecret => Some(self.log_in(b"wrong")?),
            // Byte for byte what the owner sent: on the wire, in the clear,
            // for whoever captures packets on the way.       (viva 12)
            Attack::Replay => match self.owner()? {
                Some((_, recorded)) => Some(self.say(&recorded)?),
                None => None,
            },
            Attack::Guessing => return self.guess(),
            Attack::Silence => return self.silence(),
        };
        Ok(said.map_or(Verdict::Skipped, Verdict::Said))
    }

    /// One attempt: says all of this and hears what the server says to it.
    fn say(&self, lines: &[u8]) -> Result<Said> {
        let (socket, reader) = open(self.address, None)?;
        speak(socket, reader, lines)
    }

    fn log_in(&self, answer: &[u8]) -> Result<Said> {
        self.say(&[b"LOGIN ", answer, b"\n", MESSAGE].concat())
    }

    /// A real login, as client.rs does it, and the bytes that it sends.
    /// `None` if we do not know the secret.
    fn owner(&self) -> Result<Option<(Said, Vec<u8>)>> {
        let Some(secret) = &self.secret else { return Ok(None) };
        let (socket, mut reader) = open(self.address, None)?;
        reader.finish_within(Some(GREETING));
        let greeting = match reader.read() {
            Ok(Received::Line(greeting)) => greeting,
            Err(error) if !error.is_timeout() => return Err(error),
            _ => Vec::new(), // a rung without a login
        };
        reader.finish_within(None);
        let rung = match greeting.starts_with(b"AUTH challenge") {
            true => Rung::Challenge,
            false => Rung::Password,
        };
        let sent = match prove::reply(rung, secret, &greeting) {
            Ok(answer) => [b"LOGIN ", &*answer, b"\n", MESSAGE].concat(),
            Err(_) => MESSAGE.to_vec(),
        };
        Ok(Some((speak(socket, reader, &sent)?, sent)))
    }

    /// Linux gives the whole of 127.0.0.0/8 to this machine, so that one can
    /// be two hosts to an allow-list. Elsewhere this is skipped.
    fn elsewhere(&self) -> Result<Option<Said>> {
        let other = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        if !(self.address.is_ipv4() && self.address.ip().is_loopback()) {
            return Ok(None);
        }
        match open(self.address, Some(other)) {
            Ok((socket, reader)) => Ok(Some(speak(socket, reader, MESSAGE)?)),
            Err(error) if error.call() == "bind" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Tries one secret after the other until it is told to wait. (viva 11)
    fn guess(&self) -> Result<Verdict> {
        let (mut said, end) = (Vec::new(), Instant::now() + 7 * WAIT);
        for number in (1..=GUESSES).take_while(|_| Instant::now() < end) {
            said = self.log_in(format!("guess {number}").as_bytes())?;
            let Some(told) = said.last() else { break };
            if String::from_utf8_lossy(told).contains("wait") {
                return Ok(Verdict::Slowed(number));
            }
        }
        Ok(Verdict::Said(said))
    }

    /// Connects and says nothing at all.
    fn silence(&self) -> Result<Verdict> {
        let (_socket, mut reader) = open(self.address, None)?;
        let end = Instant::now() + self.patience;
        reader.finish_within(Some(self.patience));
        loop {
            match reader.read() {
                Ok(Received::End) => return Ok(Verdict::Cut),
                Ok(_) => {}
                Err(error) if !error.is_timeout() => return Ok(Verdict::Cut),
                Err(_) if Instant::now() >= end => return Ok(Verdict::Held),
                Err(_) => {} // only the wait for one line is over
            }
        }
    }
}

/// A connection, from another local address if one is given.
fn open(
    address: SocketAddr,
    from: Option<IpAddr>,
) -> Result<(TcpSocket, LineReader)> {
    // ---- 1 socket() ------------------------------------------------------
    // bind() only to attack from another address of this machine.
    let socket = TcpSocket::new(address)?;
    if let Some(from) = from {
        socket.bind(SocketAddr::new(from, 0))?;
    }

    // ---- 2 connect() -----------------------------------------------------
    // Always works: the server's kernel shakes hands with everybody, and
    // the program behind it hears of it later.               (viva 5)
    // On Linux connect() waits 10 s at most, and so does each send().
    socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
    socket.connect(address)?;
    let reader = LineReader::new(socket.clone(), LONGEST, WAIT);
    Ok((socket, reader))
}

/// Says all of this and hears the server to its end, for `WAIT` at most.
fn speak(
    socket: TcpSocket,
    mut reader: LineReader,
    lines: &[u8],
) -> Result<Said> {
    // ---- 3 send() --------------------------------------------------------
    // All at once, and FIN behind it: the answers come just the same.
    socket.send_all(lines)?;
    socket.shutdown(Shutdown::Write)?;
    reader.finish_within(Some(WAIT));
    let mut said = Vec::new();
    while said.len() < MOST_ANSWERS {
        // ---- 4 recv() ----------------------------------------------------
        // Until the server has closed: its last line is its verdict.
        match reader.read() {
            Ok(Received::Line(line) | Received::Unterminated(line)) => {
                said.push(line);
            }
            Ok(Received::TooLong) => said.push(b"(too long a line)".into()),
            Ok(Received::End) => break,
            Err(error) if error.is_timeout() => break,
            Err(error) => return Err(error),
        }
    }

    // ---- 5 close() -------------------------------------------------------
    // A fresh connection for each attack: the door shuts after one try.
    drop(reader); // it holds a handle of the socket as well
    socket.close();
    Ok(said)
}
