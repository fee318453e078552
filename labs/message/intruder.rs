//! Tries to send to a server without authorisation, in every wrong way, and
//! prints the results: task 2's "ask a student to verify". [D-T2.2] With HOST
//! PORT it attacks that server; without, server.rs at each level.
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
//! Attack only your own server, or one whose owner asked you to.

use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use harness::terminal::{self, Terminal};
use message::attacks::{self, ATTACKS, Attack, AttackResult, Failure, Replies};
use message::auth::{self, Level, Secret};
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let patience = args::in_range("--patience", args.patience, 0.1, 600.0);
    let (host, port) = match args.target.as_slice() {
        [] => return every_level(),
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
    // If no server listens, this is an error and not a refusal. The attacks use
    // the first address of this name where a server listens.
    let address = net::try_each(&net::resolve(host, port)?, |address| {
        let socket = TcpSocket::new(address)?;
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        socket.finish();
        Ok(address)
    })?;
    let target = Target { address, secret, patience };
    say!("{:<28}{:<18}its last words", "attack", "result");
    for (attack, title) in ATTACKS {
        let (result, words) = AttackResult::of(target.attack(attack));
        say!("{title:<28}{:<18}{words}", result.to_string());
    }
    Ok(())
}

type Result<T, E = Error> = std::result::Result<T, E>;

/// Each attack at each level gets a new server, because the failures of one
/// attack must not delay the next.
fn every_level() -> Result<()> {
    let levels =
        [Level::None, Level::AllowList, Level::Password, Level::Challenge];
    let head: String =
        levels.iter().map(|level| format!("{level:<16}")).collect();
    say!("{:<28}{}", "attack", head.trim_end());
    // All attacks run at once, because most of the time they wait for silent
    // servers.
    thread::scope(|scope| {
        let rows = ATTACKS.map(|(attack, title)| {
            let try_it = |level| scope.spawn(move || at_level(level, attack));
            (title, levels.map(try_it))
        });
        for (title, row) in rows {
            let mut line = format!("{title:<28}");
            for cell in row {
                let died = |_| Err(Error::other("an attack panicked"));
                let result = cell.join().unwrap_or_else(died)?.to_string();
                line.push_str(&format!("{result:<16}"));
            }
            say!("{}", line.trim_end());
        }
        Ok(())
    })
}

