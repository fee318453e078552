//! What all conversations of the web server share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::Files;
use crate::log::AccessLog;

/// The files and the options of one server. Nobody changes it after the
/// start, so that all threads read it without a lock.
pub struct Site {
    /// The files beneath the root.
    pub files: Files,
    /// The access log.
    pub log: AccessLog,
    /// Show the list of a folder that has no index.html.
    pub list: bool,
    /// Serve files whose names begin with a dot, too.
    pub dotfiles: bool,
    /// How long a client may stay without a request.
    pub idle: Duration,
    /// How long the head of a request may take to arrive.
    pub head_deadline: Duration,
}

/// The pages that come with this lab, `labs/web/www`: those below the
/// current folder, otherwise those that the program was built beside.
pub fn sample_folder() -> PathBuf {
    let here = Path::new("labs/web/www");
    match here.is_dir() {
        true => here.to_path_buf(),
        false => Path::new(env!("CARGO_MANIFEST_DIR")).join("www"),
    }
}
