//! The cable between two hosts. It copies every frame from one network
//! interface to the other, writes it down, and loses what it is told to lose.
//!                                                              [X-WIRE]
//!
//! ```text
//! client's host        wire-cable (this file)        server's host
//!   10.0.0.1                                            10.0.0.2
//!      |                  1 socket  2 bind                 |
//!      |---- frame ------>|  3 recvfrom                    |
//!      |                  |  lost? late? twice?            |
//!      |                  |  4 sendto  ----- frame ------->|
//! ```
//!
//! A socket of the family AF_PACKET and the type SOCK_RAW is below TCP, UDP
//! and IP. It receives complete Ethernet frames with all their headers, and it
//! sends whatever bytes it is given. The kernel allows this only to root, or to
//! a user in a network of the user's own. wire-hosts makes such a network and
//! starts this program in it.                              (viva 1) (try 1)
//!
//! One thread for each interface waits in recvfrom(), and one for the orders.
//! They hand what they receive to the main thread, which alone decides, writes
//! the capture and sends. So frames have one order, and no lock is needed.
//!
//! ```text
//! thread "client" --frame--+
//! thread "server" --frame--+--> channel --> main: rules, capture, sendto
//! thread "orders" --line---+
//! ```

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use argh::{ArgsInfo, FromArgs};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    LinkAddr, MsgFlags, SockFlag, SockType, bind, recvfrom, sendto, setsockopt,
    socket, sockopt,
};
use socketlab::args::{self, Program, Role};
use socketlab::{Error, Result, say, signals, warn};
use wire::af_packet::{AF_PACKET, ETH_P_ALL, is_outgoing};
use wire::capture::Capture;
use wire::finish::finish;
use wire::orders::{HELP, Order};
use wire::packet::{End, Packet};
use wire::rules::{Fate, Rules};
use wire::schedule::Schedule;

/// The longest frame that a kernel hands over in one piece: 64 KiB of IP, for
/// a network card that cuts it into segments, and the Ethernet header.
const LONGEST: usize = 65_536 + 14;

/// Bytes that may wait in the kernel for our recvfrom(). A burst that finds
/// this buffer full is lost, as in a switch; TCP then sends it again.
const KERNEL_BUFFER: usize = 16 * 1024 * 1024;

/// Frames that may wait between the threads: 64 MB at the very most.
const QUEUE: usize = 1024;

/// How long the cable waits after the order `end`: for silence when all
/// connections are closed, and at most, if one of them never closes.
const SILENCE: Duration = Duration::from_millis(100);
const LAST_WAIT: Duration = Duration::from_secs(2);

/// C's name for the kind of socket that has complete frames.
const SOCK_RAW: SockType = SockType::Raw;
const NO_FLAGS: SockFlag = SockFlag::empty();

