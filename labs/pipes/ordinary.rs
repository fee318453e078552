//! One pipe, one direction: the parent writes, the child reads. Handout T,
//! ordinary pipes [T-X3]. The child is a second copy of this program, and the
//! pipe is its standard input.
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

use std::io::{self, PipeWriter};
use std::process::{self, Stdio};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use pipes::child::{self, Child};
use pipes::pipe;
use rustix::io::FdFlags;
use socketlab::args::{self, Program, Role};
use socketlab::net::{self, step};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    if args.child {
        return read_all(&args);
    }
    let me = process::id();

    // ---- 1 pipe() --------------------------------------------------------
    // Makes a buffer in the kernel and two descriptors, one to read from and
    // one to write to. It has no name, so only a process that inherits a
    // descriptor can use it. C: pipe(fd); Python: os.pipe().      (viva 1)
    let (reader, writer) = step("pipe", None, "", io::pipe)?;
    if args.leak {
        // exec does not close the write end now, as in a C child that does not
        // call close(fd[1]). (try 2)
        rustix::io::fcntl_setfd(&writer, FdFlags::empty())
            .map_err(|error| Error::new("fcntl", "F_SETFD", error.into()))?;
    }

    // ---- 2 fork() --------------------------------------------------------
    // In C and Python the child of fork() has copies of both descriptors.
    // Ours is a new program (exec), which keeps only the reading end, as its
    // descriptor 0.                                               (viva 2)
    let mut words = vec!["--child"];
    words.extend(args.leak.then_some("--leak"));
    words.extend(args.reader_leaves.then_some("--reader-leaves"));
    let end = child::copy(&reader)?;
    let mut child = Child::start(&words, end, Stdio::inherit())?;
    say!("parent {me}: pipe(), fork(): my child is {}", child.pid());

    // ---- 3 close() -------------------------------------------------------
    // The parent does not read. If it kept this end open, the pipe would still
    // have a reader after the child's end. Then write() would not fail, but
    // wait as soon as the pipe is full. (viva 4)
    net::close(reader);
    if args.reader_leaves {
        return write_too_late(&writer, &mut child);
    }
    console::prompt_person("Type lines; Ctrl-D is the end.\n");
    while let Some(mut line) = console::read_stdin_line()? {
        line.push(b'\n');

        // ---- 4 write() ---------------------------------------------------
        // Copies into the kernel's buffer, and returns at once while there is
        // room (64 KiB on Linux). Then it waits for the reader. (viva 6)
        pipe::write_all(&writer, &line)?;
    }

    // ---- 6 close() -------------------------------------------------------
    // The last write end: the child reads the rest of the pipe, and then 0. A
    // pipe has no other mark of its end. (viva 3)
    net::close(writer);

    // ---- 7 wait() --------------------------------------------------------
    // Until its parent asks for its status, a child that has ended stays as a
    // zombie.
    let limit = if args.leak { STUCK } else { END };
    let Some(status) = child.wait_within(limit)? else {
        return Err(Error::other(format!(
            "{limit:?} after close() child {} still waits in read(): somebody \
             holds a writing end (with --leak that is the child itself). I \
             ended it",
            child.pid()
        )));
    };
    say!("parent {me}: my child has ended, {status}");
    Ok(())
}

/// The child: reads its descriptor 0 to the end.
fn read_all(args: &Args) -> Result<()> {
    if args.leak {
        child::end_with_parent()?; // because no end of file will end it
    }
    let (me, mut buffer) = (process::id(), [0; 4096]);
    loop {
        // ---- 5 read() ----------------------------------------------------
        // Returns what is there: perhaps two lines at once, perhaps half of
        // one. A pipe is a stream of bytes, as TCP is. (viva 5)
        let count = pipe::read(&io::stdin(), &mut buffer, None)?;
        if count == 0 {
            say!("child {me}: read() = 0, end of file: nobody can write");
            return Ok(());
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        say!("child {me}: read() = {count}: {}", console::escape(bytes));
        if args.reader_leaves {
            say!("child {me}: I have read enough");
        }
        if args.reader_leaves || console::is_closed() {
            return Ok(()); // the kernel closes the reading end: EPIPE
        }
    }
}

/// `--reader-leaves`: one line while a reader exists, and one after it has
/// left. (viva 4) (try 1)
fn write_too_late(writer: &PipeWriter, child: &mut Child) -> Result<()> {
    pipe::write_all(writer, b"one\n")?;
    let status = child.wait_within(END)?;
    let status = status.map_or("it still runs".into(), |s| s.to_string());
    let me = process::id();
    say!("parent {me}: my child has ended, {status}; I write once more");
    pipe::write_all(writer, b"two\n")?;
    Err(Error::other("write() worked, so somebody still reads. Who?"))
}

/// How long the child may take to end after end of file; with --leak it never
/// does.
const END: Duration = Duration::from_secs(10);
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
    /// internal: the child's half of this program
    #[argh(switch, hidden_help)]
    child: bool,
}

const PROGRAM: Program = Program {
    lab: "pipes",
    role: Role::Other("pipe"),
    port: 0,
    steps: "pipe fork close write read close wait",
    example: "pipes-ordinary",
};
