//! All members of a room, in one thread. While it measures, this thread never
//! sleeps: the kernel would have to wake a sleeping reader for each line, and
//! would count the CPU time for this as the server's.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;

use super::peers::Manner;
use crate::kit::load::STUCK;

/// Ends the text of every line that a member sends. No other text of a server
/// contains it, so the number of marks is the number of lines.
const MARK: u8 = b'$';

/// The length of a line's text, in bytes.
const TEXT: usize = 48;

/// Lines in flight during a flood.
const IN_FLIGHT: u64 = 64;

/// The flood that fills a stuck reader's buffers: in each millisecond this many
/// lines of this many bytes, which is 4 MB a second.
const BURST: u64 = 10;
const LONG_TEXT: usize = 400;

/// The room: member 0 sends, and all others receive.
pub struct Room {
    members: Vec<TcpStream>,
    manner: &'static Manner,
    ready: OwnedFd,  // epoll: sockets with something to read
    heard: Vec<u64>, // lines, by member
    said: u64,       // lines
    unsent: Vec<u8>, // said, but the speaker's socket is full
    buffer: Vec<u8>, // for recv()
    events: Vec<epoll::Event>,
}

/// What a flood achieved.
pub struct Flood {
    pub deliveries: u64,
    pub elapsed: Duration,
}

impl Room {
    /// Connects this many members, then logs them in, all at once.
    pub fn enter(
        address: SocketAddr,
        manner: &'static Manner,
        count: usize,
    ) -> io::Result<Room> {
        let mut room = Room {
            members: Vec::new(),
            manner,
            ready: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            heard: vec![0; count],
            said: 0,
            unsent: Vec::new(),
            buffer: vec![0; 256 * 1024],
            events: Vec::with_capacity(256),
        };
        for number in 0..count {
            let member = TcpStream::connect(address)?;
            member.set_nodelay(true)?;
            member.set_nonblocking(true)?;
            let data = EventData::new_u64(number as u64);
            epoll::add(&room.ready, &member, data, EventFlags::IN)?;
            room.members.push(member);
            room.wait_for(number, manner.greeting)?;
        }
        for (hello, answer) in manner.login {
            for (number, member) in room.members.iter_mut().enumerate() {
                let hello = hello.replace('@', &number.to_string());
                member.write_all(hello.as_bytes())?;
            }
            room.wait_for(0, answer)?;
        }
        room.wait_for_quiet()?;
        Ok(room)
    }

    /// Waits until all members from number `first` on have received this reply.
    /// The others still read, because ncat waits for each of them.
    fn wait_for(&mut self, first: usize, answer: &str) -> io::Result<()> {
        let mut texts = vec![Some(Vec::new()); self.members.len() - first];
        let mut missing = if answer.is_empty() { 0 } else { texts.len() };
        let mut progress = Instant::now();
        while missing > 0 {
            self.read_ready(|member, bytes| {
                let Some(text) = texts.get_mut(member.wrapping_sub(first))
                else {
                    return;
                };
                let Some(begun) = text else { return };
                begun.extend_from_slice(bytes);
                if memchr::memmem::find(begun, answer.as_bytes()).is_some() {
                    *text = None;
                    missing -= 1;
                    progress = Instant::now();
                }
            })?;
            if progress.elapsed() > STUCK {
                return Err(io::Error::other(format!("no {answer:?} came")));
            }
        }
        Ok(())
    }

    /// Waits until nothing has arrived for 200 ms: all lines about the logins
    /// have been read.
    fn wait_for_quiet(&mut self) -> io::Result<()> {
        let mut last = Instant::now();
        while last.elapsed() < Duration::from_millis(200) {
            if self.read_ready(|_, _| {})? {
                last = Instant::now();
            }
        }
        Ok(())
    }

    fn listeners(&self) -> u64 {
        self.members.len() as u64 - 1
    }

    /// Keeps 64 lines on the way: one has arrived when every member has it.
    pub fn flood(&mut self, time: Duration) -> io::Result<Flood> {
        let start = Instant::now();
        let deadline = start + time;
        let first = self.said;
        let listeners = self.listeners();
        let mut complete = first; // lines that every member has
        let mut missing = [0; IN_FLIGHT as usize]; // members without line n
        let slot = |line: u64| (line % IN_FLIGHT) as usize;
        while Instant::now() < deadline || complete < self.said {
            let free = IN_FLIGHT - (self.said - complete);
            if free > 0 && Instant::now() < deadline {
                for line in self.said..self.said + free {
                    missing[slot(line)] = listeners;
                }
                self.say(free, TEXT)?;
            }
            self.receive(|_, from, to| {
                (from..to).for_each(|line| missing[slot(line)] -= 1);
            })?;
            while complete < self.said && missing[slot(complete)] == 0 {
                complete += 1;
            }
            self.check(deadline)?;
        }
        let deliveries = (complete - first) * listeners;
        Ok(Flood { deliveries, elapsed: start.elapsed() })
    }

