//! One pipe, one direction: the parent writes, the child reads. Handout T,
//! ordinary pipes [T-X3]. Both are this program: the child is a second copy
//! of it, started with --child, and its standard input is the pipe.
//!
//! ```text
//! parent               kernel                 child
//!   |  1 pipe      [3]<==(64 KiB)<==[4]
//!   |  2 fork  ----------------------------->  |  exec, [3] is its [0]
//!   |  3 close [3]                             |
//!   |  4 write "hello\n" --> (hello\n) ----->  |  5 read = 6
//!   |  6 close [4] ------- end of file ----->  |  5 read = 0
//!   |  7 wait  <-----------------------------  exit
//! ```
//!
//! What closes what is the lesson: --leak and --reader-leaves get it wrong
//! on purpose.

use std::io::{self, PipeWriter};
use std::process::{self, Stdio};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use pipes::child::{self, Child};
use pipes::pipe;
use rustix::io::FdFlags;
use socketlab::args::{self, Program, Role};
use socketlab::net::step;
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    if args.child {
        args.parent.map_or(Ok(()), child::end_with_parent)?;
        return read_all(args.reader_leaves);
    }
    let parent = process::id();

    // ---- 1 pipe() --------------------------------------------------------
    // A buffer in the kernel and two descriptors for it, one to read from
    // and one to write to. It has no name: a process must inherit one of the
    // descriptors, or be given it.                                (viva 1)
    // C fills in int fd[2]; Python: r, w = os.pipe(). Both ends are closed at
    // exec (O_CLOEXEC) unless they are handed on.
    let (reader, writer) = step("pipe", None, "", io::pipe)?;
    if args.leak {
        // Not closed at exec: a frequent mistake in C, where the child must
        // call close(fd[1]) itself.                               (try 2)
        rustix::io::fcntl_setfd(&writer, FdFlags::empty())
            .map_err(|error| Error::new("fcntl", "F_SETFD", error.into()))?;
    }

    // ---- 2 fork() --------------------------------------------------------
    // Here C and Python would call fork(), and the child would have copies
    // of both descriptors. Ours is a new program (exec) that keeps only the
    // reading end, as its descriptor 0.                           (viva 2)
    let mut words = vec!["--child"];
    words.extend(args.reader_leaves.then_some("--reader-leaves"));
    let pid = parent.to_string();
    if args.leak {
        words.extend(["--parent", &pid]); // no end of file will end it
    }
    let end = child::copy(&reader)?;
    let mut child = Child::start(&words, end, Stdio::inherit())?;
    say!("parent {parent}: pipe(), fork(): my child is {}", child.pid());

    // ---- 3 close() -------------------------------------------------------
    // The end that we do not use. If it stayed open, a write() after the
    // child's death would still have a reader, ourselves, and would wait
    // when the pipe is full.                                      (viva 4)
    pipe::close(reader);
    if args.reader_leaves {
        return write_too_late(&writer, &mut child);
    }
    console::prompt_person("Type lines; Ctrl-D is the end.\n");
    while let Some(mut line) = console::read_stdin_line()? {
        line.push(b'\n');

        // ---- 4 write() ---------------------------------------------------
        // Into the kernel's buffer, and back at once while there is room: 64
        // KiB on Linux. Then write() waits for the reader. (viva 6) (try 5)
        pipe::write_all(&writer, &line)?;
    }

    // ---- 6 close() -------------------------------------------------------
    // The last writing end: the child reads what is left in the pipe, and
    // then 0. A pipe has no other way to say "the end".           (viva 3)
    pipe::close(writer);

    // ---- 7 wait() --------------------------------------------------------
    // Until its parent asks for its status, a dead child stays as a zombie.
    let limit = if args.leak { STUCK } else { END };
    match child.wait_within(limit)? {
        Some(status) => say!("parent {parent}: my child has ended, {status}"),
        None => {
            return Err(Error::other(format!(
                "{limit:?} after close() child {} still waits in read(): \
                 somebody holds a writing end (with --leak that is the child \
                 itself). I ended it",
                child.pid()
            )));
        }
    }
    Ok(())
}

/// The child: reads its descriptor 0 to the end.
fn read_all(leaves: bool) -> Result<()> {
    let me = process::id();
    let mut buffer = [0; 4096];
    loop {
        // ---- 5 read() ----------------------------------------------------
        // What is there, perhaps two lines of the parent at once, perhaps
        // half of one: a pipe is a stream of bytes, as TCP is.   (viva 5)
        let count = pipe::read(&io::stdin(), &mut buffer, None)?;
        if count == 0 {
            say!("child {me}: read() = 0, end of file: nobody can write");
            return Ok(());
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        let shown = console::escape_short(bytes, 60);
        say!("child {me}: read() = {count}: {shown}");
        if console::is_closed() {
            return Ok(()); // `… | head -1`; our parent hears of it: EPIPE
        }
        if leaves {
            say!("child {me}: I have read enough");
            return Ok(()); // and the kernel closes the reading end
        }
    }
}

/// `--reader-leaves`: one line while there is a reader, one when there is
/// none.                                                 (viva 4) (try 1)
fn write_too_late(writer: &PipeWriter, child: &mut Child) -> Result<()> {
    let parent = process::id();
    pipe::write_all(writer, b"one\n")?;
    let status = child.wait_within(END)?;
    let status = status.map_or("it still runs".into(), |s| s.to_string());
    say!("parent {parent}: my child has ended, {status}; I write once more");
    pipe::write_all(writer, b"two\n")?;
    Err(Error::other("write() worked, so somebody still reads. Who?"))
}

/// How long the child may take to end once it has its end of file.
const END: Duration = Duration::from_secs(10);

/// With --leak it never does.
const STUCK: Duration = Duration::from_secs(1);

/// Sends each line that is typed through a pipe to a child process.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// fails on purpose: the child reads once and leaves, and the next
    /// write() finds nobody (EPIPE)
    #[argh(switch)]
    reader_leaves: bool,
    /// fails on purpose: the child inherits the writing end, too, and so
    /// never sees the end of file
    #[argh(switch)]
    leak: bool,
    /// the child's half of this program
    #[argh(switch, hidden_help)]
    child: bool,
    /// the child's parent, with which it ends
    #[argh(option, hidden_help)]
    parent: Option<u32>,
}

const PROGRAM: Program = Program {
    lab: "pipes",
    role: Role::Other("pipe"),
    port: 0,
    steps: "pipe fork close write read close wait",
    example: "pipes-ordinary",
};
