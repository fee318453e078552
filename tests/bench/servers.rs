//! The servers under test: each is started on a free port and the servers'
//! CPU, measured through /proc, and killed by its own id when dropped.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::load;

/// A server that does not answer by then has failed to start.
const START: Duration = Duration::from_secs(10);

/// Unit of the times in /proc/PID/stat: 100 a second on Linux.
const TICK: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, PartialEq)]
pub enum Protocol {
    Tcp,
    Udp,
}

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
    pub protocol: Protocol,
    pub address: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts the server and waits for its first echo. None, with a line
    /// that says so, when the program is not installed.
    fn start(
        name: &'static str,
        protocol: Protocol,
        cpus: &Cpus,
        command: impl FnOnce(u16) -> Command,
    ) -> Option<Server> {
        let address = free_address(protocol);
        let mut command = command(address.port());
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
        let server = Server { name, protocol, address, child };
        server.await_echo();
        Some(server)
    }

    fn await_echo(&self) {
        let deadline = Instant::now() + START;
        while let Err(e) = self.one_echo() {
            let name = self.name;
            assert!(Instant::now() < deadline, "{name} gives no echo: {e}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn one_echo(&self) -> io::Result<()> {
        match self.protocol {
            Protocol::Tcp => load::ping(&mut load::connect(self.address)?),
            Protocol::Udp => load::udp_ping(self.address),
        }
    }

    /// CPU time so far of the server, its children and those it has reaped.
    pub fn cpu_time(&self) -> Duration {
        family(self.child.id())
            .iter()
            .map(|pid| cpu_time(&pid.to_string()))
            .sum()
    }

    /// The same, once the last connections' threads and forks have ended.
    pub fn cpu_time_at_rest(&self) -> Duration {
        let mut now = self.cpu_time();
        for _ in 0..20 {
            thread::sleep(Duration::from_millis(30));
            let earlier = std::mem::replace(&mut now, self.cpu_time());
            if now == earlier {
                break;
            }
        }
        now
    }

    /// Resident memory in KiB. A page that n processes share counts 1/n in
    /// each (Pss), so that socat's forks are not charged 64 times.
    pub fn memory(&self) -> u64 {
        family(self.child.id()).into_iter().map(resident).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in family(self.child.id()) {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            if let Some(pid) = pid {
                // One that has ended meanwhile is what we want.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        let _ = self.child.wait();
    }
}

/// All servers that can be started here, ours first.
pub fn start_all(cpus: &Cpus) -> Vec<Server> {
    use Protocol::{Tcp, Udp};
    let ours_tcp = env!("CARGO_BIN_EXE_echo-server");
    let ours_udp = env!("CARGO_BIN_EXE_echo-udp-server");
    let servers = [
        Server::start("ours", Tcp, cpus, |port| ours(ours_tcp, port)),
        Server::start("python", Tcp, cpus, |port| python("tcp", port)),
        Server::start("socat", Tcp, cpus, socat),
        Server::start("ours", Udp, cpus, |port| ours(ours_udp, port)),
        Server::start("python", Udp, cpus, |port| python("udp", port)),
    ];
    servers.into_iter().flatten().collect()
}

fn ours(program: &str, port: u16) -> Command {
    let mut command = Command::new(program);
    command.args(["127.0.0.1", &port.to_string()]);
    command
}

fn python(protocol: &str, port: u16) -> Command {
    let script =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/echo_peers.py");
    let mut command = Command::new("python3");
    command.args([script, protocol, "127.0.0.1", &port.to_string()]);
    command
}

/// One process for each connection. For UDP, socat has no counterpart: it
/// forks for each datagram (a thousand a second), or for each sender and
/// then answers only one.
fn socat(port: u16) -> Command {
    let listen = format!(
        "TCP4-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,backlog=1024"
    );
    let mut command = Command::new("socat");
    command.args([&listen, "PIPE"]);
    command
}

/// A port that nobody uses just now.
fn free_address(protocol: Protocol) -> SocketAddr {
    let any = (Ipv4Addr::LOCALHOST, 0);
    let address = match protocol {
        Protocol::Tcp => TcpListener::bind(any).and_then(|l| l.local_addr()),
        Protocol::Udp => UdpSocket::bind(any).and_then(|s| s.local_addr()),
    };
    address.expect("the kernel has a free port")
}

/// How busy others keep this machine; above 1, they cost us rates.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_string()
}

/// CPU time of one process and of its children that have ended.
pub fn cpu_time(pid: &str) -> Duration {
    let ticks = match stat(pid) {
        Some(fields) => fields[11..15].iter().sum(),
        None => 0, // it has ended since
    };
    TICK * u32::try_from(ticks).expect("a bench uses less than a CPU year")
}

/// A server and its children: socat has one for each connection.
fn family(parent: u32) -> Vec<u32> {
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
fn stat(pid: &str) -> Option<Vec<u64>> {
    let path = Path::new("/proc").join(pid).join("stat");
    let text = fs::read_to_string(path).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let words = rest.split_whitespace();
    Some(words.map(|word| word.parse().unwrap_or(0)).collect())
}

fn resident(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
    let text = text.unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
