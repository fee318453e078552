//! Controls a program as a user at a terminal does: types a line, reads what
//! the program prints, presses Ctrl-C. All transcripts and tests use it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, PipeReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};

use socketlab::{Error, Result, signals};

pub use crate::programs::{command, folder as program_folder};

/// A program must print the expected line within this time.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// At most this many pieces of output wait to be read. A program that prints
/// more blocks in write().
const QUEUE: usize = 1024;

/// A running program. Dropping it kills the process, by its own id.
pub struct Terminal {
    child: Child,
    stdin: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    unread: Vec<u8>,
    ended: bool,
}

/// The processes that run in terminals, by their ids.
static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Makes sure that our programs end with us, even if a signal ends us.
///
/// It also makes sure that Ctrl-C reaches them. A shell starts a background
/// command (`make demo &`) with SIGINT ignored, and programs inherit this.
/// Python, for example, then continues to ignore it. If we catch the signal,
/// exec() resets it to its default in the programs that we start.
fn end_all_on_signal() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = signals::on_signal(|| {
            for pid in RUNNING.lock().iter() {
                let _ = send(*pid, Signal::TERM);
            }
            std::process::exit(130);
        });
    });
}

fn send(pid: u32, signal: Signal) -> Result<()> {
    let id = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let id = id.ok_or_else(|| Error::other("it has no process id"))?;
    kill_process(id, signal).map_err(|e| Error::new("kill", pid, e.into()))
}

