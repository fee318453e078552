//! CPU time and memory of processes, from /proc.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Unit of the times in /proc/PID/stat: 100 a second on Linux.
const TICK: Duration = Duration::from_millis(10);

/// A process and its children: socat has one for each connection.
pub fn family(parent: u32) -> Vec<u32> {
    let children = entries(Path::new("/proc")).into_iter().filter_map(|path| {
        let pid: u32 = path.file_name()?.to_str()?.parse().ok()?;
        (stat(&path)?[1] == parent.to_string()).then_some(pid)
    });
    [parent].into_iter().chain(children).collect()
}

/// CPU time of a process and of its children that have ended. Threads that
/// have ended are counted, too.
pub fn cpu(pid: &str) -> Duration {
    let Some(words) = stat(&Path::new("/proc").join(pid)) else {
        return Duration::ZERO; // the process has ended
    };
    let ticks = words[11..15].iter().filter_map(|w| w.parse::<u32>().ok());
    TICK * ticks.sum()
}

/// CPU time of a process's threads, which the scheduler counts in
/// nanoseconds. Threads that have ended are not counted.
pub fn cpu_of_threads(pid: u32) -> Duration {
    let nanoseconds = threads(pid).into_iter().filter_map(|thread| {
        let text = fs::read_to_string(thread.join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// Do all threads of a process wait for an event? A thread that runs, waits for
/// a CPU or is about to end is not idle.
pub fn is_idle(pid: u32) -> bool {
    let waits = |thread: &PathBuf| stat(thread).is_some_and(|w| w[0] == "S");
    threads(pid).iter().all(waits)
}

/// Resident memory in KiB. A page that n processes share counts 1/n in each
/// (Pss), so that socat's forks are not charged 64 times.
pub fn memory(pid: u32) -> u64 {
    field(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// The number in a line of one of /proc's tables: `VmHWM:    3476 kB`.
pub fn field(file: &str, key: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The load average. Above 1, other processes slow the measurement down.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_string()
}

fn threads(pid: u32) -> Vec<PathBuf> {
    entries(&Path::new("/proc").join(pid.to_string()).join("task"))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// The words of a process's or a thread's stat that follow its name in
/// parentheses: [0] state, [1] parent, [11] user and [12] system ticks, [13]
/// and [14] the same of ended children. `None` if it has ended.
fn stat(folder: &Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(folder.join("stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(String::from).collect())
}
