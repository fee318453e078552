//! TLS over a socket, by rustls. The handshake and the records are not the
//! lesson of any lab; when they begin, and whom they trust, is.
//!
//! ```text
//!   the dialogue   send_all("AUTH PLAIN …")        recv() = "235 …"
//!        |                                               ^
//!   rustls         encrypts, cuts into records     checks, decrypts
//!        v                                               |
//!   TcpSocket      send(17 03 03 00 2f …)          recv(17 03 03 …)
//! ```
//!
//! `TRACE=1` shows the lowest row: what somebody on the way sees.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{
    ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig,
    ServerConnection,
};

use socketlab::dialogue::Dialogue;
use socketlab::net::TcpSocket;
use socketlab::stream::Stream;
use socketlab::{Error, Result};

/// A server grants a client so long for the whole handshake, however slow
/// its pieces. A client says itself how long it waits.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A socket that speaks in the clear until TLS begins on it.
pub enum Channel {
    /// Everybody on the way can read this.
    Clear(TcpSocket),
    /// Encrypted, and the server is who its certificate says.
    Secure(Box<Secure>),
}

/// TLS over a socket, after the handshake.
pub struct Secure {
    socket: TcpSocket,
    connection: Connection,
    limit: Option<Duration>, // for one recv, of as many records as it takes
}

/// What a client trusts: the certificate authorities of this system, or those
/// of the file that the environment variable `SSL_CERT_FILE` names.
pub fn client_config() -> Result<Arc<ClientConfig>> {
    check_cert_file()?;
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        let why = found.errors.first().map(|error| format!(": {error}"));
        return Err(Error::other(format!(
            "TLS: this system has no certificate authorities{}. Install the \
             package ca-certificates, or name a file of your own with \
             SSL_CERT_FILE=ca.pem",
            why.unwrap_or_default()
        )));
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(explained)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// If `SSL_CERT_FILE` is set: has the file a certificate? A wrong name is
/// told before a dialogue begins, and not in the middle of it.
pub fn check_cert_file() -> Result<()> {
    let Some(name) = std::env::var_os("SSL_CERT_FILE") else {
        return Ok(());
    };
    let path = std::path::Path::new(&name);
    let fail = |why: &str| {
        let name = path.display();
        let what = "SSL_CERT_FILE names the certificate to trust";
        Err(Error::other(format!("{what}: '{name}': {why}")))
    };
    if let Err(error) = std::fs::File::open(path) {
        let error = error.to_string();
        return fail(error.split(" (os error").next().unwrap_or_default());
    }
    let found = rustls_native_certs::load_certs_from_paths(Some(path), None);
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(found.certs) {
        (0, _) => fail("no certificate in it (BEGIN CERTIFICATE)"),
        _ => Ok(()),
    }
}

/// TLS on a client's dialogue, before its first word or after the server has
/// agreed to begin it (STARTTLS): the check of what came before it, and the
/// handshake, all of it within `wait`. Returns the configuration that was
/// used, because FTP's second connection needs the same.
pub fn start_tls(
    dialogue: &mut Dialogue<Channel>,
    host: &str,
    wait: Duration,
) -> Result<Arc<ClientConfig>> {
    let config = client_config()?;
    let ours = config.clone();
    dialogue.start_tls(|channel| match channel {
        Channel::Clear(socket) => {
            Channel::connect_tls(socket, ours, host, wait)
        }
        Channel::Secure(_) => Err(Error::other("TLS has begun already")),
    })?;
    Ok(config)
}

/// The cryptography: ring, which builds with a C compiler alone.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl Channel {
    /// The client's handshake, all of it within `wait`. `host` is the name
    /// that the user typed: the certificate must be for it, or anybody's
    /// certificate would do.
    pub fn connect_tls(
        socket: TcpSocket,
        config: Arc<ClientConfig>,
        host: &str,
        wait: Duration,
    ) -> Result<Channel> {
        let name = host.trim_matches(['[', ']']).to_string();
        let name = ServerName::try_from(name).map_err(|_| {
            Error::other(format!("TLS: {host:?} is no name of a server"))
        })?;
        let new = ClientConnection::new(config, name).map_err(explained)?;
        Secure::begin(socket, new.into(), wait)
    }

    /// The server's handshake, with its certificate.
    pub fn accept_tls(
        socket: TcpSocket,
        config: Arc<ServerConfig>,
    ) -> Result<Channel> {
        let new = ServerConnection::new(config).map_err(explained)?;
        Secure::begin(socket, new.into(), HANDSHAKE)
    }

    /// Is it encrypted?
    pub fn is_secure(&self) -> bool {
        matches!(self, Channel::Secure(_))
    }

    /// `TLS 1.3, TLS13_AES_256_GCM_SHA384`, or "in the clear".
    pub fn description(&self) -> String {
        let Channel::Secure(secure) = self else {
            return "in the clear".into();
        };
        let version = secure.connection.protocol_version();
        let version = version.and_then(|version| version.as_str());
        let version = version.unwrap_or("TLS").replace("v1_", " 1.");
        let suite = secure.connection.negotiated_cipher_suite();
        let suite = suite.and_then(|suite| suite.suite().as_str());
        format!("{version}, {}", suite.unwrap_or("?"))
    }
}

