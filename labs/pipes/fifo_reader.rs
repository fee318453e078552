//! Prints what is written into a named pipe (FIFO). Handout T, named pipes
//! [T-X3]. The other half is fifo_writer.rs, or `echo hello > FIFO`.
//!
//! ```text
//! reader (this file)       the name           writer
//!   |  1 mkfifo            /tmp/x.fifo
//!   |  2 open O_RDONLY     ... waits for ...    open O_WRONLY
//!   |  3 read <----------- (64 KiB, kernel) <-- write
//!   |  3 read = 0 <------- end of file <------- close, by the LAST one
//!   |  4 close
//!   v  5 unlink            (with --remove)
//! ```

use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use pipes::name::OwnName;
use pipes::{fifo, pipe};
use rustix::fs::OFlags;
use socketlab::args::{self, Program, Role};
use socketlab::{Result, console, net, say, signals};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 86_400);

    // ---- 1 mkfifo() ------------------------------------------------------
    // The first of the two programs makes the name; the other uses it.
    fifo::make(&args.path)?;
    let name = Arc::new(OwnName::of(&args.path)?);
    let same = name.clone();
    signals::on_signal(move || {
        if ENDING.swap(true, Ordering::Relaxed) {
            return; // it ends anyway
        }
        if args.remove {
            remove(&same);
        }
        console::last_line("bye");
        process::exit(0);
    })?;

    let done = read_all(&args.path, args.stay, Duration::from_secs(wait));
    while ENDING.swap(true, Ordering::Relaxed) {
        thread::park(); // the signal's thread ends the program
    }
    if args.remove {
        remove(&name); // also if nobody came
    }
    done
}

/// Prints what all writers write.
fn read_all(path: &Path, stay: bool, wait: Duration) -> Result<()> {
    // ---- 2 open() --------------------------------------------------------
    // Waits for a writer. With --stay it is opened for writing, too (Linux).
    // Then open() does not wait, and this process itself stays a writer, so
    // that end of file does not come between two writers. Closing and opening
    // again instead would lose bytes written meanwhile. (try 8)
    let shown = path.display();
    let reader = if stay {
        fifo::open(path, OFlags::RDWR, None)?
    } else {
        say!("open({shown}, O_RDONLY): waiting for a writer");
        fifo::open(path, OFlags::RDONLY, Some(wait))?
    };
    say!("open({shown}): open for reading");
    let mut buffer = [0; 4096];
    loop {
        // ---- 3 read() ----------------------------------------------------
        // Bytes of any writer, in the order of their write() calls; two of them
        // may come in one read(). 0: the last writer has closed, and nothing is
        // left. Another may come later, but this program does not wait. (viva
        // 3)
        let count = pipe::read(&reader, &mut buffer, None)?;
        if count == 0 {
            say!("read() = 0, end of file: the last writer has closed");
            break;
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        say!("read() = {count}: {}", console::escape(bytes));
        if console::is_closed() {
            break; // nobody reads what we print: `… | head -1`
        }
    }

    // ---- 4 close() -------------------------------------------------------
    // Without a reader the next write() fails. Bytes in the pipe that were not
    // read are lost: the name remains, its contents do not. (viva 11)
    net::close(reader);
    Ok(())
}

/// A process that has the FIFO open does not notice. A process that opens the
/// name afterwards gets a new FIFO, or ENOENT.
fn remove(name: &OwnName) {
    // ---- 5 unlink() ------------------------------------------------------
    // The handout's "explicitly deleted". C: unlink(), shell: rm.
    name.remove();
}

/// Either a signal or main ends the program, not both, because a signal
/// interrupts open(), which would then look for a removed name.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Prints what anybody writes into a FIFO.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the FIFO's path; it is made if it is not there (default
    /// /tmp/socketlab.fifo)
    #[argh(positional, default = "fifo::DEFAULT.into()")]
    path: PathBuf,
    /// stay for one writer after the other, until Ctrl-C
    #[argh(switch)]
    stay: bool,
    /// remove the name at the end, Ctrl-C included
    #[argh(switch)]
    remove: bool,
    /// seconds to wait for the first writer (default 600)
    #[argh(option, default = "600")]
    wait: u64,
}

const PROGRAM: Program = Program {
    lab: "pipes",
    role: Role::Other("reader"),
    port: 0,
    steps: "mkfifo open read close unlink",
    example: "pipes-fifo-reader /tmp/socketlab.fifo --stay",
};
