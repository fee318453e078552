//! A mail server that does what a script says, built with std and rustls alone.
//! If it used our own reader, a mistake in it would be in both ends, and no
//! test would fail. Each line of a script is a line of the dialogue, so a test
//! reads as its transcript:
//!
//! ```text
//! S: 250 ok          it sends this line
//! C: RCPT TO:<…>     the client must send this one next
//! M:                 the client sends a message, up to its dot
//! raw 25             it sends these bytes, with \r and \n as escapes
//! tls                TLS begins
//! hang               it says nothing more, and waits for the client
//! close, reset       it leaves: with FIN, with RST
//! at 192.0.2.1       (first line only) where it listens; 127.0.0.1
//! ```

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use harness::terminal::{self, Terminal, matches};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use harness::DEADLINE;

/// The beginning of most scripts.
pub const GREETING: &str = "S: 220 mail.test ESMTP\n";

/// EHLO and its reply, without any extension.
pub const EHLO: &str = "C: EHLO [127.0.0.1]\nS: 250 mail.test\n";

/// The envelope of `client()`, one by one.
pub const ENVELOPE: &str = "C: MAIL FROM:<ada@example.com>\nS: 250 ok\n\
                            C: RCPT TO:<bob@example.org>\nS: 250 ok\n";

/// DATA, the message and its acceptance.
pub const MESSAGE: &str = "C: DATA\nS: 354 go on\nM:\nS: 250 2.0.0 queued\n";

/// The end.
pub const QUIT: &str = "C: QUIT\nS: 221 bye\n";

/// A certificate for localhost and 127.0.0.1, and a file by which a client can
/// trust it.
pub struct Identity {
    /// For the server.
    pub config: Arc<ServerConfig>,
    /// For `SSL_CERT_FILE`.
    pub file: PathBuf,
    /// Its key, for servers that read files.
    pub key: PathBuf,
    _folder: tempfile::TempDir,
}

/// A new certificate for these names.
pub fn identity(names: &[&str]) -> Identity {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut about = rcgen::CertificateParams::new(names).expect("names");
    // Its own authority, with a unique name.
    let name = format!("test authority {:x}", rand::random::<u64>());
    about.distinguished_name.push(rcgen::DnType::CommonName, name);
    let key_pair = rcgen::KeyPair::generate().expect("a key");
    let cert = about.self_signed(&key_pair).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(key_pair.serialize_der());
    let config = ServerConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cert.pem");
    std::fs::write(&file, cert.pem()).expect("written");
    let key = folder.path().join("key.pem");
    std::fs::write(&key, key_pair.serialize_pem()).expect("written");
    Identity { config: Arc::new(config), file, key, _folder: folder }
}

/// The result of a dialogue.
pub struct Done {
    /// The exit status.
    pub status: Option<i32>,
    /// Everything that the client printed.
    pub screen: String,
    /// The message, or the reason why the client left the script.
    pub server: Result<String, String>,
}

impl Done {
    /// The script was followed to its end.
    #[track_caller]
    pub fn followed(&self) -> &str {
        match &self.server {
            Ok(message) => message,
            Err(why) => panic!("{why}\n{}", self.screen),
        }
    }

    /// It ended with this status and printed this.
    #[track_caller]
    pub fn ended(&self, status: i32, printed: &[&str]) -> &Done {
        let screen = &self.screen;
        for text in printed {
            assert!(screen.contains(text), "no {text:?} in\n{screen}");
        }
        assert_eq!(self.status, Some(status), "{screen}");
        let sent = screen.contains("\nsent to");
        assert!(!sent || screen.contains("server is responsible"), "{screen}");
        self
    }

    /// It says that nothing was sent, and nothing else.
    #[track_caller]
    pub fn not_sent(&self, printed: &[&str]) {
        self.ended(1, printed);
        assert!(self.screen.contains("not sent: "), "{}", self.screen);
        assert!(!self.screen.contains("sent to"), "{}", self.screen);
        assert!(!self.screen.contains("unknown: "), "{}", self.screen);
    }
}

/// A client from ada to bob, with these options, at `port`.
pub fn client(host: &str, port: u16, options: &[&str]) -> Vec<String> {
    let mut words = vec![host.to_string(), port.to_string()];
    let has = |name: &str| options.contains(&name);
    if !has("--from") {
        words.extend(["--from", "ada@example.com"].map(str::to_string));
    }
    if !has("--to") && !has("--bcc") {
        words.extend(["--to", "bob@example.org"].map(str::to_string));
    }
    words.extend(options.iter().map(ToString::to_string));
    words
}

/// Plays a script against our client without TLS, with the body `hello`.
#[track_caller]
pub fn play(script: &str, options: &[&str]) -> Done {
    play_with(script, "127.0.0.1", options, b"hello\n", &identity_of_nobody())
}

/// A configuration for scripts that have no `tls`.
pub fn identity_of_nobody() -> Identity {
    identity(&["localhost"])
}

/// The same with another name of the server, body, and certificate.
#[track_caller]
pub fn play_with(
    script: &str,
    host: &str,
    options: &[&str],
    body: &[u8],
    identity: &Identity,
) -> Done {
    let (port, server) = serve(script, identity.config.clone());
    let mut command = terminal::command("mail-client");
    command.args(client(host, port, options));
    command.env("SSL_CERT_FILE", &identity.file).env_remove("TRACE");
    command.env("MAIL_PASSWORD", "tanstaaf");
    let mut client = Terminal::run(&mut command).expect("it starts");
    if let Some(mut input) = client.take_input() {
        // It may have refused the command line and ended already.
        let _ = input.write_all(body);
    }
    let screen = client.read_to_end().expect("it ends");
    let status = client.wait_for_end().expect("it ends").code();
    let screen = String::from_utf8(screen).expect("text");
    let server = server.join().expect("the script's thread");
    Done { status, screen, server }
}