fn at_level(level: Level, attack: Attack) -> Result<AttackResult> {
    let secret = format!("{:032x}", rand::random::<u128>());
    let mut command = terminal::command("message-server");
    command.args(["127.0.0.1", "0", "--login-limit", "1", "--auth"]);
    command.arg(level.to_string()).env(auth::VARIABLE, &secret);
    if level == Level::AllowList {
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
    match target.attack(attack) {
        // Our own server cannot be reached: an error, not a result.
        Err(Failure::Unreachable(error)) => Err(error),
        attack => Ok(AttackResult::of(attack).0),
    }
}

/// The server under attack.
struct Target {
    address: SocketAddr,
    secret: Option<Secret>,
    patience: Duration,
}

impl Target {
    fn attack(&self, attack: Attack) -> Result<AttackResult, Failure> {
        let replies = match attack {
            Attack::Owner => self.owner()?.map(|(replies, _)| replies),
            Attack::NoLogin => Some(self.say(MESSAGE)?),
            // It sends one message after the other and reads nothing.
            Attack::TaskOne => Some(self.say(&MESSAGE.repeat(3))?),
            Attack::Elsewhere => Some(self.elsewhere()?),
            Attack::EmptySecret => Some(self.log_in(b"")?),
            Attack::WrongSecret => Some(self.log_in(b"wrong")?),
            // The owner's bytes, which anybody who captures the packets can
            // read. (viva 12)
            Attack::Replay => match self.owner()? {
                Some((_, recorded)) => Some(self.say(&recorded)?),
                None => None,
            },
            Attack::Guessing => return self.guess(),
            Attack::Silence => return self.silence(),
        };
        Ok(replies.map_or(AttackResult::Skipped, AttackResult::Answered))
    }

    /// One attempt: sends all of this and reads the server's answers.
    fn say(&self, lines: &[u8]) -> Result<Replies, Failure> {
        let (socket, reader) = open(self.address, None)?;
        speak(socket, reader, lines)
    }

    fn log_in(&self, answer: &[u8]) -> Result<Replies, Failure> {
        self.say(&[b"LOGIN ", answer, b"\n", MESSAGE].concat())
    }

    /// A real login, as client.rs does it, and the bytes that it sends. `None`
    /// if the secret is unknown.
    fn owner(&self) -> Result<Option<(Replies, Vec<u8>)>, Failure> {
        let Some(secret) = &self.secret else { return Ok(None) };
        let (socket, mut reader) = open(self.address, None)?;
        reader.finish_within(Some(GREETING));
        let greeting = match reader.read() {
            Ok(Received::Line(greeting)) => greeting,
            Err(error) if !error.is_timeout() => return Err(error.into()),
            _ => Vec::new(), // a level without a login
        };
        reader.finish_within(None);
        let level = match greeting.starts_with(b"AUTH challenge") {
            true => Level::Challenge,
            false => Level::Password,
        };
        let sent = match auth::reply(level, secret, &greeting) {
            Ok(answer) => [b"LOGIN ", &*answer, b"\n", MESSAGE].concat(),
            Err(_) => MESSAGE.to_vec(),
        };
        Ok(Some((speak(socket, reader, &sent)?, sent)))
    }

    /// On Linux all of 127.0.0.0/8 is this machine, so it can act as two hosts.
    /// On other systems this attack is skipped.
    fn elsewhere(&self) -> Result<Replies, Failure> {
        let other = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        if !(self.address.is_ipv4() && self.address.ip().is_loopback()) {
            return Err(Failure::NoSuchAddress);
        }
        let (socket, reader) = open(self.address, Some(other))?;
        speak(socket, reader, MESSAGE)
    }

    /// Tries one secret after the other until the server makes it wait. (viva
    /// 11)
    fn guess(&self) -> Result<AttackResult, Failure> {
        let (mut replies, end) = (Vec::new(), Instant::now() + 7 * WAIT);
        for number in (1..=GUESSES).take_while(|_| Instant::now() < end) {
            replies = self.log_in(format!("guess {number}").as_bytes())?;
            let Some(told) = replies.last() else { break };
            if String::from_utf8_lossy(told).contains("wait") {
                return Ok(AttackResult::Slowed(number));
            }
        }
        Ok(AttackResult::Answered(replies))
    }

    /// Connects and sends nothing.
    fn silence(&self) -> Result<AttackResult, Failure> {
        let (_socket, mut reader) = open(self.address, None)?;
        let end = Instant::now() + self.patience;
        reader.finish_within(Some(self.patience));
        loop {
            match reader.read() {
                Ok(Received::End) => return Ok(AttackResult::Cut),
                Ok(_) => {}
                Err(error) if !error.is_timeout() => {
                    return Ok(AttackResult::Cut);
                }
                Err(_) if Instant::now() >= end => {
                    return Ok(AttackResult::Held);
                }
                Err(_) => {} // only the wait for one line is over
            }
        }
    }
}

/// A connection and what reads from it.
fn open(
    address: SocketAddr,
    from: Option<IpAddr>,
) -> Result<(TcpSocket, LineReader), Failure> {
    let socket = attacks::connect(address, from)?;
    let reader = LineReader::new(socket.clone(), LONGEST, WAIT);
    Ok((socket, reader))
}

/// Sends all of this and reads until the server closes, for `WAIT` at most.
fn speak(
    socket: TcpSocket,
    mut reader: LineReader,
    lines: &[u8],
) -> Result<Replies, Failure> {
    // ---- 3 send() --------------------------------------------------------
    // Everything at once, then FIN; the replies still arrive.
    socket.send_all(lines)?;
    socket.shutdown(Shutdown::Write)?;
    reader.finish_within(Some(WAIT));
    let mut replies = Vec::new();
    while replies.len() < MOST_ANSWERS {
        // ---- 4 recv() ----------------------------------------------------
        // Until the server has closed: its last line says how it ended.
        match reader.read() {
            Ok(Received::Line(line) | Received::Unterminated(line)) => {
                replies.push(line);
            }
            Ok(Received::TooLong) => {
                replies.push(b"(too long a line)".into());
            }
            Ok(Received::End) => break,
            Err(error) if error.is_timeout() => break,
            Err(error) => return Err(error.into()),
        }
    }

    // ---- 5 close() -------------------------------------------------------
    // A new connection for each attack: the server allows one try each.
    drop(reader); // it holds a handle of the socket as well
    socket.close();
    Ok(replies)
}

const LONGEST: usize = 4096; // bytes of an answer
const MOST_ANSWERS: usize = 100;
const WAIT: Duration = Duration::from_secs(3); // for all answers to an attack
const GREETING: Duration = Duration::from_secs(2); // for an AUTH
const GUESSES: u32 = 20;

/// The message that gets through, if any does. It has spaces, so it is not an
/// ID.
const MESSAGE: &[u8] = b"the intruder was here\n";

/// Attacks a message server in every wrong way. Without HOST it starts a
/// server at each level and prints the table of levels and attacks.
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
    #[argh(option, hidden_help, default = "12.0")]
    patience: f64,
}

const PROGRAM: Program = Program {
    lab: "message",
    role: Role::Other("intruder"),
    port: 0, // without HOST it starts servers of its own
    steps: "socket connect send recv close",
    example: "message-intruder 127.0.0.1 12002",
};
