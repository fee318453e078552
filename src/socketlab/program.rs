//! The description of the running program. All other modules may use it, so
//! this module imports none of them.

use std::io::{self, Write};
use std::process;
use std::sync::OnceLock;

/// A program's description: its lab, its role, the handout's steps in the order
/// of its banners, and a command line to copy.
pub struct Program {
    /// The lab's folder, which is also its name in `make` targets.
    pub lab: &'static str,
    /// Which end it is.
    pub role: Role,
    /// The port when the command line names none. 0: a program that takes no
    /// HOST and PORT at all.
    pub port: u16,
    /// The step banners in order: `socket bind listen accept recv send close`.
    /// `TRACE=1` numbers what it prints by them.
    pub steps: &'static str,
    /// One command line that works, printed under a usage error.
    pub example: &'static str,
}

impl Program {
    /// The number of a step in this program's banners, from 1.
    pub fn step(&self, call: &str) -> Option<usize> {
        let found = self.steps.split(' ').position(|step| step == call);
        found.map(|index| index + 1)
    }

    /// Does it serve others, so that it should keep running when its own output
    /// is lost?
    pub fn serves(&self) -> bool {
        self.role == Role::Server
    }

    /// The server that a client needs, named in the hint after a refusal.
    /// `None` if this project has no such server.
    pub fn other_end(&self) -> Option<&'static str> {
        match self.role {
            Role::Client { server } => server,
            Role::Server | Role::Other(_) => None,
        }
    }
}

/// A program's role in a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It waits for clients.
    Server,
    /// It begins.
    Client {
        /// This project's program at the other end, if there is one.
        server: Option<&'static str>,
    },
    /// Neither; the text is its own word for it.
    Other(&'static str),
}

impl Role {
    /// The role in one word, as the trace prints it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Server => "server",
            Role::Client { .. } => "client",
            Role::Other(name) => name,
        }
    }
}

static PROGRAM: OnceLock<&'static Program> = OnceLock::new();

/// Sets which program runs; called once, when the command line is read.
pub(crate) fn set(program: &'static Program) {
    let _ = PROGRAM.set(program);
}

/// The running program, once its command line has been read.
pub fn current() -> Option<&'static Program> {
    PROGRAM.get().copied()
}

/// Ends the program with a message on stderr and exit status 1, because it
/// cannot do its work any more. Only two things in this crate call it: a
/// thread that the program needs has panicked (see [`crate::threads`]), or a
/// program's output cannot be stored (see [`crate::console`]).
pub(crate) fn fail(message: &str) -> ! {
    let _ = io::stderr().lock().write_all(format!("{message}\n").as_bytes());
    process::exit(1)
}
