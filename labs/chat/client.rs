//! The chat client of handout G, question 8. The other half is server.rs.
//!
//! ```text
//! main: keyboard --- 3 send ---> server          [G-8b]
//! "room": screen <-- 4 recv ---- server          at any moment
//! ```
//!
//! Two threads on one socket: lines of others arrive while the user types.
//! They must not wait for her, and screen.rs keeps them apart from the line
//! that she types. The same program serves scripts.           (viva 10)

use std::io::{self, IsTerminal};
use std::net::Shutdown;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use chat::screen::{self, Keyboard, Names, Screen};
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
    let addresses = net::resolve(&args.host, args.port.0)?;
    let server = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // On Linux connect() waits 10 s at most, and so does each send().
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    })?;
    // A server whose machine is gone is noticed, however long nobody speaks.
    server.set_keepalive(Duration::from_secs(30))?;

    let names = Names::default();
    let (mut keyboard, screen) = screen::open(args.plain, &names)?;
    let (accepted, let_in) = bounded(1);
    let script = args.name.is_some() && !io::stdin().is_terminal();
    let name = args.name.clone();
    let mut login = Login { name, script, accepted, done: false };
    let socket = server.clone();
    let room = thread::Builder::new()
        .name("room".into())
        .spawn(move || follow_room(socket, screen, &names, &mut login))
        .map_err(|error| Error::new("spawn", "room", error))?;

    // In a terminal's raw mode Ctrl-C is a key; elsewhere it is a signal.
    let socket = server.clone();
    signals::on_signal(move || leave(&socket))?;

    // The other thread reads to the end of the stream, and ends the program.
    let talked = talk(&server, &mut keyboard, args.name, &let_in);
    // It may wait for the editor to show something, which now never will.
    drop(keyboard);
    match &talked {
        Ok(()) => leave(&server),
        // The server is gone: the other thread says why.
        Err(error) if error.is_peer_gone() => {
            let _ = room.join();
        }
        Err(_) => {}
    }
    talked
}

/// Sends what the user types, until she leaves.
fn talk(
    server: &TcpSocket,
    keyboard: &mut Keyboard,
    name: Option<String>,
    let_in: &Receiver<()>,
) -> Result<()> {
    if let Some(name) = name {
        server.send_all(format!("{name}\n").as_bytes())?;
        // What a script says next must not be taken for a name. A server
        // that does not say that we are in is trusted after a while.
        if !io::stdin().is_terminal() {
            let _ = let_in.recv_timeout(GOODBYE);
        }
    }
    while let Some(mut line) = keyboard.read()? {
        if line == b"quit" {
            break;
        }

        // ---- 3 send() ----------------------------------------------------
        // One line, one send(): the newline is what makes it a message.
        line.push(b'\n');
        server.send_all(&line)?;
    }
    Ok(())
}

/// Sends `quit`, so that the room learns that we left and did not break. We
/// wait five seconds for the server to close.
fn leave(server: &TcpSocket) {
    LEAVING.store(true, Ordering::Release);
    let _ = server.send_all(b"quit\n");
    let _ = server.shutdown(Shutdown::Write);
    thread::sleep(GOODBYE);
    let _ = server.shutdown(Shutdown::Both);
}

/// The login, as the lines of the room show it.
struct Login {
    name: Option<String>, // the answer to the first question
    script: bool,         // no person is there to answer a second one
    accepted: Sender<()>, // gets a word when the room has let us in
    done: bool,
}

impl Login {
    /// Adds a line to those that are shown; `false`: the name was refused,
    /// and a script has only one.
    fn show(&mut self, mut line: String, shown: &mut Vec<String>) -> bool {
        if !self.done && line.starts_with("Server: time=") {
            self.done = true;
            shown.push(String::new()); // the handout's screen [G-8c]
            let _ = self.accepted.try_send(());
        } else if !self.done && line == "Enter login name:" {
            match self.name.take() {
                Some(name) => {
                    line =
                        format!("{line} {}", console::escape(name.as_bytes()));
                }
                // The question again: why has just been shown.
                None if self.script => return false,
                None => {}
            }
        }
        shown.push(line);
        true
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
    let end = loop {
        // ---- 4 recv() ----------------------------------------------------
        // Whatever arrives, whoever says it. Nothing may arrive for hours.
        // The server's end is 0 bytes, and is said at once.     (try 12)
        let mut next = match lines.read() {
            Ok(Received::End) => break None,
            Ok(received) => Some(received),
            Err(error) => break Some(error),
        };
        // What came together is shown together: a terminal is slow.
        let mut shown = Vec::new();
        while let Some(received) = next {
            let line = match received {
                // The server has escaped it; but is it our server?
                Received::Line(line) => console::escape(&line),
                _ => "(a line too long to show)".to_string(),
            };
            learn_names(&line, names);
            if !login.show(line, &mut shown) {
                screen.show(&shown);
                process::exit(1);
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
    // The main thread may wait for the keyboard: ending the process closes.
    server.close();
    process::exit(if leaving { 0 } else { 1 });
}

/// Notes the names of members: who joins, speaks or leaves, and whom /who
/// lists. It leaves out what cannot be a name here, and names beyond a limit,
/// because the server may be somebody else's.
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

/// Longest line that is shown, in bytes: /who in a large room.
const LONGEST: usize = 256 * 1024;

/// Names that are kept for completion, and characters of one.
const MOST_NAMES: usize = 4096;
const LONGEST_NAME: usize = 24;

/// How long the server may take to close after we said `quit`.
const GOODBYE: Duration = Duration::from_secs(5);

/// The user has left, so the end of the stream is not an error.
static LEAVING: AtomicBool = AtomicBool::new(false);

/// A chat client: what you type all others read; `quit` leaves.
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
