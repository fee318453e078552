//! Other people's programs: is it installed, and if not, what to do; the
//! Python peers of the labs.

use std::path::PathBuf;
use std::process::Command;

use crate::source_tree;

/// `python3 -u labs/LAB/python/FILE`, if there is a Python 3.
pub fn python(file: &str) -> Option<Command> {
    if !installed("python3", "python3") {
        return None;
    }
    let mut command = Command::new("python3");
    command.arg("-u").arg(script(file));
    Some(command)
}

/// `labs/LAB/python/FILE`, from LAB/FILE.
#[track_caller]
pub fn script(file: &str) -> PathBuf {
    let (lab, file) = file.split_once('/').expect("LAB/FILE");
    let labs = source_tree::root().expect("the sources").join("labs");
    labs.join(lab).join("python").join(file)
}

/// Is this program there? If not, the test says so and passes; under
/// `REQUIRE_PEERS=1`, as in CI, it fails.
pub fn installed(program: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .any(|file: PathBuf| file.is_file());
    found || skipped(package)
}

/// Says that a test is skipped for want of a package, and gives false.
///
/// # Panics
///
/// With `REQUIRE_PEERS` in the environment: there, nothing may be missing.
#[track_caller]
pub fn skipped(package: &str) -> bool {
    eprintln!("skipped: install {package}");
    let required = std::env::var_os("REQUIRE_PEERS").is_some();
    assert!(!required, "REQUIRE_PEERS is set: install {package}");
    false
}
