//! What all sessions of one sink share: the command line, understood. Nobody
//! changes it after the start, so there is no lock.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use socketlab::{Error, Result, secret};

use super::faults::Faults;
use super::maildir::Maildir;
use crate::smtp::reply::{Reply, reply};

/// What the sink calls itself.
pub(super) const NAME: &str = "localhost";

/// How this sink behaves, and where its messages go.
pub struct Settings {
    /// Where messages go.
    pub maildir: Maildir,
    /// What goes wrong on request.
    pub faults: Faults,
    /// The certificate, with `--tls` and `--implicit-tls`.
    pub tls: Option<Arc<ServerConfig>>,
    /// Does TLS begin before the greeting?
    pub implicit: bool,
    /// Who may log in.
    pub account: Option<Account>,
    /// Bytes of the largest message.
    pub max_size: u64,
    /// How long a client may be silent.
    pub idle: Duration,
    /// Print no dialogue.
    pub quiet: bool,
}

/// The environment variable with the password, if no file has it.
pub const VARIABLE: &str = "MAIL_SINK_PASSWORD";

/// The one account, with `--user`.
pub struct Account {
    user: String,
    password: Option<Vec<u8>>, // None: any will do
}

impl Account {
    /// The password is the first line of the file, or else the variable's.
    pub fn new(user: String, file: Option<&str>) -> Result<Account> {
        let password = match file.map(Path::new) {
            Some(file) => Some(secret::from_file(file, 16 * 1024)?),
            None => secret::from_environment(VARIABLE),
        };
        if password.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::other("the password is empty"));
        }
        Ok(Account { user, password })
    }

    /// Is every password accepted?
    pub fn is_open(&self) -> bool {
        self.password.is_none()
    }

    /// The user's name, if these two are right.
    pub(super) fn check(
        &self,
        user: &[u8],
        password: &[u8],
    ) -> std::result::Result<String, Reply> {
        let right = self.password.as_ref();
        let right = right.is_none_or(|right| right == password);
        // Never which of the two was wrong.
        match user == self.user.as_bytes() && right && !password.is_empty() {
            true => Ok(self.user.clone()),
            false => Err(reply!(535, "5.7.8 user name or password is wrong")),
        }
    }
}
