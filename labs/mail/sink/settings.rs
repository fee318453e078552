//! What all sessions of one sink share: the command line, understood. Nobody
//! changes it after the start, so there is no lock.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use super::auth::Account;
use super::faults::Faults;
use super::maildir::Maildir;

/// What the sink calls itself.
pub const NAME: &str = "localhost";

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
