//! A room where one member never reads: how long do the others receive nothing?

use std::io;
use std::time::Duration;

use tempfile::TempDir;

use super::load::Room;
use super::peers::Peer;
use crate::kit::Bench;
use crate::kit::cpus::Cpus;
use crate::kit::rounds::interleave;
use crate::kit::table::{Column, Table, greatest};

/// How many members are in the room, and how long it is watched: long enough
/// for 8 MB, which is more than a stuck member's buffers and queues hold.
const MEMBERS: usize = 12;
const WATCHED: Duration = Duration::from_secs(2);

/// The longest silences of a room, in milliseconds.
struct Silence {
    all_read: f64,
    one_stuck: f64,
    peak: u64, // KiB
}

const ONE_STUCK: Column<Silence> =
    Column::new("one never reads, ms", 1, |of| of.one_stuck);

const COLUMNS: [Column<Silence>; 4] = [
    Column::new("all read, ms", 1, |of| of.all_read),
    ONE_STUCK,
    Column::over(greatest, "at worst", 1, |of| of.one_stuck),
    Column::over(greatest, "peak KiB", 0, |of| of.peak as f64),
];

pub fn measure(bench: &mut Bench, peers: &[Peer]) {
    let name = "longest silence";
    if !bench.wants(name) {
        return;
    }
    let players = peers.iter().map(|peer| (peer.name, Ok(peer))).collect();
    let records =
        interleave(players, bench.rounds, |peer| watch(&bench.cpus, peer));
    let listeners = MEMBERS - 2;
    let table = Table {
        name,
        note: &format!(
            " of {listeners} members to whom lines come each millisecond"
        ),
        columns: &COLUMNS,
        aims: &[ONE_STUCK.below(5.0)],
    };
    bench.report(&table, &records);
}

/// A new server and room for each round, because a room may not recover from a
/// stuck member.
fn watch(cpus: &Cpus, peer: &Peer) -> io::Result<Silence> {
    let folder = TempDir::new()?;
    let server = peer.start(cpus, MEMBERS, folder.path());
    let mut room = Room::enter(server.address, peer.manner, MEMBERS)?;
    let silence = |room: &mut Room| -> io::Result<f64> {
        Ok(room.silence(WATCHED)?.as_secs_f64() * 1e3)
    };
    let all_read = silence(&mut room)?;
    room.last_is_stuck()?;
    let one_stuck = silence(&mut room)?;
    Ok(Silence { all_read, one_stuck, peak: server.peak() })
}
