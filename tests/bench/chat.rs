//! `make bench-chat`: our chat room beside what one would run instead, ncat's
//! `--chat` and an IRC server, inspircd.
//!
//! chat/rooms.rs     rooms of three sizes, flooded and at a fixed pace
//! chat/silence.rs   a room where one member never reads
//! chat/idle.rs      ten thousand members who say nothing
//! chat/load.rs      a room full of members, played by one thread
//! chat/peers.rs     how each server is started and spoken to
//!
//! One part alone: ARGS='100 members', ARGS=silence, ARGS=idle.

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
