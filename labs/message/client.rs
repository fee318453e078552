//! Sends lines as messages. Handout D (Durham), tasks 1-3. The other half is
//! open_server.rs, server.rs, or the server of any other student. [D-T1.3]
//!
//!     client (this file)      server
//!       |  1 socket             |
//!       |  2 connect handshake->|
//!       |  3 send --- LOGIN --->|  with --auth                    [D-T2.1]
//!       |  3 send ---- ID ----->|  with --id                      [D-T3.2]
//!       |  3 send --- "hello" ->|  } for each line of the user    [D-T1.1]
//!       |  4 recv <--- OK ------|  } or at any moment, in a thread
//!       |  5 close --- FIN ---->|
//!
//! With --id, --auth, --burst or --expect-reply it waits for each answer.

#[allow(dead_code, reason = "only the server makes nonces and checks")]
mod auth;
mod hear;

use std::net::Shutdown;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use auth::{Rung, Secret};
use socketlab::args::{self, Port, Program};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say, warn};

const LONGEST: usize = 128 * 1024; // bytes of an answer
const WAIT: Duration = Duration::from_secs(3); // for an answer
const PAUSE: Duration = Duration::from_millis(200); // ends a bare answer
const LAST_WORDS: Duration = Duration::from_secs(1); // after our FIN
const GAP: f64 = 0.3; // seconds, between messages without newlines

const PROGRAM: Program = Program {
    lab: "message",
    role: "client",
    port: 12002,
    steps: "socket connect send recv close",
    example: "message-client 127.0.0.1 12002 --id alice",
};

/// Sends each line of its input as a message.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12002)
    #[argh(positional)]
    port: Port,
    /// what ends a message: none, lf or crlf (default lf)
    #[argh(option, default = "b\"\\n\"", from_str_fn(eol))]
    eol: &'static [u8],
    /// wait for an answer to each message
    #[argh(switch)]
    expect_reply: bool,
    /// do not wait for answers, not even with --id, --auth and --burst
    #[argh(switch)]
    no_reply: bool,
    /// client ID to send first
    #[argh(option)]
    id: Option<String>,
    /// how to log in: none, password or challenge (default none)
    #[argh(option, default = "Rung::None")]
    auth: Rung,
    /// file with the secret (default: environment variable MESSAGE_SECRET)
    #[argh(option)]
    secret_file: Option<String>,
    /// send so many messages at once and count what is accepted
    #[argh(option)]
    burst: Option<u64>,
    /// seconds between messages (default 0; 0.3 with --eol none)
    #[argh(option)]
    gap: Option<f64>,
}

fn eol(word: &str) -> std::result::Result<&'static [u8], String> {
    match word {
        "none" => Ok(b""),
        "lf" => Ok(b"\n"),
        "crlf" => Ok(b"\r\n"),
        _ => Err(format!("'{word}' is none of: none, lf, crlf")),
    }
}

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    if args.expect_reply && args.no_reply {
        args::usage("--expect-reply and --no-reply exclude each other");
    }
    let addresses = net::resolve(&args.host, args.port.0)?;
    let server = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // Host and port are all it takes to reach ANY server, also another
        // student's.                    [D-T1.3] [D-Q2] [D-Q6] (try 1)
        // The handshake costs a round trip before the first message; UDP
        // would spare it.                       [D-Q4] [D-Q5] (viva 1)
        socket.connect(address)?;
        Ok(socket)
    })?;
    server.set_no_delay()?;
    let mut reader = LineReader::new(server.clone(), LONGEST, WAIT);
    reader.accept_pause(PAUSE);
    let mut session = Session { server, reader, eol: args.eol };
    session.log_in(args.auth, args.secret_file.as_deref())?;
    if let Some(id) = &args.id {
        session.identify(id)?;
    }
    let answered = args.id.is_some()
        || matches!(args.auth, Rung::Password | Rung::Challenge)
        || args.burst.is_some();
    let wait = args.expect_reply || (answered && !args.no_reply);
    let usual = if args.eol.is_empty() && !wait { GAP } else { 0.0 };
    let gap = args.gap.unwrap_or(usual);
    let gap = Duration::from_secs_f64(args::in_range("--gap", gap, 0., 60.));
    match wait {
        true => session.ask(messages(args.burst), gap, args.burst.is_some()),
        false => session.tell(messages(args.burst), gap),
    }
}

/// A message a call: those of a burst, or the lines of the user.  [D-T3.4]
fn messages(burst: Option<u64>) -> Box<dyn Iterator<Item = Result<Vec<u8>>>> {
    if let Some(count) = burst {
        let message = |number| Ok(format!("message {number}").into_bytes());
        return Box::new((1..=count).map(message));
    }
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        warn!("Each line is a message. To stop: Ctrl-D.");
    }
    Box::new(std::iter::from_fn(|| {
        console::prompt_person("message: ");
        console::read_stdin_line().transpose()
    }))
}

