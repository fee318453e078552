//! Several programs on one screen, one above the other: tmux.

use std::env;
use std::fs;
use std::process::{self, Command, Stdio};

use socketlab::{Error, Result};

/// One part of the screen: what runs in it, and the title above it.
pub struct Pane {
    /// The title.
    pub title: String,
    /// The program and its arguments.
    pub words: Vec<String>,
}

/// Is tmux installed?
pub fn is_installed() -> bool {
    let mut tmux = Command::new("tmux");
    tmux.arg("-V").stdout(Stdio::null()).status().is_ok()
}

/// Shows the panes, until all their programs have ended. The cursor is in the
/// first one; Ctrl-B and an arrow, or the mouse, leads to another.
pub fn show(panes: &[Pane]) -> Result<()> {
    // A socket of our own, because the usual one belongs to the real root.
    let socket = format!("socketlab-{}.tmux", process::id());
    let socket = env::temp_dir().join(socket);
    let mut tmux = Command::new("tmux");
    tmux.arg("-S").arg(&socket).args(["-f", "/dev/null"]);
    for (index, Pane { title, words }) in panes.iter().enumerate() {
        let words = words.iter().map(String::as_str);
        let line = shlex::try_join(words).map_err(|_| {
            Error::other("a program's arguments contain a zero byte")
        })?;
        let how = if index == 0 { "new-session" } else { "split-window" };
        tmux.args([how, &line, ";", "select-pane", "-T", title, ";"]);
    }
    tmux.args(["set-option", "-g", "pane-border-status", "top", ";"])
        .args(["set-option", "-g", "mouse", "on", ";"])
        .args(["select-layout", "even-vertical", ";"])
        .args(["select-pane", "-t", "0"])
        .env_remove("TMUX"); // also from within a tmux
    let status = tmux.status().map_err(|e| Error::new("exec", "tmux", e))?;
    let _ = fs::remove_file(&socket);
    match status.success() {
        true => Ok(()),
        false => Err(Error::other(format!("tmux ended with {status}"))),
    }
}
