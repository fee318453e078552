//! Is a named pipe two-way? Handout T says so; try it [T-X3]. With one FIFO,
//! opened for reading and writing, each side also reads its own words. With
//! two FIFOs, crossed, it is a conversation.
//!
//! ```text
//! one:  A --2 open O_RDWR--> (x) <--open O_RDWR-- B
//!       A --3 write "A: hi"--> (x) --4 read "A: hi"--> A, or B: whoever
//!
//! two:  A --write--> (x) --read--> B       fifo-talk x y     fifo-talk y x
//!       A <--read--- (y) <-write-- B
//! ```

use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use pipes::{fifo, pipe};
use rustix::fs::OFlags;
use socketlab::args::{self, Program, Role};
use socketlab::net::{PollFd, PollFlags};
use socketlab::{Error, Result, console, net, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let (out, back) = paths(&args.fifos);

    // ---- 1 mkfifo() ------------------------------------------------------
    // One name, or two. Two-way under one name needs a Unix-domain socket.
    fifo::make(&out)?;
    back.as_deref().map_or(Ok(()), fifo::make)?;

    // ---- 2 open() --------------------------------------------------------
    // With O_RDWR open() does not wait for another process. All descriptors of
    // one FIFO lead to the same buffer. (viva 12) (try 9)
    let (reader, writer) = match &back {
        None => {
            let writer = fifo::open(&out, OFlags::RDWR, None)?;
            let flags = OFlags::RDONLY | OFlags::NONBLOCK;
            (fifo::open(&out, flags, None)?, writer)
        }
        Some(back) => open_crosswise(&out, back)?,
    };
    say!("open; type, and I print what I read");
    let name = args.name.unwrap_or_else(|| process::id().to_string());
    let prefix = format!("{name}: ").into_bytes();
    let own = prefix.clone();
    thread::Builder::new()
        .name("typing".into())
        .spawn(move || {
            if let Err(error) = write_lines(writer, &prefix) {
                warn!("Error: {error}");
                process::exit(1);
            }
        })
        .map_err(|error| Error::new("spawn", "typing", error))?;
    print_all(&reader, &own, back.is_none())
}

/// The FIFO to write into, and a second one, if given, to read from.
fn paths(fifos: &[PathBuf]) -> (PathBuf, Option<PathBuf>) {
    match fifos {
        [] => (fifo::DEFAULT.into(), None),
        [out] => (out.clone(), None),
        [out, back] => (out.clone(), Some(back.clone())),
        _ => args::usage("give one FIFO, or two"),
    }
}

/// Writes each line that is typed, with its writer's name before it.
fn write_lines(writer: OwnedFd, prefix: &[u8]) -> Result<()> {
    while let Some(line) = console::read_stdin_line()? {
        // ---- 3 write() ---------------------------------------------------
        // Without the name the reader would not know the writer, because a pipe
        // does not report it.
        pipe::write_all(&writer, &[prefix, &line, b"\n"].concat())?;
    }

    // ---- 5 close() -------------------------------------------------------
    // With two FIFOs the other side now reads 0, and its own direction is
    // still open, as after a half-close.
    net::close(writer);
    TYPED.store(true, Ordering::Release);
    Ok(())
}

/// Two FIFOs. open() waits until the other side opens the same FIFO. If each
/// side began with the one it writes into, both would wait without end. So both
/// begin with the FIFO that has the lower inode number. If both sides name the
/// FIFOs in the same order, they still wait without end.
fn open_crosswise(out: &Path, back: &Path) -> Result<(OwnedFd, OwnedFd)> {
    let number = |path: &Path| {
        let found = fs::metadata(path);
        let found = found.map_err(|e| Error::new("stat", path.display(), e))?;
        Ok::<_, Error>((found.dev(), found.ino()))
    };
    let (first, second) = (number(out)?, number(back)?);
    if first == second {
        return Err(Error::other("these are two names of one FIFO"));
    }
    say!(
        "waiting for the other side: pipes-fifo-talk {} {}",
        back.display(),
        out.display()
    );
    let read = || fifo::open(back, OFlags::RDONLY, Some(WAIT));
    let write = || fifo::open(out, OFlags::WRONLY, Some(WAIT));
    if first < second {
        let writer = write()?;
        Ok((read()?, writer))
    } else {
        Ok((read()?, write()?))
    }
}

/// Prints each line and its writer. With two FIFOs, until the other side
/// closes. With `one`, until the input has ended and the FIFO is empty, because
/// unread bytes are lost when the last process closes it.
fn print_all(reader: &OwnedFd, own: &[u8], one: bool) -> Result<()> {
    let limit = if one { LOOK } else { WAIT };
    let mut buffer = [0; 4096];
    loop {
        let was_typed = TYPED.load(Ordering::Acquire);
        let watched = &mut [PollFd::new(reader, PollFlags::IN)];
        if net::poll(watched, Some(limit))? == 0 {
            if one && was_typed {
                return Ok(());
            }
            continue;
        }

        // ---- 4 read() ----------------------------------------------------
        // With one FIFO: bytes that no other process has read before.
        let count = match pipe::read(reader, &mut buffer, None) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            count => count?,
        };
        if count == 0 {
            if !one {
                say!("read() = 0: the other side has closed");
            }
            return Ok(());
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        for line in lines.split(|&byte| byte == b'\n') {
            let shown = console::escape(line);
            match line.starts_with(own) {
                true => say!("I read my own words: {shown}"),
                false => say!("I read: {shown}"),
            }
        }
        if console::is_closed() {
            return Ok(()); // nobody reads what we print
        }
    }
}

/// How long to wait for the other side.
const WAIT: Duration = Duration::from_secs(600);

/// How often to look whether the user has typed everything: soon enough for
/// a person who waits for the prompt.
const LOOK: Duration = Duration::from_millis(100);

/// The user has typed everything, and all of it is in the FIFO.
static TYPED: AtomicBool = AtomicBool::new(false);

/// Two people and one FIFO, or two: who reads what?
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// one FIFO for both directions (default /tmp/socketlab.fifo), or two:
    /// that to write into, then that to read from
    #[argh(positional)]
    fifos: Vec<PathBuf>,
    /// the name in front of each line (default: the process id)
    #[argh(option)]
    name: Option<String>,
}

const PROGRAM: Program = Program {
    lab: "pipes",
    role: Role::Other("talker"),
    port: 0,
    steps: "mkfifo open write read close",
    example: "pipes-fifo-talk /tmp/socketlab.fifo --name anna",
};
