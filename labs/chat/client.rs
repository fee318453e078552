//! The chat client of handout G, question 8. The other half is server.rs.
//!
//! ```text
//! main: keyboard --- 3 send ---> server          [G-8b]
//! "room": screen <-- 4 recv ---- server          at any moment
//! ```
//!
//! Two threads use one socket, because lines of others arrive while the user
//! types. screen.rs prints them above the line that is being typed. The same
//! program works in scripts.                                   (viva 10)

use std::io::{self, IsTerminal};
use std::net::Shutdown;
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use chat::completion::Names;
use chat::screen::{self, Keyboard, Screen};
use chat::text;
use crossbeam_channel::{Receiver, Sender, bounded};
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    if args.name.as_ref().is_some_and(|name| name.contains(['\n', '\r'])) {
        args::usage("--name: a name is one line");
    }
    let retry = args::in_range("--retry", args.retry, 0, 3600);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let server = net::try_each_for(retry, &addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // The next line limits connect() and, on Linux, each send() to 10 s.
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    })?;
    // Keepalive notices a server whose machine is gone, also in a silent room.
    server.set_keepalive(Duration::from_secs(30))?;

    let names = Names::default();
    let (mut keyboard, screen) = screen::open(args.plain, &names)?;
    let (told, answers) = bounded(2);
    let script = args.name.is_some() && !io::stdin().is_terminal();
    let name = args.name.clone();
    let mut login =
        Login { name, script, told, state: Asked::Not, answered: false };
    let socket = server.clone();
    let room = thread::Builder::new()
        .name("room".into())
        .spawn(move || follow_room(socket, screen, &names, &mut login))
        .map_err(|error| Error::new("spawn", "room", error))?;

    // In a terminal's raw mode Ctrl-C is a key; otherwise it is a signal.
    let (socket, eol) = (server.clone(), args.eol);
    signals::on_signal(move || leave(&socket, eol))?;

    // The other thread reads to the end of the stream, and ends the program.
    let talked = talk(&server, &mut keyboard, args.name, eol, &answers);
    // It may wait for the editor to print, which no longer happens.
    drop(keyboard);
    match &talked {
        Ok(()) => leave(&server, eol),
        // The server is gone; the other thread prints the reason.
        Err(error) if error.is_peer_gone() => {
            let _ = room.join();
        }
        Err(_) => {}
    }
    talked
}

/// Sends what the user types, until the user leaves.
fn talk(
    server: &TcpSocket,
    keyboard: &mut Keyboard,
    mut name: Option<String>,
    eol: &[u8],
    answers: &Receiver<Answer>,
) -> Result<()> {
    let person = io::stdin().is_terminal();
    let mut pause = None; // between two lines of a script
    loop {
        let line = match name.take() {
            Some(name) => Some(name.into_bytes()),
            None => keyboard.read()?,
        };
        let Some(line) = line.filter(|line| line != b"quit") else {
            return Ok(());
        };

        // ---- 3 send() ----------------------------------------------------
        // One send() for each line; the newline ends the message.
        server.send_all(&[&line, eol].concat())?;
        if person {
            NAMED.get_or_init(Instant::now);
        } else if NAMED.get().is_none() {
            NAMED.get_or_init(Instant::now);
            pause = pause_after_login(answers, eol);
        } else if let Some(pause) = pause {
            thread::sleep(pause);
        }
    }
}

/// A script's next line must not be read as a name, so the client waits until
/// the room has accepted the name. If the room does not confirm it, the client
/// goes ahead after a while. Returns the pause that later lines need, because a
/// room that treats one recv() as one message would join lines without a pause.
fn pause_after_login(
    answers: &Receiver<Answer>,
    eol: &[u8],
) -> Option<Duration> {
    let mut answer = answers.recv_timeout(PATIENCE);
    if answer == Ok(Answer::Other) {
        answer = answers.recv_timeout(2 * GAP);
    }
    match answer {
        Ok(Answer::JoinedInLines) if !eol.is_empty() => None,
        _ => Some(GAP),
    }
}

/// Sends `quit`, so that the room sees an orderly end. The room has one second
/// to close.
fn leave(server: &TcpSocket, eol: &[u8]) {
    LEAVING.store(true, Ordering::Release);
    let until = Instant::now() + GOODBYE;
    let _ = server.set_send_timeout(Some(GOODBYE / 2)); // it may not read
    let _ = server.send_all(&[b"quit", eol].concat());
    let _ = server.shutdown(Shutdown::Write);
    thread::sleep(until.saturating_duration_since(Instant::now()));
    let _ = server.shutdown(Shutdown::Both);
}

