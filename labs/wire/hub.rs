//! The cable's hub: the one thread that decides about frames, writes them down
//! and sends them on. It knows no socket, only a function that sends.
//!
//! ```text
//! thread "client" --frame--+
//! thread "server" --frame--+--> channel --> hub: rules, capture, schedule
//! thread "orders" --line---+                 |
//!                                            +--> send(end, frame)
//! ```

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use socketlab::{Error, Result, say, warn};

use crate::capture::Capture;
use crate::finish::finish;
use crate::orders::{HELP, Order};
use crate::packet::{End, Packet};
use crate::rules::{Fate, Rules};
use crate::schedule::Schedule;

/// Frames that may wait between the threads: 64 MB at the very most.
pub const QUEUE: usize = 1024;

/// How long the cable waits after the order `end`: for silence when all
/// connections are closed, and at most, if one of them never closes.
const SILENCE: Duration = Duration::from_millis(100);
const LAST_WAIT: Duration = Duration::from_secs(2);

/// What the threads hand to the hub.
pub enum Event {
    /// A frame, the end where it came in, and when.
    Frame(End, SystemTime, Vec<u8>),
    /// A line with an order.
    Line(String),
    /// An interface is gone.
    Unusable(Error),
    /// The orders have ended, or a signal came.
    Stop,
}

/// How a cable is started.
pub struct Settings {
    /// The names of the interfaces. If there is one, the cable only listens.
    pub interfaces: Vec<String>,
    /// The file for the capture.
    pub save: Option<String>,
    /// Whether to print only what is lost or changed.
    pub quiet: bool,
    /// The seed of the random numbers.
    pub seed: u64,
}

/// Sends a frame at one end of the cable.
pub type SendFrame = Box<dyn FnMut(End, &[u8]) -> Result<()>>;

/// Everything that the cable knows.
pub struct Hub {
    settings: Settings,
    send: SendFrame,
    rules: Rules,
    schedule: Schedule,
    capture: Option<Capture<BufWriter<File>>>,
    frames: u64,
    lost: u64,
    longest: usize,
    unplug_after: Option<Duration>,
    unplug_at: Option<Instant>,
    /// Since when the cable has been asked to end.
    ending: Option<Instant>,
    last_frame: Instant,
    last_time: SystemTime,
}

impl Hub {
    /// Creates the file for the capture.
    pub fn new(settings: Settings, send: SendFrame) -> Result<Hub> {
        let capture = match &settings.save {
            Some(file) => Some(create(file, &settings.interfaces)?),
            None => None,
        };
        Ok(Hub {
            send,
            rules: Rules::new(settings.seed),
            schedule: Schedule::default(),
            capture,
            settings,
            frames: 0,
            lost: 0,
            longest: 0,
            unplug_after: None,
            unplug_at: None,
            ending: None,
            last_frame: Instant::now(),
            last_time: SystemTime::UNIX_EPOCH,
        })
    }

    /// Handles one event after the other, until it is time to end.
    pub fn run(mut self, events: &Receiver<Event>) -> Result<()> {
        let interfaces = self.settings.interfaces.join(" <-> ");
        say!("the cable is plugged in: {interfaces}");
        if io::stdin().is_terminal() {
            say!("Type orders here: lose next data, unplug; help lists them.");
        }
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
        if self.settings.interfaces.len() == 1 {
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
        let forged = self.settings.interfaces.len() > 1;
        for (to, rst) in fate.forged.into_iter().filter(|_| forged) {
            self.forge(to, rst)?;
        }
        if self.settings.interfaces.len() > 1 {
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
            None if self.settings.quiet => {}
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
            if let Err(error) = (self.send)(to, &frame) {
                self.lost += 1;
                warn!("{error}");
            }
        }
    }

    /// Obeys the orders about the program itself, and hands on the others.
    pub fn obey(&mut self, order: Order) -> Result<()> {
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
fn create(
    file: &str,
    interfaces: &[String],
) -> Result<Capture<BufWriter<File>>> {
    let fail = |error| Error::new("open", file, error);
    let names: Vec<String> = match interfaces {
        [only] => vec![only.clone()],
        _ => End::BOTH.map(|end| end.name().to_string()).to_vec(),
    };
    let created = BufWriter::new(File::create(file).map_err(fail)?);
    Capture::new(created, &names).map_err(fail)
}

/// Starts one of the cable's threads.
pub fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = thread::Builder::new().name(name.to_string());
    let started = thread.spawn(work);
    started.map(drop).map_err(|error| Error::new("clone", name, error))
}
