//! The wire lab, black box: two hosts and the cable between them, as an
//! ordinary user, judged by tshark; the relay; what is said where user
//! namespaces are forbidden.

mod captures;
mod forbidden;
mod losses;
mod poor_network;
mod shells;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use harness::terminal::{command, program_folder};
use harness::{installed, play_readme, skipped, source_tree, user_namespaces};
use rustix::process::getuid;
use tempfile::TempDir;

/// How long a run may take on a busy machine, in seconds.
const LIMIT: &str = "60";

/// A run of wire-hosts, and what it leaves.
struct Run {
    folder: TempDir,
    printed: String,
    status: Option<i32>,
}

/// Can hosts be made here, and looked at? If not, the test says so and passes.
fn can_run() -> bool {
    if let Some(reason) = user_namespaces::why_not() {
        return skipped(&format!("a kernel that allows it ({reason})"));
    }
    installed("ip", "iproute2")
        && installed("nsenter", "util-linux")
        && installed("setpriv", "util-linux")
        && installed("tshark", "tshark")
}

/// A folder in which also nobody may write.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    allow_everybody(folder.path(), 0o777);
    folder
}

fn allow_everybody(path: &Path, mode: u32) {
    let everybody = fs::Permissions::from_mode(mode);
    fs::set_permissions(path, everybody).expect("chmod");
}

/// A program, of ours or of PATH, as an ordinary user starts it: as root we
/// become nobody.
fn as_ordinary_user(program: &str) -> Command {
    let ours = program_folder().join(program);
    let program = match ours.is_file() {
        true => ours,
        false => program.into(),
    };
    let root = source_tree::root().expect("the sources");
    let mut command = Command::new("timeout");
    command.arg(LIMIT);
    if getuid().is_root() {
        let mut nobody = Command::new("setpriv");
        nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        let can_read = nobody.arg("test").arg("-x");
        let can_read = can_read.arg(program_folder()).status();
        let page = root.join("README.md");
        let can_read = can_read.is_ok_and(|status| status.success())
            && fs::metadata(page).is_ok_and(|page| page.mode() & 4 != 0);
        assert!(can_read, "nobody cannot read {}", root.display());
        command.args(["setpriv", "--reuid=65534", "--regid=65534"]);
        command.arg("--clear-groups");
    }
    command.arg(program).current_dir(root).stdin(Stdio::null());
    command
}

/// Builds the programs that a text names, if they are old.
fn build(text: &str) {
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '-') {
        if word.contains('-') || word == "fetch" {
            drop(command(word));
        }
    }
}

/// Runs wire-hosts with a capture, until it ends.
fn hosts(words: &[&str]) -> Run {
    let folder = folder();
    build(&words.join(" "));
    let output: Output = as_ordinary_user("wire-hosts")
        .arg("--save")
        .arg(folder.path().join("capture.pcapng"))
        .args(words)
        .output()
        .expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout) + errors;
    Run { folder, printed: printed.into(), status: output.status.code() }
}

impl Run {
    fn capture(&self) -> PathBuf {
        self.folder.path().join("capture.pcapng")
    }

    /// `14 frames, 0 lost`: what the cable says at its end.
    fn counted(&self) -> (usize, usize) {
        let line = self.printed.lines().find(|line| line.contains(" frames, "));
        let line = line.unwrap_or_else(|| panic!("no count:\n{}", self.printed));
        let numbers = line.split(|c: char| !c.is_ascii_digit());
        let mut numbers = numbers.filter_map(|word| word.parse().ok());
        (numbers.next().expect("frames"), numbers.next().expect("lost"))
    }

    /// The fields of the packets that a display filter lets pass, with all
    /// checksums checked.
    #[track_caller]
    fn tshark(&self, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
        tshark(&self.capture(), filter, fields)
    }
}

#[track_caller]
fn tshark(file: &Path, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file);
    for checked in ["ip", "tcp", "udp"] {
        command.args(["-o", &format!("{checked}.check_checksum:TRUE")]);
    }
    command.args(["-Y", filter, "-T", "fields", "-E", "separator=|"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tshark -Y '{filter}': {errors}");
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(|line| line.split('|').map(Into::into));
    lines.map(|fields| fields.collect()).collect()
}

#[test]
fn x_chaos_the_readmes_transcripts_hold() {
    play_readme("wire");
}