impl Terminal {
    /// Starts a program with these arguments, as [`command`] finds it.
    pub fn start<S: AsRef<OsStr>>(
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Terminal> {
        Terminal::run(command(program).args(arguments))
    }

    /// Starts a prepared command. Its stdout and stderr become one stream,
    /// in the order of writing, as on a screen. From the first call on, a
    /// signal that ends this process also ends all programs in terminals.
    pub fn run(command: &mut Command) -> Result<Terminal> {
        end_all_on_signal();
        let name = command.get_program().to_string_lossy().into_owned();
        let fail = |error| Error::new("exec", &name, error);
        let (screen, stdout) = io::pipe().map_err(fail)?;
        let stderr = stdout.try_clone().map_err(fail)?;
        command.stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
        let spawned = command.spawn().map_err(fail);
        // The command keeps the writing ends open until it gets others,
        // and then the end of the output would never be seen.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = spawned?;
        RUNNING.lock().insert(child.id());
        let stdin = child.stdin.take();
        let output = watch(screen).map_err(fail)?;
        Ok(Terminal { child, stdin, output, unread: Vec::new(), ended: false })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types a line and Enter.
    pub fn type_line(&mut self, line: &str) -> Result<()> {
        self.type_bytes(format!("{line}\n").as_bytes())
    }

    /// Types these bytes and nothing more.
    pub fn type_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(stdin) = self.stdin.as_mut() else {
            return Err(Error::other("its input has ended already"));
        };
        stdin
            .write_all(bytes)
            .and_then(|()| stdin.flush())
            .map_err(|error| Error::new("write", "its stdin", error))
    }

    /// Its input, so that another thread can write it while this one reads.
    pub fn take_input(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// Ctrl-D: ends its input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal: `Signal::INT` is Ctrl-C.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        send(self.pid(), signal)
    }

    /// The next line of its output, without the newline; `None` at the end of
    /// the output. Fails if it takes longer than [`DEADLINE`].
    pub fn read_line(&mut self) -> Result<Option<String>> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self.unread.iter().position(|&b| b == b'\n') {
                let rest = self.unread.split_off(at + 1);
                let line = std::mem::replace(&mut self.unread, rest);
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                return Ok(Some(String::from_utf8_lossy(line).into()));
            }
            if self.ended {
                let rest = std::mem::take(&mut self.unread);
                let text = String::from_utf8_lossy(&rest).into();
                return Ok((!rest.is_empty()).then_some(text));
            }
            self.receive(deadline)?;
        }
    }

    /// Waits until the last line is a prompt without a newline.
    pub fn read_prompt(&mut self, prompt: &str) -> Result<()> {
        let deadline = Instant::now() + DEADLINE;
        while !self.unread.starts_with(prompt.as_bytes()) {
            if self.ended {
                return Err(self.unexpected("the prompt", prompt));
            }
            self.receive(deadline)
                .map_err(|_| self.unexpected("the prompt", prompt))?;
        }
        self.unread.drain(..prompt.len());
        Ok(())
    }

    /// Skips a newline, if one follows what was read as a prompt.
    pub fn skip_line_end(&mut self) {
        if self.unread.first() == Some(&b'\n') {
            self.unread.remove(0);
        }
    }

    /// Reads lines until one matches `pattern`, in which `…` matches any text.
    /// Returns that line.
    pub fn wait_for(&mut self, pattern: &str) -> Result<String> {
        let mut passed = Vec::new();
        loop {
            match self.read_line() {
                Ok(Some(line)) if matches(pattern, &line) => return Ok(line),
                Ok(Some(line)) => passed.push(line),
                Ok(None) | Err(_) => {
                    let unread = String::from_utf8_lossy(&self.unread);
                    return Err(Error::other(format!(
                        "waited for: {pattern}\nbut read:   {}\n{unread}",
                        passed.join("\n            ")
                    )));
                }
            }
        }
    }

    /// Everything it prints until its end.
    pub fn read_to_end(&mut self) -> Result<Vec<u8>> {
        let deadline = Instant::now() + DEADLINE;
        while !self.ended {
            self.receive(deadline)?;
        }
        Ok(std::mem::take(&mut self.unread))
    }

    /// Waits for its end, [`DEADLINE`] at most, and returns its exit status.
    /// Output that was not read is lost.
    pub fn wait_for_end(&mut self) -> Result<ExitStatus> {
        self.read_to_end()?;
        // Its output is closed, so the process ends soon.
        let status = self.child.wait();
        RUNNING.lock().remove(&self.pid()); // the number is free again
        status.map_err(|error| Error::new("waitpid", "", error))
    }

    /// Is the process still running?
    pub fn is_running(&mut self) -> bool {
        let runs = matches!(self.child.try_wait(), Ok(None));
        if !runs {
            RUNNING.lock().remove(&self.pid());
        }
        runs
    }

    fn receive(&mut self, deadline: Instant) -> Result<()> {
        match self.output.recv_deadline(deadline) {
            Ok(chunk) => self.unread.extend(chunk),
            Err(RecvTimeoutError::Disconnected) => self.ended = true,
            Err(RecvTimeoutError::Timeout) => {
                return Err(Error::other(format!(
                    "nothing printed for {} s; so far: {}",
                    DEADLINE.as_secs(),
                    String::from_utf8_lossy(&self.unread)
                )));
            }
        }
        Ok(())
    }

    fn unexpected(&self, what: &str, wanted: &str) -> Error {
        let unread = String::from_utf8_lossy(&self.unread);
        Error::other(format!("waited for {what}: {wanted}\nbut read: {unread}"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        RUNNING.lock().remove(&self.pid());
    }
}

/// Starts a thread that reads what the program prints.
fn watch(mut screen: PipeReader) -> io::Result<Receiver<Vec<u8>>> {
    let (sender, output) = bounded(QUEUE);
    thread::Builder::new().name("screen".into()).spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = screen.read(&mut chunk) {
            let data = chunk.get(..count).unwrap_or_default().to_vec();
            if sender.send(data).is_err() {
                break;
            }
        }
    })?;
    Ok(output)
}

/// Does `line` match `pattern`, in which `…` matches any text, even none?
pub fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn an_ellipsis_stands_for_anything() {
        assert!(matches("bye", "bye"));
        assert!(!matches("bye", "bye bye"));
        assert!(matches("('127.0.0.1', …)", "('127.0.0.1', 48437)"));
        assert!(matches("…", ""));
        assert!(matches("a…b…c", "a1b2c"));
        assert!(!matches("a…b…c", "a1c2b"));
        assert!(!matches("ab…bc", "abc"));
    }
}
