//! A server under test. It is started on a free port and on the servers' CPU,
//! measured through /proc, and killed by its own id when it is dropped.

use std::env;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::programs;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{
    Pid, PidfdFlags, Signal, geteuid, kill_process, pidfd_open,
};

use super::cpus::Cpus;
use super::process;

/// A server must reply, or become idle, within this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// The time between two attempts.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

pub struct Server {
    pub name: &'static str,
    pub address: SocketAddr,
    child: Child,
    end: OwnedFd, // readable once the child has ended
}

/// A command for this program. If it is not installed, prints a line and
/// returns `None`.
pub fn installed(program: &str) -> Option<Command> {
    if let Some(file) = programs::ours(program) {
        return Some(Command::new(file));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    // These folders are often missing from an ordinary user's PATH.
    let more = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let mut files = env::split_paths(&path).chain(more);
    let file = files.find_map(|folder| {
        Some(folder.join(program)).filter(|file| file.is_file())
    });
    if file.is_none() {
        println!("skipped: install {program}");
    }
    file.map(Command::new)
}

/// Writes a configuration into a folder of our own.
pub fn configuration(folder: &Path, name: &str, text: String) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, text).expect("a configuration");
    file
}

/// A line of a configuration that only root needs.
pub fn if_root(line: &str) -> &str {
    if geteuid().is_root() { line } else { "" }
}

/// An address with a port that no program uses now, for TCP or for UDP.
pub fn free_address() -> SocketAddr {
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let address = listener.and_then(|listener| listener.local_addr());
        let address = address.expect("the kernel has a free port");
        if UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}

/// A server to compare: its name, its program, and the function that adds the
/// program's arguments for an address. `X` is what else this function needs.
pub type Peer<X> =
    (&'static str, &'static str, fn(&mut Command, SocketAddr, X));

/// Starts all servers that are installed and waits until each answers.
pub fn start_all<X: Copy>(
    cpus: &Cpus,
    peers: &[Peer<X>],
    more: X,
    answers: impl Fn(SocketAddr) -> io::Result<()>,
) -> Vec<Server> {
    let started = peers.iter().map(|(name, program, arguments)| {
        let mut command = installed(program)?;
        let address = free_address();
        arguments(&mut command, address, more);
        Some(Server::start(name, address, cpus, command, &answers))
    });
    started.flatten().collect()
}

impl Server {
    /// Starts the server and waits until `answers` no longer fails.
    pub fn start(
        name: &'static str,
        address: SocketAddr,
        cpus: &Cpus,
        mut command: Command,
        answers: impl Fn(SocketAddr) -> io::Result<()>,
    ) -> Server {
        command.env_remove("TRACE").stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = cpus.spawn(&mut command).unwrap_or_else(|e| {
            panic!("cannot start {command:?}: {e}");
        });
        let end = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())
            .expect("a child exists until its parent waits for it");
        let server = Server { name, address, child, end };
        server.ask_until(|| answers(address)).unwrap_or_else(|e| {
            panic!("{name} does not answer: {e}");
        });
        server
    }

    /// Repeats an attempt until its result is not an error. The kernel does not
    /// announce that a port has a listener or that a process is idle, so this
    /// function has to try again. The kernel does announce the server's end:
    /// poll() waits for it between two attempts.
    fn ask_until(
        &self,
        mut attempt: impl FnMut() -> io::Result<()>,
    ) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while let Err(e) = attempt() {
            if Instant::now() > deadline {
                return Err(e);
            }
            let mut end = [PollFd::new(&self.end, PollFlags::IN)];
            if poll(&mut end, Some(&PAUSE))? > 0 {
                return Err(io::Error::other("the server has ended"));
            }
        }
        Ok(())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn family(&self) -> Vec<u32> {
        process::family(self.pid())
    }

    /// Memory of the server and its children, in KiB.
    pub fn memory(&self) -> u64 {
        self.family().into_iter().map(process::memory).sum()
    }

    /// The most memory that the server itself has had, in KiB.
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// A number in /proc/PID/status.
    pub fn status(&self, key: &str) -> u64 {
        process::field(&format!("/proc/{}/status", self.pid()), key)
    }

    /// CPU time so far of the server, its children and those it has reaped.
    pub fn cpu(&self) -> Duration {
        let family = self.family().into_iter();
        family.map(|pid| process::cpu(&pid.to_string())).sum()
    }

    /// The same, after the threads and forks of the last connections are done.
    /// They are done when two measurements in a row find all threads asleep and
    /// the same sum. One measurement may miss a thread that is being woken.
    pub fn cpu_when_idle(&self) -> io::Result<Duration> {
        let mut earlier = None;
        self.ask_until(|| {
            let idle = self.family().into_iter().all(process::is_idle);
            let now = idle.then(|| self.cpu());
            let before = std::mem::replace(&mut earlier, now);
            match now.is_some() && now == before {
                true => Ok(()),
                false => {
                    Err(io::Error::other("the server does not become idle"))
                }
            }
        })?;
        Ok(earlier.unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in self.family() {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            if let Some(pid) = pid {
                // An error means that the process has ended already.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        let _ = self.child.wait();
    }
}
