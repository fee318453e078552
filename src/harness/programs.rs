//! The files of the labs' programs. `cargo test` builds only the programs of
//! the package under test. If a test starts a program of another lab, this
//! module builds it first, so that the test does not start an old version.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use parking_lot::Mutex;

use crate::source_tree::{self, Program};

/// Where the programs are: beside the one that runs. (Tests and benchmarks
/// run one folder deeper, in `deps`.)
pub fn folder() -> PathBuf {
    let mut folder = env::current_exe().unwrap_or_default();
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    folder
}

/// The program of ours with this name, otherwise the program in PATH.
pub fn command(program: &str) -> Command {
    match ours(program) {
        Some(file) => Command::new(file),
        None => Command::new(program),
    }
}

/// The file of our program with this name, if it exists.
pub fn ours(program: &str) -> Option<PathBuf> {
    let file = folder().join(program);
    if under_test() {
        build_if_old(program, &file);
    }
    file.is_file().then_some(file)
}

/// Are we a test or a benchmark? Other programs start what is in their own
/// folder.
fn under_test() -> bool {
    let exe = env::current_exe().unwrap_or_default();
    exe.parent().is_some_and(|folder| folder.ends_with("deps"))
}

/// Builds a program that is older than the sources, once in this process.
fn build_if_old(program: &str, file: &Path) {
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut seen = SEEN.lock();
    if !seen.insert(program.into()) || is_new(file) {
        return;
    }
    let Some(found) = find(program) else { return };
    // Cargo has built what belongs to the package under test.
    if env::var("CARGO_PKG_NAME").is_ok_and(|name| name == found.package) {
        return;
    }
    let Some(cargo) = env::var_os("CARGO") else { return };
    let folder = folder();
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--bin", program, "--profile"]);
    command.arg(match folder.file_name() {
        Some(name) if name != "debug" => name,
        _ => "dev".as_ref(),
    });
    if let (Ok(root), Some(target)) = (source_tree::root(), folder.parent()) {
        command.arg("--target-dir").arg(target).current_dir(root);
    }
    let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
}

fn find(program: &str) -> Option<Program> {
    source_tree::programs()
        .ok()?
        .into_iter()
        .find(|known| known.name == program)
}

/// Is the file newer than all sources?
fn is_new(file: &Path) -> bool {
    static NEWEST: Mutex<Option<SystemTime>> = Mutex::new(None);
    let newest = *NEWEST.lock().get_or_insert_with(newest_source);
    let built = fs::metadata(file).and_then(|data| data.modified());
    built.is_ok_and(|built| built > newest)
}

/// When the last of the sources was written.
fn newest_source() -> SystemTime {
    let files =
        source_tree::root().and_then(|root| source_tree::source_files(&root));
    let times = files.into_iter().flatten().filter_map(|file| {
        fs::metadata(file).and_then(|data| data.modified()).ok()
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
