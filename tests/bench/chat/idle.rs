//! Ten thousand members that send nothing: the memory and threads for each, and
//! how many members this machine allows.

use std::fs;
use std::path::Path;
use std::time::Instant;

use rustix::process::{Resource, getrlimit};

use super::load::Room;
use super::peers::OURS;
use crate::kit::cpus::Cpus;
use crate::kit::process::field;
use crate::kit::server::Server;

const MEMBERS: u64 = 10_000;

/// Threads for each member: its reader and its writer.
const THREADS: u64 = 2;

/// Mappings for each thread: a stack, a stack for signals, and a guard page for
/// each of them.
const MAPS: u64 = 4;

/// What everything else needs: descriptors, threads, mappings.
const RESERVE: u64 = 500;

pub fn measure(cpus: &Cpus) {
    let (members, limits) = allowed();
    println!("\n{limits}");
    let members = members as usize;
    let folder = Path::new("");
    let server = OURS.start(cpus, members, folder);
    let (before, threads_before) = (server.memory(), server.status("Threads:"));
    let stacks_before = field("/proc/meminfo", "KernelStack:");
    let start = Instant::now();
    let room = match Room::enter(server.address, OURS.manner, members) {
        Ok(room) => room,
        Err(e) => return println!("{members} idle members: failed: {e}"),
    };
    let elapsed = start.elapsed().as_secs_f64();
    let each = |kib: u64| kib as f64 / members as f64;
    let stacks = field("/proc/meminfo", "KernelStack:");
    println!(
        "{members} idle members: {:.1} KiB each (Pss) and {:.1} KiB of the \
         kernel's stacks;\n  {:.1} threads and {:.1} mappings each; \
         all had joined after {elapsed:.1} s",
        each(server.memory().saturating_sub(before)),
        each(stacks.saturating_sub(stacks_before)),
        each(server.status("Threads:") - threads_before),
        each(maps(&server)),
    );
    // Drop the server first; otherwise it would send each member a line about
    // all that leave.
    drop(server);
    drop(room);
}

fn maps(server: &Server) -> u64 {
    let maps = fs::read_to_string(format!("/proc/{}/maps", server.pid()));
    maps.unwrap_or_default().lines().count() as u64
}

/// How many members the limits of this machine allow, and which limits.
fn allowed() -> (u64, String) {
    let most = |limit: Option<u64>, each: u64| {
        limit.map(|limit| limit.saturating_sub(RESERVE) / each)
    };
    let files = getrlimit(Resource::Nofile).current;
    let processes = getrlimit(Resource::Nproc).current;
    let limits = [
        ("open files (ulimit -n)", files, 1),
        ("threads of a user (ulimit -u)", processes, THREADS),
        ("pids.max of the cgroup", cgroup_pids(), THREADS),
        ("kernel.pid_max", number("/proc/sys/kernel/pid_max"), THREADS),
        ("kernel.threads-max", number("/proc/sys/kernel/threads-max"), THREADS),
        (
            "vm.max_map_count",
            number("/proc/sys/vm/max_map_count"),
            THREADS * MAPS,
        ),
    ];
    let mut members = MEMBERS;
    let mut text = String::from("limits allow ");
    for (name, limit, each) in limits {
        let Some(most) = most(limit, each) else { continue };
        if most < MEMBERS {
            let limit = limit.unwrap_or_default();
            text += &format!("{most} members by {name} = {limit}, ");
        }
        members = members.min(most);
    }
    (members, format!("{text}so {members} are tried"))
}

/// The most tasks in this process's cgroup (version 2).
fn cgroup_pids() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    number(&format!("/sys/fs/cgroup{group}/pids.max"))
}

/// The number in a file; `None` if the file is missing or has `max`.
fn number(file: &str) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}