impl Secure {
    fn begin(
        socket: TcpSocket,
        connection: Connection,
        wait: Duration,
    ) -> Result<Channel> {
        let mut secure = Secure { socket, connection, limit: None };
        let deadline = Instant::now() + wait;
        while secure.connection.is_handshaking() {
            secure.flush()?;
            if !secure.connection.is_handshaking() {
                break;
            }
            if secure.fill(Some(deadline))? == 0 {
                return Err(Error::other(
                    "TLS: the peer closed during the handshake. Does it \
                     speak TLS on this port?",
                ));
            }
        }
        secure.flush()?;
        Ok(Channel::Secure(Box::new(secure)))
    }

    /// Sends the records that wait.
    fn flush(&mut self) -> Result<()> {
        while self.connection.wants_write() {
            self.connection.write_tls(&mut Wire(&self.socket)).map_err(ours)?;
        }
        Ok(())
    }

    /// One `recv` of records; 0 when the peer has ended its direction.
    fn fill(&mut self, deadline: Option<Instant>) -> Result<usize> {
        let limit =
            deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let late = |socket: &TcpSocket| match socket.peer_addr() {
            Ok(peer) => {
                let what = "timed out: no whole TLS record in time";
                Error::timed_out("recv", peer, what.to_string())
            }
            Err(error) => error,
        };
        if limit.is_some_and(|limit| limit.is_zero()) {
            return Err(late(&self.socket));
        }
        self.socket.set_recv_timeout(limit)?;
        let mut wire = Wire(&self.socket);
        let count = match self.connection.read_tls(&mut wire).map_err(ours) {
            // EAGAIN, by name: the kernel's word for a limit of ours.
            Err(error) if error.is_timeout() && limit.is_some() => {
                return Err(late(&self.socket));
            }
            count => count?,
        };
        if let Err(error) = self.connection.process_new_packets() {
            // The alert that tells the peer why.
            let _ = self.flush();
            return Err(explained(error));
        }
        Ok(count)
    }
}

impl Stream for Channel {
    fn recv(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let secure = match self {
            Channel::Clear(socket) => return socket.recv(buffer),
            Channel::Secure(secure) => secure,
        };
        let deadline = secure.limit.map(|limit| Instant::now() + limit);
        loop {
            match secure.connection.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(count) => return Ok(count),
                // Somebody on the way may have cut it short.
                Err(_) => {
                    return Err(Error::other(
                        "TLS: the connection ended without close_notify: \
                         what came may not be all",
                    ));
                }
            }
            secure.fill(deadline)?;
            secure.flush()?; // an answer to a key update, say
        }
    }

    fn send_all(&mut self, data: &[u8]) -> Result<()> {
        let secure = match self {
            Channel::Clear(socket) => return socket.send_all(data),
            Channel::Secure(secure) => secure,
        };
        let mut rest = data;
        while !rest.is_empty() {
            // As much as rustls keeps at once; the rest after it has left.
            let count = secure.connection.writer().write(rest).map_err(ours)?;
            rest = rest.get(count..).unwrap_or_default();
            secure.flush()?;
        }
        Ok(())
    }

    fn set_recv_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        match self {
            Channel::Clear(socket) => socket.set_recv_timeout(limit),
            Channel::Secure(secure) => {
                secure.limit = limit;
                Ok(())
            }
        }
    }

    fn peer_addr(&self) -> Result<SocketAddr> {
        match self {
            Channel::Clear(socket) => socket.peer_addr(),
            Channel::Secure(secure) => secure.socket.peer_addr(),
        }
    }

    fn finish(self) {
        match self {
            Channel::Clear(socket) => socket.finish(),
            Channel::Secure(mut secure) => {
                // close_notify is TLS's FIN: without it the peer cannot tell
                // an end from a cut.
                secure.connection.send_close_notify();
                let _ = secure.flush();
                secure.socket.finish();
            }
        }
    }
}

/// Lends a socket to rustls, which wants std's Read and Write.
struct Wire<'a>(&'a TcpSocket);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buffer).map_err(io::Error::other)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.send(data).map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Our own error again, that went through rustls in an `io::Error`.
fn ours(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::new("TLS", "", error),
    }
}

