//! Sends lines as messages. Handout D (Durham), tasks 1-3. The other half is
//! open_server.rs, server.rs, or the server of any other student. [D-T1.3]
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |
//!   |  2 connect handshake->|
//!   |  3 send --- LOGIN --->|  with --auth                    [D-T2.1]
//!   |  3 send ---- ID ----->|  with --id                      [D-T3.2]
//!   |  3 send --- "hello" ->|  } for each line of the user    [D-T1.1]
//!   |  4 recv <--- OK ------|  } or at any moment, in a thread
//!   |  5 close --- FIN ---->|
//! ```
//!
//! With --id, --auth, --burst or --expect-reply it waits for each answer.

use std::net::Shutdown;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use message::answers::{self, Answers, Tally};
use message::auth::{self, Level, Secret};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    if args.expect_reply && args.no_reply {
        args::usage("--expect-reply and --no-reply exclude each other");
    }
    let retry = args::in_range("--retry", args.retry, 0, 3600);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let server = net::try_each_for(retry, &addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // No bind(): connect() borrows a free port for us.
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // Host and port are enough to reach ANY server, also another student's.
        // [D-T1.3] [D-Q2] [D-Q6] (try 1) The handshake (SYN, SYN-ACK, ACK)
        // costs a round trip before the first message; UDP would save it.
        // [D-Q4] [D-Q5] (viva 1) The next line limits connect() and, on Linux,
        // each send() to 10 s.
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    })?;
    server.set_no_delay()?;
    let answers = Answers::new(&server);
    let mut session = Session { server, answers, eol: args.eol };
    session.log_in(args.auth, args.secret_file.as_deref())?;
    if let Some(id) = &args.id {
        session.identify(id, args.no_reply)?;
    }
    let answered = args.id.is_some()
        || matches!(args.auth, Level::Password | Level::Challenge)
        || args.burst.is_some();
    let wait = args.expect_reply || (answered && !args.no_reply);
    let usual = if args.eol.is_empty() && !wait { GAP } else { 0.0 };
    let gap = args.gap.unwrap_or(usual);
    let gap = Duration::from_secs_f64(args::in_range("--gap", gap, 0., 60.));
    let messages = messages(args.burst, wait);
    match wait {
        true => session.ask(messages, gap, args.burst.is_some()),
        false => session.tell(messages, gap),
    }
}

/// A message a call: those of a burst, or the lines of the user. [D-T3.4] The
/// prompt appears only if each message gets its reply before the next one.
/// Otherwise a line of the server could be printed after the prompt.
fn messages(
    burst: Option<u64>,
    prompt: bool,
) -> Box<dyn Iterator<Item = Result<Vec<u8>>>> {
    if let Some(count) = burst {
        let message = |number| Ok(format!("message {number}").into_bytes());
        return Box::new((1..=count).map(message));
    }
    if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        warn!("Each line is a message. To stop: Ctrl-D.");
    }
    Box::new(std::iter::from_fn(move || {
        if prompt {
            console::prompt_person("message: ");
        }
        console::read_stdin_line().transpose()
    }))
}

/// Sends one message. Only the server counts messages, because a check in this
/// client would not stop another client. [D-T3.4] (viva 3)
fn send(server: &TcpSocket, text: &[u8], eol: &[u8]) -> Result<()> {
    // ---- 3 send() --------------------------------------------------------
    // Text and newline in ONE send(), so that no pause comes between them.
    // TCP may still cut or join messages on the way.             (viva 6)
    server.send_all(&[text, eol].concat())
}

/// A connection, and how the client uses it.
struct Session {
    server: TcpSocket,
    answers: Answers,
    eol: &'static [u8],
}

impl Session {
    /// Task 2: the secret, or the proof that we know it.        [D-T2.1]
    fn log_in(&mut self, level: Level, file: Option<&str>) -> Result<()> {
        if matches!(level, Level::None | Level::AllowList) {
            return Ok(());
        }
        let secret = Secret::load(file)?;
        let Some(greeting) = self.answers.greeting()? else {
            let seconds = answers::WAIT.as_secs();
            return Err(Error::other(format!(
                "no complete greeting within {seconds} s: this server asks for \
                 no login, or it hangs; nothing was sent"
            )));
        };
        let answer = auth::reply(level, &secret, &greeting)?;
        let line = [b"LOGIN ", &*answer].concat();
        send(&self.server, &line, self.eol)?;
        self.must_be_ok()
    }

