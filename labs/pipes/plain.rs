//! One ordinary pipe, as handout T describes it [T-X3]: the parent writes
//! into one end, its child reads from the other. ordinary.rs is the next
//! stage.
//!
//! ```text
//! parent               kernel                 child
//!   |  1 pipe      [3]<==(64 KiB)<==[4]
//!   |  2 fork  ----------------------------->  |  inherits [3] as its [0]
//!   |  3 write "hello\n" --> (hello\n) ----->  |  4 read = 6
//!   |  5 close [4] ------- end of file ----->  |  4 read = 0
//!   |  6 wait  <-----------------------------  exit
//! ```

use std::io::{self, PipeWriter, Read, Write};
use std::process::{Command, Stdio};
use std::{env, process};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Program, Role};
use socketlab::net::{self, step};
use socketlab::{Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    if args.child {
        return read_to_the_end(); // this process is the child
    }

    // ---- 1 pipe() --------------------------------------------------------
    // Python: reading, writing = os.pipe(). C: pipe(fd). A buffer in the kernel
    // and two descriptors for it, "two end points": bytes written to one are
    // read from the other. It has no name, so only a process that has made or
    // inherited it can use it. (viva 1)
    let (reading, writing) = step("pipe", None, "", io::pipe)?;

    // ---- 2 fork() --------------------------------------------------------
    // Python: os.fork(). Rust starts a program with `Command`, here this one a
    // second time. The child gets the reading end for its standard input.
    // Closes our own copy; the write end stays open here. If the child had a
    // copy of the write end, it would never read end of file. (viva 2) (try 2)
    let program = env::current_exe()
        .map_err(|error| socketlab::Error::new("readlink", "", error))?;
    let mut child = None;
    step("fork", None, "", || {
        let input = Stdio::from(reading.try_clone()?);
        let mut command = Command::new(&program);
        let started = command.arg("--child").stdin(input).spawn()?;
        let pid = started.id() as usize;
        child = Some(started);
        Ok(pid)
    })?;
    net::close(reading);
    say!("parent {}: type lines; Ctrl-D is the end", process::id());
    write_lines(writing)?;

    // ---- 6 wait() --------------------------------------------------------
    // Python: os.waitpid(). Until its parent asks for its status, a child that
    // has ended stays as a zombie.
    if let Some(mut child) = child {
        step("wait", None, child.id(), || child.wait().map(|_| ()))?;
    }
    say!("parent {}: my child has ended", process::id());
    Ok(())
}

/// The parent's half.
fn write_lines(mut writing: PipeWriter) -> Result<()> {
    while let Some(mut line) = console::read_stdin_line()? {
        line.push(b'\n');

        // ---- 3 write() ---------------------------------------------------
        // Python: os.write(writing, line). Copies bytes into the kernel's
        // buffer. If it is full (64 KiB), the call waits for the reader. If the
        // child has ended, it fails with EPIPE. (viva 4) (viva 6) Limit: one
        // direction, so the child cannot answer. both_ways.rs has a second pipe
        // for that. (viva 7) (try 3)
        step("write", None, "…", || writing.write_all(&line))?;
    }

    // ---- 5 close() -------------------------------------------------------
    // Python: os.close(writing). The last write end: the child reads the rest,
    // and then 0 bytes. (viva 3)
    net::close(writing);
    Ok(())
}

/// The child's half: reads its standard input, which is the pipe.
fn read_to_the_end() -> Result<()> {
    let mut buffer = [0; 4096];
    loop {
        // ---- 4 read() ----------------------------------------------------
        // Python: os.read(0, 4096). Waits until bytes are there, and returns
        // them: perhaps two lines at once, or half of a long one. 0 is end of
        // file: no write end is open any more. (viva 3) (viva 5)
        let count = step("read", None, "0", || io::stdin().read(&mut buffer))?;
        if count == 0 {
            say!("child {}: end of file", process::id());
            return Ok(());
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        say!("child {}: {}", process::id(), console::escape(bytes));
    }
}

/// Sends each line that is typed through a pipe to a child process.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// internal: the child's half of this program
    #[argh(switch, hidden_help)]
    child: bool,
}

const PROGRAM: Program = Program {
    lab: "pipes",
    role: Role::Other("pipe"),
    port: 0,
    steps: "pipe fork write read close wait",
    example: "pipes-plain",
};
