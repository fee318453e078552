//! Proves that the programs of the pipes lab do what its README shows.

mod fifo;
mod ordinary;
mod unix;

use std::path::{Path, PathBuf};

use harness::play_readme;
use harness::terminal::Terminal;
use tempfile::TempDir;

/// A folder of a test's own, and a path in it.
fn place(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    (folder, path)
}

/// Starts a program with one path and more.
#[track_caller]
fn start(program: &str, path: &Path, more: &[&str]) -> Terminal {
    let words = [path.as_os_str()].into_iter();
    let words = words.chain(more.iter().map(|word| (*word).as_ref()));
    Terminal::start(program, words).expect("it starts")
}

#[track_caller]
fn wait(terminal: &mut Terminal, pattern: &str) -> String {
    terminal.wait_for(pattern).unwrap_or_else(|error| panic!("{error}"))
}

/// Its exit status.
#[track_caller]
fn end(terminal: &mut Terminal) -> Option<i32> {
    terminal.wait_for_end().expect("it ends").code()
}

/// All it prints until its end.
#[track_caller]
fn rest(terminal: &mut Terminal) -> String {
    let printed = terminal.read_to_end().expect("it ends");
    String::from_utf8_lossy(&printed).into()
}

/// The numbers in a line.
fn numbers(line: &str) -> Vec<usize> {
    let words = line.split(|c: char| !c.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn t_x3_the_readmes_transcripts_hold() {
    play_readme("pipes");
}