/// Starts the server of a script; its thread returns the message.
pub fn serve(
    script: &str,
    config: Arc<ServerConfig>,
) -> (u16, JoinHandle<Result<String, String>>) {
    let first = script.lines().next().and_then(|l| l.strip_prefix("at "));
    let address = (first.unwrap_or("127.0.0.1"), 0);
    let listener = TcpListener::bind(address).expect("an address");
    let port = listener.local_addr().expect("an address").port();
    let script = script.to_string();
    let server = thread::spawn(move || {
        // The client may have refused its command line, and then never
        // connects.
        let mut ready = [PollFd::new(&listener, PollFlags::IN)];
        // Longer than other deadlines: a busy machine starts programs late.
        let limit = Timespec::try_from(3 * DEADLINE).expect("a limit");
        let ready = poll(&mut ready, Some(&limit)).expect("poll");
        if ready == 0 {
            return Err("no client has come".to_string());
        }
        let accepted = listener.accept();
        let (socket, _) = accepted.map_err(|error| error.to_string())?;
        socket.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        socket.set_write_timeout(Some(DEADLINE)).expect("a deadline");
        let mut server = Script {
            wire: Some(Wire::Clear(socket)),
            unread: Vec::new(),
            message: String::new(),
        };
        for line in script.lines() {
            server
                .perform(line, &config)
                .map_err(|why| format!("the script stops at: {line}\n{why}"))?;
        }
        Ok(server.message)
    });
    (port, server)
}

/// The server's end of the connection.
enum Wire {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Wire {
    fn begin_tls(self, config: Arc<ServerConfig>) -> io::Result<Wire> {
        let Wire::Clear(mut socket) = self else {
            return Err(io::Error::other("TLS inside TLS"));
        };
        let new = ServerConnection::new(config);
        let mut connection = new.map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(Wire::Tls(Box::new(StreamOwned::new(connection, socket))))
    }

    fn recv(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Clear(socket) => socket.read(buffer),
            Wire::Tls(stream) => stream.read(buffer),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Wire::Clear(socket) => socket.write_all(bytes),
            Wire::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }

    /// Sends close_notify if there is TLS, then FIN. Then it reads for a
    /// moment, because otherwise the kernel could send RST, and the client
    /// could lose the last reply.
    fn close(self) {
        let mut socket = match self {
            Wire::Clear(socket) => socket,
            Wire::Tls(mut stream) => {
                stream.conn.send_close_notify();
                let _ = stream.flush();
                stream.sock
            }
        };
        let _ = socket.shutdown(Shutdown::Write);
        let _ = socket.set_read_timeout(Some(Duration::from_secs(1)));
        while socket.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
    }
}

struct Script {
    wire: Option<Wire>,
    unread: Vec<u8>,
    message: String,
}

impl Script {
    fn perform(
        &mut self,
        line: &str,
        config: &Arc<ServerConfig>,
    ) -> Result<(), String> {
        if let Some(text) = line.strip_prefix("S: ") {
            return self.send(format!("{text}\r\n").as_bytes());
        }
        if let Some(bytes) = line.strip_prefix("raw ") {
            let bytes = bytes.replace("\\r", "\r").replace("\\n", "\n");
            return self.send(bytes.as_bytes());
        }
        if let Some(wanted) = line.strip_prefix("C: ") {
            return match self.next()? {
                Some(line) if matches(wanted, &line) => Ok(()),
                Some(line) => Err(format!("the client sent: {line}")),
                None => Err("the client has closed".into()),
            };
        }
        let gone = || "closed by the script".to_string();
        match line {
            at if at.starts_with("at ") => Ok(()), // done by serve()
            "M:" => loop {
                match self.next()?.ok_or("closed inside the message")? {
                    line if line == "." => return Ok(()),
                    line => self.message.push_str(&format!("{line}\n")),
                }
            },
            "tls" => {
                let wire = self.wire.take().ok_or_else(gone)?;
                let wire = wire.begin_tls(config.clone());
                self.wire = Some(wire.map_err(|error| error.to_string())?);
                Ok(())
            }
            "hang" => match self.next() {
                Ok(None) | Err(_) => Ok(()),
                Ok(Some(line)) => Err(format!("the client continued: {line}")),
            },
            "close" => {
                self.wire.take().ok_or_else(gone)?.close();
                Ok(())
            }
            "reset" => {
                if let Wire::Clear(socket) =
                    self.wire.take().ok_or_else(gone)?
                {
                    harness::reset(socket);
                }
                Ok(())
            }
            "S:" | "C:" => Err("a blank is missing".into()),
            _ => Err("no such line in a script".into()),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let wire = self.wire.as_mut().ok_or("closed by the script")?;
        wire.send(bytes).map_err(|error| error.to_string())
    }

    /// The client's next line, which must end with CR LF; `None` at its end.
    fn next(&mut self) -> Result<Option<String>, String> {
        let wire = self.wire.as_mut().ok_or("closed by the script")?;
        loop {
            let end = self.unread.iter().position(|&byte| byte == b'\n');
            if let Some(end) = end {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).into_owned();
                let inner = line.strip_suffix("\r\n").map(str::to_string);
                return inner.ok_or(format!("no CR LF: {line}")).map(Some);
            }
            if self.unread.len() > 4096 {
                return Err("a line of more than 4096 bytes".into());
            }
            let mut buffer = [0; 4096];
            match wire.recv(&mut buffer).map_err(|error| error.to_string())? {
                0 if self.unread.is_empty() => return Ok(None),
                0 => return Err("the client closed inside a line".into()),
                count => self.unread.extend_from_slice(&buffer[..count]),
            }
        }
    }
}
