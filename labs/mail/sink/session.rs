//! One client's session with the sink: the state that its commands read and
//! change. SMTP is STATEFUL: RCPT means nothing without the MAIL before it.
//! [W-T4a] (viva 7)
//!
//! ```text
//! hello   EHLO's name     lasts until STARTTLS
//! user    after AUTH      lasts until STARTTLS
//! mail    the envelope    lasts until DATA, RSET, EHLO or STARTTLS
//! ```

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use socketlab::line::LineReader;
use socketlab::net::TcpSocket;
use socketlab::stream::Stream;
use socketlab::{Error, Result, secret};
use tls::Channel;

use super::faults::Faults;
use super::maildir::Maildir;
use crate::smtp::reply::{Reply, reply};

/// The sink's own name in its replies.
pub(super) const NAME: &str = "localhost";

/// The longest lines in bytes, without CRLF: a command, MAIL with all its
/// parameters, an AUTH answer. [RFC 5321 4.5.3.1.4, RFC 4954 4]
pub(super) const LONGEST_COMMAND: usize = 510;
pub(super) const LONGEST_MAIL: usize = LONGEST_COMMAND + 26 + 17 + 10 + 500;
pub(super) const LONGEST_ANSWER: usize = 12_286;

/// What all sessions share: the checked command line. It does not change
/// after the start, so the threads need no lock.
pub struct Settings {
    /// Where messages go.
    pub maildir: Maildir,
    /// The faults on request.
    pub faults: Faults,
    /// The certificate, with `--tls` and `--implicit-tls`.
    pub tls: Option<Arc<ServerConfig>>,
    /// Does TLS begin before the greeting?
    pub implicit: bool,
    /// Who may log in.
    pub account: Option<Account>,
    /// The largest message in bytes.
    pub max_size: u64,
    /// How long a client may be silent.
    pub idle: Duration,
    /// Print no dialogue.
    pub quiet: bool,
}

/// The environment variable with the password, without `--password-file`.
pub const VARIABLE: &str = "MAIL_SINK_PASSWORD";

/// The one account, with `--user`.
pub struct Account {
    user: String,
    password: Option<Vec<u8>>, // None: any password is accepted
}

impl Account {
    /// Reads the password: the first line of the file, else the variable.
    pub fn new(user: String, file: Option<&str>) -> Result<Account> {
        let password = match file.map(Path::new) {
            Some(file) => Some(secret::from_file(file, 16 * 1024)?),
            None => secret::from_environment(VARIABLE),
        };
        if password.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::other("the password must not be empty"));
        }
        Ok(Account { user, password })
    }

    /// Is every password accepted?
    pub fn is_open(&self) -> bool {
        self.password.is_none()
    }

    /// The user's name, if both are right.
    pub(super) fn check(&self, user: &[u8], password: &[u8]) -> Answer<String> {
        let right = self.password.as_ref();
        let right = right.is_none_or(|right| right == password);
        // The reply does not say which of the two was wrong; otherwise an
        // attacker could find out the names first.
        match user == self.user.as_bytes() && right && !password.is_empty() {
            true => Ok(self.user.clone()),
            false => Err(reply!(535, "5.7.8 user name or password is wrong")),
        }
    }
}

/// The result of a step, or the reply that refuses it.
pub(super) type Answer<T> = std::result::Result<T, Reply>;

/// The log's text if the sink itself has ended the session.
pub(super) const CUT: &str = "disconnected: --drop-after";
pub(super) const REFUSED: &str = "disconnected after a refusal";

/// What happens after a reply.
#[derive(PartialEq, Eq)]
pub enum Next {
    /// The next command.
    Command,
    /// The TLS handshake, and then the next command.
    Tls,
    /// The end of the session, with the log's text: which side has ended it.
    Close(&'static str),
}

/// Sender and recipients of one message.
#[derive(Default)]
pub(super) struct Envelope {
    pub(super) sender: String, // empty in a bounce
    pub(super) recipients: Vec<String>,
    pub(super) utf8: bool, // may addresses have non-ASCII letters?
}

/// The state of a client. wire.rs, commands.rs and data.rs change it.
pub struct Session<'a> {
    pub(super) settings: &'a Settings,
    pub(super) peer: SocketAddr,
    pub(super) socket: TcpSocket, // second handle, to wait without reading
    pub(super) reader: LineReader<Channel>,
    pub(super) extended: bool,         // EHLO, not HELO
    pub(super) hello: Option<String>,  // the client's name in EHLO
    pub(super) user: Option<String>,   // after AUTH
    pub(super) mail: Option<Envelope>, // after MAIL
    pub(super) errors: u32,            // refused commands
}

impl<'a> Session<'a> {
    /// A session before its greeting. With `--implicit-tls` the TLS handshake
    /// comes first.
    pub fn new(
        client: TcpSocket,
        peer: SocketAddr,
        settings: &'a Settings,
    ) -> Result<Session<'a>> {
        let socket = client.clone();
        let channel = match (&settings.tls, settings.implicit) {
            (Some(config), true) => {
                Channel::accept_tls(client, config.clone())?
            }
            _ => Channel::Clear(client),
        };
        Ok(Session {
            settings,
            peer,
            socket,
            reader: LineReader::new(channel, LONGEST_ANSWER, settings.idle),
            extended: false,
            hello: None,
            user: None,
            mail: None,
            errors: 0,
        })
    }

    /// Starts TLS. The sink deletes all state from before the handshake,
    /// because an attacker may have sent those commands.  [RFC 3207 4.2]
    pub fn start_tls(self) -> Result<Session<'a>> {
        let (channel, unread) = self.reader.into_parts();
        let (Channel::Clear(client), Some(config), true) =
            (channel, &self.settings.tls, unread.is_empty())
        else {
            let why = "the client sent bytes before the TLS handshake";
            return Err(Error::other(why));
        };
        let channel = Channel::accept_tls(client, config.clone())?;
        let how = channel.description();
        let idle = self.settings.idle;
        let reader = LineReader::new(channel, LONGEST_ANSWER, idle);
        let (hello, user, mail) = (None, None, None);
        let session =
            Session { reader, extended: false, hello, user, mail, ..self };
        session.show(&how);
        Ok(session)
    }

    /// Closes the connection: a TLS close first, then FIN. The sink reads and
    /// drops what the client still sends. Otherwise the kernel would send RST,
    /// and the client could lose the 221 that it has not read yet.
    pub fn close(self) {
        let Session { socket, reader, .. } = self;
        drop(socket);
        reader.into_parts().0.finish();
    }
}
