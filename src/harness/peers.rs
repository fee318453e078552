//! Programs that do not belong to this project: is a program installed, and
//! what to do if not. Also the Python peers of the labs.

use std::env;
use std::fs::File;
use std::io::Write;
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

/// Is this program installed? If not, the test prints a line and passes. With
/// `REQUIRE_PEERS=1`, as in CI, it fails.
pub fn installed(program: &str, package: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .map(|folder| folder.join(program))
        .any(|file: PathBuf| file.is_file());
    found || skipped(package)
}

/// Prints that a test is skipped because a package is missing; returns false.
/// It also writes a line to the file that `SKIPPED` names. `make test` prints
/// these lines at its end, because cargo hides the output of a passing test.
///
/// # Panics
///
/// It panics if `REQUIRE_PEERS=1` is in the environment (0 means no), because
/// then no package may be missing.
#[track_caller]
pub fn skipped(package: &str) -> bool {
    eprintln!("skipped: install {package}");
    let required = env::var("REQUIRE_PEERS").unwrap_or_default();
    let required = !matches!(required.as_str(), "" | "0");
    assert!(!required, "REQUIRE_PEERS is set: install {package}");
    if let Some(list) = env::var_os("SKIPPED") {
        let mut options = File::options();
        let list = options.append(true).create(true).open(list);
        // The tests do not need this list, so an error here is ignored.
        let _ = list.and_then(|mut list| writeln!(list, "{package}"));
    }
    false
}
