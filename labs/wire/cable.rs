//! The cable between two hosts. It copies every frame from one network
//! interface to the other, and loses those that its orders name. [X-WIRE]
//!
//! ```text
//! client's host        wire-cable (this file)        server's host
//!      |                  1 socket  2 bind                 |
//!      |---- frame ------>|  3 recvfrom                    |
//!      |                  |  hub.rs: lost? late? twice?    |
//!      |                  |  4 sendto  ----- frame ------->|
//! ```
//!
//! A socket AF_PACKET, SOCK_RAW is below TCP, UDP and IP. It receives and sends
//! complete Ethernet frames. Only root may have one, or a user in a network of
//! the user's own, where wire-hosts starts this program.    (viva 1) (try 1)

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::SystemTime;

use argh::{ArgsInfo, FromArgs};
use crossbeam_channel::{Sender, bounded};
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{self, LinkAddr, MsgFlags, SockFlag, SockType, sockopt};
use socketlab::args::{self, Program, Role};
use socketlab::{Error, Result, signals};
use wire::af_packet::{AF_PACKET, ETH_P_ALL, is_outgoing};
use wire::hub::{Event, Hub, QUEUE, Settings, start};
use wire::order_reader::read_all_orders;
use wire::orders::Order;
use wire::packet::End;

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let mut plugs = Vec::new();
    for name in args.interfaces() {
        // ---- 1 socket() --------------------------------------------------
        // AF_PACKET: not an address of IP, but an interface of this machine.
        // SOCK_RAW: frames with their Ethernet header. ETH_P_ALL: whatever
        // they carry, ARP as well as IP. Without CAP_NET_RAW the kernel
        // answers EPERM, because such a socket reads what all users of
        // the machine send. Python: socket(AF_PACKET, SOCK_RAW).  (viva 2)
        let socket = socket::socket(AF_PACKET, SOCK_RAW, NO_FLAGS, ETH_P_ALL)
            .map_err(|error| {
            fail("socket", "AF_PACKET, SOCK_RAW", error)
        })?;

        // ---- 2 bind() ----------------------------------------------------
        // The address (C: struct sockaddr_ll) is the number of an interface.
        // Without bind() the socket would receive from all of them, and we
        // could not say at which end of the cable a frame came in.
        let address = interface(&name)?;
        socket::bind(socket.as_raw_fd(), &address)
            .map_err(|error| fail("bind", &name, error))?;
        plugs.push(Arc::new(Plug::new(socket, address, &name)));
    }
    // One thread for each interface waits in recvfrom(), and one for orders.
    // They hand what they receive to the hub in this thread, which decides
    // and sends. So frames have one order, and no lock is needed.
    let (sender, events) = bounded(QUEUE);
    for (end, plug) in End::BOTH.into_iter().zip(&plugs) {
        let (plug, sender) = (plug.clone(), sender.clone());
        start(end.name(), move || listen(end, &plug, &sender))?;
    }
    read_all_orders(args.orders_from.as_deref(), &sender)?;
    signals::on_signal(move || drop(sender.send(Event::Stop)))?;
    let send_at = move |end: End, frame: &[u8]| match plugs.get(end.index()) {
        Some(plug) => send(plug, frame),
        None => Ok(()),
    };
    let mut hub = Hub::new(args.settings(), Box::new(send_at))?;
    for order in args.orders() {
        hub.obey(order)?;
    }
    hub.run(&events)
}

/// Receives the frames of one end until its interface is gone.
fn listen(end: End, plug: &Plug, events: &Sender<Event>) {
    let mut buffer = vec![0; LONGEST];
    loop {
        // ---- 3 recvfrom() ------------------------------------------------
        // Returns one complete frame. Its address says at which interface and
        // in which direction, because a raw socket also sees the frames that
        // leave. The cable skips those. It has sent them itself, or, on
        // loopback, they come in once more.                       (viva 3)
        let received = socket::recvfrom::<LinkAddr>(plug.fd(), &mut buffer);
        let event = match received {
            Ok((_, Some(from))) if is_outgoing(&from) => continue,
            // Between socket() and bind() another interface's frame came in.
            Ok((_, Some(from))) if from.ifindex() != plug.index() => continue,
            Ok((count, _)) => {
                let bytes = buffer.get(..count).unwrap_or_default().to_vec();
                Event::Frame(end, SystemTime::now(), bytes)
            }
            Err(nix::Error::EINTR) => continue,
            Err(error) => Event::Unusable(fail("recvfrom", &plug.name, error)),
        };
        let is_last = matches!(event, Event::Unusable(_));
        if events.send(event).is_err() || is_last {
            return;
        }
    }
}

