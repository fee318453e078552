//! Two pipes, two directions: the parent asks, the child answers in capitals.
//! Handout T: two directions need two ordinary pipes [T-X3].
//!
//! ```text
//! parent                                        child (--child)
//!   |  1 pipe  down [3]<====[4]
//!   |  2 pipe  up   [5]<====[6]
//!   |  3 fork  ------------------------------->  exec, [3] is its [0]
//!   |  4 close [3] [6]                           and [6] is its [1]
//!   |  5 write --- "hello\n" ---> down -------->  read
//!   |  6 read  <-- "HELLO\n" ---- up <----------  write
//!   |  7 close down --- end of file ----------->  ends
//! ```
//!
//! --one-pipe shows why one is not enough, --deadlock how two can block both
//! processes.

use std::io::{self, PipeReader, PipeWriter};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use pipes::child::{self, Child};
use pipes::pipe;
use socketlab::args::{self, Program, Role};
use socketlab::net::{self, PollFd, PollFlags, step};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    if args.child {
        return answer_all(args.one_pipe);
    }
    if args.one_pipe {
        return ask_by_one_pipe();
    }

    // ---- 1 pipe() --------------------------------------------------------
    // The pipe to the child. C: pipe(down): down[0] is the read end and down[1]
    // the write end.
    let (child_reads, down) = step("pipe", None, "", io::pipe)?;

    // ---- 2 pipe() --------------------------------------------------------
    // The pipe to the parent, because a pipe carries bytes in one direction
    // only. (viva 7)
    let (up, child_writes) = step("pipe", None, "", io::pipe)?;

    // ---- 3 fork() --------------------------------------------------------
    // Both processes now have all four ends, and each needs two of them.
    let stdin = child::copy(&child_reads)?;
    let stdout = child::copy(&child_writes)?;
    let mut child = Child::start(&["--child"], stdin, stdout)?;

    // ---- 4 close() -------------------------------------------------------
    // Closes the child's ends. Without the second close() our read() would
    // never return 0, even after the child's end, because this process could
    // still write.
    net::close(child_reads);
    net::close(child_writes);
    if args.deadlock {
        return write_all_then_read(&down);
    }
    console::prompt_person("Type lines; Ctrl-D is the end.\n");
    while let Some(mut line) = console::read_stdin_line()? {
        line.push(b'\n');
        let mut answer = Vec::new();
        for piece in line.chunks(PIECE) {
            // ---- 5 write() -----------------------------------------------
            // A piece, then its answer, so that neither pipe becomes full. A
            // program that writes more must read meanwhile. (viva 8)
            pipe::write_all(&down, piece)?;

            // ---- 6 read() ------------------------------------------------
            // As many bytes as were sent, in one piece or several.
            answer.extend(read_exactly(&up, piece.len())?);
        }
        say!("answer: {}", console::escape(answer.trim_ascii_end()));
        if console::is_closed() {
            break; // nobody reads what we print: `… | head -1`
        }
    }

    // ---- 7 close() -------------------------------------------------------
    // The child reads end of file, ends, and closes its own ends.
    net::close(down);
    if let Some(status) = child.wait_within(PATIENCE)? {
        say!("my child has ended, {status}");
    }
    Ok(())
}

fn read_exactly(from: &PipeReader, count: usize) -> Result<Vec<u8>> {
    let mut answer = vec![0; count];
    let mut done = 0;
    while done < count {
        let rest = answer.get_mut(done..).unwrap_or_default();
        match pipe::read(from, rest, Some(PATIENCE))? {
            0 => return Err(Error::other("the child has closed its end")),
            more => done += more,
        }
    }
    Ok(answer)
}

/// The child reads from descriptor 0 and writes upper case to 1. It is a filter
/// like `tr a-z A-Z`, which does not know about pipes.
fn answer_all(one_pipe: bool) -> Result<()> {
    if one_pipe {
        child::end_with_parent()?; // because no end of file will end it
    }
    let mut buffer = [0; 4096];
    loop {
        let count = pipe::read(&io::stdin(), &mut buffer, None)?;
        let bytes = buffer.get_mut(..count).unwrap_or_default();
        bytes.make_ascii_uppercase();
        match count {
            0 => return Ok(()),
            _ => pipe::write_all(&io::stdout(), bytes)?,
        }
    }
}

/// `--one-pipe`: parent and child both write into the same pipe and both read
/// from it. A byte goes to the process that reads first, which may be its
/// writer, because a pipe has descriptors but no sides. (viva 7) (try 3)
fn ask_by_one_pipe() -> Result<()> {
    let (reader, writer) = step("pipe", None, "", io::pipe)?;
    let (stdin, stdout) = (child::copy(&reader)?, child::copy(&writer)?);
    let _child = Child::start(&["--child", "--one-pipe"], stdin, stdout)?;
    let mut own = 0;
    for _ in 0..ROUNDS {
        pipe::write_all(&writer, QUESTION)?;
        let answer = read_exactly(&reader, QUESTION.len())?;
        own += usize::from(answer == QUESTION);
    }
    say!(
        "{ROUNDS} questions: {own} read back by their own writer, {} answered",
        ROUNDS - own
    );
    Ok(())
}

/// `--deadlock`: both pipes fill up, and then each process waits in write()
/// for the other to read.                                 (viva 8) (try 4)
fn write_all_then_read(down: &PipeWriter) -> Result<()> {
    let chunk = [b'x'; 4096];
    let mut written = 0;
    while written < 1024 * 1024 {
        // poll() reports that a page of the pipe is free, so write() does not
        // wait.
        let watched = &mut [PollFd::new(down, PollFlags::OUT)];
        if net::poll(watched, Some(STUCK))? == 0 {
            return Err(Error::other(format!(
                "deadlock, as promised: {written} bytes written, 0 read; the \
                 child waits in write() until we read, we wait until it reads"
            )));
        }
        written += pipe::write(down, &chunk)?;
    }
    Err(Error::other("no deadlock: these pipes hold a mebibyte"))
}

/// How long the child may take for an answer, or to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A write() that makes no progress for this time is stuck.
const STUCK: Duration = Duration::from_secs(1);

/// Bytes written before the answer is read: less than a pipe holds.
const PIECE: usize = 4096;

/// Rounds of --one-pipe, and the question: the answer is in capitals.
const ROUNDS: usize = 1000;
const QUESTION: &[u8; 8] = b"question";

/// Sends each line that is typed to a child, which answers in capitals.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// fails on purpose: one pipe for both directions; of 1000 questions,
    /// how many does the parent read back itself?
    #[argh(switch)]
    one_pipe: bool,
    /// fails on purpose: the parent writes a mebibyte before it reads
    #[argh(switch)]
    deadlock: bool,
    /// internal: the child's half of this program
    #[argh(switch, hidden_help)]
    child: bool,
}

const PROGRAM: Program = Program {
    lab: "pipes",
    role: Role::Other("pipe"),
    port: 0,
    steps: "pipe pipe fork close write read close",
    example: "pipes-both-ways",
};
