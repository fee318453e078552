//! TLS over a socket, with the library rustls. No lab explains the handshake
//! and the records. The labs show when TLS begins, and whom a client trusts.
//!
//! ```text
//!   the dialogue   send_all("AUTH PLAIN …")        recv() = "235 …"
//!        |                                               ^
//!   rustls         splits into records, encrypts   decrypts, checks
//!        v                                               |
//!   TcpSocket      send(17 03 03 00 2f …)          recv(17 03 03 …)
//! ```
//!
//! `TRACE=1` shows the lowest row: the bytes that everybody on the path can
//! see.

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

/// A server waits this long for the complete handshake. A client passes its
/// own limit.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A socket that is not encrypted until TLS begins on it.
pub enum Channel {
    /// Not encrypted: everybody on the path can read the bytes.
    Clear(TcpSocket),
    /// Encrypted, and the server has proved the name in its certificate.
    Secure(Box<Secure>),
}

/// TLS over a socket, after the handshake.
pub struct Secure {
    socket: TcpSocket,
    connection: Connection,
    limit: Option<Duration>, // for one recv(), which may need several records
}

/// The certificate authorities that a client trusts: those of this system, or
/// those in the file that the environment variable `SSL_CERT_FILE` names.
pub fn client_config() -> Result<Arc<ClientConfig>> {
    check_cert_file()?;
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        let why = found.errors.first().map(|error| format!(": {error}"));
        return Err(Error::other(format!(
            "TLS: this system has no certificate authorities{}. Install the \
             package ca-certificates, or name your own file with \
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

/// If `SSL_CERT_FILE` is set, checks that the file has a certificate. So a
/// wrong name is reported before the dialogue, and not in the middle of it.
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
        (0, _) => fail("the file has no certificate (BEGIN CERTIFICATE)"),
        _ => Ok(()),
    }
}

/// Begins TLS on a client's dialogue, either at once or after the server has
/// agreed to STARTTLS. It checks that no bytes are waiting, then does the
/// handshake, within `wait`. Returns the configuration, because FTP's second
/// connection needs the same one.
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

/// The cryptography: the crate ring, which needs only a C compiler to build.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl Channel {
    /// Does the client's handshake, within `wait`. `host` is the name that the
    /// user typed. The certificate must be for this name; otherwise every
    /// server with any valid certificate would be accepted.
    /// Python: ssl.create_default_context().wrap_socket(s, server_hostname=…)
    /// C: SSL_connect() of OpenSSL
    pub fn connect_tls(
        socket: TcpSocket,
        config: Arc<ClientConfig>,
        host: &str,
        wait: Duration,
    ) -> Result<Channel> {
        let name = host.trim_matches(['[', ']']).to_string();
        let name = ServerName::try_from(name).map_err(|_| {
            Error::other(format!("TLS: {host:?} is not a valid server name"))
        })?;
        let new = ClientConnection::new(config, name).map_err(explained)?;
        Secure::begin(socket, new.into(), wait)
    }

    /// Does the server's handshake, with its certificate.
    /// Python: context.wrap_socket(s, server_side=True)  C: SSL_accept()
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
    /// Sends and receives records until the handshake is complete.
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

    /// Sends the records that rustls has prepared.
    fn flush(&mut self) -> Result<()> {
        while self.connection.wants_write() {
            self.connection.write_tls(&mut Wire(&self.socket)).map_err(ours)?;
        }
        Ok(())
    }

    /// Calls recv() once and decrypts the records. Returns 0 if the peer has
    /// closed.
    fn fill(&mut self, deadline: Option<Instant>) -> Result<usize> {
        let limit =
            deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let late = |socket: &TcpSocket| match socket.peer_addr() {
            Ok(peer) => {
                let what = "timed out: no complete TLS record arrived in time";
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
            // recv() failed with EAGAIN, because our time limit has passed.
            Err(error) if error.is_timeout() && limit.is_some() => {
                return Err(late(&self.socket));
            }
            count => count?,
        };
        if let Err(error) = self.connection.process_new_packets() {
            // Send the alert that tells the peer the reason.
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
                // FIN without close_notify: the peer, or an attacker on the
                // path, may have cut the data. Nobody can forge close_notify.
                Err(_) => {
                    return Err(Error::other(
                        "TLS: the connection ended without close_notify, so \
                         the data may be incomplete",
                    ));
                }
            }
            secure.fill(deadline)?;
            secure.flush()?; // a record may need a reply, such as a key update
        }
    }

    fn send_all(&mut self, data: &[u8]) -> Result<()> {
        let secure = match self {
            Channel::Clear(socket) => return socket.send_all(data),
            Channel::Secure(secure) => secure,
        };
        let mut rest = data;
        while !rest.is_empty() {
            // rustls accepts as many bytes as its buffer can hold. The rest
            // follows after these have been sent.
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
                // close_notify is the FIN of TLS. Without it the peer cannot
                // know whether the data are complete.
                secure.connection.send_close_notify();
                let _ = secure.flush();
                secure.socket.finish();
            }
        }
    }
}

/// Lends a socket to rustls, which needs Read and Write of std.
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

/// Gets our own error back, which went through rustls as an `io::Error`.
fn ours(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::new("TLS", "", error),
    }
}

/// An error of TLS, with a sentence that says what to do.
fn explained(error: rustls::Error) -> Error {
    use rustls::CertificateError as Bad;
    let advice = match &error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => {
                "This machine does not trust the certificate's issuer: it is \
                 self-signed, or from a private authority. If you know that \
                 it is right, name its file: SSL_CERT_FILE=cert.pem"
            }
            Bad::BadSignature => {
                "Another key has signed the certificate than the trusted key \
                 of that name. Did the server create a new certificate? Then \
                 name its new file: SSL_CERT_FILE=cert.pem"
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "The certificate is somebody else's: connect to the name \
                 that is in the certificate"
            }
            Bad::Other(other)
                if format!("{other:?}").contains("CaUsedAsEndEntity") =>
            {
                "The certificate says that it belongs to an authority and \
                 not to a server, because openssl req -x509 writes this. \
                 Create a new one: openssl req -x509 \u{2026} -addext \
                 basicConstraints=critical,CA:FALSE"
            }
            Bad::Expired | Bad::ExpiredContext { .. } => {
                "The certificate has expired, or this machine's clock is \
                 wrong (check it with: date)"
            }
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "The certificate is not valid yet, or this machine's clock \
                 is wrong (check it with: date)"
            }
            _ => "The certificate cannot be trusted",
        },
        rustls::Error::InvalidMessage(_) => {
            "The peer did not send TLS. Perhaps this port begins without \
             encryption (STARTTLS)"
        }
        rustls::Error::AlertReceived(_) => {
            "The peer refused; the words above are its reason"
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
    fn data_arrives_and_close_notify_marks_its_end() -> Result<()> {
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
    fn a_fin_without_close_notify_is_an_error() -> Result<()> {
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
    fn a_server_without_tls_is_reported() -> Result<()> {
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