/// The longest line of orders.
const LONGEST_LINE: usize = 1000;

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    if !cfg!(target_os = "linux") {
        args::usage("only Linux has sockets of the family AF_PACKET");
    }
    let orders = args.orders();
    let names = [Some(args.left.clone()), args.right.clone()];
    let names: Vec<String> = names.into_iter().flatten().collect();
    let mut plugs = Vec::new();
    for name in &names {
        // ---- 1 socket() --------------------------------------------------
        // AF_PACKET: not an address of IP, but an interface of this machine.
        // SOCK_RAW: frames with their Ethernet header. ETH_P_ALL: whatever
        // they carry, ARP as well as IP. Without CAP_NET_RAW the kernel
        // answers EPERM, because who can do this can read everything.
        //                                                         (viva 2)
        let socket = socket(AF_PACKET, SOCK_RAW, NO_FLAGS, ETH_P_ALL)
            .map_err(|error| fail("socket", "AF_PACKET, SOCK_RAW", error))?;

        // ---- 2 bind() ----------------------------------------------------
        // The address (C: struct sockaddr_ll) is the number of an interface.
        // Without bind() the socket would receive from all of them, and we
        // could not say at which end of the cable a frame came in.
        let address = interface(name)?;
        bind(socket.as_raw_fd(), &address)
            .map_err(|error| fail("bind", name, error))?;
        plugs.push(Arc::new(Plug::new(socket, address, name)));
    }
    let (sender, events) = bounded(QUEUE);
    for (end, plug) in End::BOTH.into_iter().zip(&plugs) {
        let (plug, sender) = (plug.clone(), sender.clone());
        start(end.name(), move || listen(end, &plug, &sender))?;
    }
    listen_to_orders(args.orders_from.as_deref(), &sender)?;
    signals::on_signal(move || drop(sender.send(Event::Stop)))?;
    let capture = args.save.as_deref();
    let capture = capture.map(|file| create(file, &plugs)).transpose()?;
    let mut cable = Cable::new(plugs, capture, args.quiet, args.seed);
    for order in orders {
        cable.obey(order)?;
    }
    say!("the cable is plugged in: {}", names.join(" <-> "));
    if io::stdin().is_terminal() {
        say!("Type orders here: lose next data, unplug; help lists them.");
    }
    cable.run(&events)
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
        let received = recvfrom::<LinkAddr>(plug.fd(), &mut buffer);
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
    sendto(plug.fd(), frame, &plug.address, MsgFlags::empty())
        .map_err(|error| fail("sendto", &plug.name, error))?;
    Ok(())
}

/// What the threads hand to the main thread.
enum Event {
    Frame(End, SystemTime, Vec<u8>),
    Line(String),
    Unusable(Error),
    /// The orders have ended, or a signal came.
    Stop,
}

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
        let _ = setsockopt(&socket, sockopt::RcvBuf, &KERNEL_BUFFER);
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

/// The main thread's part: everything that the cable knows.
struct Cable {
    plugs: Vec<Arc<Plug>>,
    rules: Rules,
    schedule: Schedule,
    capture: Option<Capture<BufWriter<File>>>,
    quiet: bool,
    frames: u64,
    lost: u64,
    longest: usize,
    unplug_after: Option<Duration>,
    unplug_at: Option<Instant>,
    /// Since when the cable has been asked to end, and the last frame.
    ending: Option<Instant>,
    last_frame: Instant,
    last_time: SystemTime,
}

impl Cable {
    fn new(
        plugs: Vec<Arc<Plug>>,
        capture: Option<Capture<BufWriter<File>>>,
        quiet: bool,
        seed: u64,
    ) -> Cable {
        Cable {
            plugs,
            rules: Rules::new(seed),
            schedule: Schedule::default(),
            capture,
            quiet,
            frames: 0,
            lost: 0,
            longest: 0,
            unplug_after: None,
            unplug_at: None,
            ending: None,
            last_frame: Instant::now(),
            last_time: SystemTime::UNIX_EPOCH,
        }
    }

