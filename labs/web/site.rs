//! What all conversations of the web server share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::Files;
use crate::log::AccessLog;

/// The files and the options of one server. It does not change after the
/// start, so all threads can read it without a lock.
pub struct Site {
    /// The files below the root.
    pub files: Files,
    /// The access log.
    pub log: AccessLog,
    /// Show the list of a folder that has no index.html.
    pub list: bool,
    /// Also serve files whose names begin with a dot.
    pub dotfiles: bool,
    /// The server closes a connection that is idle for this long.
    pub idle: Duration,
    /// The complete head of a request must arrive within this time.
    pub head_deadline: Duration,
}

/// The pages of this lab, `labs/web/www`. If the current folder does not
/// contain them, the program uses the folder that it was built from.
pub fn sample_folder() -> PathBuf {
    let here = Path::new("labs/web/www");
    match here.is_dir() {
        true => here.to_path_buf(),
        false => Path::new(env!("CARGO_MANIFEST_DIR")).join("www"),
    }
}
