//! Other people's programs: is it installed, and if not, what to do; the
//! Python peers of the labs.

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

/// Is this program there? If not, the test prints a line and passes; under
/// `REQUIRE_PEERS=1`, as in CI, it fails.
pub fn installed(program: &str, package: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .map(|folder| folder.join(program))
        .any(|file: PathBuf| file.is_file());
    found || skipped(package)
}

/// Says that a test is skipped for want of a package, and gives false. A line
/// with the package goes to the file that `SKIPPED` names: `make test` prints
/// them at its end, because cargo hides what a passing test prints.
///
/// # Panics
///
/// With `REQUIRE_PEERS=1` in the environment (0 means no): there, nothing may
/// be missing.
#[track_caller]
pub fn skipped(package: &str) -> bool {
    eprintln!("skipped: install {package}");
    let required = env::var("REQUIRE_PEERS").unwrap_or_default();
    let required = !matches!(required.as_str(), "" | "0");
    assert!(!required, "REQUIRE_PEERS is set: install {package}");
    if let Some(list) = env::var_os("SKIPPED") {
        let mut options = File::options();
        let list = options.append(true).create(true).open(list);
        // Without the list the tests are worth the same.
        let _ = list.and_then(|mut list| writeln!(list, "{package}"));
    }
    false
}