/// The state of the login, as the room's lines show it.
struct Login {
    name: Option<String>, // the answer to the first question
    script: bool,         // no person is there to answer a second one
    told: Sender<Answer>, // the room's reply to the name
    state: Asked,
    answered: bool, // or the client has reported that no reply came
}

/// Which side has asked for the name.
#[derive(PartialEq)]
enum Asked {
    Not,
    /// The room, as chat-server does.
    ByRoom,
    /// This client, because the room did not; nothing has arrived since.
    ByUs,
    /// The login is over.
    In,
}

/// The room's reply to a name.
#[derive(PartialEq)]
enum Answer {
    /// It has accepted the name, and its lines end with newlines.
    JoinedInLines,
    /// Anything else.
    Other,
}

impl Login {
    /// Adds a line to those that are shown. Returns false if the name was
    /// refused and a script has no other. `ended`: the line had a newline.
    fn show(
        &mut self,
        line: &str,
        ended: bool,
        shown: &mut Vec<String>,
    ) -> bool {
        if self.state == Asked::In {
            shown.push(line.to_string());
            return true;
        }
        if let Some(rest) = line.strip_prefix(QUESTION) {
            // Without a newline, further text may be on the same line.
            let rest = rest.trim_matches([' ', '>']);
            return self.question(shown)
                && (rest.is_empty() || self.show(rest, ended, shown));
        }
        let joined = line.starts_with("Server: time=");
        if joined && self.state == Asked::Not {
            self.ask(shown);
        }
        if joined {
            shown.push(String::new()); // the handout's screen [G-8c]
            self.state = Asked::In;
        } else if self.state != Asked::Not {
            self.state = Asked::ByRoom; // if it asks now, it asks again
        }
        self.answered = true;
        let _ = self.told.try_send(match joined && ended {
            true => Answer::JoinedInLines,
            false => Answer::Other,
        });
        shown.push(line.to_string());
        true
    }

    /// The room asks for a name.
    fn question(&mut self, shown: &mut Vec<String>) -> bool {
        match self.state {
            Asked::Not => self.ask(shown),
            // It comes late: the user has already read this client's question.
            Asked::ByUs => {}
            // The question again, after the reason has been shown.
            _ if self.script => return false,
            _ => shown.push(QUESTION.to_string()),
        }
        self.state = Asked::ByRoom;
        true
    }

    /// The question, once. `--name` answers it.
    fn ask(&mut self, shown: &mut Vec<String>) {
        let name = self.name.take().map(String::into_bytes);
        let name = name.map(|name| format!(" {}", console::escape(&name)));
        shown.push(format!("{QUESTION}{}", name.unwrap_or_default()));
    }

    /// Nothing has arrived for a while. Then the client asks for the name
    /// itself, as the handout's client does. [G-8b]
    fn nothing_came(&mut self, shown: &mut Vec<String>) {
        if self.state == Asked::Not {
            self.ask(shown);
            self.state = Asked::ByUs;
        } else if NAMED.get().is_some_and(|at| at.elapsed() > PATIENCE) {
            shown.push(NO_ANSWER.to_string());
            self.answered = true;
        }
    }

    /// How long to wait for a line before `nothing_came` must be called.
    fn limit(&self) -> Option<Duration> {
        match self.state {
            Asked::Not => Some(ASK_AFTER),
            _ if self.answered => None,
            _ => Some(GAP),
        }
    }
}

