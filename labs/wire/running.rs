//! A program in the background, whose lines are printed with its name in front:
//! `[server] listening on 10.0.0.2:12001`.

use std::io::Write;
use std::process::{ChildStdin, ExitStatus};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use harness::terminal::Terminal;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use socketlab::{Error, Result, say};

/// A program that runs. A thread reads what it prints.
pub struct Running {
    pid: u32,
    input: Option<ChildStdin>,
    /// Receives something when the first line has come.
    first_line: Receiver<()>,
    /// Is closed when the program has ended.
    ended: Receiver<()>,
    printer: Option<JoinHandle<Option<ExitStatus>>>,
}

impl Running {
    /// Prints from now on what the program prints, after `[name]`.
    pub fn start(name: &'static str, mut program: Terminal) -> Result<Running> {
        let (pid, input) = (program.pid(), program.take_input());
        let (first, first_line) = bounded(1);
        let (until, ended) = bounded::<()>(0);
        let print = move || {
            loop {
                match program.read_line() {
                    Ok(Some(line)) => say!("[{name}] {line}"),
                    Ok(None) => break,
                    // It has printed nothing for ten seconds, but still runs.
                    Err(_) if program.is_running() => continue,
                    Err(_) => break,
                }
                let _ = first.try_send(());
            }
            let status = program.wait_for_end().ok();
            drop(until);
            status
        };
        let printer = thread::Builder::new().name(name.into()).spawn(print);
        let printer = printer.map_err(|e| Error::new("clone", name, e))?;
        Ok(Running { pid, input, first_line, ended, printer: Some(printer) })
    }

    /// Waits for its first line, so long at most.
    pub fn has_begun(&self, limit: Duration) -> bool {
        self.first_line.recv_timeout(limit).is_ok()
    }

    /// Has it ended, so that all of its lines are printed?
    pub fn has_ended(&self) -> bool {
        self.printer.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Types a line to it.
    pub fn type_line(&mut self, line: &str) -> Result<()> {
        let Some(input) = &mut self.input else { return Ok(()) };
        writeln!(input, "{line}")
            .map_err(|error| Error::new("write", "its stdin", error))
    }

    /// Sends a signal to it, and to what it has started, if it leads a group.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| !self.has_ended()) {
            let _ = kill_process_group(pid, signal)
                .or_else(|_| kill_process(pid, signal));
        }
    }

    /// Waits until it has ended; kills it if it takes longer than `limit`. Did
    /// it end by itself, with status 0?
    pub fn wait(&mut self, limit: Duration) -> bool {
        let ended = self.ended.recv_timeout(limit);
        if ended == Err(RecvTimeoutError::Timeout) {
            self.signal(Signal::KILL);
        }
        let printer = self.printer.take().map(JoinHandle::join);
        let status = printer.and_then(|joined| joined.ok().flatten());
        status.is_some_and(|status| status.success())
    }
}