/// Sends one message. The count is the server's affair: what this end
/// checks, somebody else's client does not.              [D-T3.4] (viva 3)
fn send(server: &TcpSocket, text: &[u8], eol: &[u8]) -> Result<()> {
    // ---- 3 send() --------------------------------------------------------
    // Text and line end in ONE send(), so that no pause comes between them.
    // TCP may still cut or join messages on the way.             (viva 6)
    server.send_all(&[text, eol].concat())
}

/// A connection and how we speak on it.
struct Session {
    server: TcpSocket,
    reader: LineReader,
    eol: &'static [u8],
}

impl Session {
    /// The next answer; `None` if none came in time.
    fn answer(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            // ---- 4 recv() ------------------------------------------------
            // 0 bytes, end of stream: the server has closed, or its kernel
            // did when it was killed. After a power cut there is nothing at
            // all, and only the time limit ends this wait.     (viva 8)
            match self.reader.read() {
                Ok(Received::Line(text) | Received::Unterminated(text)) => {
                    return Ok(Some(text));
                }
                Ok(Received::TooLong) => {}
                Ok(Received::End) => {
                    return Err(Error::other("the server has closed"));
                }
                Err(error) if error.is_timeout() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Prints the next answer and returns it.
    fn print_answer(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            let answer = self.answer()?;
            match &answer {
                Some(text) => hear::show(text),
                None => say!("no answer within {} s", WAIT.as_secs()),
            }
            // A greeting that nobody asked for answers no message.
            match answer {
                Some(text) if hear::wants_login(&text) => {}
                answer => return Ok(answer),
            }
        }
    }

    /// Task 2: the secret, or the proof that we know it.        [D-T2.1]
    fn log_in(&mut self, rung: Rung, file: Option<&str>) -> Result<()> {
        if matches!(rung, Rung::None | Rung::AllowList) {
            return Ok(());
        }
        let secret = Secret::load(file)?;
        let greeting = self.answer()?.unwrap_or_default();
        let answer = auth::reply(rung, &secret, &greeting)?;
        let line = [b"LOGIN ", &*answer].concat();
        send(&self.server, &line, self.eol)?;
        self.must_be_ok()
    }

    /// Task 3: the ID before any other communication.          [D-T3.2]
    fn identify(&mut self, id: &str) -> Result<()> {
        send(&self.server, format!("ID {id}").as_bytes(), self.eol)?;
        self.must_be_ok()
    }

    fn must_be_ok(&mut self) -> Result<()> {
        match self.print_answer()? {
            Some(text) if text.starts_with(b"OK") => Ok(()),
            _ => Err(Error::other("the server did not let us in")),
        }
    }

    /// Sends each message and waits for its answer; a burst only counts.
    fn ask(
        mut self,
        messages: impl Iterator<Item = Result<Vec<u8>>>,
        gap: Duration,
        burst: bool,
    ) -> Result<()> {
        let (mut sent, mut accepted, mut refused) = (0, 0, 0);
        let mut ended = Ok(());
        for message in messages {
            let message = message?;
            if sent > 0 {
                thread::sleep(gap);
            }
            let answer =
                send(&self.server, &message, self.eol).and_then(|()| {
                    if burst { self.answer() } else { self.print_answer() }
                });
            sent += 1;
            match answer {
                Ok(Some(text)) if text.starts_with(b"OK") => accepted += 1,
                Ok(Some(text)) => {
                    refused += 1;
                    if burst && refused == 1 {
                        hear::show(&text);
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    ended = Err(error);
                    break;
                }
            }
        }
        if burst {
            say!("{sent} sent: {accepted} accepted, {refused} refused");
        }

        // ---- 5 close() ---------------------------------------------------
        // FIN: the server learns that we are done, not that we crashed.
        self.server.finish();
        ended
    }

    /// Sends each message and waits for nothing; a thread prints what comes.
    fn tell(
        self,
        messages: impl Iterator<Item = Result<Vec<u8>>>,
        gap: Duration,
    ) -> Result<()> {
        let Session { server, reader, eol } = self;
        let heard_all = hear::listen(reader)?;
        let mut sent = 0;
        for message in messages {
            let message = message?;
            if message.is_empty() && eol.is_empty() {
                warn!("an empty message without a line end is no bytes");
                continue;
            }
            if sent > 0 {
                thread::sleep(gap);
            }
            if let Err(error) = send(&server, &message, eol) {
                // The thread prints why, if the server said so.
                let _ = heard_all.recv_timeout(LAST_WORDS);
                return Err(error);
            }
            sent += 1;
        }
        hear::LEAVING.store(true, Ordering::Relaxed);
        say!("leaving; messages sent: {sent}");
        server.shutdown(Shutdown::Write)?;
        let _ = heard_all.recv_timeout(LAST_WORDS);
        server.close();
        Ok(())
    }
}
