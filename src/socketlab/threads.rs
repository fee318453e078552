//! Threads: their names, and what happens when one of them panics.
//!
//! A panic is a bug. In a thread that serves one client it ends that client's
//! conversation and nothing else. In a thread that the program needs, such as
//! a hub, it ends the program: a server whose hub is gone would accept
//! clients and serve none of them.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::thread::{self, JoinHandle};

use crate::{Error, Result, program, warn};

thread_local! {
    static NAME: RefCell<Option<String>> = const { RefCell::new(None) };
    static ESSENTIAL: Cell<bool> = const { Cell::new(false) };
}

/// Starts a thread without which the program cannot go on, such as a hub, a
/// log or the console. When `work` returns, only the thread ends. When `work`
/// panics, the program ends with a message on stderr and exit status 1.
pub fn spawn_essential(
    name: &'static str,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>> {
    let watched = move || {
        ESSENTIAL.set(true);
        // Nothing of `work` is used after its panic: the program ends.
        if panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
            program::fail(&format!(
                "Error: the thread '{name}' has panicked, and this program \
                 cannot go on without it. This is a bug of ours."
            ));
        }
    };
    thread::Builder::new()
        .name(name.into())
        .spawn(watched)
        .map_err(|error| Error::new("spawn", name, error))
}

/// From now on a panic is reported on stderr in one line that says what it
/// ends: a conversation, or the program.
pub fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        let main = thread::current().name() == Some("main");
        let ends = match ESSENTIAL.get() || main {
            true => "a bug; the program ends",
            false => "a bug; this conversation alone ends",
        };
        warn!("[{}] {panic}: {ends}", name());
    }));
}

/// This thread's name: the peer's address in a thread that serves a client.
pub fn name() -> String {
    NAME.with_borrow(Clone::clone)
        .unwrap_or_else(|| thread::current().name().unwrap_or("?").to_string())
}

/// Gives this thread another name, for messages and TRACE, and on Linux for
/// `top -H` and debuggers, which show its first 15 bytes.
pub fn rename(name: String) {
    #[cfg(target_os = "linux")]
    if let Ok(name) = std::ffi::CString::new(name.as_str()) {
        let _ = rustix::thread::set_name(&name);
    }
    NAME.set(Some(name));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_can_be_renamed() -> Result<()> {
        let thread = spawn_essential("hub", || {
            assert_eq!(name(), "hub");
            rename("127.0.0.1:48437".into());
            assert_eq!(name(), "127.0.0.1:48437");
        })?;
        assert!(thread.join().is_ok());
        Ok(())
    }

    /// Runs as a program of its own: this test file, told to run one test.
    #[test]
    fn a_panic_of_an_essential_thread_ends_the_program() {
        const CHILD: &str = "SOCKETLAB_TEST_PANIC";
        if std::env::var_os(CHILD).is_some() {
            report_panics();
            let hub = spawn_essential("hub", || panic!("no such member"));
            let _ = hub.expect("a thread").join();
            unreachable!("the program goes on without its hub");
        }
        let test = "threads::tests::\
                    a_panic_of_an_essential_thread_ends_the_program";
        let own = std::env::current_exe().expect("this test's file");
        let child = std::process::Command::new(own)
            .args([test, "--exact", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&child.stderr);
        assert_eq!(child.status.code(), Some(1), "{said}");
        assert!(said.contains("[hub] panicked at"), "{said}");
        assert!(said.contains("a bug; the program ends"), "{said}");
        assert!(said.contains("the thread 'hub' has panicked"), "{said}");
    }
}
