//! Which process runs on which CPU.

use std::io;
use std::process::{Child, Command};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The load generator's CPUs, and the servers' CPU. `None` if every process
/// may use every CPU.
pub struct Cpus(Option<(CpuSet, CpuSet)>);

impl Cpus {
    /// For a child that runs on the load generator's CPUs.
    pub const WITH_GENERATOR: Cpus = Cpus(None);

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

    /// Starts a child on the servers' CPU. A child inherits the CPUs of the
    /// thread that starts it, so this thread moves to that CPU for the start.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
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
    sched_setaffinity(None, set).expect("this process may use these CPUs");
}
