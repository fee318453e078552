//! How much a pipe holds, and that write() waits when it is full. The same
//! holds for an ordinary pipe and for a named one [T-X3].
//!
//! ```text
//! main                       the pipe                 thread "writing"
//!   |  1 pipe                (empty)
//!   |  2 write, again and
//!   |    again, until EAGAIN (full)
//!   |                        (full) <------ 2 write, and it waits
//!   |  3 read 1 byte <------ (a page is not free yet)  still waits
//!   |  3 read the page <---- (room) <-----------------  returns
//!   |  4 close
//! ```
//!
//! On Linux the buffer is a ring of 16 pages, so its size counts in pages: with
//! --chunk 2049 it holds half as many bytes.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use crossbeam_channel::bounded;
use pipes::{fifo, pipe};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::pipe::PIPE_BUF;
use socketlab::args::{self, Program, Role};
use socketlab::net::{self, step};
use socketlab::{Error, Result, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let chunk = args::in_range("--chunk", args.chunk, 1, 65_536);

    // ---- 1 pipe() --------------------------------------------------------
    // Or open() on a FIFO, which has the same buffer in the kernel. It is
    // opened for reading and writing, so that open() does not wait for another
    // process.
    let (reader, writer) = match &args.fifo {
        None => {
            let (reader, writer) = step("pipe", None, "", io::pipe)?;
            (OwnedFd::from(reader), OwnedFd::from(writer))
        }
        Some(path) => {
            fifo::make(path)?;
            refuse_readers(path)?;
            let end = fifo::open(path, OFlags::RDWR, None)?;
            (end.try_clone().map_err(|e| Error::new("dup", "", e))?, end)
        }
    };
    let size = args.size.map(|size| args::in_range("--size", size, 1, 1 << 30));
    let size = set_size(&writer, size)?;
    say!("the pipe has {size} bytes of pages; PIPE_BUF is {PIPE_BUF}");

    // ---- 2 write() -------------------------------------------------------
    // Non-blocking, so that a full pipe is an error (EAGAIN) instead of a wait.
    // Up to PIPE_BUF bytes fit together or not at all; of more, a part may fit.
    // (viva 6) (try 5)
    set_nonblocking(&writer, true)?;
    let data = vec![b'x'; chunk];
    let mut held = 0;
    loop {
        match pipe::write(&writer, &data) {
            Ok(count) => held += count,
            Err(error) if error.is_timeout() => break, // EAGAIN
            Err(error) => return Err(error),
        }
    }
    say!("full: it took {held} bytes, {chunk} at a time");
    let more = data.get(..chunk.min(PIPE_BUF)).unwrap_or_default();
    watch_a_writer_wait(&reader, writer, more.to_vec(), held)
}

/// `fcntl(F_SETPIPE_SZ)`, if another size is wanted, and `F_GETPIPE_SZ`.
#[cfg(target_os = "linux")]
fn set_size(pipe: &OwnedFd, wanted: Option<usize>) -> Result<String> {
    use rustix::pipe::{fcntl_getpipe_size, fcntl_setpipe_size};
    if let Some(size) = wanted {
        fcntl_setpipe_size(pipe, size)
            .map_err(|e| Error::new("fcntl", "F_SETPIPE_SZ", e.into()))?;
    }
    let size = fcntl_getpipe_size(pipe)
        .map_err(|e| Error::new("fcntl", "F_GETPIPE_SZ", e.into()))?;
    Ok(size.to_string())
}

/// Other systems do not let a program ask, or choose.
#[cfg(not(target_os = "linux"))]
fn set_size(_: &OwnedFd, wanted: Option<usize>) -> Result<String> {
    match wanted {
        None => Ok("an unknown number of".into()),
        Some(_) => args::usage("--size is for Linux: F_SETPIPE_SZ"),
    }
}

/// A FIFO that another process reads never becomes full. Opening it for writing
/// without a wait works only if a process has it open for reading. (viva 10)
fn refuse_readers(path: &Path) -> Result<()> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK;
    match fifo::open(path, flags, None) {
        Ok(_) => Err(Error::other(format!(
            "{0} is open for reading somewhere (lsof {0} shows where), and \
             that process would empty it again: end it first",
            path.display()
        ))),
        Err(e) if e.errno() == Some(Errno::NXIO.raw_os_error()) => Ok(()),
        Err(error) => Err(error),
    }
}

/// One more write(), by a thread that may wait in it.
fn watch_a_writer_wait(
    reader: &OwnedFd,
    writer: OwnedFd,
    more: Vec<u8>,
    held: usize,
) -> Result<()> {
    set_nonblocking(&writer, false)?;
    let size = more.len();
    let (done, written) = bounded(1);
    thread::Builder::new()
        .name("writing".into())
        .spawn(move || {
            let _ = done.send(pipe::write_all(&writer, &more));
            // ---- 4 close() -----------------------------------------------
            // The writer's end; this one closes when main returns.
            net::close(writer);
        })
        .map_err(|error| Error::new("spawn", "writing", error))?;
    let returned = |limit| written.recv_timeout(limit).is_ok();
    if returned(WAITS) {
        return Err(Error::other("it was not full: one write() more fitted"));
    }
    say!("{size} more: write() waits");

    // ---- 3 read() --------------------------------------------------------
    // Makes room, but only when a page of the ring is empty. A page holds as
    // many pieces as fit without a split.
    let mut taken = pipe::read(reader, &mut [0], None)?;
    if returned(WAITS) {
        say!("1 byte read: write() has returned");
        return Ok(());
    }
    say!("1 byte read: write() still waits");
    let full = PAGE / size * size; // bytes that a page holds of such pieces
    let mut page = [0; PAGE];
    while taken < held {
        let rest = page.get_mut(taken % full..full).unwrap_or_default();
        taken += pipe::read(reader, rest, None)?;
        if returned(WAITS) {
            say!("{taken} bytes read: write() has returned");
            return Ok(());
        }
    }
    Err(Error::other("the pipe is empty, and write() still waits"))
}

/// `ioctl(FIONBIO)`: chooses whether a call that would wait fails with EAGAIN.
fn set_nonblocking(end: &OwnedFd, on: bool) -> Result<()> {
    let on_call = format_args!("{}, FIONBIO, {on}", end.as_raw_fd());
    step("ioctl", None, on_call, || Ok(rustix::io::ioctl_fionbio(end, on)?))
}

/// Bytes read at once: a page of the ring, on most machines.
const PAGE: usize = 4096;

/// A write() that has not returned after this time waits; otherwise it needs
/// microseconds.
const WAITS: Duration = Duration::from_millis(300);

/// Fills a pipe, shows how much it held, and how a writer waits.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// a FIFO to fill instead of an ordinary pipe; it is made if need be
    #[argh(positional)]
    fifo: Option<PathBuf>,
    /// bytes of each write() (default 4096, at most 65536)
    #[argh(option, default = "4096")]
    chunk: usize,
    /// ask the kernel for a pipe of this many bytes (F_SETPIPE_SZ)
    #[argh(option)]
    size: Option<usize>,
}

const PROGRAM: Program = Program {
    lab: "pipes",
    role: Role::Other("pipe"),
    port: 0,
    steps: "pipe write read close",
    example: "pipes-capacity --chunk 2049",
};
