//! The hub of plain_server.rs: the one thread that owns the room. It takes the
//! clients' events out of a channel and sends to the members.   [G-8b] [G-8c]

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr};

use crossbeam_channel::Receiver;
use jiff::Zoned;
use socketlab::net::TcpSocket;
use socketlab::say;

/// A client's address and socket, and its line; `None`: it has left.
pub type Event = (SocketAddr, TcpSocket, Option<String>);

/// The name and the socket of each member.
type Room = BTreeMap<SocketAddr, (String, TcpSocket)>;

/// The hub: keeps the list of members, and sends to all.           (viva 1)
pub fn run_hub(events: &Receiver<Event>) {
    let mut room = Room::new();
    for (from, client, line) in events {
        let member = room.get(&from).map(|(name, _)| name.clone());
        match (member, line) {
            // Not a member yet: the line is a login name. Limit: `Robin: hi`,
            // and names that look alike, are accepted; names.rs refuses them.
            (None, Some(name)) => {
                let is_name = |other: &str| other.eq_ignore_ascii_case(&name);
                let taken = room.values().any(|(other, _)| is_name(other));
                if taken || is_name("") || is_name("Server") {
                    send(&client, "Server: that name is empty or taken");
                    send(&client, "Enter login name:");
                } else {
                    room.insert(from, (name.clone(), client));
                    announce(&room, &format!("{name} has joined."));
                }
            }
            // A member's line: to all others.
            (Some(name), Some(text)) => {
                broadcast(&room, &format!("{name}: {text}"), Some(from));
            }
            // A member has left.
            (Some(name), None) => {
                room.remove(&from);
                announce(&room, &format!("{name} has left."));
            }
            (None, None) => {} // a client left without a login
        }
    }
}

/// A line of the server's own, with time and number of members. [G-8c]
fn announce(room: &Room, what: &str) {
    let (time, count) = (Zoned::now().strftime("%H.%M"), room.len());
    let line = format!("Server: time={time} {what} Member count={count}");
    broadcast(room, &line, None);
}

/// A line to all but its author, as the handout's screens show it. [G-8c]
fn broadcast(room: &Room, line: &str, author: Option<SocketAddr>) {
    say!("{line}");
    let others = room.iter().filter(|(member, _)| author != Some(**member));
    others.for_each(|(_, (_, client))| send(client, line));
}

fn send(client: &TcpSocket, line: &str) {
    // ---- 6 send() --------------------------------------------------------
    // Copies the line into the kernel's buffer. If a client does not read, the
    // buffer fills, and send() blocks. Limit: such a member stops the room for
    // 5 s, and is then cut off. outbox.rs never blocks.            (try 2)
    let line = format!("{line}\n");
    if client.send(line.as_bytes()).ok() != Some(line.len()) {
        let _ = client.shutdown(Shutdown::Both);
    }
}