/// A failure of TLS in words that tell what to do.
fn explained(error: rustls::Error) -> Error {
    use rustls::CertificateError as Bad;
    let advice = match &error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => {
                "Nobody whom this machine trusts vouches for the server: \
                 its certificate is its own, or of a private authority. If \
                 you know that it is right, name its file: \
                 SSL_CERT_FILE=cert.pem"
            }
            Bad::BadSignature => {
                "It is signed by another key than the trusted one of that \
                 name. Was the server's certificate made anew? Name its \
                 file again: SSL_CERT_FILE=cert.pem"
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "The certificate is somebody else's: connect to the name \
                 that it is for"
            }
            Bad::Other(other)
                if format!("{other:?}").contains("CaUsedAsEndEntity") =>
            {
                "The certificate says that it is an authority's, no \
                 server's: openssl req -x509 makes it so. Make it anew: \
                 openssl req -x509 \u{2026} -addext \
                 basicConstraints=critical,CA:FALSE"
            }
            Bad::Expired | Bad::ExpiredContext { .. } => {
                "Its time is over, or this machine's clock is wrong: date"
            }
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "Its time has not come, or this machine's clock is wrong: \
                 date"
            }
            _ => "The certificate cannot be trusted",
        },
        rustls::Error::InvalidMessage(_) => {
            "What came is no TLS. Does this port begin in the clear \
             (STARTTLS)?"
        }
        rustls::Error::AlertReceived(_) => {
            "The peer has refused, and says why in one word"
        }
        _ => "",
    };
    let point = if advice.is_empty() { "" } else { ". " };
    Error::other(format!("TLS: {error}{point}{advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use std::thread;

    /// A server's configuration for localhost, and a client's that trusts it.
    fn configs() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
        let names = vec!["localhost".to_string()];
        let made = rcgen::generate_simple_self_signed(names).expect("a key");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let chain = vec![made.cert.der().clone()];
        let server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain.clone(), key.into())
            .expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(chain);
        let client = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        (Arc::new(server), Arc::new(client))
    }

    fn pair() -> Result<(TcpSocket, TcpSocket)> {
        let any = socketlab::net::resolve_one("127.0.0.1", 0)?;
        let listener = TcpSocket::new(any)?;
        listener.bind(any)?;
        listener.listen(1)?;
        let client = TcpSocket::new(any)?;
        client.connect(listener.local_addr()?)?;
        Ok((client, listener.accept()?.0))
    }

    #[test]
    fn what_is_sent_arrives_and_the_end_is_told() -> Result<()> {
        let (server, client) = configs();
        let (near, far) = pair()?;
        let echo = thread::spawn(move || -> Result<()> {
            let mut far = Channel::accept_tls(far, server)?;
            let mut buffer = [0; 1000];
            loop {
                let count = far.recv(&mut buffer)?;
                if count == 0 {
                    break;
                }
                far.send_all(&buffer[..count])?;
            }
            far.finish();
            Ok(())
        });
        let mut near =
            Channel::connect_tls(near, client, "localhost", HANDSHAKE)?;
        assert!(near.description().starts_with("TLS 1.3, "));
        near.set_recv_timeout(Some(Duration::from_secs(20)))?;
        let data = vec![b'x'; 100_000];
        near.send_all(&data)?;
        let mut back = 0;
        while back < data.len() {
            back += near.recv(&mut [0; 4096])?;
        }
        assert_eq!(back, data.len());
        near.finish();
        echo.join().expect("the server")
    }

    #[test]
    fn a_certificate_for_another_name_is_refused() -> Result<()> {
        let (server, client) = configs();
        let (near, far) = pair()?;
        let far = thread::spawn(move || Channel::accept_tls(far, server));
        let refused =
            Channel::connect_tls(near, client, "example.org", HANDSHAKE);
        let text = refused.err().expect("refused").to_string();
        assert!(text.contains("somebody else's"), "{text}");
        assert!(far.join().expect("the server").is_err());
        Ok(())
    }

    #[test]
    fn a_cut_is_not_an_end() -> Result<()> {
        let (server, client) = configs();
        let (near, far) = pair()?;
        let far = thread::spawn(move || {
            let Channel::Secure(secure) = Channel::accept_tls(far, server)?
            else {
                return Err(Error::other("in the clear"));
            };
            secure.socket.finish(); // without close_notify
            Ok(())
        });
        let mut near =
            Channel::connect_tls(near, client, "localhost", HANDSHAKE)?;
        let text = near.recv(&mut [0; 9]).expect_err("cut").to_string();
        assert!(text.contains("close_notify"), "{text}");
        near.finish();
        far.join().expect("the server")
    }

    #[test]
    fn a_server_in_the_clear_is_told() -> Result<()> {
        let (_, client) = configs();
        let (near, far) = pair()?;
        far.send_all(b"220 mail.example ESMTP\r\n")?;
        let refused =
            Channel::connect_tls(near, client, "localhost", HANDSHAKE);
        let text = refused.err().expect("refused").to_string();
        assert!(text.contains("STARTTLS"), "{text}");
        Ok(())
    }
}
