//! `make bench-chat`: compares our chat room with ncat's `--chat` and with an
//! IRC server, inspircd.
//!
//! chat/rooms.rs     rooms of three sizes, flooded and at a fixed pace
//! chat/silence.rs   a room where one member never reads
//! chat/idle.rs      ten thousand members that send nothing
//! chat/load.rs      all members of a room, in one thread
//! chat/peers.rs     how each server is started, and how a client talks to it
//!
//! To measure one part: ARGS='100 members', ARGS=silence, ARGS=idle.

mod idle;
mod load;
mod peers;
mod rooms;
mod silence;

use crate::kit::Bench;

pub fn run(bench: &mut Bench) {
    let peers = peers::all_installed();
    rooms::measure(bench, &peers);
    silence::measure(bench, &peers);
    if bench.wants("idle members") {
        idle::measure(&bench.cpus);
    }
}
