//! What the user asked for: the URL and the options.

use std::path::PathBuf;
use std::time::Duration;

use socketlab::args;
use socketlab::dialogue::Printer;

use crate::url::{self, Url};

/// What the user asked for.
pub struct Job {
    /// The URL.
    pub url: Url,
    /// The file for the result; `None`: stdout.
    pub output: Option<PathBuf>,
    /// A file to store at the server, instead of fetching one.
    pub put: Option<PathBuf>,
    /// TLS begins by a command of the protocol.
    pub starttls: bool,
    /// A password may be sent in the clear.
    pub allow_clear: bool,
    /// How long the server may be silent.
    pub wait: Duration,
    /// Prints the dialogue on stderr, or nothing at all (`--quiet`).
    pub printer: Printer,
}

impl Job {
    /// Prints the number and name of a step, as in its banner, above the lines
    /// that this step sends and receives.
    pub fn step(&self, step: &str) {
        self.printer.note(&format!("-- {step}"));
    }

    /// The path of the URL, decoded, without its first slash. A path without a
    /// meaning in its protocol is a usage error.
    pub fn path(&self, means: &str) -> String {
        let path = url::decode(&self.url.path);
        let path = path.unwrap_or_else(|what| args::usage(&what));
        if path.starts_with('?') {
            let name = self.url.scheme.name;
            args::usage(&format!("{name} has no ?: {means}"));
        }
        path.strip_prefix('/').unwrap_or(&path).to_string()
    }
}
