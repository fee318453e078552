//! A program's environment: limits that a shell sets, files, memory, host
//! names.

use std::path::Path;
use std::process::Command;

use nix::sys::stat::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::programs;
use crate::terminal::Terminal;

/// Lets this test process, and the servers that it starts, have `wanted`
/// descriptors: a thousand clients need more than the usual 1024.
pub fn allow_descriptors(wanted: u64) {
    let now = getrlimit(Resource::Nofile);
    if now.current.is_some_and(|current| current < wanted) {
        let current = now.maximum.map_or(wanted, |most| most.min(wanted));
        let raised = Rlimit { current: Some(current), maximum: now.maximum };
        let _ = setrlimit(Resource::Nofile, raised);
        assert!(current >= wanted, "raise `ulimit -Hn` to {wanted}");
    }
}

/// A program of ours after the shell command `limit`, such as `ulimit -n 24`.
pub fn limited(limit: &str, program: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limit} && exec \"$@\""), "sh"]);
    command.arg(programs::folder().join(program));
    command
}

/// Makes a FIFO that only its owner may use.
#[track_caller]
pub fn make_fifo(path: &Path) {
    nix::unistd::mkfifo(path, Mode::S_IRWXU).expect("a FIFO");
}

/// The peak memory of a process, in MiB. Linux only.
#[track_caller]
pub fn peak_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") / 1024
}

/// Starts a client for which `two.test` has the addresses 127.0.0.1 and
/// 127.0.0.9, in this order. Returns `None` if the system does not allow it.
pub fn client_of_two_addresses(program: &str, port: u16) -> Option<Terminal> {
    let world = "mount -t tmpfs none /mnt && cd /mnt &&
        printf '127.0.0.1 two.test\\n127.0.0.9 two.test\\n' > hosts &&
        mount --bind hosts /etc/hosts && exec \"$@\"";
    let begin = || {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", world, "world"]);
        command
    };
    let known = begin().args(["getent", "ahosts", "two.test"]).output().ok()?;
    let known = String::from_utf8_lossy(&known.stdout).into_owned();
    if !known.starts_with("127.0.0.1") || !known.contains("127.0.0.9") {
        eprintln!("skipped: no name with two addresses can be had here");
        return None;
    }
    let mut command = begin();
    command.arg(programs::folder().join(program));
    command.args(["two.test", &port.to_string()]);
    Some(Terminal::run(&mut command).expect("it starts"))
}
