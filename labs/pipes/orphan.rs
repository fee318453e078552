//! A child whose parent is killed, even with `kill -9`. Mostly nothing needs
//! doing: the kernel closes the parent's ends, and the child reads end of
//! file. But one that holds a writing end of its own input never does:
//!
//!     parent (killed)         child
//!                (pipe) ==>   |  read: waits, as somebody could write
//!                       <==   |  and that is itself

use std::process;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use socketlab::{Error, Result};

/// In the child: from now on the kernel ends it with its parent (Linux).
/// `parent` is the pid that started it.
pub fn end_with_parent(parent: u32) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| {
        Error::new("prctl", "PR_SET_PDEATHSIG", error.into())
    })?;
    // It may have died before the kernel knew that we care.
    let now = getppid().map(Pid::as_raw_nonzero);
    match now.is_some_and(|pid| i64::from(pid.get()) == i64::from(parent)) {
        true => Ok(()),
        false => process::exit(1),
    }
}
