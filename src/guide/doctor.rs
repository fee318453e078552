//! `socketlab doctor`: which of the tools work on this machine, which setting
//! forbids the others, and what works without them.

use std::env;
use std::fs;

use harness::namespaces;
use socketlab::{Result, say};

/// Programs that our tools need: the program, its package, and what for.
const TOOLS: [(&str, &str, &str); 7] = [
    ("ip", "iproute2", "addresses for two hosts"),
    ("nsenter", "util-linux", "programs on two hosts"),
    ("tmux", "tmux", "shells on two hosts, side by side"),
    ("tshark", "tshark", "captures with tshark (or open them in Wireshark)"),
    ("strace", "strace", "system calls of any program"),
    ("python3", "python3", "the labs' peers in Python"),
    ("curl", "curl", "another HTTP client for web and proxy"),
];

/// Prints a line for each tool: yes or no, and what to do.
pub fn doctor() -> Result<()> {
    match namespaces::why_not() {
        None => say!("yes  two hosts and a cable without root (make hosts)"),
        Some(reason) => {
            say!("no   two hosts and a cable without root: {reason}");
            say!(
                "     These work without it: the labs over 127.0.0.1 (make \
                 demo), TRACE=1, and the relay (make relay)."
            );
        }
    }
    for (program, package, purpose) in TOOLS {
        match is_installed(program) {
            true => say!("yes  {purpose}"),
            false => say!("no   {purpose}: install {package}"),
        }
    }
    match setting("kernel/yama/ptrace_scope").as_deref() {
        None | Some("0" | "1") => {
            say!("yes  strace of a program that it starts itself");
        }
        Some("2") => say!(
            "no   strace without root: kernel.yama.ptrace_scope is 2. This \
             command allows it: sudo sysctl kernel.yama.ptrace_scope=1"
        ),
        Some(scope) => say!(
            "no   strace: kernel.yama.ptrace_scope is {scope}, until the next \
             boot. TRACE=1 prints our programs' calls without strace."
        ),
    }
    Ok(())
}

/// A setting of the kernel, if this kernel has it.
fn setting(file: &str) -> Option<String> {
    let value = fs::read_to_string(format!("/proc/sys/{file}")).ok()?;
    Some(value.trim().to_string())
}

/// Is this program in a folder of PATH, or in one for administrators?
fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin".into(), "/sbin".into()];
    let mut folders = env::split_paths(&path).chain(system);
    folders.any(|folder| folder.join(program).is_file())
}
