//! `fetch` as a command, and servers that play a script.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use harness::terminal;

use harness::DEADLINE;

/// The password of everybody in these tests.
pub const PASSWORD: &str = "lun\"ch \\ 7";

/// `fetch` with these arguments and the password; stdin is empty.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = terminal::command("fetch");
    command.args(arguments).env("FETCH_PASSWORD", PASSWORD);
    command.stdin(std::process::Stdio::null());
    command
}

/// Runs it to its end.
pub fn fetch(arguments: &[&str]) -> Output {
    command(arguments).output().expect("fetch runs")
}

/// What it printed on stderr: the dialogue, and the error.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into()
}

/// What it printed on stdout, after it ended well.
#[track_caller]
pub fn result(output: &Output) -> Vec<u8> {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    output.stdout.clone()
}

/// The result as text.
#[track_caller]
pub fn text(output: &Output) -> String {
    String::from_utf8(result(output)).expect("text")
}

/// After it failed as it should: what it said.
#[track_caller]
pub fn failure(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", said(output));
    said(output)
}

/// A step of a script: what the client must say (a beginning, or "" for
/// nothing), and what it gets.
pub type Step = (&'static str, &'static [u8]);

/// A server in this process: each connection runs `talk` in a thread.
pub fn peer<F>(talk: F) -> SocketAddr
where
    F: Fn(TcpStream) + Send + Sync + 'static,
{
    peer_at("127.0.0.1", talk)
}

/// The same on another address.
pub fn peer_at<F>(host: &str, talk: F) -> SocketAddr
where
    F: Fn(TcpStream) + Send + Sync + 'static,
{
    let listener = TcpListener::bind((host, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    let talk = Arc::new(talk);
    thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            client.set_read_timeout(Some(DEADLINE)).expect("a limit");
            client.set_write_timeout(Some(DEADLINE)).expect("a limit");
            let talk = talk.clone();
            thread::spawn(move || talk(client));
        }
    });
    address
}

/// How a script ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// FIN.
    Close,
    /// Silence, until the client has gone.
    Hang,
}

/// A server that plays a script, and notes what the client said; a client
/// that says anything else finds the connection closed.
pub fn script(steps: Vec<Step>, then: Then) -> (SocketAddr, Heard) {
    let heard = Heard::default();
    let ours = heard.clone();
    let address = peer(move |mut client| {
        for (wanted, answer) in &steps {
            if !wanted.is_empty() {
                let line = line(&mut client);
                ours.0.lock().expect("no panic").push(line.clone());
                if !line.starts_with(wanted) {
                    return;
                }
            }
            if client.write_all(answer).is_err() {
                return;
            }
        }
        if then == Then::Hang {
            silence(&mut client, &ours);
        }
    });
    (address, heard)
}

/// Waits until the client has gone, and notes what it still says.
fn silence(client: &mut TcpStream, heard: &Heard) {
    loop {
        let line = line(client);
        if line.is_empty() {
            return;
        }
        heard.0.lock().expect("no panic").push(line);
    }
}

/// What a client said, line by line.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    /// All of it.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }
}

/// The next line without its end; "" when there is none.
pub fn line(client: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while let Ok(1) = client.read(&mut byte) {
        if byte == [b'\n'] {
            break;
        }
        line.push(byte[0]);
    }
    String::from_utf8_lossy(&line).trim_end().to_string()
}

/// Waits until somebody listens there.
#[track_caller]
pub fn until_it_listens(address: SocketAddr) {
    for _ in 0..200 {
        let soon = Duration::from_millis(100);
        if TcpStream::connect_timeout(&address, soon).is_ok() {
            return;
        }
        thread::park_timeout(soon / 2);
    }
    panic!("nobody listens at {address}");
}
