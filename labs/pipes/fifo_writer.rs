//! Writes what is typed into a named pipe (FIFO). Handout T, named pipes
//! [T-X3]. The other half is fifo_reader.rs, or `cat`, or Python; either may
//! be started first, and they need not be related.
//!
//! ```text
//! writer (this file)       the name           reader
//!   |  1 mkfifo            /tmp/x.fifo
//!   |  2 open O_WRONLY     ... waits for ...    open O_RDONLY
//!   |  3 write ----------> (64 KiB, kernel) --> read
//!   |  4 close ----------- end of file -------> read = 0
//!   v  gone                the name stays
//! ```

use std::path::PathBuf;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use pipes::{fifo, pipe};
use rustix::fs::OFlags;
use socketlab::args::{self, Program, Role};
use socketlab::{Result, console, net, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 86_400);
    let (path, shown) = (&args.path, args.path.display());

    // ---- 1 mkfifo() ------------------------------------------------------
    // Makes a name with permissions in the file system. The written bytes never
    // reach a disk. The name stays until it is removed, even after all
    // processes have ended. Python: os.mkfifo(path) C: mkfifo(path, 0600) (viva
    // 11)
    fifo::make(path)?;

    // ---- 2 open() --------------------------------------------------------
    // Waits until another process opens it for reading. connect() would fail
    // without a server; with a FIFO the order does not matter. (viva 10)
    let writer = if args.no_wait {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK; // (try 7)
        fifo::open(path, flags, None)?
    } else {
        say!("open({shown}, O_WRONLY): waiting for a reader");
        let limit = Some(Duration::from_secs(wait));
        fifo::open(path, OFlags::WRONLY, limit)?
    };
    say!("open({shown}): a reader is there; type");
    while let Some(mut line) = console::read_stdin_line()? {
        line.push(b'\n');

        // ---- 3 write() ---------------------------------------------------
        // A line of up to PIPE_BUF bytes stays together, also if others write
        // here; but the reader is not told who wrote it. (viva 9) If the reader
        // has left, only this call shows it: EPIPE.
        pipe::write_all(&writer, &line)?; // (viva 4)
    }

    // ---- 4 close() -------------------------------------------------------
    // After the last writer's close() the reader's read() returns 0. Unread
    // bytes stay available as long as the reader has the FIFO open.
    net::close(writer);
    say!("closed; {shown} is still there (rm {shown} removes it)");
    Ok(())
}

/// Writes each line that is typed into a FIFO.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the FIFO's path; it is made if it is not there (default
    /// /tmp/socketlab.fifo)
    #[argh(positional, default = "fifo::DEFAULT.into()")]
    path: PathBuf,
    /// do not wait for a reader: without one, open() fails (ENXIO)
    #[argh(switch)]
    no_wait: bool,
    /// seconds to wait for a reader (default 600)
    #[argh(option, default = "600")]
    wait: u64,
}

const PROGRAM: Program = Program {
    lab: "pipes",
    role: Role::Other("writer"),
    port: 0,
    steps: "mkfifo open write close",
    example: "pipes-fifo-writer /tmp/socketlab.fifo",
};
