//! Threads: their names, and what happens when one of them panics.
//!
//! A panic is a bug. In a thread that serves one client it ends that client's
//! conversation and nothing else. In a thread that the program needs, such as a
//! hub, it ends the program: a server without its hub would accept clients but
//! not serve them.
//!
//! `kill -USR1 PID` makes a server print its threads: see [`dump`].

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::LazyLock;
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::{Error, Result, program, say, warn};

thread_local! {
    static NAME: RefCell<Option<Name>> = const { RefCell::new(None) };
    static ESSENTIAL: Cell<bool> = const { Cell::new(false) };
}

/// The names that [`rename`] gave to the running threads.
static NAMES: LazyLock<Mutex<HashMap<ThreadId, Named>>> =
    LazyLock::new(Mutex::default);

struct Named {
    name: String,
    since: Instant,
    task: i32, // the kernel's number; 0 where it has no /proc
}

/// A thread's own name. It goes from the list when the thread ends.
struct Name {
    name: String,
    thread: ThreadId,
}

impl Drop for Name {
    fn drop(&mut self) {
        NAMES.lock().remove(&self.thread);
    }
}

/// Starts a thread that the program cannot do without, such as a hub, a log or
/// the console. When `work` returns, only the thread ends. When `work`
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
    NAME.with_borrow(|name| name.as_ref().map(|own| own.name.clone()))
        .unwrap_or_else(|| thread::current().name().unwrap_or("?").to_string())
}

/// Gives this thread another name, for messages and TRACE, and on Linux for
/// `top -H` and debuggers, which show its first 15 bytes.
pub fn rename(name: String) {
    #[cfg(target_os = "linux")]
    if let Ok(name) = std::ffi::CString::new(name.as_str()) {
        let _ = rustix::thread::set_name(&name);
    }
    let thread = thread::current().id();
    let own = Name { name: name.clone(), thread };
    NAME.set(Some(own)); // the old one goes from the list here
    let named = Named { name, since: Instant::now(), task: task() };
    NAMES.lock().insert(thread, named);
}

#[cfg(target_os = "linux")]
fn task() -> i32 {
    rustix::thread::gettid().as_raw_pid()
}

#[cfg(not(target_os = "linux"))]
fn task() -> i32 {
    0
}

/// Prints one line for each thread of this process: its number, its name,
/// how long it has had this name, and on Linux the system call in which it
/// waits. Without /proc only threads that serve clients are known.
///                                                             [X-THREAD]
pub fn dump() {
    let lines = lines();
    say!("threads: {}", lines.len());
    for line in lines {
        say!("{line}");
    }
}

fn lines() -> Vec<String> {
    let names = NAMES.lock();
    let given = |task: i32| names.values().find(|named| named.task == task);
    let for_time = |since: Instant| format!(", for {}", short(since.elapsed()));
    let Ok(folder) = fs::read_dir("/proc/self/task") else {
        let mut lines: Vec<String> = names
            .values()
            .map(|named| format!("- {}{}", named.name, for_time(named.since)))
            .collect();
        lines.sort();
        return lines;
    };
    let tasks = folder
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let mut tasks: Vec<i32> = tasks.collect();
    tasks.sort_unstable();
    let line = |task: i32| {
        let read = |file: &str| {
            let path = format!("/proc/self/task/{task}/{file}");
            fs::read_to_string(path).unwrap_or_default()
        };
        let (name, time) = match given(task) {
            Some(named) => (named.name.clone(), for_time(named.since)),
            None if task.unsigned_abs() == process::id() => {
                ("main".into(), String::new())
            }
            None => (read("comm").trim().to_string(), String::new()),
        };
        let does = match waits_in(&read("syscall")) {
            Some(call) => format!(", in {call}()"),
            None => String::new(),
        };
        format!("{task} {name}{time}{does}")
    };
    tasks.into_iter().map(line).collect()
}

/// `12 s`, `3 min`, `5 h`.
fn short(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// The system call whose number /proc/self/task/TID/syscall begins with.
#[cfg(target_os = "linux")]
fn waits_in(line: &str) -> Option<&'static str> {
    let number: libc::c_long = line.split(' ').next()?.parse().ok()?;
    let calls = [
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        (libc::SYS_accept, "accept"),
        (libc::SYS_accept4, "accept"),
        (libc::SYS_connect, "connect"),
        (libc::SYS_recvfrom, "recv"),
        (libc::SYS_sendto, "send"),
        (libc::SYS_sendmsg, "send"),
        (libc::SYS_sendfile, "sendfile"),
        (libc::SYS_read, "read"),
        (libc::SYS_write, "write"),
        (libc::SYS_ppoll, "poll"),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_poll, "poll"),
        (libc::SYS_clock_nanosleep, "sleep"),
        (libc::SYS_futex, "futex"), // a lock, a channel, another thread
    ];
    calls.iter().find(|call| call.0 == number).map(|call| call.1)
}

#[cfg(not(target_os = "linux"))]
fn waits_in(_: &str) -> Option<&'static str> {
    None
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

    #[test]
    fn x_thread_the_dump_names_each_thread_and_its_call() -> Result<()> {
        let (ready, named) = crossbeam_channel::bounded(0);
        let (end, wait) = crossbeam_channel::bounded::<()>(0);
        let thread = spawn_essential("x", move || {
            rename("[2001:db8::1]:48437".into()); // over 15 bytes
            let _ = ready.send(());
            let _ = wait.recv();
        })?;
        let _ = named.recv();
        let wanted = "[2001:db8::1]:48437, for 0 s";
        let has = || lines().iter().any(|line| line.contains(wanted));
        assert!(has(), "{:?}", lines());
        drop(end);
        assert!(thread.join().is_ok());
        assert!(!has(), "it has ended: {:?}", lines());
        Ok(())
    }

    #[test]
    fn a_time_is_short() {
        for (seconds, text) in
            [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h")]
        {
            assert_eq!(short(Duration::from_secs(seconds)), text);
        }
    }

    /// Runs as a program of its own: this test file, told to run one test.
    #[test]
    fn a_panic_of_an_essential_thread_ends_the_program() {
        const CHILD: &str = "SOCKETLAB_TEST_PANIC";
        if std::env::var_os(CHILD).is_some() {
            report_panics();
            let hub = spawn_essential("hub", || panic!("no such member"));
            let _ = hub.expect("a thread").join();
            unreachable!("the program still runs without its hub");
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
