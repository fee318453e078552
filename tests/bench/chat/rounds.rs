//! What is measured, and who runs when: A B C, A B C, …

use std::env;
use std::fs;
use std::io;
use std::time::Duration;

use tempfile::TempDir;

use super::idle;
use super::load::Room;
use super::peers::{self, Peer};
use super::table;
use crate::servers::{self, Cpus, Server};
use crate::stats::{median, setting};

/// Members of the rooms that are flooded.
const SIZES: [usize; 3] = [10, 100, 1000];

/// Lines a second at a fixed pace: of the speaker, and at most of all
/// members together, or a thousand members would be a flood, too.
const PACE: usize = 200;
const PACE_OF_ALL: usize = 20_000;

/// Members of the room where one never reads, and how long it is watched:
/// long enough for 8 MB, which is more than its buffers and queues hold.
const AROUND_THE_STUCK: usize = 12;
const WATCHED: Duration = Duration::from_secs(2);

/// One server's turn in one round.
pub struct Turn {
    pub rate: f64, // lines delivered a second, in a flood
    pub cpu: f64,  // seconds for a line delivered, in a flood
    pub busy: f64, // share of the flood that the server was on its CPU
    pub p50: f64,  // seconds to deliver a line, at a fixed pace
    pub p99: f64,
    pub paced_cpu: f64,
}

/// All turns of one server in rooms of one size.
pub struct Record {
    pub server: &'static str,
    pub turns: Vec<Turn>,
    pub failure: Option<io::Error>,
    pub peak: u64, // KiB
}

/// How long the room of one server was silent, in each round.
pub struct Silences {
    pub server: &'static str,
    pub all_read: Vec<f64>, // seconds
    pub one_stuck: Vec<f64>,
    pub peak: u64, // KiB
}

pub fn run() {
    let time = Duration::from_secs_f64(setting("BENCH_SECONDS", 1.0));
    let rounds = setting("BENCH_ROUNDS", 5.0).max(1.0) as usize;
    let wanted = env::args().skip(1).find(|word| !word.starts_with('-'));
    let wants =
        |part: &str| wanted.as_ref().is_none_or(|wanted| wanted == part);

    idle::raise_descriptors();
    let (cpus, placement) = Cpus::divide();
    let peers = peers::installed();
    println!("{rounds} rounds of {time:?} a turn; {placement}");
    println!("load average before the start: {}\n", servers::load_average());

    let mut results = Vec::new();
    for size in SIZES.into_iter().filter(|size| wants(&size.to_string())) {
        let pace = PACE.min(PACE_OF_ALL / size);
        let records = play(&peers, &cpus, size, pace, rounds, time);
        table::print_size(size, pace, &records);
        results.push((size, records));
    }
    let mut silences = Vec::new();
    if wants("silence") {
        silences = watch_silences(&peers, &cpus, rounds);
        table::print_silences(AROUND_THE_STUCK - 2, &silences);
    }
    if wants("idle") {
        idle::measure(&cpus);
    }
    table::print_aims(&results, &silences);
}

/// One room of a size in each server, for all rounds.
fn play(
    peers: &[Peer],
    cpus: &Cpus,
    size: usize,
    pace: usize,
    rounds: usize,
    time: Duration,
) -> Vec<Record> {
    let mut rooms = Vec::new();
    for peer in peers {
        let folder = TempDir::new().expect("a temporary folder");
        let server = peer.start(cpus, size, folder.path());
        let room = Room::enter(server.address, peer.manner, size);
        let record = Record {
            server: server.name,
            turns: Vec::new(),
            failure: None,
            peak: 0,
        };
        rooms.push((folder, server, room, record));
    }
    for (_, _, room, _) in &mut rooms {
        let _ = room.as_mut().map(|room| room.flood(time / 5)); // warms up
    }
    for _ in 0..rounds {
        for (_, server, room, record) in &mut rooms {
            let Ok(playing) = room else { continue };
            match turn(server, playing, pace, time) {
                Ok(turn) => record.turns.push(turn),
                Err(e) => *room = Err(e),
            }
        }
    }
    let ended = rooms.into_iter().map(|(_folder, server, room, mut record)| {
        record.failure = room.err();
        record.peak = peak(&server);
        record
    });
    ended.collect()
}

fn turn(
    server: &Server,
    room: &mut Room,
    pace: usize,
    time: Duration,
) -> io::Result<Turn> {
    let before = cpu_time(server);
    let flood = room.flood(time)?;
    let flooded = cpu_time(server);
    let mut times = room.pace(pace as u32, time)?;
    let paced = cpu_time(server);

    times.sort_unstable();
    let at = |share: usize| {
        let time = times.get((times.len() - 1) * share / 100);
        time.map_or(f64::NAN, Duration::as_secs_f64)
    };
    let cpu = flooded.saturating_sub(before).as_secs_f64();
    let seconds = flood.elapsed.as_secs_f64();
    let deliveries = flood.deliveries as f64;
    Ok(Turn {
        rate: deliveries / seconds,
        cpu: cpu / deliveries,
        busy: cpu / seconds,
        p50: at(50),
        p99: at(99),
        paced_cpu: paced.saturating_sub(flooded).as_secs_f64()
            / times.len() as f64,
    })
}

/// A fresh server and room for each round: a room may not recover.
fn watch_silences(peers: &[Peer], cpus: &Cpus, rounds: usize) -> Vec<Silences> {
    let new = |peer: &Peer| Silences {
        server: peer.name,
        all_read: Vec::new(),
        one_stuck: Vec::new(),
        peak: 0,
    };
    let mut silences: Vec<Silences> = peers.iter().map(new).collect();
    for _ in 0..rounds {
        for (peer, silences) in peers.iter().zip(&mut silences) {
            let folder = TempDir::new().expect("a temporary folder");
            let server = peer.start(cpus, AROUND_THE_STUCK, folder.path());
            let watched = watch(&server, peer);
            match watched {
                Ok((all_read, one_stuck)) => {
                    silences.all_read.push(all_read.as_secs_f64());
                    silences.one_stuck.push(one_stuck.as_secs_f64());
                }
                Err(e) => println!("{}: failed: {e}", peer.name),
            }
            silences.peak = silences.peak.max(peak(&server));
        }
    }
    silences
}

/// Silences before and after one member stops reading.
fn watch(server: &Server, peer: &Peer) -> io::Result<(Duration, Duration)> {
    let mut room = Room::enter(server.address, peer.manner, AROUND_THE_STUCK)?;
    let all_read = room.silence(WATCHED)?;
    room.last_is_stuck()?;
    Ok((all_read, room.silence(WATCHED)?))
}

/// CPU time of the server's threads so far, which the scheduler counts in
/// nanoseconds. Threads that have ended are left out: here none does.
fn cpu_time(server: &Server) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.pid()));
    let nanoseconds =
        tasks.into_iter().flatten().flatten().filter_map(|task| {
            let text =
                fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
    Duration::from_nanos(nanoseconds.sum())
}

/// The most memory that the server has had, in KiB.
fn peak(server: &Server) -> u64 {
    servers::kib(&format!("/proc/{}/status", server.pid()), "VmHWM:")
}

impl Record {
    pub fn median(&self, value: fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().map(value))
    }
}
