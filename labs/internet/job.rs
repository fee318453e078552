//! What the user asked for: the URL and the options.

use std::path::PathBuf;
use std::time::Duration;

use socketlab::args;

use crate::url;

/// What the user asked for.
pub struct Job {
    /// Where it is.
    pub url: url::Url,
    /// Where it goes; `None`: to stdout.
    pub output: Option<PathBuf>,
    /// TLS by a command of the protocol.
    pub starttls: bool,
    /// A password may go in the clear.
    pub allow_clear: bool,
    /// Print no dialogue.
    pub quiet: bool,
    /// How long the server may be silent.
    pub wait: Duration,
}

/// A URL whose path means nothing to its protocol: a usage error.
pub fn path_of(job: &Job, means: &str) -> String {
    let path = url::decode(&job.url.path);
    let path = path.unwrap_or_else(|what| args::usage(&what));
    if path.starts_with('?') {
        args::usage(&format!("{} has no ?: {means}", job.url.scheme.name));
    }
    path.strip_prefix('/').unwrap_or(&path).to_string()
}
