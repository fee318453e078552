//! Is a named pipe two-way? Handout T says so; try it [T-X3]. With one FIFO,
//! opened for reading and writing, each side also reads its own words. With
//! two FIFOs, crosswise, it is a conversation.
//!
//! ```text
//! one:  A --2 open O_RDWR--> (x) <--open O_RDWR-- B
//!       A --3 write "A: hi"--> (x) --4 read "A: hi"--> A, or B: whoever
//!
//! two:  A --write--> (x) --read--> B       fifo-talk x y     fifo-talk y x
//!       A <--read--- (y) <-write-- B
//! ```
//!
//! Two-way under one name is what a Unix-domain socket is: unix_server.rs.

use pipes::{ends, fifo, reading, writing};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;
use rustix::event::PollFlags;
use rustix::fs::OFlags;
use socketlab::args::{self, Program};
use socketlab::{Error, Result, console, say, warn};

/// How long to wait for the other side.
const WAIT: Duration = Duration::from_secs(600);

/// After this much of it comes a hint.
const HINT: Duration = Duration::from_secs(4);

/// How long somebody may take to read our last words, and how often to look.
const LAST_WORDS: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);

const PROGRAM: Program = Program {
    lab: "pipes",
    role: "talker",
    port: 0,
    steps: "mkfifo open write read close",
    example: "pipes-fifo-talk /tmp/socketlab.fifo --name anna",
};

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

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let name = args.name.unwrap_or_else(|| process::id().to_string());
    let (out, back) = match args.fifos.as_slice() {
        [] => (PathBuf::from(fifo::DEFAULT), None),
        [one] => (one.clone(), None),
        [out, back] => (out.clone(), Some(back.clone())),
        _ => args::usage("give one FIFO, or two"),
    };

    // ---- 1 mkfifo() ------------------------------------------------------
    // One name, or two.
    fifo::make(&out)?;
    if let Some(back) = &back {
        fifo::make(back)?;
    }

    // ---- 2 open() --------------------------------------------------------
    // O_RDWR does not wait for anybody, and is no channel to anybody either:
    // both descriptors lead to the one buffer.          (viva 12) (try 9)
    let (reader, writer) = match &back {
        None => {
            let both = fifo::open(&out, OFlags::RDWR, "O_RDWR", None)?;
            (both.try_clone().map_err(|e| Error::new("dup", "", e))?, both)
        }
        Some(back) => open_crosswise(&out, back)?,
    };
    say!("open; type, and I print what I read");
    let reader = Arc::new(Mutex::new(reader));
    let rest = reader.clone();
    let (own, one) = (format!("{name}: "), back.is_none());
    let prefix = own.clone();
    thread::Builder::new()
        .name("reading".into())
        .spawn(move || {
            let result = print_all(&reader, &prefix);
            if let Err(error) = &result {
                warn!("Error: {error}");
            }
            process::exit(i32::from(result.is_err()));
        })
        .map_err(|error| Error::new("spawn", "reading", error))?;
    while let Some(line) = console::read_stdin_line()? {
        let line = [own.as_bytes(), &line, b"\n"].concat();

        // ---- 3 write() ---------------------------------------------------
        // In front of each line its writer's name: the pipe has none.
        writing::write_all(&writer, &line)?;
    }

    if one {
        wait_until_read(&writer, &rest)?;
    }

    // ---- 5 close() -------------------------------------------------------
    // With two FIFOs the other side now reads 0; with one it never does,
    // because it could still write itself.
    ends::close(writer);
    if !one {
        // The other direction is still open, as after a half-close.
        thread::sleep(WAIT);
    }
    Ok(())
}

/// One FIFO: what nobody has read when the last one closes it is lost. Waits
/// until all is read, by us or by others, and what we read is printed.
fn wait_until_read(fifo: &OwnedFd, reader: &Mutex<OwnedFd>) -> Result<()> {
    let deadline = Instant::now() + LAST_WORDS;
    loop {
        let left = rustix::io::ioctl_fionread(fifo)
            .map_err(|e| Error::new("ioctl", "FIONREAD", e.into()))?;
        if left == 0 {
            // Our reader may be between read() and print: it has the lock.
            drop(reader.try_lock_until(deadline));
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(Error::other(format!(
                "nobody has read the last {left} bytes: they are lost"
            )));
        }
        thread::sleep(LOOK);
    }
}

/// Two FIFOs. open() waits for the other side to open the same one: if each
/// side began with the one it writes into, both would wait for ever. So both
/// begin with the same FIFO, the one with the lower inode number.
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
    say!("waiting for the other side");
    let waiting = hint_later(out, back)?;
    let read = || fifo::open(back, OFlags::RDONLY, "O_RDONLY", Some(WAIT));
    let write = || fifo::open(out, OFlags::WRONLY, "O_WRONLY", Some(WAIT));
    let both = if first < second {
        let writer = write()?;
        (read()?, writer)
    } else {
        let reader = read()?;
        (reader, write()?)
    };
    drop(waiting);
    Ok(both)
}

/// If nobody has come after a while, says what the other side must type: with
/// the FIFOs in the same order on both sides, both wait for ever.
fn hint_later(out: &Path, back: &Path) -> Result<Sender<()>> {
    let (waiting, met) = bounded::<()>(0);
    let words = format!(
        "still waiting. The other side wants the FIFOs in the other order: \
         pipes-fifo-talk {} {}",
        back.display(),
        out.display()
    );
    thread::Builder::new()
        .name("hint".into())
        .spawn(move || {
            if met.recv_timeout(HINT) == Err(RecvTimeoutError::Timeout) {
                warn!("{words}");
            }
        })
        .map_err(|error| Error::new("spawn", "hint", error))?;
    Ok(waiting)
}

/// Prints what comes, and whose words they are.
fn print_all(reader: &Mutex<OwnedFd>, own: &str) -> Result<()> {
    let mut buffer = [0; 4096];
    let watched = reader.lock().try_clone();
    let watched = watched.map_err(|e| Error::new("dup", "", e))?;
    loop {
        if !reading::ready(&watched, PollFlags::IN, WAIT)? {
            continue;
        }
        let reader = reader.lock(); // until it is printed
        // ---- 4 read() ----------------------------------------------------
        // With one FIFO: what nobody else has read before.
        let count = reading::read(&*reader, &mut buffer, None)?;
        if count == 0 {
            say!("read() = 0: the other side has closed");
            return Ok(());
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        for line in bytes.split(|&byte| byte == b'\n') {
            let shown = console::escape_short(line, 200);
            match line.strip_prefix(own.as_bytes()) {
                Some(_) => say!("I read my own words: {shown}"),
                None if line.is_empty() => {}
                None => say!("I read: {shown}"),
            }
        }
        if console::is_closed() {
            return Ok(()); // nobody reads what we print
        }
    }
}
