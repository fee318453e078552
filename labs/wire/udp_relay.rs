//! A poor network for datagrams: some are lost, some arrive twice, some are
//! overtaken by the next one. What arrives is complete, as UDP promises.
//!
//! Each client gets a socket of its own towards the server, because that is
//! how the server's answer finds back to it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::chance::{Chance, Lot};
use socketlab::net::{self, UdpSocket};
use socketlab::{Error, Result, say, signals, warn};

/// Clients at once. Each costs a socket and a thread.
const MOST_CLIENTS: usize = 64;

/// How long a datagram is held back if nothing overtakes it.
const HELD: Duration = Duration::from_millis(100);

/// The largest datagram.
const LARGEST: usize = 65_535;

/// Relays between clients, who send to `here`, and the server at `target`,
/// until a signal ends the program.
pub fn run(
    here: SocketAddr,
    target: SocketAddr,
    delay: Duration,
    chance: Chance,
) -> Result<()> {
    let socket = UdpSocket::new(here)?;
    socket.bind(here)?;
    signals::at_once_on_signal()?;
    net::announce(socket.local_addr()?);
    UdpRelay::new(socket, target, delay, chance).run()
}

/// The relay, and the way to each client's server side.
struct UdpRelay {
    socket: Arc<UdpSocket>,
    target: SocketAddr,
    delay: Duration,
    chance: Arc<parking_lot::Mutex<Chance>>,
    ways: HashMap<SocketAddr, Way>,
}

/// One direction of one client.
struct Way {
    /// Towards the server: connected to it.
    server: Arc<UdpSocket>,
    lane: Lane,
}

/// The fates of a direction's datagrams.
struct Lane {
    name: String,
    delay: Duration,
    chance: Arc<parking_lot::Mutex<Chance>>,
    held: Option<Vec<u8>>,
}

impl Lane {
    /// What is to be sent now that this datagram has come.
    fn pass(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
        thread::sleep(self.delay);
        let lot = self.chance.lock().draw();
        let size = datagram.len();
        let mut now = match lot {
            Lot::Passes => vec![datagram.to_vec()],
            Lot::Lost => Vec::new(),
            Lot::Twice => vec![datagram.to_vec(); 2],
            Lot::Overtaken => {
                say!("{}: {size} bytes, held back", self.name);
                let before = self.held.replace(datagram.to_vec());
                return before.into_iter().collect();
            }
        };
        match lot {
            Lot::Lost => say!("{}: {size} bytes, LOST", self.name),
            Lot::Twice => say!("{}: {size} bytes, twice", self.name),
            _ => say!("{}: {size} bytes", self.name),
        }
        // The one that was held back has been overtaken.
        if lot != Lot::Lost {
            now.extend(self.held.take());
        }
        now
    }
}

impl UdpRelay {
    fn new(
        socket: UdpSocket,
        target: SocketAddr,
        delay: Duration,
        chance: Chance,
    ) -> UdpRelay {
        UdpRelay {
            socket: Arc::new(socket),
            target,
            delay,
            chance: Arc::new(parking_lot::Mutex::new(chance)),
            ways: HashMap::new(),
        }
    }

    fn run(mut self) -> Result<()> {
        self.socket.set_recv_timeout(Some(HELD))?;
        let mut buffer = vec![0; LARGEST];
        loop {
            match self.socket.recvfrom(&mut buffer) {
                Ok((count, client)) => {
                    let datagram = buffer.get(..count).unwrap_or_default();
                    if let Err(error) = self.forward(client, datagram) {
                        warn!("[{client}] {error}");
                    }
                }
                Err(error) if error.is_timeout() => self.flush(),
                Err(error) => warn!("{error}"),
            }
        }
    }

    fn forward(&mut self, client: SocketAddr, datagram: &[u8]) -> Result<()> {
        if !self.ways.contains_key(&client) {
            self.open(client)?;
        }
        let Some(way) = self.ways.get_mut(&client) else { return Ok(()) };
        for datagram in way.lane.pass(datagram) {
            way.server.send(&datagram)?;
        }
        Ok(())
    }

    /// Sends what is held back, because nothing has overtaken it.
    fn flush(&mut self) {
        for (client, way) in &mut self.ways {
            if let Some(datagram) = way.lane.held.take()
                && let Err(error) = way.server.send(&datagram)
            {
                warn!("[{client}] {error}");
            }
        }
    }

    /// A new client: a socket towards the server, and a thread that carries
    /// the server's answers back.
    fn open(&mut self, client: SocketAddr) -> Result<()> {
        if self.ways.len() >= MOST_CLIENTS {
            return Err(Error::other(format!(
                "no room: {MOST_CLIENTS} clients have come already"
            )));
        }
        let server = UdpSocket::new(self.target)?;
        server.connect(self.target)?;
        server.set_recv_timeout(Some(HELD))?;
        let server = Arc::new(server);
        let lane = |name| Lane {
            name,
            delay: self.delay,
            chance: self.chance.clone(),
            held: None,
        };
        let mut back = lane(format!("{client} <- server"));
        let (from, to) = (server.clone(), self.socket.clone());
        let thread = thread::Builder::new().name(client.to_string());
        thread
            .spawn(move || answers(&from, &to, client, &mut back))
            .map_err(|error| Error::new("clone", client, error))?;
        let there = lane(format!("{client} -> server"));
        self.ways.insert(client, Way { server, lane: there });
        Ok(())
    }
}

/// Carries the server's answers back to one client.
fn answers(
    from: &UdpSocket,
    to: &UdpSocket,
    client: SocketAddr,
    lane: &mut Lane,
) {
    let mut buffer = vec![0; LARGEST];
    loop {
        let datagrams = match from.recv(&mut buffer) {
            Ok(count) => lane.pass(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.is_timeout() => {
                lane.held.take().into_iter().collect()
            }
            // ECONNREFUSED: the server does not run (yet).
            Err(error) => {
                warn!("[{client}] {error}");
                continue;
            }
        };
        for datagram in datagrams {
            if let Err(error) = to.sendto(&datagram, client) {
                warn!("[{client}] {error}");
            }
        }
    }
}
