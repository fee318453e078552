//! fork() and exec(): the parent's half of a family. Safe Rust has no bare
//! fork(), because only the calling thread lives on in the copy, in the
//! middle of whatever the others did. `Command` does fork and exec in one.
//!
//! ```text
//! C                                      here
//! if (fork() == 0) {                     Command::new(this program)
//!     dup2(fd[0], 0);                      .stdin(the reading end)
//!     execv(program, {"--child"});         .arg("--child")
//! }                                        .spawn()
//! ```
//!
//! Python's os.fork() shows the two steps apart: labs/pipes/python/fork.py.

use std::env;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use socketlab::net::step;
use socketlab::{Error, Result};

/// How often it is looked whether a child has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A child that does not outlive us: however we leave the function that
/// started it, also by an error, it is ended if it has not ended itself.
pub struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            kill(&mut self.0);
        }
    }
}

impl Deref for Started {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Started {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

/// Starts this very program again, as a child with these ends of pipes for
/// its descriptors 0 and 1. All others close at exec.
pub fn start(
    arguments: &[&str],
    stdin: Stdio,
    stdout: Stdio,
) -> Result<Started> {
    let program = env::current_exe()
        .map_err(|error| Error::new("readlink", "/proc/self/exe", error))?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(stdin).stdout(stdout);
    let mut started = None;
    step("fork", None, "", || {
        let child = command.spawn()?;
        let pid = child.id();
        started = Some(Started(child));
        Ok(pid as usize)
    })?;
    started.ok_or_else(|| Error::other("fork(): no child"))
    // `command`, and with it our copies of the child's ends, closes here.
}

/// `dup()`: the child's own copy of an end. Ours stays open until we close
/// it, as after a bare fork().
pub fn copy(end: &impl AsFd) -> Result<Stdio> {
    let fd = end.as_fd();
    let copy = step("dup", None, fd.as_raw_fd(), || fd.try_clone_to_owned())?;
    Ok(copy.into())
}

/// `waitpid()` with a deadline; `None`: the child still runs.
pub fn wait_within(
    child: &mut Child,
    limit: Duration,
) -> Result<Option<ExitStatus>> {
    let fail = |error| Error::new("waitpid", "", error);
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().map_err(fail)? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// Ends a child that does not end by itself, and only that one.
pub fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
