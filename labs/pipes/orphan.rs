//! A child whose parent is killed, even with `kill -9`. Mostly nothing needs
//! doing: the kernel closes the parent's ends, and the child reads end of
//! file. But one that holds a writing end of its own input never does:
//!
//! ```text
//! parent (killed)         child
//!            (pipe) ==>   |  read: waits, as somebody could write
//!                   <==   |  and that is itself
//! ```
//!
//! Such a child looks whether its parent is still the one that started it: an
//! orphan is given another one, mostly process 1.

use std::process;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, getppid};
use socketlab::{Error, Result};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(200);

/// In the child: from now on it ends with its parent. `parent` is the pid
/// that started it.
pub fn end_with_parent(parent: u32) -> Result<()> {
    let parent = i32::try_from(parent).ok().and_then(Pid::from_raw);
    thread::Builder::new()
        .name("orphan?".into())
        .spawn(move || {
            while getppid() == parent {
                thread::sleep(LOOK);
            }
            process::exit(1);
        })
        .map_err(|error| Error::new("spawn", "orphan?", error))?;
    Ok(())
}
