//! fork() and exec(). Safe Rust has no fork(), because only the calling thread
//! would exist in the copy. `Command` calls both: C's `if (fork() == 0) {
//! dup2(fd[0], 0); execv(program, {"--child"}); }` is `Command::new()` with
//! `.stdin(the reading end)`, `.arg("--child")` and `.spawn()`. In Python
//! os.fork() returns in the copy, too: labs/pipes/python/fork.py.

use std::env;
use std::os::fd::{AsFd, AsRawFd};
use std::process::{self, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, getppid};
use socketlab::net::step;
use socketlab::{Error, Result};

/// How often a parent looks whether its child has ended.
const LOOK_FOR_CHILD: Duration = Duration::from_millis(10);

/// How often a child looks whether its parent has ended.
const LOOK_FOR_PARENT: Duration = Duration::from_millis(200);

/// The variable that tells a child its parent's process id.
const PARENT: &str = "PIPES_PARENT";

/// A child that does not outlive its parent. When the function that started it
/// returns, also with an error, the child is killed if it still runs.
pub struct Child(process::Child);

impl Child {
    /// Starts this very program again, as a child with these ends of pipes
    /// for its descriptors 0 and 1. All others close at exec.
    pub fn start(words: &[&str], stdin: Stdio, stdout: Stdio) -> Result<Child> {
        let program = env::current_exe()
            .map_err(|error| Error::new("readlink", "/proc/self/exe", error))?;
        let mut command = Command::new(program);
        command.args(words).stdin(stdin).stdout(stdout);
        command.env(PARENT, process::id().to_string());
        let mut started = None;
        step("fork", None, "", || {
            let child = command.spawn()?;
            let pid = child.id();
            started = Some(Child(child));
            Ok(pid as usize)
        })?;
        started.ok_or_else(|| Error::other("fork(): no child"))
        // `command` and our copies of the child's ends are closed here.
    }

    /// The child's process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// `waitpid()` with a deadline; `None`: the child still runs.
    pub fn wait_within(
        &mut self,
        limit: Duration,
    ) -> Result<Option<ExitStatus>> {
        let fail = |error| Error::new("waitpid", "", error);
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.0.try_wait().map_err(fail)? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(LOOK_FOR_CHILD);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// `dup()`: the child's own copy of an end. Ours stays open until it is closed,
/// as after fork().
pub fn copy(end: &impl AsFd) -> Result<Stdio> {
    let fd = end.as_fd();
    let copy = step("dup", None, fd.as_raw_fd(), || fd.try_clone_to_owned())?;
    Ok(copy.into())
}

/// In the child: from now on it ends with its parent. Only a child that holds a
/// writing end of its own input needs this, because it never reads end of file.
/// It checks whether its parent is still the process that started it, because
/// an orphan gets another parent, usually process 1.
pub fn end_with_parent() -> Result<()> {
    let parent = env::var(PARENT).ok().and_then(|pid| pid.parse().ok());
    let parent = parent.and_then(Pid::from_raw);
    thread::Builder::new()
        .name("orphan?".into())
        .spawn(move || {
            while getppid() == parent {
                thread::sleep(LOOK_FOR_PARENT);
            }
            process::exit(1);
        })
        .map_err(|error| Error::new("spawn", "orphan?", error))?;
    Ok(())
}