    /// Task 3: the ID before any other communication.          [D-T3.2]
    fn identify(&mut self, id: &str, no_reply: bool) -> Result<()> {
        send(&self.server, format!("ID {id}").as_bytes(), self.eol)?;
        if no_reply {
            // A server may treat one recv() as the ID, so the ID is sent alone.
            thread::sleep(Duration::from_secs_f64(GAP));
            return Ok(());
        }
        self.must_be_ok()
    }

    /// No answer in time is not an OK, either.
    fn must_be_ok(&mut self) -> Result<()> {
        let mut tally = Tally::default();
        self.answers.expect_one();
        self.answers.take(answers::WAIT, |who, text| tally.add(who, text))?;
        self.answers.say_what_is_due();
        match tally.accepted {
            1 => Ok(()),
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
        let mut tally = Tally { burst, ..Tally::default() };
        let ended = self.ask_each(messages, gap, &mut tally);
        if burst {
            say!("{tally}");
        }

        // ---- 5 close() ---------------------------------------------------
        // Sends FIN, so that the server sees an orderly end, not a crash.
        drop(self.answers); // they hold a handle of the socket as well
        self.server.finish();
        ended
    }

    fn ask_each(
        &mut self,
        messages: impl Iterator<Item = Result<Vec<u8>>>,
        gap: Duration,
        tally: &mut Tally,
    ) -> Result<()> {
        for message in messages {
            let message = message?;
            if tally.sent > 0 {
                thread::sleep(gap);
            }
            // A late reply does not belong to the next message.
            let at_once = Duration::from_millis(1);
            self.answers.take(at_once, |who, text| tally.add(who, text))?;
            tally.sent += 1;
            send(&self.server, &message, self.eol)?;
            self.answers.expect_one();
            self.answers
                .take(answers::WAIT, |who, text| tally.add(who, text))?;
            if !tally.burst {
                self.answers.say_what_is_due();
            }
        }
        Ok(())
    }

    /// Sends each message and waits for nothing; a thread prints what comes.
    fn tell(
        self,
        messages: impl Iterator<Item = Result<Vec<u8>>>,
        gap: Duration,
    ) -> Result<()> {
        let Session { server, answers, eol } = self;
        let all_read = answers::listen(answers)?;
        let mut sent = 0;
        for message in messages {
            let message = message?;
            if message.is_empty() && eol.is_empty() {
                warn!("nothing sent: the message is empty, without a newline");
                continue;
            }
            if sent > 0 {
                thread::sleep(gap);
            }
            if let Err(error) = send(&server, &message, eol) {
                // The reading thread prints the server's reason, if there is
                // one.
                let _ = all_read.recv_timeout(LAST_WORDS);
                return Err(error);
            }
            sent += 1;
        }
        answers::LEAVING.store(true, Ordering::Relaxed);
        say!("leaving; messages sent: {sent}");
        server.shutdown(Shutdown::Write)?;
        let refused = all_read.recv_timeout(LAST_WORDS);
        server.close();
        match refused {
            Ok(true) => Err(Error::other("the server did not let us in")),
            _ => Ok(()),
        }
    }
}

fn eol(word: &str) -> std::result::Result<&'static [u8], String> {
    match word {
        "none" => Ok(b""),
        "lf" => Ok(b"\n"),
        "crlf" => Ok(b"\r\n"),
        _ => Err(format!("'{word}' is none of: none, lf, crlf")),
    }
}

const LAST_WORDS: Duration = Duration::from_secs(1); // after our FIN
const GAP: f64 = 0.3; // seconds, between messages without newlines

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
    #[argh(option, hidden_help, default = "b\"\\n\"", from_str_fn(eol))]
    eol: &'static [u8],
    /// wait for an answer to each message
    #[argh(switch, hidden_help)]
    expect_reply: bool,
    /// do not wait for answers, not even with --id, --auth and --burst
    #[argh(switch, hidden_help)]
    no_reply: bool,
    /// client ID to send first
    #[argh(option)]
    id: Option<String>,
    /// how to log in: none, password or challenge (default none)
    #[argh(option, default = "Level::None")]
    auth: Level,
    /// file with the secret (default: environment variable MESSAGE_SECRET)
    #[argh(option)]
    secret_file: Option<String>,
    /// send this many messages at once and count what is accepted
    #[argh(option)]
    burst: Option<u64>,
    /// seconds between messages (default 0; 0.3 with --eol none)
    #[argh(option)]
    gap: Option<f64>,
    /// seconds to try again while no server listens there (default 0)
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
}

const PROGRAM: Program = Program {
    lab: "message",
    role: Role::Client { server: Some("message-server") },
    port: 12002,
    steps: "socket connect send recv close",
    example: "message-client 127.0.0.1 12002 --id alice",
};