    /// Sends `rate` lines a second. Returns how long each line took to each
    /// member, counted from the moment when the line was due.
    pub fn pace(
        &mut self,
        rate: u32,
        time: Duration,
    ) -> io::Result<Vec<Duration>> {
        let start = Instant::now();
        let first = self.said;
        let total = (f64::from(rate) * time.as_secs_f64()).ceil() as u64;
        let due = |line: u64| {
            let number = (line - first) as f64;
            start + Duration::from_secs_f64(number / f64::from(rate))
        };
        let all = (total * self.listeners()) as usize;
        let mut times = Vec::with_capacity(all);
        while times.len() < all {
            if self.said < first + total && Instant::now() >= due(self.said) {
                self.say(1, TEXT)?;
            }
            self.receive(|_, from, to| {
                let now = Instant::now();
                times.extend((from..to).map(|line| now - due(line)));
            })?;
            self.check(start + time)?;
        }
        Ok(times)
    }

    /// The member that entered last stops reading.
    pub fn last_is_stuck(&mut self) -> io::Result<()> {
        self.members.last().map_or(Ok(()), |stuck| {
            epoll::delete(&self.ready, stuck)?;
            Ok(())
        })
    }

    /// The longest time for which any listener, except the last, receives
    /// nothing although lines are sent each millisecond.
    pub fn silence(&mut self, time: Duration) -> io::Result<Duration> {
        let start = Instant::now();
        let mut heard_at = vec![start; self.members.len()];
        let last = heard_at.len() - 1;
        let mut longest = Duration::ZERO;
        let mut due = start;
        while start.elapsed() < time {
            if Instant::now() >= due && self.unsent.is_empty() {
                self.say(BURST, LONG_TEXT)?;
                due += Duration::from_millis(1);
            }
            self.receive(|member, _, _| {
                let now = Instant::now();
                longest = longest.max(now - heard_at[member]);
                heard_at[member] = now;
            })?;
        }
        let still = heard_at[1..last].iter().map(Instant::elapsed).max();
        Ok(longest.max(still.unwrap_or_default()))
    }

    /// Sends this many lines with one call.
    fn say(&mut self, lines: u64, text: usize) -> io::Result<()> {
        let Manner { before, after, .. } = self.manner;
        for _ in 0..lines {
            self.unsent.extend_from_slice(before.as_bytes());
            self.unsent.resize(self.unsent.len() + text - 1, b'x');
            self.unsent.push(MARK);
            self.unsent.extend_from_slice(after.as_bytes());
        }
        self.said += lines;
        self.send()
    }

    fn send(&mut self) -> io::Result<()> {
        match self.members[0].write(&self.unsent) {
            Ok(count) => drop(self.unsent.drain(..count)),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// Reads lines. `heard` gets the member, and the numbers of the first line
    /// and of the line after the last.
    fn receive(
        &mut self,
        mut heard: impl FnMut(usize, u64, u64),
    ) -> io::Result<()> {
        if !self.unsent.is_empty() {
            self.send()?;
        }
        let mut counts = std::mem::take(&mut self.heard);
        let said = self.said;
        let mut twice = false;
        self.read_ready(|member, bytes| {
            let lines = memchr::memchr_iter(MARK, bytes).count() as u64;
            let before = counts[member];
            twice |= before + lines > said;
            if lines > 0 {
                counts[member] = before + lines;
                heard(member, before, before + lines);
            }
        })?;
        self.heard = counts;
        match twice {
            true => Err(io::Error::other("a line came twice")),
            false => Ok(()),
        }
    }

    /// Reads once from each member that has something to read, without
    /// blocking. Returns false if no member has.
    fn read_ready(
        &mut self,
        mut got: impl FnMut(usize, &[u8]),
    ) -> io::Result<bool> {
        self.events.clear();
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let events = spare_capacity(&mut self.events);
        epoll::wait(&self.ready, events, Some(&at_once))?;
        for event in &self.events {
            let member = event.data.u64() as usize;
            match self.members[member].read(&mut self.buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => got(member, &self.buffer[..count]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e),
            }
        }
        Ok(!self.events.is_empty())
    }

    /// Fails if a line is missing 10 s after the end.
    fn check(&self, end: Instant) -> io::Result<()> {
        match end.elapsed() > STUCK {
            true => Err(io::Error::other("lines were lost")),
            false => Ok(()),
        }
    }
}
