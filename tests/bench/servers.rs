//! A server under test: started on a free port and the servers' CPU, measured
//! through /proc, and killed by its own id when dropped.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A server that does not answer by then has failed to start.
const START: Duration = Duration::from_secs(10);

/// Who runs where. None on a machine with a single CPU.
pub struct Cpus(Option<(CpuSet, CpuSet)>);

impl Cpus {
    /// Gives the last CPU to the servers and all others to this process.
    pub fn divide() -> (Cpus, String) {
        let ours = sched_getaffinity(None).unwrap_or_default();
        let all: Vec<usize> =
            (0..CpuSet::MAX_CPU).filter(|&cpu| ours.is_set(cpu)).collect();
        let Some((&last, rest)) = all.split_last() else {
            return (Cpus(None), "not pinned: no CPU list".into());
        };
        if rest.is_empty() {
            let text = "not pinned: servers and generator share one CPU";
            return (Cpus(None), text.into());
        }
        let text = format!("servers on CPU {last}, generator on {rest:?}");
        let cpus = Cpus(Some((set_of(rest), set_of(&[last]))));
        cpus.generator();
        (cpus, text)
    }

    fn generator(&self) {
        if let Some((generator, _)) = &self.0 {
            pin(generator);
        }
    }

    /// A child inherits the CPUs of the thread that starts it, so this thread
    /// moves over to the servers' CPU for the time of the start.
    fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        if let Some((_, server)) = &self.0 {
            pin(server);
        }
        let child = command.spawn();
        self.generator();
        child
    }
}

fn set_of(cpus: &[usize]) -> CpuSet {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu);
    }
    set
}

fn pin(set: &CpuSet) {
    sched_setaffinity(None, set).expect("these CPUs were ours a moment ago");
}

pub struct Server {
    pub name: &'static str,
    pub address: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts the server and waits until `answers` no longer fails. None,
    /// with a line that says so, when the program is not installed.
    pub fn start(
        name: &'static str,
        address: SocketAddr,
        cpus: &Cpus,
        mut command: Command,
        answers: impl Fn(SocketAddr) -> io::Result<()>,
    ) -> Option<Server> {
        command.env_remove("TRACE").stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = match cpus.spawn(&mut command) {
            Ok(child) => child,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let program = command.get_program().to_string_lossy();
                println!("skipped: install {program}");
                return None;
            }
            Err(e) => panic!("cannot start {command:?}: {e}"),
        };
        let server = Server { name, address, child };
        let deadline = Instant::now() + START;
        while let Err(e) = answers(address) {
            assert!(Instant::now() < deadline, "{name} does not answer: {e}");
            thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in KiB. A page that n processes share counts 1/n in
    /// each (Pss), so that socat's forks are not charged 64 times.
    pub fn memory(&self) -> u64 {
        family(self.pid()).into_iter().map(resident).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in family(self.pid()) {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            if let Some(pid) = pid {
                // One that has ended meanwhile is what we want.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        let _ = self.child.wait();
    }
}

/// An address with a TCP port that nobody uses just now.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.expect("the kernel has a free port")
}

/// How busy others keep this machine; above 1, they cost us rates.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_string()
}

/// A server and its children: socat has one for each connection.
pub fn family(parent: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return vec![parent] };
    let children = entries.flatten().filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let fields = stat(&pid.to_string())?;
        (fields[1] == u64::from(parent)).then_some(pid)
    });
    [parent].into_iter().chain(children).collect()
}

/// The numbers of /proc/PID/stat that follow the name in parentheses: [1]
/// parent, [11] user and [12] system ticks, [13] and [14] the same of ended
/// children. What is not a positive number is given as 0.
pub fn stat(pid: &str) -> Option<Vec<u64>> {
    let path = Path::new("/proc").join(pid).join("stat");
    let text = fs::read_to_string(path).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let words = rest.split_whitespace();
    Some(words.map(|word| word.parse().unwrap_or(0)).collect())
}

fn resident(pid: u32) -> u64 {
    kib(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// A line of one of /proc's tables, such as `VmHWM:    3476 kB`.
pub fn kib(file: &str, key: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