/// Shows what the server sends until it closes, and ends the program.
fn follow_room(
    server: TcpSocket,
    mut screen: Screen,
    names: &Names,
    login: &mut Login,
) {
    let mut lines = LineReader::new(server.clone(), LONGEST, GOODBYE);
    lines.wait_for_ever();
    // Before the login, a pause ends a line, too, because another room may send
    // its question without a newline.
    lines.accept_pause(PAUSE);
    lines.finish_within(login.limit());
    let end = loop {
        let mut shown = Vec::new();
        // ---- 4 recv() ----------------------------------------------------
        // Returns whatever arrives. Nothing may arrive for hours. 0 bytes: the
        // server has closed, which is printed at once. (try 12)
        let mut next = match lines.read() {
            Ok(Received::End) => break None,
            Ok(received) => Some(received),
            Err(error) if error.is_timeout() && login.limit().is_some() => {
                login.nothing_came(&mut shown);
                lines.finish_within(login.limit());
                None
            }
            Err(error) => break Some(error),
        };
        // Lines that came together are shown together, because a terminal is
        // slow.
        while let Some(received) = next {
            let ended = matches!(received, Received::Line(_));
            let line = match received {
                // chat-server escapes its lines, but this may be another
                // server.
                Received::Line(line) | Received::Unterminated(line) => {
                    text::readable(&line)
                }
                _ => "(a line too long to show)".to_string(),
            };
            learn_names(&line, names);
            if !login.show(&line, ended, &mut shown) {
                screen.show(&shown);
                process::exit(1);
            }
            if login.state == Asked::In && ended {
                lines.expect_line_ends();
            }
            if login.state != Asked::Not {
                lines.finish_within(login.limit());
            }
            next = lines.read_ready();
        }
        // A user that leaves does not wait until a flood is over.
        if !(screen.is_above() && LEAVING.load(Ordering::Acquire)) {
            screen.show(&shown);
        }
    };
    let leaving = LEAVING.load(Ordering::Acquire);
    let told = "(the server has closed the connection)";
    screen.close((!leaving).then_some(told));
    if let Some(error) = end.filter(|_| !leaving) {
        warn!("{error}");
    }

    // ---- 5 close() -------------------------------------------------------
    // The main thread may wait for the keyboard; the end of the process closes
    // the socket.
    server.close();
    process::exit(if leaving { 0 } else { 1 });
}

/// Stores the names of members that join, speak or leave, or that /who lists.
/// It ignores text that cannot be a name, and names beyond a limit, because
/// another server may send anything.
fn learn_names(line: &str, names: &Names) {
    let mut names = names.lock();
    let mut learn = |name: &str| {
        if names.len() < MOST_NAMES && name.chars().count() <= LONGEST_NAME {
            names.insert(name.to_string());
        }
    };
    let Some((speaker, text)) = line.split_once(": ") else { return };
    if speaker != "Server" {
        let name = speaker.strip_suffix(" (to you)").unwrap_or(speaker);
        // `* Batman says: hi` is a /me.
        if !name.starts_with('*') {
            learn(name);
        }
        return;
    }
    if let Some((_, list)) = text.split_once(" here: ") {
        return list.split(", ").for_each(learn);
    }
    let Some((_, event)) = text.split_once(' ') else { return };
    if let Some((name, _)) = event.split_once(" has joined.") {
        learn(name);
    } else if let Some((name, _)) = event.split_once(" has left.") {
        names.remove(name);
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

/// Longest line that is shown, in bytes, such as /who in a large room.
const LONGEST: usize = 256 * 1024;

/// Names that are stored for completion, and characters of one name.
const MOST_NAMES: usize = 4096;
const LONGEST_NAME: usize = 24;

/// The room's question; after this time without it the client asks.
const QUESTION: &str = "Enter login name:";
const ASK_AFTER: Duration = Duration::from_millis(300);

/// How long the room may take to answer the name.
const PATIENCE: Duration = Duration::from_secs(3);
const NO_ANSWER: &str = "(no answer within 3 s: this may not be a chat room, \
    or it may want another newline: see --eol in --help)";

/// Silence that ends a line without a newline, before the login.
const PAUSE: Duration = Duration::from_millis(200);

/// Pause between two lines of a script, for a room that may not read lines.
const GAP: Duration = Duration::from_millis(300);

/// How long the server may take to close after `quit`.
const GOODBYE: Duration = Duration::from_secs(1);

/// When the first line was sent, which is the name.
static NAMED: OnceLock<Instant> = OnceLock::new();

/// The user has left, so the end of the stream is not an error.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// A chat client: all other members see what you type; `quit` leaves.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12005)
    #[argh(positional)]
    port: Port,
    /// the login name, instead of being asked for it; in a script a name that
    /// is refused ends the program
    #[argh(option)]
    name: Option<String>,
    /// what ends a line: none, lf or crlf (default lf)
    #[argh(option, hidden_help, default = "b\"\\n\"", from_str_fn(eol))]
    eol: &'static [u8],
    /// seconds to try again while no server listens there (default 0)
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
    /// append plain lines, with no editing and no colour; so do a pipe,
    /// TERM=dumb and NO_COLOR
    #[argh(switch)]
    plain: bool,
}

const PROGRAM: Program = Program {
    lab: "chat",
    role: Role::Client { server: Some("chat-server") },
    port: 12005,
    steps: "socket connect send recv close",
    example: "chat-client 127.0.0.1 12005 --name Batman",
};
