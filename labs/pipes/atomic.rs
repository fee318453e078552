//! Two writers, one pipe: are their bytes mixed up? A write() of up to
//! PIPE_BUF bytes is atomic: its bytes stay together. Other writers' bytes
//! may come between those of a larger one [T-X3].
//!
//! ```text
//! writer A (--child A) -- 3 write "AAAA" --\
//!                                           >== 1 pipe ==> 4 read
//! writer B (--child B) -- 3 write "BBBB" --/                parent
//!   ^------------------------ 2 fork -----------------------'
//! ```

use std::io;
use std::process::Stdio;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use pipes::child::{self, Child};
use pipes::pipe;
use rustix::pipe::PIPE_BUF;
use socketlab::args::{self, Program, Role};
use socketlab::net::{self, step};
use socketlab::{Error, Result, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let count = args::in_range("--count", args.count, 1, 1_000_000);
    let size = args.size.map(|n| args::in_range("--size", n, 1, 1 << 20));
    for size in size.map_or(vec![PIPE_BUF, PIPE_BUF + 1], |size| vec![size]) {
        match args.child {
            Some(letter) => return write_records(letter, size, count),
            None => watch_two_writers(size, count)?,
        }
    }
    Ok(())
}

/// Starts both writers, reads what they wrote, and prints a summary. A torn
/// write proves that writes can be torn; its absence proves nothing. (viva 9)
fn watch_two_writers(size: usize, count: usize) -> Result<()> {
    // ---- 1 pipe() --------------------------------------------------------
    // As in ordinary.rs. Every process that holds a write end is a writer.
    // Python: os.pipe() C: pipe(fd)
    let (reader, writer) = step("pipe", None, "", io::pipe)?;

    // ---- 2 fork() --------------------------------------------------------
    // Twice: both children have the same pipe for descriptor 1, like two
    // programs whose output a shell sends into one pipe.
    let mut children = Vec::new();
    for letter in ["A", "B"] {
        let (size, count) = (size.to_string(), count.to_string());
        let words = ["--child", letter, "--size", &size, "--count", &count];
        let end = child::copy(&writer)?;
        children.push(Child::start(&words, Stdio::null(), end)?);
    }

    // ---- 5 close() -------------------------------------------------------
    // This process's own write end; while it is open, end of file cannot come.
    net::close(writer);
    let mut runs = Runs { size, ..Runs::default() };
    let mut buffer = vec![0; 4096];
    loop {
        // ---- 4 read() ----------------------------------------------------
        // A page at a time, so that the pipe is usually full. Then writers
        // wait, and a large write() is split.
        match pipe::read(&reader, &mut buffer, Some(PATIENCE))? {
            0 => break,
            got => runs.take(buffer.get(..got).unwrap_or_default()),
        }
    }
    runs.end();
    for child in &mut children {
        child.wait_within(PATIENCE)?;
    }
    let (torn, total) = (runs.torn, runs.all);
    say!(
        "2 writers, {count} writes of {size} bytes each: the letter changed \
         {total} times, {torn} times inside a write()"
    );
    match (torn, size <= PIPE_BUF) {
        (0, true) => say!("  and never can: {size} <= PIPE_BUF, atomic"),
        (0, false) => say!("  not this time: it may happen, it need not"),
        (_, true) => return Err(Error::other("a small write was torn")),
        (_, false) => say!("  as it may: {size} > PIPE_BUF ({PIPE_BUF})"),
    }
    Ok(())
}

/// A writer: the same letter, `size` times in each write().
fn write_records(letter: char, size: usize, count: usize) -> Result<()> {
    let record = letter.to_string().repeat(size);
    for _ in 0..count {
        // ---- 3 write() ---------------------------------------------------
        // Small: waits until there is room for all of it. Large: fills the
        // room there is, waits, continues; meanwhile the other may write.
        pipe::write_all(&io::stdout(), record.as_bytes())?;
    }
    Ok(())
}

/// Counts runs of one letter. A run of complete records has a length that is
/// a multiple of their size; any other run was cut by the other writer.
#[derive(Default)]
struct Runs {
    size: usize,
    letter: u8,
    length: usize, // of the run so far
    all: usize,
    torn: usize,
}

impl Runs {
    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != self.letter {
                self.end();
                (self.letter, self.length) = (byte, 0);
            }
            self.length += 1;
        }
    }

    fn end(&mut self) {
        if self.length > 0 {
            self.all += 1; // the first change is from nothing
            self.torn += usize::from(!self.length.is_multiple_of(self.size));
        }
    }
}

/// How long the writers may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lets two processes write into one pipe, and counts the torn writes.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// bytes of each write() (default: PIPE_BUF, and then one more)
    #[argh(option)]
    size: Option<usize>,
    /// how often each of the two writes (default 2000)
    #[argh(option, default = "2000")]
    count: usize,
    /// a writer, and its letter
    #[argh(option, hidden_help)]
    child: Option<char>,
}

const PROGRAM: Program = Program {
    lab: "pipes",
    role: Role::Other("pipe"),
    port: 0,
    steps: "pipe fork write read close",
    example: "pipes-atomic --size 65536",
};
