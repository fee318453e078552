//! The client's screen on a pseudo-terminal, seen through a terminal emulator.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, bounded};
use harness::terminal;
use rustix::fs::OFlags;
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::members::Member;
use harness::{DEADLINE, Server};

const ROWS: u16 = 30;
const COLUMNS: u16 = 80;

/// A chat-client on a terminal of its own.
struct ClientScreen {
    child: Child,
    keys: File,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    raw: Vec<u8>, // all that it ever printed
    terminal: OwnedFd,
}

impl ClientScreen {
    fn open(server: &Server, arguments: &[&str], term: &str) -> ClientScreen {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY);
        let master = master.expect("a pseudo-terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("it opens");
        let size = Winsize {
            ws_row: ROWS,
            ws_col: COLUMNS,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).expect("a size");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOCTTY.bits() as i32)
            .open(name.to_str().expect("UTF-8"))
            .expect("the terminal's end");
        let end = || Stdio::from(terminal.try_clone().expect("a handle"));
        let (host, port) = server.host_and_port();
        let mut command =
            Command::new(terminal::program_folder().join("chat-client"));
        command.args([&host, &port]).args(arguments);
        command.env("TERM", term).env_remove("NO_COLOR");
        if term == "no-color" {
            command.env("TERM", "xterm").env("NO_COLOR", "1");
        }
        let command = command.stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().expect("it starts");
        let keys = File::from(master);
        let mut screen = keys.try_clone().expect("a handle");
        let (sender, output) = bounded(1024);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut chunk) {
                if sender.send(chunk[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let screen = vt100::Parser::new(ROWS, COLUMNS, 0);
        let (raw, terminal) = (Vec::new(), terminal.into());
        ClientScreen { child, keys, output, screen, raw, terminal }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it takes keys");
    }

    /// The screen's lines, down to the last one with text.
    fn rows(&self) -> Vec<String> {
        let text = self.screen.screen().contents();
        text.lines().map(|row| row.trim_end().to_string()).collect()
    }

    /// Waits until the screen is as wanted; gives its lines.
    #[track_caller]
    fn until(&mut self, what: &str, wanted: impl Fn(&[String]) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !wanted(&self.rows()) {
            let Ok(chunk) = self.output.recv_deadline(deadline) else {
                panic!("waited for {what}:\n{}", self.rows().join("\n"));
            };
            self.screen.process(&chunk);
            self.raw.extend(chunk);
        }
    }

    /// Waits until the line at which the cursor stands is this.
    #[track_caller]
    fn until_prompt(&mut self, line: &str) {
        self.until(line, |rows| rows.last().is_some_and(|row| row == line));
    }

    #[track_caller]
    fn until_shown(&mut self, line: &str) {
        self.until(line, |rows| rows.iter().any(|row| row == line));
    }

    /// Waits for the program's end; gives its exit status.
    fn ends(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }

    fn local_modes(&self) -> LocalModes {
        tcgetattr(&self.terminal).expect("its modes").local_modes
    }
}

impl Drop for ClientScreen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Batman's screen, logged in, beside another member.
fn batman(server: &Server, term: &str) -> (ClientScreen, Member) {
    let mut other = Member::join(server, "Voldemort", 1);
    let mut screen = ClientScreen::open(server, &[], term);
    screen.until_shown("Enter login name:");
    screen.types("Batman\r");
    other.hears_event("Batman has joined. Member count=2");
    screen.until("the join", |rows| {
        rows.iter().any(|row| row.ends_with("joined. Member count=2"))
    });
    (screen, other)
}

#[test]
fn g_8e_lines_that_arrive_never_mix_with_the_line_that_is_typed() {
    let server = Server::start("chat-server", &[]);
    let (mut screen, mut other) = batman(&server, "xterm-256color");
    screen.types("half a sen");
    screen.until_prompt("> half a sen");
    for line in 0..20 {
        other.says(&format!("line {line} arrives meanwhile"));
    }
    screen.until_shown("Voldemort: line 19 arrives meanwhile");
    screen.until_prompt("> half a sen");
    // All 20, whole, in order; then the prompt, and nothing below it.
    let rows = screen.rows();
    let first = rows.len() - 21;
    for (line, row) in rows[first..rows.len() - 1].iter().enumerate() {
        let wanted = format!("Voldemort: line {line} arrives meanwhile");
        assert_eq!(*row, wanted, "\n{}", rows.join("\n"));
    }
    screen.types("tence\r");
    other.hears("Batman: half a sentence");
    // The handout's screen: the own line stays where it was typed.
    screen.until_shown("> half a sentence");
}

#[test]
fn g_8e_lines_that_are_pasted_are_said_one_by_one() {
    let server = Server::start("chat-server", &[]);
    let (mut screen, mut other) = batman(&server, "xterm-256color");
    screen.types("one\rtwo\r/me waves\rthree\rhalf a");
    for line in ["Batman: one", "Batman: two", "* Batman waves"] {
        other.hears(line);
    }
    other.hears("Batman: three");
    screen.until_prompt("> half a");
}

#[test]
fn g_8e_a_pasted_tab_stays_a_tab_and_pasted_lines_are_lines() {
    let server = Server::start("chat-server", &[]);
    let (mut screen, mut other) = batman(&server, "xterm-256color");
    other.says("hello"); // the client knows this name now
    screen.until_shown("Voldemort: hello");
    screen.types("\x1b[200~vol\tone\x1b[201~\r");
    other.hears("Batman: vol\tone");
    other.says("vol\ttwo");
    screen.until_shown("Voldemort: vol  two"); // to column 16
    screen.types("\x1b[200~three\r\n\tfour\nquit smok\x1b[201~ing\r");
    for line in ["three", "\tfour", "quit smoking"] {
        other.hears(&format!("Batman: {line}"));
    }
}

#[test]
fn g_8e_what_is_typed_while_the_server_dies_does_not_reach_the_shell() {
    for term in ["xterm-256color", "dumb"] {
        let mut server = Server::start("chat-server", &[]);
        let enter = if term == "dumb" { "\n" } else { "\r" };
        let mut other = Member::join(&server, "Voldemort", 1);
        let mut screen = ClientScreen::open(&server, &[], term);
        screen.until_shown("Enter login name:");
        screen.types(&format!("Batman{enter}"));
        other.hears_event("Batman has joined. Member count=2");
        screen.until("the join", |rows| {
            rows.iter().any(|row| row.ends_with("joined. Member count=2"))
        });
        screen.types("half a sen");
        server.console().signal(Signal::KILL).expect("a signal");
        // Without an editor it stands after what the terminal has echoed.
        let told = "(the server has closed the connection)";
        screen.until(told, |rows| rows.iter().any(|row| row.ends_with(told)));
        screen.types("\x15rm -rf /nowhere\r\nls\n");
        assert_eq!(screen.ends(), Some(1));
        let waiting = rustix::io::ioctl_fionread(&screen.terminal);
        assert_eq!(waiting.expect("a number"), 0, "{term}");
        // And what is pasted into the shell is not marked.
        let raw = String::from_utf8_lossy(&screen.raw).to_string();
        let (on, off) = (raw.rfind("\x1b[?2004h"), raw.rfind("\x1b[?2004l"));
        assert!(on <= off, "{term}: {raw:?}");
    }
}

#[test]
fn g_8e_a_long_typed_line_over_two_rows_survives() {
    let server = Server::start("chat-server", &[]);
    let (mut screen, mut other) = batman(&server, "xterm-256color");
    let long = "abcdefghi ".repeat(12);
    screen.types(&long);
    screen.until("both rows", |rows| rows.concat().ends_with(long.trim_end()));
    other.says("one");
    other.says("two");
    screen.until_shown("Voldemort: two");
    screen.until("both rows below", |rows| {
        let shown = rows.concat();
        shown.ends_with(&format!("Voldemort: two> {}", long.trim_end()))
    });
    screen.types("\r");
    other.hears(&format!("Batman: {long}"));
}

#[test]
fn g_8e_names_are_completed() {
    let server = Server::start("chat-server", &[]);
    let (mut screen, mut other) = batman(&server, "xterm-256color");
    // Voldemort was there first: /who names all.
    screen.types("/who\r");
    screen.until_shown("Server: 2 here: Batman, Voldemort");
    screen.types("hello vol\t");
    screen.until_prompt("> hello Voldemort");
    screen.types("!\r");
    other.hears("Batman: hello Voldemort !");
    let mut spaced = Member::join(&server, "Dark Vader", 3);
    screen.until("the join", |rows| {
        rows.iter().any(|row| row.ends_with("joined. Member count=3"))
    });
    other.hears_event("Dark Vader has joined. Member count=3");
    screen.types("/msg dark v\t");
    screen.until_prompt("> /msg Dark Vader");
    screen.types("hi\r");
    spaced.hears("Batman (to you): hi");
    // And the arrow brings back what was said before.
    screen.types("\x1b[A");
    screen.until_prompt("> /msg Dark Vader hi");
}

#[test]
fn g_8e_more_than_one_name_that_fits_is_listed_and_lines_still_arrive() {
    let server = Server::start("chat-server", &[]);
    let (mut screen, mut other) = batman(&server, "xterm-256color");
    // Neither the form of a /me nor the mark of a whisper may be a name.
    other.says("/me vows: x");
    screen.until_shown("* Voldemort vows: x");
    other.says("/msg Batman psst");
    screen.until_shown("Voldemort (to you): psst");
    screen.types("vol\t");
    screen.until_prompt("> Voldemort");
    screen.types("\x08".repeat(10).as_str());
    let _more = Member::join(&server, "Volker", 3);
    screen.until("the join", |rows| {
        rows.iter().any(|row| row.ends_with("joined. Member count=3"))
    });
    screen.types("vol\t");
    screen.until_shown("Voldemort   Volker");
    screen.until_prompt("> vol");
    other.says("hello");
    screen.until_shown("Voldemort: hello");
}

#[test]
fn g_8e_lines_arrive_and_the_end_is_said_after_any_key() {
    let keys = ["vol\t", "\x1b", "\x16", "\x11", "\x18", "\x1d", "\x12"];
    for last in keys {
        let mut server = Server::start("chat-server", &[]);
        let (mut screen, mut other) = batman(&server, "xterm-256color");
        other.says("here");
        screen.until_shown("Voldemort: here");
        for key in keys {
            screen.types(key);
            other.says(&format!("after {key:?}"));
            screen.until_shown(&format!("Voldemort: after {key:?}"));
        }
        screen.types(last);
        server.interrupt();
        screen.until_shown("Server: the room is closed");
        screen.until_shown("(the server has closed the connection)");
        assert_eq!(screen.ends(), Some(1));
    }
}

#[test]
fn g_8e_nothing_that_waits_for_the_screen_holds_up_who_leaves() {
    for leave in ["\x03", "\x15\x04"] {
        let server = Server::start("chat-server", &[]);
        let (mut screen, mut other) = batman(&server, "xterm-256color");
        // Alt-5 asks how often: nothing is shown until the next key.
        screen.types("\x1b5");
        screen.until_prompt("(arg: 5)");
        for line in 0..5 {
            other.says(&format!("line {line}"));
        }
        other.says("/who");
        other.hears("Server: 2 here: Batman, Voldemort");
        screen.types(leave);
        other.hears_event("Batman has left. Member count=1");
        assert_eq!(screen.ends(), Some(0));
        assert!(screen.local_modes().contains(LocalModes::ECHO), "restored");
    }
}

#[test]
fn g_8e_a_typed_line_over_many_rows_leaves_none_behind() {
    let mut server = Server::start("chat-server", &[]);
    let (mut screen, _other) = batman(&server, "xterm-256color");
    let long = "abcdefghi ".repeat(25);
    screen.types(&long);
    screen.until("all rows", |rows| rows.concat().ends_with(long.trim_end()));
    screen.types("\x1b[D\x1b[D"); // the cursor is not at its end
    server.interrupt();
    screen.until_prompt("(the server has closed the connection)");
    assert_eq!(screen.ends(), Some(1));
}

#[test]
fn g_8e_what_was_typed_stays_on_the_screen_of_who_leaves() {
    let server = Server::start("chat-server", &[]);
    let (mut screen, mut other) = batman(&server, "xterm-256color");
    let long = "abcdefghi ".repeat(25);
    screen.types(&long);
    screen.until("all rows", |rows| rows.concat().ends_with(long.trim_end()));
    screen.types("\x03");
    other.hears_event("Batman has left. Member count=1");
    assert_eq!(screen.ends(), Some(0));
    // What is printed next stands below.
    let mut terminal = File::from(screen.terminal.try_clone().expect("it"));
    terminal.write_all(b"END").expect("it takes bytes");
    screen.until_prompt("END");
    let rows = screen.rows().concat();
    assert!(rows.ends_with(&format!("{}END", long.trim_end())), "{rows}");
}

#[test]
fn g_8e_a_refused_name_option_is_asked_again_at_a_terminal() {
    let server = Server::start("chat-server", &[]);
    let mut other = Member::join(&server, "Batman", 1);
    let mut screen =
        ClientScreen::open(&server, &["--name", "BATMAN"], "xterm");
    screen.until_shown("Enter login name: BATMAN");
    screen.until_shown("Server: the name BATMAN is taken");
    screen.until_shown("Enter login name:");
    screen.types("Robin\r");
    other.hears_event("Robin has joined. Member count=2");
}

#[test]
fn g_8e_ctrl_c_and_ctrl_d_leave_politely() {
    for key in ["\x03", "\x04"] {
        let mut server = Server::start("chat-server", &[]);
        let (mut screen, mut other) = batman(&server, "xterm-256color");
        assert!(!screen.local_modes().contains(LocalModes::ECHO), "raw");
        screen.types(key);
        other.hears_event("Batman has left. Member count=1");
        assert_eq!(screen.ends(), Some(0));
        assert!(screen.local_modes().contains(LocalModes::ECHO), "restored");
        server.wait_for("(Batman left: quit)");
    }
}

#[test]
fn g_8e_the_servers_end_is_said_at_once_while_the_prompt_waits() {
    let mut server = Server::start("chat-server", &[]);
    let (mut screen, _other) = batman(&server, "xterm-256color");
    let raw = screen.local_modes();
    assert!(!raw.contains(LocalModes::ICANON | LocalModes::ECHO));
    screen.types("half a sen");
    screen.until_prompt("> half a sen");
    server.interrupt();
    screen.until_shown("Server: the room is closed");
    screen.until_shown("(the server has closed the connection)");
    assert_eq!(screen.ends(), Some(1));
    let modes = screen.local_modes();
    let cooked = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
    assert!(modes.contains(cooked), "the terminal is restored: {modes:?}");
}

#[test]
fn g_8e_the_servers_death_restores_the_terminal_too() {
    let mut server = Server::start("chat-server", &[]);
    let (mut screen, _other) = batman(&server, "xterm-256color");
    server.console().signal(Signal::KILL).expect("a signal");
    screen.until_shown("(the server has closed the connection)");
    assert_eq!(screen.ends(), Some(1));
    assert!(screen.local_modes().contains(LocalModes::ECHO));
}

#[test]
fn x_tty_plain_lines_where_asked_for_or_where_nothing_else_works() {
    for term in ["dumb", "no-color", "--plain", "emacs"] {
        let server = Server::start("chat-server", &[]);
        let mut other = Member::join(&server, "Voldemort", 1);
        let (arguments, name): (&[&str], _) = match term {
            "--plain" => (&["--plain"], "xterm"),
            name => (&[], name),
        };
        let mut screen = ClientScreen::open(&server, arguments, name);
        screen.until_shown("Enter login name:");
        screen.types("Batman\n");
        other.hears_event("Batman has joined. Member count=2");
        other.says("hello");
        screen.until_shown("Voldemort: hello");
        screen.types("to all\n");
        other.hears("Batman: to all");
        screen.types("quit\n");
        assert_eq!(screen.ends(), Some(0), "{term}");
        let text = String::from_utf8_lossy(&screen.raw);
        assert!(!text.contains('\x1b'), "{term}: {text:?}");
    }
}