/// Sends a frame out of the interface at one end.
fn send(plug: &Plug, frame: &[u8]) -> Result<()> {
    // ---- 4 sendto() ------------------------------------------------------
    // The kernel adds nothing and checks nothing, so that the bytes leave as
    // they are. Every header must be complete, also the checksums, which a
    // kernel leaves to the network card (finish.rs). We are not told whether
    // the frame arrives.
    socket::sendto(plug.fd(), frame, &plug.address, MsgFlags::empty())
        .map_err(|error| fail("sendto", &plug.name, error))?;
    Ok(())
}

/// The longest frame that a kernel hands over in one piece: 64 KiB of IP, for
/// a network card that cuts it into segments, and the Ethernet header.
const LONGEST: usize = 65_536 + 14;

/// Bytes that may wait in the kernel for our recvfrom(). A burst that finds
/// this buffer full is lost, as in a switch; TCP then sends it again.
const KERNEL_BUFFER: usize = 16 * 1024 * 1024;

/// C's name for the kind of socket that has complete frames.
const SOCK_RAW: SockType = SockType::Raw;
const NO_FLAGS: SockFlag = SockFlag::empty();

/// One end of the cable: a raw socket, bound to an interface.
struct Plug {
    socket: OwnedFd,
    address: LinkAddr,
    name: String,
}

impl Plug {
    fn new(socket: OwnedFd, address: LinkAddr, name: &str) -> Plug {
        // We get less if net.core.rmem_max is less, which nobody but the
        // system's root may change.
        let _ = socket::setsockopt(&socket, sockopt::RcvBuf, &KERNEL_BUFFER);
        Plug { socket, address, name: name.to_string() }
    }

    fn fd(&self) -> i32 {
        self.socket.as_raw_fd()
    }

    fn index(&self) -> usize {
        self.address.ifindex()
    }
}

/// The link address of an interface, as `ip link` shows it.
fn interface(name: &str) -> Result<LinkAddr> {
    let all = getifaddrs().map_err(|error| fail("getifaddrs", "", error))?;
    let mut found = all.filter(|entry| entry.interface_name == name);
    let address = found.find_map(|entry| {
        entry.address.and_then(|address| address.as_link_addr().copied())
    });
    address.ok_or_else(|| {
        Error::other(format!("no interface is called {name}: see `ip link`"))
    })
}

fn fail(call: &'static str, on: &str, error: nix::Error) -> Error {
    Error::new(call, on, error.into())
}

const PROGRAM: Program = Program {
    lab: "wire",
    role: Role::Other("cable"),
    port: 0,
    steps: "socket bind recvfrom sendto",
    example: "wire-cable c1 c2 --save echo.pcapng --lose 'first SYN'",
};

/// Copies frames between two interfaces, and writes them down. Needs
/// CAP_NET_RAW: wire-hosts starts it where an ordinary user has that. Orders
/// come on stdin, a line each; `help` lists them.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the interface at the client's end; without RIGHT it is only listened to
    #[argh(positional)]
    left: String,
    /// the interface at the server's end
    #[argh(positional)]
    right: Option<String>,
    /// the file for the capture, in the format pcapng
    #[argh(option)]
    save: Option<String>,
    /// an order, as on stdin; may be repeated
    #[argh(option)]
    order: Vec<String>,
    /// read orders from this FIFO, too; the end of stdin does not end them
    #[argh(option)]
    orders_from: Option<String>,
    /// the seed of the random numbers (default 1)
    #[argh(option, hidden_help, default = "1")]
    seed: u64,
    /// print only what is lost or changed
    #[argh(switch, hidden_help)]
    quiet: bool,
}

impl Args {
    /// One interface or two.
    fn interfaces(&self) -> Vec<String> {
        if !cfg!(target_os = "linux") {
            args::usage("only Linux has sockets of the family AF_PACKET");
        }
        let names = [Some(&self.left), self.right.as_ref()];
        names.into_iter().flatten().cloned().collect()
    }

    fn orders(&self) -> Vec<Order> {
        let orders = self.order.iter().map(|order| order.parse());
        let orders = orders.collect::<std::result::Result<_, String>>();
        orders.unwrap_or_else(|problem| args::usage(&problem))
    }

    fn settings(&self) -> Settings {
        Settings {
            interfaces: self.interfaces(),
            save: self.save.clone(),
            quiet: self.quiet,
            seed: self.seed,
        }
    }
}
