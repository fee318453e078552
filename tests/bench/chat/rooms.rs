//! Rooms of three sizes in which one member sends: first as fast as the room
//! delivers, then at a fixed pace.

use std::io;
use std::time::Duration;

use tempfile::TempDir;

use super::load::Room;
use super::peers::Peer;
use crate::kit::Bench;
use crate::kit::process;
use crate::kit::rounds::interleave;
use crate::kit::server::Server;
use crate::kit::table::{Aim, Column, Table, greatest};

/// Members, and our lowest rate as a multiple of a peer's rate.
const SIZES: [(usize, &[(f64, &str)]); 3] = [
    (10, &[(0.9, "ncat"), (1.4, "inspircd")]),
    (100, &[(0.9, "ncat"), (1.4, "inspircd")]),
    (1000, &[(0.7, "ncat")]),
];

/// Lines a second at a fixed pace: the lines that one member sends, and the
/// most that all members together receive. Without the second bound, a room of
/// a thousand members would be flooded again.
const PACE: usize = 200;
const PACE_OF_ALL: usize = 20_000;

/// One server's turn in one round.
struct Turn {
    rate: f64, // lines delivered a second, in a flood
    cpu: f64,  // seconds for a line delivered, in a flood
    busy: f64, // share of the flood that the server was on its CPU
    p50: f64,  // seconds to deliver a line, at a fixed pace
    p99: f64,
    paced_cpu: f64,
    peak: u64, // KiB, so far
}

const RATE: Column<Turn> = Column::compared("delivered/s", 0, |turn| turn.rate);

const COLUMNS: [Column<Turn>; 7] = [
    RATE,
    Column::new("busy %", 0, |turn| turn.busy * 100.0),
    Column::compared("CPU s/mill.", 2, |turn| turn.cpu * 1e6),
    Column::new("p50 ms", 3, |turn| turn.p50 * 1e3),
    Column::new("p99 ms", 3, |turn| turn.p99 * 1e3),
    Column::compared("CPU, paced", 2, |turn| turn.paced_cpu * 1e6),
    Column::over(greatest, "peak KiB", 0, |turn| turn.peak as f64),
];

/// A server and its members. The server is dropped first; otherwise it would
/// send each member a line about all that leave.
struct Player {
    server: Server,
    room: Room,
    _folder: TempDir,
}

pub fn measure(bench: &mut Bench, peers: &[Peer]) {
    for (size, aims) in SIZES {
        let name = format!("{size} members");
        if !bench.wants(&name) {
            continue;
        }
        let pace = PACE.min(PACE_OF_ALL / size);
        let players = peers.iter();
        let players = players.map(|peer| (peer.name, enter(bench, peer, size)));
        let records = interleave(players.collect(), bench.rounds, |player| {
            turn(player, pace, bench.time)
        });
        let aim = |&(bound, peer)| RATE.at_least(bound, peer);
        let table = Table {
            name: &name,
            note: &format!(", one speaks (times at {pace} lines a second)"),
            columns: &COLUMNS,
            aims: &aims.iter().map(aim).collect::<Vec<Aim<Turn>>>(),
        };
        bench.report(&table, &records);
    }
}

fn enter(bench: &Bench, peer: &Peer, size: usize) -> io::Result<Player> {
    let folder = TempDir::new()?;
    let server = peer.start(&bench.cpus, size, folder.path());
    let mut room = Room::enter(server.address, peer.manner, size)?;
    room.flood(bench.time / 5)?; // warms up
    Ok(Player { server, room, _folder: folder })
}

fn turn(player: &mut Player, pace: usize, time: Duration) -> io::Result<Turn> {
    let Player { server, room, .. } = player;
    // None of the threads ends meanwhile, so each of them is counted.
    let cpu = || process::cpu_of_threads(server.pid());
    let before = cpu();
    let flood = room.flood(time)?;
    let flooded = cpu();
    let mut times = room.pace(pace as u32, time)?;
    let paced = cpu();

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
        peak: server.peak(),
    })
}