    /// Handles one event after the other, until it is time to end.
    fn run(mut self, events: &Receiver<Event>) -> Result<()> {
        loop {
            if events.is_empty() {
                self.flush()?;
            }
            let event = match self.next_deadline() {
                Some(deadline) => events.recv_deadline(deadline),
                None => {
                    events.recv().map_err(|_| RecvTimeoutError::Disconnected)
                }
            };
            match event {
                Ok(Event::Frame(from, time, bytes)) => {
                    for frame in finish(bytes) {
                        self.carry(from, time, frame)?;
                    }
                }
                Ok(Event::Line(line)) => match line.parse() {
                    Ok(order) => self.obey(order)?,
                    Err(problem) => warn!("{problem}"),
                },
                Ok(Event::Unusable(error)) => {
                    self.flush()?;
                    return Err(error);
                }
                Ok(Event::Stop) => break,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.deliver();
            if self.is_done() {
                break;
            }
        }
        self.flush()?;
        say!("{}", self.summary());
        Ok(())
    }

    /// Decides about a frame, writes it down, and sends it on its way.
    fn carry(
        &mut self,
        from: End,
        time: SystemTime,
        frame: Vec<u8>,
    ) -> Result<()> {
        let now = Instant::now();
        self.last_frame = now;
        // Two threads read the clock; the capture has frames in one order.
        let time = time.max(self.last_time);
        self.last_time = time;
        if let Some(after) = self.unplug_after.take() {
            self.unplug_at = Some(now + after);
        }
        let mut packet = Packet::read(from, &frame);
        if self.plugs.len() == 1 {
            packet.from = self.rules.side_of(&packet);
        }
        let fate = self.rules.decide(&packet);
        self.lost += u64::from(fate.is_lost());
        self.narrate(&packet, &fate);
        self.record(from, time, &frame, fate.comment().as_deref())?;
        // A copy is a second packet, so that the capture has it, too.
        for _ in fate.copies.iter().skip(1) {
            let comment = Some("the cable's copy of the packet before");
            self.record(from, time, &frame, comment)?;
        }
        let forged = self.plugs.len() > 1;
        for (to, rst) in fate.forged.into_iter().filter(|_| forged) {
            self.forge(to, rst)?;
        }
        if self.plugs.len() > 1 {
            for delay in fate.copies {
                if !self.schedule.add(now + delay, from.other(), frame.clone())
                {
                    self.lost += 1;
                    warn!("lost: too many frames are on their way");
                }
            }
        }
        Ok(())
    }

    /// Sends a frame that no host has sent.
    fn forge(&mut self, to: End, frame: Vec<u8>) -> Result<()> {
        let now = SystemTime::now();
        let comment = Some("forged by the cable (cut)");
        say!("{}, forged by the cable", Packet::read(to.other(), &frame));
        self.record(to.other(), now, &frame, comment)?;
        self.schedule.add(Instant::now(), to, frame);
        Ok(())
    }

    fn record(
        &mut self,
        from: End,
        time: SystemTime,
        frame: &[u8],
        comment: Option<&str>,
    ) -> Result<()> {
        self.frames += 1;
        self.longest = self.longest.max(frame.len());
        let Some(capture) = &mut self.capture else { return Ok(()) };
        capture
            .record(from.index(), time, frame, comment)
            .map_err(|error| Error::new("write", "the capture", error))
    }

    fn flush(&mut self) -> Result<()> {
        let Some(capture) = &mut self.capture else { return Ok(()) };
        capture
            .flush()
            .map_err(|error| Error::new("write", "the capture", error))
    }

    fn narrate(&self, packet: &Packet, fate: &Fate) {
        match &fate.reason {
            Some(reason) if fate.is_lost() => say!("{packet}  LOST: {reason}"),
            Some(reason) => say!("{packet}  {reason}"),
            None if self.quiet => {}
            None => say!("{packet}"),
        }
    }

    /// Sends all frames whose time has come.
    fn deliver(&mut self) {
        let now = Instant::now();
        if self.unplug_at.is_some_and(|at| at <= now) {
            self.unplug_at = None;
            let _ = self.rules.obey(Order::Unplug);
            say!("unplugged");
        }
        while let Some((to, frame)) = self.schedule.pop(now) {
            let Some(plug) = self.plugs.get(to.index()) else { continue };
            if let Err(error) = send(plug, &frame) {
                self.lost += 1;
                warn!("{error}");
            }
        }
    }

    /// Obeys the orders about the program itself, and hands on the others.
    fn obey(&mut self, order: Order) -> Result<()> {
        match order {
            Order::Status => say!("{}", self.summary()),
            Order::Help => say!("{HELP}"),
            Order::End => self.ending = Some(Instant::now()),
            Order::UnplugAfter(time) => self.unplug_after = Some(time),
            Order::Cut => {
                for (to, frame) in self.rules.cut() {
                    self.forge(to, frame)?;
                }
            }
            order => {
                let said = match order {
                    Order::Unplug => "unplugged",
                    Order::Plug => "plugged in",
                    _ => "",
                };
                match self.rules.obey(order) {
                    Ok(()) if said.is_empty() => {}
                    Ok(()) => say!("{said}"),
                    Err(problem) => warn!("{problem}"),
                }
            }
        }
        Ok(())
    }

    /// Until when the main thread may wait for events.
    fn next_deadline(&self) -> Option<Instant> {
        let end = self.ending.map(|since| self.end_at(since));
        let due = self.schedule.next_due();
        [due, self.unplug_at, end].into_iter().flatten().min()
    }

    /// When the cable ends, if it was asked to at `since`.
    fn end_at(&self, since: Instant) -> Instant {
        let silent = self.last_frame.max(since) + SILENCE;
        match self.rules.open_connections() {
            0 => silent,
            _ => (since + LAST_WAIT).max(silent),
        }
    }

    fn is_done(&self) -> bool {
        let due = |since| self.end_at(since) <= Instant::now();
        self.schedule.next_due().is_none() && self.ending.is_some_and(due)
    }

    fn summary(&self) -> String {
        let (frames, lost, longest) = (self.frames, self.lost, self.longest);
        let open = self.rules.open_connections();
        format!(
            "{frames} frames, {lost} lost, the longest has {longest} bytes, \
             {open} connections open"
        )
    }
}

/// Creates the capture's file.
fn create(file: &str, plugs: &[Arc<Plug>]) -> Result<Capture<BufWriter<File>>> {
    let fail = |error| Error::new("open", file, error);
    let names: Vec<String> = match plugs {
        [only] => vec![only.name.clone()],
        _ => End::BOTH.map(|end| end.name().to_string()).to_vec(),
    };
    let created = BufWriter::new(File::create(file).map_err(fail)?);
    Capture::new(created, &names).map_err(fail)
}

/// Threads that hand on one order a line: from stdin, and from a FIFO if one
/// is named. Without a FIFO the end of stdin ends the cable, so that it cannot
/// outlive the program that holds the other end of the pipe.
fn listen_to_orders(fifo: Option<&str>, events: &Sender<Event>) -> Result<()> {
    let (sender, is_all) = (events.clone(), fifo.is_none());
    start("orders", move || {
        read_orders(io::stdin().lock(), &sender);
        if is_all {
            let _ = sender.send(Event::Stop);
        }
    })?;
    let Some(path) = fifo else { return Ok(()) };
    // Opened for reading and writing, so that the FIFO always has a writer.
    // Otherwise it would end each time that somebody writes an order and
    // closes it.
    let fifo = File::options().read(true).write(true).open(path);
    let fifo = fifo.map_err(|error| Error::new("open", path, error))?;
    let events = events.clone();
    start("more orders", move || read_orders(BufReader::new(fifo), &events))
}

fn read_orders(mut from: impl BufRead, events: &Sender<Event>) {
    let mut line = Vec::new();
    loop {
        line.clear();
        let most = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
        let mut limited = io::Read::take(&mut from, most);
        if !matches!(limited.read_until(b'\n', &mut line), Ok(1..)) {
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() && events.send(Event::Line(text.into())).is_err() {
            return;
        }
    }
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = thread::Builder::new().name(name.to_string());
    let started = thread.spawn(work);
    started.map(drop).map_err(|error| Error::new("clone", name, error))
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
    /// read orders from this FIFO, too; the end of stdin is then no end
    #[argh(option)]
    orders_from: Option<String>,
    /// number from which all chance is made (default 1)
    #[argh(option, default = "1")]
    seed: u64,
    /// say only what is lost or changed
    #[argh(switch)]
    quiet: bool,
}

impl Args {
    fn orders(&self) -> Vec<Order> {
        let orders = self.order.iter().map(|order| order.parse());
        let orders = orders.collect::<std::result::Result<_, String>>();
        orders.unwrap_or_else(|problem| args::usage(&problem))
    }
}
